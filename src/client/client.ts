import { AdminCalls } from './admin-calls.js'
import {
  describeTokenSettings,
  type EnableTokenRevocationInput,
  type EnableTokenRevocationResult,
  enableTokenRevocation,
} from './app-client.js'
import { type CognitoTokenClientOptions, checkClientOptions } from './client-options.js'
import type { ClientContext } from './context.js'
import { type CreateAppClientInput, type CreatedAppClient, createAppClient } from './create-app-client.js'
import { createContext } from './create-context.js'
import { type LogoutUrlInput, logoutUrl } from './logout-url.js'
import { OAuthEndpoints } from './oauth-endpoints.js'
import type { RefreshedTokens, RefreshInput } from './refresh.js'
import { type RevokeOutcome, type RevokeRefreshTokenInput, revokeRefreshToken } from './revoke.js'
import { type SignInInput, type SignInResult, signIn } from './sign-in.js'
import {
  type AdminGlobalSignOutInput,
  adminGlobalSignOut,
  type GlobalSignOutInput,
  globalSignOut,
  type SignOutOutcome,
} from './sign-out.js'
import type { TokenSettings } from './token-settings.js'

/**
 * Signs in, refreshes, revokes and signs out at Amazon Cognito, and records each revocation in the store
 * where every verifier sees it. For one app client, with or without a secret.
 *
 * Errors of Cognito's are typed, with the SDK's error as `cause`; none contains a token, secret, password or
 * hash. Throttling and network errors are retried by the AWS SDK, with backoff and jitter, three attempts in all.
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

  /**
   * Signs in with a password (InitiateAuth or AdminInitiateAuth).
   *
   * @returns the tokens (`status: 'authenticated'`), or what Cognito wants to know first (`status: 'challenge'`)
   * @throws NotAuthorizedError, UserNotFoundError, UserNotConfirmedError, UserDisabledError,
   *   PasswordResetRequiredError, SecretHashMismatchError, InvalidParameterError, ThrottledError, …
   */
  signIn(input: SignInInput): Promise<SignInResult> {
    return signIn(this.#context.api, input)
  }

  /**
   * Exchanges a refresh token for new tokens. Calls with a token that is under way share one exchange.
   *
   * @throws RefreshTokenRevokedError, RefreshTokenInvalidError, RefreshTokenReuseError, SecretHashMismatchError, …
   */
  refresh(input: RefreshInput): Promise<RefreshedTokens> {
    return this.#context.refresher.refresh(input)
  }

  /**
   * Ends the session of a refresh token, at Cognito and in the store; the user's other sessions go on.
   *
   * The session is learned from `accessToken` or `idToken` if given, or by one refresh. A token given along
   * must verify fully, else it is ignored; that it belongs to the refresh token is the caller's word, so set
   * `confirmPairing: true` where that word comes from outside.
   *
   * @returns what was done; resolves only when both the store and Cognito have it. Calling again is safe, and
   *   completes what was left undone, but for a session that was learned by a refresh and that the store failed to take
   * @throws RevocationIncompleteError if one of the two failed: `outcome` says which, the message how to complete it
   * @throws SessionUnknownError if the session could not be learned; what Cognito could end is ended
   * @throws NotARefreshTokenError, RefreshTokenRevokedError, RefreshTokenInvalidError, SecretHashMismatchError,
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
   * Ends every session of a user (AdminUserGlobalSignOut), with this process's AWS credentials: it needs
   * cognito-idp:AdminUserGlobalSignOut and cognito-idp:AdminGetUser. With `sub`, the latter is asked once, for
   * Cognito's clock, and need not be allowed. Wait a second before signing in again.
   *
   * @throws UserNotFoundError, AccessDeniedError, … before anything is written, unless `sub` is given
   * @throws RevocationIncompleteError if the store or Cognito failed: calling again is safe
   */
  adminGlobalSignOut(input: AdminGlobalSignOutInput): Promise<SignOutOutcome> {
    return adminGlobalSignOut(this.#context, input)
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

  /**
   * What the app client's settings say of its tokens (DescribeUserPoolClient). Needs
   * cognito-idp:DescribeUserPoolClient.
   *
   * Its `accessTokenValiditySeconds` and `refreshTokenValiditySeconds` are the options of these names of
   * `Revoker` and `CognitoTokenClient`. They hold for tokens that are issued from now on: where a validity was
   * lowered lately, keep the former one until the older tokens have expired.
   *
   * @throws AccessDeniedError, ResourceNotFoundError, NotAuthorizedError, ThrottledError, …
   * @throws CognitoError if a validity or its unit is none that Cognito has
   * @example
   * import { Revoker } from 'cognito-revocation'
   * const { accessTokenValiditySeconds, refreshTokenValiditySeconds } = await client.describeTokenSettings()
   * const revoker = new Revoker({ store, poolId, accessTokenValiditySeconds, refreshTokenValiditySeconds })
   */
  describeTokenSettings(): Promise<TokenSettings> {
    return describeTokenSettings(this.#context.api)
  }

  /**
   * Turns on token revocation for the app client, and nothing else: UpdateUserPoolClient resets every setting
   * that is left out, so all are read first and sent along. Where Cognito tells a setting that this version
   * does not know, it refuses rather than lose it. Tokens that were issued before stay without `origin_jti`.
   *
   * Needs cognito-idp:DescribeUserPoolClient and, unless it is a dry run, cognito-idp:UpdateUserPoolClient.
   * Cognito has no conditional update: what somebody else changes between the two may be lost.
   *
   * @returns what was changed, or on a dry run would be. Calling again is safe
   * @throws CognitoConfigurationError naming the settings that could not be carried over (nothing was changed),
   *   or that are not as they were after the update
   * @throws ConcurrentModificationError if others keep changing the app client, five times in a row
   * @throws AccessDeniedError, ResourceNotFoundError, NotAuthorizedError, InvalidParameterError, ThrottledError, …
   * @throws CognitoUnavailableError: whether it took effect is unknown
   * @example
   * import { CognitoTokenClient } from 'cognito-revocation/client'
   * const client = new CognitoTokenClient({ userPoolId: 'us-east-1_AbCdEfGhI', clientId, store: false })
   * console.log(await client.enableTokenRevocation({ dryRun: true }))
   */
  enableTokenRevocation(input?: EnableTokenRevocationInput): Promise<EnableTokenRevocationResult> {
    return enableTokenRevocation(this.#context.api, input)
  }

  /**
   * Makes another app client in the user pool, with token revocation on. Needs
   * cognito-idp:CreateUserPoolClient. This client goes on being of its own app client.
   *
   * @returns its id, and its secret if it has one: it is told nowhere else, so keep it safe
   * @throws InvalidParameterError, AccessDeniedError, NotAuthorizedError, CognitoConfigurationError,
   *   ThrottledError, …
   * @throws CognitoUnavailableError: an app client may have been made all the same, and by a retry even two;
   *   look for its name
   * @example
   * const { clientId, clientSecret } = await client.createAppClient({ clientName: 'web', generateSecret: true })
   */
  createAppClient(input: CreateAppClientInput): Promise<CreatedAppClient> {
    return createAppClient(this.#context.api, input)
  }

  /** Ends what this client started. The store, and an `sdk` that was handed in, stay open. */
  async close(): Promise<void> {
    await this.#context.verifier.close()
    this.#context.api.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
