import { describe, expect } from 'vitest'
import type { RedisServer } from '../support/redis-server.js'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { lossBegins, outage, trouble, untilPassed } from './faults.js'
import { it } from './harness.js'
import { sharedClock } from './history.js'
import { until } from './until.js'

/** Longer than anybody would try who tries a few times only. */
const NO_ROOM_MS = 10_000

describeWithRedisServer('Verifiers', () => {
  describe.concurrent('refuse what is revoked, and nothing else,', () => {
    it('though Redis is killed and comes back empty', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      await fleet.revoke(2)
      const isMended = lossBegins(fleet)
      await outage(fleet, {
        through: redis,
        begin: () => redis.kill(),
        during: async () => {
          await fleet.phase('Redis is gone')
          // This one knows nothing.
          await fleet.member('verifier-1').kill()
          await fleet.startMember('verifier-1, second life', { mayWait: true })
        },
        end: () => redis.restart({ keepData: false }),
      })
      await isMended(redis)
      await fleet.settled()
      await fleet.revoke(2)
      await fleet.startMember('verifier-5')
      await fleet.settled()
      await fleet.phase('it is back')
      await fleet.check()
    })

    it('though only the append-only file of a killed Redis still knows of it', async ({ scene }) => {
      const config = ['--appendonly', 'yes', '--appendfsync', 'always']
      const redis = await scene.startRedis({ config })
      const proxy = await scene.startProxy(redis)
      const fleet = await scene.startFleet({
        server: redis,
        settings: (name) => (name.startsWith('verifier') ? { port: proxy.port } : {}),
      })
      await outage(fleet, {
        through: proxy,
        begin: async () => {
          await proxy.cut()
          await fleet.revokeAndDie(2, 'revoker-1')
          await redis.kill()
        },
        during: () => fleet.phase('all is gone'),
        end: async () => {
          await redis.restart()
          await proxy.heal()
        },
      })
      await fleet.startMember('revoker-2')
      await fleet.revoke(2, ['revoker-2'])
      await fleet.settled()
      await fleet.phase('it is back')
      await fleet.check()
    })

    it('though Redis is flushed while it runs', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      const isMended = lossBegins(fleet)
      await fleet.revoke(2)
      await redis.run('FLUSHALL')
      await isMended(redis)
      await fleet.phase('flushed')
      await fleet.revoke(2)
      await fleet.startMember('verifier-5')
      await fleet.settled()
      await fleet.phase('whole again')
      await fleet.check()
    })

    it('though Redis loses all, and has no room to get it back for some time', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      await redis.run('CONFIG', 'SET', 'maxmemory', 1)
      const isMended = lossBegins(fleet)
      await redis.run('FLUSHALL')
      await untilPassed(sharedClock() + NO_ROOM_MS)
      await fleet.phase('no room')
      await redis.run('CONFIG', 'SET', 'maxmemory', 0)
      await isMended(redis)
      await fleet.startMember('verifier-5')
      await fleet.settled()
      await fleet.phase('whole again')
      await fleet.check()
    })

    it('though Redis evicts its keys, one after the other, and one of them twice', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis })
      for (const key of ['expires', 'expires', 'meta', 'feed']) {
        const isMended = lossBegins(fleet)
        await fleet.revoke(1)
        await redis.run('DEL', `{${fleet.namespace}:0}:${key}`)
        await fleet.phase(`without ${key}`)
        await isMended(redis)
        await fleet.settled()
      }
      await fleet.startMember('verifier-5')
      await fleet.phase('whole again')
      await fleet.check()
    })

    it('though a replica that lags behind takes the place of the primary', async ({ scene }) => {
      const primary = await scene.startRedis()
      const link = await scene.startProxy(primary)
      const replica = await scene.startRedis({ replicaOf: link })
      const proxy = await scene.startProxy(primary)
      const apart = await scene.startProxy(primary)
      const fleet = await scene.startFleet({
        server: primary,
        settings: (name) => ({ port: name === 'verifier-4' ? apart.port : proxy.port }),
      })
      const held = async (server: RedisServer) => server.run('ZCARD', `{${fleet.namespace}:0}:expires`)
      await until(
        async () => (await held(replica)) === (await held(primary)),
        () => 'the replica has all',
      )
      await link.blackhole()
      // Those who are not cut off learn what the replica never hears of.
      await apart.cut()
      const isMended = lossBegins(fleet)
      await trouble(fleet, ['verifier-4'], async () => {
        await fleet.revoke(2)
        await fleet.phase('the replica lags')
        await outage(fleet, {
          through: proxy,
          begin: () => primary.kill(),
          during: async () => {
            // Clients that find it before it is promoted must not believe it.
            await scene.redirect(proxy, replica)
            await scene.redirect(apart, replica)
          },
          end: async () => {
            // The mark of a generation, and what was revoked before it lagged.
            expect(await held(replica)).toBe(3)
            await replica.run('REPLICAOF', 'NO', 'ONE')
          },
        })
      })
      await isMended(replica)
      await fleet.settled()
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('the replica is the primary')
      await fleet.check()
    })
  })
})
