import { describe } from 'vitest'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { outage, trouble, untilPassed } from './faults.js'
import { MAX_STALENESS_MS } from './fleet-log.js'
import { it } from './harness.js'
import { sharedClock } from './history.js'

describeWithRedisServer('Verifiers', () => {
  describe.concurrent('refuse what is revoked within the bound, and nothing else,', () => {
    it('though the revoker dies in the moment of the acknowledgement', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      await fleet.revokeAndDie(2, 'revoker-1')
      await fleet.phase('the revoker is gone')
      await fleet.settled()
      await fleet.startMember('revoker-2')
      await fleet.revokeAndDie(2, 'revoker-2')
      // One that never heard of the revokers.
      await fleet.startMember('verifier-5')
      await fleet.settled()
      await fleet.phase('both are gone')
      await fleet.check()
    })

    it('though the revoker dies with a revocation that Redis never got', async ({ scene }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const fleet = await scene.startFleet({
        server: redis,
        settings: (name) => (name === 'revoker-1' ? { port: proxy.port } : {}),
      })
      const tokens = fleet.next(2)
      await trouble(fleet, ['revoker-1'], async () => {
        await proxy.blackhole()
        await fleet.tryToRevoke(tokens, 'revoker-1')
        await fleet.member('revoker-1').kill()
      })
      // Had it been acknowledged, it would have to be known by then.
      await untilPassed(sharedClock() + MAX_STALENESS_MS)
      await fleet.phase('the revoker is gone')
      await fleet.startMember('revoker-2')
      await fleet.revoke(tokens, ['revoker-2'])
      await fleet.settled()
      await fleet.phase('another has revoked them')
      await fleet.check()
    })

    it('though a verifier is killed and started again', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      await fleet.member('verifier-2').kill()
      await fleet.revoke(2)
      await fleet.phase('one is gone')
      const started = fleet.startMember('verifier-2, second life')
      await fleet.revoke(2)
      await started
      await fleet.settled()
      await fleet.phase('it is back')
      await fleet.check()
    })

    it('though a verifier is stopped for longer than the bound, and goes on', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      const frozen = fleet.member('verifier-3')
      await trouble(fleet, [frozen.name], async () => {
        frozen.freeze()
        const frozenAt = sharedClock()
        await fleet.revoke(2)
        await fleet.phase('one is stopped')
        await untilPassed(frozenAt + MAX_STALENESS_MS + 500)
        frozen.thaw()
      })
      await fleet.phase('it goes on')
      await fleet.settled()
      await fleet.check()
    })

    it('though all verifiers are stopped, and Redis is out of reach when they go on', async ({ scene }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const fleet = await scene.startFleet({
        server: redis,
        settings: (name) => (name.startsWith('verifier') ? { port: proxy.port } : {}),
      })
      const verifiers = fleet.verifierNames.map((name) => fleet.member(name))
      await outage(fleet, {
        of: fleet.verifierNames,
        through: proxy,
        begin: async () => {
          for (const verifier of verifiers) verifier.freeze()
          // What has come in by now is all that they find.
          await fleet.revoke(1)
          await proxy.hang()
        },
        during: async () => {
          const silentFrom = sharedClock()
          await fleet.revoke(1)
          await untilPassed(silentFrom + MAX_STALENESS_MS + 500)
          for (const verifier of verifiers) verifier.thaw()
        },
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })
  })
})
