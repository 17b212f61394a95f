import { cpSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { ChangeBatch } from '../../src/revocation/store.js'
import type { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { type RedisServer, startRedis } from '../support/redis-server.js'
import { describeWithRedisServer } from '../support/redis-suites.js'
import {
  eventually,
  idsOf,
  keysOf,
  nowSeconds,
  openStore,
  poolsOf,
  Reading,
  session,
  startProxy,
  startServer,
  tokenOf,
  user,
} from './redis-harness.js'

const namespace = 'loss'
const { expires, cutoffs, meta, feed } = keysOf(namespace)
const CUTOFF = nowSeconds() - 100

/** What a reader who has read everything does not know yet, and what he is to hear then. */
type Loss = (redis: RedisServer, store: RedisRevocationStore) => Promise<unknown>
type Known = Record<string, number | undefined>

const everything: Known = { a: undefined, u: undefined, v: CUTOFF }

/** What takes away what a reader has read already. */
const losses: Record<string, [loss: Loss, left: Known]> = {
  FLUSHALL: [(redis) => redis.run('FLUSHALL'), {}],
  'FLUSHALL with something new right after': [
    async (redis, store) => {
      await redis.run('FLUSHALL')
      await store.add([session('c')])
    },
    { c: undefined },
  ],
  'FLUSHALL with the same right after': [
    async (redis, store) => {
      await redis.run('FLUSHALL')
      await store.add([session('a')])
    },
    { a: undefined },
  ],
  'the swap of its database with an empty one': [(redis) => redis.run('SWAPDB', 0, 1), {}],
  'DEL expires': [(redis) => redis.run('DEL', expires), {}],
  'DEL expires with something new right after': [
    async (redis, store) => {
      await redis.run('DEL', expires)
      await store.add([session('c')])
    },
    { c: undefined },
  ],
  // What lacks its cutoff is for mirrors to write back.
  'DEL cutoffs': [(redis) => redis.run('DEL', cutoffs), { a: undefined }],
  'DEL cutoffs with something new right after': [
    async (redis, store) => {
      await redis.run('DEL', cutoffs)
      await store.add([session('c')])
    },
    { a: undefined, c: undefined },
  ],
  'DEL meta': [(redis) => redis.run('DEL', meta), everything],
  'DEL meta with something new right after': [
    async (redis, store) => {
      await redis.run('DEL', meta)
      await store.add([session('c')])
    },
    { ...everything, c: undefined },
  ],
  'DEL of meta and feed': [(redis) => redis.run('DEL', meta, feed), everything],
  'DEL of both sorted sets': [(redis) => redis.run('DEL', expires, cutoffs), {}],
  'an entry of nobody': [(redis) => redis.run('XADD', feed, '*', 'some', 'thing'), everything],
  'an entry of nobody, far in the future': [
    (redis) => redis.run('XADD', feed, '99999999999999-0', 'some', 'thing'),
    everything,
  ],
}

/** What comes while nobody reads, and is gone from the feed, or some of it, before anybody has. */
const gaps: Record<string, [loss: Loss, left: Known]> = {
  XTRIM: [
    async (redis, store) => {
      await store.add([session('c'), session('d')])
      await redis.run('XTRIM', feed, 'MAXLEN', 1)
    },
    { ...everything, c: undefined, d: undefined },
  ],
  'XTRIM of everything': [
    async (redis, store) => {
      await store.add([session('c')])
      await redis.run('XTRIM', feed, 'MAXLEN', 0)
    },
    { ...everything, c: undefined },
  ],
  'XTRIM of everything with something new right after': [
    async (redis, store) => {
      await store.add([session('c')])
      await redis.run('XTRIM', feed, 'MAXLEN', 0)
      await store.add([session('d')])
    },
    { ...everything, c: undefined, d: undefined },
  ],
  'XDEL in the midst': [
    async (redis, store) => {
      await store.add([session('c'), session('d'), session('e')])
      await redis.run('XDEL', feed, await idOfEntry(redis, -2))
    },
    { ...everything, c: undefined, d: undefined, e: undefined },
  ],
  'XDEL of the last': [
    async (redis, store) => {
      await store.add([session('c'), session('d')])
      await redis.run('XDEL', feed, await idOfEntry(redis, -1))
    },
    { ...everything, c: undefined, d: undefined },
  ],
  'DEL feed': [
    async (redis, store) => {
      await store.add([session('c')])
      await redis.run('DEL', feed)
    },
    { ...everything, c: undefined },
  ],
  'DEL feed with something new right after': [
    async (redis, store) => {
      await store.add([session('c')])
      await redis.run('DEL', feed)
      await store.add([session('d')])
    },
    { ...everything, c: undefined, d: undefined },
  ],
  'a burst of more than the feed keeps': [
    async (redis) => {
      const writer = await openStore(redis, { namespace, feedLength: 1 })
      await writer.add(Array.from({ length: 400 }, (_, index) => session(`burst-${index}`)))
    },
    {
      ...everything,
      ...Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`burst-${index}`, undefined])),
    },
  ],
}

