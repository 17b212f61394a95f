import { afterEach, describe, expect, it, vi } from 'vitest'
import { CutoffInFutureError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { RevocationMirrorOptions } from '../../src/revocation/mirror-options.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { ScriptedFeed, sessionOf, tokenOf } from './mirror-scene.js'

const mirrors: RevocationMirror[] = []

/** A mirror that knows some sessions, over a store whose feed the test writes. */
async function mirrorThatKnows(ids: readonly string[], options: RevocationMirrorOptions = {}) {
  const feed = new ScriptedFeed()
  const events: ObserverEvent[] = []
  const mirror = new RevocationMirror(feed, {
    maxStalenessMs: 100,
    observer: (event) => events.push(event),
    ...options,
  })
  mirrors.push(mirror)
  mirror.ready().catch(() => {})
  await feed.deliver({ revocations: ids.map((id) => sessionOf(id)), caughtUp: true, restarted: true })
  const eventsOf = (type: ObserverEvent['type']) => events.filter((event) => event.type === type)
  await vi.waitFor(() => expect(eventsOf('mirror_resynchronized')).toHaveLength(1))
  const resynchronized = async (...lost: number[]) =>
    vi.waitFor(() =>
      expect(eventsOf('mirror_resynchronized')).toEqual(
        [0, ...lost].map((count) => expect.objectContaining({ lost: count })),
      ),
    )
  return { feed, mirror, eventsOf, resynchronized }
}

const idsOf = (records: readonly Revocation[]) => records.map(({ id }) => id).sort()

afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()))
})

