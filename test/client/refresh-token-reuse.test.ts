import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CognitoTokenClientOptions, RefreshTokenReuse } from '../../src/client/index.js'
import {
  type PartialOutcome,
  RefreshTokenReuseError,
  RevocationIncompleteError,
  SessionUnknownError,
} from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { TokenMinter } from '../../src/testing/index.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const REFRESH_LIFE = 315_360_000 + 300

/** A session whose refresh token was replaced, and whose grace period is over; the callback, as it is called. */
async function stealing(act: (reuse: RefreshTokenReuse) => void | Promise<void> = () => {}) {
  const told: RefreshTokenReuse[] = []
  const events: ObserverEvent[] = []
  const options: Partial<CognitoTokenClientOptions> = {
    observer: (event) => events.push(event),
    onRefreshTokenReuse: (reuse) => {
      told.push(reuse)
      return act(reuse)
    },
  }
  const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED' } }, options)
  const session = await scene.signIn()
  const { origin_jti } = await scene.verifier.verify(session.accessToken)
  const rotated = await scene.client.refresh(session)
  const fresh = { ...rotated, idToken: rotated.idToken ?? '' }
  scene.takeCalls()
  // A process that has seen nothing of the session.
  const other = scene.createClient(options)
  return { scene, session, fresh, told, events, other, originJti: origin_jti, options }
}

const lives = (scene: Scene) =>
  scene.store.added.map(({ expiresAt }) => expiresAt - scene.cognito.clock.now() / 1000)

