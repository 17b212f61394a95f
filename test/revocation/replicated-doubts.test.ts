import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import {
  comeBackEmpty,
  eventually,
  FeedLog,
  replicate,
  type ScriptedStore,
  sessionOf,
  verdictOn,
} from './replica-scene.js'

/** Lets a test hold back what a store answers to look-ups of a token. */
function holdBack(member: ScriptedStore, id: string) {
  const find = member.find.bind(member)
  let release = () => {}
  let asked = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const wasAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  let isFirst = true
  member.find = async (token) => {
    const isHeld = isFirst && token.originJti === id
    if (isHeld) isFirst = false
    const answer = await find(token)
    if (isHeld) {
      asked()
      await gate
    }
    return answer
  }
  return { release, wasAsked }
}

describe('What is under way while a store loses its data', () => {
  it.each([
    ['two', 2],
    ['three, of which one has never recorded it', 3],
  ])('an add: once acknowledged, it is in the store that was refilled, of %s', async (_what, count) => {
    const { store, members, eventsOf } = replicate(count)
    const log = new FeedLog(store)
    await log.whole()
    members[1].beforeAdd = () => sleep(700)
    const third = members[2]
    if (third !== undefined) third.beforeAdd = () => Promise.reject(new Error('throttled'))
    const adding = store.add([sessionOf('a')])
    await eventually(() => expect(members[0].holds('a')).toBe(true))
    await comeBackEmpty(members[0])
    await adding
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
    members[1].become('down')
    expect(await verdictOn(store, 'a')).toBe('revoked')
  })

  it('a look-up: the answer of before the refill does not count after it', async () => {
    const { store, members, eventsOf } = replicate(2)
    const log = new FeedLog(store)
    await store.add([sessionOf('a')])
    await log.whole()
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_lost_data')).toHaveLength(1))
    // Late enough for the refill to end before the look-up's own time is over.
    await sleep(600)
    const { release, wasAsked } = holdBack(members[0], 'a')
    members[0].answer = () => undefined
    members[1].answer = () => new Promise(() => {})
    const verdict = verdictOn(store, 'a')
    await wasAsked
    members[0].answer = undefined
    members[1].answer = undefined
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
    // Nor does anybody doubt the store any more.
    const newcomer = new FeedLog(store)
    await Promise.all([log.upToDate(), newcomer.whole()])
    release()
    expect(await verdict).not.toBe('good')
  })

  it('a look-up: an answer that was counted before the loss was noticed does not count after it', async () => {
    const { store, members, eventsOf } = replicate(3)
    const [first, second, third] = members
    if (third === undefined) return
    third.beforeAdd = () => Promise.reject(new Error('down'))
    const log = new FeedLog(store)
    await store.add([sessionOf('a')])
    await log.whole()
    // Lost, but its feed goes on for a moment.
    first.memory = new MemoryRevocationStore({ heartbeatMs: 10 })
    const { release, wasAsked } = holdBack(third, 'a')
    second.answer = () => new Promise(() => {})
    const verdict = verdictOn(store, 'a')
    await wasAsked
    first.loseData()
    await eventually(() => expect(eventsOf('replica_lost_data')).toHaveLength(1))
    release()
    expect(await verdict).toBe('store_unavailable')
  })
})

describe('A doubt whether a store has lost data', () => {
  it('outlives the reading that had it: where a cursor is not known any more, everything is read afresh', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    const cursor = log.last?.cursor
    await log.end()
    members[0].become('down')
    const again = new FeedLog(store, cursor)
    await eventually(() => expect(eventsOf('replica_feed_failed')).not.toEqual([]))
    members[0].loseData()
    members[0].become('up')
    await eventually(() => expect(again.restarts).toBe(1))
    members[1].become('down')
    expect(await verdictOn(store, 'a')).not.toBe('good')
    members[1].become('up')
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
    members[1].become('down')
    expect(await verdictOn(store, 'a')).toBe('revoked')
  })

  it('outlives the reading that had it: where another store makes everything be read afresh', async () => {
    const { store, members, eventsOf } = replicate(3, { writeQuorum: 3 })
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    const cursor = log.last?.cursor
    await log.end()
    members[1].become('hanging')
    members[0].become('down')
    const again = new FeedLog(store, cursor)
    await eventually(() => expect(eventsOf('replica_feed_failed')).not.toEqual([]))
    // It has lost nothing, but knows no such cursor.
    const all = new MemoryRevocationStore({ heartbeatMs: 10 })
    await all.add([sessionOf('a')])
    members[1].memory = all
    members[0].loseData()
    members[1].become('up')
    members[0].become('up')
    await eventually(() => expect(again.restarts).toBe(1))
    await again.whole()
    for (const member of members.slice(1)) member.answer = () => new Promise(() => {})
    expect(await verdictOn(store, 'a')).not.toBe('good')
    for (const member of members) member.answer = undefined
    await eventually(() => expect(members[0].holds('a')).toBe(true))
  })

  it('outlives the reading that had it, also where nobody reads on: a refill settles it', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    members[0].become('down')
    await eventually(() => expect(eventsOf('replica_feed_failed')).not.toEqual([]))
    await log.end()
    members[0].loseData()
    members[0].become('up')
    for (let time = 0; time < 20; time++) {
      expect(await verdictOn(store, 'a')).toBe('revoked')
      await sleep(1)
    }
    await eventually(() => expect(eventsOf('replica_refilled')).toMatchObject([{ replica: 1, entries: 1 }]))
    members[1].become('down')
    expect(await verdictOn(store, 'a')).toBe('revoked')
    expect(await verdictOn(store, 'good')).toBe('good')
  })

  it('ends without a refill where another reader, who knew as much, goes on where he was', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    members[0].become('down')
    const short = new FeedLog(store)
    await short.upToDate()
    await eventually(() => expect(eventsOf('replica_feed_failed').length).toBeGreaterThan(3))
    await short.end()
    members[0].become('up')
    members[1].become('down')
    await eventually(async () => expect(await verdictOn(store, 'good')).toBe('good'))
    expect(eventsOf('replica_lost_data')).toEqual([])
  })

  it('ends with a refill where the other reader had not got as far', async () => {
    // Every pause is as long as it may be.
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const behind = new FeedLog(store)
    await behind.whole()
    members[0].become('down')
    // The next time that it tries is in 800 ms.
    await eventually(() => expect(eventsOf('replica_feed_failed')).toHaveLength(5))
    members[0].become('up')
    const ahead = new FeedLog(store)
    await ahead.whole()
    members[0].become('down')
    await eventually(() => expect(eventsOf('replica_feed_failed').length).toBeGreaterThan(5))
    await ahead.end()
    members[0].become('up')
    await eventually(() =>
      expect(eventsOf('replica_refilled')).toMatchObject([{ replica: 1, entries: 0, complete: true }]),
    )
  })
})

