import { describe, expect, it, vi } from 'vitest'
import type { RevokeRefreshTokenInput } from '../../src/client/index.js'
import { RevocationIncompleteError, WrongClientError } from '../../src/errors.js'
import { Revoker } from '../../src/revocation/revoker.js'
import { type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const ACCESS_LIFE = 86_400 + 300
const REFRESH_LIFE = 315_360_000 + 300

const nowSeconds = (scene: Scene) => scene.cognito.clock.now() / 1000
const lives = (scene: Scene) => scene.store.added.map(({ expiresAt }) => expiresAt - nowSeconds(scene))
const closeTo = (seconds: number) => expect.closeTo(seconds, -2)

/** Lets a step happen, and the process be gone right after it: nothing that follows is done. */
function crashAfterAdd(scene: Scene, count: number): void {
  const add = scene.store.add.bind(scene.store)
  let left = count
  scene.store.add = async (revocations) => {
    await add(revocations)
    left -= 1
    if (left === 0) {
      scene.store.add = add
      await new Promise(() => {})
    }
  }
}

/** Starts something that will never end, and gives it time to get as far as it can. */
async function untilStuck(scene: Scene, action: () => Promise<unknown>): Promise<void> {
  let settled = false
  const done = () => {
    settled = true
  }
  void action().then(done, done)
  for (let calls = -1, turns = 0; calls !== scene.cognito.calls.length || turns < 5; turns++) {
    calls = scene.cognito.calls.length
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(settled).toBe(false)
}

describe('revokeRefreshToken', () => {
  it('has the session recorded before Cognito is asked to revoke', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const before: string[] = []
    scene.store.beforeAdd = () => before.push(...scene.takeCalls())
    await scene.client.revokeRefreshToken(session)
    expect(before).toEqual([])
    expect(scene.takeCalls()).toEqual(['RevokeToken'])
  })

  it('records for the life of an access token once Cognito has revoked', async () => {
    const scene = createScene()
    await scene.client.revokeRefreshToken(await scene.signIn())
    expect(lives(scene)).toEqual([closeTo(ACCESS_LIFE)])
  })

  it('resolves when the store took it at the second attempt', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.store.failAdds = 1
    expect(await scene.client.revokeRefreshToken(session)).toMatchObject({
      store: 'recorded',
      cognito: 'revoked',
    })
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('tells when the store failed, having ended the session at Cognito', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.store.failAdds = 2
    const error = await thrownBy(() => scene.client.revokeRefreshToken(session))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.outcome).toMatchObject({ store: 'failed', cognito: 'revoked', sub: scene.user.sub })
    expect(error.cause).toMatchObject({ message: 'the store is down' })
    await expect(scene.client.refresh(session)).rejects.toThrow()
    expect(await scene.client.revokeRefreshToken(session)).toMatchObject({
      store: 'recorded',
      cognito: 'revoked',
    })
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('asks Cognito all the same where the store hangs', async () => {
    const scene = createScene({}, { storeTimeoutMs: 50 })
    const session = await scene.signIn()
    const { add } = scene.store
    scene.store.add = () => new Promise(() => {})
    const error = await thrownBy(() => scene.client.revokeRefreshToken(session))
    expect(error.outcome).toMatchObject({ store: 'failed', cognito: 'revoked' })
    await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    scene.store.add = add
    await scene.client.revokeRefreshToken(session)
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it.each([
    ['reason', { reason: 'x'.repeat(1_025) }],
    ['actor', { actor: 5 }],
  ])('refuses an audit that no store would take, before it does anything: %s', async (name, audit) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const input = { ...session, ...audit } as never
    for (const act of ['revokeRefreshToken', 'globalSignOut', 'adminGlobalSignOut'] as const) {
      const error = await thrownBy(() => scene.client[act](input))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain(name)
    }
    expect(scene.takeCalls()).toEqual([])
    expect(scene.store.added).toEqual([])
  })

  it.each([
    ['InternalErrorException', 'unknown'],
    ['socket hang up', 'unknown'],
    ['TooManyRequestsException', 'failed'],
    ['UnauthorizedException', 'failed'],
    ['ForbiddenException', 'failed'],
  ])('keeps the session shut for as long as new tokens can appear after %s', async (fault, cognito) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.failNext('RevokeToken', fault)
    const error = await thrownBy(() => scene.client.revokeRefreshToken(session))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito, learnedFrom: 'accessToken' })
    expect(lives(scene)).toEqual([closeTo(ACCESS_LIFE), closeTo(REFRESH_LIFE)])
    const minted = await scene.createClient({ store: false }).refresh(session)
    expect(await scene.judge({ ...minted, idToken: minted.idToken ?? '' })).toBe('token_revoked')
  })

  it('completes when it is called again after a failure', async () => {
    for (const afterEffect of [false, true]) {
      const scene = createScene()
      const session = await scene.signIn()
      scene.cognito.failNext('RevokeToken', 'InternalErrorException', { afterEffect })
      await expect(scene.client.revokeRefreshToken(session)).rejects.toThrow(RevocationIncompleteError)
      const outcome = await scene.client.revokeRefreshToken(session)
      expect(outcome).toMatchObject({ store: 'recorded', cognito: 'revoked' })
      await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    }
  })

  it('records again when it is called again after all was done, since the record may have been for less', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    await scene.client.revokeRefreshToken(session)
    scene.cognito.clock.advance(600)
    expect(await scene.client.revokeRefreshToken(session)).toMatchObject({
      store: 'recorded',
      cognito: 'revoked',
    })
    expect(lives(scene).at(-1)).toEqual(closeTo(ACCESS_LIFE))
    expect(scene.store.added).toHaveLength(2)
  })

  it('says how to complete what Cognito will not tell again, and that does complete it', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.store.failAdds = 3
    const input = { ...session, confirmPairing: true }
    const error = await thrownBy(() => scene.client.revokeRefreshToken(input))
    expect(error.outcome).toMatchObject({ store: 'failed', cognito: 'revoked', learnedFrom: 'refresh' })
    expect(error.message).toContain('Revoker.revokeSession({ origin_jti: outcome.originJti }')
    const { originJti } = error.outcome as { originJti: string }
    const revoker = new Revoker({ store: scene.store, poolId: scene.cognito.userPoolId })
    await revoker.revokeSession({ origin_jti: originJti }, { cognitoConfirmed: true })
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it.each([
    ['UnauthorizedException', 'wrong_client', 'Mend that'],
    ['TooManyRequestsException', 'throttled', 'Call it again'],
    ['InternalErrorException', '', 'Call it again'],
  ])('says after %s what to do', async (fault, code, advice) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.failNext('RevokeToken', fault)
    const { message } = await thrownBy(() => scene.client.revokeRefreshToken(session))
    expect(message).toContain(code)
    expect(message).toContain(advice)
  })

  it('waits 5 s for a store, and 20 s for Cognito with its retries, unless told otherwise', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await scene.client.revokeRefreshToken(session)
    const waits = timers.mock.calls.map(([, ms]) => ms)
    expect(waits).toEqual(expect.arrayContaining([5_000, 20_000]))
    vi.restoreAllMocks()
  })

  it('records anew where the process was frozen before Cognito revoked', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.store.beforeAdd = () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 3_600_000 })
      scene.cognito.clock.advance(3 * 3_600)
    }
    await scene.client.revokeRefreshToken(session).finally(() => vi.useRealTimers())
    expect(scene.store.added).toHaveLength(2)
    expect(lives(scene).at(-1)).toBeGreaterThanOrEqual(ACCESS_LIFE - 2)
  })

  it('gives up on a client secret that never comes', async () => {
    const scene = createScene({ generateSecret: true })
    const session = await scene.signIn()
    const client = scene.createClient({ clientSecret: () => new Promise(() => {}), requestTimeoutMs: 20 })
    const error = await thrownBy(() => client.revokeRefreshToken(session))
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito: 'failed' })
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('gives up on AWS credentials that never come', async () => {
    const scene = createScene()
    const client = scene.createClient({
      sdk: undefined as never,
      endpoint: scene.cognito.url,
      credentials: () => new Promise(() => {}),
      requestTimeoutMs: 20,
    })
    const error = await thrownBy(() => client.adminGlobalSignOut({ username: scene.user.username }))
    expect(error).toMatchObject({ code: 'cognito_unavailable' })
    await client.close()
  })

  it('tells when neither the store nor Cognito did it', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.store.failAdds = 2
    scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    const error = await thrownBy(() => scene.client.revokeRefreshToken(session))
    expect(error.outcome).toMatchObject({ store: 'failed', cognito: 'unknown' })
    expect(error.message).toContain('may still accept')
  })

  it("records the caller's own session even where the refresh token turns out to be a foreign one", async () => {
    const scene = createScene()
    const own = await scene.signIn()
    const foreign = await createScene().signIn()
    const input = { ...own, refreshToken: foreign.refreshToken }
    const error = await thrownBy(() => scene.client.revokeRefreshToken(input))
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito: 'failed' })
    expect(error.cause).toBeInstanceOf(WrongClientError)
    expect(await scene.judge(own)).toBe('token_revoked')
  })

  it('records under rotation what it learned even where the successor cannot be revoked', async () => {
    const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 } })
    const session = await scene.signIn()
    scene.cognito.failNext('RevokeToken', 'InternalErrorException', { times: 2 })
    const { refreshToken } = session
    const error = await thrownBy(() => scene.client.revokeRefreshToken({ refreshToken }))
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito: 'unknown', learnedFrom: 'refresh' })
    expect(await scene.judge(session)).toBe('token_revoked')
    await expect(scene.client.revokeRefreshToken({ refreshToken })).resolves.toMatchObject({
      cognito: 'revoked',
    })
  })
})

