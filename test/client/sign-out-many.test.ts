import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { checkClientOptions } from '../../src/client/client-options.js'
import { createContext } from '../../src/client/create-context.js'
import type { SignOutProgress, UserToSignOut } from '../../src/client/index.js'
import { type AdminGlobalSignOutManyOptions, adminGlobalSignOutMany } from '../../src/client/sign-out-many.js'
import {
  CognitoUnavailableError,
  RevocationIncompleteError,
  SignOutInterruptedError,
  type SignOutSummary,
  ThrottledError,
  UserNotFoundError,
} from '../../src/errors.js'
import { takeMonotonicClock } from '../support/monotonic.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'
import { createSdk } from '../testing/harness.js'

const createScene = useScene()

const createUsers = (scene: Scene, count: number) => Array.from({ length: count }, () => scene.createUser())
const signOuts = (scene: Scene) => scene.takeCalls().filter((name) => name === 'AdminUserGlobalSignOut')

/**
 * Signs out many in a time that passes by waiting only, for Cognito too: so its quotas see the true pace, in no
 * time at all.
 */
function inOwnTime(scene: Scene) {
  const { cognito, store, app } = scene
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
    cognito.setConditions({})
  })
  const { clock } = cognito
  const context = createContext(
    checkClientOptions({
      userPoolId: cognito.userPoolId,
      issuer: cognito.issuer,
      sdk: createSdk(cognito.url, { maxAttempts: 1 }),
      clock: clock.now,
      store,
      ...app,
    }),
  )
  const advance = takeMonotonicClock()
  const pauses: number[] = []
  const time = {
    now: clock.now,
    sleep: async (ms: number) => {
      pauses.push(ms)
      clock.advance(ms / 1000)
      advance(ms)
    },
  }
  const startedAt = clock.now()
  return {
    pauses,
    elapsedMs: () => clock.now() - startedAt,
    signOutMany: (users: Iterable<UserToSignOut>, options?: AdminGlobalSignOutManyOptions) =>
      adminGlobalSignOutMany(context, users, options, time),
  }
}

