import { randomUUID } from 'node:crypto'
import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { ChangeBatch } from '../../src/revocation/store.js'
import {
  createTable,
  DynamoDBRevocationStore,
  type DynamoDBRevocationStoreOptions,
} from '../../src/stores/dynamodb/index.js'
import { Dynalite, localClient } from '../support/dynalite.js'
import { DynamoDBProxy } from '../support/dynamodb-proxy.js'

export { POOL, session, thrownBy, tokenOf, tokenOfUser, user } from './redis-harness.js'

/** Long enough for a machine that does much else: only what never comes takes so long. */
const PATIENCE_MS = 10_000

const cleanUps: (() => unknown)[] = []

/** To be done after the test, in the opposite order. */
export function afterTest(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp)
}

afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A dynalite for a file's tests. */
export function useDynalite(): () => Dynalite {
  let dynalite: Dynalite | undefined
  beforeAll(async () => {
    dynalite = await Dynalite.start()
  })
  afterAll(() => dynalite?.stop())
  return () => {
    if (dynalite === undefined) throw new Error('dynalite has not been started')
    return dynalite
  }
}

type Item = Record<string, AttributeValue>

/** A table of its own, behind a proxy. */
export class Scene {
  readonly tableName: string
  readonly proxy: DynamoDBProxy
  /** Past the proxy. */
  readonly admin: DynamoDBClient

  private constructor(tableName: string, proxy: DynamoDBProxy, admin: DynamoDBClient) {
    this.tableName = tableName
    this.proxy = proxy
    this.admin = admin
  }

  static async create(dynalite: Dynalite): Promise<Scene> {
    const admin = localClient(dynalite.endpoint)
    afterTest(() => admin.destroy())
    const tableName = `test-${randomUUID()}`
    await createTable({ client: admin, tableName, ttl: false })
    const proxy = await DynamoDBProxy.start(dynalite.port)
    afterTest(() => proxy.close())
    return new Scene(tableName, proxy, admin)
  }

  /** A store behind the proxy, by a client that tries once: what is tried again, the store does. */
  store(options: Partial<DynamoDBRevocationStoreOptions> = {}): DynamoDBRevocationStore {
    const client = localClient(this.proxy.endpoint, { maxAttempts: 1 })
    afterTest(() => client.destroy())
    return this.#open({ client, ...options })
  }

  /** One past the proxy. */
  directStore(options: Partial<DynamoDBRevocationStoreOptions> = {}): DynamoDBRevocationStore {
    return this.#open({ client: this.admin, ...options })
  }

  #open(options: { client: DynamoDBClient } & Partial<DynamoDBRevocationStoreOptions>) {
    const defaults = {
      tableName: this.tableName,
      pollIntervalMs: 20,
      requestTimeoutMs: 5_000,
      // Tests set clocks forward, and not for its sake.
      reconcileIntervalMs: 2_000_000_000,
    }
    const store = new DynamoDBRevocationStore({ ...defaults, ...options })
    afterTest(() => store.close())
    return store
  }

  async items(): Promise<Item[]> {
    const { Items = [] } = await this.admin.send(new ScanCommand({ TableName: this.tableName }))
    return Items
  }

  /** Announcements, in the order of their numbers. */
  async announcements(): Promise<Item[]> {
    const items = (await this.items()).filter(({ records }) => records !== undefined)
    return items.sort((a, b) => Number(a.sk?.N) - Number(b.sk?.N))
  }

  async counter(): Promise<Item | undefined> {
    const Key = { pk: { S: 'feed' }, sk: { N: '0' } }
    return (await this.admin.send(new GetItemCommand({ TableName: this.tableName, Key }))).Item
  }

  async put(Item: Item): Promise<void> {
    await this.admin.send(new PutItemCommand({ TableName: this.tableName, Item }))
  }

  /** As DynamoDB's TTL does, or somebody. */
  async delete({ pk, sk }: Item): Promise<void> {
    const Key = { pk, sk } as Item
    await this.admin.send(new DeleteItemCommand({ TableName: this.tableName, Key }))
  }
}

/** Asks again and again until it does not throw. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 10 })
}

/** Somebody who reads a change feed. */
export class Reading {
  readonly batches: ChangeBatch[] = []
  readonly #abort = new AbortController()
  readonly #feed: AsyncIterator<ChangeBatch, void>

  constructor(store: DynamoDBRevocationStore, after?: string) {
    const { signal } = this.#abort
    this.#feed = store.changes(after === undefined ? { signal } : { signal, after })
    afterTest(() => this.end())
  }

  async next(): Promise<ChangeBatch> {
    const { value, done } = await this.#feed.next()
    if (done) throw new Error('the feed has ended')
    this.batches.push(value)
    return value
  }

  /** Reads on until a batch is as wanted; gives all up to that one. */
  async until(isWanted: (batch: ChangeBatch) => boolean): Promise<ChangeBatch[]> {
    const giveUpAt = performance.now() + PATIENCE_MS
    const seen: ChangeBatch[] = []
    for (;;) {
      const batch = await this.next()
      seen.push(batch)
      if (isWanted(batch)) return seen
      if (performance.now() > giveUpAt) throw new Error('what was waited for did not come')
    }
  }

  /** Reads on until all is read that was there when this was called. */
  async catchUp(): Promise<ChangeBatch[]> {
    const from = performance.now()
    return this.until((batch) => batch.caughtUp && performance.now() - batch.ageMs > from)
  }

  get cursor(): string {
    return this.batches.at(-1)?.cursor ?? ''
  }

  async end(): Promise<void> {
    this.#abort.abort()
    await this.#feed.return?.()
  }
}

/** What came, each once, in order of the alphabet. */
export function idsOf(batches: readonly ChangeBatch[]): string[] {
  return [...new Set(batches.flatMap(({ revocations }) => revocations.map(({ id }) => id)))].sort()
}

export function isRestarted(batches: readonly ChangeBatch[]): boolean {
  return batches.some(({ restarted }) => restarted)
}

/** Fails unless each is found. */
export async function expectFound(
  store: DynamoDBRevocationStore,
  records: readonly Revocation[],
): Promise<void> {
  for (const { poolId, scope, id } of records) {
    const identity = { poolId, sub: 'x', clientId: 'x', iat: 0 }
    const by = {
      session: { originJti: id },
      user: { sub: id },
      token: { jti: id },
      client: { clientId: id },
      pool: {},
    }
    expect(await store.find({ ...identity, ...by[scope] }), `${scope} ${id}`).toBeDefined()
  }
}
