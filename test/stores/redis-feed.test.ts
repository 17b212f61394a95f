import { expect, it, vi } from 'vitest'
import { layoutOf } from '../../src/stores/redis/layout.js'
import { redisClients } from '../support/redis-clients.js'
import { describeWithRedis, freshNamespace, sharedRedis } from '../support/redis-suites.js'
import { clientKinds } from './redis-client-kinds.js'
import {
  afterTest,
  eventually,
  HOUR,
  idsOf,
  keysOf,
  nowSeconds,
  openStore,
  poolsOf,
  Reading,
  readAll,
  type StoreOptions,
  session,
  startProxy,
  storeOver,
  tokenOf,
} from './redis-harness.js'

describeWithRedis('The connection of a feed', () => {
  const redis = sharedRedis()

  /** How many connections there are besides the one that asks. */
  async function connections(): Promise<number> {
    const clients = String(await redis().run('CLIENT', 'LIST', 'TYPE', 'normal'))
    return clients.trim().split('\n').length - 1
  }

  it.each(Object.entries(clientKinds))('of %s is its own, and is closed at the end', async (_, open) => {
    const store = storeOver(await open(redis()))
    await store.add([session('a')])
    const before = await connections()
    const readings = [new Reading(store), new Reading(store), new Reading(store)] as const
    expect(await connections()).toBe(before)
    for (const reading of readings) await reading.expectIds('a')
    expect(await connections()).toBe(before + 3)
    await readings[0].abort()
    await eventually(async () => expect(await connections()).toBe(before + 2))
    await readings[1].return()
    await eventually(async () => expect(await connections()).toBe(before + 1))
    await store.close()
    await readings[2].end()
    await eventually(async () => expect(await connections()).toBe(before))
    // The client that was handed in is its owner's to close.
    expect(await store.find(tokenOf('a'))).toBeDefined()
    await store.add([session('b')])
    expect(await store.find(tokenOf('b'))).toBeDefined()
  })

  it('is one for each shard', async () => {
    const store = await openStore(redis(), { shards: 3 })
    const before = await connections()
    const reading = new Reading(store)
    await reading.catchUp()
    expect(await connections()).toBe(before + 3)
    await reading.abort()
    await eventually(async () => expect(await connections()).toBe(before))
  })

  it('is closed at once where the signal comes while it waits for news', async () => {
    const store = await openStore(redis(), { heartbeatMs: 60_000 })
    const before = await connections()
    const reading = new Reading(store)
    await reading.catchUp()
    const end = reading.end()
    await eventually(async () => expect(await redis().run('CLIENT', 'LIST')).toMatch(/cmd=xread/))
    await reading.abort()
    await end
    await eventually(async () => expect(await connections()).toBe(before))
  })

  it('is not opened for a feed that was closed before it was read', async () => {
    const store = await openStore(redis())
    const before = await connections()
    const reading = new Reading(store)
    await reading.abort()
    await reading.end()
    await store.close()
    await new Reading(store).end()
    await eventually(async () => expect(await connections()).toBe(before))
  })

  it.each(Object.entries(clientKinds))('of %s leaves nothing behind after a hundred', async (_, open) => {
    const warned = vi.fn()
    process.on('warning', warned)
    afterTest(() => process.off('warning', warned))
    const store = storeOver(await open(redis()))
    const { signal } = new AbortController()
    const before = await connections()
    const sockets = countOf('TCPSocketWrap')
    for (let round = 0; round < 10; round++) {
      const openings = Array.from({ length: 10 }, async (_, index) => {
        if (index % 2 === 0) return new Reading(store).next()
        for await (const _ of store.changes({ signal })) break
        return undefined
      })
      await Promise.all(openings)
    }
    await store.close()
    await eventually(async () => {
      expect(await connections()).toBe(before)
      expect(countOf('TCPSocketWrap')).toBeLessThanOrEqual(sockets)
    })
    expect(warned).not.toHaveBeenCalled()
  })

  it('is made by createFeedClient, for each feed anew, and closed as well', async () => {
    const { client } = await connect()
    const createFeedClient = vi.fn(() => client.duplicate({ connectionName: 'made-for-it' }))
    const store = storeOver(client, { createFeedClient })
    expect(createFeedClient).not.toHaveBeenCalled()
    const readings = [new Reading(store), new Reading(store)] as const
    for (const reading of readings) await reading.catchUp()
    expect(createFeedClient).toHaveBeenCalledTimes(2)
    expect(String(await redis().run('CLIENT', 'LIST')).match(/name=made-for-it/g)).toHaveLength(2)
    await store.close()
    await eventually(async () => expect(await redis().run('CLIENT', 'LIST')).not.toContain('made-for-it'))
  })

  it.each([
    ['fails', () => Promise.reject(new Error('no room'))],
    [
      'throws',
      () => {
        throw new Error('no room')
      },
    ],
    ['gives nothing', () => undefined],
    ['gives a client that cannot connect', () => unreachable()],
  ])('is reported as missing where createFeedClient %s', async (_, createFeedClient) => {
    const store = await openStore(redis(), { createFeedClient } as StoreOptions)
    await expect(new Reading(store).end()).rejects.toMatchObject({ code: 'store_unavailable' })
    await store.add([session('a')])
  })

  async function connect() {
    const connection = await redisClients.ioredis.connect(redis())
    afterTest(connection.end)
    return connection
  }

  async function unreachable() {
    const proxy = await startProxy(redis())
    await proxy.close()
    return redisClients.ioredis.open(proxy, { lazyConnect: true, retryStrategy: () => null }).client
  }
})

