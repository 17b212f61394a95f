import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import type { RedisClient } from '../../src/stores/redis/index.js'
import { aclRules, readerCommands, replicaCommands, writerCommands } from '../support/redis-acl.js'
import { type RedisServer, startRedis } from '../support/redis-server.js'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { clientKinds, type OpenClient } from './redis-client-kinds.js'
import {
  afterTest,
  keysOf,
  openStore,
  poolsOf,
  Reading,
  session,
  storeOver,
  tokenOf,
  tokenOfUser,
  user,
} from './redis-harness.js'

const namespace = 'cognito-revocation'
const USER = { username: 'app', password: 'pass' }
const SHARDS = 2
const [, otherPool = ''] = poolsOf(SHARDS)

describeWithRedisServer('A Redis user with the least rights', () => {
  let server: RedisServer
  beforeAll(async () => {
    // It has the eviction policy that there is a warning for.
    server = await startRedis({ config: ['--maxmemory-policy', 'allkeys-lru'] })
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    await server.run('FLUSHALL')
    await server.run('SCRIPT', 'FLUSH')
    await server.run('ACL', 'LOG', 'RESET')
    // ioredis says there that it may not ask whether the server is ready.
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    afterTest(() => vi.restoreAllMocks())
  })
  const kinds = Object.entries(clientKinds)

  it.each(kinds)('reads by %s', async (_, open) => {
    await permit(readerCommands)
    await read(await openAs(open))
    expect(await server.run('ACL', 'LOG')).toEqual([])
  })

  it.each(kinds)('writes, and reads, by %s', async (_, open) => {
    await permit(writerCommands)
    const client = await openAs(open)
    await write(client)
    await server.run('FLUSHALL')
    await read(client)
    expect(await server.run('ACL', 'LOG')).toEqual([])
  })

  it.each(kinds)('writes, and waits for replicas, by %s', async (_, open) => {
    const replica = await startRedis({ replicaOf: server })
    afterTest(() => replica.stop())
    await permit([...writerCommands, ...replicaCommands])
    const store = storeOver(await openAs(open), { namespace, waitForReplicas: 1 })
    await store.add([session('a')])
    expect(await server.run('ACL', 'LOG')).toEqual([])
    await permit(writerCommands)
    await expect(store.add([session('b')])).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it.each(kinds)('who reads cannot write, by %s', async (_, open) => {
    await permit(readerCommands)
    const client = await openAs(open)
    for (const shards of [1, SHARDS]) {
      await server.run('FLUSHALL')
      const store = storeOver(client, { namespace, shards })
      const denied = { code: 'store_unavailable', message: expect.stringContaining('ACL') }
      for (const poolId of poolsOf(shards)) {
        await expect(store.add([session('a', { poolId })])).rejects.toMatchObject(denied)
        await expect(store.find(tokenOf('a', { poolId }))).resolves.toBeUndefined()
      }
      expect(await server.run('DBSIZE')).toBe(0)
    }
    const writer = await openStore(server, { namespace })
    await server.run('FLUSHALL')
    await writer.add([session('a')])
    const store = storeOver(client, { namespace })
    await expect(store.add([session('b')])).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await store.find(tokenOf('a'))).toBeDefined()
    expect(await store.find(tokenOf('b'))).toBeUndefined()
  })

  it('has no right to the keys of another namespace', async () => {
    await permit(writerCommands)
    const client = await openAs(clientKinds['ioredis 6'] as OpenClient)
    const store = storeOver(client, { namespace: 'cognito-revocation2' })
    await expect(store.find(tokenOf('a'))).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(store.add([session('a')])).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it.each(readerCommands)('could not read without %s', async (command) => {
    await permit(readerCommands.filter((name) => name !== command))
    await expect(openAs(clientKinds['ioredis 6'] as OpenClient).then(read)).rejects.toThrow()
  })

  it.each(writerCommands)('could not write, and read, without %s', async (command) => {
    await permit(writerCommands.filter((name) => name !== command))
    const writeAndRead = async () => {
      const client = await openAs(clientKinds['ioredis 6'] as OpenClient)
      await write(client)
      await server.run('FLUSHALL')
      await read(client)
    }
    await expect(writeAndRead()).rejects.toThrow()
  })

  async function permit(commands: readonly string[]): Promise<void> {
    const rules = ['reset', 'on', `>${USER.password}`, ...aclRules(commands, namespace)]
    await server.run('ACL', 'SETUSER', USER.username, ...rules)
  }

  function openAs(open: OpenClient): Promise<RedisClient> {
    return open({ host: server.host, port: server.port, ...USER })
  }

  /** All that a reader asks, in every state of the data and the server that it can meet. */
  async function read(client: RedisClient): Promise<void> {
    const events: ObserverEvent[] = []
    const store = storeOver(client, { namespace, shards: SHARDS, observer: (event) => events.push(event) })
    const writer = await openStore(server, { namespace, shards: SHARDS })
    expect(await store.find(tokenOf('a'))).toBeUndefined()
    const empty = new Reading(store)
    await empty.catchUp()
    await writer.add([session('a'), user('u', { cutoff: 5 }), session('b', { poolId: otherPool })])
    await empty.expectIds('a', 'b', 'u')
    const cursor = await empty.catchUp()
    await empty.abort()
    expect(await store.find(tokenOf('a'))).toBeDefined()
    expect(await store.find(tokenOfUser('u', { iat: 5 }))).toMatchObject({ cutoff: 5 })
    expect(await store.find(tokenOf('c'))).toBeUndefined()
    await writer.add([session('c')])
    await new Reading(store, cursor).expectIds('c')
    await new Reading(store).expectIds('a', 'b', 'c', 'u')
    await server.run('SCRIPT', 'FLUSH')
    expect(await store.find(tokenOf('c'))).toBeDefined()
    expect(events).toEqual([{ type: 'redis_may_evict', maxmemoryPolicy: 'allkeys-lru' }])
  }

  /** All that a writer does. */
  async function write(client: RedisClient): Promise<void> {
    const store = storeOver(client, { namespace, shards: SHARDS })
    await store.add([session('a'), user('u', { cutoff: 5 }), session('b', { poolId: otherPool })])
    // To be forgotten at the next call.
    await store.add([session('over', { expiresAt: 5 }), user('over', { expiresAt: 5 })])
    await store.add([session('c')])
    await server.run('DEL', ...Object.values(keysOf(namespace)).slice(0, 2))
    await store.add([session('d')])
    await server.run('SCRIPT', 'FLUSH')
    await store.add([session('e')])
  }
})
