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
  return Object.freeze({
    poolId,
    jti: claims.jti,
    originJti: claims.origin_jti,
    sub: claims.sub,
    clientId: clientIdOf(claims),
    authTime: claims.auth_time,
    iat: claims.iat,
  })
}
