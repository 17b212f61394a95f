import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import {
  ReplicatedRevocationStore,
  type ReplicatedRevocationStoreOptions,
} from '../../src/revocation/replicated-store.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { type RedisClient, RedisRevocationStore } from '../../src/stores/redis/index.js'
import { type StoreUnderTest, storeConformanceTests } from '../../src/testing/index.js'
import { redisClients } from '../support/redis-clients.js'
import { type RedisServer, startRedis } from '../support/redis-server.js'
import { describeWithRedisServer, freshNamespace } from '../support/redis-suites.js'
import { afterTest, eventually, openStore, session, startServer, tokenOf } from './redis-harness.js'

describeWithRedisServer('A ReplicatedRevocationStore', () => {
  const servers: RedisServer[] = []
  const clients: RedisClient[] = []
  const ends: (() => Promise<void>)[] = []

  beforeAll(async () => {
    for (let server = 0; server < 2; server++) {
      const redis = await startRedis()
      servers.push(redis)
      // Two for each server: one is another process's.
      for (let process = 0; process < 2; process++) {
        const { client, end } = await redisClients.ioredis.connect(redis)
        clients.push(client)
        ends.push(end)
      }
    }
  })
  afterAll(async () => {
    for (const end of ends) await end()
    for (const server of servers) await server.stop()
  })

  const redisStore = (client: RedisClient | undefined, namespace: string) => {
    if (client === undefined) throw new TypeError('no client')
    return new RedisRevocationStore({ client, namespace, heartbeatMs: 25, commandTimeoutMs: 15_000 })
  }
  const replicated = (stores: readonly RevocationStore[]) =>
    new ReplicatedRevocationStore(stores, { timeoutMs: 15_000 })

  describe('of two Redis servers', () => {
    const create = async (): Promise<StoreUnderTest> => {
      const namespace = freshNamespace()
      const [a, otherA, b, otherB] = clients.map((client) => redisStore(client, namespace))
      const [store, another] = [replicated([a, b] as RedisRevocationStore[]), [otherA, otherB]]
      return {
        store,
        another: async () => replicated(another as RedisRevocationStore[]),
        close: async () => {
          await store.close()
          for (const each of [a, b, otherA, otherB]) await each?.close()
        },
      }
    }
    for (const { name, run } of storeConformanceTests(create)) it.concurrent(name, run)
  })

  describe('of a Redis server and memory', () => {
    const create = async (): Promise<StoreUnderTest> => {
      const [redis, memory] = [
        redisStore(clients[0], freshNamespace()),
        new MemoryRevocationStore({ heartbeatMs: 20 }),
      ]
      const store = replicated([redis, memory])
      return {
        store,
        close: async () => {
          await store.close()
          await redis.close()
          await memory.close()
        },
      }
    }
    for (const { name, run } of storeConformanceTests(create)) it.concurrent(name, run)
  })
})

/** For so long after it was acknowledged, a mirror may not know what was not revoked through it. */
const MAX_STALENESS_MS = 500

/** Several servers of the test's own as one store, and a mirror that reads it. */
async function startReplicas(count: number, options: ReplicatedRevocationStoreOptions = {}) {
  const servers = await Promise.all(Array.from({ length: count }, () => startServer()))
  const events: ObserverEvent[] = []
  const stores = await Promise.all(
    servers.map((server) => openStore(server, { namespace: 'replicated', commandTimeoutMs: 1_000 })),
  )
  const store = new ReplicatedRevocationStore(stores, {
    timeoutMs: 1_000,
    observer: (event) => events.push(event),
    ...options,
  })
  afterTest(() => store.close())
  let cursor = ''
  const read: RevocationStore = {
    add: (revocations) => store.add(revocations),
    find: (token) => store.find(token),
    changes: async function* (changesOptions) {
      for await (const batch of store.changes?.(changesOptions) ?? []) {
        cursor = batch.cursor
        yield batch
      }
    },
  }
  const mirror = new RevocationMirror(read, { maxStalenessMs: MAX_STALENESS_MS })
  afterTest(() => mirror.close())
  await mirror.ready()
  // Only then has every single server been read: what one loses before, nobody can tell.
  await eventually(() => expect(cursor).not.toBe(''))
  const [first, second] = servers as [RedisServer, RedisServer]
  const told = (type: ObserverEvent['type']) => events.some((event) => event.type === type)
  /** Whether all that was lost has been given back. */
  const isRefilled = () =>
    events.findLast(({ type }) => /^replica_(lost_data|refilled)$/.test(type))?.type === 'replica_refilled'
  /** Whether something has been read of each server: what it loses then is missed for sure. */
  const isRead = () => !/[^\d]0-0/.test(cursor)
  return { servers, first, second, stores, store, mirror, told, isRefilled, isRead }
}

