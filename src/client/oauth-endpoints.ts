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
import { type OAuthTokens, readTokens, scopesOf, type VerifiedTokens, verifyTokens } from './oauth-tokens.js'
import { attempt } from './outcome.js'
import { type AuthorizationChecks, assertCodeVerifier, createAuthorizationChecks } from './pkce.js'
import { assertRedirect, scopeParameter } from './redirects.js'
import { assertRefreshToken, type RefreshedTokens } from './refresh-input.js'
import { revokeAll } from './revoke.js'
import { claimsFromCognito, type SessionTokens } from './session-tokens.js'

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

  /** @internal */
  constructor(context: ClientContext) {
    this.#context = context
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
   *   the managed-login cookie outlived a sign-out; JwksUnavailableError, RevocationUnavailableError. The code is
   *   used up by then: the new refresh token is revoked if possible, and the sign-in begins again
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
    const answer = await this.#context.api.withSecret(
      (secret) =>
        protocol.requestTokens(
          'authorization_code',
          { code, redirect_uri: redirectUri, code_verifier: codeVerifier },
          secret,
          { signal, repeat: 'unprocessed', sensitive: [code, codeVerifier, expectedState, expectedNonce] },
        ),
      { signal },
    )
    const tokens = readTokens(this.#context.api, answer)
    const { refreshToken } = tokens
    if (!refreshToken) throw new CognitoError("POST /oauth2/token: Cognito's answer has no refresh token")
    try {
      const { access } = await untilAborted(this.#verify(tokens, expectedNonce), signal)
      this.#context.sessions.learn(tokens)
      return { ...tokens, refreshToken, scopes: scopesOf(access.scope) }
    } catch (error) {
      // Nobody will have it, so that it should not live on. Whether that works changes nothing.
      const revoking = revokeAll(this.#context, [refreshToken], { via: this.#context.revokeVia }, undefined)
      await attempt(() => untilAborted(revoking, signal))
      throw error
    }
  }

  /**
   * Exchanges a refresh token for new tokens at the token endpoint; `client.refresh` does so by Cognito's API, and
   * is the better choice where that can be reached. Calls of either with a token that is under way share one
   * exchange, and within the grace period of a rotation get what the first one got, as with `client.refresh`.
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
    return this.#context.refresher.refresh({ refreshToken, ...(signal && { signal }) }, 'endpoint')
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
    const answer = await this.#context.api.withSecret(
      (secret) =>
        protocol.requestTokens('client_credentials', parameters, secret, { signal, repeat: 'always' }),
      { signal },
    )
    const { accessToken, expiresInSeconds, tokenType } = readTokens(this.#context.api, answer)
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

  /** Both tokens fully, and the nonce. */
  async #verify(tokens: SessionTokens, expectedNonce: string | undefined): Promise<VerifiedTokens> {
    const verified = await verifyTokens(this.#context.verifier, tokens)
    if (expectedNonce !== undefined && verified.id?.nonce !== expectedNonce) {
      throw new AuthorizationResponseError(
        'The nonce of the ID token is not the one that this browser began to sign in with (is the scope openid there?)',
        'nonce',
      )
    }
    return verified
  }
}

function given(parameters: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(parameters)
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
