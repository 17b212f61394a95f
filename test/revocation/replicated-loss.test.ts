import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import {
  afterTest,
  comeBackEmpty,
  eventually,
  FeedLog,
  replicate,
  sessionOf,
  tokenOf,
  verdictOn,
} from './replica-scene.js'

describe('A store that comes back empty', () => {
  it('is not believed when it says "not revoked" in a process that reads the feed, until it is refilled', async () => {
    const { store, members, eventsOf } = replicate(2)
    const log = new FeedLog(store)
    await store.add([sessionOf('a')])
    await log.whole()
    // Nobody to refill it from.
    members[1].become('down')
    members[0].become('down')
    await eventually(() => expect(eventsOf('replica_feed_failed')).not.toEqual([]))
    members[0].loseData()
    members[0].become('up')
    expect(await verdictOn(store, 'a')).not.toBe('good')
    await eventually(() => expect(eventsOf('replica_lost_data')).toMatchObject([{ replica: 1 }]))
    expect(await verdictOn(store, 'a')).not.toBe('good')
    members[1].become('up')
    await eventually(() => expect(members[0].holds('a')).toBe(true))
    await eventually(() =>
      expect(eventsOf('replica_refilled')).toMatchObject([{ replica: 1, entries: 1, complete: true }]),
    )
    members[1].become('down')
    await eventually(async () => expect(await verdictOn(store, 'good')).toBe('good'))
    expect(await verdictOn(store, 'a')).toBe('revoked')
  })

  it('is believed by a process without the feed, which cannot know', async () => {
    const { store, members } = replicate(2)
    await store.add([sessionOf('a')])
    await comeBackEmpty(members[0])
    members[1].become('hanging')
    expect(await verdictOn(store, 'a')).toBe('good')
  })

  it('does not make the feed fresh before it is refilled', async () => {
    const { store, members, eventsOf } = replicate(2)
    const log = new FeedLog(store)
    await log.whole()
    members[1].become('down')
    await sleep(20)
    const aloneAt = performance.now()
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_lost_data')).toHaveLength(1))
    const count = log.batches.length
    await eventually(() => expect(log.batches.length).toBeGreaterThan(count + 5))
    expect(performance.now() - (log.last?.ageMs ?? 0)).toBeLessThanOrEqual(aloneAt + 20)
    members[1].become('up')
    await log.upToDate()
  })

  it('gets back everything, with its cutoffs, also of thousands of records', async () => {
    const { store, members, eventsOf } = replicate(3)
    const user = { ...sessionOf('jane'), scope: 'user', cutoff: 1_700_000_000 } as const
    const pool = { ...sessionOf('p2'), poolId: 'p2', scope: 'pool' } as const
    const many = Array.from({ length: 2_500 }, (_, index) => sessionOf(`${index}`))
    await store.add([
      user,
      pool,
      { ...sessionOf('c'), scope: 'client' },
      { ...sessionOf('t'), scope: 'token' },
      ...many,
    ])
    const log = new FeedLog(store)
    await log.whole()
    await comeBackEmpty(members[0])
    await eventually(() =>
      expect(eventsOf('replica_refilled')).toMatchObject([{ entries: 2_504, complete: true }]),
    )
    expect(members[0].memory.size).toBe(2_504)
    expect(await members[0].find({ ...tokenOf('x'), sub: 'jane', iat: user.cutoff })).toEqual(user)
  })

  it('is given only what it lacks: what was trimmed from its feed alone is not written again', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a'), sessionOf('b'), { ...sessionOf('u'), scope: 'user', cutoff: 5 }])
    const log = new FeedLog(store)
    await log.whole()
    const { memory } = members[0]
    members[0].loseData()
    for await (const { revocations } of memory.changes({ signal: new AbortController().signal })) {
      await members[0].memory.add(revocations)
      break
    }
    const { adds } = members[0]
    await eventually(() =>
      expect(eventsOf('replica_refilled')).toMatchObject([{ entries: 0, complete: true }]),
    )
    expect(members[0].adds).toBe(adds)
  })

  it('is left what is over, which it may have forgotten rightly', async () => {
    const { store, members, eventsOf } = replicate(2)
    const over = sessionOf('over', { expiresAt: Math.floor(Date.now() / 1000) - 10 })
    await store.add([over, sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    await comeBackEmpty(members[1])
    await eventually(() => expect(eventsOf('replica_refilled')).toMatchObject([{ replica: 2, entries: 1 }]))
    expect(members[1].holds('over')).toBe(false)
  })

  it('is refilled of three by two, since one alone may lack what was acknowledged', async () => {
    const { store, members, eventsOf } = replicate(3)
    await store.add([sessionOf('first')])
    const log = new FeedLog(store)
    await log.whole()
    // Only the first two have it.
    members[2]?.become('down')
    await store.add([sessionOf('a')])
    members[1].become('down')
    await comeBackEmpty(members[0])
    members[2]?.become('up')
    await eventually(() => expect(eventsOf('replica_lost_data')).toMatchObject([{ replica: 1 }]))
    await sleep(700)
    expect(eventsOf('replica_refilled')).toEqual([])
    expect(await verdictOn(store, 'good')).toBe('store_unavailable')
    members[1].become('up')
    await eventually(() =>
      expect(eventsOf('replica_refilled')).toMatchObject([{ replica: 1, complete: true }]),
    )
    expect(members[0].holds('a')).toBe(true)
    await eventually(async () => expect(await verdictOn(store, 'good')).toBe('good'))
  })

  it('is tried again, and told, while it does not take what it lacks', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    members[0].beforeAdd = () => Promise.reject(new Error('no room'))
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_refill_failed')).not.toEqual([]))
    expect(eventsOf('replica_refill_failed')[0]).toMatchObject({ replica: 1, error: new Error('no room') })
    members[0].beforeAdd = () => {}
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
  })

  it('is looked at also where it was down when the feed was opened', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    members[0].become('down')
    const log = new FeedLog(store)
    await log.upToDate()
    members[0].loseData()
    members[0].become('up')
    await eventually(() => expect(eventsOf('replica_refilled')).toMatchObject([{ replica: 1, entries: 1 }]))
  })

  it('is no reason to refill where it only lost its connections', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    const openings = members[0].openings
    for (let time = 0; time < 3; time++) {
      members[0].become('up')
      await log.upToDate()
    }
    await eventually(() => expect(members[0].openings).toBeGreaterThan(openings))
    expect(eventsOf('replica_lost_data')).toEqual([])
    members[1].become('down')
    await eventually(async () => expect(await verdictOn(store, 'good')).toBe('good'))
  })

  it('is no reason to refill where it was empty, and only lost its connections', async () => {
    const { store, members, eventsOf } = replicate(2)
    const log = new FeedLog(store)
    await log.whole()
    const openings = members[0].openings
    members[0].become('up')
    await eventually(() => expect(members[0].openings).toBeGreaterThan(openings))
    await log.upToDate()
    members[1].become('down')
    await eventually(async () => expect(await verdictOn(store, 'good')).toBe('good'))
    expect(eventsOf('replica_lost_data')).toEqual([])
  })

  it('ends nothing for those who read the feed, nor makes it begin again', async () => {
    const { store, members, eventsOf } = replicate(2)
    const log = new FeedLog(store)
    await log.whole()
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_refilled')).toHaveLength(1))
    await log.upToDate()
    expect(log.restarts).toBe(1)
  })

  it('is not refilled after close', async () => {
    const { store, members, eventsOf } = replicate(2)
    await store.add([sessionOf('a')])
    const log = new FeedLog(store)
    await log.whole()
    vi.spyOn(Math, 'random').mockReturnValue(0.9)
    await comeBackEmpty(members[0])
    await eventually(() => expect(eventsOf('replica_lost_data')).toHaveLength(1))
    await store.close()
    await sleep(600)
    expect(members[0].holds('a')).toBe(false)
  })
})

