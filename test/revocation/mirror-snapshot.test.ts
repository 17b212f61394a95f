import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import { NotReadyError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { MirrorSnapshotPart } from '../../src/revocation/mirror-snapshot.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { createStores } from '../support/dynamodb-stores.js'
import { sharedDynamoDB } from '../support/dynamodb-tables.js'
import { redisClients } from '../support/redis-clients.js'
import { describeWithRedis, freshNamespace, sharedRedis } from '../support/redis-suites.js'
import { ScriptedFeed, sessionOf, tokenOf } from './mirror-scene.js'

const often = { interval: 2, timeout: 10_000 }
const mirrors: RevocationMirror[] = []
/** One whose feed has been started. */
const mirrorOf = (...args: ConstructorParameters<typeof RevocationMirror>) => {
  const mirror = new RevocationMirror(...args)
  mirrors.push(mirror)
  mirror.ready().catch(() => {})
  return mirror
}

afterEach(async () => {
  await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()))
})

/** A snapshot as it comes out of a file. */
const saved = (mirror: RevocationMirror): MirrorSnapshotPart[] =>
  JSON.parse(JSON.stringify([...mirror.snapshot()]))

/** What of a snapshot decides where to go on. */
const endOf = (parts: readonly MirrorSnapshotPart[]) => parts.at(-1)?.end

/** A snapshot of a mirror that has caught up, with these sessions, at the cursor 'here'. */
async function snapshotWith(...ids: string[]): Promise<MirrorSnapshotPart[]> {
  const feed = new ScriptedFeed()
  const mirror = mirrorOf(feed)
  await feed.deliver({ revocations: ids.map((id) => sessionOf(id)), caughtUp: true, cursor: 'here' })
  return saved(mirror)
}

/** A mirror that has taken a snapshot over, before a feed that says nothing yet. */
async function restored(
  snapshot: Iterable<MirrorSnapshotPart>,
  options: ConstructorParameters<typeof RevocationMirror>[1] = {},
) {
  const feed = new ScriptedFeed()
  const events: ObserverEvent[] = []
  const mirror = mirrorOf(feed, { ...options, snapshot, observer: (event) => events.push(event) })
  await expect.poll(() => feed.openings, often).toBe(1)
  return { feed, mirror, events, after: feed.lastOptions?.after }
}

/** How a store is read: where from, and how many records each time. */
class CountingStore implements RevocationStore {
  readonly readings: { after: string | undefined; revocations: number }[] = []
  readonly #store: RevocationStore

  constructor(store: RevocationStore) {
    this.#store = store
  }

  add: RevocationStore['add'] = (revocations) => this.#store.add(revocations)
  find: RevocationStore['find'] = (token) => this.#store.find(token)

  async *changes(options: ChangesOptions): AsyncGenerator<ChangeBatch> {
    const reading = { after: options.after, revocations: 0 }
    this.readings.push(reading)
    for await (const batch of this.#store.changes?.(options) ?? []) {
      reading.revocations += batch.revocations.length
      yield batch
    }
  }
}