describeWithRedisServer('A reader who has read everything learns of', () => {
  let redis: RedisServer
  let store: RedisRevocationStore
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())
  beforeEach(async () => {
    await redis.run('FLUSHALL')
    store = await openStore(redis, { namespace })
    await store.add([session('a'), user('u'), user('v', { cutoff: CUTOFF })])
  })

  it.each(Object.entries(gaps))('%s between two batches', async (_, [lose, left]) => {
    const reading = await goOn()
    await lose(redis, store)
    const lostAt = performance.now()
    expectNothingStale(await expectContent(reading, left), lostAt)
  })

  it.each(Object.entries({ ...losses, ...gaps }))('%s between two readings', async (_, [lose, left]) => {
    const before = new Reading(store)
    const cursor = await before.catchUp()
    await before.abort()
    await lose(redis, store)
    const reading = new Reading(store, cursor)
    // What comes before is old news at best.
    expectNothingStale(await expectContent(reading, left), 0)
    await reading.abort()
    await expectRestart(new Reading(store, cursor), left)
  })

  it.each(Object.entries(losses))('%s while it waits for news', async (_, [lose, left]) => {
    const reading = await goOn()
    const batches = reading.until(({ restarted }) => restarted === true)
    await eventually(async () => expect(await redis.run('CLIENT', 'LIST')).toMatch(/cmd=xread/))
    await lose(redis, store)
    expectNothingStale(await batches, performance.now())
    await reading.abort()
    await expectContent(new Reading(store), left)
  })

  it('FLUSHALL where the ids of the new feed repeat those of the old', async () => {
    const fill = async () => {
      await store.add([session('a')])
      // From here on the ids are counted up from this one.
      await redis.run('XADD', feed, '99999999999999-0', 'some', 'thing')
    }
    await fill()
    await store.add([session('b')])
    const reading = new Reading(store)
    await reading.catchUp()
    const id = await idOfEntry(redis, -1)
    await redis.run('FLUSHALL')
    await fill()
    await store.add([session('c')])
    expect(await idOfEntry(redis, -1)).toBe(id)
    await expectRestart(reading, { a: undefined, c: undefined })
  })

  it('nothing where only the feed is lost, of which nothing was left to read', async () => {
    const reading = new Reading(store)
    const cursor = await reading.catchUp()
    await redis.run('DEL', feed)
    await reading.catchUp()
    await store.add([session('c')])
    await reading.expectIds('c')
    const resumed = new Reading(store, cursor)
    expect(await resumed.next()).toMatchObject({ restarted: false, revocations: [{ id: 'c' }] })
  })

  it('an older state that came back, over the same connection', async () => {
    const dump = async (key: string) => (await redis.run('COPY', key, `${key}:copy`, 'REPLACE')) === 1
    for (const key of [expires, cutoffs, meta, feed]) expect(await dump(key)).toBe(true)
    await store.add([session('b')])
    const reading = new Reading(store)
    await reading.catchUp()
    for (const key of [expires, cutoffs, meta, feed]) await redis.run('RENAME', `${key}:copy`, key)
    await expectRestart(reading, everything)
  })

  it('an older state that was gone on from', async () => {
    const keys = [expires, cutoffs, meta, feed]
    for (const key of keys) await redis.run('COPY', key, `${key}:copy`)
    await store.add([session('b')])
    const reading = new Reading(store)
    await reading.catchUp()
    for (const key of keys) await redis.run('RENAME', `${key}:copy`, key)
    await store.add([session('c')])
    await expectRestart(reading, { ...everything, c: undefined })
  })

  it('a loss in one shard, from all of them', async () => {
    const shards = 2
    const [here = '', there = ''] = poolsOf(shards)
    const sharded = await openStore(redis, {
      namespace: 'sharded',
      shards,
      heartbeatMs: 3_000,
      commandTimeoutMs: 1_000,
    })
    await sharded.add([session('a', { poolId: here }), session('b', { poolId: there })])
    const reading = new Reading(sharded)
    await reading.expectIds('a', 'b')
    await reading.until(({ caughtUp }) => caughtUp)
    const batches = reading.until(({ restarted }) => restarted === true)
    await eventually(async () =>
      expect(String(await redis.run('CLIENT', 'LIST')).match(/cmd=xread/g)).toHaveLength(2),
    )
    // The reader of the other shard is in the midst of waiting for news, for longer than a command may take.
    await redis.run('DEL', keysOf('sharded', 0).expires)
    await sharded.add([session('c', { poolId: here })])
    const seen = [...(await batches), ...(await reading.until(({ caughtUp }) => caughtUp))]
    const from = seen.findIndex(({ batch }) => batch.restarted)
    expect(idsOf(seen.slice(from))).toEqual(['b', 'c'])
  })

  it('reads on after each of many losses', async () => {
    const reading = new Reading(store)
    await reading.catchUp()
    for (const round of [1, 2, 3]) {
      await redis.run('FLUSHALL')
      await store.add([session(`round-${round}`)])
      await expectContent(reading, { [`round-${round}`]: undefined })
    }
  })

  /** A reading that knows everything already; unlike one that began with it, it begins again without a pause. */
  async function goOn(): Promise<Reading> {
    const before = new Reading(store)
    const reading = new Reading(store, await before.catchUp())
    await before.abort()
    await reading.catchUp()
    return reading
  }

  /** A reading that has everything behind it begins again, and says at no time that it has not missed anything. */
  async function expectRestart(reading: Reading, left: Known): Promise<void> {
    const lostAt = performance.now()
    expectNothingStale(await expectContent(reading, left), lostAt)
    await store.add([session('afterwards')])
    await reading.until(({ revocations }) => revocations.some(({ id }) => id === 'afterwards'))
    await reading.catchUp()
  }
})