describe('Stores that together have lost what was acknowledged', () => {
  it.each([
    ['both of two', 2, 2, [0, 1]],
    ['one of two, of which one had to record it', 2, 1, [0]],
    ['two of three', 3, 2, [0, 1]],
    ['all of three', 3, 3, [0, 1, 2]],
  ])('get it back from a mirror, and each other: %s', async (_what, count, writeQuorum, losers) => {
    const { store, members, eventsOf } = replicate(count, { writeQuorum })
    const mirror = new RevocationMirror(store, { maxStalenessMs: 1_000 })
    afterTest(() => mirror.close())
    await mirror.ready()
    const ids = Array.from({ length: 20 }, (_, index) => `${index}`)
    await mirror.add(ids.map((id) => sessionOf(id)))
    // Everybody has all, so that nothing is tried again that would fill a store by itself.
    await eventually(() => expect(members.every((member) => member.holds('19'))).toBe(true))
    if (count === 2 && writeQuorum === 1) members[1].loseData()
    for (const index of losers) members[index]?.loseData()
    await eventually(() => {
      for (const member of members) expect(ids.every((id) => member.holds(id))).toBe(true)
    })
    await eventually(() => expect(mirror.findSync(tokenOf('good'))).toBeUndefined())
    for (const id of ids) expect(mirror.findSync(tokenOf(id))).toBeDefined()
    expect(eventsOf('replica_lost_data').length).toBeGreaterThan(0)
  })
})
