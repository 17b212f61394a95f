import { authorizeUser } from '../access-tokens.js'
import { invalidParameter } from '../exceptions.js'
import type { Parameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import type { SecondFactor, User } from '../users.js'

const settings: readonly (readonly [string, SecondFactor])[] = [
  ['SoftwareTokenMfaSettings', 'SOFTWARE_TOKEN_MFA'],
  ['SMSMfaSettings', 'SMS_MFA'],
  ['EmailMfaSettings', 'EMAIL_OTP'],
]

/** Says which second factors a user is asked for. Those that are not named stay as they are. */
export function setUserMfaPreference(pool: Pool, parameters: Parameters): object {
  const user = authorizeUser(pool, parameters.string('AccessToken'))
  let { mfa, preferredMfa } = user
  let preferred = 0
  for (const [name, factor] of settings) {
    const given = parameters.optionalStructure(name)
    if (given === undefined) continue
    const enabled = given.optionalBoolean('Enabled') ?? false
    const isPreferred = given.optionalBoolean('PreferredMfa') ?? false
    if (isPreferred && !enabled) throw invalidParameter('The preferred MFA must be enabled.')
    if (enabled) assertSetUp(pool, user, factor)
    mfa = [...mfa.filter((each) => each !== factor), ...(enabled ? [factor] : [])]
    if (isPreferred) preferred += 1
    if (isPreferred) preferredMfa = factor
    else if (preferredMfa === factor) preferredMfa = undefined
  }
  if (preferred > 1) throw invalidParameter('Only one MFA can be preferred.')
  if (pool.signIns.mfa === 'ON' && user.mfa.length > 0 && mfa.length === 0) {
    throw invalidParameter('MFA is required in the user pool and cannot be turned off.')
  }
  pool.users.update(user.username, { mfa })
  user.preferredMfa = preferredMfa
  return {}
}

function assertSetUp(pool: Pool, user: User, factor: SecondFactor): void {
  if (pool.signIns.mfa === 'OFF') throw invalidParameter('User pool does not have MFA turned on.')
  if (factor === 'SOFTWARE_TOKEN_MFA' && user.softwareToken === undefined) {
    throw invalidParameter('User has not verified software token mfa')
  }
  const address = { SOFTWARE_TOKEN_MFA: '', SMS_MFA: user.phoneNumber, EMAIL_OTP: user.email }[factor]
  if (address === undefined)
    throw invalidParameter(`User does not have delivery config set to turn on ${factor}`)
}