describe('A crash in the middle of revokeRefreshToken leaves the session shut, and a new process completes it', () => {
  const given: Record<string, (session: Session) => RevokeRefreshTokenInput> = {
    'with an access token': (session) => session,
    'with the refresh token alone': ({ refreshToken }) => ({ refreshToken }),
  }

  it.each(Object.entries(given))('right after the record, %s', async (_, inputOf) => {
    const scene = createScene()
    const session = await scene.signIn()
    crashAfterAdd(scene, 1)
    await untilStuck(scene, () => scene.client.revokeRefreshToken(inputOf(session)))
    expect(await scene.judge(session)).toBe('token_revoked')
    const outcome = await scene.createClient().revokeRefreshToken(inputOf(session))
    expect(outcome).toMatchObject({ store: 'recorded', cognito: 'revoked' })
  })

  it('while Cognito has revoked and not yet answered', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.delayNext('RevokeToken', 4_000)
    await untilStuck(scene, () => scene.client.revokeRefreshToken(session))
    expect(await scene.judge(session)).toBe('token_revoked')
    const outcome = await scene.createClient().revokeRefreshToken(session)
    expect(outcome).toMatchObject({ store: 'recorded', cognito: 'revoked' })
  })

  it('before the record, while the session is being learned: it was never acknowledged, and can be ended', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.delayNext('GetTokensFromRefreshToken', 4_000)
    const { refreshToken } = session
    await untilStuck(scene, () => scene.client.revokeRefreshToken({ refreshToken }))
    expect(await scene.judge(session)).toBe('accepted')
    await scene.createClient().revokeRefreshToken({ refreshToken })
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})
