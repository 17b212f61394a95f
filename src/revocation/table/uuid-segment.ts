import { purgeableAt, type RevocationMatch, type RevocationScope } from '../revocation.js'
import { extentOf, type TablePiece, type TableTally } from './table-piece.js'
import { hashUuid } from './uuid.js'
import { strideFor, UuidRows } from './uuid-rows.js'

/** Above it, the runs of linear probing get long. */
const MAX_LOAD = 0.85
/** How full it may be after a purge, lest it has to be purged again at once. */
const MAX_PURGED_LOAD = 0.7
const MIN_SLOTS = 16
/** From a segment's first size to its last. */
const DOUBLINGS = 8
/** With more segments than 65,536, at some 200 million entries, they grow on instead of being split. */
const MAX_DEPTH = 16

/** The id at hand while rows are moved. */
const moving = new Int32Array(4)

/** A part of a table of UUIDs: those whose hashes share their first `depth` bits. */
export class UuidSegment extends UuidRows implements TablePiece {
  depth: number
  purgeableAt = Number.POSITIVE_INFINITY
  readonly #tally: TableTally
  /** Once it has so many, it is split. */
  readonly #maxSlots: number
  #count = 0

  constructor(tally: TableTally, maxSlots = someMaxSlots(), like?: UuidSegment) {
    super(like === undefined ? maxSlots >> DOUBLINGS : maxSlots, like)
    this.#tally = tally
    this.#maxSlots = maxSlots
    this.depth = like?.depth ?? 0
  }

  /** The larger of both values, as `mergeExtents` has it. False if the id is not there. */
  merge(id: Int32Array, hash: number, cutoff: number, expiresAt: number, round: number): boolean {
    let slot = this.find(id, hash)
    if (slot < 0) return false
    const presentCutoff = this.cutoff(slot)
    const presentExpiresAt = this.expiresAt(slot)
    if (cutoff > presentCutoff || expiresAt > presentExpiresAt) {
      if (this.#widenFor(cutoff, expiresAt)) slot = this.find(id, hash)
      this.write(slot, Math.max(cutoff, presentCutoff), Math.max(expiresAt, presentExpiresAt))
      if (cutoff > presentCutoff) this.#tally.epoch += 1
    }
    this.see(slot, round)
    return true
  }

  /** Adds an id that is not there. False if there is no room for it. */
  add(id: Int32Array, hash: number, cutoff: number, expiresAt: number, round: number): boolean {
    if (this.#count >= Math.floor(this.length * MAX_LOAD)) return false
    this.#widenFor(cutoff, expiresAt)
    const slot = this.insert(id, hash)
    this.write(slot, cutoff, expiresAt)
    this.see(slot, round)
    this.#counted(expiresAt)
    this.#tally.added(purgeableAt({ expiresAt }))
    return true
  }

  /** Forgets what is over, and grows if that is not enough. False if it has to be split instead. */
  makeRoom(nowSeconds: number): boolean {
    let slots = this.length
    if (this.#countLive(nowSeconds) > slots * MAX_PURGED_LOAD) {
      if (slots >= this.#maxSlots && this.depth < MAX_DEPTH) return false
      slots *= 2
    }
    this.#rebuild(slots, this.stride, nowSeconds)
    return true
  }

  /** Gives away the entries whose next bit of the hash is set, and forgets what is over. */
  split(nowSeconds: number): UuidSegment {
    const bit = 1 << (31 - this.depth)
    const given = this.#countLive(nowSeconds, bit)
    let slots = someMaxSlots()
    while (given > slots * MAX_LOAD) slots *= 2
    this.depth += 1
    const upper = new UuidSegment(this.#tally, slots, this)
    this.#rebuild(this.length, this.stride, nowSeconds, upper, bit)
    return upper
  }

  purge(nowSeconds: number): void {
    const live = this.#countLive(nowSeconds)
    if (live === this.#count) return
    let slots = this.length
    while (slots >= 2 * MIN_SLOTS && live < slots / 4) slots /= 2
    this.#rebuild(slots, this.stride, nowSeconds)
  }

  read(poolId: string, scope: RevocationScope, unseenIn: number | undefined): RevocationMatch[] {
    const entries: RevocationMatch[] = []
    for (let slot = 0; slot < this.length; slot++) {
      if (!this.isTaken(slot) || (unseenIn !== undefined && !this.isUnseen(slot, unseenIn))) continue
      const extent = extentOf(this.cutoff(slot), this.expiresAt(slot))
      entries.push({ poolId, scope, id: this.id(slot), ...extent })
    }
    return entries
  }

  #counted(expiresAt: number): void {
    this.#count += 1
    this.purgeableAt = Math.min(this.purgeableAt, purgeableAt({ expiresAt }))
  }

  /** Where these values do not fit, makes it so, and slots change. */
  #widenFor(cutoff: number, expiresAt: number): boolean {
    const stride = strideFor(cutoff, expiresAt)
    if (stride <= this.stride) return false
    this.#rebuild(this.length, stride, Number.NEGATIVE_INFINITY)
    return true
  }

  /** Of those with the bit set, if one is given. It also makes purgeableAt exact: merging leaves it too early. */
  #countLive(nowSeconds: number, bit = 0): number {
    if (bit === 0 && nowSeconds < this.purgeableAt) return this.#count
    let live = 0
    let earliest = Number.POSITIVE_INFINITY
    for (let slot = 0; slot < this.length; slot++) {
      if (!this.isTaken(slot)) continue
      const at = purgeableAt({ expiresAt: this.expiresAt(slot) })
      if (at < earliest) earliest = at
      if (nowSeconds < at && (bit === 0 || (hashAt(this, slot) & bit) !== 0)) live += 1
    }
    this.purgeableAt = earliest
    return live
  }

  /** Moves what lives into so many slots; where the bit is set, into another segment. */
  #rebuild(slots: number, stride: number, nowSeconds: number, upper: UuidSegment = this, bit = 0): void {
    const old = this.empty(slots, stride)
    this.#tally.size -= this.#count
    this.#count = 0
    this.purgeableAt = Number.POSITIVE_INFINITY
    for (let slot = 0; slot < old.length; slot++) {
      if (!old.isTaken(slot)) continue
      const expiresAt = old.expiresAt(slot)
      if (nowSeconds >= purgeableAt({ expiresAt })) continue
      const hash = hashAt(old, slot)
      const segment = (hash & bit) === 0 ? this : upper
      segment.take(old, slot, moving, hash)
      segment.#counted(expiresAt)
    }
    this.#tally.size += this.#count + (upper === this ? 0 : upper.#count)
  }
}

/** Also leaves the id in `moving`. */
function hashAt(rows: UuidRows, slot: number): number {
  rows.readId(slot, moving)
  return hashUuid(moving)
}

/**
 * 4,096 to 7,936: splitting so many slots takes half a millisecond. Were they the same, all segments would be
 * split at about the same time, since hashes are uniform, and be half empty together.
 */
function someMaxSlots(): number {
  return Math.floor(MIN_SLOTS * 2 ** Math.random()) << DOUBLINGS
}
