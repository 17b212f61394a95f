import { mergeExtents, purgeableAt, type RevocationMatch } from '../../src/revocation/revocation.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import { type Delivered, revokes } from './held-store.js'

export interface MirrorModelOptions {
  readonly maxStalenessMs: number
  readonly maxEntries: number
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * What a mirror may say, worked out each time from all that it was ever told: no table, no epoch, nothing
 * remembered of an answer. When exactly it forgets what is over, and so whether it has room, is the mirror's own
 * affair: where that matters, either answer is right.
 */
export class MirrorModel {
  readonly #options: MirrorModelOptions
  readonly #told: RevocationMatch[] = []
  /** By scope and id, merged as long as it may not be forgotten. */
  readonly #records = new Map<string, RevocationMatch>()
  #caughtUpAtMs = Number.NEGATIVE_INFINITY
  #isSurelyFull = false
  #isRestarting = false

  constructor(options: MirrorModelOptions) {
    this.#options = options
  }

  tell(record: RevocationMatch): void {
    this.#told.push(record)
    const key = `${record.scope} ${record.id}`
    const present = this.#records.get(key)
    if (present === undefined || !this.#isDue(present)) this.#records.set(key, record)
    else {
      const { poolId, scope, id } = record
      this.#records.set(key, { poolId, scope, id, ...mergeExtents(present, record) })
    }
    if (this.#liveEntries() > this.#options.maxEntries) this.#isSurelyFull = true
  }

  take({ revocations, caughtUp, restarted }: Delivered): void {
    if (restarted) this.#isRestarting = true
    for (const record of revocations) this.tell(record)
    if (!caughtUp) return
    this.#caughtUpAtMs = this.#options.now()
    if (this.#isRestarting) this.#isSurelyFull = this.#liveEntries() > this.#options.maxEntries
    this.#isRestarting = false
  }

  /** Whether the mirror was told of a revocation of this token that may not be forgotten yet. */
  isRevoked(token: TokenIdentity): boolean {
    return [...this.#records.values()].some((record) => this.#isDue(record) && revokes(record, token))
  }

  /** Whether the mirror was ever told of one. */
  wasRevoked(token: TokenIdentity): boolean {
    return this.#told.some((record) => revokes(record, token))
  }

  /** Whether what the mirror does not know may pass without the store being asked. */
  get mayDecide(): boolean {
    return this.#isFresh && !this.#isSurelyFull
  }

  /** Whether the mirror may have to ask the store about what it does not know. */
  get mayAsk(): boolean {
    return !this.#isFresh || this.mayBeFull
  }

  get mayBeFull(): boolean {
    return this.#records.size > this.#options.maxEntries
  }

  get #isFresh(): boolean {
    return this.#options.now() - this.#caughtUpAtMs <= this.#options.maxStalenessMs
  }

  #liveEntries(): number {
    return [...this.#records.values()].filter((record) => this.#isDue(record)).length
  }

  #isDue(record: RevocationMatch): boolean {
    return this.#options.now() / 1000 < purgeableAt(record)
  }
}
