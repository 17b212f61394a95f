import { CognitoRevocationError, type ErrorCode, errorClass } from './error-base.js'

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

// ---- Cognito's own answers (thrown by `cognito-revocation/client`) ----------------------------------

/** Wrong username or password, or another refusal that Cognito does not explain further. */
export class NotAuthorizedError extends errorClass('not_authorized', 401) {}

/** No such user (Cognito says so only where PreventUserExistenceErrors is LEGACY, and to admins). */
export class UserNotFoundError extends errorClass('user_not_found', 404) {}

/** An administrator has disabled the user. */
export class UserDisabledError extends errorClass('user_disabled', 403) {}

/** The user has not confirmed the sign-up. */
export class UserNotConfirmedError extends errorClass('user_not_confirmed', 403) {}

/** The user must set a new password first (ForgotPassword). */
export class PasswordResetRequiredError extends errorClass('password_reset_required', 403) {}

/** The client secret is missing, wrong or superfluous, or the hash was made with another username. */
export class SecretHashMismatchError extends errorClass('secret_hash_mismatch', 500) {}

/** Cognito has revoked this refresh token: the user must sign in again. */
export class RefreshTokenRevokedError extends errorClass('refresh_token_revoked', 401) {}

/** Cognito does not take this refresh token: expired, of another client or pool, or of another device. */
export class RefreshTokenInvalidError extends errorClass('refresh_token_invalid', 401) {}

/** The refresh token was rotated away and its grace period is over: a lost response, or a theft. */
export class RefreshTokenReuseError extends errorClass('refresh_token_reuse', 401) {}

/** The token endpoint does not take this authorization code: too old, used, or of another sign-in. */
export class AuthorizationCodeInvalidError extends errorClass('authorization_code_invalid', 400) {}

/** What is wrong with the response of the authorization endpoint; see {@link AuthorizationResponseError}. */
export type AuthorizationResponseFailure = 'state' | 'nonce' | 'error' | 'malformed'

/** What came back to the callback is not a sign-in that this browser began, or the sign-in was refused. */
export class AuthorizationResponseError extends errorClass('authorization_response', 400) {
  /** `state`, `nonce`: it belongs to another sign-in. `error`: Cognito refused. `malformed`: it is none. */
  readonly failure: AuthorizationResponseFailure
  /** Where Cognito refused: OAuth's name for it, such as `access_denied`; what it said is in `cause`. */
  readonly error: string | undefined

  constructor(
    message: string,
    failure: AuthorizationResponseFailure,
    { error, ...options }: ErrorOptions & { readonly error?: string } = {},
  ) {
    super(message, options)
    this.failure = failure
    this.error = error
  }
}

/** The app client has EnableTokenRevocation off. */
export class TokenRevocationDisabledError extends errorClass('token_revocation_disabled', 500) {}

/** An access or ID token was handed over where a refresh token belongs. */
export class NotARefreshTokenError extends errorClass('not_a_refresh_token', 400) {}

/** The refresh token is another app client's, or the client secret is not this client's. */
export class WrongClientError extends errorClass('wrong_client', 401) {}

/** Cognito's quota is used up, also after the retries. */
export class ThrottledError extends errorClass('throttled', 429) {}

/** AWS WAF, or Cognito's threat protection, has blocked the request. */
export class ForbiddenError extends errorClass('forbidden', 403) {}

/** The process's own AWS credentials are missing, expired, or lack the IAM permission. */
export class AccessDeniedError extends errorClass('access_denied', 500) {}

/** Cognito refused a parameter; often an auth flow that the app client does not allow. */
export class InvalidParameterError extends errorClass('invalid_parameter', 400) {}

/** No such user pool or app client in this Region. */
export class ResourceNotFoundError extends errorClass('resource_not_found', 500) {}

/** Somebody else changes the app client at the same time, also after the retries. */
export class ConcurrentModificationError extends errorClass('concurrent_modification', 409) {}

/** A Lambda trigger of the user pool refused or failed. */
export class LambdaTriggerError extends errorClass('lambda_trigger_failed', 403) {}

/** The settings of the user pool or the app client do not allow the operation, or are not what they should be. */
export class CognitoConfigurationError extends errorClass('cognito_configuration', 500) {}

/** Cognito could not be reached, or failed inside: the outcome is unknown. */
export class CognitoUnavailableError extends errorClass('cognito_unavailable', 503) {}

/** An error of Cognito's that this library has no class for; see `cause.name`. */
export class CognitoError extends errorClass('cognito_error', 500) {}

/** What has and what has not been done, told by the errors and results of revoke and sign-out. */
export interface PartialOutcome {
  /** `skipped`: there is no store, or nothing was known that could be recorded. */
  readonly store: 'recorded' | 'failed' | 'skipped'
  /** `unknown`: no answer came, so it may or may not have been done. */
  readonly cognito: 'revoked' | 'failed' | 'unknown' | 'skipped'
  /** The user. */
  readonly sub?: string
  /** The session, where it was one. */
  readonly originJti?: string
  /** All ids of the session that are known: a refresh may have given it another. */
  readonly originJtis?: readonly string[]
  /** Where the session was learned from. */
  readonly learnedFrom?: 'accessToken' | 'idToken' | 'refresh'
  /** Where it was a global sign-out: the user's tokens until then, in epoch seconds. */
  readonly cutoff?: number
}

/** It could not be learned which session the refresh token belongs to, so its tokens stay acceptable. */
export class SessionUnknownError extends errorClass('session_unknown', undefined) {
  readonly outcome: PartialOutcome

  constructor(message: string, outcome: PartialOutcome, options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}

/** A revocation or sign-out was done in part; `outcome` says which part, the message how to complete it. */
export class RevocationIncompleteError extends errorClass('revocation_incomplete', undefined) {
  readonly outcome: PartialOutcome

  constructor(message: string, outcome: PartialOutcome, options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}

/** A user whom `adminGlobalSignOutMany` could not sign out. */
export interface SignOutFailure {
  /** As it was given; empty where something was given that is no user. */
  readonly username: string
  readonly error: Error
  /** What was done for him all the same. */
  readonly outcome?: PartialOutcome
}

/** What `adminGlobalSignOutMany` did. */
export interface SignOutSummary {
  /** Users who were signed out. */
  readonly done: number
  /** Users who could not be. */
  readonly failed: number
  /** The first 1,000 of them. */
  readonly failures: readonly SignOutFailure[]
}

/** Signing out many users was ended by its signal, or by an error of what gave the users: `cause` says. */
export class SignOutInterruptedError extends errorClass('sign_out_interrupted', undefined) {
  /** What was done by then; every user who had been begun with is counted. */
  readonly summary: SignOutSummary

  constructor(message: string, summary: SignOutSummary, options?: ErrorOptions) {
    super(message, options)
    this.summary = summary
  }
}
