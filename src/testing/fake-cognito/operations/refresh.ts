import type { AppClient } from '../app-client.js'
import { type AuthenticationResult, mintTokens } from '../authentication-result.js'
import { assertClientSecret, assertSecretHash, assertSecretHashPresence } from '../client-secrets.js'
import type { Device } from '../devices.js'
import { CognitoException, notAuthorized, userDisabled } from '../exceptions.js'
import type { AuthParameters, Parameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import type { RefreshToken } from '../refresh-tokens.js'

/** REFRESH_TOKEN_AUTH: new access and ID tokens, for clients without rotation. */
export async function refreshByFlow(
  pool: Pool,
  client: AppClient,
  parameters: AuthParameters,
): Promise<object> {
  const token = parameters.required('REFRESH_TOKEN')
  const secretHash = parameters.optional('SECRET_HASH')
  assertSecretHashPresence(client, secretHash)
  const refreshToken = await openFor(pool, client, token, parameters.optional('DEVICE_KEY'))
  // No username is sent, so the hash is over the one that Cognito knows: never an alias that signed in.
  assertSecretHash(client, refreshToken.session.user.username, secretHash)
  assertUsable(pool, client, refreshToken)
  if (client.newOriginJtiOnRefresh) pool.sessions.renew(refreshToken.session)
  return {
    ChallengeParameters: {},
    AuthenticationResult: mintTokens(pool, client, refreshToken.session),
  }
}

/** GetTokensFromRefreshToken: the same, and a successor of the refresh token where rotation is on. */
export async function getTokensFromRefreshToken(pool: Pool, parameters: Parameters): Promise<object> {
  const token = parameters.string('RefreshToken')
  const client = pool.clients.get(parameters.string('ClientId'))
  assertClientSecret(client, parameters.optionalString('ClientSecret'), notAuthorized)
  return {
    AuthenticationResult: await exchangeRefreshToken(
      pool,
      client,
      token,
      parameters.optionalString('DeviceKey'),
    ),
  }
}

/** New tokens for a refresh token, and its successor where rotation is on. */
export async function exchangeRefreshToken(
  pool: Pool,
  client: AppClient,
  token: string,
  deviceKey?: string,
): Promise<AuthenticationResult> {
  const refreshToken = await openFor(pool, client, token, deviceKey)
  assertUsable(pool, client, refreshToken)
  const { session } = refreshToken
  if (client.newOriginJtiOnRefresh) pool.sessions.renew(session)
  const result = mintTokens(pool, client, session)
  if (client.refreshTokenRotation.feature === 'DISABLED') return result
  // Marked before anything is awaited: of two requests at the same time, the later one finds it replaced.
  refreshToken.replacedAtMs ??= pool.clock.now()
  return { ...result, RefreshToken: await pool.refreshTokens.issue(session) }
}

/** Cognito has one answer for garbage, for another pool's token, another client's and another device's. */
async function openFor(
  pool: Pool,
  client: AppClient,
  token: string,
  deviceKey: string | undefined,
): Promise<RefreshToken> {
  const refreshToken = await pool.refreshTokens.open(token)
  if (refreshToken?.session.clientId !== client.clientId) throw notAuthorized('Invalid Refresh Token.')
  if (!isDevice(refreshToken.session.device, deviceKey)) throw notAuthorized('Invalid Refresh Token.')
  return refreshToken
}

function assertUsable(pool: Pool, client: AppClient, refreshToken: RefreshToken): void {
  const { session, replacedAtMs, isRevoked = false } = refreshToken
  const now = pool.clock.now()
  if (isRevoked || pool.sessions.isRevoked(session)) throw notAuthorized('Refresh Token has been revoked')
  if (now >= session.refreshExpiresAtMs) throw notAuthorized('Refresh Token has expired')
  const { retryGracePeriodSeconds = 0 } = client.refreshTokenRotation
  if (replacedAtMs !== undefined && now >= replacedAtMs + retryGracePeriodSeconds * 1000) {
    throw new CognitoException('RefreshTokenReuseException', 'Refresh Token has been rotated out')
  }
  if (!session.user.enabled) throw userDisabled()
}

/** The session of a tracked device goes on with its key only, and not before ConfirmDevice was called. */
function isDevice(device: Device | undefined, key: string | undefined): boolean {
  if (device === undefined) return true
  return !device.forgotten && device.secret !== undefined && key === device.key
}
