import { randomUUID } from 'node:crypto'
import { StoreFullError } from '../errors.js'
import { assertNumber, assertOptionalFunction, assertOptions } from '../options.js'
import { steadyClock } from '../steady-clock.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import {
  assertRevocation,
  idInScope,
  isBeforeCutoff,
  isPurgeable,
  mergeExtents,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationExtent,
  type RevocationMatch,
  type RevocationScope,
} from './revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from './store.js'

const BATCH_SIZE = 1_000
/** A reader of the feed that is further behind than this reads on from the table instead of its queue. */
const MAX_QUEUE = 10_000

/** Options of a {@link MemoryRevocationStore}. */
export interface MemoryRevocationStoreOptions {
  /** How many revocations it holds at most; about 200 bytes each. Default 1,000,000. */
  readonly maxEntries?: number
  /** Epoch milliseconds, to know what may be forgotten. Default: the system's clock, guarded against jumps. */
  readonly clock?: () => number
  /** How often an idle change feed gives a sign of life, in milliseconds. Default 1,000. */
  readonly heartbeatMs?: number
}

interface Entry extends Revocation {
  /** Number of the change that last touched it. */
  readonly sequence: number
}

interface Reader {
  queue: Entry[]
  overflowed: boolean
  wake: () => void
}

/** Per scope, what is revoked by id. Nested maps: no key is built, so none can be ambiguous. */
type PoolTable = Record<RevocationScope, Map<string, Entry>>

/**
 * The embedded default: revocations in this process's memory, for one process, tests and the demo. A
 * restart forgets them all; use a shared store as soon as there is a second process.
 *
 * It is a map, never an LRU: evicting a live entry would un-revoke a token. When full, `add` fails loudly
 * with a {@link StoreFullError} and records nothing of that call.
 *
 * @example
 * import { MemoryRevocationStore, TokenVerifier } from 'cognito-revocation'
 * const store = new MemoryRevocationStore({ maxEntries: 100_000 })
 */
export class MemoryRevocationStore implements RevocationStore {
  readonly #pools = new Map<string, PoolTable>()
  readonly #readers = new Set<Reader>()
  readonly #generation = randomUUID()
  readonly #closing = new AbortController()
  readonly #maxEntries: number
  readonly #heartbeatMs: number
  readonly #clock: () => number
  #size = 0
  #sequence = 0
  #purgeAt = 1_024

  /** @throws TypeError naming the option */
  constructor(options: MemoryRevocationStoreOptions = {}) {
    const owner = 'MemoryRevocationStore'
    assertOptions(owner, options, ['maxEntries', 'clock', 'heartbeatMs'])
    const { maxEntries = 1_000_000, heartbeatMs = 1_000, clock = steadyClock() } = options
    assertNumber(owner, 'maxEntries', maxEntries, 1)
    assertNumber(owner, 'heartbeatMs', heartbeatMs, 1)
    assertOptionalFunction(owner, 'clock', clock)
    this.#maxEntries = maxEntries
    this.#heartbeatMs = heartbeatMs
    this.#clock = clock
  }

  /** How many revocations it holds. */
  get size(): number {
    return this.#size
  }

