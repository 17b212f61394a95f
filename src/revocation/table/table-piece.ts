import type { RevocationExtent, RevocationMatch, RevocationScope } from '../revocation.js'

/** The cutoff of a record without one: larger than any other, and after every token. */
export const NO_CUTOFF = Number.POSITIVE_INFINITY

/** A part of a table small enough to be read, or purged, in one go. */
export interface TablePiece {
  /** How much there is to look at. */
  readonly length: number
  /** Before then, in epoch seconds, none of its entries may be forgotten. */
  readonly purgeableAt: number
  /** Forgets what is over. */
  purge(nowSeconds: number): void
  /** Its entries; with a round, those that were seen neither in it nor in a later one. */
  read(poolId: string, scope: RevocationScope, unseenIn: number | undefined): RevocationMatch[]
}

/** What all pieces of a table keep account of together. */
export class TableTally {
  size = 0
  /** One up at every entry that is new, or whose cutoff was raised. */
  epoch = 0
  /** Before then, in epoch seconds, no entry of the table may be forgotten. */
  purgeableAt = Number.POSITIVE_INFINITY
  /** The same, of what was added, or swept, since a sweep of the table began. */
  #sweptPurgeableAt = Number.POSITIVE_INFINITY

  added(purgeableAt: number): void {
    this.size += 1
    this.epoch += 1
    if (purgeableAt < this.purgeableAt) this.purgeableAt = purgeableAt
    this.swept(purgeableAt)
  }

  swept(purgeableAt: number): void {
    if (purgeableAt < this.#sweptPurgeableAt) this.#sweptPurgeableAt = purgeableAt
  }

  sweptAll(): void {
    this.purgeableAt = this.#sweptPurgeableAt
    this.#sweptPurgeableAt = Number.POSITIVE_INFINITY
  }
}

export function extentOf(cutoff: number, expiresAt: number): RevocationExtent {
  return cutoff === NO_CUTOFF ? { expiresAt } : { cutoff, expiresAt }
}