describe('A mirror whose store has lost data', () => {
  it('keeps what it knows, and gives back what a reading of everything lacks', async () => {
    const { feed, mirror, eventsOf, resynchronized } = await mirrorThatKnows(['a', 'b', 'c'])
    await feed.deliver({ revocations: [sessionOf('b')], caughtUp: true, restarted: true })
    for (const id of ['a', 'b', 'c']) expect(mirror.findSync(tokenOf(id))).toBeDefined()
    await resynchronized(2)
    await vi.waitFor(() => expect(idsOf(feed.added)).toEqual(['a', 'c']))
    await vi.waitFor(() =>
      expect(eventsOf('mirror_wrote_back')).toEqual([{ type: 'mirror_wrote_back', entries: 2 }]),
    )
  })

  it('gives records back as they were, with their cutoffs', async () => {
    const { feed } = await mirrorThatKnows([])
    const user = { ...sessionOf('jane'), scope: 'user', cutoff: 1_700_000_000 } as const
    await feed.deliver({ revocations: [user], caughtUp: true })
    await feed.deliver({ caughtUp: true, restarted: true })
    await vi.waitFor(() => expect(feed.added).toEqual([user]))
  })

  it('waits for the end of the reading, over several batches and interruptions', async () => {
    const { feed, resynchronized } = await mirrorThatKnows(['a', 'b', 'c'])
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: false, restarted: true })
    feed.fail(new Error('cut'))
    await vi.waitFor(() => expect(feed.openings).toBe(2))
    await feed.deliver({ revocations: [sessionOf('b')], caughtUp: false }, { caughtUp: true })
    await resynchronized(1)
    await vi.waitFor(() => expect(idsOf(feed.added)).toEqual(['c']))
  })

  it('compares with the last reading alone, where one broke off and another began', async () => {
    const { feed } = await mirrorThatKnows(['a', 'b'])
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: false, restarted: true })
    await feed.deliver({ revocations: [sessionOf('b')], caughtUp: true, restarted: true })
    await vi.waitFor(() => expect(idsOf(feed.added)).toEqual(['a']))
  })

  it('gives nothing back while nothing is missing', async () => {
    const { feed, resynchronized } = await mirrorThatKnows(['a'])
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true, restarted: true })
    await feed.deliver({ caughtUp: true })
    await resynchronized(0)
    expect(feed.added).toEqual([])
  })

  it('leaves out what another mirror has given back meanwhile', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.9)
    const { feed, resynchronized } = await mirrorThatKnows(['a', 'b'], { maxStalenessMs: 1_000 })
    await feed.deliver({ caughtUp: true, restarted: true })
    await resynchronized(2)
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true })
    await vi.waitFor(() => expect(idsOf(feed.added)).toEqual(['b']))
  })

  it('leaves out what is over, which the store may have forgotten rightly', async () => {
    const { feed, resynchronized } = await mirrorThatKnows(['a'])
    const over = sessionOf('over', { expiresAt: Math.floor(Date.now() / 1000) - 10 })
    await feed.deliver({ revocations: [over], caughtUp: true })
    await feed.deliver({ caughtUp: true, restarted: true })
    await resynchronized(1)
    await vi.waitFor(() => expect(idsOf(feed.added)).toEqual(['a']))
  })

  it('gives back what was being added while the store lost it', async () => {
    const { feed, mirror } = await mirrorThatKnows([])
    let acknowledge = () => {}
    const add = feed.add.bind(feed)
    feed.add = async () => new Promise<void>((resolve) => (acknowledge = resolve))
    const adding = mirror.add([sessionOf('a')])
    // The store has recorded it, then lost it, and is read again, before its answer arrives.
    await feed.deliver({ caughtUp: false, restarted: true })
    feed.add = add
    acknowledge()
    await adding
    await feed.deliver({ caughtUp: true })
    await vi.waitFor(() => expect(idsOf(feed.added)).toEqual(['a']))
  })

  it('does not give back what was added since, and has been seen', async () => {
    const { feed, mirror, resynchronized } = await mirrorThatKnows(['a'])
    await feed.deliver({ caughtUp: false, restarted: true })
    await mirror.add([sessionOf('b')])
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true })
    await resynchronized(0)
  })

  it('takes what was seen for seen, though an older call adds it again later', async () => {
    const { feed, mirror, resynchronized } = await mirrorThatKnows([])
    let acknowledge = () => {}
    feed.add = async () => new Promise<void>((resolve) => (acknowledge = resolve))
    const adding = mirror.add([sessionOf('a'), sessionOf('00000000-0000-4000-8000-000000000000')])
    await feed.deliver({
      revocations: [sessionOf('a'), sessionOf('00000000-0000-4000-8000-000000000000')],
      caughtUp: false,
      restarted: true,
    })
    acknowledge()
    await adding
    await feed.deliver({ caughtUp: true })
    await resynchronized(0)
  })

  it('tries again where that fails, and tells the observer each time', async () => {
    const { feed, eventsOf } = await mirrorThatKnows(['a'])
    const add = feed.add.bind(feed)
    const failure = new Error('still down')
    feed.add = vi.fn(add).mockRejectedValueOnce(failure)
    await feed.deliver({ caughtUp: true, restarted: true })
    await vi.waitFor(() => expect(idsOf(feed.added)).toEqual(['a']))
    expect(eventsOf('mirror_write_back_failed')).toEqual([
      { type: 'mirror_write_back_failed', entries: 1, error: failure },
    ])
  })

  it('leaves out the one that the store does not take, and gives the others back', async () => {
    const ids = Array.from({ length: 9 }, (_, index) => `session ${index}`)
    const { feed, eventsOf } = await mirrorThatKnows(ids)
    const add = feed.add.bind(feed)
    feed.add = async (revocations) => {
      if (idsOf(revocations).includes('session 4')) throw new CutoffInFutureError('no')
      await add(revocations)
    }
    await feed.deliver({ caughtUp: true, restarted: true })
    await vi.waitFor(() =>
      expect(eventsOf('mirror_wrote_back')).toEqual([expect.objectContaining({ entries: 8 })]),
    )
    expect(idsOf(feed.added)).toEqual(ids.filter((id) => id !== 'session 4'))
  })

  it('goes on trying, every maxStalenessMs at last, as long as nobody else has given it back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { feed, mirror, eventsOf } = await mirrorThatKnows(['a'], { maxStalenessMs: 1_000 })
    feed.add = () => Promise.reject(new Error('NOPERM'))
    await feed.deliver({ caughtUp: true, restarted: true })
    const pass = async (seconds: number) => {
      for (let time = 0; time < seconds * 10; time++) {
        await new Promise((resolve) => setImmediate(resolve))
        await vi.advanceTimersByTimeAsync(100)
      }
    }
    await pass(4)
    const failures = eventsOf('mirror_write_back_failed').length
    expect(failures).toBeGreaterThan(3)
    await pass(10)
    expect(eventsOf('mirror_write_back_failed').length - failures).toBeGreaterThanOrEqual(9)
    expect(eventsOf('mirror_write_back_failed').length - failures).toBeLessThanOrEqual(11)
    expect(mirror.findSync(tokenOf('a'))).toBeDefined()
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true })
    await pass(2)
    const last = eventsOf('mirror_write_back_failed').length
    await pass(5)
    expect(eventsOf('mirror_write_back_failed')).toHaveLength(last)
  })

  it('only reports where writeBack is false', async () => {
    const { feed, resynchronized } = await mirrorThatKnows(['a'], { writeBack: false })
    await feed.deliver({ caughtUp: true, restarted: true })
    await resynchronized(1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(feed.added).toEqual([])
  })

  it('stops at close', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const { feed, mirror, resynchronized } = await mirrorThatKnows(['a'], { maxStalenessMs: 250 })
    await feed.deliver({ caughtUp: true, restarted: true })
    await resynchronized(1)
    await mirror.close()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(feed.added).toEqual([])
  })

  it('gives back thousands, in parts', async () => {
    const ids = Array.from({ length: 3_000 }, (_, index) => `session ${index}`)
    const { feed } = await mirrorThatKnows(ids)
    const sizes: number[] = []
    const add = feed.add.bind(feed)
    feed.add = async (revocations) => {
      sizes.push(revocations.length)
      await add(revocations)
    }
    await feed.deliver({ caughtUp: true, restarted: true })
    await vi.waitFor(() => expect(feed.added).toHaveLength(3_000), 5_000)
    expect(idsOf(feed.added)).toEqual([...ids].sort())
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500)
  })
})

describe('Several mirrors over a store that has lost everything', () => {
  it('make it whole between them', async () => {
    let store = new MemoryRevocationStore({ heartbeatMs: 10 })
    // The store's own process restarts: another store, with another feed, in its place.
    const place: RevocationStore = {
      add: (revocations) => store.add(revocations),
      find: (token) => store.find(token),
      changes: (options) => store.changes(options),
    }
    const all = Array.from({ length: 5 }, () => new RevocationMirror(place, { maxStalenessMs: 200 }))
    mirrors.push(...all)
    await Promise.all(all.map((mirror) => mirror.ready()))
    const ids = Array.from({ length: 1_000 }, (_, index) => `session ${index}`)
    await all[0]?.add(ids.map((id) => sessionOf(id)))
    await vi.waitFor(() => expect(all.map(({ size }) => size)).toEqual(all.map(() => 1_000)))
    const lost = store
    store = new MemoryRevocationStore({ heartbeatMs: 10 })
    await lost.close()
    await vi.waitFor(() => expect(store.size).toBe(1_000), 5_000)
  })
})
