import { AdminCalls } from './admin-calls.js'
import type { AnswerTo } from './challenge-answers.js'
import type { MfaSetupChallenge, SignInChallenge } from './challenges.js'
import { type CognitoTokenClientOptions, checkClientOptions } from './client-options.js'
import type { ClientContext } from './context.js'
import { createContext } from './create-context.js'
import {
  type ConfirmDeviceInput,
  type ConfirmedDevice,
  confirmDevice,
  type ForgetDeviceInput,
  forgetDevice,
} from './devices.js'
import { type LogoutUrlInput, logoutUrl } from './logout-url.js'
import { type SetMfaPreferenceInput, setMfaPreference } from './mfa-preference.js'
import { OAuthEndpoints } from './oauth-endpoints.js'
import type { RefreshedTokens, RefreshInput } from './refresh-input.js'
import { respondToChallenge } from './respond-to-challenge.js'
import { type RevokeOutcome, type RevokeRefreshTokenInput, revokeRefreshToken } from './revoke.js'
import { signIn } from './sign-in.js'
import type { SignInInput } from './sign-in-input.js'
import type { SignInResult } from './sign-in-result.js'
import { type GlobalSignOutInput, globalSignOut, type SignOutOutcome } from './sign-out.js'
import {
  type AccessTokenInput,
  associateSoftwareToken,
  type SoftwareToken,
  type VerifySoftwareTokenInput,
  verifySoftwareToken,
} from './software-token.js'

/**
 * Signs in, refreshes, revokes and signs out at Amazon Cognito, and records each revocation in the store
 * where every verifier sees it. For one app client, with or without a secret.
 *
 * Errors of Cognito's are typed, with the SDK's error as `cause`; none contains a token, secret, password or
 * hash. Throttling and network errors are retried by the AWS SDK, with backoff and jitter, three attempts in all: a
 * request whose connection broke may have counted, and be repeated.
 *
 * @example
 * import { CognitoTokenClient } from 'cognito-revocation/client'
 * const client = new CognitoTokenClient({ userPoolId: 'us-east-1_AbCdEfGhI', clientId, clientSecret, store })
 * const result = await client.signIn({ username, password })
 * if (result.status === 'authenticated') await client.revokeRefreshToken(result)
 */
export class CognitoTokenClient extends AdminCalls {
  /** The hosted endpoints: sign-in by the browser, machine tokens, userInfo. They need the option `domain`. */
  readonly oauth: OAuthEndpoints
  readonly #context: ClientContext

  /** @throws TypeError naming the option */
  constructor(options: CognitoTokenClientOptions) {
    const context = createContext(checkClientOptions(options))
    super(context)
    this.#context = context
    this.oauth = new OAuthEndpoints(context)
  }

  /** Whether there is a store: with `store: false` verifiers go on accepting the tokens of sessions that were ended. */
  get hasStore(): boolean {
    return this.#context.revokers !== undefined
  }

  /**
   * Signs in (InitiateAuth or AdminInitiateAuth), by the flow that `flow` names. What Cognito asks on the way is
   * answered where the input has it: SRP, the password, the device.
   *
   * @returns the tokens (`status: 'authenticated'`), or what Cognito wants to know (`status: 'challenge'`)
   * @throws NotAuthorizedError, UserNotFoundError, UserNotConfirmedError, UserDisabledError,
   *   PasswordResetRequiredError, SecretHashMismatchError, InvalidParameterError, ThrottledError, …
   * @throws CognitoConfigurationError where SRP is needed and cognito-srp-helper is not installed
   * @example
   * const result = await client.signIn({ flow: 'USER_SRP_AUTH', username, password })
   */
  signIn(input: SignInInput): Promise<SignInResult> {
    return this.#context.sessions.learning(signIn(this.#context.api, input))
  }

