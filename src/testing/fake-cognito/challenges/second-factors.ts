import { CognitoException, invalidParameter } from '../exceptions.js'
import type { Pool } from '../pool.js'
import type { SecondFactor, User } from '../users.js'
import type { Challenge, Next, SignIn } from './challenge.js'
import { codeMismatch, sentCode } from './sent-code.js'
import { findTotp } from './totp.js'

/** What a user is asked after the password, or undefined where that is enough. */
export function secondFactor(pool: Pool, { user }: SignIn, next: Next): Challenge | undefined {
  if (pool.signIns.mfa === 'OFF') return undefined
  if (user.preferredMfa !== undefined) return challengeOf(pool, user, user.preferredMfa, next)
  const [first, ...others] = user.mfa
  if (first === undefined) return pool.signIns.mfa === 'ON' ? mfaSetup(user, next) : undefined
  return others.length === 0 ? challengeOf(pool, user, first, next) : selectMfaType(pool, user, next)
}

function challengeOf(pool: Pool, user: User, factor: SecondFactor, next: Next): Challenge {
  return factor === 'SOFTWARE_TOKEN_MFA'
    ? softwareTokenMfa(pool, user, next)
    : sentCode(user, factor, 6, next)
}

function softwareTokenMfa(pool: Pool, user: User, next: Next): Challenge {
  return {
    name: 'SOFTWARE_TOKEN_MFA',
    parameters: { USER_ID_FOR_SRP: user.username },
    answer: (responses) => {
      const code = responses.required('SOFTWARE_TOKEN_MFA_CODE')
      const found = findTotp(user.softwareToken ?? '', code, pool.clock.now())
      if (found === undefined) throw codeMismatch()
      if (found.secret === user.usedTotp?.secret && found.step === user.usedTotp.step) throw usedCode()
      user.usedTotp = found
      return next()
    },
  }
}

function selectMfaType(pool: Pool, user: User, next: Next): Challenge {
  return {
    name: 'SELECT_MFA_TYPE',
    parameters: { MFAS_CAN_CHOOSE: JSON.stringify(user.mfa), USER_ID_FOR_SRP: user.username },
    answer: (responses) => {
      const answer = responses.required('ANSWER')
      const factor = user.mfa.find((each) => each === answer)
      if (factor === undefined) throw invalidParameter('ANSWER is not one of MFAS_CAN_CHOOSE.')
      return challengeOf(pool, user, factor, next)
    },
  }
}

function mfaSetup(user: User, next: Next): Challenge {
  const enrolment: { secret?: string; verified: boolean } = { verified: false }
  return {
    name: 'MFA_SETUP',
    parameters: { MFAS_CAN_SETUP: '["SOFTWARE_TOKEN_MFA"]', USER_ID_FOR_SRP: user.username },
    enrolment,
    answer: () => {
      if (!enrolment.verified || enrolment.secret === undefined) {
        throw invalidParameter('The software token has not been verified.')
      }
      user.softwareToken = enrolment.secret
      user.mfa = ['SOFTWARE_TOKEN_MFA']
      return next()
    },
  }
}

/** An authenticator's code is good for one sign-in (RFC 6238, section 5.2). */
function usedCode(): CognitoException {
  return new CognitoException('ExpiredCodeException', 'Your software token has already been used once.')
}
