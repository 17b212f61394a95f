import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { redisClients } from '../support/redis-clients.js'
import { sendCommand } from '../support/redis-protocol.js'
import type { RedisServer } from '../support/redis-server.js'
import type { Fleet } from './fleet.js'
import { MAX_STALENESS_MS, RECOVERY_MS } from './fleet-log.js'
import { type Members, sharedClock } from './history.js'
import { until } from './until.js'

interface Address {
  readonly host: string
  readonly port: number
}

export interface OutageOptions {
  /** Whose; default all members'. */
  readonly of?: Members
  readonly begin: () => unknown
  readonly during?: () => Promise<unknown>
  readonly end: () => unknown
  /** Where the store can be asked again. */
  readonly through: Address
  /** Whether it can. Default: whether Redis answers. */
  readonly answers?: (address: Address) => Promise<boolean>
}

/** Lets something cut members off from the store, for longer than the bound, and mends it. */
export async function outage(
  fleet: Fleet,
  { of, begin, during, end, through, answers = redisAnswers }: OutageOptions,
): Promise<void> {
  const from = sharedClock()
  await begin()
  const silentFrom = sharedClock()
  await during?.()
  await untilPassed(silentFrom + MAX_STALENESS_MS)
  await fleet.phase('cut off for longer than the bound')
  const healing = sharedClock()
  await end()
  await until(
    () => answers(through),
    () => 'the store answers',
  )
  fleet.log.history.outages.push({
    ...{ members: of, from, silentFrom, healing, until: sharedClock(), recoveryMs: RECOVERY_MS },
  })
}

/** A time in which members may be unavailable though some of what they ask may come through. */
export async function trouble(fleet: Fleet, members: Members, during: () => Promise<unknown>): Promise<void> {
  const from = sharedClock()
  await during()
  const now = sharedClock()
  fleet.log.history.outages.push({ members, from, healing: now, until: now, recoveryMs: RECOVERY_MS })
}

/** To be called before the store loses what it has acknowledged. Gives what waits until it has all again. */
export function lossBegins(fleet: Fleet): (server: RedisServer) => Promise<void> {
  const from = sharedClock()
  return async (server) => {
    const startedAt = sharedClock()
    await untilHoldsAll(fleet, server)
    const wholeAt = sharedClock()
    fleet.log.history.losses.push({ from, wholeAt })
    fleet.log.notes.push(`the store had all again after ${Math.round(wholeAt - startedAt)} ms`)
  }
}

export async function untilPassed(moment: number): Promise<void> {
  await until(
    () => sharedClock() > moment,
    () => 'the bound has passed',
  )
}

async function redisAnswers({ host, port }: Address): Promise<boolean> {
  return sendCommand({ host, port }, 'PING').then(
    (reply) => reply === 'PONG',
    () => false,
  )
}

/** Whether a service is there, and its store answers. */
export async function serviceAnswers({ host, port }: Address): Promise<boolean> {
  const signal = AbortSignal.timeout(1_000)
  return fetch(`http://${host}:${port}/v1/readiness`, { signal }).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Whether something speaks HTTP there. */
export async function httpAnswers({ host, port }: Address): Promise<boolean> {
  return fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(1_000) }).then(
    () => true,
    () => false,
  )
}

/** Waits until the store itself says of each revoked token that it is. */
async function untilHoldsAll(fleet: Fleet, server: RedisServer): Promise<void> {
  const { client, end } = await redisClients.ioredis.connect(server)
  const store = new RedisRevocationStore({ client, namespace: fleet.namespace })
  try {
    const holdsAll = async () => {
      const found = await Promise.all(fleet.revoked.map((token) => store.find(token).catch(() => undefined)))
      return !found.includes(undefined)
    }
    await until(holdsAll, () => 'the store has all again')
  } finally {
    await store.close()
    await end()
  }
}
