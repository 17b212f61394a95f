import { authorizeUser } from '../access-tokens.js'
import type { Enrolment } from '../challenges/challenge.js'
import { type ChallengeSession, invalidSession } from '../challenges/challenge-sessions.js'
import { createTotpSecret, findTotp } from '../challenges/totp.js'
import { CognitoException, invalidParameter } from '../exceptions.js'
import type { Parameters } from '../parameters.js'
import type { Pool } from '../pool.js'

/** Makes a new secret, for MFA_SETUP by its Session or for a user who is signed in by his access token. */
export function associateSoftwareToken(pool: Pool, parameters: Parameters): object {
  assertMfa(pool)
  const secret = createTotpSecret()
  const accessToken = parameters.optionalString('AccessToken')
  if (accessToken !== undefined) {
    authorizeUser(pool, accessToken).enrolment = { secret, verified: false }
    return { SecretCode: secret }
  }
  const { session, enrolment } = takeSetup(pool, parameters)
  enrolment.secret = secret
  enrolment.verified = false
  return { SecretCode: secret, Session: pool.signIns.sessions.issue(session.signIn, session.challenge) }
}

/**
 * Checks a first code of the new secret. By Session, MFA_SETUP can then be answered; by access token, the user
 * has a new authenticator, which is not enabled as a second factor before SetUserMFAPreference or `updateUser` says so.
 */
export function verifySoftwareToken(pool: Pool, parameters: Parameters): object {
  assertMfa(pool)
  const code = readUserCode(parameters)
  const accessToken = parameters.optionalString('AccessToken')
  if (accessToken !== undefined) {
    const user = authorizeUser(pool, accessToken)
    assertCode(pool, user.enrolment, code)
    user.softwareToken = user.enrolment.secret
    return { Status: 'SUCCESS' }
  }
  const { session, enrolment } = takeSetup(pool, parameters)
  try {
    assertCode(pool, enrolment, code)
  } catch (error) {
    pool.signIns.sessions.keep(session, error)
    throw error
  }
  enrolment.verified = true
  return { Status: 'SUCCESS', Session: pool.signIns.sessions.issue(session.signIn, session.challenge) }
}

/** UserCode: six digits. */
function readUserCode(parameters: Parameters): string {
  const code = parameters.string('UserCode')
  if (/^[0-9]{6}$/.test(code)) return code
  throw invalidParameter(
    "1 validation error detected: Value at 'userCode' failed to satisfy constraint: " +
      'Member must satisfy regular expression pattern: [0-9]+',
  )
}

function assertMfa(pool: Pool): void {
  if (pool.signIns.mfa !== 'OFF') return
  throw new CognitoException(
    'SoftwareTokenMFANotFoundException',
    'Software Token MFA has not been enabled by the userPool',
  )
}

function assertCode(
  pool: Pool,
  enrolment: Enrolment | undefined,
  code: string,
): asserts enrolment is Enrolment & { secret: string } {
  if (enrolment?.secret === undefined) throw invalidParameter('AssociateSoftwareToken has not been called.')
  if (findTotp(enrolment.secret, code, pool.clock.now()) !== undefined) return
  throw new CognitoException('EnableSoftwareTokenMFAException', 'Code mismatch')
}

function takeSetup(pool: Pool, parameters: Parameters): { session: ChallengeSession; enrolment: Enrolment } {
  const session = pool.signIns.sessions.take(parameters.string('Session'))
  const { enrolment } = session.challenge
  if (enrolment !== undefined) return { session, enrolment }
  pool.signIns.sessions.keep(session)
  throw invalidSession()
}
