import { systemClock } from '../clock.js'
import { TokenNotRevocableError } from '../errors.js'
import {
  assertNumber,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  assertString,
  optionError,
} from '../options.js'
import type { CognitoBaseClaims } from '../tokens/claims.js'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/claims.js'
import { regionOf } from '../tokens/issuer.js'
import type { Revocation, RevocationScope } from './revocation.js'
import { isRevocationStore, type RevocationStore } from './store.js'

/** Cognito's longest validity of an access or ID token: one day. */
export const MAX_ACCESS_VALIDITY_SECONDS = 86_400
/** Cognito's longest validity of a refresh token: ten years. */
export const MAX_REFRESH_VALIDITY_SECONDS = 315_360_000

/** Options of a {@link Revoker}. */
export interface RevokerOptions {
  readonly store: RevocationStore
  readonly poolId: string
  /**
   * The largest access or ID token validity of all app clients whose tokens it is to end, in seconds: how
   * long the tokens live that are out there. Told too small, a token outlives its record. Default 86,400,
   * Cognito's maximum.
   */
  readonly accessTokenValiditySeconds?: number
  /**
   * The largest refresh token validity of these app clients, in seconds: how long new tokens can appear where
   * Cognito has not revoked. Default 315,360,000, Cognito's maximum of ten years.
   */
  readonly refreshTokenValiditySeconds?: number
  /** Epoch milliseconds. Default Date.now. */
  readonly clock?: () => number
}

/** Options of each revocation. */
export interface RevokeOptions {
  /** Why, for the audit trail; at most 1,024 characters. */
  readonly reason?: string
  /** By whom, for the audit trail; at most 1,024 characters. */
  readonly actor?: string
  /**
   * Whether Cognito has revoked it too, so that no new tokens can appear and the record is needed for the
   * life of an access token only. Default false: it is kept for the life of a refresh token.
   */
  readonly cognitoConfirmed?: boolean
}

/** Options of a revocation of all tokens of a user, client or pool. */
export interface RevokeUntilOptions extends RevokeOptions {
  /** Epoch seconds, best in Cognito's clock: tokens authenticated or issued until then. Default now. */
  readonly cutoff?: number
}

/**
 * The write side of revocation, in words. It writes to the store only; to end a session at Cognito too, use
 * `CognitoTokenClient` from `cognito-revocation/client`.
 *
 * Every method resolves, when the store has it durably, with what was recorded, and rejects with the store's
 * error. Calling again is safe.
 *
 * @example
 * import { Revoker } from 'cognito-revocation'
 * const revoker = new Revoker({ store, poolId: 'us-east-1_AbCdEfGhI' })
 * await revoker.revokeSession(claims, { reason: 'device lost' })
 */
export class Revoker {
  readonly #store: RevocationStore
  readonly #poolId: string
  readonly #accessSeconds: number
  readonly #refreshSeconds: number
  readonly #clock: () => number

  /** @throws TypeError naming the option */
  constructor(options: RevokerOptions) {
    const owner = 'Revoker'
    assertOptions(owner, options, [
      'store',
      'poolId',
      'accessTokenValiditySeconds',
      'refreshTokenValiditySeconds',
      'clock',
    ])
    const {
      store,
      poolId,
      accessTokenValiditySeconds = MAX_ACCESS_VALIDITY_SECONDS,
      refreshTokenValiditySeconds = MAX_REFRESH_VALIDITY_SECONDS,
      clock = systemClock,
    } = options
    if (!isRevocationStore(store)) throw optionError(owner, 'store', 'a RevocationStore', store)
    assertString(owner, 'poolId', poolId)
    assertNumber(
      owner,
      'accessTokenValiditySeconds',
      accessTokenValiditySeconds,
      300,
      MAX_ACCESS_VALIDITY_SECONDS,
    )
    assertNumber(
      owner,
      'refreshTokenValiditySeconds',
      refreshTokenValiditySeconds,
      3_600,
      MAX_REFRESH_VALIDITY_SECONDS,
    )
    assertOptionalFunction(owner, 'clock', clock)
    this.#store = store
    this.#poolId = poolId
    this.#accessSeconds = accessTokenValiditySeconds
    this.#refreshSeconds = refreshTokenValiditySeconds
    this.#clock = clock
  }

