import { ownMember } from '../../tokens/own-member.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { isBeforeCutoff, type RevocationExtent, type RevocationScope } from '../revocation.js'
import { extentOf, NO_CUTOFF, type TablePiece, type TableTally } from './table-piece.js'
import { TextTable } from './text-table.js'
import { hashUuid, parseUuid } from './uuid.js'
import { UuidTable } from './uuid-table.js'

/** The id at hand. */
const words = new Int32Array(4)

/** What is revoked in one scope of one pool, by id. */
export class ScopeTable {
  readonly poolId: string
  readonly scope: RevocationScope
  readonly #tally: TableTally
  /** Each made when needed: of most scopes of most pools there are few entries, or none. */
  #uuids: UuidTable | undefined
  #texts: TextTable | undefined

  constructor(poolId: string, scope: RevocationScope, tally: TableTally) {
    this.poolId = poolId
    this.scope = scope
    this.#tally = tally
  }

  /** The record of this id, if it revokes the token. */
  find(id: string, token: TokenIdentity): RevocationExtent | undefined {
    if (this.#uuids !== undefined && parseUuid(id, words)) {
      const hash = hashUuid(words)
      const segment = this.#uuids.segmentOf(hash)
      const slot = segment.find(words, hash)
      if (slot < 0 || !isBeforeCutoff(token, segment.cutoff(slot))) return undefined
      return extentOf(segment.cutoff(slot), segment.expiresAt(slot))
    }
    const entry = this.#texts?.find(id)
    if (entry === undefined || !isBeforeCutoff(token, entry.cutoff)) return undefined
    return extentOf(entry.cutoff, entry.expiresAt)
  }

  /** Merges what is there; adds what is not, if it may. Whether it is there now. */
  apply(id: string, extent: RevocationExtent, round: number, nowSeconds: number, mayAdd: boolean): boolean {
    const { expiresAt } = extent
    const cutoff = ownMember(extent, 'cutoff') ?? NO_CUTOFF
    if (parseUuid(id, words)) {
      if (this.#uuids === undefined && mayAdd) this.#uuids = new UuidTable(this.#tally)
      return this.#uuids?.apply(words, cutoff, expiresAt, round, nowSeconds, mayAdd) ?? false
    }
    if (this.#texts === undefined && mayAdd) this.#texts = new TextTable(this.#tally)
    return this.#texts?.apply(id, cutoff, expiresAt, round, mayAdd) ?? false
  }

  isUnseen(id: string, round: number): boolean {
    if (!parseUuid(id, words)) {
      const entry = this.#texts?.find(id)
      return entry !== undefined && entry.round < round
    }
    const hash = hashUuid(words)
    const segment = this.#uuids?.segmentOf(hash)
    const slot = segment?.find(words, hash) ?? -1
    return segment !== undefined && slot >= 0 && segment.isUnseen(slot, round)
  }

  *pieces(): Generator<TablePiece, void, undefined> {
    if (this.#uuids !== undefined) yield* this.#uuids.pieces()
    if (this.#texts !== undefined) yield* this.#texts.pieces()
  }
}
