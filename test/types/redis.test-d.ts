import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import Valkey, { Cluster as ValkeyCluster } from 'iovalkey'
import { createClient, createCluster } from 'redis'
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5'
import { describe, expectTypeOf, it } from 'vitest'
import { type RedisClient, RedisRevocationStore } from '../../src/stores/redis/index.js'

describe('the client of a RedisRevocationStore', () => {
  it('may be any of ioredis, iovalkey and node-redis, of a cluster too', () => {
    for (const client of [
      new Redis(),
      new Redis5(),
      new Cluster([]),
      new Valkey(),
      new ValkeyCluster([]),
      createClient(),
      createClient({ RESP: 2 }),
      createClient5(),
      createCluster({ rootNodes: [] }),
      createCluster5({ rootNodes: [] }),
    ]) {
      new RedisRevocationStore({ client })
      new RedisRevocationStore({ client, createFeedClient: () => client })
    }
    expectTypeOf<Redis>().toExtend<RedisClient>()
  })

  it('must be a client', () => {
    // @ts-expect-error: an address is none
    new RedisRevocationStore({ client: 'redis://127.0.0.1' })
    // @ts-expect-error: it must be given
    new RedisRevocationStore({})
    // @ts-expect-error: a misspelt option
    new RedisRevocationStore({ client: new Redis(), nameSpace: 'x' })
  })
})
