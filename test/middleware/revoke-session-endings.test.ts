import { request } from 'node:http'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CognitoTokenClientOptions } from '../../src/client/index.js'
import {
  CognitoUnavailableError,
  ForbiddenError,
  SessionUnknownError,
  ThrottledError,
  WrongClientError,
} from '../../src/errors.js'
import type { RevokeSessionOptions, SessionClient } from '../../src/middleware/node/index.js'
import { revokeSessionHandler } from '../../src/middleware/node/index.js'
import type { AppClientSettings } from '../../src/testing/index.js'
import { call, listen } from '../support/http.js'
import { type Scene, type Session, useScene } from '../support/scene.js'
import { watchForUnhandled } from './harness.js'
import { nodeMount } from './logout/mount.js'
import * as is from './logout/service.js'
import { bearer, gist, LogoutService, revokerOf } from './logout/service.js'

const createScene = useScene()
const ROTATING = { refreshTokenRotation: { feature: 'ENABLED' } } as const
/** How often the client itself writes to a store that fails. */
const TRIES_OF_THE_CLIENT = 3

async function serve(scene: Scene, options: RevokeSessionOptions = {}, client?: SessionClient) {
  const service = await LogoutService.start(nodeMount, scene, options, client)
  onTestFinished(async () => void (await service.close()))
  return service
}

interface Start {
  readonly settings?: AppClientSettings
  readonly options?: RevokeSessionOptions
  readonly withRevoker?: boolean
}

/** A service that has not seen the session, as it is where there are several processes. */
async function start({ settings, options, withRevoker = false }: Start = {}) {
  const scene = createScene(settings)
  const session = await scene.signIn(scene.user, scene.createClient())
  const revoker = withRevoker ? { revoker: revokerOf(scene), storeRetriesMs: [1, 1, 1] } : {}
  const service = await serve(scene, { ...is.FROM_COOKIE, ...revoker, ...options })
  scene.takeCalls()
  return { scene, session, service }
}

const aYearFromNow = (scene: Scene) => scene.cognito.clock.now() / 1000 + 365 * 86_400

/** Lets the store be written, but not read; gives how to repair it. */
function breakReading({ store }: Scene): () => void {
  const { find } = store
  store.find = () => Promise.reject(new Error('the store is down'))
  return () => {
    store.find = find
  }
}

const breakJwks = ({ cognito }: Scene) =>
  cognito.failNext('JWKS', 'InternalErrorException', { times: Number.POSITIVE_INFINITY })

const byCookie = (service: LogoutService, { refreshToken, accessToken }: Session) =>
  service.byCookie(refreshToken, bearer(accessToken))