describe('A mirror with a snapshot', () => {
  it('refuses what is in it before the feed has said anything', async () => {
    const { mirror, feed } = await restored(await snapshotWith('a', 'b'))
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(await mirror.find(tokenOf('b'))).toEqual(sessionOf('b'))
    expect(feed.asked).toEqual([])
  })

  it('passes nothing on the word of it alone', async () => {
    const { mirror, feed } = await restored(await snapshotWith('a'))
    expect(mirror.staleness()).toBe(Number.POSITIVE_INFINITY)
    expect(() => mirror.findSync(tokenOf('unknown'))).toThrow(NotReadyError)
    await mirror.find(tokenOf('unknown'))
    expect(feed.asked).toHaveLength(1)
  })

  it('goes on with the feed where it ended, and passes what is unknown once that has caught up', async () => {
    const { mirror, feed, after } = await restored(await snapshotWith('a'))
    expect(after).toBe('here')
    await feed.deliver({ revocations: [sessionOf('c')] }, { caughtUp: true })
    expect(mirror.findSync(tokenOf('unknown'))).toBeUndefined()
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(mirror.findSync(tokenOf('c'))).toEqual(sessionOf('c'))
  })

  it('keeps cutoffs and lives as they were', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    const user = sessionOf('sub', { scope: 'user', cutoff: 1_700_000_000.5 })
    const client = sessionOf('1example23456789', { scope: 'client' })
    await feed.deliver({ revocations: [user, client], caughtUp: true })
    const next = await restored(saved(mirror))
    const token = { ...tokenOf('x'), iat: 1_700_000_000 }
    expect(next.mirror.findSync(token)).toEqual(user)
    expect(() => next.mirror.findSync({ ...token, iat: 1_700_000_001 })).toThrow(NotReadyError)
    expect(next.mirror.findSync({ ...token, sub: 'y', clientId: client.id })).toEqual(client)
  })

  it('tells who listens', async () => {
    const snapshot = await snapshotWith('a')
    const mirror = new RevocationMirror(new ScriptedFeed(), { snapshot })
    mirrors.push(mirror)
    const heard: string[] = []
    mirror.subscribe(({ id }) => heard.push(id))
    await expect.poll(() => heard, often).toEqual(['a'])
  })

  it('reads of the store only what was added since', async () => {
    const store = new MemoryRevocationStore()
    await store.add(Array.from({ length: 50 }, (_, index) => sessionOf(`old-${index}`)))
    const first = mirrorOf(store)
    await first.ready()
    const snapshot = saved(first)
    await store.add([sessionOf('new')])
    const counting = new CountingStore(store)
    const second = mirrorOf(counting, { snapshot })
    await second.ready()
    expect(counting.readings).toEqual([{ after: endOf(snapshot)?.cursor, revocations: 1 }])
    expect(second.size).toBe(51)
    expect(second.findSync(tokenOf('new'))).toEqual(sessionOf('new'))
  })

  it('holds everything, whatever is added while the snapshot is being taken', async () => {
    const store = new MemoryRevocationStore()
    const first = mirrorOf(store)
    const ids = Array.from({ length: 20_000 }, () => randomUUID())
    await store.add(ids.slice(0, 10_000).map((id) => sessionOf(id)))
    await first.ready()
    const snapshot: MirrorSnapshotPart[] = []
    const more = ids.slice(10_000)
    for (const part of first.snapshot()) {
      snapshot.push(part)
      await store.add(more.splice(0, 500).map((id) => sessionOf(id)))
      await first.find(tokenOf('anything'))
      await new Promise(setImmediate)
    }
    await store.add(more.map((id) => sessionOf(id)))
    const second = mirrorOf(store, { snapshot })
    await second.ready()
    expect(ids.filter((id) => second.findSync(tokenOf(id)) === undefined)).toEqual([])
  })

  it('lets others have their turn while it is taken over, however much is in it', async () => {
    const revocations = Array.from({ length: 5_000 }, () => sessionOf(randomUUID()))
    let turns = 0
    let turnsBefore = 0
    function* parts(): Generator<MirrorSnapshotPart> {
      for (let part = 0; part < 20; part++) {
        if (part > 0) expect(turns).toBeGreaterThan(turnsBefore)
        turnsBefore = turns
        yield { version: 1, takenAt: 0, snapshotId: 'one', revocations }
      }
      yield {
        version: 1,
        takenAt: 0,
        snapshotId: 'one',
        revocations: [],
        end: { size: 100_000, cursor: 'here' },
      }
    }
    const count = () => {
      turns += 1
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    const { after, mirror } = await restored(parts())
    clearImmediate(immediate)
    expect(after).toBe('here')
    expect(mirror.size).toBe(5_000)
  })

  it('does not keep it once it has been taken over', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage: () => void = runInNewContext('gc')
    const takeOver = async () => {
      const snapshot = await snapshotWith('a')
      return { ...(await restored(snapshot)), held: new WeakRef(snapshot) }
    }
    const { mirror, held } = await takeOver()
    const isGone = () => {
      collectGarbage()
      return held.deref() === undefined
    }
    await expect.poll(isGone, often).toBe(true)
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
  })

  it('can be closed while it is taken over', async () => {
    let given = 0
    function* endless(): Generator<MirrorSnapshotPart> {
      for (;;) {
        given += 1
        yield { version: 1, takenAt: 0, snapshotId: 'one', revocations: [] }
      }
    }
    const mirror = mirrorOf(new ScriptedFeed(), { snapshot: endless() })
    await expect.poll(() => given, often).toBeGreaterThan(2)
    await mirror.close()
  })
})

