import { describe } from 'vitest'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { outage } from './faults.js'
import type { Fleet } from './fleet.js'
import { it, type Scene } from './harness.js'

const TWO_MINUTES_MS = 120_000

async function startWithClocks(scene: Scene, offsets: Readonly<Record<string, number>>) {
  const redis = await scene.startRedis()
  const proxy = await scene.startProxy(redis)
  const fleet = await scene.startFleet({
    server: redis,
    settings: (name) => ({
      wallClockOffsetMs: offsets[name] ?? 0,
      ...(name.startsWith('verifier') && { port: proxy.port }),
    }),
  })
  return { fleet, proxy }
}

function setWallClock(fleet: Fleet, name: string, msAhead: number): Promise<unknown> {
  return fleet.member(name).ask({ type: 'set wall clock', msAhead })
}

describeWithRedisServer('Verifiers', () => {
  describe.concurrent('refuse what is revoked within the bound, and nothing else,', () => {
    it.for([
      ['ahead', TWO_MINUTES_MS],
      ['behind', -TWO_MINUTES_MS],
    ] as const)(
      'while wall clocks are two minutes ahead and behind, the revoker’s %s',
      async ([, offset], { scene }) => {
        const { fleet, proxy } = await startWithClocks(scene, {
          'verifier-1': TWO_MINUTES_MS,
          'verifier-2': -TWO_MINUTES_MS,
          'revoker-1': offset,
        })
        await fleet.revoke(2)
        await fleet.phase('clocks disagree')
        await outage(fleet, {
          of: fleet.verifierNames,
          through: proxy,
          begin: () => proxy.cut(),
          during: () => fleet.revoke(2),
          end: () => proxy.heal(),
        })
        await fleet.settled()
        await fleet.phase('healed')
        await fleet.check()
      },
    )

    it('while wall clocks jump, to and fro', async ({ scene }) => {
      const { fleet } = await startWithClocks(scene, {})
      for (const ahead of [TWO_MINUTES_MS, -TWO_MINUTES_MS, 0]) {
        await setWallClock(fleet, 'verifier-1', ahead)
        await setWallClock(fleet, 'verifier-2', -ahead)
        await setWallClock(fleet, 'revoker-1', ahead)
        await fleet.revoke(1)
        await fleet.phase(`set to ${ahead}`)
      }
      await fleet.settled()
      await fleet.check()
    })

    it.for([
      ['forwards', TWO_MINUTES_MS],
      ['backwards', -TWO_MINUTES_MS],
    ] as const)('while wall clocks jump %s and Redis is out of reach', async ([, ahead], { scene }) => {
      const { fleet, proxy } = await startWithClocks(scene, {})
      await outage(fleet, {
        of: fleet.verifierNames,
        through: proxy,
        begin: () => proxy.cut(),
        during: async () => {
          await setWallClock(fleet, 'verifier-1', ahead)
          await fleet.revoke(2)
          await fleet.phase('cut')
          await setWallClock(fleet, 'verifier-2', ahead)
        },
        end: () => proxy.heal(),
      })
      await fleet.settled()
      await setWallClock(fleet, 'verifier-1', 0)
      await fleet.revoke(2)
      await fleet.settled()
      await fleet.phase('healed')
      await fleet.check()
    })
  })
})
