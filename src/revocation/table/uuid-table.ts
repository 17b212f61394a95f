import type { TableTally } from './table-piece.js'
import { hashUuid } from './uuid.js'
import { UuidSegment } from './uuid-segment.js'

/**
 * Revocations of one pool and scope whose ids are UUIDs, as parsed by `parseUuid`. Extendible hashing: a
 * directory of segments by the first bits of the hash. It grows a segment at a time, so no call ever has to
 * wait for all of it to be moved.
 */
export class UuidTable {
  /** A segment that shares fewer bits than the directory tells apart is in it several times. */
  #directory: UuidSegment[]
  #depth = 0

  constructor(tally: TableTally) {
    this.#directory = [new UuidSegment(tally)]
  }

  /** The segment that holds an id, or would. */
  segmentOf(hash: number): UuidSegment {
    return this.#directory[this.#indexOf(hash)] as UuidSegment
  }

  /** Merges what is there; adds what is not, if it may. Whether it is there now. */
  apply(
    id: Int32Array,
    cutoff: number,
    expiresAt: number,
    round: number,
    nowSeconds: number,
    mayAdd: boolean,
  ): boolean {
    const hash = hashUuid(id)
    if (this.segmentOf(hash).merge(id, hash, cutoff, expiresAt, round)) return true
    if (!mayAdd) return false
    while (!this.segmentOf(hash).add(id, hash, cutoff, expiresAt, round)) {
      if (!this.segmentOf(hash).makeRoom(nowSeconds)) this.#split(hash, nowSeconds)
    }
    return true
  }

  /**
   * The segments, in the order of the hashes. The table may change in between: a segment only ever loses the
   * upper part of its range, and what was in it before is still ahead, or has been read.
   */
  *pieces(): Generator<UuidSegment, void, undefined> {
    for (let hash = 0; hash < 2 ** 32; ) {
      const segment = this.segmentOf(hash)
      // Before it is given away, since it may be split by the time that the next one is asked for.
      hash += 2 ** (32 - segment.depth)
      yield segment
    }
  }

  #indexOf(hash: number): number {
    // In two steps: a shift by 32 would be one by 0.
    return (hash >>> 1) >>> (31 - this.#depth)
  }

  #split(hash: number, nowSeconds: number): void {
    const lower = this.segmentOf(hash)
    if (lower.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((segment) => [segment, segment])
      this.#depth += 1
    }
    const upper = lower.split(nowSeconds)
    const half = 2 ** (this.#depth - upper.depth)
    const index = this.#indexOf(hash)
    const start = index - (index % (2 * half)) + half
    this.#directory.fill(upper, start, start + half)
  }
}
