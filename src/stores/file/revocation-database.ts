import { StoreFullError } from '../../errors.js'
import { REVOCATION_SCOPES, type Revocation, type RevocationMatch } from '../../revocation/revocation.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { unexpected } from './file-errors.js'
import { type EncodedRecord, fieldsOf, lookUpParameters, matchIn, readRecord } from './records.js'
import { newNonce } from './schema.js'
import type { SqliteDatabase } from './sqlite.js'

/** How many records a reading takes at a time, and a transaction writes at most. Each holds up the event loop. */
export const PAGE_SIZE = 1_000

/** A place in the feed: after this change. */
export interface Position {
  readonly sequence: number
  readonly nonce: string
}

/** A part of what there is. */
export interface Page<Next> {
  readonly revocations: readonly Revocation[]
  /** Where the next one begins. */
  readonly next: Next
  readonly isLast: boolean
}

/** The key of a record, as it is written. */
export type RecordKey = readonly [poolId: string, scope: string, id: string]
export const BEFORE_ALL: RecordKey = ['', '', '']

/** Bounds for a transaction. */
export interface WriteLimits {
  readonly maxEntries: number
  readonly feedLength: number
  /** What expired before is forgotten, in epoch seconds. */
  readonly forgetBefore: number
}

/** For each scope the extent of the one record there may be. */
export const FIND = REVOCATION_SCOPES.map(
  (scope) =>
    `SELECT scope, cutoff, expires_at FROM revocations WHERE pool_id = ? AND scope = '${scope}' AND id = ?`,
).join(' UNION ALL ')

/** The statements, on a connection that is open. */
export class RevocationDatabase {
  readonly #database: SqliteDatabase
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(database: SqliteDatabase) {
    this.#database = database
    this.#statements = prepareStatements(database)
  }

  find(token: TokenIdentity): RevocationMatch | undefined {
    return matchIn(this.#statements.find.all(...lookUpParameters(token)), token)
  }

  /**
   * Adds what the calls give, in one transaction. A call that there is no room for is left out as a whole.
   *
   * @returns for each call, why it was left out; undefined where it was not
   */
  add(
    calls: readonly (readonly EncodedRecord[])[],
    { maxEntries, feedLength, forgetBefore }: WriteLimits,
  ): (StoreFullError | undefined)[] {
    const nonce = newNonce()
    this.#database.exec('BEGIN IMMEDIATE')
    this.#statements.forget.run(forgetBefore, PAGE_SIZE)
    const outcomes = calls.map((records) => this.#addCall(records, nonce, maxEntries))
    this.#statements.trim.run(feedLength)
    this.#database.exec('COMMIT')
    return outcomes
  }

  /** Where a reader is who has read all. */
  head(): Position {
    return readPosition(this.#statements.head.get())
  }

  /** What there is, in order of the keys. */
  revocationsAfter(key: RecordKey): Page<RecordKey> {
    const rows = this.#statements.scan.all(...key, PAGE_SIZE)
    const last = rows.at(-1)
    return {
      revocations: rows.map(readRecord),
      next: last === undefined ? key : readKey(last),
      isLast: rows.length < PAGE_SIZE,
    }
  }

  /** What was added after a position; undefined where that cannot be said without a gap. */
  changesAfter({ sequence, nonce }: Position): Page<Position> | undefined {
    // The head first: what is added meanwhile is left for the next page.
    const head = this.head()
    const written = this.#statements.nonceAt.get(sequence, sequence)
    if (written === undefined || fieldsOf(written).nonce !== nonce) return undefined
    const rows = this.#statements.changes.all(sequence, PAGE_SIZE)
    let next: Position = { sequence, nonce }
    for (const row of rows) {
      const position = readPosition(row)
      // Trimmed in between.
      if (position.sequence !== next.sequence + 1) return undefined
      next = position
    }
    if (rows.length === 0 && sequence !== head.sequence) return undefined
    return { revocations: rows.map(readRecord), next, isLast: next.sequence >= head.sequence }
  }

  /** Brings all of the log into the file itself, as far as others are not just reading. */
  checkpoint(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  #addCall(records: readonly EncodedRecord[], nonce: string, maxEntries: number): StoreFullError | undefined {
    const { merge, announce } = this.#statements
    const before = this.#entries()
    this.#database.exec('SAVEPOINT call')
    for (const { parameters, audit } of records) {
      merge.run(...parameters)
      announce.run(nonce, ...parameters, audit)
    }
    const entries = this.#entries()
    const isFull = entries > maxEntries && entries > before
    if (isFull) this.#database.exec('ROLLBACK TO call')
    this.#database.exec('RELEASE call')
    if (!isFull) return undefined
    return new StoreFullError(
      `FileRevocationStore is full: ${before} of ${maxEntries} entries, all still needed. Raise maxEntries.`,
    )
  }

  #entries(): number {
    const { entries } = fieldsOf(this.#statements.entries.get())
    if (typeof entries !== 'number') throw unexpected()
    return entries
  }
}

function prepareStatements(database: SqliteDatabase) {
  const extent = 'pool_id, scope, id, cutoff, expires_at'
  return {
    find: database.prepare(FIND),
    merge: database.prepare(
      `INSERT INTO revocations (${extent}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       cutoff = max(cutoff, excluded.cutoff), expires_at = max(expires_at, excluded.expires_at)`,
    ),
    announce: database.prepare(`INSERT INTO changes (nonce, ${extent}, audit) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    entries: database.prepare('SELECT entries FROM state'),
    forget: database.prepare(
      `DELETE FROM revocations WHERE (pool_id, scope, id) IN
       (SELECT pool_id, scope, id FROM revocations WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    ),
    trim: database.prepare('DELETE FROM changes WHERE sequence <= (SELECT max(sequence) FROM changes) - ?'),
    head: database.prepare(
      `SELECT sequence, nonce FROM (SELECT sequence, nonce FROM changes ORDER BY sequence DESC LIMIT 1)
       UNION ALL SELECT 0, generation FROM state LIMIT 1`,
    ),
    nonceAt: database.prepare(
      'SELECT nonce FROM changes WHERE sequence = ? UNION ALL SELECT generation FROM state WHERE ? = 0',
    ),
    changes: database.prepare(
      `SELECT sequence, nonce, ${extent}, audit FROM changes WHERE sequence > ? ORDER BY sequence LIMIT ?`,
    ),
    scan: database.prepare(
      `SELECT ${extent} FROM revocations WHERE (pool_id, scope, id) > (?, ?, ?)
       ORDER BY pool_id, scope, id LIMIT ?`,
    ),
  }
}

function readPosition(row: unknown): Position {
  const { sequence, nonce } = fieldsOf(row)
  if (typeof sequence !== 'number' || typeof nonce !== 'string') throw unexpected()
  return { sequence, nonce }
}

function readKey(row: unknown): RecordKey {
  const { pool_id: poolId, scope, id } = fieldsOf(row)
  if (typeof poolId !== 'string' || typeof scope !== 'string' || typeof id !== 'string') throw unexpected()
  return [poolId, scope, id]
}
