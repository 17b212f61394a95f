import { afterAll, beforeAll, describe, it } from 'vitest'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { type RedisClient, RedisRevocationStore } from '../../src/stores/redis/index.js'
import { type StoreUnderTest, storeConformanceTests } from '../../src/testing/index.js'
import { layerConformanceTests } from '../support/layer-conformance.js'
import { readingOnly } from '../support/mirror-reader.js'
import { redisClients, redisClusterClients } from '../support/redis-clients.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import {
  describeWithRedis,
  describeWithRedisServer,
  freshNamespace,
  sharedRedis,
} from '../support/redis-suites.js'

interface Connection {
  readonly client: RedisClient
  end(): Promise<void>
}

/** A client for the tests of a suite, and one of another process. */
function useClients(connect: () => Promise<Connection>): () => [RedisClient, RedisClient] {
  const connections: Connection[] = []
  beforeAll(async () => {
    while (connections.length < 2) connections.push(await connect())
  })
  afterAll(async () => {
    for (const { end } of connections) await end()
  })
  return () => connections.map(({ client }) => client) as [RedisClient, RedisClient]
}

function runSuite(create: () => Promise<StoreUnderTest>, testsOf = storeConformanceTests): void {
  for (const { name, run } of testsOf(create)) it.concurrent(name, run)
}

function storesOf(
  clients: readonly [RedisClient, RedisClient],
  shards: number,
  heartbeatMs = 25,
): Required<StoreUnderTest> {
  const namespace = freshNamespace()
  // What is right is tested here, on however busy a machine; what comes too late, elsewhere.
  const options = { namespace, shards, heartbeatMs, commandTimeoutMs: 15_000 }
  const [store, another] = clients.map((client) => new RedisRevocationStore({ client, ...options }))
  if (store === undefined || another === undefined) throw new TypeError('two clients are needed')
  return { store, another: async () => another, close: () => store.close() }
}

describeWithRedis('A RedisRevocationStore', () => {
  const redis = sharedRedis()

  describe.each(Object.values(redisClients))('with $name', ({ connect }) => {
    const clients = useClients(() => connect(redis()))

    describe.each([1, 3])('in %i shards', (shards) => runSuite(async () => storesOf(clients(), shards)))
  })

  // Then much more comes in between two looks at the whole, by blocking reads alone.
  describe('with few signs of life', () => {
    const clients = useClients(() => redisClients.ioredis.connect(redis()))

    runSuite(async () => storesOf(clients(), 2, 400))
  })
})

describeWithRedisServer('A RedisRevocationStore on a cluster', () => {
  let cluster: RedisCluster | undefined
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.stop())

  describe.each(Object.values(redisClusterClients))('with $name', ({ connect }) => {
    const clients = useClients(() => connect(cluster?.nodes ?? []))

    describe('in 3 shards', () => runSuite(async () => storesOf(clients(), 3)))
  })
})

describeWithRedis('Over a RedisRevocationStore', () => {
  const redis = sharedRedis()
  const clients = useClients(() => redisClients.ioredis.connect(redis()))

  const runOver = (
    layer: (mirror: RevocationMirror, redisStore: RevocationStore) => Omit<StoreUnderTest, 'close'>,
  ) =>
    runSuite(async () => {
      const { store, another, close } = storesOf(clients(), 1, 10)
      const mirror = new RevocationMirror(store)
      return {
        ...layer(mirror, await another()),
        close: async () => {
          await mirror.close()
          await close()
        },
      }
    }, layerConformanceTests)

  describe('a mirror', () => runOver((mirror) => ({ store: mirror })))

  // What it is told is all from the feed: so another process may add as well.
  describe('a mirror that is only read from', () =>
    runOver((mirror, store) => ({ store: readingOnly(mirror, store), another: async () => store })))

  describe('a cache over a mirror', () => runOver((mirror) => ({ store: new CachedRevocationStore(mirror) })))
})