describeWithRedisServer(
  'Of the first record, lost before a reader has heard of it, he learns by the store that added it',
  () => {
    let redis: RedisServer
    beforeAll(async () => {
      redis = await startRedis()
    })
    afterAll(() => redis?.stop())
    beforeEach(() => redis.run('FLUSHALL'))

    const sequels: Record<string, [add: Loss, left: Known]> = {
      'and nothing was added since': [async () => {}, {}],
      'and somebody else has added since': [
        async () => (await openStore(redis, { namespace })).add([session('c')]),
        { c: undefined },
      ],
      'and the same store has added since': [(_, store) => store.add([session('d')]), { d: undefined }],
    }

    it.each(Object.entries(sequels))('between two batches, %s', async (_, [addMore, left]) => {
      const store = await openStore(redis, { namespace })
      const reading = new Reading(store)
      await reading.catchUp()
      await store.add([session('a')])
      await redis.run('FLUSHALL')
      await addMore(redis, store)
      await expectContent(reading, left)
      expect(await reading.catchUp()).not.toBe('')
    })

    it.each(Object.entries(sequels))('between two readings, %s', async (_, [addMore, left]) => {
      const store = await openStore(redis, { namespace })
      const before = new Reading(store)
      const cursor = await before.catchUp()
      await before.abort()
      await store.add([session('a')])
      await redis.run('FLUSHALL')
      await addMore(redis, store)
      await expectContent(new Reading(store, cursor), left)
    })

    it('unless it is there', async () => {
      const store = await openStore(redis, { namespace })
      const reading = new Reading(store)
      const cursor = await reading.catchUp()
      await store.add([session('a')])
      for (const each of [reading, new Reading(store, cursor)]) {
        const seen = await each.until(({ revocations }) => revocations.length > 0)
        expect(seen.some(({ batch }) => batch.restarted)).toBe(false)
      }
    })
  },
)

