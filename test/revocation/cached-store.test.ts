import { afterEach, describe, expect, it, vi } from 'vitest'
import { NotReadyError, StoreProtocolError } from '../../src/errors.js'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation, RevocationMatch } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { storeConformanceTests } from '../../src/testing/index.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

const now = () => Math.floor(Date.now() / 1000)
const token: TokenIdentity = { poolId: 'pool', originJti: 'o', sub: 's', clientId: 'c', iat: now() }
const revocation: Revocation = { poolId: 'pool', scope: 'session', id: 'o', expiresAt: now() + 3_600 }

/** A store whose answers the test gives when it likes. */
class AskedStore implements RevocationStore {
  readonly memory = new MemoryRevocationStore()
  readonly questions: { answer: (match?: RevocationMatch) => void; fail: (error: Error) => void }[] = []
  held = false

  add = (revocations: readonly Revocation[]) => this.memory.add(revocations)

  find = (identity: TokenIdentity) =>
    new Promise<RevocationMatch | undefined>((resolve, reject) => {
      this.questions.push({ answer: resolve, fail: reject })
      if (!this.held) this.memory.find(identity).then(resolve, reject)
    })
}

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('CachedRevocationStore', () => {
  const create = async () => ({
    store: new CachedRevocationStore(new MemoryRevocationStore({ heartbeatMs: 20 })),
  })
  for (const { name, run } of storeConformanceTests(create)) it(name, run)
})

