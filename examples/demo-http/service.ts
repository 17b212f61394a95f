// The revocation service of the demo, in a process of its own: it alone reaches Redis.

import { RedisRevocationStore } from 'cognito-revocation/redis'
import { listenRevocationService, RevocationService } from 'cognito-revocation/server'
import { Redis } from 'ioredis'

const { redisPort, port, keys } = JSON.parse(process.env.DEMO_SETTINGS ?? '{}')

const redis = new Redis(redisPort, '127.0.0.1', { retryStrategy: () => 100 })
redis.on('error', () => {})
const service = new RevocationService({ store: new RedisRevocationStore({ client: redis }), keys })
const listener = await listenRevocationService(service, { port })
process.send?.(listener.port)
process.once('disconnect', () => process.exit())
