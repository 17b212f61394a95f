import { createHash } from 'node:crypto'
import { NotARefreshTokenError } from '../errors.js'
import { assertInput, assertOptionalSignal, assertString, optionError } from '../options.js'
import type { RefreshFlow } from './client-options.js'
import type { RevokeVia } from './revoke-via.js'
import { claimsFromCognito, type SessionTokens } from './session-tokens.js'

export interface RefreshInput {
  readonly refreshToken: string
  /**
   * The user's real username (`username` of a sign-in's result). Needed for REFRESH_TOKEN_AUTH if the app
   * client has a secret; an alias won't do.
   */
  readonly username?: string | undefined
  /** The flow to take, whatever the app client's settings are. Default: by the client's `refreshFlow`. */
  readonly flow?: RefreshFlow
  /**
   * The key of the device that the user signed in on, where the user pool tracks devices (DeviceKey, DEVICE_KEY):
   * without it Cognito says "Invalid Refresh Token".
   */
  readonly deviceKey?: string | undefined
  /** For the Lambda triggers of the user pool (ClientMetadata). No place for secrets: Cognito does not encrypt it. */
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
  /**
   * The session's latest access token, expired or not: it tells the session where this process does not remember
   * it. Of the same session as the refresh token: never take the two from different places.
   */
  readonly accessToken?: string | undefined
  /** The session's latest ID token, for the same. */
  readonly idToken?: string | undefined
  /**
   * Ends the wait: the call then rejects with the signal's reason. The exchange itself goes on, since others may
   * share it, and a rotated refresh token that nobody received would be lost.
   */
  readonly signal?: AbortSignal
}

/** New tokens of a session. `refreshToken` is the one to use from now on, whether rotated or not. */
export interface RefreshedTokens extends SessionTokens {
  readonly refreshToken: string
  /** Whether the refresh token was rotated: then the old one ends with its grace period. */
  readonly rotated: boolean
}

/** Exchanges refresh tokens, by Cognito's API unless told otherwise. */
export interface RefreshTokenExchange {
  /** For the session's owner: what a session gets that was ended is not handed out. */
  refresh(input: RefreshInput, via?: RevokeVia): Promise<RefreshedTokens>
  /** For who ends the session, and must learn which it is: whatever Cognito gives, and nothing out of memory. */
  exchange(input: RefreshInput, via?: RevokeVia): Promise<RefreshedTokens>
  /** Whether the app client rotates refresh tokens; undefined where that is not known. */
  readonly rotates: boolean | undefined
  /** Waits a while for exchanges of these refresh tokens that are under way; gives whether all have ended. */
  landed(refreshTokens: readonly string[], signal: AbortSignal | undefined): Promise<boolean>
}

/**
 * @throws TypeError naming the input
 * @throws NotARefreshTokenError
 */
export function checkRefreshInput(input: RefreshInput): void {
  assertInput('refresh', input)
  const { refreshToken, flow, signal } = input
  assertOptionalSignal('refresh', signal)
  assertRefreshToken('refresh', refreshToken)
  assertHints('refresh', input)
  if (flow !== undefined && flow !== 'GetTokensFromRefreshToken' && flow !== 'REFRESH_TOKEN_AUTH') {
    throw optionError('refresh', 'flow', "'GetTokensFromRefreshToken' or 'REFRESH_TOKEN_AUTH'")
  }
  assertDevice('refresh', input)
}

/**
 * A refresh token is encrypted: what can be read is none. Cognito would only call it invalid.
 *
 * @throws TypeError naming the input
 * @throws NotARefreshTokenError
 */
export function assertRefreshToken(owner: string, refreshToken: string): void {
  assertString(owner, 'refreshToken', refreshToken)
  if (claimsFromCognito(refreshToken) === undefined) return
  throw new NotARefreshTokenError(`${owner}: this is an access or ID token; hand over the refresh token`)
}

/** @throws TypeError naming the input */
export function assertDevice(
  owner: string,
  { deviceKey, clientMetadata }: Pick<RefreshInput, 'deviceKey' | 'clientMetadata'>,
): void {
  if (deviceKey !== undefined) assertString(owner, 'deviceKey', deviceKey)
  if (clientMetadata === undefined) return
  const isObject =
    typeof clientMetadata === 'object' && clientMetadata !== null && !Array.isArray(clientMetadata)
  if (!isObject || !Object.values(clientMetadata).every((value) => typeof value === 'string')) {
    throw optionError(owner, 'clientMetadata', 'an object of strings')
  }
}

/** @throws TypeError naming the input */
export function assertHints(
  owner: string,
  input: Pick<RefreshInput, 'username' | 'accessToken' | 'idToken'>,
): void {
  for (const name of ['username', 'accessToken', 'idToken'] as const) {
    const value: unknown = input[name]
    if (value !== undefined && typeof value !== 'string') throw optionError(owner, name, 'a string', value)
  }
}

/** What tells one exchange from another, and no token: who brings another device key or metadata asks for something else. */
export function keyOf(
  { refreshToken, deviceKey, clientMetadata = {} }: RefreshInput,
  ...more: readonly (string | undefined)[]
): string {
  const metadata = Object.entries(clientMetadata).sort(([a], [b]) => (a < b ? -1 : 1))
  return digestOf(JSON.stringify([refreshToken, deviceKey, metadata, ...more]))
}

/** Stands for a token in memory that outlives it. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
