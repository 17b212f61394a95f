import { describe, expect, it } from 'vitest'
import { KEY, serve } from '../support/http-service.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'
import { bundleOf, Child } from './child.js'
import type { HttpIdleSettings } from './http-idle-worker.js'
import { until } from './until.js'

const EXIT_WITHIN_MS = 5_000

type Bring = (proxy: TcpProxy) => unknown
const states: readonly (readonly [state: string, bring: Bring])[] = [
  ['is well', () => {}],
  ['hangs', (proxy) => proxy.hang()],
  ['refuses connections', (proxy) => proxy.cut()],
]

describe.concurrent('A script that forgets its mirror over an HttpRevocationStore', () => {
  it.for(states)('ends by itself, while the service %s', async ([, bring]) => {
    const { listener, close } = await serve()
    const proxy = await startTcpProxy({ port: listener.port })
    let isReady = false
    const settings: HttpIdleSettings = { url: `http://127.0.0.1:${proxy.port}`, key: KEY }
    const child = new Child(await bundleOf('http-idle-worker'), settings, {
      onMessage: () => {
        isReady = true
      },
    })
    try {
      await until(
        () => isReady,
        () => `the mirror is ready: ${child.output}`,
      )
      await bring(proxy)
      child.send({ type: 'go' })
      await until(
        () => child.hasEnded,
        () => 'it ends',
        EXIT_WITHIN_MS,
      )
      expect(child.status).toBe(0)
    } finally {
      await child.kill()
      await proxy.close()
      await close()
    }
  })
})