describe('adminGlobalSignOutMany', () => {
  it('ends every session of each user, and nobody else’s', async () => {
    const scene = createScene()
    const users = createUsers(scene, 5)
    const sessions = await Promise.all(users.map((user) => scene.signIn(user)))
    const stranger = await scene.signIn()
    const summary = await scene.client.adminGlobalSignOutMany(users.map(({ username }) => ({ username })))
    expect(summary).toEqual({ done: 5, failed: 0, failures: [] })
    for (const session of sessions) {
      expect(await scene.judge(session)).toBe('token_revoked')
      await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    }
    expect(await scene.judge(stranger)).toBe('accepted')
  })

  it('looks up no sub that is given, and tells the store why and by whom', async () => {
    const scene = createScene()
    const users = createUsers(scene, 2).map(({ username, sub }) => ({ username, sub }))
    await scene.signIn()
    scene.takeCalls()
    await scene.client.adminGlobalSignOutMany(users, { reason: 'breach', actor: 'security' })
    expect(scene.takeCalls()).toEqual(Array(2).fill('AdminUserGlobalSignOut'))
    expect(scene.store.added).toHaveLength(4)
    for (const { audit } of scene.store.added)
      expect(audit).toMatchObject({ reason: 'breach', actor: 'security' })
  })

  it('tells its progress, user by user', async () => {
    const scene = createScene()
    const users = [scene.createUser(), { username: 'nobody' }, scene.createUser()]
    const told: SignOutProgress[] = []
    const onProgress = (progress: SignOutProgress) => told.push(progress)
    await scene.client.adminGlobalSignOutMany(users, { maxConcurrency: 1, onProgress })
    expect(told).toEqual([
      {
        done: 1,
        failed: 0,
        username: users[0]?.username,
        outcome: expect.objectContaining({ cognito: 'revoked' }),
      },
      { done: 1, failed: 1, username: 'nobody', error: expect.any(UserNotFoundError) },
      {
        done: 2,
        failed: 1,
        username: users[2]?.username,
        outcome: expect.objectContaining({ cognito: 'revoked' }),
      },
    ])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('no'))],
  ])('does not mind an onProgress that %s', async (_, onProgress) => {
    const scene = createScene()
    const users = createUsers(scene, 2)
    expect(await scene.client.adminGlobalSignOutMany(users, { onProgress })).toMatchObject({ done: 2 })
  })

  it('goes on after a failure, and lists it with what was done', async () => {
    const scene = createScene()
    const users = createUsers(scene, 3)
    scene.cognito.failNext('AdminUserGlobalSignOut', 'AccessDeniedException')
    const { done, failed, failures } = await scene.client.adminGlobalSignOutMany(users, { maxConcurrency: 1 })
    expect([done, failed]).toEqual([2, 1])
    expect(failures).toEqual([
      {
        username: users[0]?.username,
        error: expect.any(RevocationIncompleteError),
        outcome: expect.objectContaining({ store: 'recorded', cognito: 'failed', sub: users[0]?.sub }),
      },
    ])
  })

  it('takes what is no user for a failure of that one', async () => {
    const scene = createScene()
    const users = [undefined, 'jane', {}, { username: '' }, scene.createUser()] as never[]
    const { done, failed, failures } = await scene.client.adminGlobalSignOutMany(users)
    expect([done, failed]).toEqual([1, 4])
    for (const { username, error } of failures) {
      expect(username).toBe('')
      expect(error).toBeInstanceOf(TypeError)
    }
  })

  it('is over at once where there is nobody', async () => {
    expect(await createScene().client.adminGlobalSignOutMany([])).toEqual({
      done: 0,
      failed: 0,
      failures: [],
    })
  })

  it.each([
    ['users', undefined, {}],
    ['users', 'jane', {}],
    ['users', { username: 'jane' }, {}],
    ['ratePerSecond', [], { ratePerSecond: 26 }],
    ['ratePerSecond', [], { ratePerSecond: 0 }],
    ['maxConcurrency', [], { maxConcurrency: 0 }],
    ['maxConcurrency', [], { maxConcurrency: 1.5 }],
    ['signal', [], { signal: {} }],
    ['onProgress', [], { onProgress: 5 }],
    ['reason', [], { reason: 'x'.repeat(1_025) }],
    ['rate', [], { rate: 5 }],
  ])('refuses a wrong %s before anybody is signed out', async (name, users, options) => {
    const scene = createScene()
    const error = await thrownBy(() => scene.client.adminGlobalSignOutMany(users as never, options as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(name)
    expect(scene.takeCalls()).toEqual([])
  })
})

