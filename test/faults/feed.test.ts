import { describe } from 'vitest'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { outage } from './faults.js'
import { it } from './harness.js'
import { olderRevocationOf, revocationOf } from './tokens.js'

describeWithRedisServer('Verifiers', () => {
  describe.concurrent('refuse what is revoked within the bound, and nothing else,', () => {
    it('though the feed was trimmed past a mirror that was cut off', async ({ scene }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const fleet = await scene.startFleet({
        server: redis,
        settings: (name) => ({ feedLength: 10, port: name === 'verifier-1' ? proxy.port : redis.port }),
      })
      await outage(fleet, {
        of: ['verifier-1'],
        through: proxy,
        begin: () => proxy.cut(),
        during: async () => {
          await fleet.revoke(2)
          // Redis trims in pieces of a hundred entries.
          await fleet.revokeOthers(500)
          await fleet.phase('trimmed')
        },
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })

    it('though the whole feed is trimmed again and again', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      for (let round = 1; round <= 3; round++) {
        await fleet.revoke(1)
        await redis.run('XTRIM', `{${fleet.namespace}:0}:feed`, 'MAXLEN', 0)
        await fleet.phase(`trimmed ${round} times`)
      }
      await fleet.settled()
      await fleet.check()
    })

    it('though events arrive twice and out of order, of two revokers, old ones after new ones', async ({
      scene,
    }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const fleet = await scene.startFleet({
        server: redis,
        revokers: 2,
        settings: () => ({ port: proxy.port, store: 'repeats and shuffles' }),
      })
      const revokers = ['revoker-1', 'revoker-2']
      for (let round = 1; round <= 2; round++) {
        await Promise.all([
          fleet.revoke(fleet.next(2), revokers),
          fleet.announceAgain(olderRevocationOf, 'revoker-2'),
          fleet.announceAgain(revocationOf, 'revoker-1'),
        ])
        await fleet.phase(`shuffled ${round} times`)
      }
      // What is read again from the beginning is shuffled as well.
      await outage(fleet, {
        through: proxy,
        begin: () => proxy.cut(),
        end: () => proxy.heal(),
      })
      await fleet.announceAgain(olderRevocationOf, 'revoker-1')
      await fleet.revoke(fleet.next(2), revokers)
      await fleet.settled()
      await fleet.phase('read again')
      await fleet.check()
    })
  })
})
