import { decodeJwt } from 'jose'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { basicAuthorization } from '../../src/client/client-authentication.js'
import {
  CognitoConfigurationError,
  CognitoError,
  CognitoUnavailableError,
  ForbiddenError,
  NotAuthorizedError,
  RefreshTokenInvalidError,
  RefreshTokenRevokedError,
  ResourceNotFoundError,
  SecretHashMismatchError,
  ThrottledError,
} from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { TokenMinter } from '../../src/testing/index.js'
import { comeBack, exchange, MACHINE, signInByBrowser, WEB } from '../support/hosted.js'
import { listen } from '../support/http.js'
import { thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const ROTATION = { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 10 } } as const

describe('oauth.refresh', () => {
  it('gives new tokens, and the refresh token to go on with', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken } = await signInByBrowser(scene)
    const fresh = await scene.client.oauth.refresh({ refreshToken })
    expect(fresh).toMatchObject({ refreshToken, rotated: false, username: scene.user.username })
    expect(await scene.judge({ ...fresh, idToken: fresh.idToken ?? '' })).toBe('accepted')
  })

  it('gives the successor under rotation, the same to all who ask at the same time', async () => {
    const scene = createScene({ oauth: WEB, ...ROTATION })
    const { refreshToken } = await signInByBrowser(scene)
    scene.takeCalls()
    const all = await Promise.all([1, 2, 3].map(() => scene.client.oauth.refresh({ refreshToken })))
    expect(scene.takeCalls()).toEqual(['POST /oauth2/token'])
    expect(new Set(all.map((each) => each.refreshToken)).size).toBe(1)
    expect(all[0]).toMatchObject({ rotated: true })
    const { refreshToken: next = '' } = all[0] ?? {}
    await expect(scene.client.oauth.refresh({ refreshToken: next })).resolves.toBeDefined()
    scene.cognito.clock.advance(11)
    const elsewhere = scene.createClient().oauth
    expect(await thrownBy(() => elsewhere.refresh({ refreshToken }))).toBeInstanceOf(RefreshTokenInvalidError)
  })

  it('shares one exchange with client.refresh', async () => {
    const scene = createScene({ oauth: WEB, ...ROTATION })
    const { refreshToken } = await signInByBrowser(scene)
    scene.takeCalls()
    const [one, other] = await Promise.all([
      scene.client.oauth.refresh({ refreshToken }),
      scene.client.refresh({ refreshToken }),
    ])
    expect(scene.takeCalls()).toHaveLength(1)
    expect(one.refreshToken).toBe(other.refreshToken)
  })

  it('gives within the grace period what the first one got, also by client.refresh', async () => {
    const tokenSettings = {
      refreshTokenRotation: { enabled: true, retryGracePeriodSeconds: 10 },
      explicitAuthFlows: [],
    }
    const scene = createScene({ oauth: WEB, ...ROTATION }, { tokenSettings })
    const { refreshToken } = await signInByBrowser(scene)
    const first = await scene.client.oauth.refresh({ refreshToken })
    scene.takeCalls()
    for (const by of [scene.client.oauth, scene.client]) {
      expect(await by.refresh({ refreshToken })).toMatchObject({ refreshToken: first.refreshToken })
    }
    expect(scene.takeCalls()).toEqual([])
  })

  it('has its successor revoked with it', async () => {
    const scene = createScene({ oauth: WEB, ...ROTATION })
    const tokens = await signInByBrowser(scene)
    const next = await scene.client.oauth.refresh(tokens)
    scene.takeCalls()
    await scene.client.revokeRefreshToken(tokens)
    const revoked = scene.cognito.calls.filter(({ operation }) => operation === 'RevokeToken').slice(-2)
    expect(revoked).toMatchObject([
      { parameters: { Token: next.refreshToken } },
      { parameters: { Token: tokens.refreshToken } },
    ])
  })

  it('says one thing of a token that is revoked and of one that is none', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken, accessToken } = await signInByBrowser(scene)
    await scene.client.revokeRefreshToken({ refreshToken, accessToken })
    for (const each of [refreshToken, 'garbage']) {
      const error = await thrownBy(() => scene.client.oauth.refresh({ refreshToken: each }))
      expect(error).toBeInstanceOf(RefreshTokenInvalidError)
    }
  })

  it('hands out nothing of a session that the store has revoked and Cognito has not', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken, accessToken } = await signInByBrowser(scene)
    scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    await scene.client.revokeRefreshToken({ refreshToken, accessToken }).catch(() => {})
    scene.takeCalls()
    const error = await thrownBy(() => scene.client.oauth.refresh({ refreshToken }))
    expect(error).toBeInstanceOf(RefreshTokenRevokedError)
    // Nor does it live on there.
    expect(scene.takeCalls()).toEqual(['POST /oauth2/token', 'RevokeToken'])
    await expect(scene.client.refresh({ refreshToken })).rejects.toThrow('has been revoked')
  })

  it('hands tokens out where the store cannot say: verifiers decide', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken } = await signInByBrowser(scene)
    scene.store.find = () => Promise.reject(new Error('the store is down'))
    await expect(scene.client.oauth.refresh({ refreshToken })).resolves.toBeDefined()
  })

  it('repeats no exchange whose outcome is unknown', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken } = await signInByBrowser(scene)
    scene.takeCalls()
    scene.cognito.failNext('POST /oauth2/token', 'socket hang up')
    expect(await thrownBy(() => scene.client.oauth.refresh({ refreshToken }))).toBeInstanceOf(
      CognitoUnavailableError,
    )
    expect(scene.takeCalls()).toHaveLength(1)
  })

  it('goes on for others where one ends his wait', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken } = await signInByBrowser(scene)
    scene.cognito.delayNext('POST /oauth2/token', 100)
    const ended = new AbortController()
    const [one, other] = [
      scene.client.oauth.refresh({ refreshToken, signal: ended.signal }),
      scene.client.oauth.refresh({ refreshToken }),
    ]
    ended.abort(new Error('enough'))
    await expect(one).rejects.toThrow('enough')
    await expect(other).resolves.toBeDefined()
  })
})