describe('The pace of adminGlobalSignOutMany', () => {
  it('is under what Cognito allows, so that nobody is throttled', async () => {
    const scene = createScene()
    const { signOutMany, elapsedMs } = inOwnTime(scene)
    const users = createUsers(scene, 80)
    scene.cognito.setConditions({ quotas: { UserUpdate: 25 } })
    scene.takeCalls()
    expect(await signOutMany(users)).toMatchObject({ done: 80, failed: 0 })
    expect(signOuts(scene)).toHaveLength(80)
    expect(elapsedMs()).toBeCloseTo(79 * 50, -2)
  })

  it('slows down where Cognito throttles all the same, and everybody is signed out in the end', async () => {
    const scene = createScene()
    const { signOutMany } = inOwnTime(scene)
    const users = createUsers(scene, 60)
    // Somebody else uses up most of it.
    scene.cognito.setConditions({ quotas: { UserUpdate: 6 } })
    scene.takeCalls()
    expect(await signOutMany(users)).toEqual({ done: 60, failed: 0, failures: [] })
    const asked = signOuts(scene).length
    expect(asked).toBeGreaterThan(60)
    expect(asked).toBeLessThan(120)
  })

  it('gives a user up after five tries, further and further apart, and tells what was done', async () => {
    const scene = createScene()
    const { signOutMany, pauses } = inOwnTime(scene)
    const times = Number.POSITIVE_INFINITY
    scene.cognito.failNext('AdminUserGlobalSignOut', 'TooManyRequestsException', { times })
    scene.takeCalls()
    const { username } = scene.user
    const { failures } = await signOutMany([{ username }])
    expect(failures).toMatchObject([
      { error: { cause: expect.any(ThrottledError) }, outcome: { store: 'recorded', cognito: 'failed' } },
    ])
    // The sub is known after the first try.
    expect(scene.takeCalls()).toEqual(['AdminGetUser', ...Array(5).fill('AdminUserGlobalSignOut')])
    expect(pauses).toHaveLength(4)
    expect(pauses).toEqual([...pauses].sort((one, other) => one - other))
    expect(pauses[0]).toBeGreaterThanOrEqual(500)
    expect(pauses[3]).toBeLessThanOrEqual(8_000)
  })

  it.each([
    ['AdminUserGlobalSignOut', 'TooManyRequestsException'],
    ['AdminGetUser', 'TooManyRequestsException'],
    ['AdminUserGlobalSignOut', 'InternalErrorException'],
    ['AdminUserGlobalSignOut', 'socket hang up'],
  ])('tries a user again after %s has failed by %s', async (operation, exception) => {
    const scene = createScene()
    const { signOutMany } = inOwnTime(scene)
    const { username } = scene.user
    scene.cognito.failNext(operation, exception, { times: 4 })
    expect(await signOutMany([{ username }])).toMatchObject({ done: 1, failed: 0 })
  })

  it.each(['UserNotFoundException', 'AccessDeniedException', 'InvalidParameterException'])(
    'tries nobody again after %s, which time does not mend',
    async (exception) => {
      const scene = createScene()
      const { signOutMany } = inOwnTime(scene)
      scene.cognito.failNext('AdminUserGlobalSignOut', exception)
      scene.takeCalls()
      expect(await signOutMany([scene.user])).toMatchObject({ done: 0, failed: 1 })
      expect(signOuts(scene)).toHaveLength(1)
    },
  )

  it('survives a bad day: of everybody it says whether he is shut out, and it is so', async () => {
    const scene = createScene()
    const { signOutMany } = inOwnTime(scene)
    const users = createUsers(scene, 20)
    const sessions = await Promise.all(users.map((user) => scene.signIn(user)))
    scene.cognito.setConditions({ faultRate: 0.5, seed: 11, quotas: { UserUpdate: 15 } })
    const { done, failed, failures } = await signOutMany(users.map(({ username }) => ({ username })))
    expect(done + failed).toBe(20)
    expect(failures).toHaveLength(failed)
    scene.cognito.setConditions({})
    for (const [i, session] of sessions.entries()) {
      const failure = failures.find(({ username }) => username === users[i]?.username)
      if (failure === undefined || failure.outcome?.store === 'recorded') {
        expect(await scene.judge(session)).toBe('token_revoked')
      }
    }
  })
})

/** Users without end, and how many were taken. */
function endless(scene: Scene) {
  const source = { taken: 0, ended: false }
  async function* generate() {
    try {
      for (;;) {
        source.taken += 1
        const { username, sub } = scene.createUser()
        yield { username, sub }
      }
    } finally {
      source.ended = true
    }
  }
  return { source, users: generate() }
}

