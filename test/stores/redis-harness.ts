import { afterEach, expect, vi } from 'vitest'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { ChangeBatch } from '../../src/revocation/store.js'
import { type RedisClient, RedisRevocationStore } from '../../src/stores/redis/index.js'
import { shardOf } from '../../src/stores/redis/layout.js'
import type { RedisRevocationStoreOptions } from '../../src/stores/redis/redis-options.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import { redisClients } from '../support/redis-clients.js'
import type { RedisAddress } from '../support/redis-protocol.js'
import { type RedisServer, type StartRedisOptions, startRedis } from '../support/redis-server.js'
import { freshNamespace } from '../support/redis-suites.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'

export const HOUR = 3_600
export const POOL = 'us-east-1_AbCdEfGhI'

/** Long enough for a machine that does much else: only what never comes takes so long. */
const PATIENCE_MS = 10_000

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

export function session(id: string, more: Partial<Revocation> = {}): Revocation {
  return { poolId: POOL, scope: 'session', id, expiresAt: nowSeconds() + HOUR, ...more }
}

export function user(id: string, more: Partial<Revocation> = {}): Revocation {
  return { poolId: POOL, scope: 'user', id, expiresAt: nowSeconds() + HOUR, ...more }
}

/** A token of this session, which nothing else revokes. */
export function tokenOf(originJti: string, more: Partial<TokenIdentity> = {}): TokenIdentity {
  return { poolId: POOL, originJti, sub: 'nobody', clientId: 'none', iat: nowSeconds(), ...more }
}

/** A token of this user, which nothing else revokes. */
export function tokenOfUser(sub: string, more: Partial<TokenIdentity> = {}): TokenIdentity {
  return { poolId: POOL, sub, clientId: 'none', iat: nowSeconds(), ...more }
}

const cleanUps: (() => unknown)[] = []

/** To be done after the test, in the opposite order. */
export function afterTest(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp)
}

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

export async function startServer(options?: StartRedisOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  afterTest(() => server.stop())
  return server
}

export async function startProxy(target: RedisAddress): Promise<TcpProxy> {
  const proxy = await startTcpProxy(target)
  afterTest(() => proxy.close())
  return proxy
}

export type StoreOptions = Partial<RedisRevocationStoreOptions>

/** A store over a client; in a namespace of its own, with a quick heartbeat. */
export function storeOver(client: RedisClient, options: StoreOptions = {}): RedisRevocationStore {
  const store = new RedisRevocationStore({
    client,
    namespace: freshNamespace(),
    heartbeatMs: 20,
    // Longer than by default: a machine that does much else is no failure.
    commandTimeoutMs: 5_000,
    ...options,
  })
  afterTest(() => store.close())
  return store
}

/** A store over an ioredis client of its own. */
export async function openStore(
  address: RedisAddress,
  options?: StoreOptions,
): Promise<RedisRevocationStore> {
  const { client, end } = await redisClients.ioredis.connect(address)
  afterTest(end)
  return storeOver(client, options)
}

/** The keys of the namespace's shards. */
export function keysOf(namespace: string, shard = 0) {
  const key = (name: string) => `{${namespace}:${shard}}:${name}`
  return { expires: key('expires'), cutoffs: key('cutoffs'), meta: key('meta'), feed: key('feed') }
}

/** A pool in each of so many shards. */
export function poolsOf(shards: number): string[] {
  const pools: string[] = []
  for (let index = 0; pools.filter(Boolean).length < shards; index++) {
    pools[shardOf(`pool-${index}`, shards)] ??= `pool-${index}`
  }
  return pools
}

/** Asks again and again until it does not throw. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 10 })
}

/** What an action throws. */
export async function thrownBy(action: () => Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await action()
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('nothing was thrown')
}

/** A batch, and when what it says was so at the latest, by `performance.now()`. */
export interface Seen {
  readonly batch: ChangeBatch
  readonly knownAt: number
}

/** Somebody who reads a change feed. */
export class Reading {
  readonly #abort = new AbortController()
  readonly #feed: AsyncGenerator<ChangeBatch, void, undefined>
  #hasBegun = false

  constructor(store: RedisRevocationStore, after?: string) {
    const { signal } = this.#abort
    this.#feed = store.changes(after === undefined ? { signal } : { signal, after })
    afterTest(() => this.abort())
  }

  async next(): Promise<ChangeBatch> {
    const { value } = await this.#step()
    if (value === undefined) throw new Error('the feed has ended')
    return value
  }

  /** Reads on until a batch is as wanted; gives all up to that one. */
  async until(isWanted: (batch: ChangeBatch) => boolean): Promise<Seen[]> {
    const seen: Seen[] = []
    const giveUpAt = performance.now() + PATIENCE_MS
    for (;;) {
      const batch = await this.next()
      seen.push({ batch, knownAt: performance.now() - batch.ageMs })
      if (isWanted(batch)) return seen
      if (performance.now() > giveUpAt) throw new Error('what was waited for did not come')
    }
  }

  /** Reads on until all is read that was there when this was called; gives the cursor. */
  async catchUp(): Promise<string> {
    // What a reading says that has only just begun is new; an age may be counted up to a millisecond too long.
    const from = this.#hasBegun ? performance.now() : Number.NEGATIVE_INFINITY
    const isCurrent = (batch: ChangeBatch) => batch.caughtUp && performance.now() - batch.ageMs > from
    return (await this.until(isCurrent)).at(-1)?.batch.cursor ?? ''
  }

  /** Reads on until all these have come, and nothing but them. */
  async expectIds(...ids: string[]): Promise<void> {
    const missing = new Set(ids)
    const seen = await this.until(({ revocations }) => {
      for (const { id } of revocations) missing.delete(id)
      return missing.size === 0
    })
    expect(idsOf(seen)).toEqual([...ids].sort())
  }

  /** The end of the feed, after what was on its way. @throws what it ends with */
  async end(): Promise<void> {
    for (;;) if ((await this.#step()).done) return
  }

  return(): Promise<unknown> {
    return this.#feed.return()
  }

  async abort(): Promise<void> {
    this.#abort.abort()
    await this.#feed.return()
  }

  async #step(): Promise<IteratorResult<ChangeBatch, void>> {
    this.#hasBegun = true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the feed is silent')), PATIENCE_MS)
    })
    try {
      return await Promise.race([this.#feed.next(), late])
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What came, each once, in order of the alphabet. */
export function idsOf(seen: readonly Seen[]): string[] {
  return [...new Set(seen.flatMap(({ batch }) => batch.revocations.map(({ id }) => id)))].sort()
}

/** Reads everything there is. */
export async function readAll(store: RedisRevocationStore): Promise<Revocation[]> {
  const reading = new Reading(store)
  const seen = await reading.until(({ caughtUp }) => caughtUp)
  await reading.abort()
  return seen.flatMap(({ batch }) => [...batch.revocations])
}
