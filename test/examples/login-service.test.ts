import { describe, expect, it, onTestFinished } from 'vitest'
import { configure } from '../../examples/fastify-login/configure.js'
import { createLoginService, type LoginServiceOptions } from '../../examples/fastify-login/service.js'
import { Revoker, TokenVerifier } from '../../src/index.js'
import type { AppClientSettings } from '../../src/testing/index.js'
import { type Answer, call } from '../support/http.js'
import { type Scene, useScene } from '../support/scene.js'

const createScene = useScene()
const COOKIE = '__Secure-refresh_token'
const OWN = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }
const CLEARED = `${COOKIE}=; Max-Age=0; Path=/auth; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Strict`
const TWO_SESSIONS = { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 10 } } as const

/** The service, listening, in a scene of its own, with all that it logs. */
function start(settings: AppClientSettings = {}, options: Partial<LoginServiceOptions> = {}) {
  return startIn(createScene(settings), options)
}

/** Another process of the service, which has seen nothing of what the first one did. */
function startAnother({ scene }: Site) {
  return startIn(scene, { client: scene.createClient() })
}

async function startIn(scene: Scene, options: Partial<LoginServiceOptions>) {
  const { cognito, store, client } = scene
  const verifier = new TokenVerifier({
    userPoolId: cognito.userPoolId,
    issuer: cognito.issuer,
    clientId: scene.app.clientId,
    tokenUse: 'access',
    revocation: store,
    clock: cognito.clock.now,
  })
  const revoker = new Revoker({ store, poolId: cognito.userPoolId, clock: cognito.clock.now })
  const logged: string[] = []
  const stream = { write: (line: string) => void logged.push(line) }
  const logger = { level: 'trace', stream }
  const storeRetriesMs = [1, 1, 1]
  const app = await createLoginService({ client, verifier, revoker, logger, storeRetriesMs, ...options })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  return new Site(scene, Number(new URL(url).port), logged)
}

class Site {
  readonly scene: Scene
  readonly logged: readonly string[]
  readonly #port: number

  constructor(scene: Scene, port: number, logged: readonly string[]) {
    this.scene = scene
    this.#port = port
    this.logged = logged
  }

  post(path: string, headers: Record<string, string | undefined> = OWN, body = '{}') {
    return call(this.#port, { method: 'POST', path, headers, body })
  }

  /** A POST by a page of the service, with this cookie and access token. */
  postBy(path: string, { refreshToken, accessToken }: Partial<Tokens>, headers = {}) {
    return this.post(path, {
      ...OWN,
      ...(refreshToken !== undefined && { cookie: `theme=dark; ${COOKIE}=${refreshToken}` }),
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
      ...headers,
    })
  }

  login(credentials: object = this.scene.user, headers: Record<string, string> = OWN) {
    const { username, password } = credentials as { username?: unknown; password?: unknown }
    return this.post('/auth/login', headers, JSON.stringify({ username, password }))
  }

  async signIn(): Promise<Tokens> {
    const answer = await this.login()
    return { accessToken: JSON.parse(answer.text).accessToken, refreshToken: cookieIn(answer) ?? '' }
  }

  me(accessToken?: string): Promise<Answer> {
    const headers = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }
    return call(this.#port, { path: '/me', headers })
  }

  meWith(headers: readonly string[]): Promise<Answer> {
    return call(this.#port, { path: '/me', headers: ['host', 'localhost', ...headers] })
  }
}

interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string
}

function cookieIn({ headers }: Answer): string | undefined {
  return new RegExp(`^${COOKIE}=([^;]+);`, 'm').exec((headers['set-cookie'] ?? []).join('\n'))?.[1]
}

/** What of an answer says how it went. */
function gist({ status, headers, text }: Answer) {
  const { 'www-authenticate': challenge, 'retry-after': retryAfter, 'set-cookie': cookies } = headers
  const all = { status, challenge, retryAfter, cookies, text }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== ''))
}

const word = (error: string) => JSON.stringify({ error })
const UNAVAILABLE = { status: 503, retryAfter: '1', text: word('unavailable') }
const UNAUTHORIZED = { status: 401, challenge: 'Bearer', text: word('unauthorized') }
const INVALID_TOKEN = { ...UNAUTHORIZED, challenge: 'Bearer error="invalid_token"' }
const SIGNED_OUT = { status: 204, cookies: [CLEARED] }

