import { AuthorizationResponseError, CognitoError } from '../errors.js'
import { assertInput, assertOptionalSignal, assertOptions, assertString } from '../options.js'
import { readClaims } from '../tokens/claims.js'
import { parseCompactJws } from '../tokens/compact-jws.js'
import { untilAborted } from './abort.js'
import { type AuthorizationUrlInput, authorizationUrl } from './authorization-url.js'
import type { ClientContext } from './context.js'
import {
  type ClientCredentialsInput,
  type ExchangeCodeInput,
  type MachineToken,
  metadataParameter,
  type OAuthRefreshInput,
  responseParameters,
  type UserInfo,
  type UserInfoInput,
} from './oauth-inputs.js'
import { type OAuthTokens, readTokens, scopesOf, verifyTokens } from './oauth-tokens.js'
import { type AuthorizationChecks, assertCodeVerifier, createAuthorizationChecks } from './pkce.js'
import { assertRedirect, scopeParameter } from './redirects.js'
import { RefreshGate } from './refresh-gate.js'
import { assertRefreshToken, type RefreshedTokens } from './refresh-input.js'
import { claimsFromCognito } from './session-tokens.js'

/**
 * OAuth 2.0 and OpenID Connect with the hosted endpoints of the user pool: the authorization code with PKCE,
 * refreshing, machine tokens, userInfo. Each method throws a TypeError without the client's option `domain`.
 *
 * @example
 * import { CognitoTokenClient } from 'cognito-revocation/client'
 * const client = new CognitoTokenClient({ userPoolId, clientId, clientSecret, store, domain })
 * const checks = client.oauth.createAuthorizationChecks() // into the server-side session
 * response.redirect(client.oauth.authorizationUrl({ ...checks, redirectUri }))
 * // … and in the callback:
 * const { state: expectedState, nonce: expectedNonce, codeVerifier } = checks // out of it, and deleted there
 * const callbackUrl = request.url
 * await client.oauth.exchangeCode({ callbackUrl, redirectUri, expectedState, expectedNonce, codeVerifier })
 */
export class OAuthEndpoints {
  readonly #context: ClientContext
  readonly #gate: RefreshGate
  readonly #underWay = new Map<string, Promise<RefreshedTokens>>()

  /** @internal */
  constructor(context: ClientContext) {
    this.#context = context
    this.#gate = new RefreshGate(context)
  }

  /** State, nonce and PKCE for one sign-in, at random. Keep them in a server-side session until its callback. */
  createAuthorizationChecks(): AuthorizationChecks {
    return createAuthorizationChecks()
  }

