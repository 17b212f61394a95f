import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CognitoTokenClientOptions } from '../../src/client/index.js'
import { RefreshTokenReuseError, RefreshTokenRevokedError, SessionUnknownError } from '../../src/errors.js'
import { Revoker } from '../../src/revocation/revoker.js'
import { takeMonotonicClock } from '../support/monotonic.js'
import { type Scene, useScene } from '../support/scene.js'

const createScene = useScene()
afterEach(() => {
  vi.restoreAllMocks()
})

const GRACE_SECONDS = 10
const GET = 'GetTokensFromRefreshToken'

function rotating(retryGracePeriodSeconds = GRACE_SECONDS, options: Partial<CognitoTokenClientOptions> = {}) {
  const refreshTokenRotation = { feature: 'ENABLED', retryGracePeriodSeconds } as const
  const tokenSettings = {
    refreshTokenRotation: { enabled: true, retryGracePeriodSeconds },
    explicitAuthFlows: [],
  }
  return createScene({ refreshTokenRotation }, { tokenSettings, ...options })
}

/** Time passes, here and at Cognito. */
function passTime(scene: Scene, advance: (ms: number) => void, seconds: number): void {
  scene.cognito.clock.advance(seconds)
  advance(seconds * 1000)
}

describe('A caller that comes with a replaced refresh token', () => {
  it('gets what the first one got, without another exchange', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    scene.takeCalls()
    const second = await scene.client.refresh(session)
    expect(second).toEqual({ ...first, expiresInSeconds: expect.any(Number) })
    expect(second.expiresInSeconds).toBeLessThanOrEqual(first.expiresInSeconds)
    expect(scene.takeCalls()).toEqual([])
  })

  it('gets the newest, where that was replaced too', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    const second = await scene.client.refresh(first)
    const third = await scene.client.refresh(second)
    scene.takeCalls()
    for (const old of [session, first, second]) {
      expect(await scene.client.refresh(old)).toMatchObject({ refreshToken: third.refreshToken })
    }
    expect(scene.takeCalls()).toEqual([])
  })

  it('gets the one that is on its way', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    const [second, late] = await Promise.all([scene.client.refresh(first), scene.client.refresh(session)])
    expect(late.refreshToken).toBe(second.refreshToken)
  })

  it('gets it until the grace period is over, then Cognito has the word', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const advance = takeMonotonicClock()
    const first = await scene.client.refresh(session)
    passTime(scene, advance, GRACE_SECONDS - 1)
    expect(await scene.client.refresh(session)).toMatchObject({ refreshToken: first.refreshToken })
    passTime(scene, advance, 1)
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenReuseError)
    await expect(scene.client.refresh(first)).resolves.toBeDefined()
  })

  it('has no longer for it, where Cognito had to be asked again within the grace period', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const advance = takeMonotonicClock()
    await scene.client.refresh(session)
    passTime(scene, advance, GRACE_SECONDS - 1)
    const { find } = scene.store
    scene.store.find = async () => {
      throw new Error('the store is down')
    }
    const again = await scene.client.refresh(session)
    scene.store.find = find
    expect(await scene.client.refresh(session)).toMatchObject({ refreshToken: again.refreshToken })
    passTime(scene, advance, 1)
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenReuseError)
  })

  it('is a reuse at once where there is no grace period', async () => {
    const scene = rotating(0)
    const session = await scene.signIn()
    await scene.client.refresh(session)
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenReuseError)
  })

  it('has the grace period read from the settings, once', async () => {
    const scene = rotating(GRACE_SECONDS, { tokenSettings: undefined as never })
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    scene.takeCalls()
    for (let i = 0; i < 2; i++) {
      expect(await scene.client.refresh(session)).toMatchObject({ refreshToken: first.refreshToken })
    }
    expect(scene.takeCalls()).toEqual(['DescribeUserPoolClient'])
  })

  it('is sent to Cognito where the grace period cannot be known, or is known from before rotation', async () => {
    const before = {
      refreshTokenRotation: { enabled: false, retryGracePeriodSeconds: 0 },
      explicitAuthFlows: [],
    }
    for (const tokenSettings of [undefined as never, before]) {
      const scene = rotating(GRACE_SECONDS, { tokenSettings })
      const session = await scene.signIn()
      const first = await scene.client.refresh(session)
      scene.cognito.failNext('DescribeUserPoolClient', 'AccessDeniedException')
      scene.takeCalls()
      const second = await scene.client.refresh(session)
      expect(second.refreshToken).not.toBe(first.refreshToken)
      expect(scene.takeCalls()).toContain(GET)
      scene.cognito.clearFaults()
    }
  })

  it('is sent to Cognito where it brings another device key or other metadata', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    await scene.client.refresh({ ...session, deviceKey: 'us-east-1_device' })
    scene.takeCalls()
    await scene.client.refresh(session)
    await scene.client.refresh({ ...session, clientMetadata: { tenant: 'blue' } })
    expect(scene.takeCalls()).toEqual([GET, GET])
    await scene.client.refresh({ ...session, deviceKey: 'us-east-1_device' })
    expect(scene.takeCalls()).toEqual([])
  })

  it('is sent to Cognito where the access token of the successor is over', async () => {
    const scene = rotating()
    scene.cognito.updateClient(scene.app.clientId, { accessTokenValiditySeconds: 2 })
    const session = await scene.signIn()
    const advance = takeMonotonicClock()
    await scene.client.refresh(session)
    passTime(scene, advance, 3)
    scene.takeCalls()
    await scene.client.refresh(session)
    expect(scene.takeCalls()).toEqual([GET])
  })

  it('is sent to Cognito by a client that was closed, which keeps no tokens', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    await scene.client.refresh(session)
    await scene.client.close()
    scene.takeCalls()
    await scene.client.refresh(session)
    expect(scene.takeCalls()).toEqual([GET])
  })
})

