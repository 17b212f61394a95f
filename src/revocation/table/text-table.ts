import { purgeableAt, type RevocationMatch, type RevocationScope } from '../revocation.js'
import { extentOf, type TablePiece, type TableTally } from './table-piece.js'

interface Entry {
  cutoff: number
  expiresAt: number
  /** The last one that it was seen in. */
  round: number
}

/** How many entries are read, or purged, in one go. */
const PIECE_LENGTH = 1_024

/** A Map of more throws. */
const MAX_SIZE = 2 ** 24

/** Revocations of one pool and scope whose ids are no UUIDs: app clients, pools, whatever else there is. */
export class TextTable {
  readonly #tally: TableTally
  readonly #entries = new Map<string, Entry>()

  constructor(tally: TableTally) {
    this.#tally = tally
  }

  find(id: string): Readonly<Entry> | undefined {
    return this.#entries.get(id)
  }

  /** Merges what is there, as `mergeExtents` has it; adds what is not, if it may. Whether it is there now. */
  apply(id: string, cutoff: number, expiresAt: number, round: number, mayAdd: boolean): boolean {
    const present = this.#entries.get(id)
    if (present === undefined) {
      if (!mayAdd || this.#entries.size >= MAX_SIZE) return false
      this.#entries.set(id, { cutoff, expiresAt, round })
      this.#tally.added(purgeableAt({ expiresAt }))
      return true
    }
    if (cutoff > present.cutoff) this.#tally.epoch += 1
    present.cutoff = Math.max(cutoff, present.cutoff)
    present.expiresAt = Math.max(expiresAt, present.expiresAt)
    present.round = Math.max(round, present.round)
    return true
  }

  /** A piece is of use until the next is asked for. In between the table may change: the Map bears that. */
  *pieces(): Generator<TablePiece, void, undefined> {
    let part: [string, Entry][] = []
    for (const entry of this.#entries) {
      if (part.push(entry) < PIECE_LENGTH) continue
      yield new TextPiece(this.#entries, part, this.#tally)
      part = []
    }
    if (part.length > 0) yield new TextPiece(this.#entries, part, this.#tally)
  }
}

class TextPiece implements TablePiece {
  /** Not known before it is looked through. */
  purgeableAt = Number.NEGATIVE_INFINITY
  readonly #entries: Map<string, Entry>
  readonly #part: readonly [string, Entry][]
  readonly #tally: TableTally

  constructor(entries: Map<string, Entry>, part: readonly [string, Entry][], tally: TableTally) {
    this.#entries = entries
    this.#part = part
    this.#tally = tally
  }

  get length(): number {
    return this.#part.length
  }

  purge(nowSeconds: number): void {
    this.purgeableAt = Number.POSITIVE_INFINITY
    for (const [id, entry] of this.#part) {
      const at = purgeableAt(entry)
      if (nowSeconds < at) this.purgeableAt = Math.min(this.purgeableAt, at)
      else if (this.#entries.delete(id)) this.#tally.size -= 1
    }
  }

  read(poolId: string, scope: RevocationScope, unseenIn: number | undefined): RevocationMatch[] {
    const found: RevocationMatch[] = []
    for (const [id, { cutoff, expiresAt, round }] of this.#part) {
      if (unseenIn === undefined || round < unseenIn)
        found.push({ poolId, scope, id, ...extentOf(cutoff, expiresAt) })
    }
    return found
  }
}