describe('A store that has lost data, and then dies,', () => {
  it.each([1, 900])('is tried ever more seldom, with %i records', async (count) => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { store, members, eventsOf } = replicate(2)
    await store.add(Array.from({ length: count }, (_, index) => sessionOf(`${index}`)))
    const log = new FeedLog(store)
    await log.whole()
    members[0].answer = () => Promise.reject(new Error('dead'))
    await comeBackEmpty(members[0])
    const waits = () =>
      eventsOf('replica_refill_failed').map((event) => ('retryAfterMs' in event ? event.retryAfterMs : 0))
    await eventually(() => expect(waits().length).toBeGreaterThanOrEqual(4))
    expect(waits().slice(0, 4)).toEqual([25, 50, 100, 200])
  })
})

describe('A process that does not write back', () => {
  it('waits until the store holds everything again, and adds nothing', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { store, members, eventsOf } = replicate(2, { writeBack: false, timeoutMs: 100 })
    await store.add([sessionOf('a'), sessionOf('b')])
    const log = new FeedLog(store)
    await log.whole()
    const { adds } = members[0]
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_refill_failed').length).toBeGreaterThan(2))
    await members[0].memory.add([sessionOf('a')])
    await eventually(() => expect(eventsOf('replica_refill_failed').length).toBeGreaterThan(4))
    expect(eventsOf('replica_refilled')).toEqual([])
    members[1].answer = () => new Promise(() => {})
    expect(await verdictOn(store, 'b')).toBe('store_unavailable')
    await members[0].memory.add([sessionOf('b')])
    await eventually(() =>
      expect(eventsOf('replica_refilled')).toMatchObject([{ entries: 0, complete: true }]),
    )
    expect(await verdictOn(store, 'good')).toBe('good')
    expect(members[0].adds).toBe(adds)
  })
})

describe('A refill', () => {
  it('ends also where the store takes long for each look-up', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { store, members, eventsOf } = replicate(2, { timeoutMs: 200 })
    await store.add(Array.from({ length: 120 }, (_, index) => sessionOf(`${index}`)))
    const log = new FeedLog(store)
    await log.whole()
    const find = members[0].find.bind(members[0])
    let last: Promise<unknown> = Promise.resolve()
    members[0].find = (token) => {
      const found = last.then(() => sleep(3)).then(() => find(token))
      last = found.catch(() => {})
      return found
    }
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_refilled')).toMatchObject([{ entries: 120 }]))
  })

  it('ends also where the store takes long for each record that it is given', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { store, members, eventsOf } = replicate(2, { timeoutMs: 50 })
    await eventually(() => store.add(Array.from({ length: 20 }, (_, index) => sessionOf(`${index}`))))
    const log = new FeedLog(store)
    await log.whole()
    // And has recorded nothing of it.
    members[0].beforeAdd = (records) => (records.length > 4 ? new Promise(() => {}) : undefined)
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
    expect(members[0].memory.size).toBe(20)
  })

  it('takes no record for over because the wall clock was set forwards', async () => {
    const { store, members, eventsOf } = replicate(2, { timeoutMs: 100 })
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    await comeBackEmpty(members[0])
    const real = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => real() + 3 * 3_600_000)
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
    expect(members[0].holds('a')).toBe(true)
  })
})