  /**
   * Answers a challenge (RespondToAuthChallenge or AdminRespondToAuthChallenge). What the answer is follows from
   * the challenge: look at `challengeName` first. USERNAME and SECRET_HASH are filled in.
   *
   * @returns the same as `signIn`: there may be another challenge
   * @throws CodeMismatchError: the same challenge can be answered again; CodeExpiredError
   * @throws ChallengeSessionExpiredError where the sign-in must begin again; CognitoUnavailableError where an answer
   *   was lost that may have counted: a new password may be set
   * @throws InvalidPasswordError, PasswordHistoryError, AliasExistsError, MfaMethodNotFoundError, …
   * @example
   * if (result.status === 'challenge' && result.challengeName === 'SOFTWARE_TOKEN_MFA') {
   *   const next = await client.respondToChallenge(result, { code: '123456' })
   * }
   */
  respondToChallenge<C extends SignInChallenge>(challenge: C, answer: AnswerTo<C>): Promise<SignInResult> {
    return this.#context.sessions.learning(respondToChallenge(this.#context.api, challenge, answer))
  }

  /**
   * Gets the secret for an authenticator app (AssociateSoftwareToken): within a sign-in that asks MFA_SETUP, or
   * by the access token of a user who is signed in. The first code goes to `respondToChallenge` with the
   * challenge that this gives, or to `verifySoftwareToken`.
   *
   * @throws MfaMethodNotFoundError where the user pool has no software tokens; ChallengeSessionExpiredError, …
   */
  associateSoftwareToken<Input extends MfaSetupChallenge | AccessTokenInput>(
    input: Input,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SoftwareToken<Input>> {
    return associateSoftwareToken(this.#context.api, input, options)
  }

  /**
   * Confirms the authenticator app of a user who is signed in, by its first code (VerifySoftwareToken). It is not
   * asked for at sign-in before `setMfaPreference` says so.
   *
   * @throws CodeMismatchError, TokenRevokedError, TokenExpiredError, …
   */
  verifySoftwareToken(input: VerifySoftwareTokenInput): Promise<void> {
    return verifySoftwareToken(this.#context.api, input)
  }

  /**
   * Says which second factors a user who is signed in is asked for at sign-in, and which of them is preferred
   * (SetUserMFAPreference). What is left out stays as it is.
   *
   * @throws InvalidParameterError where a factor is not set up, or the user pool requires one
   * @throws NotAuthorizedError, TokenRevokedError, TokenExpiredError, …
   * @example
   * await client.setMfaPreference({ accessToken, softwareToken: 'preferred' })
   */
  setMfaPreference(input: SetMfaPreferenceInput): Promise<void> {
    return setMfaPreference(this.#context.api, input)
  }

  /**
   * Confirms a device that Cognito has seen for the first time (ConfirmDevice): before that, its session cannot be
   * refreshed. Give `device` along at the next sign-ins. Needs the optional peer dependency cognito-srp-helper.
   *
   * @throws InvalidParameterError where it is confirmed already; CognitoUnavailableError where it may be, by an
   *   attempt whose answer was lost: then `forgetDevice`; NotAuthorizedError, TokenRevokedError, …
   * @throws CognitoConfigurationError where cognito-srp-helper is not installed
   */
  confirmDevice(input: ConfirmDeviceInput): Promise<ConfirmedDevice> {
    return confirmDevice(this.#context.api, input)
  }

  /**
   * Forgets a device (ForgetDevice): it can neither sign in as that any longer, nor refresh.
   *
   * @throws ResourceNotFoundError where the user has no such device; NotAuthorizedError, TokenRevokedError, …
   */
  forgetDevice(input: ForgetDeviceInput): Promise<void> {
    return forgetDevice(this.#context.api, input)
  }

  /**
   * Exchanges a refresh token for new tokens (GetTokensFromRefreshToken, or REFRESH_TOKEN_AUTH; see the option
   * `refreshFlow`). Calls with a token that is under way share one exchange. With rotation, a caller that comes with
   * a replaced refresh token within the grace period gets what the first one got. Keep the new refresh token before
   * you use it.
   *
   * @throws RefreshTokenRevokedError if Cognito has revoked it, or the store says that its session was ended: then
   *   Cognito is told too, and a new `origin_jti` of the session is recorded
   * @throws RefreshTokenReuseError, after the option `onRefreshTokenReuse` was called
   * @throws RefreshTokenInvalidError, SecretHashMismatchError, …
   * @example
   * const { accessToken, refreshToken } = await client.refresh({ refreshToken: kept.refreshToken })
   */
  refresh(input: RefreshInput): Promise<RefreshedTokens> {
    return this.#context.refresher.refresh(input)
  }

  /**
   * Ends the session of a refresh token, at Cognito and in the store; the user's other sessions go on.
   *
   * The session is learned from `accessToken` or `idToken` if given, or by one refresh; where rotation is known to be
   * on (`tokenSettings`), always by a refresh: the refresh token at hand may have been replaced. A token given along
   * must verify fully, else it is ignored; that it belongs to the refresh token is the caller's word, so set
   * `confirmPairing: true` where that word comes from outside. Every other id that this process remembers of the
   * session is recorded too, and the newest refresh token that it knows is revoked first; a refresh that is under way
   * here is waited for.
   *
   * @returns what was done; resolves only when both the store and Cognito have it, or, for a refresh token that was
   *   rotated away (`cognito: 'unknown'`), when the store has it for as long as a successor can live. Calling again is safe, and
   *   completes what was left undone, but for a session that was learned by a refresh and that the store failed to take
   * @throws RevocationIncompleteError if one of the two failed: `outcome` says which, the message how to complete it
   * @throws SessionUnknownError if the session could not be learned; what Cognito could end is ended, but nothing is
   *   done where it may be learned later (`cognito: 'skipped'`): Cognito is down, or the JWKS cannot be had
   * @throws RefreshTokenInvalidError where the session was still unknown and Cognito revoked nothing: with device
   *   tracking on, give `deviceKey`
   * @throws NotARefreshTokenError, RefreshTokenRevokedError, SecretHashMismatchError,
   *   TokenRevocationDisabledError, … where the session was still unknown: nothing was revoked
   * @example
   * await client.revokeRefreshToken({ refreshToken, accessToken, reason: 'logout' })
   */
  revokeRefreshToken(input: RevokeRefreshTokenInput): Promise<RevokeOutcome> {
    return revokeRefreshToken(this.#context, input)
  }

  /**
   * Ends every session of the user whose live access token this is (GlobalSignOut). Wait a second before
   * signing in again: tokens of the same second are refused. The managed-login cookie outlives it: send the
   * browser to `logoutUrl`.
   *
   * @throws what `TokenVerifier.verify` throws, and InsufficientScopeError, before anything is written
   * @throws RevocationIncompleteError if the store or Cognito failed: complete it with adminGlobalSignOut
   */
  globalSignOut(input: GlobalSignOutInput): Promise<SignOutOutcome> {
    return globalSignOut(this.#context, input)
  }

  /**
   * Where to send the browser to end its sign-in at Cognito: /logout, which clears the managed-login cookie. It
   * revokes nothing: tokens live on, so revoke first (`revokeRefreshToken`, `globalSignOut`). Needs `domain`.
   *
   * @throws TypeError naming the option
   * @example
   * await client.globalSignOut({ accessToken })
   * response.redirect(client.logoutUrl({ logoutUri: 'https://example.com/bye' }))
   */
  logoutUrl(input: LogoutUrlInput): string {
    return logoutUrl(this.#context.hosted, this.#context.api.clientId, input)
  }

  /** Ends what this client started. The store, and an `sdk` that was handed in, stay open. */
  async close(): Promise<void> {
    await this.#context.verifier.close()
    this.#context.sessions.clear()
    this.#context.successors.clear()
    this.#context.api.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
