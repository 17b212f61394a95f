import { randomBytes } from 'node:crypto'
import { StoreProtocolError, StoreUnavailableError } from '../../errors.js'
import { notOurs } from './file-errors.js'
import { fieldsOf } from './records.js'
import type { SqliteDatabase } from './sqlite.js'

/** `Crev`: by it a file is known for one of this store. */
const APPLICATION_ID = 0x43726576
/** Of the tables; a file with another is refused. */
const SCHEMA_VERSION = 1

/**
 * - `revocations`: what is in it is revoked. `cutoff` is infinite for none.
 * - `changes`: the feed. Each has the nonce of its transaction, by which a reader knows that what it has read is
 *   what was written, and not of a copy that went another way.
 * - `state`: one row: the nonce before the first change, and how many revocations there are.
 */
const SCHEMA = `
CREATE TABLE revocations (
  pool_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  id TEXT NOT NULL,
  cutoff REAL NOT NULL,
  expires_at REAL NOT NULL,
  PRIMARY KEY (pool_id, scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocations_by_expiry ON revocations (expires_at);
CREATE TABLE changes (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  nonce TEXT NOT NULL,
  pool_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  id TEXT NOT NULL,
  cutoff REAL NOT NULL,
  expires_at REAL NOT NULL,
  audit TEXT
) STRICT;
CREATE TABLE state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  generation TEXT NOT NULL,
  entries INTEGER NOT NULL
) STRICT;
CREATE TRIGGER revocation_added AFTER INSERT ON revocations
  BEGIN UPDATE state SET entries = entries + 1; END;
CREATE TRIGGER revocation_forgotten AFTER DELETE ON revocations
  BEGIN UPDATE state SET entries = entries - 1; END;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Names what is written together, and nothing else ever. */
export function newNonce(): string {
  return randomBytes(12).toString('base64url')
}

/**
 * Makes a connection fit for use, and the tables where the file is new.
 *
 * @throws StoreProtocolError for a file that is not this store's, or a newer one's: nothing is written to it
 * @throws StoreUnavailableError
 */
export function prepareDatabase(database: SqliteDatabase, mayCreate: boolean): void {
  const isNew = assertOurs(database)
  if (isNew && !mayCreate) throw deletedError()
  const mode = pragma(database, 'journal_mode = WAL')
  if (mode !== 'wal') {
    throw new StoreUnavailableError(
      'The revocation file cannot have a write-ahead log here: put it on a disk of this machine',
    )
  }
  // Each commit is on the disk before it is acknowledged; on macOS, where that needs more, too.
  database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA trusted_schema = OFF')
  if (!isNew) return
  database.exec('BEGIN IMMEDIATE')
  // Another process may have been faster.
  if (assertOurs(database)) {
    database.exec(SCHEMA)
    database.prepare('INSERT INTO state VALUES (1, ?, 0)').run(newNonce())
  }
  database.exec('COMMIT')
}

/** For a file that is not there any more, though it was in use. */
export function deletedError(): StoreUnavailableError {
  return new StoreUnavailableError(
    'The revocation file was deleted while it was in use: put a backup in its place; or restart, which makes ' +
      'a new, empty one',
  )
}

/** @returns whether there is nothing in it yet. @throws StoreProtocolError */
function assertOurs(database: SqliteDatabase): boolean {
  const application = pragma(database, 'application_id')
  const version = pragma(database, 'user_version')
  if (application !== APPLICATION_ID) {
    const { tables } = fieldsOf(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get())
    if (application !== 0 || version !== 0 || tables !== 0) throw notOurs()
    return true
  }
  if (version !== SCHEMA_VERSION) {
    throw new StoreProtocolError(
      `The revocation file is of version ${version}, and this is version ${SCHEMA_VERSION}: update ` +
        'cognito-revocation in all processes that share it',
    )
  }
  return false
}

function pragma(database: SqliteDatabase, name: string): unknown {
  const [value] = Object.values(fieldsOf(database.prepare(`PRAGMA ${name}`).get()))
  return value
}