describe('A successor of a session that was ended is not handed out', () => {
  it('by revokeRefreshToken here', async () => {
    const scene = rotating(GRACE_SECONDS, { store: false })
    const session = await scene.signIn()
    await scene.client.refresh(session)
    await scene.client.revokeRefreshToken(session)
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenRevokedError)
  })

  it('by revokeRefreshToken here, where no token tells the session', async () => {
    const scene = rotating(GRACE_SECONDS, { store: false })
    scene.cognito.updateClient(scene.app.clientId, { enableTokenRevocation: false })
    const { refreshToken } = await scene.signIn()
    await scene.client.refresh({ refreshToken })
    scene.cognito.updateClient(scene.app.clientId, { enableTokenRevocation: true })
    scene.cognito.failNext(GET, 'ForbiddenException')
    await expect(scene.client.revokeRefreshToken({ refreshToken })).rejects.toThrow(SessionUnknownError)
    await expect(scene.client.refresh({ refreshToken })).rejects.toThrow(RefreshTokenRevokedError)
  })

  it('by a sign-out of the user here', async () => {
    const scene = rotating(GRACE_SECONDS, { store: false })
    const session = await scene.signIn()
    await scene.client.refresh(session)
    await scene.client.adminGlobalSignOut(scene.user)
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenRevokedError)
  })

  it('by another process, as the store tells, and Cognito is told', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const { accessToken } = await scene.client.refresh(session)
    const revoker = new Revoker({ store: scene.store, poolId: scene.cognito.userPoolId })
    await revoker.revokeSession(await scene.verifier.verify(accessToken))
    scene.takeCalls()
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenRevokedError)
    expect(scene.takeCalls()).toEqual([GET, 'RevokeToken', 'RevokeToken'])
    await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
  })

  it('while the store cannot say: Cognito is asked', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    scene.store.find = async () => {
      throw new Error('the store is down')
    }
    const second = await scene.client.refresh(session)
    expect(second.refreshToken).not.toBe(first.refreshToken)
  })

  it('though only its access token was revoked: a fresh one is got', async () => {
    const scene = rotating()
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    const revoker = new Revoker({ store: scene.store, poolId: scene.cognito.userPoolId })
    await revoker.revokeToken(await scene.verifier.verify(first.accessToken))
    const second = await scene.client.refresh(session)
    expect(await scene.judge({ ...second, idToken: second.idToken ?? '' })).toBe('accepted')
  })
})

describe('Many callers with old and new refresh tokens during rotation', () => {
  it.each([0, 60])('never lose the session, nor get what is refused, with a grace of %i s', async (grace) => {
    const scene = rotating(grace)
    let newest = await scene.signIn()
    const seen = [newest.refreshToken]
    for (let round = 0; round < 6; round++) {
      // Without grace only those that come while the exchange is under way can be helped.
      const comeWith = grace === 0 ? seen.slice(-1) : seen.slice(-4)
      const callers = Array.from({ length: 8 }, (_, i) => comeWith[(i * 5 + round) % comeWith.length] ?? '')
      const results = await Promise.all(callers.map((refreshToken) => scene.client.refresh({ refreshToken })))
      for (const { accessToken, idToken = '' } of results) {
        expect(await scene.judge({ accessToken, idToken })).toBe('accepted')
      }
      // Whatever its place in the order of answers, each leads on.
      const last = results[round % results.length]
      newest = { ...newest, refreshToken: last?.refreshToken ?? '' }
      seen.push(newest.refreshToken)
    }
    await expect(scene.client.refresh(newest)).resolves.toBeDefined()
  })

  it('never lose it, in whatever order they come while time passes', async () => {
    const wave = fc.record({
      seconds: fc.integer({ min: 0, max: 4 }),
      callers: fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 5 }),
    })
    const advance = takeMonotonicClock()
    await fc.assert(
      fc.asyncProperty(fc.array(wave, { minLength: 2, maxLength: 6 }), async (waves) => {
        const scene = rotating()
        let seconds = 0
        const { refreshToken } = await scene.signIn()
        /** Since when each may have been replaced. */
        const usedAt = new Map<string, number>([[refreshToken, Number.POSITIVE_INFINITY]])
        let last: string[] = []
        for (const { seconds: pause, callers } of waves) {
          passTime(scene, advance, pause)
          seconds += pause
          const usable = [...usedAt]
            .filter(([, at]) => !(seconds - at >= GRACE_SECONDS))
            .map(([each]) => each)
          const chosen = callers.map((i) => usable[i % usable.length] ?? '')
          for (const each of chosen) usedAt.set(each, Math.min(usedAt.get(each) ?? seconds, seconds))
          const results = await Promise.all(
            chosen.map((each) => scene.client.refresh({ refreshToken: each })),
          )
          for (const { accessToken, idToken = '' } of results) {
            expect(await scene.judge({ accessToken, idToken })).toBe('accepted')
          }
          last = results.map((result) => result.refreshToken)
          for (const each of last) usedAt.set(each, usedAt.get(each) ?? Number.POSITIVE_INFINITY)
        }
        for (const each of last) await scene.client.refresh({ refreshToken: each })
      }),
      { numRuns: 12 },
    )
  })

  it('all end up with one refresh token, that of one exchange, when they come after each other', async () => {
    const scene = rotating(60)
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    const callers = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? session : first))
    scene.takeCalls()
    const results = await Promise.all(callers.map((caller) => scene.client.refresh(caller)))
    expect(new Set(results.map(({ refreshToken }) => refreshToken)).size).toBe(1)
    expect(scene.takeCalls()).toEqual([GET])
  })
})
