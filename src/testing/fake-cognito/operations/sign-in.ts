import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { authorizeUser } from '../access-tokens.js'
import type { AppClient } from '../app-client.js'
import type { Caller, SignIn, Step } from '../challenges/challenge.js'
import { afterPassword, completeSignIn } from '../challenges/complete-sign-in.js'
import { customChallenge } from '../challenges/custom-challenge.js'
import { assertPassword, passwordVerifier } from '../challenges/password.js'
import { preferredChallenge } from '../challenges/select-challenge.js'
import { assertSecretHash } from '../client-secrets.js'
import { invalidParameter, notAuthorized, userNotFound } from '../exceptions.js'
import type { AuthParameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import { createUser, type User } from '../users.js'

/** The first step of a sign-in by one of the flows. */
export type SignInFlow = (pool: Pool, signIn: SignIn, parameters: AuthParameters) => Step | Promise<Step>

/** USER_PASSWORD_AUTH and its likes. */
export const signInWithPassword: SignInFlow = (pool, signIn, parameters) => {
  assertPassword(signIn, parameters.required('PASSWORD'))
  return afterPassword(pool, signIn)
}

/** USER_SRP_AUTH: PASSWORD_VERIFIER, whoever signs in; a wrong password is told when that is answered. */
export const signInWithSrp: SignInFlow = (pool, signIn, parameters) => {
  return passwordVerifier(pool, signIn, parameters.required('SRP_A'), () => afterPassword(pool, signIn))
}

/** USER_AUTH: the challenge that is preferred, or a choice. As a step-up it takes an access token of the user's. */
export const signInByChoice: SignInFlow = (pool, signIn, parameters) => {
  const accessToken = parameters.optional('ACCESS_TOKEN')
  if (!/^\S+( \S+)*$/.test(parameters.optional('TARGET_ACR_VALUES') ?? 'none')) {
    throw invalidParameter('TARGET_ACR_VALUES is not valid.')
  }
  if (!/^\d{1,9}$/.test(parameters.optional('MAX_AGE') ?? '0'))
    throw invalidParameter('MAX_AGE is not valid.')
  if (accessToken !== undefined) {
    parameters.required('TARGET_ACR_VALUES')
    if (authorizeUser(pool, accessToken) !== signIn.user) throw notAuthorized('Invalid Access Token')
  }
  return preferredChallenge(pool, signIn, parameters, {
    password: () => afterPassword(pool, signIn),
    passwordless: () => completeSignIn(pool, signIn),
  })
}

/** CUSTOM_AUTH: the pool's own challenges, with CHALLENGE_NAME=SRP_A after the password. */
export const signInByCustomChallenges: SignInFlow = (pool, signIn, parameters) => {
  const { customChallenges } = pool.signIns
  if (customChallenges.length === 0) {
    throw invalidParameter('Custom auth lambda trigger is not configured for the user pool.')
  }
  const ask = () => customChallenge(signIn, customChallenges, () => completeSignIn(pool, signIn))
  const first = parameters.optional('CHALLENGE_NAME')
  if (first === undefined) return ask()
  if (first !== 'SRP_A') throw invalidParameter('CHALLENGE_NAME is not valid.')
  return passwordVerifier(pool, signIn, parameters.required('SRP_A'), ask)
}

/** Reads who signs in; the parameters that a flow needs must all be there before a user is looked for. */
export function beginSignIn(
  pool: Pool,
  client: AppClient,
  caller: Caller,
  parameters: AuthParameters,
  needed: readonly string[],
): SignIn {
  const login = parameters.required('USERNAME')
  for (const name of needed) parameters.required(name)
  assertSecretHash(client, login, parameters.optional('SECRET_HASH'))
  const found = pool.users.findByLogin(login)
  if (found === undefined && client.preventUserExistenceErrors === 'LEGACY') throw userNotFound()
  const user = found ?? standIn(login, pool.clock.now())
  return { client, caller, login, user, deviceKey: parameters.optional('DEVICE_KEY') }
}

/**
 * For a user who does not exist: challenges as of one who does, and no password that anybody knows. An alias
 * stands for a username of a user's own making elsewhere; here for one that is always the same.
 */
function standIn(login: string, now: number): User {
  const isAlias = /^\+\d+$|@/.test(login)
  const username = isAlias ? uuidOf(createHash('sha256').update(login).digest('hex')) : login
  return createUser(username, randomUUID(), randomBytes(32).toString('base64'), now)
}

function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}
