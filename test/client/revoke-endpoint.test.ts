import { describe, expect, it } from 'vitest'
import { CognitoTokenClient } from '../../src/client/index.js'
import {
  CognitoError,
  CognitoUnavailableError,
  NotARefreshTokenError,
  RevocationIncompleteError,
  SecretHashMismatchError,
  SessionUnknownError,
  ThrottledError,
  TokenRevocationDisabledError,
} from '../../src/errors.js'
import { WEB } from '../support/hosted.js'
import { listen } from '../support/http.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'
import { createSdk } from '../testing/harness.js'

const createScene = useScene()
const [ENDPOINT, TOKEN] = ['POST /oauth2/revoke', 'POST /oauth2/token']
const DAY = 86_400
const ROTATION = { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 } } as const

/** By the token endpoint itself, past every client: what somebody who has the refresh token gets of Cognito. */
async function refreshRaw({ cognito, app }: Scene, refreshToken: string) {
  const form = { grant_type: 'refresh_token', client_id: app.clientId, refresh_token: refreshToken }
  const answer = await fetch(`${cognito.domain}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const tokens = (await answer.json()) as { access_token: string; id_token: string }
  return { accessToken: tokens.access_token, idToken: tokens.id_token }
}

/** Of a network in which Cognito's API is not to be had. */
async function unreachableSdk() {
  const { url, close } = await listen(() => {})
  await close()
  return createSdk(url, { maxAttempts: 1 })
}

describe("revokeRefreshToken via: 'endpoint'", () => {
  it.each([{}, { generateSecret: true }])('ends the session like RevokeToken does: %j', async (settings) => {
    const scene = createScene(settings)
    const [phone, laptop] = [await scene.signIn(), await scene.signIn()]
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken({ ...phone, via: 'endpoint' })
    expect(outcome).toMatchObject({ store: 'recorded', cognito: 'revoked', sub: scene.user.sub })
    expect(scene.takeCalls()).toEqual([ENDPOINT])
    expect(await scene.judge(phone)).toBe('token_revoked')
    expect(await scene.judge(laptop)).toBe('accepted')
    await expect(scene.client.refresh(phone)).rejects.toMatchObject({ code: 'refresh_token_revoked' })
    await expect(scene.client.refresh(laptop)).resolves.toBeDefined()
  })

  it('is the default where the client says so', async () => {
    const scene = createScene({}, { revokeVia: 'endpoint' })
    const session = await scene.signIn()
    scene.takeCalls()
    await scene.client.revokeRefreshToken(session)
    expect(scene.takeCalls()).toEqual([ENDPOINT])
    await scene.client.revokeRefreshToken({ ...(await scene.signIn()), via: 'api' })
    expect(scene.takeCalls().at(-1)).toBe('RevokeToken')
  })

  it('sends Basic with a secret, and the client id without one', async () => {
    for (const generateSecret of [true, false]) {
      const scene = createScene({ generateSecret })
      const { refreshToken, accessToken } = await scene.signIn()
      await scene.client.revokeRefreshToken({ refreshToken, accessToken, via: 'endpoint' })
      const { headers, parameters } = scene.cognito.calls.at(-1) ?? {}
      const { clientId, clientSecret } = scene.app
      const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
      expect(headers?.authorization).toBe(generateSecret ? `Basic ${basic}` : undefined)
      expect(parameters).toEqual({ token: refreshToken, ...(generateSecret ? {} : { client_id: clientId }) })
    }
  })

  it('revokes the successor of a rotation too', async () => {
    const scene = createScene({ ...ROTATION, oauth: WEB })
    const { refreshToken } = await scene.signIn()
    scene.takeCalls()
    await scene.client.revokeRefreshToken({ refreshToken, via: 'endpoint' })
    expect(scene.takeCalls()).toEqual([TOKEN, ENDPOINT, ENDPOINT])
  })

  it.each(['this process', 'another'])('is done when it is done twice, by %s', async (who) => {
    const scene = createScene({ oauth: WEB })
    const session = await scene.signIn()
    await scene.client.revokeRefreshToken({ ...session, via: 'endpoint' })
    const client = who === 'another' ? scene.createClient() : scene.client
    // The token endpoint does not tell a revoked refresh token from one that was rotated away.
    await expect(client.revokeRefreshToken({ ...session, via: 'endpoint' })).resolves.toMatchObject({
      store: 'recorded',
      cognito: 'unknown',
    })
  })

  it('needs nothing but the domain within reach', async () => {
    const scene = createScene({ ...ROTATION, oauth: WEB })
    const { refreshToken } = await scene.signIn()
    const client = scene.createClient({ sdk: await unreachableSdk(), revokeVia: 'endpoint' })
    scene.takeCalls()
    const outcome = await client.revokeRefreshToken({ refreshToken, confirmPairing: true })
    expect(outcome).toMatchObject({ store: 'recorded', cognito: 'revoked', learnedFrom: 'refresh' })
    expect(scene.takeCalls()).toEqual([TOKEN, ENDPOINT, ENDPOINT])
  })

  it.each([
    ['is out of reach', 'socket hang up'],
    ['does not take this app client', 'unauthorized_client'],
    ['does not take the refresh token', 'invalid_grant'],
  ])('goes by what this process remembers where the token endpoint %s', async (_, error) => {
    const scene = createScene({ oauth: WEB })
    const session = await scene.signIn()
    const now = scene.cognito.clock.now() / 1000
    scene.cognito.failNext(TOKEN, error)
    scene.takeCalls()
    const { refreshToken } = session
    const outcome = await scene.client.revokeRefreshToken({ refreshToken, via: 'endpoint' })
    expect(outcome).toMatchObject({ store: 'recorded', cognito: 'unknown', learnedFrom: 'memory' })
    expect(scene.takeCalls()).toEqual([TOKEN, ENDPOINT])
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(scene.store.added.every(({ expiresAt }) => expiresAt > now + 365 * DAY)).toBe(true)
  })

  it('is not done where nothing but a 200 says so, and there is no store', async () => {
    const scene = createScene({ oauth: WEB }, { store: false })
    const { accessToken } = await scene.signIn()
    const hinted = { accessToken, refreshToken: 'garbage', via: 'endpoint' } as const
    const error = await thrownBy(() => scene.client.revokeRefreshToken(hinted))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.outcome).toMatchObject({ store: 'skipped', cognito: 'unknown' })
    expect(error.message).toContain('confirmPairing: true')
    const session = { ...(await scene.signIn()), confirmPairing: true, via: 'endpoint' } as const
    await expect(scene.client.revokeRefreshToken(session)).resolves.toMatchObject({ cognito: 'revoked' })
  })

  it('keeps the record for as long as the refresh token could live, where the 200 proves nothing', async () => {
    const scene = createScene({ oauth: WEB })
    const { accessToken, refreshToken } = await scene.signIn()
    const now = scene.cognito.clock.now() / 1000
    await scene.client.revokeRefreshToken({ accessToken, refreshToken: 'garbage', via: 'endpoint' })
    expect(scene.store.added.every(({ expiresAt }) => expiresAt > now + 365 * DAY)).toBe(true)
    // The session that the access token is of goes on at Cognito, yet nobody takes its tokens.
    scene.cognito.clock.advance(2 * DAY)
    expect(await scene.judge(await refreshRaw(scene, refreshToken))).toBe('token_revoked')
  })

  it('keeps it no longer than tokens live, where a refresh has shown that it is one', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken } = await scene.signIn()
    const now = scene.cognito.clock.now() / 1000
    await scene.client.revokeRefreshToken({ refreshToken, via: 'endpoint' })
    expect(scene.store.added.every(({ expiresAt }) => expiresAt < now + 2 * DAY)).toBe(true)
  })

  it('tries the second of two secrets on 401, also where the body is none', async () => {
    const scene = createScene({ generateSecret: true })
    const { clientSecret = '' } = scene.app
    const client = scene.createClient({ clientSecret: ['wrong', clientSecret] })
    const session = await scene.signIn()
    scene.takeCalls()
    await expect(client.revokeRefreshToken({ ...session, via: 'endpoint' })).resolves.toBeDefined()
    expect(scene.takeCalls()).toEqual([ENDPOINT, ENDPOINT])
  })

  it.each<[string, string, object]>([
    ['a broken connection', 'socket hang up', {}],
    ['a broken connection after it took effect', 'socket hang up', { afterEffect: true }],
    ['throttling', 'slow_down', { httpStatus: 429 }],
    ['status 503 without JSON', 'server_error', { httpStatus: 503, plainBody: '<h1>Oops</h1>' }],
  ])('goes on after %s, three times in all', async (_, error, options) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.failNext(ENDPOINT, error, { ...options, times: 2 })
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken({ ...session, via: 'endpoint' })
    expect(outcome).toMatchObject({ cognito: 'revoked' })
    expect(scene.takeCalls()).toEqual([ENDPOINT, ENDPOINT, ENDPOINT])
  })

  it.each<[string, object, string, new (...args: never[]) => Error]>([
    ['invalid_request', {}, 'failed', TokenRevocationDisabledError],
    ['unsupported_token_type', {}, 'failed', NotARefreshTokenError],
    ['invalid_client', {}, 'failed', SecretHashMismatchError],
    ['something_new', {}, 'failed', CognitoError],
    ['invalid_request', { plainBody: '' }, 'failed', CognitoError],
    ['slow_down', { httpStatus: 429 }, 'failed', ThrottledError],
    ['server_error', {}, 'unknown', CognitoUnavailableError],
    ['socket hang up', {}, 'unknown', CognitoUnavailableError],
  ])(
    'tells of %s %j that the session is shut here, and not at Cognito',
    async (name, options, said, Class) => {
      const scene = createScene({ oauth: WEB })
      const session = await scene.signIn()
      scene.cognito.failNext(ENDPOINT, name, { ...options, times: 3 })
      const error = await thrownBy(() => scene.client.revokeRefreshToken({ ...session, via: 'endpoint' }))
      expect(error).toBeInstanceOf(RevocationIncompleteError)
      expect(error.outcome).toMatchObject({ store: 'recorded', cognito: said })
      expect(error.cause).toBeInstanceOf(Class)
      expect(await scene.judge(session)).toBe('token_revoked')
      scene.cognito.clearFaults()
      const again = await scene.client.revokeRefreshToken({ ...session, via: 'endpoint' })
      expect(again).toMatchObject({ store: 'recorded', cognito: 'revoked' })
    },
  )

  it('tells that token revocation is off', async () => {
    const scene = createScene({ enableTokenRevocation: false, oauth: WEB })
    const { refreshToken } = await scene.signIn()
    const error = await thrownBy(() => scene.client.revokeRefreshToken({ refreshToken, via: 'endpoint' }))
    expect(error).toBeInstanceOf(TokenRevocationDisabledError)
  })

  it('tells that the session is unknown where it could not be learned, and revokes all the same', async () => {
    const scene = createScene({ oauth: WEB })
    const { refreshToken } = await scene.signIn()
    scene.cognito.failNext(TOKEN, 'blocked', { httpStatus: 403 })
    scene.takeCalls()
    const stranger = scene.createClient()
    const error = await thrownBy(() => stranger.revokeRefreshToken({ refreshToken, via: 'endpoint' }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    // The 200 would be the same to a token that is none.
    expect(error.outcome).toEqual({ store: 'skipped', cognito: 'unknown' })
    expect(scene.takeCalls()).toEqual([TOKEN, ENDPOINT])
  })

  it('ends at the caller’s signal with the session shut here', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const ended = new AbortController()
    scene.cognito.delayNext(ENDPOINT, 5_000)
    scene.store.beforeAdd = () => setTimeout(() => ended.abort(new Error('enough')), 20)
    const error = await thrownBy(() =>
      scene.client.revokeRefreshToken({ ...session, via: 'endpoint', signal: ended.signal }),
    )
    expect(error).toMatchObject({ code: 'revocation_incomplete', outcome: { cognito: 'unknown' } })
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})

describe('revokeAssociatedSessions', () => {
  it.each(['LINKED', 'NONE', undefined] as const)('is passed on to RevokeToken: %s', async (value) => {
    const scene = createScene()
    const session = await scene.signIn()
    await scene.client.revokeRefreshToken({
      ...session,
      ...(value && { revokeAssociatedSessions: value }),
    })
    const { parameters } = scene.cognito.calls.at(-1) ?? {}
    expect((parameters as Record<string, unknown>).RevokeAssociatedSessions).toBe(value)
  })

  it.each<[object, string]>([
    [{ via: 'endpoint', revokeAssociatedSessions: 'LINKED' }, 'revokeAssociatedSessions'],
    [{ revokeAssociatedSessions: 'ALL' }, 'revokeAssociatedSessions'],
    [{ via: 'post' }, 'via'],
  ])(
    'and via are refused by name, before anything is done, where they cannot be right: %j',
    async (wrong, name) => {
      const scene = createScene()
      const session = await scene.signIn()
      scene.takeCalls()
      const error = await thrownBy(() => scene.client.revokeRefreshToken({ ...session, ...wrong }))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain(`"${name}"`)
      expect(scene.takeCalls()).toEqual([])
      expect(await scene.judge(session)).toBe('accepted')
    },
  )

  it('needs a domain where the client revokes by the endpoint', () => {
    const options = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: 'c', store: false } as const
    expect(() => new CognitoTokenClient({ ...options, revokeVia: 'endpoint' })).toThrow('"domain"')
  })
})