describe('oauth.clientCredentials', () => {
  it('gives an access token of the app client itself, and no more', async () => {
    const scene = createScene({ oauth: MACHINE, generateSecret: true })
    const token = await scene.client.oauth.clientCredentials({ scopes: ['orders/read'] })
    expect(Object.keys(token).sort()).toEqual(['accessToken', 'expiresInSeconds', 'scopes', 'tokenType'])
    expect(token).toMatchObject({ scopes: ['orders/read'], expiresInSeconds: 3_600 })
    const claims = await scene.verifier.verify(token.accessToken)
    expect(claims).toMatchObject({ sub: scene.app.clientId, token_use: 'access' })
    expect(claims.username).toBeUndefined()
  })

  it('asks for all scopes where none are named, and passes on resource and metadata', async () => {
    const scene = createScene({ oauth: MACHINE, generateSecret: true })
    const resource = 'https://api.example.com'
    const token = await scene.client.oauth.clientCredentials({ resource, clientMetadata: { tenant: 'a' } })
    expect(token.scopes).toEqual(MACHINE.scopes)
    expect(decodeJwt(token.accessToken).aud).toBe(resource)
    expect(scene.cognito.calls.at(-1)?.parameters).toEqual({
      grant_type: 'client_credentials',
      resource,
      aws_client_metadata: '{"tenant":"a"}',
    })
  })

  it('is asked for again after whatever passes, three times in all', async () => {
    const scene = createScene({ oauth: MACHINE, generateSecret: true })
    scene.cognito.failNext('POST /oauth2/token', 'socket hang up')
    scene.cognito.failNext('POST /oauth2/token', 'server_error', { httpStatus: 503, plainBody: '<html>' })
    await expect(scene.client.oauth.clientCredentials()).resolves.toBeDefined()
    scene.takeCalls()
    scene.cognito.failNext('POST /oauth2/token', 'server_error', { times: Number.POSITIVE_INFINITY })
    expect(await thrownBy(() => scene.client.oauth.clientCredentials())).toBeInstanceOf(
      CognitoUnavailableError,
    )
    expect(scene.takeCalls()).toHaveLength(3)
  })

  it('is refused where the app client has not this grant, or not this scope', async () => {
    const machine = createScene({ oauth: MACHINE, generateSecret: true })
    const web = createScene({ oauth: WEB, generateSecret: true })
    for (const act of [
      () => web.client.oauth.clientCredentials(),
      () => machine.client.oauth.clientCredentials({ scopes: ['orders/delete'] }),
    ]) {
      expect(await thrownBy(act)).toBeInstanceOf(CognitoConfigurationError)
    }
  })
})