describeWithRedis('The feed of a RedisRevocationStore', () => {
  const redis = sharedRedis()

  it('brings news at once, however long the heartbeat', async () => {
    const store = await openStore(redis(), { heartbeatMs: 60_000 })
    const reading = new Reading(store)
    await reading.catchUp()
    for (const id of ['a', 'b', 'c']) {
      await store.add([session(id)])
      await reading.expectIds(id)
    }
  })

  it('waits longer for news than any command may take', async () => {
    const namespace = freshNamespace()
    const writer = await openStore(redis(), { namespace })
    const reading = new Reading(
      await openStore(redis(), { namespace, heartbeatMs: 700, commandTimeoutMs: 300 }),
    )
    await reading.catchUp()
    await reading.catchUp()
    await writer.add([session('a')])
    await reading.expectIds('a')
  })

  it('tells the age of what it knows from when it asked, not from when it was answered', async () => {
    const store = await openStore(redis(), { heartbeatMs: 60_000 })
    const reading = new Reading(store)
    await reading.catchUp()
    const askedBefore = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await store.add([session('a')])
    const { batch } = (await reading.until(({ revocations }) => revocations.length > 0)).at(-1) ?? {}
    expect(batch?.caughtUp).toBe(true)
    const ageMs = batch?.ageMs ?? 0
    expect(ageMs).toBeGreaterThanOrEqual(performance.now() - askedBefore - 1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(batch?.ageMs).toBeGreaterThan(ageMs)
  })

  it('knows more with every heartbeat', async () => {
    const reading = new Reading(await openStore(redis(), { heartbeatMs: 30 }))
    await reading.until(({ caughtUp }) => caughtUp)
    for (let round = 0; round < 3; round++) {
      const start = performance.now()
      const seen = await reading.until(({ ageMs }) => performance.now() - ageMs > start)
      expect(seen.at(-1)?.batch).toMatchObject({ caughtUp: true, restarted: false, revocations: [] })
    }
  })

  it('brings a thousand records of one call, some of them twice', async () => {
    const store = await openStore(redis())
    const reading = new Reading(store)
    await reading.catchUp()
    const ids = Array.from({ length: 1_000 }, (_, index) => `s${index}`)
    const later = nowSeconds() + 9 * HOUR
    await store.add([...ids.map((id) => session(id)), session('s7', { expiresAt: later }), session('s7')])
    await reading.expectIds(...ids)
    expect(await store.find(tokenOf('s999'))).toMatchObject({ id: 's999' })
    expect(await store.find(tokenOf('s7'))).toMatchObject({ expiresAt: later })
    const all = await readAll(store)
    expect(all).toHaveLength(1_000)
    expect(all.find(({ id }) => id === 's7')).toMatchObject({ expiresAt: later })
  })

  it('brings the pools of all shards, and says that it has caught up when it has with each', async () => {
    const shards = 5
    const pools = poolsOf(shards)
    const namespace = freshNamespace()
    const store = await openStore(redis(), { shards, namespace })
    const records = pools.flatMap((poolId) =>
      ['a', 'b'].map((id) => session(`${id} of ${poolId}`, { poolId })),
    )
    await store.add(records)
    for (const [shard, poolId] of pools.entries()) {
      const { expires, meta } = keysOf(namespace, shard)
      const members = (await redis().run('ZRANGE', expires, 0, -1)) as string[]
      expect(members.filter((member) => !member.startsWith('g:'))).toEqual([
        `s:${poolId}:a of ${poolId}`,
        `s:${poolId}:b of ${poolId}`,
      ])
      expect(await redis().run('HGET', meta, 'layout')).toBe(layoutOf(shards))
    }
    const reading = new Reading(store)
    const seen = await reading.until(({ caughtUp }) => caughtUp)
    expect(idsOf(seen)).toEqual(records.map(({ id }) => id).sort())
    expect(seen.filter(({ batch }) => batch.restarted)).toHaveLength(1)
    const cursor = await reading.catchUp()
    await reading.abort()
    await store.add([session('new', { poolId: pools[3] as string })])
    await new Reading(store, cursor).expectIds('new')
  })

  it('gives no cursor to go on from in the midst of everything', async () => {
    const store = await openStore(redis())
    await store.add(Array.from({ length: 3_000 }, (_, index) => session(`s${index}`)))
    const seen = await new Reading(store).until(({ caughtUp }) => caughtUp)
    expect(seen.length).toBeGreaterThan(2)
    const [last, ...before] = seen.reverse()
    for (const { batch } of before) {
      const reading = new Reading(store, batch.cursor)
      expect(idsOf(await reading.until(({ caughtUp }) => caughtUp))).toHaveLength(3_000)
      await reading.abort()
      break
    }
    expect(before.map(({ batch }) => batch.cursor)).toEqual(before.map(() => ''))
    expect(last?.batch.cursor).not.toBe('')
  })

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '5',
    '[5]',
    '[null]',
    '["1-1"]',
    '[[]]',
    '[["1-1"]]',
    '[["1-1",5,true]]',
    '[[["1-1"],"",true]]',
    '[["0","",true]]',
    '[["$","",true]]',
    '[["+","",true]]',
    '[["-1-1","",true]]',
    '[["18446744073709551615-18446744073709551615","",true]]',
    '[["99999999999999999999-0","",true]]',
    '[["0-99999999999999999999","",true]]',
    '[["9999999999999999999-0","",true]]',
    '[["0-0","0-0/x",true]]',
    '[["0-0","",true],["0-0","",true]]',
    '[["0-0\\n","",true]]',
    '['.repeat(1_000),
  ])('starts over at a cursor of nobody: %s', async (cursor) => {
    const store = await openStore(redis())
    await store.add([session('a')])
    const reading = new Reading(store, cursor)
    const seen = await reading.until(({ caughtUp }) => caughtUp)
    expect(idsOf(seen)).toEqual(['a'])
    expect(seen[0]?.batch.restarted).toBe(true)
  })

  it('starts over at the cursor of another namespace, and of another number of shards', async () => {
    const other = await openStore(redis())
    await other.add([session('x')])
    const cursor = await new Reading(other).catchUp()
    for (const shards of [1, 2]) {
      const store = await openStore(redis(), { shards })
      await store.add([session('a')])
      const seen = await new Reading(store, cursor).until(({ caughtUp }) => caughtUp)
      expect(idsOf(seen)).toEqual(['a'])
      expect(seen[0]?.batch.restarted).toBe(true)
    }
  })

  it('goes on without a gap while many write at once', async () => {
    const namespace = freshNamespace()
    const writers = await Promise.all([1, 2, 3, 4].map(() => openStore(redis(), { namespace })))
    const reading = new Reading(await openStore(redis(), { namespace }))
    await reading.catchUp()
    const written: string[] = []
    const writing = writers.map(async (store, writer) => {
      for (let index = 0; index < 50; index++) {
        const id = `${writer}-${index}`
        written.push(id)
        await store.add([session(id)])
      }
    })
    await Promise.all(writing)
    await reading.expectIds(...written)
  })
})

function countOf(resource: string): number {
  return process.getActiveResourcesInfo().filter((name) => name === resource).length
}
