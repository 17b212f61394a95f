import { StoreProtocolError } from '../errors.js'
import type { ChangeBatch } from './store.js'

type Pools = ReadonlySet<string> | undefined

/** The user pools that a feed tells of: of all others its reader knows nothing, however fresh it is. */
export class CoveredPools {
  /** Those that all is known of; undefined for all. */
  #known: Pools
  /** Those that the last batch told of. */
  #told: Pools
  #last: readonly string[] | undefined
  #isRestarting = false

  /** Whether all that the feed has told is all there is of this user pool. */
  has(poolId: string): boolean {
    return (this.#known?.has(poolId) ?? true) && (this.#told?.has(poolId) ?? true)
  }

  /** Those that all is known of, and the feed tells of; undefined for all. */
  get list(): readonly string[] | undefined {
    const both = intersect(this.#known, this.#told)
    return both && [...both]
  }

  /** Goes on from where all was known of these, and of no other. */
  restore(pools: readonly string[] | undefined): void {
    this.#known = pools && new Set(pools)
  }

  /** Takes a batch into account, once its records are known. @throws StoreProtocolError */
  take({ pools, caughtUp }: ChangeBatch, restarted: boolean): void {
    if (pools !== undefined && !Array.isArray(pools)) {
      throw new StoreProtocolError("The change feed's pools are no list")
    }
    if (restarted) this.#isRestarting = true
    if (pools !== this.#last) this.#told = pools && new Set(pools)
    this.#last = pools
    if (!caughtUp) return
    // More pools than before are known only by a reading that began with everything.
    this.#known = this.#isRestarting ? this.#told : intersect(this.#known, this.#told)
    this.#isRestarting = false
  }
}

function intersect(one: Pools, other: Pools): Pools {
  if (one === undefined || one === other) return other
  if (other === undefined) return one
  return new Set([...one].filter((poolId) => other.has(poolId)))
}
