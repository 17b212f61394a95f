import type { CognitoTokenClient, ExchangeCodeInput, OAuthTokens } from '../../src/client/index.js'
import type { BrowserSignIn, OAuthClientSettings } from '../../src/testing/index.js'
import type { Scene } from './scene.js'

export const CALLBACK = 'https://app.example.com/callback'
export const BYE = 'https://app.example.com/bye'

/** An app client whose users sign in by the browser. */
export const WEB: OAuthClientSettings = {
  flows: ['code'],
  scopes: ['openid', 'email', 'aws.cognito.signin.user.admin'],
  callbackUrls: [CALLBACK],
  logoutUrls: [BYE],
}

/** An app client of a machine. */
export const MACHINE: OAuthClientSettings = {
  flows: ['client_credentials'],
  scopes: ['orders/read', 'orders/write'],
}

/** What `exchangeCode` takes once the browser is back. */
export type Callback = ExchangeCodeInput & { readonly callbackUrl: string; readonly cookie: string }

/** Sends a browser to the sign-in and back. */
export async function comeBack(
  scene: Scene,
  browser: BrowserSignIn = scene.user,
  parameters: Partial<Parameters<CognitoTokenClient['oauth']['authorizationUrl']>[0]> = {},
): Promise<Callback> {
  const { oauth } = scene.client
  const { state, nonce, codeVerifier } = oauth.createAuthorizationChecks()
  const request = { state, nonce, codeVerifier, redirectUri: CALLBACK, ...parameters }
  const { callbackUrl, cookie = '' } = await scene.cognito.authorize(
    oauth.authorizationUrl(request),
    browser.cookie === undefined ? { username: browser.username } : { cookie: browser.cookie },
  )
  const kept = { redirectUri: CALLBACK, codeVerifier, expectedState: state, expectedNonce: nonce }
  return { ...kept, callbackUrl, cookie }
}

/** Without the cookie, which is the browser's. */
export function exchange(
  { cookie: _, ...input }: Callback,
  client: CognitoTokenClient,
  more: { readonly signal?: AbortSignal } = {},
): Promise<OAuthTokens> {
  return client.oauth.exchangeCode({ ...input, ...more })
}

/** A whole sign-in by the browser. */
export async function signInByBrowser(
  scene: Scene,
  browser?: BrowserSignIn,
): Promise<OAuthTokens & { readonly idToken: string; readonly cookie: string }> {
  const callback = await comeBack(scene, browser)
  const tokens = await exchange(callback, scene.client)
  return { ...tokens, idToken: tokens.idToken ?? '', cookie: callback.cookie }
}
