import { describe } from 'vitest'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { outage, trouble, untilPassed } from './faults.js'
import type { MemberSettings } from './fleet.js'
import { it, type Scene } from './harness.js'
import { sharedClock } from './history.js'

/** The verifiers go through a proxy; the revoker does not, and so revokes whatever happens to them. */
async function startBehindProxy(scene: Scene, settings?: (name: string) => MemberSettings) {
  const redis = await scene.startRedis()
  const proxy = await scene.startProxy(redis)
  const fleet = await scene.startFleet({
    server: redis,
    settings: (name) => (name.startsWith('verifier') ? { port: proxy.port, ...settings?.(name) } : {}),
  })
  return { redis, proxy, fleet, of: fleet.verifierNames }
}

describeWithRedisServer('Verifiers', () => {
  describe.concurrent('refuse what is revoked within the bound, and nothing else,', () => {
    it.for(['ioredis', 'node-redis'] as const)(
      'while the connections to Redis are cut and healed, by %s',
      async (client, { scene }) => {
        const { proxy, fleet, of } = await startBehindProxy(scene, () => ({ client }))
        await outage(fleet, {
          of,
          through: proxy,
          begin: () => proxy.cut(),
          during: async () => {
            await fleet.revoke(2)
            await fleet.phase('cut')
          },
          end: () => proxy.heal(),
        })
        await fleet.revoke(2)
        await fleet.settled()
        await fleet.phase('healed')
        await fleet.check()
      },
    )

    it('while the connections hang, and go on', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindProxy(scene)
      await outage(fleet, {
        of,
        through: proxy,
        begin: () => proxy.hang(),
        during: async () => {
          await fleet.revoke(2)
          await fleet.phase('hanging')
        },
        end: () => proxy.heal(),
      })
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('going on')
      await fleet.check()
    })

    it('when answers that were held for longer than the bound are delivered at last', async ({ scene }) => {
      // Patient enough to take them.
      const { proxy, fleet, of } = await startBehindProxy(scene, (name) => ({
        commandTimeoutMs: 10_000,
        heartbeatMs: 20 + 60 * Number(name.at(-1)),
      }))
      await outage(fleet, {
        of,
        through: proxy,
        begin: async () => {
          // Until they are out of step, so that at any time somebody's answer is on its way.
          await proxy.delay(100)
          await untilPassed(sharedClock() + 1_000)
          await proxy.hang()
        },
        during: () => fleet.revoke(2),
        // The next answers take their time: until then there are only the old ones.
        end: () => proxy.delay(200),
      })
      await fleet.settled()
      await proxy.heal()
      await fleet.phase('in time')
      await fleet.check()
    })

    it('when the connections there were are silent for ever, and only new ones work', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindProxy(scene)
      await trouble(fleet, of, async () => {
        await proxy.blackhole()
        await proxy.heal()
        await fleet.revoke(2)
        await fleet.phase('silent connections')
      })
      await fleet.settled()
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('new connections')
      await fleet.check()
    })

    it('while all connections are silent for ever, also those that are new', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindProxy(scene)
      await outage(fleet, {
        of,
        through: proxy,
        begin: () => proxy.blackhole(),
        during: async () => {
          await fleet.revoke(2)
          await fleet.phase('black hole')
        },
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })

    it('while every answer is late, and in time', async ({ scene }) => {
      const { proxy, fleet } = await startBehindProxy(scene)
      await proxy.delay(75)
      await fleet.phase('late')
      await fleet.revoke(2)
      await fleet.phase('late, and revoked')
      await fleet.settled()
      await proxy.heal()
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.check()
    })

    it('while every answer is later than anybody waits', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindProxy(scene)
      await outage(fleet, {
        of,
        through: proxy,
        begin: () => proxy.delay(300),
        during: async () => {
          await fleet.revoke(2)
          await fleet.phase('too late')
        },
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })
  })
})
