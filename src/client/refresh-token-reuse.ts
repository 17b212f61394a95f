import type { PartialOutcome } from '../errors.js'
import type { RevokeOptions } from '../revocation/revoker.js'

/** What `revokeSession` of a reused refresh token did. */
export interface RefreshTokenReuseOutcome extends PartialOutcome {
  /** Every id of the session that is known, and was recorded. */
  readonly originJtis: readonly string[]
  readonly sub: string
  /**
   * `unknown` also where Cognito took the reused refresh token: it does not say whether that ends what came after
   * it. Either way the store has the session until no refresh token of it can be alive.
   */
  readonly cognito: PartialOutcome['cognito']
}

/**
 * A refresh token came after rotation had replaced it and its grace period was over. It was stolen, or the answer
 * with its successor was lost on the way: these two look the same.
 */
export interface RefreshTokenReuse {
  /** Every `origin_jti` of the session that is known; none if the session is unknown. */
  readonly originJtis: readonly string[]
  /** The user, where the session is known. */
  readonly sub: string | undefined
  /**
   * Ends the session: records every id that is known for the refresh token's life, then revokes at Cognito the
   * newest refresh token that this process has of it, and the reused one.
   *
   * @throws SessionUnknownError if nothing is known of the session: Cognito was told all the same, but access
   *   and ID tokens stay acceptable. `adminGlobalSignOut` ends them, where you know the user
   * @throws RevocationIncompleteError if the store or Cognito failed: calling again is safe
   */
  revokeSession(audit?: Pick<RevokeOptions, 'reason' | 'actor'>): Promise<RefreshTokenReuseOutcome>
}

/** The owner's say about a reused refresh token. */
export type OnRefreshTokenReuse = (reuse: RefreshTokenReuse) => void | Promise<void>