describe('adminGlobalSignOutMany, of where its users come from,', () => {
  it('takes any iterable', async () => {
    const scene = createScene()
    const { username } = scene.user
    async function* generate() {
      yield { username }
    }
    const { client } = scene
    for (const users of [new Set([{ username }]), generate(), [{ username }].values()]) {
      expect(await client.adminGlobalSignOutMany(users)).toMatchObject({ done: 1 })
    }
  })

  it('takes one object that says one user after the other, also where a user is tried again', async () => {
    const scene = createScene()
    const known = createUsers(scene, 3)
    function* generate() {
      const row = { username: '', sub: '' }
      for (const user of known) yield Object.assign(row, user)
    }
    scene.cognito.failNext('AdminUserGlobalSignOut', 'TooManyRequestsException', { times: 2 })
    const told: string[] = []
    const { done } = await inOwnTime(scene).signOutMany(generate(), {
      onProgress: ({ username }) => told.push(username),
    })
    expect(done).toBe(3)
    expect(told.sort()).toEqual(known.map(({ username }) => username).sort())
    expect(new Set(scene.store.added.map(({ id }) => id)).size).toBe(3)
  })

  it('says where the failures are told that it does not keep, where it stops at an error', async () => {
    const scene = createScene()
    function* generate() {
      for (let i = 0; i < 1_001; i += 1) yield { username: '' }
      throw new Error('the file is torn')
    }
    let told = 0
    const error = await thrownBy(() =>
      inOwnTime(scene).signOutMany(generate(), {
        onProgress: ({ error: failure }) => {
          if (failure) told += 1
        },
      }),
    )
    expect((error.summary as SignOutSummary).failures).toHaveLength(1_000)
    expect(told).toBe(1_001)
    expect(error.message).toContain('onProgress')
  })

  it('reads no further ahead than it can work', async () => {
    const scene = createScene()
    const { source, users } = endless(scene)
    scene.cognito.setConditions({ latencyMs: { AdminUserGlobalSignOut: 30_000 } })
    onTestFinished(() => scene.cognito.setConditions({}))
    const controller = new AbortController()
    const client = scene.createClient({ requestTimeoutMs: 50 })
    scene.takeCalls()
    const thrown = thrownBy(() =>
      client.adminGlobalSignOutMany(users, { maxConcurrency: 3, signal: controller.signal }),
    )
    await expect.poll(() => scene.cognito.calls.at(-1)?.operation).toBe('AdminUserGlobalSignOut')
    await expect.poll(() => source.taken).toBe(3)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(source.taken).toBe(3)
    controller.abort(new Error('enough'))
    const summary = (await thrown).summary as SignOutSummary
    expect(summary).toMatchObject({ done: 0, failed: 3 })
    for (const { error } of summary.failures) expect(error.cause).toBeInstanceOf(CognitoUnavailableError)
    await expect.poll(() => source.ended).toBe(true)
  })

  it('stops at their error, having finished with those who were under way, and tells all that', async () => {
    const scene = createScene()
    const known = createUsers(scene, 2)
    async function* generate() {
      yield* known
      throw new Error('the file is torn')
    }
    const error = await thrownBy(() => scene.client.adminGlobalSignOutMany(generate()))
    expect(error).toBeInstanceOf(SignOutInterruptedError)
    expect(error).toMatchObject({
      code: 'sign_out_interrupted',
      summary: { done: 2, failed: 0, failures: [] },
      cause: { message: 'the file is torn' },
    })
    expect(error.message).toContain('leave out the first 2')
  })
})

describe('The signal of adminGlobalSignOutMany', () => {
  it('that is aborted already has nothing done', async () => {
    const scene = createScene()
    const reason = new Error('too late')
    const signal = AbortSignal.abort(reason)
    const error = await thrownBy(() => scene.client.adminGlobalSignOutMany([scene.user], { signal }))
    expect(error).toBe(reason)
    expect(scene.takeCalls()).toEqual([])
  })

  it('stops before the next user, and finishes with those who were begun with', async () => {
    const scene = createScene()
    const { users, source } = endless(scene)
    const controller = new AbortController()
    let told = 0
    const onProgress = () => {
      told += 1
      if (told === 2) controller.abort(new Error('enough'))
    }
    const error = await thrownBy(() =>
      scene.client.adminGlobalSignOutMany(users, { signal: controller.signal, onProgress }),
    )
    expect(error).toBeInstanceOf(SignOutInterruptedError)
    expect(error.cause).toMatchObject({ message: 'enough' })
    const { done, failed } = error.summary as SignOutSummary
    expect(failed).toBe(0)
    expect(done).toBe(scene.store.added.length / 2)
    expect(source.taken - done).toBeLessThanOrEqual(1)
  })

  it('ends the wait for another try, and that user counts as failed', async () => {
    const scene = createScene()
    const controller = new AbortController()
    const times = Number.POSITIVE_INFINITY
    scene.cognito.failNext('AdminUserGlobalSignOut', 'TooManyRequestsException', { times })
    const { signal } = controller
    const summary = scene.client.adminGlobalSignOutMany([scene.user], { signal })
    await expect.poll(() => scene.store.added.length).toBeGreaterThanOrEqual(2)
    controller.abort(new Error('enough'))
    // Nobody was left out, so there is nothing to go on with.
    expect(await summary).toMatchObject({
      done: 0,
      failed: 1,
      failures: [{ outcome: { store: 'recorded', cognito: 'failed' } }],
    })
  })

  it('ends the wait for a source that hangs', async () => {
    const scene = createScene()
    const controller = new AbortController()
    const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const { signal } = controller
    const thrown = thrownBy(() => scene.client.adminGlobalSignOutMany(hanging, { signal }))
    controller.abort(new Error('enough'))
    expect((await thrown).cause).toMatchObject({ message: 'enough' })
  })
})
