import { equal, ok } from 'node:assert/strict'
import type { Revocation } from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../revocation/store.js'
import { type Fixture, keyOf } from './fixture.js'

/** A batch, as a test sees it. */
export interface ReadBatch {
  /** Those of the test's own pools: the engine may be shared. */
  readonly revocations: readonly Revocation[]
  readonly cursor: string
  readonly caughtUp: boolean
  readonly restarted: boolean
  /** As old as the batch says it is, by `performance.now()`: what was acknowledged before, it must know. */
  readonly knownAt: number
}

/** A reading of a store's feed. Each wait has the deadline for itself. */
export class Reading {
  readonly batches: ReadBatch[] = []
  readonly #iterator: AsyncIterator<ChangeBatch>
  readonly #controller = new AbortController()
  readonly #poolId: string
  readonly #deadlineMs: number
  readonly #delivered = new Set<string>()
  readonly #openedAt = performance.now()

  constructor(store: RevocationStore, { poolId, feedDeadlineMs }: Fixture, after?: string) {
    const { signal } = this.#controller
    this.#poolId = poolId
    this.#deadlineMs = feedDeadlineMs
    this.#iterator = changesOf(store, after === undefined ? { signal } : { signal, after })
  }

  /** Reads one batch. */
  async next(): Promise<ReadBatch> {
    return this.#read(performance.now() + this.#deadlineMs)
  }

  /** Reads on, one batch at least, until one satisfies; gives all that were read meanwhile. */
  async until(satisfies: (batch: ReadBatch) => boolean): Promise<readonly ReadBatch[]> {
    const giveUpAt = performance.now() + this.#deadlineMs
    const start = this.batches.length
    while (!satisfies(await this.#read(giveUpAt))) {}
    return this.batches.slice(start)
  }

  /** Reads on until all must have been delivered that was acknowledged before this call. */
  async upToDate(): Promise<readonly ReadBatch[]> {
    const since = performance.now()
    return this.until(({ caughtUp, knownAt }) => caughtUp && knownAt >= since)
  }

  /** Reads on, where that is still needed, until all must have been delivered that was acknowledged before it was opened. */
  async everything(): Promise<void> {
    const isAll = ({ caughtUp, knownAt }: ReadBatch) => caughtUp && knownAt >= this.#openedAt
    if (!this.batches.some(isAll)) await this.until(isAll)
  }

  /** Those that no batch of this reading has brought. */
  missing(records: readonly Revocation[]): Revocation[] {
    return records.filter((record) => !this.#delivered.has(keyOf(record)))
  }

  /** Stops as `break` does, whatever the signal; while no batch is waited for. */
  async stop(): Promise<void> {
    await inTime(this.#iterator.return?.(), this.#deadlineMs)
  }

  async end(): Promise<void> {
    this.#controller.abort()
    await this.stop()
  }

  async #read(giveUpAt: number): Promise<ReadBatch> {
    const { value, done } = await inTime(this.#iterator.next(), this.#deadlineMs, giveUpAt)
    // Before the age is looked at, which may go on counting.
    const receivedAt = performance.now()
    if (done) throw new Error('The feed ended by itself')
    const { ageMs } = value as ChangeBatch
    assertBatch({ ...value, ageMs })
    const { cursor, caughtUp, restarted = false } = value
    const revocations = value.revocations.filter(({ poolId }: Revocation) => poolId.startsWith(this.#poolId))
    for (const revocation of revocations) this.#delivered.add(keyOf(revocation))
    const batch = { revocations, cursor, caughtUp, restarted, knownAt: receivedAt - ageMs }
    this.batches.push(batch)
    return batch
  }
}

/** Opens a feed for as long as it is used: everything, or from a cursor on. */
export async function reading<T>(
  store: RevocationStore,
  fixture: Fixture,
  after: string | undefined,
  use: (feed: Reading) => Promise<T>,
): Promise<T> {
  const feed = new Reading(store, fixture, after)
  let result: T
  try {
    result = await use(feed)
  } catch (error) {
    // What failed first is what is told.
    await feed.end().catch(() => {})
    throw error
  }
  await feed.end()
  return result
}

/** The feed itself, for tests of its protocol. */
export function openFeed(
  store: RevocationStore,
  { feedDeadlineMs }: Fixture,
  options: ChangesOptions,
): Pick<AsyncIterator<ChangeBatch>, 'next' | 'return'> {
  const feed = changesOf(store, options)
  const next = () => inTime(feed.next(), feedDeadlineMs)
  return feed.return === undefined
    ? { next }
    : { next, return: () => inTime(feed.return?.(), feedDeadlineMs) }
}

function changesOf(store: RevocationStore, options: ChangesOptions): AsyncIterator<ChangeBatch> {
  ok(
    store.changes,
    'The store has no changes(); if it is to have none, leave these tests out: { feed: false }',
  )
  return store.changes(options)[Symbol.asyncIterator]()
}

/**
 * A feed that hangs, or brings everything but what is waited for, fails its test instead of hanging it too. And
 * the process lives on meanwhile: what a feed itself waits for does not keep it alive.
 */
async function inTime<T>(
  promise: Promise<T> | undefined,
  deadlineMs: number,
  giveUpAt = performance.now() + deadlineMs,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error(`The feed did not deliver within ${deadlineMs} ms`))
    timer = setTimeout(fail, giveUpAt - performance.now())
    if (performance.now() > giveUpAt) fail()
  })
  try {
    return (await Promise.race([late, promise])) as T
  } finally {
    clearTimeout(timer)
  }
}

/** Fails where anything was not delivered. */
export function assertNothingMissing(missing: readonly Revocation[], when: string): void {
  const [first] = missing
  ok(first === undefined, `${missing.length} not delivered ${when}, among them ${first && keyOf(first)}`)
}

function assertBatch({ revocations, cursor, caughtUp, restarted, ageMs }: ChangeBatch): void {
  ok(Array.isArray(revocations), 'revocations must be an array')
  equal(typeof cursor, 'string', 'cursor must be a string')
  equal(typeof caughtUp, 'boolean', 'caughtUp must be a boolean')
  ok(restarted === undefined || typeof restarted === 'boolean', 'restarted must be a boolean, or absent')
  ok(Number.isFinite(ageMs) && ageMs >= 0, `ageMs must be a finite number, at least 0, but is ${ageMs}`)
}
