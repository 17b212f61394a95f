import { errorClass } from './error-base.js'

// Cognito's own answers, thrown by `cognito-revocation/client`.

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

/** The code or answer to a challenge is wrong. Ask the user again, and answer the same challenge. */
export class CodeMismatchError extends errorClass('code_mismatch', 401) {}

/** The code has expired, or was used before. Begin the sign-in again for a new one. */
export class CodeExpiredError extends errorClass('code_expired', 401) {}

/** The sign-in's session is over: too late, too many wrong answers, or answered before. Begin it again. */
export class ChallengeSessionExpiredError extends errorClass('challenge_session_expired', 401) {}

/** The new password does not meet the user pool's policy. */
export class InvalidPasswordError extends errorClass('invalid_password', 400) {}

/** The new password is one that the user has had before. */
export class PasswordHistoryError extends errorClass('password_history', 400) {}

/** The e-mail address or phone number is another user's alias. */
export class AliasExistsError extends errorClass('alias_exists', 409) {}

/** The user, or the user pool, has no such second factor. */
export class MfaMethodNotFoundError extends errorClass('mfa_method_not_found', 400) {}

/** The client secret is missing, wrong or superfluous, or the hash was made with another username. */
export class SecretHashMismatchError extends errorClass('secret_hash_mismatch', 500) {}

/** The function that was given as `clientSecret` failed, or did not answer in time. Cognito was not asked. */
export class ClientSecretUnavailableError extends errorClass('client_secret_unavailable', 503) {}

/** Cognito has revoked this refresh token: the user must sign in again. */
export class RefreshTokenRevokedError extends errorClass('refresh_token_revoked', 401) {}

/**
 * Cognito does not take this refresh token: expired, of another client or pool, of a device whose key is missing or
 * not confirmed, or of ADMIN_NO_SRP_AUTH with rotation.
 */
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

/** Somebody else changes the same thing (an app client, a user's software token) at the same time. */
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
  /** `unknown`: no answer came, or only about a refresh token that was rotated away: it may or may not have been done. */
  readonly cognito: 'revoked' | 'failed' | 'unknown' | 'skipped'
  /** The user. */
  readonly sub?: string
  /** The session, where it was one. */
  readonly originJti?: string
  /** All ids of the session that are known: a refresh may have given it another. */
  readonly originJtis?: readonly string[]
  /** Where the session was learned from; `memory`: this process had it from its sign-in or an earlier refresh. */
  readonly learnedFrom?: 'accessToken' | 'idToken' | 'refresh' | 'memory'
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