describe('POST /auth/login', () => {
  it('gives the access token to the page, and the refresh token to a cookie for the auth routes alone', async () => {
    const site = await start()
    const answer = await site.login()
    expect(Object.keys(JSON.parse(answer.text))).toEqual(['accessToken', 'expiresInSeconds'])
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^${COOKIE}=[\\w.-]+; Max-Age=2592000; Path=/auth; HttpOnly; Secure; SameSite=Strict$`),
      ),
    ])
    expect(answer.text).not.toContain(cookieIn(answer))
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('answers a wrong password and a user that there is not alike', async () => {
    const site = await start()
    const { username } = site.scene.user
    const answers = [
      await site.login({ username, password: 'wrong horse' }),
      await site.login({ username: 'nobody', password: 'wrong horse' }),
    ]
    for (const answer of answers) expect(gist(answer)).toEqual(UNAUTHORIZED)
  })

  it('names a challenge, and says no more', async () => {
    const site = await start()
    site.scene.cognito.updateUser(site.scene.user.username, { status: 'FORCE_CHANGE_PASSWORD' })
    const answer = await site.login()
    const cookies = [
      expect.stringMatching(/^__Secure-sign_in=[\w-]{43}; Max-Age=180; Path=\/auth; HttpOnly; /),
    ]
    expect(gist(answer)).toEqual({ status: 409, text: '{"challenge":"NEW_PASSWORD_REQUIRED"}', cookies })
  })

  it.each([
    ['a form of another website', { ...OWN, 'sec-fetch-site': 'cross-site' }, '{}', 403],
    ['text/plain that is JSON', { ...OWN, 'content-type': 'text/plain' }, '{}', 403],
    ['no password', OWN, '{"username":"jane"}', 400],
    ['a number for a password', OWN, '{"username":"jane","password":5}', 400],
    ['null for a password', OWN, '{"username":"jane","password":null}', 400],
    ['an empty password', OWN, '{"username":"jane","password":""}', 400],
    ['no object', OWN, '"jane"', 400],
    ['no JSON', OWN, '{"username":"jane","password":"correct hor', 400],
    ['a body over 16 KiB', OWN, JSON.stringify({ username: 'jane', password: 'x'.repeat(17_000) }), 413],
  ])('refuses %s without asking Cognito', async (_, headers, body, status) => {
    const site = await start()
    const answer = await site.post('/auth/login', headers, body)
    expect(answer.status).toBe(status)
    expect(answer.text).toMatch(/^{"error":"\w+"}$/)
    expect(site.scene.takeCalls()).toEqual([])
  })
})

describe('Signing in over a cookie that is there', () => {
  const loginOver = (site: Site, cookie: string) => site.login(site.scene.user, { ...OWN, cookie })

  it('ends the session that the browser forgets by it', async () => {
    const site = await start(TWO_SESSIONS)
    const former = await site.signIn()
    const answer = await loginOver(site, `${COOKIE}=${former.refreshToken}`)
    expect(answer.status).toBe(200)
    expect(gist(await site.me(former.accessToken))).toEqual(INVALID_TOKEN)
    expect((await site.me(JSON.parse(answer.text).accessToken)).status).toBe(200)
  })

  it('ends none where the sign-in fails', async () => {
    const site = await start()
    const { accessToken, refreshToken } = await site.signIn()
    const wrong = { ...site.scene.user, password: 'wrong horse' }
    await site.login(wrong, { ...OWN, cookie: `${COOKIE}=${refreshToken}` })
    expect((await site.me(accessToken)).status).toBe(200)
  })

  it('counts whether the former session could be ended or not, and logs that it was not', async () => {
    const site = await start()
    const { refreshToken } = await site.signIn()
    site.scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    expect((await loginOver(site, `${COOKIE}=${refreshToken}`)).status).toBe(200)
    expect(site.logged.join('')).toContain('former session lives')
    expect((await loginOver(site, `${COOKIE}=garbage`)).status).toBe(200)
  })

  it('is refused where there are two such cookies, before Cognito is asked', async () => {
    const site = await start()
    expect((await loginOver(site, `${COOKIE}=mine; ${COOKIE}=his`)).status).toBe(400)
    expect(site.scene.takeCalls()).toEqual([])
  })
})

describe('POST /auth/challenge', () => {
  /** A sign-in that stands at a challenge, and how this browser answers it. */
  async function challenged(site: Site, update: Parameters<Scene['cognito']['updateUser']>[1]) {
    site.scene.cognito.updateUser(site.scene.user.username, update)
    const { headers } = await site.login()
    const [cookie = ''] = headers['set-cookie']?.[0]?.split(';') ?? []
    site.scene.takeCalls()
    const answer = (body: object, more = {}) =>
      site.post('/auth/challenge', { ...OWN, cookie, ...more }, JSON.stringify(body))
    return { answer, code: () => site.scene.cognito.codeFor(site.scene.user.username) }
  }

  it('takes a new password, and signs in', async () => {
    const site = await start()
    const { answer } = await challenged(site, { status: 'FORCE_CHANGE_PASSWORD' })
    const done = await answer({ newPassword: 'another horse battery staple' })
    expect(done.status).toBe(200)
    expect(done.headers['set-cookie']?.[0]).toMatch(/^__Secure-sign_in=; Max-Age=0; /)
    expect(cookieIn(done)).toBeTruthy()
    expect((await site.me(JSON.parse(done.text).accessToken)).status).toBe(200)
  })

  it('takes a second factor, after a wrong one too', async () => {
    const site = await start()
    const { answer, code } = await challenged(site, { mfa: ['EMAIL_OTP'] })
    expect(gist(await answer({ code: 'wrong' }))).toEqual(UNAUTHORIZED)
    expect((await answer({ code: code() })).status).toBe(200)
  })

  it('takes an answer once', async () => {
    const site = await start()
    const { answer, code } = await challenged(site, { mfa: ['EMAIL_OTP'] })
    const [answers] = [await Promise.all([answer({ code: code() }), answer({ code: code() })])]
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    expect(site.scene.takeCalls()).toEqual(['RespondToAuthChallenge'])
  })

  it.each([
    ['a page of another website', { 'sec-fetch-site': 'cross-site' }, { code: '123456' }, 403],
    ['a browser that did not begin it', { cookie: 'theme=dark' }, { code: '123456' }, 401],
    ['a made-up cookie', { cookie: '__Secure-sign_in=guessed' }, { code: '123456' }, 401],
    ['two cookies', { cookie: '__Secure-sign_in=mine; __Secure-sign_in=his' }, { code: '123456' }, 400],
    ['an answer to something else', {}, { newPassword: 'another horse' }, 400],
    ['more than an answer', {}, { code: '123456', username: 'jane' }, 400],
  ])('refuses %s without asking Cognito', async (_, headers, body, status) => {
    const site = await start()
    const { answer } = await challenged(site, { mfa: ['EMAIL_OTP'] })
    expect((await answer(body, headers)).status).toBe(status)
    expect(site.scene.takeCalls()).toEqual([])
  })
})

describe('POST /auth/refresh', () => {
  it('gives a new access token, and sets the cookie anew where the refresh token was rotated', async () => {
    const site = await start(TWO_SESSIONS)
    const session = await site.signIn()
    const answer = await site.postBy('/auth/refresh', { refreshToken: session.refreshToken })
    expect(answer.status).toBe(200)
    expect(cookieIn(answer)).toBeTruthy()
    expect(cookieIn(answer)).not.toBe(session.refreshToken)
    expect((await site.me(JSON.parse(answer.text).accessToken)).status).toBe(200)
  })

  it('leaves the cookie alone where refresh tokens do not rotate', async () => {
    const site = await start()
    const { refreshToken } = await site.signIn()
    const answer = await site.postBy('/auth/refresh', { refreshToken })
    expect([answer.status, answer.headers['set-cookie']]).toEqual([200, undefined])
  })

  it('goes by the cookie, though a tab still has an access token of a session that was ended', async () => {
    const site = await start()
    const former = await site.signIn()
    await site.postBy('/auth/logout', former)
    const { refreshToken } = await site.signIn()
    const { accessToken } = former
    expect((await site.postBy('/auth/refresh', { refreshToken, accessToken })).status).toBe(200)
    expect((await site.postBy('/auth/refresh', { refreshToken })).status).toBe(200)
  })

  it('answers 401 without a cookie', async () => {
    const site = await start()
    expect(gist(await site.postBy('/auth/refresh', {}))).toEqual(UNAUTHORIZED)
  })

  it.each([
    ['was revoked', ({ client }: Scene, refreshToken: string) => client.revokeRefreshToken({ refreshToken })],
    [
      'is of a user who was disabled',
      async ({ cognito, user }: Scene) => cognito.updateUser(user.username, { enabled: false }),
    ],
  ])('answers 401 and clears the cookie where its refresh token %s', async (_, end) => {
    const site = await start()
    const { refreshToken } = await site.signIn()
    await end(site.scene, refreshToken)
    const answer = await site.postBy('/auth/refresh', { refreshToken })
    expect(gist(answer)).toEqual({ ...UNAUTHORIZED, cookies: [CLEARED] })
  })

  it('answers 401 and clears the cookie where it holds something else', async () => {
    const site = await start()
    const { accessToken } = await site.signIn()
    for (const refreshToken of ['garbage', accessToken]) {
      const answer = await site.postBy('/auth/refresh', { refreshToken })
      expect(gist(answer)).toEqual({ ...UNAUTHORIZED, cookies: [CLEARED] })
    }
  })

  it.each([
    ['InternalErrorException', UNAVAILABLE],
    ['TooManyRequestsException', { status: 429, retryAfter: '1', text: word('too_many_requests') }],
  ])('keeps the cookie while Cognito answers %s', async (exception, expected) => {
    const site = await start()
    const { refreshToken } = await site.signIn()
    site.scene.cognito.failNext('GetTokensFromRefreshToken', exception)
    expect(gist(await site.postBy('/auth/refresh', { refreshToken }))).toEqual(expected)
  })
})

describe('A refresh token that was stolen, and replaced by the thief', () => {
  /** The service as it is configured, in two processes of one store. */
  async function configured() {
    const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED' } })
    const { cognito, app } = scene
    const env = { USER_POOL_ID: cognito.userPoolId, CLIENT_ID: app.clientId }
    const { close, ...parts } = configure(env, cognito)
    onTestFinished(close)
    return startIn(scene, parts)
  }

  it('ends the session when its owner comes with it: the thief has nothing any more', async () => {
    const site = await configured()
    const { refreshToken } = await site.signIn()
    const stolen = await site.postBy('/auth/refresh', { refreshToken })
    const thief = { accessToken: JSON.parse(stolen.text).accessToken, refreshToken: cookieIn(stolen) ?? '' }
    expect((await site.me(thief.accessToken)).status).toBe(200)
    const victim = await site.postBy('/auth/refresh', { refreshToken })
    expect(gist(victim)).toEqual({ ...UNAUTHORIZED, cookies: [CLEARED] })
    expect(gist(await site.me(thief.accessToken))).toEqual(INVALID_TOKEN)
    expect((await site.postBy('/auth/refresh', thief)).status).toBe(401)
  })

  it('does so in a process that has not seen the session, by the access token that the page sends along', async () => {
    const site = await configured()
    const session = await site.scene.signIn(site.scene.user)
    const stolen = await site.scene.client.refresh({ refreshToken: session.refreshToken })
    expect((await site.me(stolen.accessToken)).status).toBe(200)
    expect((await site.postBy('/auth/refresh', session)).status).toBe(401)
    expect(gist(await site.me(stolen.accessToken))).toEqual(INVALID_TOKEN)
  })
})

describe('POST /auth/logout', () => {
  it('ends the session and clears the cookie', async () => {
    const site = await start(TWO_SESSIONS)
    const { accessToken, refreshToken } = await site.signIn()
    const other = await site.signIn()
    expect(gist(await site.postBy('/auth/logout', { accessToken, refreshToken }))).toEqual(SIGNED_OUT)
    expect(gist(await site.me(accessToken))).toEqual(INVALID_TOKEN)
    expect((await site.postBy('/auth/refresh', { refreshToken })).status).toBe(401)
    expect((await site.me(other.accessToken)).status).toBe(200)
  })

  it.each<[string, Record<string, string | undefined>]>([
    ['by another website', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['by a sibling subdomain', { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' }],
    ['by no page at all', { 'sec-fetch-site': 'none' }],
    ['that does not say where it comes from', { 'sec-fetch-site': undefined }],
    ['of a sandboxed frame', { 'sec-fetch-site': undefined, origin: 'null' }],
    [
      'with an origin that begins like ours',
      { 'sec-fetch-site': undefined, origin: 'https://www.example.com.evil.example' },
    ],
    ['with an empty origin', { 'sec-fetch-site': undefined, origin: '' }],
    ['that says both', { 'sec-fetch-site': 'cross-site, same-origin' }],
    ['by a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['by a form that writes JSON as text', { 'content-type': 'text/plain' }],
    ['with a type that only begins like JSON', { 'content-type': 'application/jsonp' }],
    ['without a type', { 'content-type': undefined }],
  ])('refuses a request %s, and does nothing', async (_, change) => {
    const site = await start({}, { allowedOrigins: ['https://www.example.com'] })
    const { accessToken, refreshToken } = await site.signIn()
    site.scene.takeCalls()
    const all = { ...OWN, cookie: `${COOKIE}=${refreshToken}`, ...change }
    const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    expect(gist(await site.post('/auth/logout', headers))).toEqual({ status: 403, text: word('forbidden') })
    expect(site.scene.takeCalls()).toEqual([])
    expect((await site.me(accessToken)).status).toBe(200)
  })

  it('takes a page of an origin that was allowed by name', async () => {
    const site = await start({}, { allowedOrigins: ['https://www.example.com'] })
    const session = await site.signIn()
    const from = { 'sec-fetch-site': 'same-site', origin: 'https://www.example.com' }
    expect(gist(await site.postBy('/auth/logout', session, from))).toEqual(SIGNED_OUT)
  })

  it('refuses two cookies of the name, of which one is somebody else’s', async () => {
    const site = await start()
    const [mine, his] = [await site.signIn(), await site.signIn()]
    site.scene.takeCalls()
    const cookie = `${COOKIE}=${his.refreshToken}; ${COOKIE}=${mine.refreshToken}`
    for (const path of ['/auth/logout', '/auth/refresh']) {
      const answer = await site.post(path, { ...OWN, cookie })
      expect(gist(answer)).toEqual({ status: 400, text: word('bad_request') })
    }
    expect(site.scene.takeCalls()).toEqual([])
  })

  it('has nothing to do without a cookie, and clears it', async () => {
    const site = await start()
    expect(gist(await site.postBy('/auth/logout', {}))).toEqual(SIGNED_OUT)
    expect(site.scene.takeCalls()).toEqual([])
  })

  it('ends the session of the cookie, whosever access token is sent along', async () => {
    const site = await start()
    const [mine, other] = [await site.signIn(), await site.signIn()]
    const mixed = { refreshToken: mine.refreshToken, accessToken: other.accessToken }
    expect(gist(await site.postBy('/auth/logout', mixed))).toEqual(SIGNED_OUT)
    expect(gist(await site.me(mine.accessToken))).toEqual(INVALID_TOKEN)
    expect((await site.me(other.accessToken)).status).toBe(200)
  })

  it('says 204 of a session that is over, by its access token', async () => {
    const site = await start()
    const session = await site.signIn()
    await site.postBy('/auth/logout', session)
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
  })

  it('does not say that it ended what it did not: a dead refresh token, and what is none', async () => {
    const site = await start()
    const { accessToken } = await site.signIn()
    // Of a session that this process has never seen.
    const elsewhere = site.scene.createClient()
    const dead = await site.scene.signIn(site.scene.user, elsewhere)
    await elsewhere.revokeRefreshToken(dead)
    const hopeless = [
      { refreshToken: dead.refreshToken, accessToken: 'garbage' },
      { refreshToken: 'garbage', accessToken: 'garbage' },
      { refreshToken: accessToken, accessToken: 'garbage' },
      { refreshToken: accessToken, accessToken },
    ]
    for (const each of hopeless) {
      const answer = await site.postBy('/auth/logout', each)
      expect(gist(answer)).toEqual({ ...UNAUTHORIZED, cookies: [CLEARED] })
    }
    expect((await site.me(accessToken)).status).toBe(200)
  })

  it('refuses a page that does not send its access token along, and does nothing', async () => {
    const site = await start()
    const { accessToken, refreshToken } = await site.signIn()
    site.scene.takeCalls()
    const answer = await site.postBy('/auth/logout', { refreshToken })
    expect(gist(answer)).toEqual({ status: 400, text: word('bad_request') })
    expect(site.scene.takeCalls()).toEqual([])
    expect((await site.me(accessToken)).status).toBe(200)
  })

  it.each([1, 2, 3])(
    'records the session by try %i of its own, where the store comes back',
    async (count) => {
      const site = await start()
      const session = await site.signIn()
      const triesOfTheClient = 3
      site.scene.store.failAdds = triesOfTheClient + count - 1
      expect(gist(await site.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
      expect(gist(await site.me(session.accessToken))).toEqual(INVALID_TOKEN)
    },
  )

  it('says 503 where the store comes back, but Cognito does not', async () => {
    const site = await start()
    const session = await site.signIn()
    site.scene.store.failAdds = 3
    site.scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(UNAVAILABLE)
    expect(gist(await site.me(session.accessToken))).toEqual(INVALID_TOKEN)
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
  })

  it('is completed by another process, by the access token alone, once the store is back', async () => {
    const site = await start()
    const another = await startAnother(site)
    const session = await site.signIn()
    site.scene.store.failAdds = 100
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(UNAVAILABLE)
    site.scene.store.failAdds = 0
    expect(gist(await another.me(session.accessToken))).not.toEqual(INVALID_TOKEN)
    expect(gist(await another.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
    expect(gist(await another.me(session.accessToken))).toEqual(INVALID_TOKEN)
  })

  it('ends the session of a refresh token that was replaced elsewhere, by its access token', async () => {
    const site = await start({ refreshTokenRotation: { feature: 'ENABLED' } })
    const session = await site.signIn()
    const fresh = await site.postBy('/auth/refresh', session)
    const another = await startAnother(site)
    expect(gist(await another.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
    expect(gist(await another.me(JSON.parse(fresh.text).accessToken))).toEqual(INVALID_TOKEN)
  })

  it('says 503 and keeps the cookie while the store is down; the second try completes it', async () => {
    const site = await start()
    const session = await site.signIn()
    site.scene.store.failAdds = 100
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(UNAVAILABLE)
    site.scene.store.failAdds = 0
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
    expect(gist(await site.me(session.accessToken))).toEqual(INVALID_TOKEN)
  })

  it('says 503 and keeps the cookie while Cognito is down, though the access token is refused already', async () => {
    const site = await start()
    const session = await site.signIn()
    site.scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(UNAVAILABLE)
    expect(gist(await site.me(session.accessToken))).toEqual(INVALID_TOKEN)
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
  })

  it('ends the session that this process remembers where Cognito cannot say which it is', async () => {
    const site = await start()
    const session = await site.signIn()
    site.scene.cognito.failNext('GetTokensFromRefreshToken', 'InternalErrorException')
    expect(gist(await site.postBy('/auth/logout', session))).toEqual(SIGNED_OUT)
    expect(gist(await site.me(session.accessToken))).toEqual(INVALID_TOKEN)
  })
})

describe('POST /auth/logout-everywhere', () => {
  it('ends every session of the user', async () => {
    const site = await start()
    const [phone, laptop] = [await site.signIn(), await site.signIn()]
    const { accessToken } = phone
    expect(gist(await site.postBy('/auth/logout-everywhere', { accessToken }))).toEqual(SIGNED_OUT)
    for (const each of [phone, laptop]) expect(gist(await site.me(each.accessToken))).toEqual(INVALID_TOKEN)
    const { refreshToken } = laptop
    expect((await site.postBy('/auth/refresh', { refreshToken })).status).toBe(401)
  })

  it('takes the access token, never the cookie alone', async () => {
    const site = await start()
    const { refreshToken } = await site.signIn()
    expect(gist(await site.postBy('/auth/logout-everywhere', { refreshToken }))).toEqual(UNAUTHORIZED)
    expect(site.scene.takeCalls()).toEqual(['InitiateAuth'])
  })

  it('refuses a token that may not act on its user', async () => {
    const site = await start()
    const { cognito, app } = site.scene
    const accessToken = cognito.minter.accessToken({ client_id: app.clientId, scope: 'openid' })
    const answer = await site.postBy('/auth/logout-everywhere', { accessToken })
    const challenge = 'Bearer error="insufficient_scope"'
    expect(gist(answer)).toEqual({ status: 403, challenge, text: word('forbidden') })
  })

  it('says 503 while the store is down, and keeps the cookie', async () => {
    const site = await start()
    const session = await site.signIn()
    site.scene.store.failAdds = 100
    expect(gist(await site.postBy('/auth/logout-everywhere', session))).toEqual(UNAVAILABLE)
  })

  it('says 503 where Cognito failed, and 401 from then on: the token is shut out already', async () => {
    const site = await start()
    const session = await site.signIn()
    site.scene.cognito.failNext('GlobalSignOut', 'InternalErrorException')
    expect(gist(await site.postBy('/auth/logout-everywhere', session))).toEqual(UNAVAILABLE)
    expect(gist(await site.postBy('/auth/logout-everywhere', session))).toEqual(INVALID_TOKEN)
    expect(gist(await site.me(session.accessToken))).toEqual(INVALID_TOKEN)
    expect(site.logged.join('')).toContain(site.scene.user.sub)
  })
})

describe('GET /me', () => {
  it('answers as RFC 6750 has it', async () => {
    const site = await start()
    const { accessToken } = await site.signIn()
    const { sub, username } = site.scene.user
    expect(gist(await site.me(accessToken))).toEqual({ status: 200, text: JSON.stringify({ sub, username }) })
    expect(gist(await site.me())).toEqual(UNAUTHORIZED)
    expect(gist(await site.me('garbage'))).toEqual(INVALID_TOKEN)
    expect(gist(await site.me(site.scene.cognito.minter.accessToken()))).toEqual(INVALID_TOKEN)
  })

  it('answers 503 with Retry-After, not 401, while the store is down', async () => {
    const site = await start()
    const { accessToken } = await site.signIn()
    site.scene.store.find = () => Promise.reject(new Error('the store is down'))
    expect(gist(await site.me(accessToken))).toEqual(UNAVAILABLE)
  })

  it('refuses two Authorization headers', async () => {
    const site = await start()
    const { accessToken } = await site.signIn()
    const bearer = ['authorization', `Bearer ${accessToken}`]
    expect((await site.meWith(bearer)).status).toBe(200)
    const twice = await site.meWith([...bearer, ...bearer])
    expect(gist(twice)).toEqual({ status: 400, text: word('bad_request') })
  })
})

describe('What the service tells', () => {
  it('has a token, password or secret only where it belongs, whatever goes wrong', async () => {
    const site = await start({ ...TWO_SESSIONS, generateSecret: true })
    const { cognito, user, app, store } = site.scene
    const secrets = [user.password, app.clientSecret ?? '']
    const answers: Answer[] = []
    for (const exception of ['NotAuthorizedException', 'InternalErrorException', 'NewException']) {
      const session = await site.signIn()
      secrets.push(session.accessToken, session.refreshToken)
      const message = `1 validation error: '${secrets.join("' '")}'`
      for (const operation of ['InitiateAuth', 'GetTokensFromRefreshToken', 'RevokeToken', 'GlobalSignOut'])
        cognito.failNext(operation, exception, { message, times: 10 })
      answers.push(await site.login(), await site.postBy('/auth/refresh', session))
      answers.push(await site.postBy('/auth/logout', session))
      answers.push(await site.postBy('/auth/logout-everywhere', session))
      cognito.clearFaults()
      cognito.clock.advance(2)
    }
    store.failAdds = 100
    const fresh = await site.signIn()
    answers.push(await site.postBy('/auth/logout', fresh), await site.me(`${fresh.accessToken}x`))
    answers.push(await site.post('/auth/login', OWN, `{"password":"${user.password}`))
    answers.push(await site.post('/nowhere'))
    const told = [...answers.map((answer) => JSON.stringify(gist(answer))), ...site.logged].join('\n')
    for (const secret of [...secrets, fresh.accessToken, fresh.refreshToken]) {
      expect(secret.length).toBeGreaterThan(10)
      expect(told).not.toContain(secret)
    }
    expect(told).not.toMatch(/eyJ[\w-]{10}/)
    expect(answers.filter(({ status }) => status < 400)).toEqual([])
  })

  it('names to its operator the session that was not ended', async () => {
    const site = await start()
    const session = await site.signIn()
    site.scene.store.failAdds = 100
    await site.postBy('/auth/logout', session)
    const lines = site.logged.map((line) => JSON.parse(line))
    const { origin_jti: originJti, sub } = JSON.parse(
      Buffer.from(session.accessToken.split('.')[1] ?? '', 'base64url').toString(),
    )
    expect(lines).toContainEqual(
      expect.objectContaining({
        code: 'revocation_incomplete',
        outcome: expect.objectContaining({ originJti, sub, store: 'failed', cognito: 'revoked' }),
      }),
    )
  })
})

describe('The settings of the service', () => {
  it.each([
    ['USER_POOL_ID', { CLIENT_ID: '1example23456789' }],
    ['CLIENT_ID', { USER_POOL_ID: 'us-east-1_AbCdEfGhI', CLIENT_ID: '' }],
  ])('are refused without %s', (name, env) => {
    expect(() => configure(env)).toThrow(name)
  })
})
