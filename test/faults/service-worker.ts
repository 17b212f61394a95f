import { listenRevocationService, RevocationService } from '../../src/server/index.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { SERVICE_KEY, type ServiceSettings, type ServiceTask } from './protocol.js'
import { createRedisClient } from './worker-stores.js'

/** A service over Redis, for as long as nobody kills it. */

const { port, redisPort, namespace }: ServiceSettings = JSON.parse(process.argv[2] ?? '')
const client = createRedisClient('ioredis', redisPort)
const store = new RedisRevocationStore({ client, namespace, heartbeatMs: 200, commandTimeoutMs: 500 })
const keysOf = (key: string) => [{ id: 'fleet', key, rights: ['read', 'write'], pools: 'all' }] as const
const service = new RevocationService({ store, keys: keysOf(SERVICE_KEY), maxStreamMs: 2_000 })

process.on('message', ({ key }: ServiceTask) => service.replaceKeys(keysOf(key)))
process.on('disconnect', () => process.exit(0))
void listenRevocationService(service, { port }).then(() => process.send?.('started'))