  /**
   * Ends the session that a verified token belongs to: every token that shares its `origin_jti`.
   *
   * @throws TokenNotRevocableError if the token has no `origin_jti`
   */
  async revokeSession(
    claims: Pick<CognitoBaseClaims, 'origin_jti'> & Partial<Pick<CognitoBaseClaims, 'iss'>>,
    options: RevokeOptions = {},
  ): Promise<Revocation> {
    this.#assertOwnPool(claims.iss)
    if (claims.origin_jti === undefined) {
      throw new TokenNotRevocableError(
        'The token has no origin_jti: turn on token revocation for its app client',
      )
    }
    return this.#record('session', claims.origin_jti, this.#lifeOf(options), options)
  }

  /**
   * Ends one verified token, for example a machine's (client_credentials), or one with outdated claims.
   *
   * @throws TokenNotRevocableError if the token has no `jti`
   */
  async revokeToken(
    claims: Pick<CognitoBaseClaims, 'jti' | 'exp'> & Partial<Pick<CognitoBaseClaims, 'iss'>>,
    options: RevokeOptions = {},
  ): Promise<Revocation> {
    this.#assertOwnPool(claims.iss)
    if (claims.jti === undefined)
      throw new TokenNotRevocableError('The token has no jti, so it cannot be revoked alone')
    return this.#record('token', claims.jti, claims.exp + CLOCK_TOLERANCE_SECONDS, options)
  }

  /** Ends all tokens of a user that were authenticated or issued until now (or until `cutoff`). */
  async revokeUser(sub: string, options: RevokeUntilOptions = {}): Promise<Revocation> {
    return this.#recordUntil('user', sub, options)
  }

  /** Ends all tokens of an app client that were authenticated or issued until now (or until `cutoff`). */
  async revokeClient(clientId: string, options: RevokeUntilOptions = {}): Promise<Revocation> {
    return this.#recordUntil('client', clientId, options)
  }

  /** Ends all tokens of the user pool that were authenticated or issued until now (or until `cutoff`). */
  async revokePool(options: RevokeUntilOptions = {}): Promise<Revocation> {
    return this.#recordUntil('pool', this.#poolId, options)
  }

  #recordUntil(scope: RevocationScope, id: string, options: RevokeUntilOptions): Promise<Revocation> {
    return this.#record(scope, id, this.#lifeOf(options), options, options.cutoff ?? this.#nowSeconds())
  }

  async #record(
    scope: RevocationScope,
    id: string,
    expiresAt: number,
    options: RevokeOptions,
    cutoff?: number,
  ): Promise<Revocation> {
    const until = cutoff === undefined ? [] : ['cutoff']
    assertOptions('Revoker', options, ['reason', 'actor', 'cognitoConfirmed', ...until])
    const { reason, actor } = options
    const revocation: Revocation = {
      poolId: this.#poolId,
      scope,
      id,
      ...(cutoff === undefined ? {} : { cutoff }),
      expiresAt,
      audit: {
        revokedAt: this.#nowSeconds(),
        ...(reason === undefined ? {} : { reason }),
        ...(actor === undefined ? {} : { actor }),
      },
    }
    await this.#store.add([revocation])
    return revocation
  }

  #lifeOf({ cognitoConfirmed = false }: RevokeOptions): number {
    assertOptionalBoolean('Revoker', 'cognitoConfirmed', cognitoConfirmed)
    const life = cognitoConfirmed ? this.#accessSeconds : this.#refreshSeconds
    return this.#nowSeconds() + life + CLOCK_TOLERANCE_SECONDS
  }

  /** Claims of another pool would be recorded where no verifier looks for them. */
  #assertOwnPool(iss = ''): void {
    const poolId = iss.slice(iss.lastIndexOf('/') + 1)
    if (regionOf(poolId) !== undefined && poolId !== this.#poolId) {
      throw new TypeError(
        `These claims are of the user pool ${poolId}, but this Revoker is for ${this.#poolId}`,
      )
    }
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock() / 1000)
  }
}