describeWithRedisServer('A reader whose connection breaks learns of', () => {
  it('a server that has kept nothing', async () => {
    const server = await startServer()
    const { cursor, store } = await readUntilBroken(server, () => server.restart({ keepData: false }))
    await expectContent(new Reading(store, cursor), {})
  })

  it.each([
    ['its last snapshot (RDB)', [], (server: RedisServer) => server.run('SAVE')],
    ['an older AOF', ['--appendonly', 'yes', '--appendfsync', 'always'], async () => {}],
  ])('a server that is back at %s', async (_, config, save) => {
    const server = await startServer({ config })
    const store = await openStore(server, { namespace })
    await store.add([session('a')])
    await save(server)
    const backup = `${server.dir}-backup`
    cpSync(server.dir, backup, { recursive: true })
    const older = await new Reading(store).catchUp()
    await store.add([session('b')])
    const { cursor } = await readUntilBroken(server, async () => {
      await server.kill()
      rmSync(server.dir, { recursive: true })
      cpSync(backup, server.dir, { recursive: true })
      rmSync(backup, { recursive: true })
      await server.start()
    })
    await eventually(() => store.find(tokenOf('a')))
    await expectContent(new Reading(store, cursor), { a: undefined })
    // Whoever had read no further has missed nothing.
    expect(await new Reading(store, older).next()).toMatchObject({ restarted: false, caughtUp: true })
  })

  it('nothing where the server has kept everything', async () => {
    const server = await startServer({ config: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const { cursor, store } = await readUntilBroken(server, async () => {
      await server.kill()
      await server.start()
    })
    await eventually(() => store.add([session('b')]))
    expect(await new Reading(store, cursor).next()).toMatchObject({
      restarted: false,
      revocations: [{ id: 'b' }],
    })
  })

  it('a replica that had fallen behind, and was promoted', async () => {
    const primary = await startServer()
    const proxy = await startProxy(primary)
    const replica = await startServer({ replicaOf: proxy })
    const store = await openStore(primary, { namespace })
    const promoted = await openStore(replica, { namespace })
    await store.add([session('a')])
    await eventually(async () => expect(await replica.run('EXISTS', expires)).toBe(1))
    const older = await new Reading(store).catchUp()
    await proxy.blackhole()
    await store.add([session('b')])
    const cursor = await new Reading(store).catchUp()
    await replica.run('REPLICAOF', 'NO', 'ONE')
    await expectContent(new Reading(promoted, cursor), { a: undefined })
    await promoted.add([session('c')])
    await expectContent(new Reading(promoted, cursor), { a: undefined, c: undefined })
    expect(await new Reading(promoted, older).next()).toMatchObject({
      restarted: false,
      revocations: [{ id: 'c' }],
    })
  })

  it('its primary that has become a replica', async () => {
    const primary = await startServer()
    const other = await startServer()
    const store = await openStore(primary, { namespace, heartbeatMs: 200 })
    await store.add([session('a')])
    const reading = new Reading(store)
    await reading.catchUp()
    await primary.run('REPLICAOF', other.host, other.port)
    await expect(reading.end()).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  /** Reads everything, and on until the server goes away. */
  async function readUntilBroken(server: RedisServer, goAndComeBack: () => Promise<void>) {
    const store = await openStore(server, { namespace })
    await store.add([session('a')])
    const reading = new Reading(store)
    const cursor = await reading.catchUp()
    const end = expect(reading.end()).rejects.toMatchObject({ code: 'store_unavailable' })
    await goAndComeBack()
    await end
    await eventually(() => store.find(tokenOf('a')))
    return { cursor, store }
  }
})

/** Reads from a beginning until all is read; gives all batches. */
async function expectContent(reading: Reading, content: Known) {
  const before = await reading.until(({ restarted }) => restarted === true)
  const first = before.at(-1)?.batch as ChangeBatch
  const rest = first.caughtUp ? [] : await reading.until(({ caughtUp }) => caughtUp)
  const batches = [first, ...rest.map(({ batch }) => batch)]
  const known = Object.fromEntries(
    batches.flatMap(({ revocations }) => revocations.map(({ id, cutoff }) => [id, cutoff])),
  )
  expect(known).toEqual(content)
  return [...before, ...rest]
}

/** Before a reading begins again, none of its batches says that what it knows is from after the loss. */
function expectNothingStale(seen: Awaited<ReturnType<Reading['until']>>, lostAt: number): void {
  for (const { batch, knownAt } of seen) {
    if (batch.restarted) return
    expect(batch.caughtUp && knownAt > lostAt).toBe(false)
  }
}

async function idOfEntry(redis: RedisServer, index: -1 | -2): Promise<string> {
  const entries = (await redis.run('XREVRANGE', feed, '+', '-', 'COUNT', 2)) as [string, string[]][]
  return entries[-index - 1]?.[0] ?? ''
}
