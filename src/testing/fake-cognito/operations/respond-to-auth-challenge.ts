import type { AppClient } from '../app-client.js'
import type { Caller, SignIn } from '../challenges/challenge.js'
import { type ChallengeSession, invalidSession } from '../challenges/challenge-sessions.js'
import { assertSecretHash } from '../client-secrets.js'
import { CognitoException, invalidParameter } from '../exceptions.js'
import type { AuthParameters, Parameters } from '../parameters.js'
import { assertPool, type Pool } from '../pool.js'
import { answerOf } from './challenge-answer.js'

export async function respondToAuthChallenge(pool: Pool, parameters: Parameters): Promise<object> {
  return respond(pool, parameters, 'user')
}

/** Answers what AdminInitiateAuth began, and nothing else: a sign-in stays with the operations it began with. */
export async function adminRespondToAuthChallenge(pool: Pool, parameters: Parameters): Promise<object> {
  assertPool(pool, parameters.string('UserPoolId'))
  return respond(pool, parameters, 'admin')
}

async function respond(pool: Pool, parameters: Parameters, caller: Caller): Promise<object> {
  const client = pool.clients.get(parameters.string('ClientId'))
  const name = parameters.string('ChallengeName')
  const responses = parameters.authParameters('ChallengeResponses')
  const username = responses.required('USERNAME')
  assertSecretHash(client, username, responses.optional('SECRET_HASH'))
  const { sessions } = pool.signIns
  const session = sessions.take(sessionId(pool, parameters, responses))
  const { signIn, challenge } = session
  if (challenge.name !== name || signIn.caller !== caller || !belongsTo(pool, session, client, username)) {
    sessions.keep(session)
    throw invalidSession()
  }
  const { deviceKey } = signIn
  signIn.deviceKey = responses.optional('DEVICE_KEY') ?? deviceKey
  try {
    return answerOf(pool, signIn, await challenge.answer(responses))
  } catch (error) {
    signIn.deviceKey = deviceKey
    if (mayTryAgain(error)) sessions.keep(session, error)
    throw error
  }
}

function sessionId(pool: Pool, parameters: Parameters, responses: AuthParameters): string {
  const id =
    parameters.optionalString('Session') ??
    pool.signIns.sessions.idOfSecretBlock(responses.optional('PASSWORD_CLAIM_SECRET_BLOCK'))
  if (id === undefined) throw invalidParameter('Missing required parameter Session')
  return id
}

function belongsTo(
  pool: Pool,
  { signIn }: ChallengeSession,
  { clientId }: AppClient,
  username: string,
): boolean {
  return signIn.client.clientId === clientId && namesUser(pool, signIn, username)
}

/** By username, alias or sub; one who does not exist by what was typed in. */
function namesUser(pool: Pool, { user, login }: SignIn, username: string): boolean {
  return username === login || username === user.username || pool.users.find(username) === user
}

/** A wrong password, credential or proof ends a sign-in; a code or a new password can be tried again. */
function mayTryAgain(error: unknown): boolean {
  return error instanceof CognitoException && error.name !== 'NotAuthorizedException'
}
