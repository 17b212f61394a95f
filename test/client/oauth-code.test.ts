import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { CognitoTokenClient } from '../../src/client/index.js'
import {
  AuthorizationCodeInvalidError,
  AuthorizationResponseError,
  CognitoConfigurationError,
  TokenRevokedError,
} from '../../src/errors.js'
import { BYE, CALLBACK, comeBack, exchange, signInByBrowser, WEB } from '../support/hosted.js'
import { thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const REDIRECTED = { redirectUri: CALLBACK, state: 'a state', codeVerifier: 'v'.repeat(43) }

/** Does something to the address of a callback. */
function changed(change: (url: URL) => void): (url: URL) => object {
  return (url) => {
    change(url)
    return { callbackUrl: url.href }
  }
}

describe('createAuthorizationChecks', () => {
  it('gives a state, a nonce and a verifier that nobody can guess, and the S256 challenge', () => {
    const { oauth } = createScene().client
    const [one, other] = [oauth.createAuthorizationChecks(), oauth.createAuthorizationChecks()]
    const all = [one.state, one.nonce, one.codeVerifier, other.state, other.nonce, other.codeVerifier]
    expect(new Set(all).size).toBe(6)
    for (const each of all) expect(each).toMatch(/^[\w-]{43}$/)
    expect(one.codeChallenge).toBe(createHash('sha256').update(one.codeVerifier).digest('base64url'))
  })

  it('makes the challenge of RFC 7636, appendix B', () => {
    const url = new URL(
      createScene().client.oauth.authorizationUrl({
        ...REDIRECTED,
        codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      }),
    )
    expect(url.searchParams.get('code_challenge')).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
  })
})

describe('authorizationUrl', () => {
  it('is of /oauth2/authorize, with all that is given under the names that Cognito has', () => {
    const scene = createScene()
    const url = new URL(
      scene.client.oauth.authorizationUrl({
        ...REDIRECTED,
        ...{
          nonce: 'n',
          scopes: ['openid', 'email'],
          identityProvider: 'Google',
          idpIdentifier: 'example.com',
        },
        ...{ loginHint: 'jane', lang: 'de', prompt: 'login', resource: 'https://api.example.com' },
      }),
    )
    expect(`${url.origin}${url.pathname}`).toBe(`${scene.cognito.domain}/oauth2/authorize`)
    const { code_challenge, ...rest } = Object.fromEntries(url.searchParams)
    expect(code_challenge).toMatch(/^[\w-]{43}$/)
    expect(rest).toEqual({
      ...{ response_type: 'code', client_id: scene.app.clientId, redirect_uri: CALLBACK, state: 'a state' },
      ...{ scope: 'openid email', code_challenge_method: 'S256', nonce: 'n', identity_provider: 'Google' },
      ...{ idp_identifier: 'example.com', login_hint: 'jane', lang: 'de', prompt: 'login' },
      resource: 'https://api.example.com',
    })
  })

  it('never has the verifier in it, also where all checks are handed over', () => {
    const { oauth } = createScene().client
    const checks = oauth.createAuthorizationChecks()
    const url = oauth.authorizationUrl({ ...checks, redirectUri: CALLBACK })
    expect(url).not.toContain(checks.codeVerifier)
    expect(new URL(url).searchParams.get('code_challenge')).toBe(checks.codeChallenge)
  })

  it.each([
    ['redirectUri', { redirectUri: '/callback' }],
    ['redirectUri', { redirectUri: `${CALLBACK}#fragment` }],
    ['state', { state: '' }],
    ['codeVerifier', { codeVerifier: 'short' }],
    ['codeChallenge', { codeChallenge: 'plain' }],
    ['codeChallenge', { codeChallenge: 'c'.repeat(43), codeVerifier: 'v'.repeat(43) }],
    ['codeVerifier', { codeChallenge: 'c'.repeat(43), codeVerifier: 'short' }],
    ['scopes', { scopes: ['openid email'] }],
    ['scopes', { scopes: [] }],
    ['prompt', { prompt: 5 }],
    ['responseType', { responseType: 'token' }],
  ])('refuses by name what cannot be right: %s', (name, wrong) => {
    const { oauth } = createScene().client
    const act = () => oauth.authorizationUrl({ ...REDIRECTED, ...(wrong as object) })
    expect(act).toThrow(TypeError)
    expect(act).toThrow(`"${name}"`)
  })
})

describe('The option domain', () => {
  const create = (domain: string, more: object = {}) =>
    new CognitoTokenClient({
      userPoolId: 'us-east-1_AbCdEfGhI',
      clientId: 'c',
      store: false,
      domain,
      ...more,
    })

  it.each([
    [
      'https://my-domain.auth.us-east-1.amazoncognito.com',
      'https://my-domain.auth.us-east-1.amazoncognito.com',
    ],
    ['my-domain.auth.us-east-1.amazoncognito.com', 'https://my-domain.auth.us-east-1.amazoncognito.com'],
    ['https://login.example.com/', 'https://login.example.com'],
    ['login.example.com', 'https://login.example.com'],
    ['http://127.0.0.1:9229', 'http://127.0.0.1:9229'],
  ])('may be Cognito’s or one’s own, with its scheme or without: %s', (domain, origin) => {
    expect(create(domain).logoutUrl({ logoutUri: CALLBACK })).toContain(`${origin}/logout?`)
  })

  it('may be of plain http elsewhere only where that is allowed', () => {
    const domain = 'http://login.example.com'
    expect(() => create(domain)).toThrow('"domain"')
    expect(() => create(domain, { allowInsecureHttp: true })).not.toThrow()
  })

  it.each([
    '',
    'https://login.example.com/path',
    'https://u:p@login.example.com',
    'login.example.com?x',
    'ftp://x',
  ])('is refused where it is none: %s', (domain) => {
    expect(() => create(domain)).toThrow(TypeError)
    expect(() => create(domain)).toThrow('"domain"')
  })

  it('is asked for by what needs it, and by nothing else', async () => {
    const client = new CognitoTokenClient({ userPoolId: 'us-east-1_AbCdEfGhI', clientId: 'c', store: false })
    const code = {
      code: 'x',
      state: 's',
      expectedState: 's',
      redirectUri: CALLBACK,
      codeVerifier: 'v'.repeat(43),
    }
    for (const act of [
      async () => client.logoutUrl({ logoutUri: CALLBACK }),
      async () => client.oauth.authorizationUrl(REDIRECTED),
      () => client.oauth.exchangeCode(code),
      () => client.oauth.refresh({ refreshToken: 'x' }),
      () => client.oauth.clientCredentials(),
      () => client.oauth.userInfo({ accessToken: 'x' }),
      () => client.revokeRefreshToken({ refreshToken: 'x', via: 'endpoint' }),
    ]) {
      const error = await thrownBy(act)
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain('"domain"')
    }
  })
})

describe('exchangeCode', () => {
  it.each([{}, { generateSecret: true }])('gives tokens that the verifier takes: %j', async (settings) => {
    const scene = createScene({ ...settings, oauth: WEB })
    const tokens = await signInByBrowser(scene)
    expect(await scene.judge(tokens)).toBe('accepted')
    expect(tokens).toMatchObject({
      username: scene.user.username,
      expiresInSeconds: 3_600,
      tokenType: 'Bearer',
      scopes: WEB.scopes,
    })
    expect(decodeJwt(tokens.idToken).sub).toBe(scene.user.sub)
  })

  it('begins a session that can be refreshed and revoked like any other', async () => {
    const scene = createScene({ oauth: WEB })
    const tokens = await signInByBrowser(scene)
    const fresh = await scene.client.refresh(tokens)
    await scene.client.revokeRefreshToken(tokens)
    expect(await scene.judge(tokens)).toBe('token_revoked')
    expect(await scene.judge({ ...tokens, accessToken: fresh.accessToken })).toBe('token_revoked')
  })

  it('takes code and state by themselves, and an address without its origin', async () => {
    const scene = createScene({ oauth: WEB })
    const { cookie: _, ...one } = await comeBack(scene)
    const { search, pathname, searchParams } = new URL(one.callbackUrl)
    const [code, state] = [searchParams.get('code') ?? '', searchParams.get('state') ?? '']
    const { callbackUrl: __, ...checks } = one
    await expect(scene.client.oauth.exchangeCode({ ...checks, code, state })).resolves.toBeDefined()
    const other = await comeBack(scene)
    const relative = `${pathname}${new URL(other.callbackUrl).search}`
    await expect(exchange({ ...other, callbackUrl: relative }, scene.client)).resolves.toBeDefined()
    expect(search).toContain('code=')
  })

  it('gives an ID token only where the scope openid was asked for', async () => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene, scene.user, { scopes: ['email'] })
    const { expectedNonce: _, cookie: __, ...input } = callback
    const tokens = await scene.client.oauth.exchangeCode(input)
    expect(tokens).toMatchObject({ idToken: undefined, scopes: ['email'] })
  })

  it.each<[string, 'state' | 'nonce' | 'malformed', (url: URL) => object]>([
    ['another state', 'state', () => ({ expectedState: 'another' })],
    ['no state', 'state', changed((url) => url.searchParams.delete('state'))],
    ['two states', 'state', changed((url) => url.searchParams.append('state', 'x'))],
    ['two codes', 'malformed', changed((url) => url.searchParams.append('code', 'x'))],
    ['no code', 'malformed', changed((url) => url.searchParams.delete('code'))],
    ['another issuer', 'malformed', changed((url) => url.searchParams.set('iss', 'x'))],
    ['another nonce', 'nonce', () => ({ expectedNonce: 'another' })],
  ])('refuses an authorization response with %s', async (_, failure, change) => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene)
    scene.takeCalls()
    const wrong = { ...callback, ...change(new URL(callback.callbackUrl)) }
    const error = await thrownBy(() => exchange(wrong, scene.client))
    expect(error).toBeInstanceOf(AuthorizationResponseError)
    expect(error.failure).toBe(failure)
    // What does not belong to this browser never gets as far as Cognito.
    expect(scene.takeCalls()).toEqual(failure === 'nonce' ? ['POST /oauth2/token', 'RevokeToken'] : [])
  })

  it('refuses a nonce that is expected where there is no ID token', async () => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene, scene.user, { scopes: ['email'] })
    expect(await thrownBy(() => exchange(callback, scene.client))).toMatchObject({ failure: 'nonce' })
  })

  it('tells why Cognito refused the sign-in', async () => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene)
    scene.cognito.updateUser(scene.user.username, { enabled: false })
    const { callbackUrl } = await scene.cognito.authorize(
      scene.client.oauth.authorizationUrl({ ...REDIRECTED, state: callback.expectedState }),
      { username: scene.user.username },
    )
    const refused = { ...callback, callbackUrl }
    const error = await thrownBy(() => exchange(refused, scene.client))
    expect(error).toMatchObject({ failure: 'error', error: 'access_denied', code: 'authorization_response' })
    expect((error.cause as Error).message).toBe('User is disabled.')
  })

  it('refuses a code that was used, is of another verifier, or is over five minutes old', async () => {
    const scene = createScene({ oauth: WEB })
    const used = await comeBack(scene)
    await exchange(used, scene.client)
    const stolen = { ...(await comeBack(scene)), codeVerifier: 'v'.repeat(43) }
    const old = await comeBack(scene)
    for (const wrong of [used, stolen]) {
      expect(await thrownBy(() => exchange(wrong, scene.client))).toBeInstanceOf(
        AuthorizationCodeInvalidError,
      )
    }
    scene.cognito.clock.advance(300)
    expect(await thrownBy(() => exchange(old, scene.client))).toBeInstanceOf(AuthorizationCodeInvalidError)
  })

  it('names the redirectUri where Cognito only says unauthorized_client', async () => {
    const scene = createScene({ oauth: WEB })
    const wrong = { ...(await comeBack(scene)), redirectUri: `${CALLBACK}/` }
    const error = await thrownBy(() => exchange(wrong, scene.client))
    expect(error).toBeInstanceOf(CognitoConfigurationError)
    expect(error.message).toContain('redirectUri')
  })

  it('never asks twice for a code whose outcome is unknown', async () => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene)
    scene.takeCalls()
    scene.cognito.failNext('POST /oauth2/token', 'socket hang up', { afterEffect: true })
    expect(await thrownBy(() => exchange(callback, scene.client))).toMatchObject({
      code: 'cognito_unavailable',
    })
    scene.cognito.failNext('POST /oauth2/token', 'server_error')
    expect(await thrownBy(() => exchange(callback, scene.client))).toMatchObject({
      code: 'cognito_unavailable',
    })
    expect(scene.takeCalls()).toEqual(['POST /oauth2/token', 'POST /oauth2/token'])
  })

  it('asks again where Cognito refused by quota', async () => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene)
    scene.cognito.failNext('POST /oauth2/token', 'slow_down', { httpStatus: 429, times: 2 })
    await expect(exchange(callback, scene.client)).resolves.toBeDefined()
  })

  it.each(['api', 'endpoint'] as const)(
    'leaves no session behind where its tokens cannot be verified: by the %s',
    async (revokeVia) => {
      const scene = createScene({ oauth: WEB })
      const client = scene.createClient({
        revokeVia,
        jwksUri: `${scene.cognito.url}/nowhere/jwks.json`,
        store: false,
      })
      const callback = await comeBack(scene)
      scene.takeCalls()
      expect(await thrownBy(() => exchange(callback, client))).toMatchObject({ code: 'jwks_unavailable' })
      const parameters = scene.cognito.calls.at(-1)?.parameters as Record<string, string>
      const refreshToken = parameters[revokeVia === 'api' ? 'Token' : 'token'] ?? ''
      await expect(scene.client.refresh({ refreshToken })).rejects.toThrow('has been revoked')
    },
  )

  it('leaves no session behind where its caller ends the wait for its tokens', async () => {
    const scene = createScene({ oauth: WEB })
    const callback = await comeBack(scene)
    const controller = new AbortController()
    scene.store.find = () => {
      controller.abort(new Error('enough'))
      return new Promise(() => {})
    }
    const { signal } = controller
    const error = await thrownBy(() => exchange(callback, scene.client, { signal }))
    expect(error.message).toBe('enough')
    await expect.poll(() => scene.cognito.calls.at(-1)?.operation).toBe('RevokeToken')
  })

  it('tells that tokens cannot be verified, also where their session cannot be ended', async () => {
    const scene = createScene({ oauth: WEB })
    const jwksUri = `${scene.cognito.url}/nowhere/jwks.json`
    const client = scene.createClient({ jwksUri, store: false })
    const callback = await comeBack(scene)
    scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    expect(await thrownBy(() => exchange(callback, client))).toMatchObject({ code: 'jwks_unavailable' })
  })

  it('gives no tokens to a user who was signed out meanwhile, though the cookie lives', async () => {
    const scene = createScene({ oauth: WEB })
    const { cookie } = await signInByBrowser(scene)
    await scene.client.adminGlobalSignOut({ username: scene.user.username })
    const callback = await comeBack(scene, { cookie })
    expect(await thrownBy(() => exchange(callback, scene.client))).toBeInstanceOf(TokenRevokedError)
  })
})