describe('onRefreshTokenReuse', () => {
  it('is told the session that this process remembers, and can end it before the error is thrown', async () => {
    let outcome: PartialOutcome | undefined
    const { scene, session, fresh, told, events, originJti } = await stealing(async (reuse) => {
      outcome = await reuse.revokeSession({ reason: 'reused', actor: 'alarm' })
    })
    const { refreshToken } = session
    await expect(scene.client.refresh({ refreshToken })).rejects.toThrow(RefreshTokenReuseError)
    expect(told).toMatchObject([{ originJtis: [originJti], sub: scene.user.sub }])
    expect(outcome).toEqual({
      ...{ originJtis: [originJti], sub: scene.user.sub },
      ...{ store: 'recorded', cognito: 'revoked' },
    })
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(await scene.judge(fresh)).toBe('token_revoked')
    await expect(scene.client.refresh(fresh)).rejects.toThrow('Refresh Token has been revoked')
    expect(scene.store.added[0]?.audit).toMatchObject({ reason: 'reused', actor: 'alarm' })
    expect(lives(scene)[0]).toBeCloseTo(REFRESH_LIFE, -2)
    expect(events).toEqual([{ type: 'refresh_token_reused', sub: scene.user.sub }])
  })

  it('has Cognito told of the newest refresh token that is known, then of the reused one', async () => {
    const { scene, session, fresh } = await stealing(async (reuse) => void (await reuse.revokeSession()))
    await thrownBy(() => scene.client.refresh(session))
    const tokens = scene.cognito.calls
      .slice(-2)
      .map(({ operation, parameters }) => [operation, (parameters as { Token: string }).Token])
    expect(tokens).toEqual([
      ['RevokeToken', fresh.refreshToken],
      ['RevokeToken', session.refreshToken],
    ])
  })

  it('learns the session from tokens given along, expired as they may be, and does not take Cognito at its word', async () => {
    for (const hint of ['accessToken', 'idToken'] as const) {
      let outcome: PartialOutcome | undefined
      const { scene, session, told, other, originJti } = await stealing(async (reuse) => {
        outcome = await reuse.revokeSession()
      })
      scene.cognito.clock.advance(7_200)
      const input = { refreshToken: session.refreshToken, [hint]: session[hint] }
      await expect(other.refresh(input)).rejects.toThrow(RefreshTokenReuseError)
      expect(told).toMatchObject([{ originJtis: [originJti], sub: scene.user.sub }])
      expect(outcome).toMatchObject({ store: 'recorded', cognito: 'unknown' })
      expect(lives(scene)[0]).toBeCloseTo(REFRESH_LIFE, -2)
      scene.cognito.clock.advance(-7_200)
    }
  })

  it.each<[string, (setting: Awaited<ReturnType<typeof stealing>>) => Promise<string> | string]>([
    ['unsigned', ({ session }) => session.accessToken.replace(/\.[^.]*$/, '.')],
    ['an ID token in its place', ({ session }) => session.idToken],
    [
      "signed by another pool's keys",
      async ({ scene, session }) => {
        const claims = await scene.verifier.verify(session.accessToken)
        return (await TokenMinter.create()).sign({ ...claims })
      },
    ],
    [
      "another app client's",
      async ({ scene, session }) => {
        const claims = await scene.verifier.verify(session.accessToken)
        return scene.cognito.minter.sign({ ...claims, client_id: 'another' })
      },
    ],
  ])('learns nothing from an access token given along that is %s', async (_, hintOf) => {
    const setting = await stealing()
    const accessToken = await hintOf(setting)
    await thrownBy(() => setting.other.refresh({ refreshToken: setting.session.refreshToken, accessToken }))
    expect(setting.told).toMatchObject([{ originJtis: [], sub: undefined }])
  })

  it("ends nobody else's session by a token given along, where this process knows the session", async () => {
    const { scene, session, told } = await stealing(async (reuse) => void (await reuse.revokeSession()))
    const victim = await scene.signIn(scene.createUser())
    const { accessToken } = victim
    await thrownBy(() => scene.client.refresh({ refreshToken: session.refreshToken, accessToken }))
    expect(told).toMatchObject([{ sub: scene.user.sub }])
    expect(await scene.judge(victim)).toBe('accepted')
  })

  it('is called once for callers at once', async () => {
    const { scene, session, told } = await stealing()
    const { refreshToken } = session
    const refreshing = Array.from({ length: 5 }, () => thrownBy(() => scene.client.refresh({ refreshToken })))
    for (const error of await Promise.all(refreshing)) expect(error).toBeInstanceOf(RefreshTokenReuseError)
    expect(told).toHaveLength(1)
  })

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('a secret of its own')
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('a secret of its own'))],
    ['rejects with no error', () => Promise.reject('a secret of its own')],
  ])('hides no reuse if it %s, which is told', async (_, act) => {
    const { scene, session, events } = await stealing(act)
    const { refreshToken } = session
    const error = await thrownBy(() => scene.client.refresh({ refreshToken }))
    expect(error).toBeInstanceOf(RefreshTokenReuseError)
    expect(error.message).toMatch(/onRefreshTokenReuse failed \((Range)?Error\)/)
    expect(error.message).not.toContain('a secret of its own')
    expect(error.cause).toMatchObject({ name: 'RefreshTokenReuseException' })
    expect(events).toMatchObject([{ type: 'refresh_token_reused', error: expect.any(Error) }])
  })

  it('is told no token', async () => {
    const { scene, session, told, events } = await stealing()
    await thrownBy(() => scene.client.refresh(session))
    expect(inspect([told, events], { depth: 12, showHidden: true })).not.toContain('eyJ')
  })

  it('need not be there: the reuse is thrown, and told to the observer', async () => {
    const { scene, session, events } = await stealing()
    const client = scene.createClient({ observer: (event) => events.push(event) })
    await expect(client.refresh({ refreshToken: session.refreshToken })).rejects.toThrow(
      RefreshTokenReuseError,
    )
    expect(events).toEqual([{ type: 'refresh_token_reused' }])
  })
})