describe('oauth.userInfo', () => {
  it('tells the user’s attributes', async () => {
    const scene = createScene({ oauth: WEB })
    const { accessToken } = await signInByBrowser(scene)
    expect(await scene.client.oauth.userInfo({ accessToken })).toEqual({
      sub: scene.user.sub,
      username: scene.user.username,
      email: `${scene.user.username}@example.com`,
      email_verified: 'true',
    })
  })

  it('is refused after a sign-out, after an hour, and without the scope openid', async () => {
    const scene = createScene({ oauth: WEB })
    const [ended, old] = [await signInByBrowser(scene), await signInByBrowser(createScene({ oauth: WEB }))]
    const { accessToken: fromApi } = await scene.signIn()
    await scene.client.globalSignOut(ended)
    const userInfo = (accessToken: string) => scene.client.oauth.userInfo({ accessToken })
    expect(await thrownBy(() => userInfo(ended.accessToken))).toBeInstanceOf(NotAuthorizedError)
    expect(await thrownBy(() => userInfo(fromApi))).toBeInstanceOf(NotAuthorizedError)
    scene.cognito.clock.advance(3_601)
    expect(await thrownBy(() => userInfo(old.accessToken))).toBeInstanceOf(NotAuthorizedError)
  })

  it('asks Cognito nothing about what is no token', async () => {
    const scene = createScene({ oauth: WEB })
    expect(await thrownBy(() => scene.client.oauth.userInfo({ accessToken: 'x' }))).toMatchObject({
      code: 'token_malformed',
    })
    expect(scene.takeCalls()).toEqual([])
  })
})