describe('The managed-login cookie', () => {
  it('signs in again without a password, until /logout clears it', async () => {
    const scene = createScene({ oauth: WEB })
    const { cookie } = await signInByBrowser(scene)
    await expect(signInByBrowser(scene, { cookie })).resolves.toBeDefined()
    const url = scene.client.logoutUrl({ logoutUri: BYE })
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
    expect(answer.headers.get('location')).toBe(BYE)
    expect(answer.headers.get('set-cookie')).toContain('Max-Age=0')
    await expect(comeBack(scene, { cookie })).rejects.toThrow('/login')
  })

  it('is all that /logout ends: tokens live on', async () => {
    const scene = createScene({ oauth: WEB })
    const tokens = await signInByBrowser(scene)
    const { cookie } = tokens
    await fetch(scene.client.logoutUrl({ logoutUri: BYE }), { redirect: 'manual', headers: { cookie } })
    expect(await scene.judge(tokens)).toBe('accepted')
    await expect(scene.client.refresh(tokens)).resolves.toBeDefined()
  })
})

describe('logoutUrl', () => {
  it('goes to an address of one’s own, and comes there with the state', async () => {
    const { client, app, cognito } = createScene({ oauth: WEB })
    const [plain, stated] = [
      new URL(client.logoutUrl({ logoutUri: BYE })),
      new URL(client.logoutUrl({ logoutUri: BYE, state: 'to the login' })),
    ]
    expect(plain.origin + plain.pathname).toBe(`${cognito.domain}/logout`)
    expect(Object.fromEntries(plain.searchParams)).toEqual({ client_id: app.clientId, logout_uri: BYE })
    const answer = await fetch(stated, { redirect: 'manual' })
    expect(answer.headers.get('location')).toBe(`${BYE}?state=to+the+login`)
  })

  it.each([
    ['logoutUri', { logoutUri: 'bye' }],
    ['logoutUri', {}],
    ['state', { logoutUri: CALLBACK, state: 5 }],
    // It would begin a sign-in without PKCE and nonce, which exchangeCode could not finish.
    ['redirectUri', { redirectUri: CALLBACK }],
    ['responseType', { logoutUri: CALLBACK, responseType: 'token' }],
  ])('refuses by name what cannot be right: %s', (name, input) => {
    expect(() => createScene().client.logoutUrl(input as never)).toThrow(`"${name}"`)
  })
})