describe('A snapshot', () => {
  it('comes in parts, each of which is a piece of JSON, and says how many revocations they hold', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    const revocations = Array.from({ length: 30_000 }, () => sessionOf(randomUUID()))
    await feed.deliver({ revocations, caughtUp: true })
    const parts = saved(mirror)
    expect(Math.max(...parts.map((part) => part.revocations.length))).toBeLessThan(10_000)
    expect(parts.map(({ version, end }) => ({ version, isLast: end !== undefined }))).toEqual([
      ...parts.slice(1).map(() => ({ version: 1, isLast: false })),
      { version: 1, isLast: true },
    ])
    expect(endOf(parts)).toEqual({ size: 30_000, cursor: 'cursor' })
  })

  it.each<[string, (feed: ScriptedFeed) => Promise<void>]>([
    ['before the feed has caught up', (feed) => feed.deliver({ revocations: [sessionOf('a')] })],
    [
      'while everything is read anew',
      (feed) =>
        feed.deliver({ revocations: [sessionOf('a')], caughtUp: true }, { restarted: true, cursor: 'half' }),
    ],
    [
      'of a feed that nobody may go over to',
      (feed) => feed.deliver({ revocations: [sessionOf('a')], caughtUp: true, isolated: true }),
    ],
    [
      'where the feed names no place',
      (feed) => feed.deliver({ revocations: [sessionOf('a')], caughtUp: true, cursor: '' }),
    ],
    [
      'of a mirror without room',
      (feed) => feed.deliver({ revocations: [sessionOf('a'), sessionOf('b')], caughtUp: true }),
    ],
  ])('has no place in the feed, and the mirror after it reads everything: %s', async (_, prepare) => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxEntries: 1 })
    await prepare(feed)
    const snapshot = saved(mirror)
    expect(endOf(snapshot)).toEqual({ size: 1 })
    const next = await restored(snapshot)
    expect(next.after).toBeUndefined()
    expect(next.mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(next.events).toEqual([])
  })

  it('has none after close, but all that is known', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true })
    await mirror.close()
    expect(saved(mirror)).toMatchObject([{ revocations: [sessionOf('a')] }, { end: { size: 1 } }])
  })

  it('tells of the user pools that all was known of, and of no other is more believed', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ pools: ['pool', 'second'], caughtUp: true })
    const snapshot = saved(mirror)
    expect(endOf(snapshot)?.pools).toEqual(['pool', 'second'])
    const next = await restored(snapshot)
    await next.feed.deliver({ pools: ['pool', 'third'], caughtUp: true })
    expect(next.mirror.findSync(tokenOf('x'))).toBeUndefined()
    for (const poolId of ['second', 'third'])
      expect(() => next.mirror.findSync({ ...tokenOf('x'), poolId })).toThrow(NotReadyError)
    await next.feed.deliver({ pools: ['third'], restarted: true, caughtUp: true })
    expect(next.mirror.findSync({ ...tokenOf('x'), poolId: 'third' })).toBeUndefined()
  })
})