  /**
   * Where to send the browser for a sign-in: /oauth2/authorize with an authorization code and PKCE (S256).
   *
   * @throws TypeError naming the option
   */
  authorizationUrl(input: AuthorizationUrlInput): string {
    return authorizationUrl(this.#context.hosted, this.#context.api.clientId, input)
  }

  /**
   * Exchanges the code of an authorization response for tokens (RFC 6749, section 4.1.3). The state is compared
   * first. Both tokens are then verified fully, the store asked too, and the ID token's nonce compared.
   *
   * @throws AuthorizationResponseError: it is not this browser's sign-in, or Cognito refused it
   * @throws AuthorizationCodeInvalidError, SecretHashMismatchError, CognitoConfigurationError, ThrottledError, …
   * @throws CognitoUnavailableError: whether the code was used up is unknown; begin the sign-in again
   * @throws what `TokenVerifier.verify` throws: TokenRevokedError where the user was signed out in this second, or
   *   the managed-login cookie outlived a sign-out
   */
  async exchangeCode(input: ExchangeCodeInput): Promise<OAuthTokens> {
    const owner = 'oauth.exchangeCode'
    const known = ['callbackUrl', 'code', 'state', 'redirectUri', 'codeVerifier', 'expectedState']
    assertOptions(owner, input, [...known, 'expectedNonce', 'signal'])
    const { redirectUri, codeVerifier, expectedState, expectedNonce, signal } = input
    assertRedirect(owner, 'redirectUri', redirectUri)
    assertCodeVerifier(owner, codeVerifier)
    assertString(owner, 'expectedState', expectedState)
    if (expectedNonce !== undefined) assertString(owner, 'expectedNonce', expectedNonce)
    assertOptionalSignal(owner, signal)
    const protocol = this.#context.hosted.protocol(owner)
    signal?.throwIfAborted()
    const parameters = responseParameters(owner, input)
    const code = await protocol.readAuthorizationResponse(parameters, expectedState)
    const answer = await this.#context.api.withSecret((secret) =>
      protocol.requestTokens(
        'authorization_code',
        { code, redirect_uri: redirectUri, code_verifier: codeVerifier },
        secret,
        { signal, repeat: 'unprocessed', sensitive: [code, codeVerifier, expectedState, expectedNonce] },
      ),
    )
    const { refreshToken, ...tokens } = readTokens(answer)
    const verifying = verifyTokens(this.#context.verifier, { ...tokens, refreshToken })
    const { access, id } = await untilAborted(verifying, signal)
    if (expectedNonce !== undefined && id?.nonce !== expectedNonce) {
      throw new AuthorizationResponseError(
        'The nonce of the ID token is not the one that this browser began to sign in with (is the scope openid there?)',
        'nonce',
      )
    }
    if (!refreshToken) throw new CognitoError("POST /oauth2/token: Cognito's answer has no refresh token")
    this.#context.sessions.learn({ ...tokens, refreshToken })
    return { ...tokens, refreshToken, scopes: scopesOf(access.scope) }
  }

  /**
   * Exchanges a refresh token for new tokens at the token endpoint; `client.refresh` does so by Cognito's API, and
   * is the better choice where that can be reached. Calls with a token that is under way share one exchange.
   *
   * @throws RefreshTokenInvalidError: revoked, rotated away, expired or another app client's; the endpoint does not
   *   tell which
   * @throws RefreshTokenRevokedError: the store has the session or its user revoked; Cognito is told so, too
   * @throws SecretHashMismatchError, ThrottledError, CognitoUnavailableError, …
   */
  async refresh(input: OAuthRefreshInput): Promise<RefreshedTokens> {
    const owner = 'oauth.refresh'
    assertInput(owner, input)
    const { refreshToken, signal } = input
    assertRefreshToken(owner, refreshToken)
    assertOptionalSignal(owner, signal)
    this.#context.hosted.protocol(owner)
    signal?.throwIfAborted()
    const pending = this.#underWay.get(refreshToken) ?? this.#startRefresh(refreshToken)
    return untilAborted(pending, signal)
  }

  /**
   * An access token for this app client itself (RFC 6749, section 4.4). It has no session: revoke it by its `jti`
   * or by its app client, with `Revoker`.
   *
   * @throws SecretHashMismatchError, CognitoConfigurationError, ThrottledError, CognitoUnavailableError, …
   */
  async clientCredentials(input: ClientCredentialsInput = {}): Promise<MachineToken> {
    const owner = 'oauth.clientCredentials'
    assertOptions(owner, input, ['scopes', 'resource', 'clientMetadata', 'signal'])
    const { resource, signal } = input
    if (resource !== undefined) assertString(owner, 'resource', resource)
    assertOptionalSignal(owner, signal)
    const parameters = given({
      scope: scopeParameter(owner, input.scopes),
      resource,
      aws_client_metadata: metadataParameter(owner, input.clientMetadata),
    })
    const protocol = this.#context.hosted.protocol(owner)
    const answer = await this.#context.api.withSecret((secret) =>
      protocol.requestTokens('client_credentials', parameters, secret, { signal, repeat: 'always' }),
    )
    const { accessToken, expiresInSeconds, tokenType } = readTokens(answer)
    const claims = claimsFromCognito(accessToken)
    if (claims?.token_use !== 'access' || claims.client_id !== this.#context.api.clientId) {
      throw new CognitoError("POST /oauth2/token: Cognito's access token is not of this app client")
    }
    return { accessToken, expiresInSeconds, tokenType, scopes: scopesOf(claims.scope) }
  }

  /**
   * The attributes of the user whose access token this is (OpenID Connect Core, section 5.3).
   *
   * @throws NotAuthorizedError: the token has expired, was revoked, or lacks the scope `openid`
   * @throws TokenMalformedError, TokenClaimError, ThrottledError, CognitoUnavailableError, …
   */
  async userInfo(input: UserInfoInput): Promise<UserInfo> {
    const owner = 'oauth.userInfo'
    assertInput(owner, input)
    const { accessToken, signal } = input
    assertString(owner, 'accessToken', accessToken)
    assertOptionalSignal(owner, signal)
    const protocol = this.#context.hosted.protocol(owner)
    // Cognito verifies it; this is only what its answer must be of.
    const { sub } = readClaims(parseCompactJws(accessToken).payload)
    return protocol.userInfo(accessToken, sub, signal)
  }

  #startRefresh(refreshToken: string): Promise<RefreshedTokens> {
    const started = this.#exchangeRefreshToken(refreshToken).finally(() =>
      this.#underWay.delete(refreshToken),
    )
    this.#underWay.set(refreshToken, started)
    return started
  }

  async #exchangeRefreshToken(refreshToken: string): Promise<RefreshedTokens> {
    const { api, hosted, sessions } = this.#context
    const protocol = hosted.protocol('oauth.refresh')
    const parameters = { refresh_token: refreshToken }
    const answer = await api.withSecret((secret) =>
      protocol.requestTokens('refresh_token', parameters, secret, {
        signal: undefined,
        repeat: 'unprocessed',
        sensitive: [refreshToken],
      }),
    )
    const tokens = readTokens(answer)
    const rotated = tokens.refreshToken !== undefined && tokens.refreshToken !== refreshToken
    const refreshed = { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken, rotated }
    sessions.learn(refreshed, refreshToken)
    return this.#gate.pass(refreshed, { refreshToken })
  }
}

function given(parameters: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(parameters)
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
