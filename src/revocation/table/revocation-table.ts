import { StoreProtocolError } from '../../errors.js'
import { absentAtEpoch, setAbsentAtEpoch, type TokenIdentity } from '../../tokens/token-identity.js'
import {
  idInScope,
  isRecord,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationMatch,
  type RevocationScope,
  scopeIndex,
} from '../revocation.js'
import { LatestEntries } from './latest-entries.js'
import { ScopeTable } from './scope-table.js'
import { type TablePiece, TableTally } from './table-piece.js'

/** How much of the table is looked at in one go for what may be forgotten: some tenths of a millisecond. */
const SWEEP_LENGTH = 8_192
/** And how much where room is needed. */
const ROOM_LENGTH = 65_536
/** What a piece costs that is passed over, in entries looked at. */
const PASSING_LENGTH = 32

/**
 * Revocations in memory, by the million: 40 to 50 bytes each where the ids are UUIDs, as Cognito's are, and
 * nothing that the garbage collector has to look through. What is in it leaves by time only; no call takes
 * long, whatever its size.
 *
 * Every entry carries the round that it was last seen in. The caller counts rounds up, one for each time that
 * it reads all of its source again; what was not seen in a round has gone there.
 */
export class RevocationTable {
  readonly #maxEntries: number
  readonly #tally = new TableTally()
  readonly #latest = new LatestEntries()
  /** By pool, then in the order of REVOCATION_SCOPES. Nested: no key is built, so none can be ambiguous. */
  readonly #pools = new Map<string, readonly ScopeTable[]>()
  /** Those of the pool that was asked for last: it seldom changes from one record to the next. */
  #lastPoolId: string | undefined
  #lastTables: readonly ScopeTable[] = []
  #sweep = this.#pieces()

  constructor({ maxEntries }: { readonly maxEntries: number }) {
    this.#maxEntries = maxEntries
  }

  /** How many entries there are, those included that may be forgotten but have not been yet. */
  get size(): number {
    return this.#tally.size
  }

  /** One up at least whenever a token can have become revoked: at every new entry and every raised cutoff. */
  get epoch(): number {
    return this.#tally.epoch
  }

  /** A record that revokes the token. Whatever is there matches, also past its expiresAt. */
  find(token: TokenIdentity): RevocationMatch | undefined {
    const { epoch } = this.#tally
    const absentAt = absentAtEpoch(token, this)
    if (absentAt === epoch) return undefined
    const isAbsent = absentAt !== undefined && !this.#latest.mayRevoke(token, absentAt, epoch)
    const match = isAbsent ? undefined : this.#search(token)
    if (match === undefined) setAbsentAtEpoch(token, this, epoch)
    return match
  }

  /**
   * Adds a record, or merges it with the one that is there, and takes note that it was seen.
   *
   * @param round an integer from 0 on; an earlier one than it was seen in before changes nothing
   * @returns whether it is in the table now: false if it is not there, and there is no room
   */
  apply(revocation: Revocation, round: number, nowSeconds: number): boolean {
    if (!isRecord(revocation)) throw new StoreProtocolError('The store gave something that is no revocation')
    const { poolId, scope, id } = revocation
    const table = this.#tableOf(poolId, scope)
    const before = this.#tally.epoch
    const mayAdd = this.size < this.#maxEntries
    const isThere =
      table.apply(id, revocation, round, nowSeconds, mayAdd) ||
      (this.#makeRoom(nowSeconds) && table.apply(id, revocation, round, nowSeconds, true))
    if (this.#tally.epoch !== before) this.#latest.set(this.#tally.epoch, revocation)
    return isThere
  }

  /** Whether a record is there that was seen neither in that round nor in a later one. */
  isUnseen({ poolId, scope, id }: Revocation, round: number): boolean {
    return this.#pools.get(poolId)?.[REVOCATION_SCOPES.indexOf(scope)]?.isUnseen(id, round) ?? false
  }

  /**
   * The entries that were seen neither in that round nor in a later one, in slices of some thousands at most,
   * some of them empty: between any two, others can have their turn. The table may change meanwhile: what stays
   * unseen all the time comes once; what changes may come or not.
   *
   * @param round the last one, or up to 127 before it: of others, UUIDs seen in them may come too
   */
  unseen(round: number): Generator<RevocationMatch[], void, undefined> {
    return this.#slices(round)
  }

  /** All entries, in slices as those of {@link unseen}. */
  entries(): Generator<RevocationMatch[], void, undefined> {
    return this.#slices()
  }

  /**
   * Forgets what is over, an hour after its expiresAt, in a small part of the table: for each call the next.
   * The memory is given back.
   */
  sweep(nowSeconds: number): void {
    for (let looked = 0; looked < SWEEP_LENGTH && this.#mayForget(nowSeconds); )
      looked += this.#sweepPiece(nowSeconds)
  }

  #search(token: TokenIdentity): RevocationMatch | undefined {
    const tables = this.#pools.get(token.poolId)
    if (tables === undefined) return undefined
    for (const table of tables) {
      const id = idInScope(token, table.scope)
      if (typeof id !== 'string') continue
      const extent = table.find(id, token)
      if (extent !== undefined) return { poolId: token.poolId, scope: table.scope, id, ...extent }
    }
    return undefined
  }

  #tableOf(poolId: string, scope: RevocationScope): ScopeTable {
    if (poolId !== this.#lastPoolId) {
      this.#lastTables = this.#tablesOf(poolId)
      this.#lastPoolId = poolId
    }
    return this.#lastTables[scopeIndex(scope) as number] as ScopeTable
  }

  #tablesOf(poolId: string): readonly ScopeTable[] {
    let tables = this.#pools.get(poolId)
    if (tables === undefined) {
      tables = REVOCATION_SCOPES.map((each) => new ScopeTable(poolId, each, this.#tally))
      this.#pools.set(poolId, tables)
    }
    return tables
  }

  #makeRoom(nowSeconds: number): boolean {
    const full = () => this.size >= this.#maxEntries
    for (let looked = 0; looked < ROOM_LENGTH && full() && this.#mayForget(nowSeconds); )
      looked += this.#sweepPiece(nowSeconds)
    return !full()
  }

  #mayForget(nowSeconds: number): boolean {
    return nowSeconds >= this.#tally.purgeableAt
  }

  /** How much was looked at. */
  #sweepPiece(nowSeconds: number): number {
    const { value: piece } = this.#sweep.next()
    if (piece === undefined) {
      this.#tally.sweptAll()
      this.#sweep = this.#pieces()
      return PASSING_LENGTH
    }
    const { length } = piece
    const isDue = nowSeconds >= piece.purgeableAt
    if (isDue) piece.purge(nowSeconds)
    this.#tally.swept(piece.purgeableAt)
    return isDue ? length : PASSING_LENGTH
  }

  *#pieces(): Generator<TablePiece, undefined, undefined> {
    for (const tables of this.#pools.values()) for (const table of tables) yield* table.pieces()
    return undefined
  }

  *#slices(unseenIn?: number): Generator<RevocationMatch[], void, undefined> {
    for (const tables of this.#pools.values()) {
      for (const table of tables) {
        for (const piece of table.pieces()) yield piece.read(table.poolId, table.scope, unseenIn)
      }
    }
  }
}