describe('A snapshot that is not what it should be', () => {
  const last = (size: number, more: object = {}) => ({
    ...{ version: 1 as const, takenAt: 0, snapshotId: 'one', revocations: [] },
    end: { size, cursor: 'here', ...more },
  })
  const part = (...ids: string[]): MirrorSnapshotPart => ({
    ...{ version: 1, takenAt: 0, snapshotId: 'one' },
    revocations: ids.map((id) => sessionOf(id)),
  })

  it.each<[string, readonly unknown[]]>([
    ['cut off', [part('a')]],
    ['of which a part is from another', [part('a'), { ...last(1), snapshotId: 'another' }]],
    ['of which a part says not whence it is', [part('a'), { ...last(1), snapshotId: undefined }]],
    ['without a part in its midst', [part('a'), last(2)]],
    ['of another version', [part('a'), { ...last(1), version: 2 }]],
    ['with something else in it', [part('a'), null]],
    ['with records that are none', [part('a'), { ...part(), revocations: [{ id: 'b' }] }, last(2)]],
    ['with no list of records', [part('a'), { ...part(), revocations: { length: 1 } }, last(2)]],
    ['that goes on after its end', [part('a'), last(1), part('b')]],
    ['with a place that is none', [part('a'), last(1, { cursor: 7 })]],
    ['with user pools that are none', [part('a'), last(1, { pools: 'pool' })]],
    ['with a user pool that is none', [part('a'), last(1, { pools: [7] })]],
  ])('is not gone on from, but what was in it is refused: %s', async (_, snapshot) => {
    const { mirror, after, events } = await restored(snapshot as MirrorSnapshotPart[])
    expect(after).toBeUndefined()
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(events).toMatchObject([{ type: 'mirror_snapshot_refused', error: { code: 'store_protocol' } }])
  })

  it('is not gone on from where it cannot be read to its end', async () => {
    function* parts() {
      yield part('a')
      yield JSON.parse('{"version":1,"revocations":[{"poolId":"po')
    }
    const { mirror, after, events } = await restored(parts())
    expect(after).toBeUndefined()
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(events).toMatchObject([{ type: 'mirror_snapshot_refused', error: { name: 'SyntaxError' } }])
  })

  it('is not gone on from where no part says whence it is', async () => {
    const snapshot = [part('a'), last(1)].map(({ snapshotId: _, ...rest }) => rest)
    const { after, events } = await restored(snapshot as MirrorSnapshotPart[])
    expect(after).toBeUndefined()
    expect(events).toMatchObject([{ type: 'mirror_snapshot_refused' }])
  })

  it('is none, of which nobody is told, where it has no parts', async () => {
    const { after, events } = await restored([])
    expect(after).toBeUndefined()
    expect(events).toEqual([])
  })

  it('is not gone on from where the store goes on failing at its place', async () => {
    class Strict extends MemoryRevocationStore {
      readonly askedFor: (string | undefined)[] = []
      override changes(options: ChangesOptions) {
        this.askedFor.push(options.after)
        if (options.after !== undefined) throw new Error('there is no such place')
        return super.changes(options)
      }
    }
    const store = new Strict()
    await store.add([sessionOf('b')])
    const mirror = mirrorOf(store, { snapshot: await snapshotWith('a') })
    await mirror.ready()
    expect(store.askedFor).toEqual(['here', 'here', undefined])
    for (const id of ['a', 'b']) expect(mirror.findSync(tokenOf(id))).toEqual(sessionOf(id))
  })

  it('is left once only: what has been read of everything is not read again', async () => {
    const { feed } = await restored(await snapshotWith('a'))
    const openings: (string | undefined)[] = []
    for (let opening = 2; opening < 6; opening++) {
      feed.fail(new Error('away'))
      await expect.poll(() => feed.openings, often).toBe(opening)
      openings.push(feed.lastOptions?.after)
      if (opening > 2) await feed.deliver({ revocations: [sessionOf('b')], cursor: `half ${opening}` })
    }
    expect(openings).toEqual(['here', undefined, 'half 3', 'half 4'])
  })

  it('has been good where the feed has caught up from there, however often it fails after that', async () => {
    const { feed } = await restored(await snapshotWith('a'))
    await feed.deliver({ caughtUp: true, cursor: 'here' })
    for (let opening = 2; opening < 6; opening++) {
      feed.fail(new Error('away'))
      await expect.poll(() => feed.openings, often).toBe(opening)
      expect(feed.lastOptions?.after).toBe('here')
    }
  })

  it('is not gone on from where it is more than the mirror has room for', async () => {
    const { mirror, feed, after } = await restored([part('a', 'b'), last(2)], { maxEntries: 1 })
    expect(after).toBeUndefined()
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true })
    expect(mirror.findSync(tokenOf('unknown'))).toBeUndefined()
  })

  it('of another store begins with everything of this one', async () => {
    const other = mirrorOf(new MemoryRevocationStore())
    await other.ready()
    const store = new MemoryRevocationStore()
    await store.add([sessionOf('a')])
    const mirror = mirrorOf(store, { snapshot: saved(other) })
    await mirror.ready()
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
  })

  it.each([{ parts: [] }, 'parts', 7, null])('is refused at once where it can be none: %j', (snapshot) => {
    const options = { snapshot: snapshot as never }
    expect(() => new RevocationMirror(new ScriptedFeed(), options)).toThrow(/RevocationMirror: .*"snapshot"/)
  })
})

