import { assertInput, assertString, optionError } from '../options.js'
import type { AnswerTo } from './challenge-answers.js'
import { passwordIn, type RawAnswer, responsesTo } from './challenge-responses.js'
import type { SignInChallenge } from './challenges.js'
import type { CognitoApi } from './cognito-api.js'
import { SignInCall } from './sign-in-call.js'
import { checkSignInOptions, type SignInOptions } from './sign-in-input.js'
import type { SignInResult } from './sign-in-result.js'
import { verifySessionToken } from './software-token.js'

const OWNER = 'respondToChallenge'

/** RespondToAuthChallenge or AdminRespondToAuthChallenge, and what can be answered at once. */
export async function respondToChallenge<C extends SignInChallenge>(
  api: CognitoApi,
  challenge: C,
  answer: AnswerTo<C>,
): Promise<SignInResult> {
  assertChallenge(OWNER, challenge)
  assertInput(OWNER, answer)
  // Whatever the types say: it is checked, part by part.
  const input: SignInOptions & RawAnswer = { ...(answer as object) }
  const { challengeName, username, admin } = challenge
  checkSignInOptions(OWNER, input, admin)
  const call = new SignInCall(api, { username, admin, ...passwordIn(challengeName, input), input })
  const responses = await responsesTo(challengeName, input, call)
  const session =
    challengeName === 'MFA_SETUP' && input.responses === undefined
      ? await verifySessionToken(api, challenge.session, input)
      : challenge.session
  return call.respond(challengeName, session, responses)
}

/** A challenge may have been kept as JSON. @throws TypeError naming what is missing */
function assertChallenge(owner: string, challenge: SignInChallenge): void {
  assertInput(owner, challenge)
  const { status, challengeName, username, session, admin } = challenge
  if (status !== 'challenge') throw optionError(owner, 'challenge', 'a challenge that signIn gave')
  assertString(owner, 'challenge.challengeName', challengeName)
  assertString(owner, 'challenge.username', username)
  if (session !== undefined) assertString(owner, 'challenge.session', session)
  if (typeof admin !== 'boolean') throw optionError(owner, 'challenge.admin', 'true or false', admin)
}
