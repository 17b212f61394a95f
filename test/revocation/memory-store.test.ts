import { afterEach, describe, expect, it, vi } from 'vitest'
import { StoreFullError } from '../../src/errors.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import { storeConformanceTests } from '../../src/testing/index.js'

const HOUR = 3_600
const now = () => Math.floor(Date.now() / 1000)
const session = (id: string, expiresAt = now() + HOUR): Revocation => ({
  poolId: 'pool',
  scope: 'session',
  id,
  expiresAt,
})
const token = (originJti: string) => ({ poolId: 'pool', originJti, sub: 's', clientId: 'c', iat: now() })

afterEach(() => {
  vi.useRealTimers()
})

describe('MemoryRevocationStore', () => {
  const create = async () => ({ store: new MemoryRevocationStore({ heartbeatMs: 20 }) })
  for (const { name, run } of storeConformanceTests(create)) it(name, run)
})

describe('A full MemoryRevocationStore', () => {
  it('refuses a new record loudly, and goes on refusing the tokens it knows', async () => {
    const store = new MemoryRevocationStore({ maxEntries: 3 })
    await store.add([session('a'), session('b'), session('c')])
    await expect(store.add([session('d')])).rejects.toThrow(StoreFullError)
    expect(store.size).toBe(3)
    for (const id of ['a', 'b', 'c']) expect(await store.find(token(id))).toBeDefined()
  })

  it('records nothing of a call that does not fit', async () => {
    const store = new MemoryRevocationStore({ maxEntries: 2 })
    await store.add([session('a')])
    await expect(store.add([session('b'), session('c')])).rejects.toThrow(StoreFullError)
    expect(await store.find(token('b'))).toBeUndefined()
  })

  it('still takes what it has already', async () => {
    const store = new MemoryRevocationStore({ maxEntries: 1 })
    await store.add([session('a')])
    await store.add([session('a', now() + 2 * HOUR), session('a')])
    expect((await store.find(token('a')))?.expiresAt).toBeGreaterThan(now() + HOUR)
  })

  it('makes room from what has been over for an hour, and from nothing else', async () => {
    let clock = Date.now()
    const store = new MemoryRevocationStore({ maxEntries: 2, clock: () => clock })
    await store.add([session('over'), session('live', now() + 9 * HOUR)])
    clock += (2 * HOUR - 60) * 1000
    await expect(store.add([session('new')])).rejects.toThrow(StoreFullError)
    clock += 120 * 1000
    await store.add([session('new')])
    expect(await store.find(token('over'))).toBeUndefined()
    expect(await store.find(token('live'))).toBeDefined()
  })
})

describe('A MemoryRevocationStore', () => {
  it('forgets what is over as it grows, so that its size follows what is live', async () => {
    let clock = Date.now()
    const store = new MemoryRevocationStore({ clock: () => clock })
    for (let index = 0; index < 20_000; index++) {
      await store.add([session(`s${index}`, Math.floor(clock / 1000) + 1)])
      clock += 10_000
    }
    expect(store.size).toBeLessThan(3_000)
  })

  it('forgets nothing because the wall clock jumps ahead', async () => {
    const store = new MemoryRevocationStore({ maxEntries: 1 })
    await store.add([session('a')])
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 24 * HOUR * 1000 })
    await expect(store.add([session('b')])).rejects.toThrow(StoreFullError)
    expect(await store.find(token('a'))).toBeDefined()
  })

  it('takes cutoffs by the wall clock, also after a jump of it', async () => {
    const store = new MemoryRevocationStore()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR * 1000 })
    const user: Revocation = {
      poolId: 'pool',
      scope: 'user',
      id: 's',
      cutoff: now(),
      expiresAt: now() + HOUR,
    }
    await store.add([user])
    expect(await store.find(token('a'))).toMatchObject({ scope: 'user' })
    await expect(store.add([{ ...user, cutoff: now() + 301 }])).rejects.toMatchObject({
      code: 'cutoff_in_future',
    })
  })

  it('makes room in one call for what that call makes room from', async () => {
    let clock = Date.now()
    const store = new MemoryRevocationStore({ maxEntries: 1, clock: () => clock })
    await store.add([session('a', now() + 1)])
    clock += 2 * HOUR * 1000
    await expect(store.add([session('a', now() + 9 * HOUR), session('b')])).rejects.toThrow(StoreFullError)
    expect(store.size).toBeLessThanOrEqual(1)
  })

  it('hands the audit on in its feed, and keeps it out of what it decides by', async () => {
    const store = new MemoryRevocationStore()
    const controller = new AbortController()
    const feed = store.changes({ signal: controller.signal })
    await feed.next()
    const audit = { revokedAt: now(), reason: 'stolen', actor: 'security' }
    await store.add([{ ...session('a'), audit }])
    expect((await feed.next()).value).toMatchObject({ revocations: [{ id: 'a', audit }] })
    expect(await store.find(token('a'))).not.toHaveProperty('audit')
    controller.abort()
  })

  it('delivers all to a reader that is far behind', async () => {
    const store = new MemoryRevocationStore()
    const controller = new AbortController()
    const feed = store.changes({ signal: controller.signal })
    await feed.next()
    const ids = Array.from({ length: 25_000 }, (_, index) => `s${index}`)
    for (const id of ids) await store.add([session(id)])
    const seen = new Set<string>()
    while (seen.size < ids.length) {
      const { value } = await feed.next()
      for (const { id } of value?.revocations ?? []) seen.add(id)
    }
    expect(seen.size).toBe(ids.length)
    controller.abort()
  })

  it('ends its feed at once where the signal came while nobody waited for it', async () => {
    const store = new MemoryRevocationStore({ heartbeatMs: 3_600_000 })
    const controller = new AbortController()
    const feed = store.changes({ signal: controller.signal })
    await feed.next()
    controller.abort()
    expect(await feed.next()).toMatchObject({ done: true })
  })

  it('ends its feeds when closed, and still answers', async () => {
    const store = new MemoryRevocationStore()
    await store.add([session('a')])
    const feed = store.changes({ signal: new AbortController().signal })
    await feed.next()
    const last = feed.next()
    await store.close()
    expect((await last).done).toBe(true)
    expect(await store.find(token('a'))).toBeDefined()
  })

  it.each([
    ['maxEntries', { maxEntries: 0 }],
    ['maxEntries', { maxEntries: '5' }],
    ['maxEntries', { maxEntries: 1.5 }],
    ['heartbeatMs', { heartbeatMs: 0 }],
    ['heartbeatMs', { heartbeatMs: 2 ** 31 }],
    ['clock', { clock: 5 }],
    ['maxEntry', { maxEntry: 5 }],
  ])('names a wrong option: %s', (name, options) => {
    expect(() => new MemoryRevocationStore(options as never)).toThrow(TypeError)
    expect(() => new MemoryRevocationStore(options as never)).toThrow(`"${name}"`)
  })
})
