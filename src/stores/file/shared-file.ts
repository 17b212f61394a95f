import { closeSync, openSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { elapsedMs, type Moment, takeMoment } from '../../clock.js'
import { NotReadyError, StoreUnavailableError } from '../../errors.js'
import { notify, type Observer } from '../../observer.js'
import { pause } from '../../pause.js'
import { FileMoved, isTransient, leftoverLog, storeError } from './file-errors.js'
import { RevocationDatabase } from './revocation-database.js'
import { deletedError, prepareDatabase } from './schema.js'
import { builtInSqlite, installedSqlite, type SqliteDatabase, type SqliteModule } from './sqlite.js'

/** Between two tries while others write, in milliseconds, at most. */
const LONGEST_RETRY_MS = 10
/**
 * Between two openings where something is wrong, in milliseconds. The package closes a connection only once its
 * statements are collected: a process must not run out of descriptors until then.
 */
const REOPEN_AFTER_MS = 1_000

/** What a {@link SharedFile} needs. */
export interface SharedFileOptions {
  readonly path: string
  readonly busyTimeoutMs: number
  /** For how long it is believed to be still there, in milliseconds. */
  readonly believeForMs: number
  readonly observer: Observer | undefined
}

/** How to ask. */
export interface AskOptions {
  /** From when on the time counts that other processes may keep the file locked. Default now. */
  readonly since?: Moment
  /** Gives it up early. With it, waiting keeps no process alive. */
  readonly signal?: AbortSignal
}

/** Which files they are, by number: a deleted one goes on existing for whoever has it open. Empty for none. */
interface Identities {
  readonly file: string
  /** Of the write-ahead log: what was written last is only there. */
  readonly log: string
}

interface OpenFile {
  readonly connection: SqliteDatabase
  readonly database: RevocationDatabase
  readonly openedAt: number
  checkedAt: number
}

/** A connection that is still to be prepared, since others lock the file. */
interface HalfOpenFile {
  readonly connection: SqliteDatabase
  readonly file: string
}

/** The file, opened when it is needed, and again when another is in its place. */
export class SharedFile {
  readonly #options: SharedFileOptions
  #sqlite: SqliteModule | undefined = builtInSqlite()
  #open: OpenFile | undefined
  #halfOpen: HalfOpenFile | undefined
  /** Why it could not be opened last, and when. */
  #failed: { readonly error: unknown; readonly at: number } | undefined
  /** What was there when it was open last. */
  #known: Identities | undefined
  #hasBeenOpen = false
  #isClosed = false

  constructor(options: SharedFileOptions) {
    this.#options = options
  }

  /** Asks, and again for a while where other processes write. @throws StoreUnavailableError, StoreFullError, StoreProtocolError */
  async ask<T>(
    question: (database: RevocationDatabase) => T,
    { since = takeMoment(), signal }: AskOptions = {},
  ): Promise<T> {
    this.#sqlite ??= await installedSqlite()
    for (;;) {
      try {
        return this.askNow(question)
      } catch (error) {
        const isOver = elapsedMs(since) >= this.#options.busyTimeoutMs || signal?.aborted
        if (!isTransient(error) || isOver) throw storeError(error)
      }
      // At random: those that wait for each other must not meet again.
      const ms = 1 + Math.random() * (LONGEST_RETRY_MS - 1)
      await (signal === undefined ? delay(ms) : pause(ms, signal))
    }
  }

  /** The same, for what must be in the file that is there now: never in one that was deleted or replaced meanwhile. */
  write<T>(question: (database: RevocationDatabase) => T, options?: AskOptions): Promise<T> {
    return this.ask((database) => {
      const answer = question(database)
      if (this.#hasMoved()) throw new FileMoved('The file was deleted or replaced meanwhile')
      return answer
    }, options)
  }

  /** Asks once, at once. What it throws may be transient. */
  askNow<T>(question: (database: RevocationDatabase) => T): T {
    if (this.#isClosed) throw new StoreUnavailableError('The FileRevocationStore was closed')
    const { connection, database, openedAt } = this.#opened()
    try {
      return question(database)
    } catch (error) {
      // Whatever it has begun must end at once: the connection itself may end much later.
      rollBack(connection)
      if (error instanceof FileMoved) this.#giveUpMoved()
      else if (!isTransient(error) && performance.now() - openedAt >= REOPEN_AFTER_MS) this.#drop()
      throw error
    }
  }

  /** Ends the connection. What is written is written. */
  close(): void {
    this.#isClosed = true
    try {
      // The package closes a connection only once its statements are collected. Not into a file of others.
      if (this.#open !== undefined && !this.#hasMoved()) this.#open.database.checkpoint()
    } catch {
      // It is in the log, and safe there.
    }
    this.#drop()
  }

  #opened(): OpenFile {
    const { believeForMs } = this.#options
    if (this.#open !== undefined && performance.now() - this.#open.checkedAt > believeForMs) {
      if (this.#hasMoved()) this.#giveUpMoved()
      else this.#open.checkedAt = performance.now()
    }
    this.#open ??= this.#openFile()
    return this.#open
  }

  #openFile(): OpenFile {
    if (this.#sqlite === undefined) throw new NotReadyError('SQLite is not loaded yet: call ready() first')
    const { path } = this.#options
    const there = identitiesAt(path)
    const { file, log } = this.#known ?? there
    const isLogLeftOver = there.file !== file && there.log === log && log !== ''
    if (!isLogLeftOver) this.#known = there
    if (this.#hasBeenOpen && there.file === '') throw deletedError()
    // SQLite would write the old log over the new file: it cannot tell that they do not belong together.
    if (isLogLeftOver) throw leftoverLog()
    if (this.#failed !== undefined && performance.now() - this.#failed.at < REOPEN_AFTER_MS) {
      throw this.#failed.error
    }
    this.#failed = undefined
    if (!this.#hasBeenOpen) createPrivately(path)
    return this.#prepare(this.#sqlite)
  }

  #prepare({ DatabaseSync }: SqliteModule): OpenFile {
    const { path } = this.#options
    // Before SQLite opens it: if another is there afterwards, nobody can say which one is open.
    const file = this.#halfOpen?.file ?? identitiesAt(path).file
    let connection = this.#halfOpen?.connection
    this.#halfOpen = undefined
    try {
      connection ??= new DatabaseSync(path)
      prepareDatabase(connection, !this.#hasBeenOpen)
      const database = new RevocationDatabase(connection)
      // Reads, so that the log is there as well.
      database.head()
      const known = identitiesAt(path)
      if (known.file !== file) throw new FileMoved('The file was replaced while it was opened')
      this.#known = known
      this.#hasBeenOpen = true
      const openedAt = performance.now()
      return { connection, database, openedAt, checkedAt: openedAt }
    } catch (error) {
      const hasMoved = error instanceof FileMoved
      if (connection !== undefined) rollBack(connection)
      if (connection !== undefined && isTransient(error) && !hasMoved) this.#halfOpen = { connection, file }
      else {
        if (connection !== undefined) closeQuietly(connection)
        if (!hasMoved) this.#failed = { error, at: performance.now() }
      }
      throw error
    }
  }

  #hasMoved(): boolean {
    const { file, log } = identitiesAt(this.#options.path)
    return this.#known?.file !== file || this.#known.log !== log
  }

  #giveUpMoved(): void {
    this.#drop()
    notify(this.#options.observer, { type: 'file_replaced' })
  }

  #drop(): void {
    for (const opened of [this.#open, this.#halfOpen]) if (opened) closeQuietly(opened.connection)
    this.#open = undefined
    this.#halfOpen = undefined
  }
}

function identitiesAt(path: string): Identities {
  return { file: identityOf(path), log: identityOf(`${path}-wal`) }
}

function identityOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.dev}:${found.ino}`
}

/** SQLite gives its other files the mode of the first one. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It is there, or cannot be made: then SQLite says why.
  }
}

function rollBack(connection: SqliteDatabase): void {
  try {
    connection.exec('ROLLBACK')
  } catch {
    // None had begun.
  }
}

function closeQuietly(connection: SqliteDatabase): void {
  try {
    connection.close()
  } catch {
    // It is given up in any case.
  }
}
