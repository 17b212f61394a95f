import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { ReplicatedRevocationStore } from '../../src/revocation/replicated-store.js'
import { afterTest, eventually, FeedLog, replicate, sessionOf, tokenOf, verdictOn } from './replica-scene.js'

describe('The feed of a ReplicatedRevocationStore', () => {
  it('is absent where one of the stores has none, so that a mirror refuses it', () => {
    const bare = { add: async () => {}, find: async () => undefined }
    const store = new ReplicatedRevocationStore([new MemoryRevocationStore(), bare])
    expect(store.changes).toBeUndefined()
    expect(() => new RevocationMirror(store)).toThrow(TypeError)
  })

  it('brings what any of the stores knows', async () => {
    const { store, members } = replicate(3)
    for (const [index, { memory }] of members.entries()) await memory.add([sessionOf(`${index}`)])
    const log = new FeedLog(store)
    await eventually(() => expect([...log.ids].sort()).toEqual(['0', '1', '2']))
  })

  it.each([
    [2, 2, 1],
    [2, 1, 2],
    [3, 2, 2],
    [3, 3, 1],
  ])('of %i stores, of which %i record, is caught up with %i of them', async (count, writeQuorum, needed) => {
    const { store, members } = replicate(count, { writeQuorum })
    for (const member of members.slice(needed - 1)) member.become('down')
    const log = new FeedLog(store)
    await eventually(() => expect(members.slice(needed - 1).every(({ openings }) => openings > 1)).toBe(true))
    await eventually(() => expect(log.batches.length).toBeGreaterThan(1))
    expect(log.batches.some(({ caughtUp }) => caughtUp)).toBe(false)
    members[needed - 1]?.become('up')
    await eventually(() => expect(log.last?.caughtUp).toBe(true))
  })

  it('goes on with fresh batches though a store dies, or hangs, that is not needed', async () => {
    for (const state of ['down', 'hanging'] as const) {
      const { store, members } = replicate(3)
      const log = new FeedLog(store)
      await log.upToDate()
      members[0].become(state)
      await store.add([sessionOf('a')])
      await log.upToDate()
      expect(log.ids.has('a')).toBe(true)
      expect(log.restarts).toBe(1)
    }
  })

  it('gives signs of life whose age grows, where too few stores are left', async () => {
    const { store, members } = replicate(2, { writeQuorum: 1 })
    const log = new FeedLog(store)
    await log.upToDate()
    members[0].become('down')
    members[1].become('hanging')
    await sleep(20)
    const count = log.batches.length
    const cutOffAt = performance.now()
    await eventually(() => expect(log.batches.length).toBeGreaterThan(count + 1))
    for (const { readAt, ageMs } of log.batches.slice(count)) {
      // Read later than it came, an age is larger, never smaller.
      expect(performance.now() - ageMs).toBeLessThanOrEqual(cutOffAt)
      expect(ageMs).toBeGreaterThanOrEqual(readAt - cutOffAt)
    }
  })

  it('does not make a batch younger by what comes after it', async () => {
    const { store } = replicate(2)
    const log = new FeedLog(store)
    await log.upToDate()
    const batch = log.last
    const readAt = performance.now()
    await log.upToDate()
    expect(performance.now() - (batch?.ageMs ?? 0)).toBeLessThanOrEqual(readAt)
  })

  it('goes on from a cursor of its own, and begins with everything where one store does not know its part', async () => {
    const { store, members } = replicate(2)
    await store.add([sessionOf('a')])
    const first = new FeedLog(store)
    await first.whole()
    await first.end()
    const cursor = first.last?.cursor ?? ''
    await store.add([sessionOf('b')])
    const second = new FeedLog(store, cursor)
    await second.upToDate()
    expect([[...second.ids], second.restarts]).toEqual([['b'], 0])
    await second.end()
    members[0].loseData()
    const third = new FeedLog(store, cursor)
    await third.upToDate()
    expect([[...third.ids].sort(), third.restarts]).toEqual([['a', 'b'], 1])
  })

  it('begins with everything at the cursor of another number of stores', async () => {
    const { store } = replicate(2)
    await store.add([sessionOf('a')])
    for (const cursor of [
      '["x"]',
      '["x","y","z"]',
      '[null,null]',
      '[1,2]',
      JSON.stringify(['x'.repeat(70_000), '']),
    ]) {
      const log = new FeedLog(store, cursor)
      await log.upToDate()
      expect([[...log.ids], log.restarts]).toEqual([['a'], 1])
    }
  })

  it('takes no cursor from outside for a proof that a store has lost data', async () => {
    const { store, eventsOf } = replicate(2)
    const log = new FeedLog(store, '["forged","forged"]')
    await log.upToDate()
    expect(eventsOf('replica_lost_data')).toEqual([])
  })

  it('takes a batch that is none for a failure of that store', async () => {
    const { store, members, eventsOf } = replicate(3)
    for (const bad of [
      { ageMs: Number.NaN },
      { cursor: 1 },
      { revocations: null },
      { revocations: [null] },
      { revocations: [{}] },
      { revocations: [{ ...sessionOf('x'), scope: 'constructor' }] },
      { revocations: [{ ...sessionOf('x'), expiresAt: 'soon' }] },
      { pools: 'all' },
    ]) {
      const batch = { revocations: [], cursor: 'c', caughtUp: true, ageMs: 0, ...bad }
      members[0].changes = async function* () {
        yield batch as never
        await new Promise(() => {})
      }
      const log = new FeedLog(store)
      await eventually(() =>
        expect(eventsOf('replica_feed_failed').at(-1)).toMatchObject({
          replica: 1,
          error: { code: 'store_protocol' },
        }),
      )
      await log.upToDate()
      await log.end()
    }
  })

  it('ends with the store, and with its signal, and leaves no feed of a store open', async () => {
    const { store, members } = replicate(2)
    const [one, another] = [new FeedLog(store), new FeedLog(store)]
    await Promise.all([one.upToDate(), another.upToDate()])
    await one.end()
    await another.upToDate()
    await store.close()
    await another.ended
    await eventually(() => expect(members.map(({ open }) => open)).toEqual([0, 0]))
    const openings = members.map((member) => member.openings)
    for (const member of members) member.become('up')
    await sleep(200)
    expect(members.map((member) => member.openings)).toEqual(openings)
  })

  it('leaves no feed of a store open where its reader stops in the midst of it', async () => {
    const { store, members } = replicate(2)
    await store.add([sessionOf('a')])
    for await (const _ of store.changes?.({ signal: new AbortController().signal }) ?? []) break
    await eventually(() => expect(members.map(({ open }) => open)).toEqual([0, 0]))
  })

  it('leaves no feed of a store open after a refill, done or not', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    members[0].loseData()
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
    // The one that is read; and none of the refill.
    await eventually(() => expect(members.map(({ open }) => open)).toEqual([1, 1]))
    members[0].beforeAdd = () => Promise.reject(new Error('no room'))
    members[0].loseData()
    await eventually(() => expect(eventsOf('replica_refill_failed')).not.toEqual([]))
    await store.close()
    await eventually(() => expect(members.map(({ open }) => open)).toEqual([0, 0]))
  })
})

