import { describe, expect } from 'vitest'
import { describeWithRedisServer } from '../support/redis-suites.js'
import { bundleOf, Child } from './child.js'
import { it } from './harness.js'
import { sharedClock } from './history.js'
import type { Measurement, ReconnectingSettings, ReconnectingTask } from './reconnecting-worker.js'
import { until } from './until.js'

const RECONNECTS = 200
/** The client's, and the feed's. */
const CONNECTIONS = 2
/** A leak would leave something for each reconnection; so many come and go. */
const SLACK = 20
const HEAP_SLACK_BYTES = 3_000_000

/** What there is more of than there was, in words. */
function leakedSince(early: Measurement, late: Measurement): string[] {
  const counts = ({ resources, ...measurement }: Measurement) => ({
    ...resources,
    'active resources': measurement.activeResources.length,
    'abort signals': measurement.signals,
    'listeners on them': measurement.signalListeners,
    'listeners on the client': measurement.clientListeners,
  })
  const before: Record<string, number> = counts(early)
  const grown = Object.entries(counts(late)).filter(([what, count]) => count > (before[what] ?? 0) + SLACK)
  const leaked = grown.map(([what, count]) => `${what}: ${before[what] ?? 0} → ${count}`)
  const heapBytes = late.heapBytes - early.heapBytes
  return heapBytes > HEAP_SLACK_BYTES ? [...leaked, `${heapBytes} bytes`] : leaked
}

describeWithRedisServer('A process over Redis', () => {
  describe.concurrent('whose connections are cut, and whose feed is refused, again and again,', () => {
    it.for(['ioredis', 'node-redis'] as const)('leaves nothing behind, by %s', async (kind, { scene }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const settings: ReconnectingSettings = { kind, port: proxy.port, namespace: 'reconnects' }
      let answered: (answer: unknown) => void = () => {}
      const child = new Child(await bundleOf('reconnecting-worker'), settings, {
        nodeOptions: ['--expose-gc'],
        onMessage: (message) => answered((message as { answer: unknown }).answer),
      })
      scene.atEnd(() => child.kill())
      const ask = (task: ReconnectingTask) =>
        new Promise((resolve, reject) => {
          answered = resolve
          void child.exited().then(() => reject(new Error(child.output)))
          child.send(task)
        })
      const reconnect = async () => {
        await proxy.cut()
        await proxy.heal()
        await ask({ type: 'be fresh', since: sharedClock() })
      }
      /** Redis goes on to answer, and refuses the feed. */
      const refuse = async (count: number) => {
        const feed = '{reconnects:0}:feed'
        const giveUpAt = proxy.total + count
        await redis.run('SET', feed, 'no stream')
        await until(
          () => proxy.total >= giveUpAt,
          () => `${giveUpAt} connections, but ${proxy.total}`,
        )
        await redis.run('DEL', feed)
        await ask({ type: 'be fresh', since: sharedClock() })
      }
      const measure = () => ask({ type: 'measure' }) as Promise<Measurement>

      for (let count = 1; count <= 10; count++) await reconnect()
      await refuse(10)
      const early = await measure()
      for (let count = 11; count <= RECONNECTS; count++) await reconnect()
      await refuse(RECONNECTS / 2)
      // Clients take their time to be done with a connection that was cut.
      let leaked = ['not measured']
      await until(
        async () => {
          leaked = leakedSince(early, await measure())
          if (proxy.connections !== CONNECTIONS) leaked.push(`${proxy.connections} connections`)
          return leaked.length === 0
        },
        () => `nothing is left, but ${leaked}`,
      )
      expect(proxy.total).toBeGreaterThanOrEqual(CONNECTIONS * RECONNECTS)
    })
  })
})
