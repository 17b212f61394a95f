import { describe, expect, it } from 'vitest'
import {
  InsufficientScopeError,
  RevocationIncompleteError,
  RevocationUnavailableError,
  TokenClaimError,
  TokenExpiredError,
  TokenRevokedError,
  TokenSignatureError,
  UserNotFoundError,
} from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const ACCESS_LIFE = 86_400 + 300
const REFRESH_LIFE = 315_360_000 + 300

const nowSeconds = (scene: Scene) => scene.cognito.clock.now() / 1000

/** Both ways to end all sessions of the scene's user. */
const WAYS: Record<string, (scene: Scene, client?: Scene['client']) => Promise<() => Promise<unknown>>> = {
  globalSignOut: async (scene, client = scene.client) => {
    const session = await scene.signIn()
    return () => client.globalSignOut(session)
  },
  adminGlobalSignOut: async (scene, client = scene.client) => {
    return () => client.adminGlobalSignOut({ username: scene.user.username })
  },
}
const OPERATION: Record<string, string> = {
  globalSignOut: 'GlobalSignOut',
  adminGlobalSignOut: 'AdminUserGlobalSignOut',
}

describe.each(Object.entries(WAYS))('%s', (name, prepare) => {
  const operation = OPERATION[name] as string

  it("ends every session of the user, and nobody else's", async () => {
    const scene = createScene()
    const sessions = [await scene.signIn(), await scene.signIn()]
    const stranger = await scene.signIn(scene.createUser())
    const signOut = await prepare(scene)
    const outcome = await signOut()
    expect(outcome).toMatchObject({
      sub: scene.user.sub,
      store: 'recorded',
      cognito: 'revoked',
      notCleared: ['managed_login_cookie'],
    })
    for (const session of sessions) {
      expect(await scene.judge(session)).toBe('token_revoked')
      await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    }
    expect(await scene.judge(stranger)).toBe('accepted')
  })

  it('lets the user sign in again a second later', async () => {
    const scene = createScene()
    await (await prepare(scene))()
    scene.cognito.clock.advance(1)
    expect(await scene.judge(await scene.signIn())).toBe('accepted')
  })

  it('writes the cutoff before Cognito is asked, and again after', async () => {
    const scene = createScene()
    const signOut = await prepare(scene)
    scene.takeCalls()
    const before: string[][] = []
    scene.store.beforeAdd = () => before.push(scene.takeCalls())
    await signOut()
    expect(before).toHaveLength(2)
    expect(before[0]).not.toContain(operation)
    expect(before[1]).toEqual([operation])
    expect(scene.store.added.map(({ scope }) => scope)).toEqual(['user', 'user'])
  })

  it('refuses what was refreshed between the first cutoff and Cognito', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const signOut = await prepare(scene)
    let minted = {}
    const { add } = scene.store
    scene.store.add = async (revocations) => {
      scene.store.add = add.bind(scene.store)
      await scene.store.add(revocations)
      scene.cognito.clock.advance(3)
      minted = await scene.client.refresh(session)
    }
    await signOut()
    expect(await scene.judge({ ...session, ...minted })).toBe('token_revoked')
  })

  it.each([
    [-250, 'behind'],
    [250, 'ahead of'],
  ])("tells cutoffs in Cognito's clock, on a machine %i s %s it", async (seconds) => {
    const scene = createScene()
    const before = await scene.signIn()
    const client = scene.createClient({ clock: () => scene.cognito.clock.now() + seconds * 1000 })
    const signOut = await prepare(scene, client)
    expect(await signOut()).toMatchObject({ cutoff: expect.closeTo(nowSeconds(scene), -1) })
    expect(await scene.judge(before)).toBe('token_revoked')
    scene.cognito.clock.advance(2)
    expect(await scene.judge(await scene.signIn())).toBe('accepted')
  })

  it.each([-400, 400, -3_600, 3_600])(
    'acknowledges nothing on a machine that is %i s off: one of the two clocks must be wrong',
    async (seconds) => {
      const scene = createScene()
      const events: ObserverEvent[] = []
      const client = scene.createClient({
        clock: () => scene.cognito.clock.now() + seconds * 1000,
        observer: (event) => events.push(event),
      })
      const error = await thrownBy(() => client.adminGlobalSignOut({ username: scene.user.username }))
      expect(error).toBeInstanceOf(RevocationIncompleteError)
      expect(error.outcome).toMatchObject({ store: 'failed', cognito: 'revoked' })
      expect((error.cause as Error).message).toContain('set the clock')
      const offsetMs = expect.closeTo(-seconds * 1000, -4)
      expect(events).toContainEqual({ type: 'clock_offset_ignored', offsetMs })
    },
  )

  it.each([
    ['InternalErrorException', 'unknown'],
    ['socket hang up', 'unknown'],
    ['TooManyRequestsException', 'failed'],
  ])('keeps the sessions shut for as long as new tokens can appear after %s', async (fault, cognito) => {
    const scene = createScene()
    const session = await scene.signIn()
    const signOut = await prepare(scene)
    scene.cognito.failNext(operation, fault)
    const error = await thrownBy(signOut)
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito, sub: scene.user.sub })
    const lives = scene.store.added.map(({ expiresAt }) => expiresAt - nowSeconds(scene))
    expect(lives).toEqual([expect.closeTo(ACCESS_LIFE, -2), expect.closeTo(REFRESH_LIFE, -2)])
    scene.cognito.clock.advance(5)
    const minted = await scene.createClient({ store: false }).refresh(session)
    expect(await scene.judge({ ...minted, idToken: minted.idToken ?? '' })).toBe('token_revoked')
    await scene.client.adminGlobalSignOut(scene.user)
    await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
  })

  it('tells an unknown outcome where Cognito never answers, and keeps the sessions shut', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    // The SDK client's own limits count here, so it is one that the library makes.
    const client = scene.createClient({
      sdk: undefined as never,
      endpoint: scene.cognito.url,
      credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
      requestTimeoutMs: 100,
    })
    const signOut = await prepare(scene, client)
    for (let attempt = 0; attempt < 3; attempt++) scene.cognito.delayNext(operation, 30_000)
    const error = await thrownBy(signOut)
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito: 'unknown' })
    expect(scene.store.added.at(-1)?.expiresAt).toBeGreaterThan(nowSeconds(scene) + ACCESS_LIFE + 60)
    expect(await scene.judge(session)).toBe('token_revoked')
    await client.close()
  })

  it('records for the longest that tokens of any app client live, whatever this one is set to', async () => {
    const scene = createScene()
    const client = scene.createClient({ accessTokenValiditySeconds: 300, refreshTokenValiditySeconds: 3_600 })
    await (await prepare(scene, client))()
    for (const { expiresAt } of scene.store.added) {
      expect(expiresAt - nowSeconds(scene)).toEqual(expect.closeTo(ACCESS_LIFE, -2))
    }
  })

  it('resolves when the store took one of the attempts after Cognito', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const signOut = await prepare(scene)
    scene.store.failAdds = 2
    expect(await signOut()).toMatchObject({ store: 'recorded', cognito: 'revoked' })
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('tells when the store failed, having signed out at Cognito', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const signOut = await prepare(scene)
    scene.store.failAdds = 3
    const error = await thrownBy(signOut)
    expect(error.outcome).toMatchObject({ store: 'failed', cognito: 'revoked' })
    await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    await scene.client.adminGlobalSignOut(scene.user)
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it.each([
    ['knows Cognito’s clock', false],
    ['is new', true],
  ])('leaves the sessions shut when a process that %s is gone after the first cutoff', async (_, isNew) => {
    const scene = createScene()
    const session = await scene.signIn()
    const signOut = await prepare(scene, isNew ? scene.createClient() : scene.client)
    const { add } = scene.store
    const recorded = new Promise<void>((resolve) => {
      scene.store.add = async (revocations) => {
        await add.call(scene.store, revocations)
        resolve()
        await new Promise(() => {})
      }
    })
    signOut().catch(() => {})
    await recorded
    scene.store.add = add
    expect(await scene.judge(session)).toBe('token_revoked')
    await scene.createClient().adminGlobalSignOut(scene.user)
    await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
  })
})

