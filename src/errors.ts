import { CognitoRevocationError, type ErrorCode, errorClass } from './error-base.js'

export * from './errors-cognito.js'
export { CognitoRevocationError, type ErrorCode }

// ---- A token that is refused ----------------------------------------------------------------------

/** Not a compact JWS as Cognito writes it: size, base64url, JSON, or a header other than RS256. */
export class TokenMalformedError extends errorClass('token_malformed', 401) {}

/** The signature does not belong to this token under the key that its `kid` names. */
export class TokenSignatureError extends errorClass('token_signature_invalid', 401) {}

/** The issuer's JWKS was fetched and holds no key with the token's `kid`. */
export class TokenKeyUnknownError extends errorClass('token_key_unknown', 401) {}

/** What a {@link TokenClaimError} says of the claim that failed. */
export interface ClaimFailure {
  readonly claim: string
  readonly actual: unknown
  readonly expected: unknown
}

/** A claim is missing, of the wrong type, or has a value that this verifier does not accept. */
export class TokenClaimError extends errorClass('token_claim_invalid', 401) implements ClaimFailure {
  readonly claim: string
  readonly actual: unknown
  readonly expected: unknown

  constructor(message: string, failure: ClaimFailure, options?: ErrorOptions) {
    super(message, options)
    this.claim = failure.claim
    this.actual = failure.actual
    this.expected = failure.expected
  }
}

/** `exp` has passed, or the token is older than `maxTokenAgeSeconds`. Refresh and try again. */
export class TokenExpiredError extends errorClass('token_expired', 401) {}

/** A user's token without `origin_jti`: its app client has token revocation turned off. */
export class TokenNotRevocableError extends errorClass('token_not_revocable', 401) {}

/** The token has been revoked, by the scope named here (undefined where Cognito itself said so). */
export class TokenRevokedError extends errorClass('token_revoked', 401) {
  readonly scope: 'token' | 'session' | 'user' | 'client' | 'pool' | undefined

  constructor(message: string, scope?: TokenRevokedError['scope'], options?: ErrorOptions) {
    super(message, options)
    this.scope = scope
  }
}

/** The token is good but has none of the scopes or groups that are asked for (RFC 6750, section 3.1). */
export class InsufficientScopeError extends errorClass('insufficient_scope', 403) {
  /** The scopes of which one would do; empty where groups were asked for. */
  readonly requiredScopes: readonly string[]

  constructor(message: string, requiredScopes: readonly string[] = [], options?: ErrorOptions) {
    super(message, options)
    this.requiredScopes = requiredScopes
  }
}

// ---- What cannot be known just now ----------------------------------------------------------------

/** The store could not say whether the token is revoked: answer 503, the session may well be good. */
export class RevocationUnavailableError extends errorClass('revocation_unavailable', 503) {}

/** The issuer's keys cannot be had, and none that are known are young enough to be trusted. */
export class JwksUnavailableError extends errorClass('jwks_unavailable', 503) {}

/** `verifySync` (or `findSync`) would need the network: call `ready()` first, or the asynchronous form. */
export class NotReadyError extends errorClass('not_ready', 503) {}

// ---- Stores -----------------------------------------------------------------------------------------

/** The store has no room for another revocation. Nothing of this `add` was recorded; raise its limit. */
export class StoreFullError extends errorClass('store_full', undefined) {}

/**
 * The store could not be reached, or did not answer in time. Of an `add` the outcome is unknown: add again,
 * which is safe.
 */
export class StoreUnavailableError extends errorClass('store_unavailable', 503) {}

/** A store answered outside its protocol: "unknown", never "not revoked". */
export class StoreProtocolError extends errorClass('store_protocol', undefined) {}

/** A cutoff over 300 s in the future: it could never be undone, so it is not recorded. Check the clock. */
export class CutoffInFutureError extends errorClass('cutoff_in_future', undefined) {}
