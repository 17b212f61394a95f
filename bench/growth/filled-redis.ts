import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { encodeMember, type ShardKeys, shardKeys } from '../../src/stores/redis/layout.js'
import { redisClients } from '../../test/support/redis-clients.js'
import type { RedisServer } from '../../test/support/redis-server.js'
import { now, poolId, revocationsOf } from './numbered-revocations.js'

const CHUNK_LENGTH = 2_000
const namespace = 'growth'
const [keys] = shardKeys(namespace, 1) as [ShardKeys]

/** A Redis with more and more numbered revocations; straight in the sorted sets, since the feed is not read. */
export class FilledRedis {
  readonly #server: RedisServer
  #size = 0

  constructor(server: RedisServer) {
    this.#server = server
  }

  get place() {
    const { host, port } = this.#server
    return { host, port, namespace, size: this.#size }
  }

  /** A process's memory, as the system sees it. */
  async residentBytes(): Promise<number> {
    const info = String(await this.#server.run('INFO', 'memory'))
    return Number(/used_memory_rss:(\d+)/.exec(info)?.[1])
  }

  /** Adds those that are missing. @returns whether that was done in time */
  async fill(size: number, withinMs: number): Promise<boolean> {
    const endAt = performance.now() + withinMs
    const { client, end } = await redisClients.ioredis.connect(this.#server)
    try {
      if (this.#size === 0) {
        const store = new RedisRevocationStore({ client, namespace })
        // It writes what there is besides.
        await store.add([{ poolId, scope: 'pool', id: poolId, cutoff: 0, expiresAt: now + 86_400 }])
        await store.close()
      }
      while (this.#size < size) {
        if (performance.now() > endAt) return false
        const to = Math.min(this.#size + CHUNK_LENGTH, size)
        const expires: (string | number)[] = []
        const cutoffs: (string | number)[] = []
        for (const { scope, id, cutoff, expiresAt } of revocationsOf(this.#size, to)) {
          const member = encodeMember(poolId, scope, id)
          // They are not all over at once.
          expires.push(expiresAt + Math.floor(Math.random() * 86_400), member)
          if (cutoff !== undefined) cutoffs.push(cutoff, member)
        }
        await client
          .pipeline()
          .zadd(keys.expires, ...expires)
          .zadd(keys.cutoffs, ...cutoffs)
          .exec()
        this.#size = to
      }
      return true
    } finally {
      await end()
    }
  }
}
