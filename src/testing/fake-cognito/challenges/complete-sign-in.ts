import { mintTokens } from '../authentication-result.js'
import type { Device } from '../devices.js'
import { CognitoException, notAuthorized, userDisabled } from '../exceptions.js'
import type { Pool } from '../pool.js'
import type { User } from '../users.js'
import type { SignIn, Step } from './challenge.js'
import { deviceNotFound, deviceSrpAuth } from './device-challenges.js'
import { newPasswordRequired } from './new-password-required.js'
import { secondFactor } from './second-factors.js'

/** What follows a right password: a new one, a second factor, then as {@link completeSignIn}. */
export function afterPassword(pool: Pool, signIn: SignIn): Step | Promise<Step> {
  assertMaySignIn(pool, signIn.user)
  const goOn = () => secondFactor(pool, signIn, finish) ?? finish()
  const finish = () => completeSignIn(pool, signIn)
  return signIn.user.status === 'FORCE_CHANGE_PASSWORD' ? newPasswordRequired(pool, signIn, goOn) : goOn()
}

/** What is left when the user has proved to be who he is: the challenges asked for by tests, the device, tokens. */
export function completeSignIn(pool: Pool, signIn: SignIn): Step | Promise<Step> {
  const { user, deviceKey } = signIn
  assertMaySignIn(pool, user)
  const { asked, devices, deviceTracking } = pool.signIns
  const challenge = asked.take(user, () => completeSignIn(pool, signIn))
  if (challenge !== undefined) return challenge
  if (!deviceTracking) return giveTokens(pool, signIn)
  if (deviceKey === undefined) {
    const device = devices.create(user)
    return giveTokens(pool, signIn, device, { DeviceKey: device.key, DeviceGroupKey: device.groupKey })
  }
  const device = devices.find(user, deviceKey)
  if (device?.secret === undefined) throw deviceNotFound()
  return deviceSrpAuth(pool, signIn, device, () => giveTokens(pool, signIn, device))
}

async function giveTokens(
  pool: Pool,
  { user, client }: SignIn,
  device?: Device,
  newDevice?: object,
): Promise<Step> {
  assertMaySignIn(pool, user)
  const session = pool.sessions.start(user, client)
  if (device !== undefined) session.device = device
  const RefreshToken = await pool.refreshTokens.issue(session)
  const result = { ...mintTokens(pool, client, session), RefreshToken }
  return {
    authenticationResult: newDevice === undefined ? result : { ...result, NewDeviceMetadata: newDevice },
  }
}

/** Told only to who has proved something: the status of a user is nobody else's business. */
function assertMaySignIn(pool: Pool, user: User): void {
  if (pool.users.findBySub(user.sub) !== user) throw notAuthorized('Incorrect username or password.')
  if (!user.enabled) throw userDisabled()
  if (user.status === 'UNCONFIRMED') {
    throw new CognitoException('UserNotConfirmedException', 'User is not confirmed.')
  }
  if (user.status === 'RESET_REQUIRED') {
    throw new CognitoException('PasswordResetRequiredException', 'Password reset required for the user')
  }
}