describe('A mirror over a ReplicatedRevocationStore', () => {
  const mirrorOver = (store: ReplicatedRevocationStore, maxStalenessMs = 500) => {
    const mirror = new RevocationMirror(store, { maxStalenessMs })
    afterTest(() => mirror.close())
    return mirror
  }

  it('stays fresh though either of two stores dies, and knows what was added before', async () => {
    for (const dead of [0, 1]) {
      const { store, members } = replicate(2)
      const mirror = mirrorOver(store)
      await mirror.ready()
      await store.add([sessionOf('a')])
      members[dead]?.become('down')
      await eventually(() => expect(mirror.findSync(tokenOf('a'))).toBeDefined())
      await sleep(600)
      await eventually(() => expect(mirror.findSync(tokenOf('good'))).toBeUndefined())
    }
  })

  it('knows nothing for sure once too few are left, and says so', async () => {
    const { store, members } = replicate(3, { timeoutMs: 50 })
    const mirror = mirrorOver(store, 100)
    await mirror.ready()
    await store.add([sessionOf('a')])
    await eventually(() => expect(mirror.findSync(tokenOf('a'))).toBeDefined())
    members[0].become('down')
    members[1].become('hanging')
    await eventually(async () => expect(await verdictOn(mirror, 'good')).toBe('revocation_unavailable'))
    expect(await verdictOn(mirror, 'a')).toBe('revoked')
    members[0].become('up')
    await eventually(async () => expect(await verdictOn(mirror, 'good')).toBe('good'))
  })

  it('is ready with a quorum, also where the others have never been there', async () => {
    const { store, members } = replicate(3)
    members[0].become('hanging')
    await members[2]?.memory.add([sessionOf('a')])
    const mirror = mirrorOver(store)
    await mirror.ready()
    expect(mirror.findSync(tokenOf('a'))).toBeDefined()
  })
})
