import { assertObject, assertString, assertStrings, optionError } from '../options.js'
import type { KnownAnswers } from './challenge-answers.js'
import { readCode } from './code.js'
import type { SignInCall } from './sign-in-call.js'

const OWNER = 'respondToChallenge'

/** An answer as it comes from the caller, not looked at yet. */
export type RawAnswer = Readonly<Record<string, unknown>>
type Responses = Record<string, string>

/** ChallengeResponses for each known challenge, but for USERNAME, SECRET_HASH and DEVICE_KEY. */
const RESPONSES: {
  readonly [Name in keyof KnownAnswers]: (
    answer: RawAnswer,
    call: SignInCall,
  ) => Responses | Promise<Responses>
} = {
  NEW_PASSWORD_REQUIRED: (answer) => {
    const { userAttributes = {} } = answer
    assertStrings(OWNER, 'userAttributes', userAttributes)
    const attributes = Object.entries(userAttributes).map(([name, value]) => [
      `userAttributes.${name}`,
      value,
    ])
    return { ...Object.fromEntries(attributes), NEW_PASSWORD: read(answer, 'newPassword') }
  },
  SOFTWARE_TOKEN_MFA: ({ code }) => ({ SOFTWARE_TOKEN_MFA_CODE: readCode(OWNER, code) }),
  SMS_MFA: ({ code }) => ({ SMS_MFA_CODE: readCode(OWNER, code) }),
  SMS_OTP: ({ code }) => ({ SMS_OTP_CODE: readCode(OWNER, code) }),
  EMAIL_OTP: ({ code }) => ({ EMAIL_OTP_CODE: readCode(OWNER, code) }),
  SELECT_CHALLENGE: selected,
  SELECT_MFA_TYPE: (answer) => ({ ANSWER: read(answer, 'mfaType') }),
  CUSTOM_CHALLENGE: (answer) => ({ ANSWER: read(answer, 'answer') }),
  // A code goes to VerifySoftwareToken.
  MFA_SETUP: (answer) => {
    if (answer.responses === undefined) return {}
    if (answer.code !== undefined) throw optionError(OWNER, 'responses', 'left out where a code is given')
    return rawResponses(answer)
  },
  PASSWORD: (answer) => ({ PASSWORD: read(answer, 'password') }),
  PASSWORD_SRP: async (answer, call) => {
    read(answer, 'password')
    return { SRP_A: await call.srpA() }
  },
  WEB_AUTHN: (answer) => ({ CREDENTIAL: credentialOf(answer) }),
  DEVICE_SRP_AUTH: async (answer, call) => {
    assertObject(OWNER, 'device', answer.device)
    return { SRP_A: await call.srpA() }
  },
}

/** What is sent to Cognito for an answer. @throws TypeError naming the part of the answer that is wrong */
export async function responsesTo(
  challengeName: string,
  answer: RawAnswer,
  call: SignInCall,
): Promise<Responses> {
  return isKnown(challengeName) ? RESPONSES[challengeName](answer, call) : rawResponses(answer)
}

/** The password in an answer, and whether it goes to Cognito as it is. */
export function passwordIn(
  challengeName: string,
  answer: RawAnswer,
): { readonly password: string | undefined; readonly maySendPassword: boolean } {
  const chosen = challengeName === 'SELECT_CHALLENGE' ? answer.challenge : challengeName
  const takesPassword = chosen === 'PASSWORD' || chosen === 'PASSWORD_SRP'
  return {
    password: takesPassword ? read(answer, 'password') : undefined,
    maySendPassword: chosen === 'PASSWORD',
  }
}

async function selected(answer: RawAnswer, call: SignInCall): Promise<Responses> {
  const ANSWER = read(answer, 'challenge')
  switch (ANSWER) {
    case 'PASSWORD':
      return { ANSWER, PASSWORD: read(answer, 'password') }
    case 'PASSWORD_SRP':
      return { ANSWER, SRP_A: await call.srpA() }
    case 'WEB_AUTHN':
      return { ANSWER, ...(answer.credential === undefined ? {} : { CREDENTIAL: credentialOf(answer) }) }
    default:
      return { ...(answer.responses === undefined ? {} : rawResponses(answer)), ANSWER }
  }
}

function rawResponses({ responses }: RawAnswer): Responses {
  assertStrings(OWNER, 'responses', responses)
  return { ...responses }
}

function credentialOf({ credential }: RawAnswer): string {
  if (typeof credential === 'string' && credential !== '') return credential
  if (typeof credential !== 'object' || credential === null) {
    throw optionError(OWNER, 'credential', 'the AuthenticationResponseJSON of the browser', credential)
  }
  return JSON.stringify(credential)
}

function read(answer: RawAnswer, name: string): string {
  const value = answer[name]
  assertString(OWNER, name, value)
  return value
}

function isKnown(name: string): name is keyof KnownAnswers {
  return Object.hasOwn(RESPONSES, name)
}
