import { invalidParameter } from '../exceptions.js'
import type { AuthParameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import type { Challenge, Next, SignIn, Step } from './challenge.js'
import { assertPassword, passwordChallenge, passwordSrpChallenge, passwordVerifier } from './password.js'
import { sentCode } from './sent-code.js'
import { webAuthn } from './web-authn.js'

const firstFactors = ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP', 'SMS_OTP', 'WEB_AUTHN'] as const
type FirstFactor = (typeof firstFactors)[number]

/** What follows a first factor: a password can call for a second one, the others are enough. */
export interface AfterFirstFactor {
  readonly password: Next
  readonly passwordless: Next
}

/**
 * SELECT_CHALLENGE: lets the user choose a first factor, and takes what that needs along with the choice. The options
 * for a passkey are told at once, so that its CREDENTIAL can come along too.
 */
function selectChallenge(pool: Pool, signIn: SignIn, after: AfterFirstFactor): Challenge {
  const available = availableFactors(pool, signIn)
  const passkey = available.includes('WEB_AUTHN') ? webAuthn(signIn.user, after.passwordless) : undefined
  return {
    name: 'SELECT_CHALLENGE',
    parameters: passkey?.parameters ?? {},
    availableChallenges: available,
    answer: (responses) => {
      const factor = available.find((each) => each === responses.required('ANSWER'))
      if (factor === undefined) throw invalidParameter('ANSWER is not one of the available challenges.')
      if (factor === 'WEB_AUTHN' && responses.optional('CREDENTIAL') !== undefined && passkey !== undefined)
        return passkey.answer(responses)
      return begin(pool, signIn, factor, responses, after)
    },
  }
}

/** USER_AUTH's first step: the preferred challenge if the user has it, else the choice. */
export function preferredChallenge(
  pool: Pool,
  signIn: SignIn,
  parameters: AuthParameters,
  after: AfterFirstFactor,
): Step | Promise<Step> {
  const preferred = parameters.optional('PREFERRED_CHALLENGE')
  if (preferred !== undefined && !firstFactors.some((factor) => factor === preferred)) {
    throw invalidParameter('PREFERRED_CHALLENGE is not valid.')
  }
  const factor = availableFactors(pool, signIn).find((each) => each === preferred)
  if (factor === undefined) return selectChallenge(pool, signIn, after)
  return begin(pool, signIn, factor, parameters, after)
}

/** Where a second factor is required of everybody, Cognito lets nobody in without a password. */
function availableFactors(pool: Pool, { user }: SignIn): readonly FirstFactor[] {
  const passwordless = pool.signIns.mfa !== 'ON'
  return firstFactors.filter((factor) => {
    if (factor === 'EMAIL_OTP') return passwordless && user.email !== undefined
    if (factor === 'SMS_OTP') return passwordless && user.phoneNumber !== undefined
    return factor === 'WEB_AUTHN' ? passwordless && user.passkey : true
  })
}

function begin(
  pool: Pool,
  signIn: SignIn,
  factor: FirstFactor,
  given: AuthParameters,
  after: AfterFirstFactor,
): Step | Promise<Step> {
  if (factor === 'WEB_AUTHN') return webAuthn(signIn.user, after.passwordless)
  if (factor === 'EMAIL_OTP' || factor === 'SMS_OTP') {
    return sentCode(signIn.user, factor, 8, after.passwordless)
  }
  if (factor === 'PASSWORD_SRP') {
    const srpA = given.optional('SRP_A')
    return srpA === undefined
      ? passwordSrpChallenge(pool, signIn, after.password)
      : passwordVerifier(pool, signIn, srpA, after.password)
  }
  const password = given.optional('PASSWORD')
  if (password === undefined) return passwordChallenge(signIn, after.password)
  assertPassword(signIn, password)
  return after.password()
}
