import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { aclRules, clusterCommands, readerCommands, writerCommands } from '../support/redis-acl.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { type RedisServer, startRedis } from '../support/redis-server.js'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { clusterKinds, type OpenClusterClient } from './redis-client-kinds.js'
import {
  eventually,
  idsOf,
  keysOf,
  poolsOf,
  Reading,
  type StoreOptions,
  session,
  storeOver,
  thrownBy,
  tokenOf,
} from './redis-harness.js'

const namespace = 'clustered'
const SHARDS = 6
const unavailable = { code: 'store_unavailable' }
const USER = { username: 'app', password: 'secret' }
const pools = poolsOf(SHARDS)

describeWithRedisServer('A RedisRevocationStore over a cluster', () => {
  let cluster: RedisCluster
  /** One of each primary, in the same order. */
  const replicas: RedisServer[] = []
  beforeAll(async () => {
    cluster = await startRedisCluster()
    const config = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']
    for (const primary of cluster.nodes) {
      const replica = await startRedis({ config })
      replicas.push(replica)
      await replica.run('CLUSTER', 'MEET', primary.host, primary.port)
      const id = String(await primary.run('CLUSTER', 'MYID'))
      await eventually(() => replica.run('CLUSTER', 'REPLICATE', id))
    }
    for (const [index, primary] of cluster.nodes.entries()) {
      await eventually(async () => {
        expect(await primary.run('INFO', 'replication')).toContain('state=online')
        expect(await replicas[index]?.run('INFO', 'replication')).toContain('master_link_status:up')
      })
    }
  })
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()))
    await cluster?.stop()
  })
  beforeEach(async () => {
    for (const node of cluster.nodes) await node.run('FLUSHALL')
  })
  const kinds = Object.entries(clusterKinds)

  it.each(kinds)('adds, finds and reads in all shards by %s', async (_, open) => {
    const store = await openOverCluster(open)
    const records = pools.map((poolId) => session(`of ${poolId}`, { poolId }))
    await store.add(records)
    const used = await Promise.all(cluster.nodes.map((node) => node.run('DBSIZE')))
    expect(Math.min(...used.map(Number))).toBeGreaterThan(0)
    for (const { id, poolId } of records) {
      expect(await store.find(tokenOf(id, { poolId }))).toMatchObject({ id })
      expect(await store.find(tokenOf('another', { poolId }))).toBeUndefined()
    }
    const reading = new Reading(store)
    expect(idsOf(await reading.until(({ caughtUp }) => caughtUp))).toEqual(records.map(({ id }) => id).sort())
    const news = pools.map((poolId) => session(`new of ${poolId}`, { poolId }))
    for (const one of news) await store.add([one])
    await reading.expectIds(...news.map(({ id }) => id))
    const cursor = await reading.catchUp()
    await reading.abort()
    await store.add([session('later', { poolId: pools[4] as string })])
    await new Reading(store, cursor).expectIds('later')
  })

  it.each(kinds)('has a feed of its own, which does not keep the process alive, by %s', async (_, open) => {
    const store = await openOverCluster(open)
    await store.add([session('a')])
    const first = new Reading(store)
    await first.expectIds('a')
    await first.abort()
    // By now, the client that was handed in has all the connections that it needs.
    const before = await eventually(async () => {
      const now = [await connections(), await connections()] as const
      expect(now[1]).toBe(now[0])
      return now[1]
    })
    const alive = socketsThatKeepAlive()
    const reading = new Reading(store)
    await reading.expectIds('a')
    await reading.catchUp()
    await eventually(() => expect(socketsThatKeepAlive()).toBeLessThanOrEqual(alive))
    await reading.catchUp()
    await store.close()
    await reading.end()
    await eventually(async () => expect(await connections()).toBeLessThanOrEqual(before))
    expect(await store.find(tokenOf('a'))).toBeDefined()
  })

  it.each(kinds)('has a feed as the same user by %s', async (_, open) => {
    await permit([...writerCommands, ...clusterCommands])
    const client = await open(cluster.nodes, USER)
    const store = storeOver(client, { namespace, shards: SHARDS, heartbeatMs: 5_000 })
    await store.add([session('a')])
    const reading = new Reading(store)
    await reading.expectIds('a')
    const news = reading.expectIds('b')
    await eventually(async () => {
      const clients = await Promise.all(cluster.nodes.map((node) => node.run('CLIENT', 'LIST')))
      const blocked = clients.flatMap((list) =>
        String(list)
          .split('\n')
          .filter((one) => one.includes('cmd=xread')),
      )
      expect(blocked).toHaveLength(SHARDS)
      for (const one of blocked) expect(one).toContain('user=app')
    })
    await store.add([session('b')])
    await news
  })

  it.each(kinds)('follows a slot that moves, by %s', async (_, open) => {
    // A client may try for longer than anybody wants to wait.
    const options = { shards: 1, commandTimeoutMs: 300 }
    const store = await openOverCluster(open, options)
    const idle = await openOverCluster(open, options)
    await eventually(() => store.add([session('a')]))
    expect(await eventually(() => idle.find(tokenOf('a')))).toBeDefined()
    const reader = readOn(store)
    await eventually(() => expect(reader.caughtUp).toBe(true))
    const verdicts = new Set<string>()
    await moveSlot(async () => {
      const verdict = store.find(tokenOf('a')).then((match) => match?.id ?? 'not revoked')
      verdicts.add(await verdict.catch(() => 'unknown'))
    })
    // While half of the keys are here and half are there, it may not know.
    expect(verdicts).not.toContain('not revoked')
    for (const one of [store, idle]) {
      expect(await eventually(() => one.find(tokenOf('a')))).toMatchObject({ id: 'a' })
      expect(await one.find(tokenOf('b'))).toBeUndefined()
    }
    await eventually(() => store.add([session('b')]))
    await eventually(() => expect(reader.ids).toEqual(new Set(['a', 'b'])))
    // Nothing was lost on the way, so there was no need to begin again.
    expect(reader.restarts).toBe(1)
    await reader.end()
  })

  it.each(kinds)('has recorded on replicas as well when it resolves, by %s', async (_, open) => {
    const store = storeOver(await open(cluster.nodes), { namespace, waitForReplicas: 1 })
    await store.add([session('a')])
    const { expires } = keysOf(namespace)
    const kept = replicas.map((replica) => replica.run('KEYS', expires))
    expect((await Promise.all(kept)).flat()).toEqual([expires])
    await store.add([session('b')])
    expect(await store.find(tokenOf('b'))).toBeDefined()
  })

  it.each(kinds)(
    'says that too few replicas have confirmed, though it is recorded, by %s',
    async (_, open) => {
      const store = storeOver(await open(cluster.nodes), {
        namespace,
        waitForReplicas: 2,
        commandTimeoutMs: 100,
      })
      // Until then, it may have taken too long to connect.
      await eventually(async () => {
        const error = await thrownBy(() => store.add([session('a')]))
        expect(error).toMatchObject({
          ...unavailable,
          message: expect.stringMatching(/only [01] of 2 replicas/),
        })
      })
      expect(await eventually(() => store.find(tokenOf('a')))).toMatchObject({ id: 'a' })
    },
  )

  it.each(kinds)('needs no more than the least rights, by %s', async (_, open) => {
    await permit([...writerCommands, ...clusterCommands])
    const writer = storeOver(await open(cluster.nodes, USER), { namespace, shards: SHARDS })
    await writer.add(pools.map((poolId) => session('a', { poolId })))
    await permit([...readerCommands, ...clusterCommands])
    const reader = storeOver(await open(cluster.nodes, USER), { namespace, shards: SHARDS })
    for (const poolId of pools) {
      expect(await eventually(() => reader.find(tokenOf('a', { poolId })))).toBeDefined()
      await expect(reader.add([session('b', { poolId })])).rejects.toMatchObject({
        code: 'store_unavailable',
      })
      expect(await reader.find(tokenOf('b', { poolId }))).toBeUndefined()
    }
    const reading = new Reading(reader)
    await reading.expectIds('a')
    await reading.catchUp()
  })

  it.each([
    ...clusterCommands.map((command) => ['ioredis 6', command] as const),
    ['node-redis 6', 'cluster|slots'] as const,
  ])('could do nothing, by %s, without the right to %s', async (kind, command) => {
    const open = clusterKinds[kind] as (typeof clusterKinds)[string]
    await permit([...writerCommands, ...clusterCommands.filter((name) => name !== command)])
    const add = async () => {
      const store = storeOver(await open(cluster.nodes, USER), { namespace, commandTimeoutMs: 200 })
      await store.add([session('a')])
    }
    await expect(add()).rejects.toThrow()
  })

  async function permit(commands: readonly string[]): Promise<void> {
    const rules = ['reset', 'on', `>${USER.password}`, ...aclRules(commands, namespace)]
    for (const node of cluster.nodes) await node.run('ACL', 'SETUSER', USER.username, ...rules)
  }

  async function openOverCluster(open: OpenClusterClient, options: StoreOptions = {}) {
    // One node is enough to find the others.
    const client = await open(cluster.nodes.slice(0, 1))
    return storeOver(client, { namespace, shards: SHARDS, ...options })
  }

  async function connections(): Promise<number> {
    const clients = await Promise.all(
      cluster.nodes.map((node) => node.run('CLIENT', 'LIST', 'TYPE', 'normal')),
    )
    const pubsub = await Promise.all(
      cluster.nodes.map((node) => node.run('CLIENT', 'LIST', 'TYPE', 'pubsub')),
    )
    return [...clients, ...pubsub].join('').trim().split('\n').length
  }

  /** Moves the slot of shard 0 to the next node, key by key. */
  async function moveSlot(betweenSteps: () => Promise<void>): Promise<void> {
    const keys = Object.values(keysOf(namespace))
    const slot = Number(await (cluster.nodes[0] as RedisServer).run('CLUSTER', 'KEYSLOT', keys[0] as string))
    const counts = await Promise.all(cluster.nodes.map((node) => node.run('EXISTS', ...keys).catch(() => 0)))
    const at = counts.indexOf(4)
    const from = cluster.nodes[at] as RedisServer
    const to = cluster.nodes[(at + 1) % 3] as RedisServer
    const [fromId, toId] = await Promise.all([from.run('CLUSTER', 'MYID'), to.run('CLUSTER', 'MYID')])
    await to.run('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId))
    await from.run('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId))
    for (const key of keys) {
      await betweenSteps()
      await from.run('MIGRATE', to.host, to.port, key, 0, 5_000)
    }
    await betweenSteps()
    for (const node of [to, from, ...cluster.nodes]) {
      await node.run('CLUSTER', 'SETSLOT', slot, 'NODE', String(toId))
    }
  }

  /** Reads on whatever comes, as a mirror does. */
  function readOn(store: RedisRevocationStore) {
    const seen = { ids: new Set<string>(), restarts: 0, caughtUp: false, end }
    let ended = false
    let cursor: string | undefined
    const done = (async () => {
      while (!ended) {
        const reading = new Reading(store, cursor)
        try {
          await reading.until((batch) => {
            cursor = batch.cursor
            if (batch.restarted) seen.restarts += 1
            if (batch.caughtUp) seen.caughtUp = true
            for (const { id } of batch.revocations) seen.ids.add(id)
            return ended
          })
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        await reading.abort()
      }
    })()
    async function end() {
      ended = true
      await done
    }
    return seen
  }
})

function socketsThatKeepAlive(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}
