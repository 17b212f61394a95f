import { steadyClock, systemClock } from '../clock.js'
import { StoreFullError } from '../errors.js'
import { assertInteger, assertNumber, assertOptionalFunction, assertOptions } from '../options.js'
import { ownMember } from '../tokens/own-member.js'
import { absentAtEpoch, setAbsentAtEpoch, type TokenIdentity } from '../tokens/token-identity.js'
import { MemoryFeed, type NumberedRevocation, withoutSequence } from './memory-feed.js'
import {
  assertRevocation,
  idInScope,
  isBeforeCutoff,
  mergeExtents,
  purgeableAt,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationExtent,
  type RevocationMatch,
  type RevocationScope,
} from './revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from './store.js'

/** Options of a {@link MemoryRevocationStore}. */
export interface MemoryRevocationStoreOptions {
  /** How many revocations it holds at most; about 200 bytes each. Default 1,000,000. */
  readonly maxEntries?: number
  /** Epoch milliseconds. Default Date.now; to forget by, guarded against jumps. */
  readonly clock?: () => number
  /** How often an idle change feed gives a sign of life, in milliseconds. Default 1,000. */
  readonly heartbeatMs?: number
}

/** Per scope, what is revoked by id. Nested maps: no key is built, so none can be ambiguous. */
type PoolTable = Record<RevocationScope, Map<string, NumberedRevocation>>

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
  readonly #feed: MemoryFeed
  readonly #maxEntries: number
  readonly #clock: () => number
  /** Slower to believe in a later time than the clock that cutoffs are checked by. */
  readonly #purgeClock: () => number
  #size = 0
  /** One up at every record that comes in: what was not revoked can be from then on. */
  #epoch = 0
  #purgeAtSize = 1_024
  /** Until then, in epoch seconds, nothing may be forgotten. */
  #purgeableAt = Number.POSITIVE_INFINITY

  /** @throws TypeError naming the option */
  constructor(options: MemoryRevocationStoreOptions = {}) {
    const owner = 'MemoryRevocationStore'
    assertOptions(owner, options, ['maxEntries', 'clock', 'heartbeatMs'])
    const { maxEntries = 1_000_000, heartbeatMs = 1_000, clock } = options
    assertInteger(owner, 'maxEntries', maxEntries, 1)
    assertNumber(owner, 'heartbeatMs', heartbeatMs, 1, 3_600_000)
    assertOptionalFunction(owner, 'clock', clock)
    this.#maxEntries = maxEntries
    this.#feed = new MemoryFeed(heartbeatMs, (sequence) => this.#entriesSince(sequence))
    this.#clock = clock ?? systemClock
    this.#purgeClock = clock ?? steadyClock()
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
    this.#makeRoom(revocations)
    for (const revocation of revocations) this.#apply(revocation)
  }

  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    return this.findSync(token)
  }

  findSync(token: TokenIdentity): RevocationMatch | undefined {
    if (absentAtEpoch(token, this) === this.#epoch) return undefined
    const table = this.#pools.get(token.poolId)
    if (table === undefined) return undefined
    for (const scope of REVOCATION_SCOPES) {
      const id = idInScope(token, scope)
      const entry = id === undefined ? undefined : table[scope].get(id)
      if (entry !== undefined && isBeforeCutoff(token, ownMember(entry, 'cutoff')))
        return withoutSequence(entry)
    }
    setAbsentAtEpoch(token, this, this.#epoch)
    return undefined
  }

  staleness(): number {
    return 0
  }

  /** The feed of this store. Cursors are of use only to this very object, as its entries are. */
  changes(options: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    return this.#feed.read(options)
  }

  /** Ends every feed. What is recorded stays and can be looked up. */
  async close(): Promise<void> {
    this.#feed.close()
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
    this.#purgeableAt = Math.min(this.#purgeableAt, purgeableAt(extent))
    const record = { poolId, scope, id, ...extent }
    const sequence = this.#feed.announce(audit === undefined ? record : { ...record, audit })
    table[scope].set(id, { ...record, sequence })
    this.#epoch += 1
  }

  #makeRoom(revocations: readonly Revocation[]): void {
    const most = this.#size + revocations.length
    if (most > this.#maxEntries || most >= this.#purgeAtSize) this.#purge(this.#purgeClock() / 1000)
    const missing = revocations.filter(({ poolId, scope, id }) => !this.#pools.get(poolId)?.[scope].has(id))
    const needed = new Set(missing.map(({ poolId, scope, id }) => JSON.stringify([poolId, scope, id]))).size
    if (this.#size + needed > this.#maxEntries) {
      throw new StoreFullError(
        `MemoryRevocationStore is full: ${this.#size} of ${this.#maxEntries} entries, all still needed. Raise maxEntries.`,
      )
    }
  }

  /** Forgets what is over. It looks through all entries: at doubled sizes only, and if any can be over. */
  #purge(nowSeconds: number): void {
    if (nowSeconds < this.#purgeableAt) return
    this.#purgeableAt = Number.POSITIVE_INFINITY
    for (const table of this.#pools.values()) {
      for (const entries of Object.values(table)) {
        for (const [id, entry] of entries) {
          const at = purgeableAt(entry)
          if (nowSeconds < at) this.#purgeableAt = Math.min(this.#purgeableAt, at)
          else if (entries.delete(id)) this.#size -= 1
        }
      }
    }
    this.#purgeAtSize = Math.max(1_024, this.#size * 2)
  }

  /** What was changed after a change, in the order of the changes. */
  #entriesSince(sequence: number): NumberedRevocation[] {
    const found: NumberedRevocation[] = []
    for (const table of this.#pools.values()) {
      for (const entries of Object.values(table)) {
        for (const entry of entries.values()) if (entry.sequence > sequence) found.push(entry)
      }
    }
    return found.sort((a, b) => a.sequence - b.sequence)
  }
}