describe('What a snapshot holds and the store does not', () => {
  it('is not thought lost where the mirror goes on from there', async () => {
    const { feed, events } = await restored(await snapshotWith('a'))
    await feed.deliver({ caughtUp: true }, { caughtUp: true })
    await new Promise(setImmediate)
    expect(events).toEqual([])
    expect(feed.added).toEqual([])
  })

  it('is given back once a reading of everything has shown that the store has lost it', async () => {
    const { feed } = await restored(await snapshotWith('a', 'b'), { maxStalenessMs: 1_000 })
    await feed.deliver({ restarted: true, revocations: [sessionOf('b')], caughtUp: true })
    await expect.poll(() => feed.added, often).toEqual([sessionOf('a')])
  })

  it('is not given back where it is over: the store may have forgotten it', async () => {
    const over = sessionOf('over', { expiresAt: Math.floor(Date.now() / 1000) - 60 })
    const snapshot = [
      { version: 1 as const, takenAt: 0, snapshotId: 'one', revocations: [over] },
      { version: 1 as const, takenAt: 0, snapshotId: 'one', revocations: [], end: { size: 1 } },
    ]
    const { feed, mirror, events } = await restored(snapshot)
    await feed.deliver({ revocations: [], caughtUp: true })
    await expect.poll(() => events, often).toMatchObject([{ type: 'mirror_resynchronized', lost: 0 }])
    expect(mirror.findSync(tokenOf('over'))).toEqual(over)
    expect(feed.added).toEqual([])
  })
})

describe('A snapshot of a mirror over DynamoDB', () => {
  const dynamodb = sharedDynamoDB()

  it('spares another process the reading of the table', async () => {
    const stores = await createStores(dynamodb)
    try {
      const [own, other] = [stores.store, new CountingStore(await stores.another())]
      await own.add(Array.from({ length: 40 }, (_, index) => sessionOf(`old-${index}`)))
      const first = mirrorOf(own)
      await first.ready()
      const snapshot = saved(first)
      await own.add([sessionOf('new')])
      const second = mirrorOf(other, { snapshot })
      await second.ready()
      expect(other.readings).toEqual([{ after: endOf(snapshot)?.cursor, revocations: 1 }])
      expect(second.findSync(tokenOf('old-7'))).toEqual(sessionOf('old-7'))
      expect(second.findSync(tokenOf('new'))).toEqual(sessionOf('new'))
      expect(second.findSync(tokenOf('unknown'))).toBeUndefined()
      await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()))
    } finally {
      await stores.close()
    }
  })
})

describeWithRedis('A snapshot of a mirror over Redis', () => {
  const redis = sharedRedis()

  it('of nothing is not gone on from where a feed has begun anew with what was left', async () => {
    const { client, end } = await redisClients.ioredis.connect(redis())
    const namespace = freshNamespace()
    const open = () =>
      new RedisRevocationStore({ client, namespace, heartbeatMs: 25, commandTimeoutMs: 15_000 })
    try {
      const first = mirrorOf(open())
      await first.ready()
      const snapshot = saved(first)
      await first.close()
      await open().add([sessionOf('old')])
      await client.del(`{${namespace}:0}:meta`)
      await open().add([sessionOf('new')])
      const second = mirrorOf(open(), { snapshot })
      await second.ready()
      for (const id of ['old', 'new']) expect(second.findSync(tokenOf(id))).toEqual(sessionOf(id))
    } finally {
      await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()))
      await end()
    }
  })

  it('is gone on from in its own namespace, and in no other', async () => {
    const { client, end } = await redisClients.ioredis.connect(redis())
    const storeIn = (namespace: string) =>
      new RedisRevocationStore({ client, namespace, heartbeatMs: 25, commandTimeoutMs: 15_000 })
    const [namespace, another] = [freshNamespace(), freshNamespace()]
    try {
      // As much in one as in the other, so that places in their feeds look alike.
      for (const each of [namespace, another]) await storeIn(each).add([sessionOf(`old-${each}`)])
      const first = mirrorOf(storeIn(namespace))
      await first.ready()
      const snapshot = saved(first)
      for (const each of [namespace, another]) await storeIn(each).add([sessionOf(`new-${each}`)])
      const [own, foreign] = [namespace, another].map((each) => new CountingStore(storeIn(each)))
      if (own === undefined || foreign === undefined) throw new Error('there are two')
      const second = mirrorOf(own, { snapshot })
      const third = mirrorOf(foreign, { snapshot, writeBack: false })
      await Promise.all([second.ready(), third.ready()])
      expect(own.readings[0]).toEqual({ after: endOf(snapshot)?.cursor, revocations: 1 })
      for (const age of ['old', 'new']) {
        expect(second.findSync(tokenOf(`${age}-${namespace}`))).toBeDefined()
        expect(third.findSync(tokenOf(`${age}-${another}`))).toBeDefined()
      }
    } finally {
      await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()))
      await end()
    }
  })
})