describe('A logout whose store fails', () => {
  it.each([1, 2, 3])('is completed by try %i of the revoker', async (count) => {
    const { scene, session, service } = await start({ withRevoker: true })
    scene.store.failAdds = TRIES_OF_THE_CLIENT + count - 1
    expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('is not done by the revoker while Cognito has not revoked', async () => {
    const { scene, session, service } = await start({ withRevoker: true })
    scene.store.failAdds = TRIES_OF_THE_CLIENT
    scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.UNAVAILABLE)
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('has a revoker that is tried so often, and is then told to its owner', async () => {
    const { scene, session, service } = await start({ withRevoker: true })
    const failed = { error: new Error('down'), count: 0 }
    const revokeSession = () => {
      failed.count += 1
      // Not a promise that rejects: that of somebody's own may throw.
      throw failed.error
    }
    const other = await serve(scene, { revoker: { revokeSession }, storeRetriesMs: [1, 1] })
    scene.store.failAdds = 100
    expect(gist(await other.byBody(session.refreshToken))).toEqual(is.UNAVAILABLE)
    expect(failed.count).toBe(2)
    expect(other.events).toEqual([
      {
        type: 'session_revocation_failed',
        error: expect.objectContaining({ code: 'revocation_incomplete' }),
        outcome: expect.objectContaining({ store: 'failed', cognito: 'revoked', sub: scene.user.sub }),
      },
    ])
    expect(service.events).toEqual([])
  })

  it('is completed later by the access token, which alone still names the session', async () => {
    const { scene, session, service } = await start()
    scene.store.failAdds = 100
    expect(gist(await byCookie(service, session))).toEqual(is.UNAVAILABLE)
    scene.store.failAdds = 0
    expect(await scene.judge(session)).toBe('accepted')
    expect(gist(await byCookie(service, session))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('is completed later without it by the process that remembers the session', async () => {
    const { scene, session, service } = await start()
    scene.store.failAdds = 100
    await service.byCookie(session.refreshToken)
    scene.store.failAdds = 0
    expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('is not said by another process to be completed without it', async () => {
    const { scene, session, service } = await start()
    scene.store.failAdds = 100
    await service.byCookie(session.refreshToken)
    scene.store.failAdds = 0
    const another = await serve(scene, is.FROM_COOKIE, scene.createClient())
    const answer = await another.byCookie(session.refreshToken)
    expect(gist(answer)).toEqual({ ...is.INVALID_GRANT, cookies: [is.CLEARED] })
    expect(await scene.judge(session)).toBe('accepted')
  })

  it('is not completed by the access token while the store is down', async () => {
    const { scene, session, service } = await start()
    scene.store.failAdds = 100
    for (let count = 0; count < 2; count++)
      expect(gist(await byCookie(service, session))).toEqual(is.UNAVAILABLE)
  })
})

describe('A logout that cannot tell whether the access token is good', () => {
  it.each([false, true])(
    'keeps the cookie while the whole store is down, and is completed after; with a revoker: %s',
    async (withRevoker) => {
      const { scene, session, service } = await start({ withRevoker })
      const completing = { ...is.FROM_COOKIE, revoker: revokerOf(scene), storeRetriesMs: [1] }
      const options = withRevoker ? completing : is.FROM_COOKIE
      const another = await serve(scene, options, scene.createClient())
      const repair = breakReading(scene)
      scene.store.failAdds = 100
      expect(gist(await byCookie(service, session))).toEqual(is.UNAVAILABLE)
      expect(gist(await byCookie(another, session))).toEqual(is.UNAVAILABLE)
      scene.store.failAdds = 0
      repair()
      expect(await scene.judge(session)).toBe('accepted')
      const third = await serve(scene, completing, scene.createClient())
      expect(gist(await byCookie(third, session))).toEqual(is.DONE_AND_CLEARED)
      expect(await scene.judge(session)).toBe('token_revoked')
    },
  )

  it('ends its session where the store cannot be read, but written', async () => {
    const { scene, session, service } = await start({ withRevoker: true })
    await scene.createClient({ store: false }).revokeRefreshToken({ refreshToken: session.refreshToken })
    const repair = breakReading(scene)
    expect(gist(await byCookie(service, session))).toEqual(is.DONE_AND_CLEARED)
    repair()
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it.each([false, true])(
    'keeps the cookie of a dead refresh token while the JWKS cannot be had; with a revoker: %s',
    async (withRevoker) => {
      const { scene, session, service } = await start({ withRevoker })
      await scene.createClient({ store: false }).revokeRefreshToken({ refreshToken: session.refreshToken })
      scene.takeCalls()
      breakJwks(scene)
      expect(gist(await byCookie(service, session))).toEqual(is.UNAVAILABLE)
      expect(scene.takeCalls()).not.toContain('RevokeToken')
      expect(service.events).toMatchObject([
        { type: 'session_revocation_failed', error: { cause: { code: 'jwks_unavailable' } } },
      ])
      scene.cognito.clearFaults()
      expect(await scene.judge(session)).toBe('accepted')
    },
  )

  it('ends the session of a planted cookie and its own where the store cannot be read, but written', async () => {
    const { scene, session: planted, service } = await start()
    const own = await scene.signIn(scene.createUser(), scene.createClient())
    const repair = breakReading(scene)
    expect(gist(await byCookie(service, { ...planted, accessToken: own.accessToken }))).toEqual(
      is.DONE_AND_CLEARED,
    )
    repair()
    expect(await scene.judge(planted)).toBe('token_revoked')
    expect(await scene.judge(own)).toBe('token_revoked')
    expect(service.events).toMatchObject([{ type: 'session_pairing_unconfirmed', refreshTokenOf: 'another' }])
  })

  it('keeps a planted cookie while the JWKS cannot be had, and ends its own session after', async () => {
    const { scene, session: planted, service } = await start()
    const own = await scene.signIn(scene.createUser(), scene.createClient())
    const mixed = { ...planted, accessToken: own.accessToken }
    breakJwks(scene)
    expect(gist(await byCookie(service, mixed))).toEqual(is.UNAVAILABLE)
    expect(service.events).toMatchObject([
      { type: 'session_revocation_failed', error: { cause: { code: 'jwks_unavailable' } } },
    ])
    scene.cognito.clearFaults()
    expect(await scene.judge(own)).toBe('accepted')
    const another = await serve(scene, { ...is.FROM_COOKIE, revoker: revokerOf(scene) }, scene.createClient())
    expect(gist(await byCookie(another, mixed))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(own)).toBe('token_revoked')
  })

  /** A service whose client ends the planted cookie's session, and fails so at the access token. */
  async function startFailing(failure: Error) {
    const { scene, session: planted } = await start()
    const own = await scene.signIn(scene.createUser(), scene.createClient())
    const revokeRefreshToken: SessionClient['revokeRefreshToken'] = (input) =>
      input.confirmPairing ? scene.client.revokeRefreshToken(input) : Promise.reject(failure)
    const service = await serve(scene, is.FROM_COOKIE, { revokeRefreshToken })
    const answer = gist(await byCookie(service, { ...planted, accessToken: own.accessToken }))
    return { answer, events: service.events }
  }

  it.each([
    ['throttles', new ThrottledError('slow down')],
    ['may be behind AWS WAF', new ForbiddenError('blocked')],
    ['cannot be asked', unknownSession(new CognitoUnavailableError('down'))],
  ])('keeps a planted cookie where Cognito %s', async (_, failure) => {
    const { answer, events } = await startFailing(failure)
    expect(answer).toEqual(is.UNAVAILABLE)
    expect(events).toMatchObject([{ type: 'session_revocation_failed', error: failure }])
  })

  it('tells the observer where Cognito makes nothing of it for another reason', async () => {
    const failure = unknownSession(new WrongClientError('not this one'))
    const { answer, events } = await startFailing(failure)
    expect(answer).toEqual(is.DONE_AND_CLEARED)
    expect(events).toEqual([{ type: 'session_revocation_failed', error: failure, outcome: failure.outcome }])
  })

  it('hands on an error that is not about the session', async () => {
    const { answer, events } = await startFailing(new RangeError('a bug'))
    expect(answer).toMatchObject({ status: 500 })
    expect(answer).not.toHaveProperty('cookies')
    expect(events).toMatchObject([{ error: { message: 'a bug' } }])
  })
})

function unknownSession(cause: Error): SessionUnknownError {
  return new SessionUnknownError('unknown', { store: 'skipped', cognito: 'skipped' }, { cause })
}

describe('An access token that is sent along', () => {
  it.each([
    ['another user', {}, (scene: Scene) => scene.createUser()],
    ['the same user', {}, (scene: Scene) => scene.user],
    ['another user, under rotation', ROTATING, (scene: Scene) => scene.createUser()],
  ])(
    'has its own session ended too where the refresh token is of another one of %s: a planted cookie',
    async (_, settings, userOf) => {
      const { scene, session: planted, service } = await start({ settings })
      const own = await scene.signIn(userOf(scene), scene.createClient())
      const mixed = { ...planted, accessToken: own.accessToken }
      expect(gist(await byCookie(service, mixed))).toEqual(is.DONE_AND_CLEARED)
      expect(await scene.judge(planted)).toBe('token_revoked')
      expect(await scene.judge(own)).toBe('token_revoked')
      expect(scene.store.added.at(-1)?.expiresAt).toBeGreaterThan(aYearFromNow(scene))
      expect(service.events).toEqual([
        {
          type: 'session_pairing_unconfirmed',
          refreshTokenOf: 'another',
          outcome: expect.objectContaining({ sub: own.sub, store: 'recorded', cognito: 'unknown' }),
        },
      ])
    },
  )

  it('is not said to be over where the store fails for its own session', async () => {
    const { scene, session: planted, service } = await start()
    const own = await scene.signIn(scene.createUser(), scene.createClient())
    const mixed = { ...planted, accessToken: own.accessToken }
    let calls = 0
    scene.store.beforeAdd = () => {
      calls += 1
      if (calls === 2) scene.store.failAdds = 100
    }
    expect(gist(await byCookie(service, mixed))).toEqual(is.UNAVAILABLE)
    scene.store.failAdds = 0
    expect(gist(await byCookie(service, mixed))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(own)).toBe('token_revoked')
  })

  it.each([
    ['forged', ({ accessToken }: Session) => `${accessToken.slice(0, -4)}AAAA`],
    ['an ID token', ({ idToken }: Session) => idToken ?? ''],
  ])('has no other session ended if it is %s', async (_, tokenOf) => {
    const { scene, session, service } = await start()
    const other = await scene.signIn(scene.createUser(), scene.createClient())
    const mixed = { ...session, accessToken: tokenOf(other) }
    expect(gist(await byCookie(service, mixed))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(other)).toBe('accepted')
    expect(service.events).toEqual([])
  })

  it('costs Cognito nothing where it is of the refresh token', async () => {
    const { scene, session, service } = await start()
    await byCookie(service, session)
    expect(scene.takeCalls()).toEqual(['GetTokensFromRefreshToken', 'RevokeToken'])
    expect(service.events).toEqual([])
  })

  it('does not hide that somebody else’s refresh token was sent: both sessions end', async () => {
    const { scene, session } = await start()
    const service = await serve(scene)
    const attacker = await scene.signIn(scene.createUser(), scene.createClient())
    const answer = await service.byBody(session.refreshToken, bearer(attacker.accessToken))
    expect(gist(answer)).toEqual(is.DONE)
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(await scene.judge(attacker)).toBe('token_revoked')
  })

  it('says of a session that is over that it is', async () => {
    const { scene, session, service } = await start()
    await byCookie(service, session)
    expect(gist(await byCookie(service, session))).toEqual(is.DONE_AND_CLEARED)
    const another = await serve(scene, { revoker: revokerOf(scene) }, scene.createClient())
    const again = await another.byBody(session.refreshToken, bearer(session.accessToken))
    expect(gist(again)).toEqual(is.DONE)
  })

  it('says nothing to another process that has no revoker', async () => {
    const { scene, session, service } = await start()
    await byCookie(service, session)
    const another = await serve(scene, {}, scene.createClient())
    const again = await another.byBody(session.refreshToken, bearer(session.accessToken))
    expect(gist(again)).toEqual(is.INVALID_GRANT)
  })

  it.each([
    ['garbage', () => 'garbage'],
    ['forged', ({ accessToken }: Session) => `${accessToken.slice(0, -4)}AAAA`],
    ['an ID token', ({ idToken }: Session) => idToken ?? ''],
  ])('names no session if it is %s', async (_, tokenOf) => {
    const { scene, session, service } = await start()
    const other = await scene.signIn(scene.user, scene.createClient())
    await scene.createClient().revokeRefreshToken(session)
    const answer = await service.byCookie(session.refreshToken, bearer(tokenOf(other)))
    expect(gist(answer)).toEqual({ ...is.INVALID_GRANT, cookies: [is.CLEARED] })
    expect(await scene.judge(other)).toBe('accepted')
  })

  it('shuts its session out where the refresh token is garbage, but nothing is said to be over', async () => {
    const { scene, session, service } = await start()
    const answer = await service.byCookie('garbage', bearer(session.accessToken))
    expect(gist(answer)).toEqual({ ...is.INVALID_GRANT, cookies: [is.CLEARED] })
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('shuts its session out for good where the refresh token is dead, and the observer hears that it may be of another', async () => {
    const { scene, session, service } = await start({ withRevoker: true })
    const other = await scene.signIn(scene.createUser(), scene.createClient())
    await scene.createClient({ store: false }).revokeRefreshToken({ refreshToken: session.refreshToken })
    const mixed = { ...session, accessToken: other.accessToken }
    expect(gist(await byCookie(service, mixed))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(other)).toBe('token_revoked')
    expect(scene.store.added.at(-1)?.expiresAt).toBeGreaterThan(aYearFromNow(scene))
    expect(await scene.judge(session)).toBe('accepted')
    expect(service.events).toEqual([
      {
        type: 'session_pairing_unconfirmed',
        refreshTokenOf: 'unknown',
        outcome: expect.objectContaining({ sub: other.sub, store: 'recorded', cognito: 'unknown' }),
      },
    ])
  })

  it('shuts its session out for a while where the refresh token is dead and there is no revoker: 400', async () => {
    const { scene, session, service } = await start()
    const other = await scene.signIn(scene.createUser(), scene.createClient())
    await scene.createClient({ store: false }).revokeRefreshToken({ refreshToken: session.refreshToken })
    const mixed = { ...session, accessToken: other.accessToken }
    expect(gist(await byCookie(service, mixed))).toEqual({ ...is.INVALID_GRANT, cookies: [is.CLEARED] })
    expect(await scene.judge(other)).toBe('token_revoked')
    expect(service.events).toMatchObject([
      { type: 'request_refused', status: 400, error: { code: 'refresh_token_revoked' } },
    ])
  })

  it('names the session of a refresh token that was replaced elsewhere', async () => {
    const { scene, session, service } = await start({ settings: ROTATING, withRevoker: true })
    const fresh = await scene.createClient().refresh(session)
    expect(gist(await byCookie(service, session))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge({ ...session, accessToken: fresh.accessToken })).toBe('token_revoked')
  })

  it('is no refresh token', async () => {
    const { scene, session, service } = await start()
    for (const token of [session.accessToken, session.idToken ?? '']) {
      const answer = await service.byCookie(token, bearer(session.accessToken))
      expect(gist(answer)).toMatchObject({ status: 400, cookies: [is.CLEARED] })
    }
    expect(scene.takeCalls()).not.toContain('GetTokensFromRefreshToken')
  })
})

describe('A logout of which Cognito makes nothing', () => {
  it.each(['InternalErrorException', 'TooManyRequestsException', 'socket hang up'])(
    'is answered 503 at %s, does nothing, and can be sent again',
    async (exception) => {
      const { scene, session, service } = await start()
      scene.cognito.failNext('GetTokensFromRefreshToken', exception)
      expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.UNAVAILABLE)
      expect(scene.takeCalls()).toEqual(['GetTokensFromRefreshToken'])
      expect(service.events).toMatchObject([
        { type: 'session_revocation_failed', outcome: { store: 'skipped', cognito: 'skipped' } },
      ])
      expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.DONE_AND_CLEARED)
      expect(await scene.judge(session)).toBe('token_revoked')
    },
  )

  it('is answered 503 where its answer to the revocation is lost, and shuts the session out', async () => {
    const { scene, session, service } = await start()
    scene.cognito.failNext('RevokeToken', 'socket hang up', { afterEffect: true })
    expect(gist(await byCookie(service, session))).toEqual(is.UNAVAILABLE)
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(gist(await byCookie(service, session))).toEqual(is.DONE_AND_CLEARED)
  })

  it('is handed on where the settings are wrong, and told to the observer', async () => {
    const { scene, session } = await start()
    const settings: Partial<CognitoTokenClientOptions> = { clientId: 'another1example23456789' }
    const service = await serve(scene, is.FROM_COOKIE, scene.createClient(settings))
    const answer = await service.byCookie(session.refreshToken)
    expect({ status: answer.status, text: answer.text }).toEqual({
      status: 500,
      text: is.HANDED_ON,
    })
    expect(answer.headers['set-cookie']).toEqual(['theme=dark'])
    expect(service.events).toMatchObject([
      { type: 'session_revocation_failed', error: { code: 'resource_not_found' } },
    ])
  })

  it('is handed on where an error comes that is not about the session, though the refresh token is dead', async () => {
    const { scene, session } = await start()
    await scene.createClient().revokeRefreshToken(session)
    const client = scene.createClient()
    const revokeRefreshToken: SessionClient['revokeRefreshToken'] = (input) =>
      input.confirmPairing ? client.revokeRefreshToken(input) : Promise.reject(new RangeError('a bug'))
    const service = await serve(scene, {}, { revokeRefreshToken })
    const { status, text } = await service.byBody(session.refreshToken, bearer(session.accessToken))
    expect([status, text]).toEqual([500, is.HANDED_ON])
    expect(service.events).toMatchObject([{ error: { message: 'a bug' } }])
  })

  it('is handed on where it turns out that the client has no store', async () => {
    const { scene, session } = await start()
    const client = scene.createClient({ store: false })
    const service = await serve(
      scene,
      {},
      { revokeRefreshToken: (input) => client.revokeRefreshToken(input) },
    )
    const { status, text } = await service.byBody(session.refreshToken)
    expect([status, text]).toEqual([500, is.HANDED_ON])
    expect(service.events).toMatchObject([
      { error: { message: expect.stringContaining('the client needs a store') } },
    ])
  })

  it('is answered 500 on node:http without `next`, in no words', async () => {
    const client = { revokeRefreshToken: () => Promise.reject(undefined) }
    const handler = revokeSessionHandler(client)
    const listening = await listen((request, response) => handler(request, response))
    onTestFinished(() => listening.close())
    const body = '{"refresh_token":"x"}'
    const answer = await call(listening.port, { method: 'POST', headers: is.JSON_TYPE, body })
    expect(gist(answer)).toEqual({
      ...{ status: 500, type: 'application/problem+json', cache: 'no-store' },
      body: { title: 'Internal Server Error', status: 500 },
    })
  })
})

describe('Ten seconds', () => {
  /** A service whose time is at a standstill, and a caller who has sent this much of a body of 21 bytes. */
  async function begin(client: SessionClient, body: string) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const handler = revokeSessionHandler(client)
    let tellArrived = () => {}
    const arrived = new Promise<void>((resolve) => {
      tellArrived = resolve
    })
    const listening = await listen((request, response) => {
      handler(request, response)
      tellArrived()
    })
    onTestFinished(() => listening.close())
    const headers = { ...is.JSON_TYPE, 'content-length': '21' }
    const sent = request({ host: '127.0.0.1', port: listening.port, method: 'POST', headers })
    const ended = new Promise<number | 'closed'>((resolve) => {
      sent.on('response', (response) => resolve(response.resume().statusCode ?? 0))
      sent.on('close', () => resolve('closed')).on('error', () => {})
    })
    sent.write(body)
    await arrived
    return { ended }
  }

  it('are what a body may take to come: then the connection is closed', async () => {
    const problems = watchForUnhandled()
    const { ended } = await begin({ revokeRefreshToken: () => Promise.reject(new Error('not called')) }, '{')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await ended).toBe('closed')
    expect(problems).toEqual([])
  })

  it('are not what a logout may take', async () => {
    let tellAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      tellAsked = resolve
    })
    const revokeRefreshToken: SessionClient['revokeRefreshToken'] = async () => {
      tellAsked()
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      return { store: 'recorded', cognito: 'revoked' }
    }
    const { ended } = await begin({ revokeRefreshToken }, '{"refresh_token":"x"}')
    await asked
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await ended).toBe(204)
  })
})

describe('A caller who goes away', () => {
  it('while the session is being ended has it ended', async () => {
    const { scene, session } = await start()
    const problems = watchForUnhandled()
    let tellAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      tellAsked = resolve
    })
    let goOn = () => {}
    const gone = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let ended: Promise<unknown> = gone
    const revokeRefreshToken: SessionClient['revokeRefreshToken'] = async (input) => {
      tellAsked()
      await gone
      const done = scene.client.revokeRefreshToken(input)
      ended = done
      return done
    }
    const service = await serve(scene, {}, { revokeRefreshToken })
    const sent = request({ host: '127.0.0.1', port: service.port, method: 'POST', headers: is.JSON_TYPE })
    sent.on('error', () => {}).end(JSON.stringify({ refresh_token: session.refreshToken }))
    await asked
    sent.destroy()
    goOn()
    await gone
    await ended
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(problems).toEqual([])
  })
})

describe('What a logout tells', () => {
  it('is a 400 where two cookies of the name come in lines of their own', async () => {
    const { scene, session, service } = await start()
    const lines = ['mine', session.refreshToken].flatMap((value) => ['cookie', `${is.COOKIE}=${value}`])
    const headers = ['host', 'localhost', ...Object.entries(is.OWN).flat(), ...lines]
    expect(gist(await service.send({ headers }))).toEqual(is.NO_TOKEN)
    expect(scene.takeCalls()).toEqual([])
  })

  it.each([
    ['joined by commas', (planted: string, own: string) => `${planted}; a=1, theme=dark; b=2, ${own}`],
    ['joined by a comma behind another', (planted: string, own: string) => `${planted}; a=1, ${own}`],
    ['of which none has the name, but for a space that is none', (planted: string) => `a=b; \xa0${planted}`],
  ])('is a 400 for cookies %s', async (_, join) => {
    const { scene, session, service } = await start()
    const cookie = join(`${is.COOKIE}=planted`, `${is.COOKIE}=${session.refreshToken}`)
    // As bytes: with a string Node would write the head, too, as UTF-8.
    const body = Buffer.from('{}')
    expect(gist(await service.send({ headers: { ...is.OWN, cookie }, body }))).toEqual(is.NO_TOKEN)
    expect(scene.takeCalls()).toEqual([])
  })

  it('is a 405 with Allow where it is no POST', async () => {
    const { scene, session, service } = await start()
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const headers = { ...is.OWN, cookie: `${is.COOKIE}=${session.refreshToken}` }
      const answer = await service.send({ method, headers })
      expect(gist(answer)).toEqual({
        ...{ status: 405, type: 'application/problem+json', cache: 'no-store', allow: 'POST' },
        body: { title: 'Method Not Allowed', status: 405, detail: 'A logout is a POST' },
      })
    }
    expect(scene.takeCalls()).toEqual([])
  })

  it('is told to the observer where it is refused', async () => {
    const { session, service } = await start()
    await service.byCookie(session.refreshToken, { 'sec-fetch-site': 'cross-site' })
    await service.byCookie('garbage')
    await service.byCookie('gar!bage')
    await service.byCookie(session.refreshToken)
    expect(service.events).toEqual([
      { type: 'request_refused', status: 403 },
      {
        type: 'request_refused',
        status: 400,
        error: expect.objectContaining({ code: 'refresh_token_invalid' }),
      },
      {
        type: 'request_refused',
        status: 400,
        error: expect.objectContaining({ code: 'not_a_refresh_token' }),
      },
    ])
  })

  it('has no token in it, whatever goes wrong', async () => {
    const { scene, service } = await start({ withRevoker: true })
    const told: string[] = []
    const secrets: string[] = []
    const exceptions = ['NotAuthorizedException', 'InternalErrorException', 'NewException']
    for (const exception of [...exceptions, 'InvalidParameterException', 'ResourceNotFoundException']) {
      for (const operation of ['GetTokensFromRefreshToken', 'RevokeToken']) {
        const session = await scene.signIn(scene.user, scene.createClient())
        secrets.push(session.refreshToken, session.accessToken)
        const message = `1 validation error: '${session.refreshToken}', '${session.accessToken}'`
        scene.cognito.failNext(operation, exception, { message, times: 10 })
        const answer = await byCookie(service, session)
        told.push(answer.text, JSON.stringify(answer.headers))
        scene.cognito.clearFaults()
      }
    }
    const events = inspect(service.events, { depth: 20, showHidden: true, maxStringLength: null })
    for (const secret of secrets) expect([...told, events].join()).not.toContain(secret)
  })

  it('comes once for a logout that is sent twice at the same time', async () => {
    const { scene, session, service } = await start()
    const answers = await Promise.all([byCookie(service, session), byCookie(service, session)])
    expect(answers.map(({ status }) => status)).toEqual([204, 204])
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})
