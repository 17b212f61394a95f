import { StoreUnavailableError } from '../../errors.js'

/** What this store uses of `node:sqlite`. */
export interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase
}

/** A connection. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

/** A prepared statement. Its parameters are written `?`: Node 22 does not bind numbered ones. */
interface SqliteStatement {
  run(...parameters: SqliteValue[]): unknown
  get(...parameters: SqliteValue[]): unknown
  all(...parameters: SqliteValue[]): unknown[]
}

export type SqliteValue = string | number | null

/** A variable, since bundlers must not look for what is optional, and native. */
const PACKAGE = '@photostructure/sqlite'

/** Node's own SQLite, from 22.13 on; undefined where it has none, or not without a flag. */
export function builtInSqlite(): SqliteModule | undefined {
  const found: unknown = process.getBuiltinModule('node:sqlite')
  return isSqlite(found) ? found : undefined
}

/** SQLite of the optional peer dependency. @throws StoreUnavailableError where it is not installed */
export async function installedSqlite(): Promise<SqliteModule> {
  let found: unknown
  let cause: unknown
  try {
    found = await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE)
  } catch (error) {
    cause = error
  }
  if (isSqlite(found)) return found
  throw new StoreUnavailableError(
    `FileRevocationStore needs node:sqlite (Node.js 22.13 or later), or: npm install ${PACKAGE}`,
    { cause },
  )
}

function isSqlite(found: unknown): found is SqliteModule {
  return typeof (found as SqliteModule | null | undefined)?.DatabaseSync === 'function'
}
