import type { PartialOutcome } from '../../errors.js'
import type { Observer } from '../../observer.js'
import {
  assertInteger,
  assertObject,
  assertOptionalFunction,
  assertOptions,
  optionError,
} from '../../options.js'
import { checkOrigins, checkRetryAfter } from '../verify-token-options.js'
import { clearingCookie, type RefreshTokenCookie } from './refresh-token-cookie.js'

/** What a logout needs of a client: a `CognitoTokenClient` with a store has it. */
export interface SessionClient {
  /** Where it is false, the handler cannot be made: nobody would refuse the tokens of a session that was ended. */
  readonly hasStore?: boolean
  revokeRefreshToken(input: {
    readonly refreshToken: string
    readonly accessToken?: string | undefined
    readonly confirmPairing?: boolean
    readonly reason?: string
  }): Promise<PartialOutcome>
}

/** What a logout needs to write to the store by itself: a `Revoker` has it. */
export interface SessionRevoker {
  revokeSession(
    session: { readonly origin_jti: string },
    options: { readonly reason: string },
  ): Promise<unknown>
}

/** Options of `revokeSessionHandler`. */
export interface RevokeSessionOptions {
  /**
   * Where the refresh token is.
   * - `'body'`: in a body of JSON, as `refresh_token`.
   * - `{ cookie, … }`: in a cookie. The request must then come from the same origin, with the content type
   *   `application/json`; what its body holds is not looked at. Two cookies of the name are refused, since a sibling
   *   subdomain may have set one of them.
   *
   * Default 'body'.
   */
  readonly refreshTokenFrom?: 'body' | RefreshTokenCookie
  /**
   * Other origins than the service's own, such as 'https://app.example.com', whose pages may log out by the cookie.
   * They need CORS with credentials, too. Default none.
   */
  readonly allowedOrigins?: readonly string[]
  /**
   * Writes to the client's store: a `Revoker` for the same store and user pool. Once Cognito has revoked, it tells
   * nobody any more which session it was; if the store failed just then, only this process knows, and only now. With a
   * revoker it tries again before it answers, and later a good access token completes it: that session is then shut for
   * as long as a refresh token can live. Default none: the answer is 503 at once, and 400 to the access token.
   */
  readonly revoker?: SessionRevoker
  /** How long to wait before each further write by `revoker`, in milliseconds, ten at most. Default 100, 300 and 600. */
  readonly storeRetriesMs?: readonly number[]
  /** Is told of every request that did not end a session, and why; the answers say little, on purpose. */
  readonly observer?: Observer
  /** Retry-After of a 503, in seconds. Default 1. */
  readonly retryAfterSeconds?: number
}

/** The options, checked, with their defaults. */
export interface CheckedRevokeSessionOptions {
  /** The cookie's name, with the Set-Cookie that clears it; undefined where the refresh token is in the body. */
  readonly cookie: { readonly name: string; readonly clearing: string } | undefined
  readonly allowedOrigins: readonly string[]
  readonly revoker: SessionRevoker | undefined
  readonly storeRetriesMs: readonly number[]
  readonly observer: Observer | undefined
  readonly retryAfterSeconds: number
}

const KNOWN = [
  ...['refreshTokenFrom', 'allowedOrigins', 'revoker', 'storeRetriesMs', 'observer', 'retryAfterSeconds'],
]
const MAX_RETRIES = 10
const MAX_WAIT_MS = 10_000

/** @throws TypeError naming the option */
export function checkRevokeSessionOptions(
  owner: string,
  options: RevokeSessionOptions,
): CheckedRevokeSessionOptions {
  assertOptions(owner, options, KNOWN)
  const { refreshTokenFrom = 'body', allowedOrigins, revoker, observer, retryAfterSeconds = 1 } = options
  const { storeRetriesMs = [100, 300, 600] } = options
  // To be told who may, and then to let everybody, would be a silent no.
  if (refreshTokenFrom === 'body' && allowedOrigins !== undefined)
    throw optionError(owner, 'allowedOrigins', 'absent where the refresh token is in the body')
  if (revoker === undefined && options.storeRetriesMs !== undefined)
    throw optionError(owner, 'storeRetriesMs', 'absent where there is no revoker')
  if (revoker !== undefined && typeof (revoker as SessionRevoker | null)?.revokeSession !== 'function')
    throw optionError(owner, 'revoker', 'a Revoker', revoker)
  if (!Array.isArray(storeRetriesMs) || storeRetriesMs.length > MAX_RETRIES)
    throw optionError(owner, 'storeRetriesMs', `an array of at most ${MAX_RETRIES}`)
  for (const waitMs of storeRetriesMs) assertInteger(owner, 'storeRetriesMs', waitMs, 0, MAX_WAIT_MS)
  assertOptionalFunction(owner, 'observer', observer)
  return {
    cookie: checkSource(owner, refreshTokenFrom),
    allowedOrigins: checkOrigins(owner, allowedOrigins),
    revoker,
    storeRetriesMs: [...storeRetriesMs],
    observer,
    retryAfterSeconds: checkRetryAfter(owner, retryAfterSeconds),
  }
}

function checkSource(
  owner: string,
  source: 'body' | RefreshTokenCookie,
): CheckedRevokeSessionOptions['cookie'] {
  if (source === 'body') return undefined
  assertObject(owner, 'refreshTokenFrom', source)
  return { name: source.cookie, clearing: clearingCookie(owner, source) }
}

/** @throws TypeError unless it has what a logout needs */
export function assertSessionClient(owner: string, client: unknown): void {
  const { revokeRefreshToken, hasStore } = (client ?? {}) as Partial<SessionClient>
  if (typeof revokeRefreshToken !== 'function')
    throw new TypeError(`${owner}: the first argument must be a CognitoTokenClient`)
  if (hasStore === false)
    throw new TypeError(`${owner}: the client needs a store, or verifiers go on as before`)
}