describe('globalSignOut writes nothing and asks Cognito nothing for a token that is', () => {
  it.each([
    ['expired', TokenExpiredError],
    ['revoked', TokenRevokedError],
    ['wrongly signed', TokenSignatureError],
    ['an ID token', TokenClaimError],
    ["another client's", TokenClaimError],
  ] as const)('%s', async (kind, Class) => {
    const scene = createScene()
    const session = await scene.signIn()
    const other = await createScene().signIn()
    const accessToken = {
      expired: session.accessToken,
      revoked: session.accessToken,
      'wrongly signed': session.accessToken.replace(/\.[^.]*$/, `.${other.accessToken.split('.')[2]}`),
      'an ID token': session.idToken,
      "another client's": other.accessToken,
    }[kind]
    if (kind === 'expired') scene.cognito.clock.advance(7_200)
    if (kind === 'revoked') await scene.client.revokeRefreshToken(session)
    const recorded = scene.store.added.length
    scene.takeCalls()
    await expect(scene.client.globalSignOut({ accessToken })).rejects.toThrow(Class)
    expect(scene.store.added).toHaveLength(recorded)
    expect(scene.takeCalls()).toEqual([])
  })

  it('without the scope by which a user may sign himself out', async () => {
    const scene = createScene()
    const { accessToken } = await scene.signIn()
    const claims = await scene.verifier.verify(accessToken)
    const narrow = scene.cognito.minter.sign({ ...claims, scope: 'orders/read' })
    scene.takeCalls()
    await expect(scene.client.globalSignOut({ accessToken: narrow })).rejects.toThrow(InsufficientScopeError)
    expect(scene.store.added).toEqual([])
    expect(scene.takeCalls()).toEqual([])
  })

  it('of unknown standing, since the store cannot be asked', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.store.find = async () => {
      throw new Error('down')
    }
    scene.takeCalls()
    await expect(scene.client.globalSignOut(session)).rejects.toThrow(RevocationUnavailableError)
    expect(scene.takeCalls()).toEqual([])
  })
})