describe('The app client’s secret', () => {
  it('goes as the plain base64 that AWS shows', () => {
    expect(basicAuthorization('djc98u3jiedmi283eu928', 'abcdef01234567890')).toBe(
      'Basic ZGpjOTh1M2ppZWRtaTI4M2V1OTI4OmFiY2RlZjAxMjM0NTY3ODkw',
    )
  })

  it('may have a plus in it, which is not percent-encoded', async () => {
    const clientSecret = 'a+secret+with+plus+signs+in+it'
    const scene = createScene({ oauth: WEB, clientSecret })
    await expect(signInByBrowser(scene)).resolves.toBeDefined()
    const last = scene.cognito.calls.filter(({ operation }) => operation === 'POST /oauth2/token').at(-1)
    expect(last?.headers.authorization).toBe(basicAuthorization(scene.app.clientId, clientSecret))
    expect(last?.parameters).not.toHaveProperty('client_id')
  })

  it('is not there for a public app client, which sends its id', async () => {
    const scene = createScene({ oauth: WEB })
    await signInByBrowser(scene)
    const last = scene.cognito.calls.filter(({ operation }) => operation === 'POST /oauth2/token').at(-1)
    expect(last?.headers).not.toHaveProperty('authorization')
    expect(last?.parameters).toMatchObject({ client_id: scene.app.clientId })
  })

  it('is followed by the second of two, once, where Cognito does not take it: a code is not lost by that', async () => {
    const events: ObserverEvent[] = []
    const scene = createScene({ oauth: WEB, generateSecret: true })
    const { clientSecret = '' } = scene.app
    const client = scene.createClient({
      clientSecret: ['not yet known to Cognito', clientSecret],
      observer: (event) => events.push(event),
    })
    const callback = await comeBack(scene)
    scene.takeCalls()
    await expect(exchange(callback, client)).resolves.toBeDefined()
    expect(scene.takeCalls()).toEqual(['POST /oauth2/token', 'POST /oauth2/token'])
    expect(events.map(({ type }) => type)).toContain('client_secret_refused')
  })

  it.each([
    ['status 401', { httpStatus: 401 }],
    ['status 400', { httpStatus: 400 }],
    ['status 401 without JSON', { httpStatus: 401, plainBody: 'Unauthorized' }],
  ])('is tried with the second on invalid_client with %s', async (_, options) => {
    const scene = createScene({ oauth: MACHINE, generateSecret: true })
    const { clientSecret = '' } = scene.app
    const client = scene.createClient({ clientSecret: ['not yet known to Cognito', clientSecret] })
    scene.cognito.failNext('POST /oauth2/token', 'invalid_client', options)
    await expect(client.oauth.clientCredentials()).resolves.toBeDefined()
  })

  it('is not tried with the second on anything else', async () => {
    const scene = createScene({ oauth: WEB, generateSecret: true })
    const { clientSecret = '' } = scene.app
    const client = scene.createClient({ clientSecret: ['not yet known to Cognito', clientSecret] })
    for (const error of ['invalid_grant', 'unauthorized_client', 'invalid_request']) {
      scene.takeCalls()
      scene.cognito.failNext('POST /oauth2/token', error)
      await thrownBy(() => client.oauth.refresh({ refreshToken: 'x' }))
      expect(scene.takeCalls()).toEqual(['POST /oauth2/token'])
    }
  })

  it('is told to be wrong where both are', async () => {
    const scene = createScene({ oauth: MACHINE, generateSecret: true })
    const client = scene.createClient({ clientSecret: ['wrong', 'wrong too'] })
    expect(await thrownBy(() => client.oauth.clientCredentials())).toBeInstanceOf(SecretHashMismatchError)
    expect(scene.takeCalls()).toHaveLength(2)
  })
})

