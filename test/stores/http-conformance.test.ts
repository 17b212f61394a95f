import { afterAll, beforeAll, describe, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { type StoreUnderTest, storeConformanceTests } from '../../src/testing/index.js'
import { serve } from '../support/http-service.js'
import { layerConformanceTests } from '../support/layer-conformance.js'
import { readingOnly } from '../support/mirror-reader.js'
import { redisClients } from '../support/redis-clients.js'
import { describeWithRedis, freshNamespace, sharedRedis } from '../support/redis-suites.js'

function runSuite(create: () => Promise<StoreUnderTest>, testsOf = storeConformanceTests): void {
  for (const { name, run } of testsOf(create)) it.concurrent(name, run)
}

describe('An HttpRevocationStore', () => {
  describe('of a service over memory', () =>
    runSuite(async () => {
      const { client, close } = await serve()
      return { store: client(), another: async () => client(), close }
    }))

  describe('whose streams are ended again and again', () =>
    runSuite(async () => {
      const { client, close } = await serve({ maxStreamMs: 300 })
      return { store: client(), another: async () => client(), close }
    }))

  describe('of two services over the same store', () =>
    runSuite(async () => {
      const store = new MemoryRevocationStore({ heartbeatMs: 20 })
      const [one, two] = [await serve({ store }), await serve({ store })]
      const close = async () => {
        await one.close()
        await two.close()
        await store.close()
      }
      return { store: one.client(), another: async () => two.client(), close }
    }))

  describe('of a service over a mirror', () =>
    runSuite(async () => {
      const memory = new MemoryRevocationStore({ heartbeatMs: 20 })
      const mirror = new RevocationMirror(memory)
      const { client, close } = await serve({ store: mirror })
      const closeAll = async () => {
        await close()
        await mirror.close()
        await memory.close()
      }
      return { store: client(), close: closeAll }
    }))

  describe('under a mirror that is only read from', () =>
    runSuite(async () => {
      const { client, close } = await serve()
      const mirror = new RevocationMirror(client())
      const closeAll = async () => {
        await mirror.close()
        await close()
      }
      return { store: readingOnly(mirror, client()), another: async () => client(), close: closeAll }
    }, layerConformanceTests))
})

describeWithRedis('An HttpRevocationStore of a service over Redis', () => {
  const redis = sharedRedis()
  let connection: Awaited<ReturnType<typeof redisClients.ioredis.connect>>
  beforeAll(async () => {
    connection = await redisClients.ioredis.connect(redis())
  })
  afterAll(() => connection?.end())

  runSuite(async () => {
    const options = { namespace: freshNamespace(), heartbeatMs: 25, commandTimeoutMs: 15_000 }
    const store = new RedisRevocationStore({ client: connection.client, ...options })
    const { client, close } = await serve({ store, storeTimeoutMs: 15_000 })
    const closeAll = async () => {
      await close()
      await store.close()
    }
    return { store: client(), another: async () => client(), close: closeAll }
  })
})
