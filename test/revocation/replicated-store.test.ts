import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import {
  CutoffInFutureError,
  NotReadyError,
  StoreFullError,
  StoreUnavailableError,
} from '../../src/errors.js'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { ReplicatedRevocationStore } from '../../src/revocation/replicated-store.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { eventually, replicate, ScriptedStore, sessionOf, tokenOf, verdictOn } from './replica-scene.js'

describe('The options of a ReplicatedRevocationStore', () => {
  const two = () => [new MemoryRevocationStore(), new MemoryRevocationStore()]
  const one = new MemoryRevocationStore()

  it.each<[string, unknown, unknown, RegExp]>([
    ['no array', one, {}, /"stores".*an array of 2 to 8/],
    ['one store', [one], {}, /"stores".*2 to 8/],
    ['nine stores', Array.from({ length: 9 }, () => new MemoryRevocationStore()), {}, /"stores".*2 to 8/],
    ['what is no store', [one, {}], {}, /"stores"/],
    ['one store twice', [one, one], {}, /"stores".*twice/],
    ['a mirror', [one, new RevocationMirror(new MemoryRevocationStore())], {}, /"stores".*not under it/],
    ['a cache', [one, new CachedRevocationStore(new MemoryRevocationStore())], {}, /"stores".*not under it/],
    ['a quorum of none', two(), { writeQuorum: 0 }, /"writeQuorum"/],
    ['a quorum of more than all', two(), { writeQuorum: 3 }, /"writeQuorum"/],
    ['half a quorum', two(), { writeQuorum: 1.5 }, /"writeQuorum"/],
    ['no time', two(), { timeoutMs: 0 }, /"timeoutMs"/],
    ['a writeBack that is neither', two(), { writeBack: 1 }, /"writeBack"/],
    ['an observer that is none', two(), { observer: {} }, /"observer"/],
    ['a misspelt option', two(), { quorum: 2 }, /unknown option "quorum"/],
  ])('refuse %s', (_what, stores, options, message) => {
    const create = () => new ReplicatedRevocationStore(stores as RevocationStore[], options as object)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })

  it.each([
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('make the majority of %i the quorum, %i', async (count, majority) => {
    const { store, members } = replicate(count)
    for (const member of members.slice(majority)) member.become('down')
    await store.add([sessionOf('a')])
    members[0]?.become('down')
    await expect(store.add([sessionOf('b')])).rejects.toBeInstanceOf(StoreUnavailableError)
  })
})

describe('A ReplicatedRevocationStore that is added to', () => {
  it('resolves when a quorum has recorded it, though another store hangs', async () => {
    const { store, members } = replicate(3)
    members[0].become('hanging')
    await store.add([sessionOf('a')])
    expect(members.map((member) => member.holds('a'))).toEqual([false, true, true])
  })

  it('rejects as soon as there can be no quorum, though another store hangs', async () => {
    const { store, members } = replicate(3, { timeoutMs: 3_600_000 })
    members[0].become('down')
    members[1].become('down')
    members[2]?.become('hanging')
    await expect(store.add([sessionOf('a')])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'Fewer than 2 of 3 stores have recorded it; see cause.errors',
      cause: { errors: [new Error('the store is down'), new Error('the store is down')] },
    })
  })

  it('rejects when a store that is needed does not answer in time', async () => {
    const { store, members } = replicate(2, { timeoutMs: 20 })
    members[0].become('hanging')
    await expect(store.add([sessionOf('a')])).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it('has recorded it where it could, though too few have: there it is found', async () => {
    const { store, members } = replicate(2)
    members[0].become('down')
    await expect(store.add([sessionOf('a')])).rejects.toThrow()
    expect(await verdictOn(store, 'a')).toBe('revoked')
  })

  it('asks no store at all for a call that has a bad record in it', async () => {
    const { store, members } = replicate(2)
    const future = Date.now() / 1000 + 1_000
    await expect(store.add([sessionOf('a'), sessionOf('')])).rejects.toBeInstanceOf(TypeError)
    await expect(
      store.add([sessionOf('a'), { ...sessionOf('b'), scope: 'user', cutoff: future }]),
    ).rejects.toBeInstanceOf(CutoffInFutureError)
    expect(members.map(({ adds }) => adds)).toEqual([0, 0])
  })

  it.each([
    ['a refusal', new TypeError('not by me')],
    ['a cutoff that all take for future', new CutoffInFutureError('check')],
  ])('tells of %s where all stores refuse it, also one after the other', async (_what, error) => {
    const { store, members } = replicate(2)
    members[0].beforeAdd = () => Promise.reject(error)
    members[1].beforeAdd = () => sleep(10).then(() => Promise.reject(error))
    await expect(store.add([sessionOf('a')])).rejects.toBe(error)
  })

  it.each([
    ['has recorded it', 'up', 1],
    ['is down', 'down', 1],
    ['did not answer', 'hanging', 2],
  ] as const)('does not say that it is refused where another store %s', async (_what, state, errors) => {
    const { store, members } = replicate(2, { timeoutMs: 50 })
    members[1].beforeAdd = () => Promise.reject(new CutoffInFutureError('its clock is behind'))
    members[0].become(state)
    const failure = await store.add([sessionOf('a')]).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StoreUnavailableError)
    expect((failure as { cause: AggregateError }).cause.errors.length).toBeGreaterThanOrEqual(errors)
  })

  it('tells of a store that is full, rather than of one that is down', async () => {
    const { store, members } = replicate(3, { writeQuorum: 2 })
    members[0].become('down')
    members[1].beforeAdd = () => Promise.reject(new StoreFullError('full'))
    await expect(store.add([sessionOf('a')])).rejects.toBeInstanceOf(StoreFullError)
  })

  it('does not acknowledge what took too long because the process was stopped', async () => {
    const { store, members } = replicate(2)
    let now = performance.now()
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    members[1].beforeAdd = () => {
      now += 2_001
    }
    await expect(store.add([sessionOf('a')])).rejects.toBeInstanceOf(StoreUnavailableError)
  })

  it('gives each store records of its own', async () => {
    const { store, members } = replicate(2)
    members[0].beforeAdd = ([record]) => Object.assign(record ?? {}, { id: 'another' })
    const record = sessionOf('a', { audit: { revokedAt: 1 } })
    await store.add([record])
    expect(record.id).toBe('a')
    expect(members[1].holds('a')).toBe(true)
  })

  it('takes records as they are now, whatever the caller does with them next', async () => {
    const { store, members } = replicate(3)
    members[2]?.become('down')
    const record = { ...sessionOf('a') }
    const adding = store.add([record])
    record.id = 'b'
    await adding
    members[2]?.become('up')
    await eventually(() => expect(members.map((member) => member.holds('a'))).toEqual([true, true, true]))
  })
})

describe('What a store has not recorded', () => {
  it('is tried again until it has, and the observer is told of both', async () => {
    const { store, members, eventsOf } = replicate(3)
    members[0].become('down')
    await store.add([sessionOf('a'), sessionOf('b')])
    await eventually(() => expect(members[0].adds).toBeGreaterThan(2))
    members[0].become('up')
    await eventually(() => expect([members[0].holds('a'), members[0].holds('b')]).toEqual([true, true]))
    expect(eventsOf('replica_write_failed')).toEqual([
      { type: 'replica_write_failed', replica: 1, entries: 2, error: new Error('the store is down') },
    ])
    await eventually(() => {
      const completed = eventsOf('replica_write_completed')
      expect(completed.every((event) => 'replica' in event && event.replica === 1)).toBe(true)
      expect(completed.reduce((sum, event) => sum + ('entries' in event ? event.entries : 0), 0)).toBe(2)
    })
  })

  it('is tried again also where it did not answer in time', async () => {
    const { store, members } = replicate(3, { timeoutMs: 20 })
    members[0].become('hanging')
    await store.add([sessionOf('a')])
    await sleep(40)
    members[0].become('up')
    await eventually(() => expect(members[0].holds('a')).toBe(true))
  })

  it('is tried again also where the whole call has failed', async () => {
    const { store, members } = replicate(2)
    members[0].become('down')
    await expect(store.add([sessionOf('a')])).rejects.toThrow()
    members[0].become('up')
    await eventually(() => expect(members[0].holds('a')).toBe(true))
  })

  it('is merged while it waits', async () => {
    const { store, members, eventsOf } = replicate(3)
    members[0].become('down')
    const user = { ...sessionOf('jane'), scope: 'user' } as const
    await store.add([{ ...user, cutoff: 200, expiresAt: user.expiresAt - 10 }])
    await store.add([{ ...user, cutoff: 100 }])
    members[0].become('up')
    await eventually(() => expect(eventsOf('replica_write_completed')).toMatchObject([{ entries: 1 }]))
    const found = await members[0].find({ ...tokenOf('x'), sub: 'jane', iat: 150 })
    expect(found).toEqual({ ...user, cutoff: 200 })
  })

  it('is dropped, and told, where the store refuses it for good', async () => {
    const { store, members, eventsOf } = replicate(3)
    members[0].beforeAdd = () => Promise.reject(new TypeError('not by me'))
    await store.add([sessionOf('a')])
    expect(eventsOf('replica_write_dropped')).toMatchObject([{ replica: 1, entries: 1 }])
    await sleep(150)
    expect(members[0].adds).toBe(1)
  })

  it('goes on without the records that a store refuses among others', async () => {
    const { store, members, eventsOf } = replicate(3)
    members[0].become('down')
    await store.add(['a', 'bad', 'b', 'c', 'd'].map((id) => sessionOf(id)))
    members[0].beforeAdd = (records) => {
      if (records.some(({ id }) => id === 'bad')) throw new TypeError('not by me')
    }
    members[0].become('up')
    await eventually(() => expect(['a', 'b', 'c', 'd'].every((id) => members[0].holds(id))).toBe(true))
    expect(eventsOf('replica_write_dropped')).toMatchObject([{ entries: 1 }])
  })

  it('is dropped, and told, where more than 10,000 records wait', async () => {
    const { store, members, eventsOf } = replicate(3)
    members[0].become('down')
    await store.add(Array.from({ length: 10_003 }, (_, index) => sessionOf(`${index}`)))
    expect(eventsOf('replica_write_dropped')).toMatchObject([{ replica: 1, entries: 3 }])
  })

  it('reaches a store that takes too long for so many at once, in ever smaller batches', async () => {
    const { store, members, eventsOf } = replicate(3, { timeoutMs: 20 })
    const ids = Array.from({ length: 16 }, (_, index) => `${index}`)
    members[0].beforeAdd = () => Promise.reject(new Error('not yet'))
    await store.add(ids.map((id) => sessionOf(id)))
    members[0].beforeAdd = (records) => (records.length > 4 ? new Promise(() => {}) : undefined)
    await eventually(() => {
      const completed = eventsOf('replica_write_completed')
      expect(completed.reduce((sum, event) => sum + ('entries' in event ? event.entries : 0), 0)).toBe(16)
    })
  })

  it('may take a store longer than it has to answer', async () => {
    const { store, members, eventsOf } = replicate(3, { timeoutMs: 40 })
    members[0].beforeAdd = () => sleep(100)
    await store.add([sessionOf('a')])
    await eventually(() => expect(eventsOf('replica_write_completed')).toHaveLength(1))
  })

  it('does not look over because the wall clock was set forwards', async () => {
    const { store, members, eventsOf } = replicate(3)
    members[0].become('down')
    await store.add([sessionOf('a')])
    const real = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => real() + 3 * 3_600_000)
    const { adds } = members[0]
    await eventually(() => expect(members[0].adds).toBeGreaterThan(adds + 1))
    vi.restoreAllMocks()
    members[0].become('up')
    await eventually(() => expect(members[0].holds('a')).toBe(true))
    expect(eventsOf('replica_write_dropped')).toEqual([])
  })

  it('is told of where it is over', async () => {
    const { store, members, eventsOf } = replicate(3)
    members[0].become('down')
    await store.add([sessionOf('a', { expiresAt: Math.floor(Date.now() / 1000) - 4_000 })])
    await eventually(() =>
      expect(eventsOf('replica_write_dropped')).toMatchObject([{ replica: 1, entries: 1 }]),
    )
  })

  it('is not tried after close', async () => {
    const { store, members } = replicate(3)
    members[0].become('down')
    await store.add([sessionOf('a')])
    await store.close()
    const { adds } = members[0]
    await sleep(150)
    expect(members[0].adds).toBe(adds)
  })
})

describe('A look-up in a ReplicatedRevocationStore', () => {
  it('is decided by the first hit, though the other stores hang', async () => {
    const { store, members } = replicate(3, { timeoutMs: 3_600_000 })
    await members[2]?.memory.add([sessionOf('a')])
    members[0].become('hanging')
    members[1].become('hanging')
    expect(await verdictOn(store, 'a')).toBe('revoked')
  })

  it.each([
    [2, 2, 1],
    [2, 1, 2],
    [3, 2, 2],
    [3, 3, 1],
    [3, 1, 3],
    [5, 3, 3],
  ])(
    'of %i stores, of which %i record, needs %i to say that it is not revoked',
    async (count, writeQuorum, needed) => {
      const { store, members } = replicate(count, { writeQuorum })
      for (const member of members.slice(needed)) member.become('down')
      expect(await verdictOn(store, 'a')).toBe('good')
      members[0].become('down')
      expect(await verdictOn(store, 'a')).toBe('store_unavailable')
    },
  )

  it('is decided by a hit also where the others have failed before', async () => {
    const { store, members } = replicate(3, { writeQuorum: 1 })
    await members[2]?.memory.add([sessionOf('a')])
    members[0].become('down')
    members[1].become('down')
    members[2]?.become('late')
    expect(await verdictOn(store, 'a')).toBe('revoked')
    expect(await verdictOn(store, 'good')).toBe('store_unavailable')
  })

  it('does not wait for a store that hangs where the others suffice', async () => {
    const { store, members } = replicate(3, { timeoutMs: 3_600_000 })
    members[0].become('hanging')
    expect(await verdictOn(store, 'a')).toBe('good')
  })

  it('is unknown where a store that is needed does not answer in time', async () => {
    const { store, members } = replicate(3, { timeoutMs: 20 })
    members[0].become('hanging')
    members[1].become('hanging')
    expect(await verdictOn(store, 'a')).toBe('store_unavailable')
  })

  it.each([null, false, {}, 'no', { scope: 'everything' }])('takes %j for no answer', async (answer) => {
    const { store, members } = replicate(2, { writeQuorum: 1 })
    members[0].answer = () => answer
    await expect(store.find(tokenOf('a'))).rejects.toMatchObject({
      cause: { errors: [expect.objectContaining({ code: 'store_protocol' })] },
    })
  })

  it('takes what a store throws at once for no answer', async () => {
    const { store, members } = replicate(2)
    vi.spyOn(members[0], 'find').mockImplementation(() => {
      throw new Error('at once')
    })
    expect(await verdictOn(store, 'a')).toBe('good')
  })

  it('does not believe "not revoked" that comes after the process was stopped', async () => {
    const { store, members } = replicate(2, { timeoutMs: 1_000 })
    let now = performance.now()
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    for (const member of members) {
      member.answer = () => {
        now += 10_000
        return undefined
      }
    }
    expect(await verdictOn(store, 'a')).toBe('store_unavailable')
  })

  it('tells once of a store that does not answer, until it does', async () => {
    const { store, members, eventsOf } = replicate(3)
    for (const state of ['down', 'up', 'down'] as const) {
      members[1].become(state)
      for (let time = 0; time < 3; time++) await verdictOn(store, 'a')
    }
    expect(eventsOf('replica_unavailable')).toMatchObject([{ replica: 2 }, { replica: 2 }])
  })
})

describe('A ReplicatedRevocationStore of stores in memory', () => {
  it('answers at once, where enough of them can', async () => {
    const [a, b] = [new MemoryRevocationStore(), new MemoryRevocationStore()]
    const store = new ReplicatedRevocationStore([a, b, new ScriptedStore()])
    await b.add([sessionOf('a')])
    expect(store.findSync?.(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(store.findSync?.(tokenOf('b'))).toBeUndefined()
    expect(store.staleness()).toBe(0)
    await store.ready()
  })

  it('has no findSync where too few of them have', () => {
    const stores = [new MemoryRevocationStore(), new ScriptedStore(), new ScriptedStore()]
    expect(new ReplicatedRevocationStore(stores).findSync).toBeUndefined()
  })

  it('throws NotReadyError where too few can answer just now', async () => {
    const [a, b] = [new MemoryRevocationStore(), new MemoryRevocationStore()]
    vi.spyOn(b, 'findSync').mockImplementation(() => {
      throw new NotReadyError('not yet')
    })
    const store = new ReplicatedRevocationStore([a, b], { writeQuorum: 1 })
    await a.add([sessionOf('a')])
    expect(store.findSync?.(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(() => store.findSync?.(tokenOf('b'))).toThrow(NotReadyError)
  })

  it('is ready when a read quorum is', async () => {
    const stores = [0, 1, 2].map(() => new MemoryRevocationStore() as RevocationStore)
    for (const [index, store] of stores.entries()) {
      store.ready = index === 0 ? () => new Promise(() => {}) : async () => {}
    }
    await new ReplicatedRevocationStore(stores).ready()
    Object.assign(stores[1] as object, { ready: () => Promise.reject(new Error('never')) })
    Object.assign(stores[0] as object, { ready: () => Promise.reject(new Error('never')) })
    await expect(new ReplicatedRevocationStore(stores).ready()).rejects.toMatchObject({
      code: 'store_unavailable',
    })
  })

  it('leaves the stores open when it is closed', async () => {
    const stores = [new MemoryRevocationStore(), new MemoryRevocationStore()]
    const closes = stores.map((each) => vi.spyOn(each, 'close'))
    const store = new ReplicatedRevocationStore(stores)
    await store[Symbol.asyncDispose]()
    for (const close of closes) expect(close).not.toHaveBeenCalled()
  })
})
