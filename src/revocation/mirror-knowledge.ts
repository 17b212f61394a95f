import { elapsedMs, type Moment } from '../clock.js'
import { CoveredPools } from './covered-pools.js'
import type { MirrorSnapshotEnd } from './mirror-snapshot.js'
import type { ChangeBatch } from './store.js'

/** What a mirror allows itself. */
export interface MirrorLimits {
  readonly maxStalenessMs: number
  readonly maxEntries: number
}

/** How much a mirror knows: whether what is not in its table is not revoked. */
export class MirrorKnowledge {
  readonly #maxStalenessMs: number
  readonly #maxEntries: number
  readonly #covered = new CoveredPools()
  /** All that was acknowledged before this moment is here; undefined until the feed has caught up once. */
  #knownUntil: Moment | undefined
  #round = 0
  /** Whether a reading of everything is under way. */
  #restarting = false
  /** Something was left out for want of room: what is not here may be revoked all the same. */
  #full = false
  /** The same, since the reading of everything that is under way began, or the last one. */
  #leftOut = false
  /** Whether nobody may go over from this reading of the feed to another. */
  #isolated = false

  constructor({ maxStalenessMs, maxEntries }: MirrorLimits) {
    this.#maxStalenessMs = maxStalenessMs
    this.#maxEntries = maxEntries
  }

  /** Counts the readings that began with everything. */
  get round(): number {
    return this.#round
  }

  get full(): boolean {
    return this.#full
  }

  /** How old it is at most, in milliseconds. Infinity before the feed has caught up. */
  staleness(): number {
    return this.#knownUntil === undefined ? Number.POSITIVE_INFINITY : elapsedMs(this.#knownUntil)
  }

  /** Whether what is not here is not revoked; in this user pool, or in any that the feed tells of. */
  isFresh(poolId?: string): boolean {
    const knownUntil = this.#knownUntil
    // In this form, NaN is too old.
    if (this.#full || knownUntil === undefined || !(elapsedMs(knownUntil) <= this.#maxStalenessMs))
      return false
    return poolId === undefined || this.#covered.has(poolId)
  }

  inWords(poolId?: string): string {
    if (poolId !== undefined && !this.#covered.has(poolId)) return 'not of this user pool'
    if (this.#full) return `incomplete (over ${this.#maxEntries} entries: raise maxEntries)`
    const ageMs = this.staleness()
    return ageMs === Number.POSITIVE_INFINITY ? 'not complete yet' : `${Math.round(ageMs)} ms old`
  }

  /** Whether the feed told of this user pool; of others it proves nothing lost. */
  covers(poolId: string): boolean {
    return this.#covered.has(poolId)
  }

  /** Begins with a batch, before its records are entered. */
  begin(restarted: boolean): void {
    if (!restarted) return
    this.#round += 1
    this.#restarting = true
    this.#leftOut = false
  }

  /** Something was left out. @returns whether that is news */
  leaveOut(): boolean {
    const isNews = !this.#full
    this.#leftOut = true
    this.#full = true
    return isNews
  }

  /**
   * Takes a batch into account, once its records are entered.
   *
   * @returns whether it is the last one of a reading of everything
   * @throws StoreProtocolError
   */
  take(batch: ChangeBatch, restarted: boolean, knownUntil: Moment): boolean {
    this.#isolated = batch.isolated === true
    this.#covered.take(batch, restarted)
    if (!batch.caughtUp) return false
    this.#knownUntil = knownUntil
    if (!this.#restarting) return false
    this.#restarting = false
    this.#full = this.#leftOut
    return true
  }

  /** From now on it is too old. */
  end(): void {
    this.#knownUntil = undefined
  }

  /** What another mirror that has the same entries needs, to go on with the feed from this cursor on. */
  save(cursor: string | undefined): Omit<MirrorSnapshotEnd, 'size'> {
    const isWhole = this.#knownUntil !== undefined && !this.#restarting && !this.#full && !this.#isolated
    if (!isWhole || !cursor) return {}
    const pools = this.#covered.list
    return pools === undefined ? { cursor } : { cursor, pools }
  }

  /** Goes on from there, once the entries are here. @returns the cursor; undefined where it cannot */
  restore({ cursor, pools }: Omit<MirrorSnapshotEnd, 'size'>): string | undefined {
    if (!cursor || this.#leftOut) return undefined
    this.#covered.restore(pools)
    return cursor
  }
}