describe('An answer outside the protocol', () => {
  /** A server instead of Cognito that gives one answer to everything. */
  async function answering(status: number, body: string, headers: Record<string, string> = {}) {
    let requests = 0
    const server = await listen((_, response) => {
      requests += 1
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(body)
    })
    onTestFinished(server.close)
    const scene = createScene({ generateSecret: true })
    const client = scene.createClient({ domain: `http://127.0.0.1:${server.port}` })
    return { client, requests: () => requests, scene, url: server.url }
  }

  it.each<[string, number, string, Record<string, string>, new (...args: never[]) => Error]>([
    ['a redirect', 302, '', { location: 'http://127.0.0.1:1/' }, CognitoConfigurationError],
    ['no JSON', 200, '<html>', { 'content-type': 'text/html' }, CognitoUnavailableError],
    ['a part of JSON', 200, '{"access_token":"ey', {}, CognitoUnavailableError],
    ['no access token', 200, '{"token_type":"Bearer"}', {}, CognitoError],
    ['another kind of token', 200, '{"access_token":"x","token_type":"DPoP"}', {}, CognitoError],
    ['a token that is none', 200, '{"access_token":"x","token_type":"Bearer"}', {}, CognitoError],
    ['over 256 KiB', 200, `{"access_token":"${'x'.repeat(300_000)}"}`, {}, CognitoUnavailableError],
    ['nothing of that name', 404, '', {}, ResourceNotFoundError],
  ])('is an error, and is not asked for again: %s', async (_, status, body, headers, Class) => {
    const { client, requests } = await answering(status, body, headers)
    const error = await thrownBy(() => client.oauth.clientCredentials())
    expect(error).toBeInstanceOf(Class)
    expect(requests()).toBe(1)
  })

  it('is an ID token of somebody else', async () => {
    const other = createScene({ oauth: WEB })
    const { accessToken, idToken, refreshToken } = await signInByBrowser(other)
    const tokens = { access_token: accessToken, id_token: idToken, refresh_token: refreshToken }
    const { client } = await answering(200, JSON.stringify({ ...tokens, token_type: 'Bearer' }))
    const code = { code: 'x', state: 's', expectedState: 's', codeVerifier: 'v'.repeat(43) }
    const error = await thrownBy(() =>
      client.oauth.exchangeCode({ ...code, redirectUri: 'https://app.example.com/callback' }),
    )
    expect(error).toBeInstanceOf(CognitoError)
  })

  it('is tokens that look right, with the signature of another', async () => {
    const scene = createScene()
    const minter = await TokenMinter.create({
      userPoolId: scene.cognito.userPoolId,
      clientId: scene.app.clientId,
      issuer: scene.cognito.issuer,
    })
    const forged = { access_token: minter.accessToken(), id_token: minter.idToken(), refresh_token: 'x' }
    const forger = await answering(
      200,
      JSON.stringify({ ...forged, token_type: 'Bearer', expires_in: 3_600 }),
    )
    const code = { code: 'x', state: 's', expectedState: 's', codeVerifier: 'v'.repeat(43) }
    const deceived = scene.createClient({ domain: forger.url })
    const error = await thrownBy(() =>
      deceived.oauth.exchangeCode({ ...code, redirectUri: 'https://app.example.com/callback' }),
    )
    expect(error).toMatchObject({ code: 'token_key_unknown' })
  })

  it('is userInfo of somebody else', async () => {
    const { client, scene } = await answering(200, '{"sub":"somebody else"}')
    const { accessToken } = await scene.signIn()
    expect(await thrownBy(() => client.oauth.userInfo({ accessToken }))).toBeInstanceOf(CognitoError)
  })

  it('is none at all: the deadline ends it', async () => {
    const server = await listen(() => {})
    onTestFinished(server.close)
    const domain = `http://127.0.0.1:${server.port}`
    const client = createScene().createClient({ domain, requestTimeoutMs: 30, clientSecret: 'x' })
    expect(await thrownBy(() => client.oauth.clientCredentials())).toBeInstanceOf(CognitoUnavailableError)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(client.oauth.clientCredentials({ signal })).rejects.toThrow('enough')
  })

  it('is none at all: it is asked three times, each time for as long as a request may take', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    let requests = 0
    const server = await listen(() => {
      requests += 1
    })
    onTestFinished(server.close)
    const client = createScene().createClient({
      domain: server.url,
      requestTimeoutMs: 300,
      clientSecret: 'x',
    })
    expect(await thrownBy(() => client.oauth.clientCredentials())).toBeInstanceOf(CognitoUnavailableError)
    expect(requests).toBe(3)
  })

  it.each([
    [429, ThrottledError],
    [403, ForbiddenError],
    [401, SecretHashMismatchError],
  ])('is a refusal over 256 KiB, whose status %s counts all the same', async (status, Class) => {
    const { client } = await answering(status, 'x'.repeat(300_000))
    expect(await thrownBy(() => client.oauth.clientCredentials())).toBeInstanceOf(Class)
  })

  it('waits no longer than the caller’s signal', async () => {
    const server = await listen(() => {})
    onTestFinished(server.close)
    const client = createScene().createClient({
      domain: `http://127.0.0.1:${server.port}`,
      clientSecret: 'x',
    })
    const ended = new AbortController()
    const asked = client.oauth.clientCredentials({ signal: ended.signal })
    ended.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
  })

  it('is no server where none listens: asked again, for a code too', async () => {
    const { port, close } = await listen(() => {})
    await close()
    const client = createScene().createClient({ domain: `http://127.0.0.1:${port}` })
    const error = await thrownBy(() => client.oauth.refresh({ refreshToken: 'x' }))
    expect(error).toBeInstanceOf(CognitoUnavailableError)
    expect(error.message).toContain('ECONNREFUSED')
  })
})
