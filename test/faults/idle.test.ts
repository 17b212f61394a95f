import { describe, expect } from 'vitest'
import { TokenMinter } from '../../src/testing/token-minter.js'
import { describeWithRedisServer } from '../support/redis-suites.js'
import type { TcpProxy } from '../support/tcp-proxy.js'
import { bundleOf, Child } from './child.js'
import { it } from './harness.js'
import type { IdleSettings } from './idle-worker.js'
import { until } from './until.js'

const EXIT_WITHIN_MS = 5_000

type Bring = (proxy: TcpProxy) => unknown
const states: readonly (readonly [state: string, bring: Bring])[] = [
  ['is well', () => {}],
  ['hangs', (proxy) => proxy.hang()],
  ['refuses connections', (proxy) => proxy.cut()],
]
const kinds = ['ioredis', 'node-redis'] as const

describeWithRedisServer('A script that closes its own client and forgets the mirror', () => {
  describe.concurrent.for(states)('while Redis %s', ([, bring]) => {
    it.for(kinds)('ends by itself, by %s', async (kind, { scene, annotate }) => {
      const redis = await scene.startRedis()
      const proxy = await scene.startProxy(redis)
      const minter = await TokenMinter.create()
      const settings: IdleSettings = {
        ...{ kind, port: proxy.port, namespace: 'idle', userPoolId: minter.userPoolId },
        ...{ jwks: minter.jwks, token: minter.accessToken() },
      }
      let hasAccepted = false
      const child = new Child(await bundleOf('idle-worker'), settings, {
        onMessage: () => {
          hasAccepted = true
        },
      })
      scene.atEnd(() => child.kill())
      await until(
        () => hasAccepted,
        () => `the token is accepted: ${child.output}`,
      )
      await bring(proxy)
      const startedAt = performance.now()
      child.send({ type: 'close' })
      await until(
        () => child.hasEnded,
        () => 'it ends',
        EXIT_WITHIN_MS,
      )
      await annotate(`it ended after ${Math.round(performance.now() - startedAt)} ms`)
      expect(child.status).toBe(0)
    })
  })
})