/** Adds until it succeeds, as callers do. */
async function revoke(store: RevocationStore, id: string): Promise<void> {
  await eventually(() => store.add([session(id)]))
}

async function verdictOn(store: Pick<RevocationStore, 'find'>, id: string): Promise<string> {
  return store.find(tokenOf(id)).then(
    (found) => (found === undefined ? 'good' : 'revoked'),
    (error) => error.code,
  )
}

describeWithRedisServer('A ReplicatedRevocationStore of Redis servers of its own', () => {
  it.each(['first', 'second'] as const)('goes on to verify though the %s of two is killed', async (which) => {
    const { [which]: killed, store, mirror } = await startReplicas(2)
    await store.add([session('a')])
    await eventually(() => expect(mirror.findSync(tokenOf('a'))).toBeDefined())
    await killed.kill()
    await expect(store.add([session('b')])).rejects.toMatchObject({ code: 'store_unavailable' })
    for (const each of [store, mirror]) {
      expect(await verdictOn(each, 'a')).toBe('revoked')
      // Not acknowledged, but recorded where it could be.
      await eventually(async () => expect(await verdictOn(each, 'b')).toBe('revoked'))
      await eventually(async () => expect(await verdictOn(each, 'good')).toBe('good'))
    }
  })

  it('goes on to verify and to revoke though any of three is killed, or hangs', async () => {
    const { servers, store, mirror, isRefilled, isRead } = await startReplicas(3)
    // A server that dies before it has acknowledged anything loses nothing: its client sends it again.
    await revoke(store, 'first')
    await eventually(() => expect(isRead()).toBe(true))
    for (const [index, server] of servers.entries()) {
      const [stop, goOn] =
        index === 1
          ? [() => server.pause(), () => server.resume()]
          : [() => server.kill(), () => server.start()]
      await revoke(store, `before ${index}`)
      await eventually(() => expect(mirror.findSync(tokenOf(`before ${index}`))).toBeDefined())
      await stop()
      await revoke(store, `during ${index}`)
      expect(await verdictOn(store, `during ${index}`)).not.toBe('good')
      for (const each of [store, mirror]) {
        expect(await verdictOn(each, `before ${index}`)).not.toBe('good')
        for (const when of ['before', 'during']) {
          await eventually(async () => expect(await verdictOn(each, `${when} ${index}`)).toBe('revoked'))
        }
        await eventually(async () => expect(await verdictOn(each, 'good')).toBe('good'))
      }
      await goOn()
      // What came back empty gets back what it had, and what hung, what it missed, before the next one dies.
      // A refill that fails is tried again after a pause, which grows.
      const check = async () => {
        for (const each of servers) {
          expect(await each.run('ZCARD', '{replicated:0}:expires')).toBe(2 * (index + 1) + 2)
        }
        expect(isRefilled()).toBe(true)
      }
      await vi.waitFor(check, { timeout: 25_000, interval: 10 })
    }
  }, 90_000)

  it('lets nothing pass that was acknowledged, while servers are killed and come back empty in turn', async () => {
    const { servers, store, mirror, isRefilled } = await startReplicas(2)
    const acknowledged: { readonly id: string; readonly at: number }[] = []
    let isOver = false
    let count = 0
    const adding = (async () => {
      for (; !isOver; count++) {
        const id = `${count}`
        await store.add([session(id)]).then(
          () => acknowledged.push({ id, at: performance.now() }),
          () => {},
        )
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    const passed: string[] = []
    /** Asks about some of what was acknowledged so long ago at least: the first, and the last. */
    const ask = async (name: string, each: Pick<RevocationStore, 'find'>, leastAgeMs: number) => {
      const latest = performance.now() - leastAgeMs
      const known = acknowledged.filter(({ at }) => at <= latest)
      const asked = [...known.slice(0, 5), ...known.slice(5).slice(-20)]
      const verdicts = await Promise.all(asked.map(({ id }) => verdictOn(each, id)))
      for (const [index, { id }] of asked.entries()) {
        if (verdicts[index] === 'good') passed.push(`${id}, by the ${name}`)
      }
    }
    const asking = (async () => {
      while (!isOver) {
        await ask('store', store, 0)
        await ask('mirror', mirror, MAX_STALENESS_MS)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    const progress = async () => {
      const { length } = acknowledged
      await eventually(() => expect(acknowledged.length).toBeGreaterThan(length + 5))
    }
    for (const server of servers) {
      await progress()
      await server.kill()
      await new Promise((resolve) => setTimeout(resolve, 100))
      await server.restart({ keepData: false })
      // Whole again before the other one dies: every one of both has what was acknowledged.
      await eventually(async () => {
        const held = await Promise.all(
          servers.map((each) => each.run('ZCARD', '{replicated:0}:expires').then(Number)),
        )
        for (const each of held) expect(each).toBeGreaterThan(acknowledged.length)
        expect(isRefilled()).toBe(true)
        expect(await verdictOn(store, 'good')).toBe('good')
      })
    }
    await progress()
    isOver = true
    await Promise.all([adding, asking])
    expect(passed).toEqual([])
    for (const { id } of acknowledged) {
      expect(await verdictOn(store, id)).toBe('revoked')
      await eventually(() => expect(mirror.findSync(tokenOf(id))).toBeDefined())
    }
  })

  it('notices that a server was flushed while it ran, and refills it', async () => {
    const { first, second, store, told } = await startReplicas(2)
    await store.add([session('a')])
    await first.run('FLUSHALL')
    await eventually(() => expect(told('replica_refilled')).toBe(true))
    await second.kill()
    expect(await verdictOn(store, 'a')).toBe('revoked')
    await eventually(async () => expect(await verdictOn(store, 'good')).toBe('good'))
  })

  it('completes in the background what a server missed while it was down', async () => {
    const { first, stores, store, told } = await startReplicas(3)
    await first.kill()
    await revoke(store, 'a')
    await eventually(() => expect(told('replica_write_failed')).toBe(true))
    await first.start()
    await eventually(async () => expect(await stores[0]?.find(tokenOf('a'))).toBeDefined())
  })

  it('gets back from a mirror what all servers have lost', async () => {
    const { servers, mirror } = await startReplicas(2)
    await mirror.add([session('a')])
    await Promise.all(servers.map((server) => server.run('FLUSHALL')))
    await eventually(async () => {
      for (const server of servers) expect(await server.run('ZCARD', '{replicated:0}:expires')).toBe(2)
    })
    await vi.waitFor(() => expect(mirror.findSync(tokenOf('good'))).toBeUndefined(), { timeout: 10_000 })
    expect(mirror.findSync(tokenOf('a'))).toBeDefined()
  })

  it('verifies with both of two alone, where one suffices to record', async () => {
    const { first, store } = await startReplicas(2, { writeQuorum: 1 })
    await first.kill()
    await store.add([session('a')])
    expect(await verdictOn(store, 'a')).toBe('revoked')
    expect(await verdictOn(store, 'good')).toBe('store_unavailable')
    await first.start()
    await eventually(async () => expect(await verdictOn(store, 'good')).toBe('good'))
  })
})
