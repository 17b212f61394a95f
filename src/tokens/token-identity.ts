import { type CognitoClaims, clientIdOf } from './claims.js'

/** What of a token decides whether it is revoked. Made from verified claims only, never from token bytes. */
export interface TokenIdentity {
  readonly poolId: string
  readonly jti?: string | undefined
  readonly originJti?: string | undefined
  readonly sub: string
  /** `client_id` of an access token, `aud` of an ID token. */
  readonly clientId: string
  /** When the user authenticated, in epoch seconds. */
  readonly authTime?: number | undefined
  /** When the token was issued, in epoch seconds. */
  readonly iat: number
}

/** The identity of a token of this pool, out of its verified claims. */
export function identityOf(poolId: string, claims: CognitoClaims): TokenIdentity {
  return Object.freeze(new VerifiedIdentity(poolId, claims))
}

/**
 * The epoch at which this table last did not find the token; undefined if it is not known. A token that is seen again has
 * the same identity object, so that it needs to be looked for but once an epoch.
 */
export function absentAtEpoch(token: TokenIdentity, table: object): number | undefined {
  return VerifiedIdentity.absentAtEpoch(token, table)
}

/** Remembers that the table, at this epoch, has nothing that revokes the token. */
export function setAbsentAtEpoch(token: TokenIdentity, table: object, epoch: number): void {
  VerifiedIdentity.setAbsentAtEpoch(token, table, epoch)
}

class VerifiedIdentity implements TokenIdentity {
  readonly poolId: string
  readonly jti: string | undefined
  readonly originJti: string | undefined
  readonly sub: string
  readonly clientId: string
  readonly authTime: number | undefined
  readonly iat: number
  // Private fields: no copy of it has them, and to freeze it leaves them as they are.
  #absentFrom: object | undefined
  #absentAtEpoch = 0

  constructor(poolId: string, claims: CognitoClaims) {
    this.poolId = poolId
    this.jti = claims.jti
    this.originJti = claims.origin_jti
    this.sub = claims.sub
    this.clientId = clientIdOf(claims)
    this.authTime = claims.auth_time
    this.iat = claims.iat
  }

  static absentAtEpoch(token: TokenIdentity, table: object): number | undefined {
    return #absentFrom in token && token.#absentFrom === table ? token.#absentAtEpoch : undefined
  }

  static setAbsentAtEpoch(token: TokenIdentity, table: object, epoch: number): void {
    if (!(#absentFrom in token)) return
    token.#absentFrom = table
    token.#absentAtEpoch = epoch
  }
}
