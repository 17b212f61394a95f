import { describe, expect, vi } from 'vitest'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { redisClients } from '../support/redis-clients.js'
import type { RedisServer } from '../support/redis-server.js'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { untilPassed } from './faults.js'
import type { Fleet } from './fleet.js'
import { MAX_STALENESS_MS } from './fleet-log.js'
import { it, type Scene } from './harness.js'
import { sharedClock } from './history.js'
import { until } from './until.js'

vi.setConfig({ maxConcurrency: 2 })

/** Two stores, both of which must record, so that either alone can say what is not revoked. */
async function start(scene: Scene) {
  const redis = await scene.startRedis()
  const { dynalite, port, tableName } = await scene.startDynalite()
  const fleet = await scene.startFleet({
    server: redis,
    client: 'redis and dynamodb',
    namespace: tableName,
    settings: () => ({ dynamodbPort: port }),
  })
  // A store that was slow to answer at first is refilled from the other, which must not be killed before: that takes
  // the store's timeoutMs, 2 s, and half a second of jitter.
  await untilPassed(sharedClock() + 3_500)
  return { redis, dynalite, fleet }
}

/** Waits until Redis itself says of each revoked token that it is. */
async function untilRefilled(fleet: Fleet, redis: RedisServer): Promise<void> {
  const { client, end } = await redisClients.ioredis.connect(redis)
  const store = new RedisRevocationStore({ client, namespace: fleet.namespace })
  try {
    await until(
      async () => !(await Promise.all(fleet.revoked.map((token) => store.find(token)))).includes(undefined),
      () => 'Redis has all again',
    )
  } finally {
    await store.close()
    await end()
  }
}

// In none of these may any verifier answer "unavailable": no outage is entered into the history.
describeWithRedisServer('Verifiers over Redis and DynamoDB together', () => {
  describe.concurrent('refuse what is revoked, and go on without a break,', () => {
    it('though Redis is killed, and comes back empty', async ({ scene }) => {
      const { redis, fleet } = await start(scene)
      await fleet.revoke(2)
      await redis.kill()
      await untilPassed(sharedClock() + MAX_STALENESS_MS)
      await fleet.phase('Redis is gone')
      await redis.restart({ keepData: false })
      await untilRefilled(fleet, redis)
      await fleet.revoke(2)
      await fleet.startMember('verifier-5')
      await fleet.settled()
      await fleet.phase('Redis is back')
      await fleet.check()
    })

    it('though DynamoDB stands still, and goes on', async ({ scene }) => {
      const { dynalite, fleet } = await start(scene)
      await fleet.revoke(2)
      dynalite.freeze()
      await untilPassed(sharedClock() + MAX_STALENESS_MS)
      await fleet.phase('DynamoDB stands still')
      dynalite.thaw()
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('DynamoDB goes on')
      await fleet.check()
    })

    it('though DynamoDB is gone for good; what was not acknowledged is in force all the same', async ({
      scene,
    }) => {
      const { dynalite, fleet } = await start(scene)
      await dynalite.stop()
      const tokens = fleet.next(2)
      await fleet.tryToRevoke(tokens, 'revoker-1')
      await untilPassed(sharedClock() + MAX_STALENESS_MS)
      const from = sharedClock()
      await fleet.phase('DynamoDB is gone')
      for (const name of fleet.verifierNames) {
        const verdicts = (fleet.log.history.calls.get(name) ?? [])
          .filter(({ token, start: at }) => tokens.includes(token) && at > from)
          .map(({ verdict }) => verdict)
        expect(new Set(verdicts)).toEqual(new Set(['token_revoked']))
      }
      await fleet.check()
    })
  })
})