describe('A CachedRevocationStore', () => {
  it('asks the store once for a token that comes again', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store)
    for (let time = 0; time < 3; time++) expect(await cache.find(token)).toBeUndefined()
    expect(store.questions).toHaveLength(1)
  })

  it('asks once for callers that come at the same time', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store)
    await Promise.all(Array.from({ length: 10 }, () => cache.find(token)))
    expect(store.questions).toHaveLength(1)
  })

  it('does not let those who came later believe an answer that took longer than ttlMs', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 1_000 })
    store.held = true
    const first = cache.find(token)
    vi.advanceTimersByTime(900)
    await store.memory.add([revocation])
    const second = cache.find(token)
    vi.advanceTimersByTime(200)
    store.held = false
    store.questions[0]?.answer(undefined)
    expect(await first).toBeUndefined()
    expect(await second).toMatchObject({ id: 'o' })
  })

  it('is as old as the store is behind, and ttlMs', () => {
    const store = Object.assign(new MemoryRevocationStore(), { staleness: () => 300 })
    expect(new CachedRevocationStore(store, { ttlMs: 1_000 }).staleness()).toBe(1_300)
  })

  it('asks for each token apart', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store)
    const others = [
      { iat: token.iat + 1 },
      { authTime: 1 },
      { jti: 'j' },
      { originJti: 'p' },
      { poolId: 'q' },
    ]
    for (const other of [{}, ...others, { sub: 'x' }, { clientId: 'x' }])
      await cache.find({ ...token, ...other })
    expect(store.questions).toHaveLength(8)
  })

  it('believes "not revoked" for ttlMs from when the store was asked, not from when it answered', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 1_000 })
    store.held = true
    const found = cache.find(token)
    vi.advanceTimersByTime(900)
    store.questions[0]?.answer(undefined)
    expect(await found).toBeUndefined()
    store.held = false
    await store.memory.add([revocation])
    vi.advanceTimersByTime(99)
    expect(await cache.find(token)).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(await cache.find(token)).toMatchObject({ id: 'o' })
  })

  it('believes it no longer where the process was frozen: by either clock', async () => {
    for (const clock of ['Date', 'performance'] as const) {
      vi.useFakeTimers({ toFake: [clock] })
      const store = new AskedStore()
      const cache = new CachedRevocationStore(store, { ttlMs: 60_000 })
      await cache.find(token)
      vi.advanceTimersByTime(60_000)
      await cache.find(token)
      expect(store.questions).toHaveLength(2)
      vi.useRealTimers()
    }
  })

  it('believes "revoked" for good', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 1 })
    await store.memory.add([revocation])
    await cache.find(token)
    vi.advanceTimersByTime(86_400_000)
    expect(await cache.find(token)).toMatchObject({ id: 'o' })
    expect(store.questions).toHaveLength(1)
  })

  it('shows what is added through it at once', async () => {
    const cache = new CachedRevocationStore(new AskedStore(), { ttlMs: 3_600_000 })
    expect(await cache.find(token)).toBeUndefined()
    await cache.add([revocation])
    expect(await cache.find(token)).toMatchObject({ id: 'o' })
  })

  it('keeps no answer that was asked for before something was added through it', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 3_600_000 })
    store.held = true
    const early = cache.find(token)
    await cache.add([revocation])
    store.questions[0]?.answer(undefined)
    await early
    store.held = false
    expect(await cache.find(token)).toMatchObject({ id: 'o' })
  })

  it('does not let an older answer that comes late undo "revoked"', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 0 })
    store.held = true
    const [early, late] = [cache.find(token), cache.find(token)]
    store.questions[1]?.answer(revocation)
    expect(await late).toMatchObject({ id: 'o' })
    store.questions[0]?.answer(undefined)
    expect(await early).toBeUndefined()
    expect(cache.findSync(token)).toMatchObject({ id: 'o' })
  })

  it('shares no question from before with those who come after something was added through it', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 3_600_000 })
    store.held = true
    const early = cache.find(token)
    await cache.add([revocation])
    store.held = false
    expect(await cache.find(token)).toMatchObject({ id: 'o' })
    store.questions[0]?.answer(undefined)
    expect(await early).toBeUndefined()
    expect(await cache.find(token)).toMatchObject({ id: 'o' })
  })

  it('asks anew after an addition that failed, since it may have been recorded all the same', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 3_600_000 })
    await cache.find(token)
    store.add = async (revocations) => {
      await store.memory.add(revocations)
      throw new Error('the answer was lost')
    }
    await expect(cache.add([revocation])).rejects.toThrow('the answer was lost')
    expect(await cache.find(token)).toMatchObject({ id: 'o' })
  })

  it('hands a failure on, and keeps it for nobody', async () => {
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store)
    store.held = true
    const found = cache.find(token)
    store.questions[0]?.fail(new Error('down'))
    await expect(found).rejects.toThrow('down')
    store.held = false
    expect(await cache.find(token)).toBeUndefined()
  })

  it('does not hold up those who come later by a question that the store never answers', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const store = new AskedStore()
    const cache = new CachedRevocationStore(store, { ttlMs: 1_000 })
    store.held = true
    void cache.find(token)
    vi.advanceTimersByTime(1_000)
    store.held = false
    expect(await cache.find(token)).toBeUndefined()
  })

  it('takes nothing but an answer for an answer', async () => {
    const store = { add: async () => {}, find: async () => null as never }
    await expect(new CachedRevocationStore(store).find(token)).rejects.toThrow(StoreProtocolError)
  })

  it('answers from memory what it knows, and says so where it does not', async () => {
    const cache = new CachedRevocationStore(new AskedStore())
    expect(() => cache.findSync(token)).toThrow(NotReadyError)
    await cache.find(token)
    expect(cache.findSync(token)).toBeUndefined()
    await cache.add([revocation])
    expect(() => cache.findSync(token)).toThrow(NotReadyError)
  })

  it('has no feed over a store that has none', () => {
    expect(new CachedRevocationStore(new AskedStore()).changes).toBeUndefined()
  })

  it.each([
    ['store', undefined, {}],
    ['store', {}, {}],
    ['ttlMs', new AskedStore(), { ttlMs: -1 }],
    ['max', new AskedStore(), { max: 0 }],
    ['max', new AskedStore(), { max: 1.5 }],
    ['maxAge', new AskedStore(), { maxAge: 5 }],
  ])('names a wrong option: %s', (name, store, options) => {
    const make = () => new CachedRevocationStore(store as never, options as never)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(`"${name}"`)
  })
})
