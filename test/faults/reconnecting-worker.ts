import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { RevocationMirror } from '../../src/index.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { sharedClock } from './history.js'
import { type LiveResources, liveResources } from './live-resources.js'
import type { ClientKind } from './protocol.js'

/** A process whose mirror reads on, however often it is cut off. */

export interface ReconnectingSettings {
  readonly kind: ClientKind
  readonly port: number
  readonly namespace: string
}
export type ReconnectingTask =
  /** Answered when all that it knows is from after that moment, and its client is connected. */
  { readonly type: 'be fresh'; readonly since: number } | { readonly type: 'measure' }
export interface Measurement extends LiveResources {
  readonly clientListeners: number
  readonly activeResources: readonly string[]
}

const { kind, port, namespace }: ReconnectingSettings = JSON.parse(process.argv[2] ?? '')
const HOST = '127.0.0.1'
const retryMs = 10
const ioredis = new Redis({ host: HOST, port, lazyConnect: true, retryStrategy: () => retryMs })
const nodeRedis = createClient({ socket: { host: HOST, port, reconnectStrategy: retryMs } })
const client = (kind === 'ioredis' ? ioredis : nodeRedis).on('error', () => {})
void client.connect()

const store = new RedisRevocationStore({ client, namespace, heartbeatMs: 20, commandTimeoutMs: 500 })
const mirror = new RevocationMirror(store, { maxStalenessMs: 100 })
setInterval(() => {
  const token = {
    poolId: 'us-east-1_FakePool1',
    jti: randomUUID(),
    sub: randomUUID(),
    clientId: 'app',
    iat: 1,
  }
  mirror.find(token).catch(() => {})
}, 5)

function isConnected(): boolean {
  return kind === 'ioredis' ? ioredis.status === 'ready' : nodeRedis.isReady
}

async function perform(task: ReconnectingTask): Promise<unknown> {
  if (task.type === 'be fresh') {
    while (sharedClock() - mirror.staleness() < task.since || !isConnected()) {
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return undefined
  }
  const live = await liveResources()
  const listeners = client.eventNames().map((event) => client.listenerCount(event as 'error'))
  const measurement: Measurement = {
    ...live,
    clientListeners: listeners.reduce((sum, count) => sum + count, 0),
    activeResources: process.getActiveResourcesInfo(),
  }
  return measurement
}

process.on('message', (task: ReconnectingTask) => {
  void perform(task).then((answer) => process.send?.({ answer }))
})
process.on('disconnect', () => process.exit(0))