  /**
   * @throws TypeError if a record is invalid, CutoffInFutureError, StoreFullError; then nothing is recorded
   */
  async add(revocations: readonly Revocation[]): Promise<void> {
    const nowSeconds = this.#clock() / 1000
    for (const revocation of revocations) assertRevocation(revocation, nowSeconds)
    this.#makeRoom(revocations, nowSeconds)
    for (const revocation of revocations) this.#apply(revocation)
  }

  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    return this.findSync(token)
  }

  findSync(token: TokenIdentity): RevocationMatch | undefined {
    const table = this.#pools.get(token.poolId)
    if (table === undefined) return undefined
    for (const scope of REVOCATION_SCOPES) {
      const id = idInScope(token, scope)
      const entry = id === undefined ? undefined : table[scope].get(id)
      if (entry !== undefined && isBeforeCutoff(token, entry.cutoff)) return withoutSequence(entry)
    }
    return undefined
  }

  staleness(): number {
    return 0
  }

  /** The feed of this store. Cursors are of use only to this very object, as its entries are. */
  async *changes({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    const ended = AbortSignal.any([signal, this.#closing.signal])
    const reader: Reader = { queue: [], overflowed: false, wake: () => {} }
    this.#readers.add(reader)
    try {
      let sequence = this.#sequenceOf(after)
      let backlog = this.#entriesSince(sequence)
      do {
        const entries = backlog.splice(0, BATCH_SIZE)
        sequence = entries.at(-1)?.sequence ?? sequence
        if (ended.aborted) return
        yield this.#batch(entries, sequence, backlog.length === 0)
        if (backlog.length > 0) continue
        if (reader.queue.length === 0 && !reader.overflowed) await this.#nextChange(reader, ended)
        // After an overflow the table knows all that the queue does not.
        const { queue } = reader
        backlog = reader.overflowed
          ? this.#entriesSince(sequence)
          : queue.filter((entry) => entry.sequence > sequence)
        reader.queue = []
        reader.overflowed = false
      } while (!ended.aborted)
    } finally {
      this.#readers.delete(reader)
    }
  }

  /** Ends every feed. What is recorded stays and can be looked up. */
  async close(): Promise<void> {
    this.#closing.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #apply({ poolId, scope, id, cutoff, expiresAt, audit }: Revocation): void {
    const table = this.#pools.get(poolId) ?? {
      token: new Map(),
      session: new Map(),
      user: new Map(),
      client: new Map(),
      pool: new Map(),
    }
    this.#pools.set(poolId, table)
    const given: RevocationExtent = cutoff === undefined ? { expiresAt } : { cutoff, expiresAt }
    const present = table[scope].get(id)
    if (present === undefined) this.#size += 1
    const extent = present === undefined ? given : mergeExtents(present, given)
    this.#sequence += 1
    const entry = { poolId, scope, id, ...extent, sequence: this.#sequence }
    table[scope].set(id, entry)
    const announced = audit === undefined ? entry : { ...entry, audit }
    for (const reader of this.#readers) {
      if (reader.queue.length < MAX_QUEUE) reader.queue.push(announced)
      else reader.overflowed = true
      reader.wake()
    }
  }

  #makeRoom(revocations: readonly Revocation[], nowSeconds: number): void {
    const needed = new Set(
      revocations
        .filter(({ poolId, scope, id }) => !this.#pools.get(poolId)?.[scope].has(id))
        .map(({ poolId, scope, id }) => JSON.stringify([poolId, scope, id])),
    ).size
    const wanted = this.#size + needed
    if (wanted > this.#maxEntries || wanted >= this.#purgeAt) this.#purge(nowSeconds)
    if (this.#size + needed > this.#maxEntries) {
      throw new StoreFullError(
        `MemoryRevocationStore is full: ${this.#size} of ${this.#maxEntries} entries, all still needed. Raise maxEntries.`,
      )
    }
  }

  /** Forgets what is over, at doubled sizes only, so that it costs each `add` a constant. */
  #purge(nowSeconds: number): void {
    for (const table of this.#pools.values()) {
      for (const entries of Object.values(table)) {
        for (const [id, entry] of entries) {
          if (isPurgeable(entry, nowSeconds)) {
            entries.delete(id)
            this.#size -= 1
          }
        }
      }
    }
    this.#purgeAt = Math.max(1_024, this.#size * 2)
  }

  #sequenceOf(cursor: string | undefined): number {
    const [generation, sequence] = cursor?.split(':') ?? []
    const number = Number(sequence)
    return generation === this.#generation && number >= 0 && number <= this.#sequence ? number : 0
  }

  #entriesSince(sequence: number): Entry[] {
    const entries: Entry[] = []
    for (const table of this.#pools.values()) {
      for (const scope of REVOCATION_SCOPES) {
        for (const entry of table[scope].values()) if (entry.sequence > sequence) entries.push(entry)
      }
    }
    return entries.sort((a, b) => a.sequence - b.sequence)
  }

  #batch(entries: readonly Entry[], sequence: number, caughtUp: boolean): ChangeBatch {
    const revocations = entries.map(withoutSequence)
    return { revocations, cursor: `${this.#generation}:${sequence}`, caughtUp, ageMs: 0 }
  }

  /** Resolves at the next change, heartbeat or end, whichever is first. */
  #nextChange(reader: Reader, ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        ended.removeEventListener('abort', done)
        reader.wake = () => {}
        resolve()
      }
      const timer = setTimeout(done, this.#heartbeatMs).unref()
      ended.addEventListener('abort', done)
      reader.wake = done
    })
  }
}

function withoutSequence({ sequence: _, ...revocation }: Entry): Revocation {
  return revocation
}
