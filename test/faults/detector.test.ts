import { describe, expect } from 'vitest'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { outage, untilPassed } from './faults.js'
import { MAX_STALENESS_MS } from './fleet-log.js'
import { it } from './harness.js'
import { sharedClock } from './history.js'
import { until } from './until.js'

describeWithRedisServer('What watches the promises', () => {
  describe.concurrent('notices', () => {
    it('verifiers that believe their memory however old it is', async ({ scene }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const faulty = { lookUp: 'mirror without a bound', port: proxy.port } as const
      const fleet = await scene.startFleet({
        server: redis,
        settings: (name) => (name.startsWith('verifier') ? faulty : {}),
      })
      await outage(fleet, {
        of: fleet.verifierNames,
        through: proxy,
        begin: () => proxy.cut(),
        during: () => fleet.revoke(2),
        end: () => proxy.heal(),
      })
      const violations = fleet.violations()
      for (const member of fleet.verifierNames) {
        expect(violations).toContainEqual(expect.objectContaining({ rule: 'within the bound', member }))
        expect(violations).toContainEqual(expect.objectContaining({ rule: 'no stale answers', member }))
      }
      expect(violations.filter(({ member }) => member === 'revoker-1')).toEqual([])
    })

    it('a revoker that acknowledges before it writes', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({
        server: redis,
        revokers: 2,
        settings: (name) => (name === 'revoker-2' ? { store: 'acknowledges early' } : {}),
      })
      await fleet.revoke(1, ['revoker-2'])
      await untilPassed(sharedClock() + MAX_STALENESS_MS)
      await fleet.phase('acknowledged')
      const violations = fleet.violations()
      expect(new Set(violations.map(({ rule }) => rule))).toEqual(new Set(['within the bound']))
      expect(violations.map(({ member }) => member).sort()).toEqual(
        [...fleet.verifierNames, 'revoker-1'].sort(),
      )
    })

    it('verifiers that forget what the store forgets', async ({ scene }) => {
      const redis = await scene.startRedis()
      const fleet = await scene.startFleet({ server: redis, settings: () => ({ lookUp: 'store alone' }) })
      await redis.run('FLUSHALL')
      await fleet.phase('flushed')
      const violations = fleet.violations()
      for (const { name: member } of fleet.members) {
        expect(violations).toContainEqual(expect.objectContaining({ rule: 'never forgotten', member }))
      }
    })

    it('an outage that nobody announced', async ({ scene }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const fleet = await scene.startFleet({
        server: redis,
        settings: (name) => (name === 'verifier-1' ? { port: proxy.port } : {}),
      })
      await proxy.cut()
      await until(
        () => fleet.violations().length > 0,
        () => 'a violation',
      )
      expect(new Set(fleet.violations().map(({ rule, member }) => `${rule}: ${member}`))).toEqual(
        new Set(['available again: verifier-1']),
      )
    })
  })
})