describe('revokeSession of a reused refresh token', () => {
  it('says that the session is unknown where nothing tells it, having told Cognito all the same', async () => {
    let thrown: unknown
    const { scene, session, other } = await stealing(async (reuse) => {
      thrown = await thrownBy(() => reuse.revokeSession())
    })
    await thrownBy(() => other.refresh({ refreshToken: session.refreshToken }))
    expect(thrown).toBeInstanceOf(SessionUnknownError)
    expect(thrown).toMatchObject({ outcome: { store: 'skipped', cognito: 'unknown' } })
    expect(scene.takeCalls()).toContain('RevokeToken')
    expect(scene.store.added).toEqual([])
  })

  it('knows the newest refresh token for a minute only: then Cognito may go on, and the record is what ends it', async () => {
    let outcome: PartialOutcome | undefined
    const { scene, session, fresh } = await stealing(async (reuse) => {
      outcome = await reuse.revokeSession()
    })
    const now = performance.now()
    vi.spyOn(performance, 'now').mockImplementation(() => now + 61_000)
    onTestFinished(() => void vi.restoreAllMocks())
    scene.cognito.clock.advance(61)
    await thrownBy(() => scene.client.refresh(session))
    expect(outcome).toMatchObject({ store: 'recorded', cognito: 'unknown' })
    const revoked = scene.cognito.calls.filter(({ operation }) => operation === 'RevokeToken')
    expect(revoked.map(({ parameters }) => (parameters as { Token: string }).Token)).not.toContain(
      fresh.refreshToken,
    )
    expect(await scene.judge(fresh)).toBe('token_revoked')
  })

  it('forgets the successors: none of the session is handed out of memory', async () => {
    const { scene, session, fresh } = await stealing(async (reuse) => void (await reuse.revokeSession()))
    await thrownBy(() => scene.client.refresh(session))
    const revoked = () =>
      scene.cognito.calls
        .map(({ operation, parameters }) => ({ operation, ...(parameters as { Token: string }) }))
        .filter(({ operation, Token }) => operation === 'RevokeToken' && Token === fresh.refreshToken)
    expect(revoked()).toHaveLength(1)
    scene.cognito.failNext('GetTokensFromRefreshToken', 'RefreshTokenReuseException')
    await thrownBy(() => scene.client.refresh({ refreshToken: session.refreshToken }))
    expect(revoked()).toHaveLength(1)
  })

  it('is incomplete where the store or Cognito failed, and completed by calling it again', async () => {
    for (const fault of ['store', 'cognito']) {
      const outcomes: unknown[] = []
      const { scene, session } = await stealing(async (reuse) => {
        if (fault === 'store') scene.store.failAdds = 2
        else scene.cognito.failNext('RevokeToken', 'InternalErrorException', { times: 2 })
        const error = await thrownBy(() => reuse.revokeSession())
        expect(error).toBeInstanceOf(RevocationIncompleteError)
        outcomes.push(error.outcome, await reuse.revokeSession())
      })
      const error = await thrownBy(() => scene.client.refresh(session))
      expect(error.message).not.toContain('onRefreshTokenReuse failed')
      expect(outcomes).toMatchObject([
        fault === 'store'
          ? { store: 'failed', cognito: 'revoked' }
          : { store: 'recorded', cognito: 'unknown' },
        { store: 'recorded' },
      ])
      expect(await scene.judge(session)).toBe('token_revoked')
    }
  })

  it('is incomplete without a store where Cognito has only the reused refresh token to go by', async () => {
    const { scene, session, options } = await stealing(async (reuse) => void (await reuse.revokeSession()))
    const client = scene.createClient({ ...options, store: false })
    const error = await thrownBy(() => client.refresh(session))
    expect(error.message).toContain('onRefreshTokenReuse failed (RevocationIncompleteError)')
  })

  it('refuses an audit that no store would take, before it does anything', async () => {
    const { scene, session } = await stealing(async (reuse) => {
      await reuse.revokeSession({ reason: 'x'.repeat(1_025) })
    })
    const error = await thrownBy(() => scene.client.refresh({ refreshToken: session.refreshToken }))
    expect(error.message).toContain('onRefreshTokenReuse failed (TypeError)')
    expect(scene.takeCalls()).not.toContain('RevokeToken')
    expect(scene.store.added).toEqual([])
  })
})