describe('adminGlobalSignOut', () => {
  it('looks the sub up, by username or alias, unless it is given', async () => {
    const scene = createScene()
    const { username, sub } = scene.user
    scene.takeCalls()
    expect(await scene.client.adminGlobalSignOut({ username: `${username}@example.com` })).toMatchObject({
      sub,
    })
    expect(scene.takeCalls()).toEqual(['AdminGetUser', 'AdminUserGlobalSignOut'])
    await scene.client.adminGlobalSignOut({ username, sub })
    expect(scene.takeCalls()).toEqual(['AdminUserGlobalSignOut'])
  })

  it.each(['AccessDeniedException', 'TooManyRequestsException', 'UserNotFoundException', 'socket hang up'])(
    'needs no AdminGetUser where the sub is given: it only tells the time, and may fail by %s',
    async (exception) => {
      const scene = createScene()
      const session = await scene.signIn()
      scene.cognito.failNext('AdminGetUser', exception)
      const client = scene.createClient()
      scene.takeCalls()
      expect(await client.adminGlobalSignOut(scene.user)).toMatchObject({ cognito: 'revoked' })
      expect(scene.takeCalls()).toEqual(['AdminGetUser', 'AdminUserGlobalSignOut'])
      expect(await scene.judge(session)).toBe('token_revoked')
    },
  )

  it('asks the time no more once it knows it', async () => {
    const scene = createScene()
    const client = scene.createClient()
    await client.adminGlobalSignOut(scene.user)
    scene.takeCalls()
    await client.adminGlobalSignOut(scene.user)
    expect(scene.takeCalls()).toEqual(['AdminUserGlobalSignOut'])
  })

  it('records nothing for a user who does not exist', async () => {
    const scene = createScene()
    await expect(scene.client.adminGlobalSignOut({ username: 'nobody' })).rejects.toThrow(UserNotFoundError)
    expect(scene.store.added).toEqual([])
  })

  it('tells the store why and by whom', async () => {
    const scene = createScene()
    await scene.client.adminGlobalSignOut({ ...scene.user, reason: 'breach', actor: 'security' })
    expect(scene.store.added.at(-1)?.audit).toMatchObject({ reason: 'breach', actor: 'security' })
  })

  it('ends tokens without origin_jti as well', async () => {
    const scene = createScene({ enableTokenRevocation: false })
    const session = await scene.signIn()
    await scene.client.adminGlobalSignOut(scene.user)
    const found = await scene.store.find({
      poolId: scene.cognito.userPoolId,
      sub: scene.user.sub,
      clientId: scene.app.clientId,
      iat: JSON.parse(Buffer.from(session.accessToken.split('.')[1] ?? '', 'base64url').toString()).iat,
    })
    expect(found?.scope).toBe('user')
  })
})

