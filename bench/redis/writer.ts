/** A process of `redis-propagation`: it writes to a store, and to a bare stream. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Revocation } from '../../src/revocation/revocation.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { sharedClock } from './arrivals.js'
import { type Place, poolId } from './place.js'
import { serve } from './processes.js'

/** What was written, and when: in microseconds, of `sharedClock`. */
export interface Written {
  readonly ids: readonly string[]
  readonly sentAt: readonly number[]
  readonly acknowledgedAt: readonly number[]
}

/** What to write: how many, one by one after pauses of this length on average. */
export interface Series {
  readonly count: number
  readonly pauseMs: number
}

const expiresAt = Math.floor(Date.now() / 1000) + 86_400

let store: RedisRevocationStore
let redis: Redis
let place: Place

function open(): RedisRevocationStore {
  const client = new Redis(place.port, '127.0.0.1')
  return new RedisRevocationStore({ client, namespace: place.namespace, commandTimeoutMs: 60_000 })
}

function session(id: string): Revocation {
  return { poolId, scope: 'session', id, expiresAt }
}

const revoke = (id: string) => store.add([session(id)])
const append = (id: string) => redis.xadd(place.stream, '*', 'id', id, 'expires', String(expiresAt))

function newIds(count: number): string[] {
  return Array.from({ length: count }, () => randomUUID())
}

async function series(write: (id: string) => Promise<unknown>, { count, pauseMs }: Series): Promise<Written> {
  const ids = newIds(count)
  const sentAt: number[] = []
  const acknowledgedAt: number[] = []
  const writing: Promise<void>[] = []
  for (const [index, id] of ids.entries()) {
    await delay(Math.random() * 2 * pauseMs)
    sentAt[index] = sharedClock()
    writing.push(
      write(id).then(() => {
        acknowledgedAt[index] = sharedClock()
      }),
    )
  }
  await Promise.all(writing)
  return { ids, sentAt, acknowledgedAt }
}

async function burst(write: (ids: readonly string[]) => Promise<unknown>, count: number): Promise<Written> {
  const ids = newIds(count)
  const sentAt = [sharedClock()]
  await write(ids)
  return { ids, sentAt, acknowledgedAt: [sharedClock()] }
}

serve({
  async start(where: Place) {
    place = where
    store = open()
    redis = new Redis(place.port, '127.0.0.1')
    await revoke(randomUUID())
  },

  /** A steady load, so many every 10 ms, over a connection of its own. */
  load(count: number) {
    const background = open()
    setInterval(() => {
      for (const id of newIds(count)) void background.add([session(id)])
    }, 10)
  },

  revoke: (options: Series) => series(revoke, options),
  append: (options: Series) => series(append, options),

  revokeAtOnce: (count: number) => burst((ids) => store.add(ids.map(session)), count),
  revokeConcurrently: (count: number) => burst((ids) => Promise.all(ids.map(revoke)), count),
  appendAtOnce: (count: number) =>
    burst((ids) => {
      const pipeline = redis.pipeline()
      for (const id of ids) pipeline.xadd(place.stream, '*', 'id', id, 'expires', String(expiresAt))
      return pipeline.exec()
    }, count),
  appendConcurrently: (count: number) => burst((ids) => Promise.all(ids.map(append)), count),
})
