import { describe, vi } from 'vitest'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { lossBegins, outage, serviceAnswers, trouble, untilPassed } from './faults.js'
import { MAX_STALENESS_MS } from './fleet-log.js'
import { it, type Scene } from './harness.js'
import { sharedClock } from './history.js'
import { SERVICE_KEY } from './protocol.js'

// Each starts seven processes.
vi.setConfig({ maxConcurrency: 2 })

/** All go by a service over Redis, the verifiers through a proxy before it. The revoker may go to Redis itself. */
async function startBehindService(scene: Scene, { revokerBy = 'http' as 'http' | 'ioredis' } = {}) {
  const redis = await scene.startRedis()
  const service = await scene.startService(redis)
  const proxy = await scene.startProxy(service)
  const fleet = await scene.startFleet({
    server: service,
    client: 'http',
    namespace: service.namespace,
    settings: (name) => {
      if (name.startsWith('verifier')) return { port: proxy.port }
      return revokerBy === 'http' ? {} : { client: revokerBy, port: redis.port }
    },
  })
  return { redis, service, proxy, fleet, of: fleet.verifierNames }
}

describeWithRedisServer('Verifiers behind a revocation service', () => {
  describe.concurrent('refuse what is revoked within the bound, and nothing else,', () => {
    it('though the service is killed, and started again', async ({ scene }) => {
      const { service, fleet, of } = await startBehindService(scene, { revokerBy: 'ioredis' })
      await outage(fleet, {
        of,
        through: service,
        answers: serviceAnswers,
        begin: () => service.kill(),
        during: async () => {
          await fleet.revoke(2)
          await fleet.phase('the service is gone')
        },
        end: () => service.restart(),
      })
      await fleet.settled()
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('it is back')
      await fleet.check()
    })

    it('though the service is stopped for longer than the bound, and goes on', async ({ scene }) => {
      const { service, fleet, of } = await startBehindService(scene, { revokerBy: 'ioredis' })
      await outage(fleet, {
        of,
        through: service,
        answers: serviceAnswers,
        begin: () => service.freeze(),
        during: async () => {
          await fleet.revoke(2)
          await fleet.phase('the service is stopped')
        },
        end: () => service.thaw(),
      })
      await fleet.settled()
      await fleet.phase('it goes on')
      await fleet.check()
    })

    it('while the connections to the service are cut and healed', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindService(scene)
      await outage(fleet, {
        of,
        through: proxy,
        answers: serviceAnswers,
        begin: () => proxy.cut(),
        during: () => fleet.revoke(2),
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })

    it('while the connections hang, and go on with all that was held back', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindService(scene)
      await outage(fleet, {
        of,
        through: proxy,
        answers: serviceAnswers,
        begin: () => proxy.hang(),
        during: () => fleet.revoke(2),
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })

    it('when the connections there were are silent for ever, and only new ones work', async ({ scene }) => {
      const { proxy, fleet, of } = await startBehindService(scene)
      await trouble(fleet, of, async () => {
        await proxy.blackhole()
        await proxy.heal()
        await fleet.revoke(2)
        await fleet.phase('silent connections')
      })
      await fleet.settled()
      await fleet.phase('new connections')
      await fleet.check()
    })

    it('while a proxy holds the stream back for longer than the bound, so that what comes looks new', async ({
      scene,
    }) => {
      const { proxy, fleet, of } = await startBehindService(scene)
      const from = sharedClock()
      await trouble(fleet, of, async () => {
        await proxy.delay(MAX_STALENESS_MS + 500)
        await fleet.revoke(2)
        await untilPassed(from + 2 * MAX_STALENESS_MS + 1_000)
        await fleet.phase('held back')
        await proxy.heal()
      })
      await fleet.settled()
      await fleet.phase('in time')
      await fleet.check()
    })

    it('while every answer is late, and in time', async ({ scene }) => {
      const { proxy, fleet } = await startBehindService(scene)
      await proxy.delay(75)
      await fleet.phase('late')
      await fleet.revoke(2)
      await fleet.phase('late, and revoked')
      await fleet.settled()
      await proxy.heal()
      await fleet.check()
    })

    it('though their key is revoked, and given back', async ({ scene }) => {
      const { service, fleet, of } = await startBehindService(scene, { revokerBy: 'ioredis' })
      await outage(fleet, {
        of,
        through: service,
        answers: serviceAnswers,
        begin: () => service.replaceKey(`another ${SERVICE_KEY}`.replaceAll(' ', '-')),
        during: async () => {
          await fleet.revoke(2)
          await fleet.phase('the key is revoked')
        },
        end: () => service.replaceKey(SERVICE_KEY),
      })
      await fleet.settled()
      await fleet.phase('the key is back')
      await fleet.check()
    })

    it('though the Redis behind the service is killed, and comes back empty', async ({ scene }) => {
      const { redis, service, fleet } = await startBehindService(scene)
      const isMended = lossBegins(fleet)
      await outage(fleet, {
        through: service,
        answers: serviceAnswers,
        begin: () => redis.kill(),
        during: () => fleet.phase('Redis is gone'),
        end: () => redis.restart({ keepData: false }),
      })
      await isMended(redis)
      await fleet.settled()
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('it is back')
      await fleet.check()
    })

    it('though they are led to another service in the midst of it', async ({ scene }) => {
      const { redis, service, proxy, fleet, of } = await startBehindService(scene)
      const other = await scene.startService(redis, service.namespace)
      await trouble(fleet, of, async () => {
        await scene.redirect(proxy, other)
        await fleet.revoke(2)
        await fleet.phase('another service')
      })
      await fleet.settled()
      await fleet.phase('settled there')
      await fleet.check()
    })

    it('though the revoker dies in the moment of the acknowledgement', async ({ scene }) => {
      const { fleet } = await startBehindService(scene)
      await fleet.revokeAndDie(2, 'revoker-1')
      await fleet.phase('the revoker is gone')
      await fleet.settled()
      await fleet.check()
    })
  })
})