describe('A process whose monotonic clock stood still, as a suspended one does', () => {
  it.each([true, false])(
    'writes no stale cutoff where Cognito fails, by adminGlobalSignOut with AdminGetUser allowed: %s',
    async (isAllowed) => {
      const scene = createScene()
      await scene.signIn()
      scene.cognito.clock.advance(200)
      const session = await scene.signIn(scene.user, scene.createClient())
      scene.cognito.clock.advance(2)
      if (!isAllowed) scene.cognito.failNext('AdminGetUser', 'AccessDeniedException')
      scene.cognito.failNext('AdminUserGlobalSignOut', 'TooManyRequestsException')
      const error = await thrownBy(() => scene.client.adminGlobalSignOut(scene.user))
      expect(error.outcome).toMatchObject({ store: 'recorded', cognito: 'failed' })
      expect(scene.store.added).toHaveLength(2)
      expect(scene.store.added[1]?.cutoff).toBeGreaterThanOrEqual(Math.floor(nowSeconds(scene)) - 1)
      expect(await scene.judge(session)).toBe('token_revoked')
    },
  )

  it('writes no stale cutoff where Cognito fails, by globalSignOut', async () => {
    const scene = createScene()
    await scene.signIn()
    scene.cognito.clock.advance(200)
    const session = await scene.signIn(scene.user, scene.createClient())
    scene.cognito.failNext('GlobalSignOut', 'InternalErrorException')
    const error = await thrownBy(() => scene.client.globalSignOut(session))
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito: 'unknown' })
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('asks the time anew before the first cutoff, which leaves no session open', async () => {
    const scene = createScene()
    await scene.client.adminGlobalSignOut(scene.user)
    scene.cognito.clock.advance(200)
    await scene.signIn(scene.user, scene.createClient())
    scene.store.added.length = 0
    scene.takeCalls()
    await scene.client.adminGlobalSignOut(scene.user)
    expect(scene.takeCalls()).toEqual(['AdminGetUser', 'AdminUserGlobalSignOut'])
    expect(scene.store.added[0]?.cutoff).toBeGreaterThanOrEqual(Math.floor(nowSeconds(scene)) - 1)
  })
})

it.each([
  ['AccessDeniedException', 'Mend that, then complete it with adminGlobalSignOut'],
  ['TooManyRequestsException', 'revoke (throttled): see cause. Complete it with adminGlobalSignOut'],
])('A global sign-out that failed by %s says what to do', async (fault, advice) => {
  const scene = createScene()
  scene.cognito.failNext('AdminUserGlobalSignOut', fault)
  const { message } = await thrownBy(() => scene.client.adminGlobalSignOut({ username: scene.user.username }))
  expect(message).toContain(advice)
})
