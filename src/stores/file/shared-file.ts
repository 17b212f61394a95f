import { closeSync, openSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { elapsedMs, type Moment, takeMoment } from '../../clock.js'
import { NotReadyError, StoreUnavailableError } from '../../errors.js'
import { notify, type Observer } from '../../observer.js'
import { FileMoved, isTransient, storeError } from './file-errors.js'
import { RevocationDatabase } from './revocation-database.js'
import { deletedError, prepareDatabase } from './schema.js'
import { builtInSqlite, installedSqlite, type SqliteDatabase, type SqliteModule } from './sqlite.js'

/** Between two tries while others write, in milliseconds, at most. */
const LONGEST_RETRY_MS = 10

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
  /** Waits between two tries. Default: keeping the process alive, since somebody waits for the outcome. */
  readonly wait?: (ms: number) => Promise<unknown>
}

interface OpenFile {
  readonly connection: SqliteDatabase
  readonly database: RevocationDatabase
  /** Which files they are, by number: a deleted one goes on existing for whoever has it open. */
  readonly identity: string
  checkedAt: number
}

/** The file, opened when it is needed, and again when another is in its place. */
export class SharedFile {
  readonly #options: SharedFileOptions
  #sqlite: SqliteModule | undefined = builtInSqlite()
  #open: OpenFile | undefined
  #hasBeenOpen = false
  #isClosed = false

  constructor(options: SharedFileOptions) {
    this.#options = options
  }

  /** Asks, and again for a while where other processes write. @throws StoreUnavailableError, StoreFullError, StoreProtocolError */
  async ask<T>(
    question: (database: RevocationDatabase) => T,
    { since = takeMoment(), wait = delay }: AskOptions = {},
  ): Promise<T> {
    this.#sqlite ??= await installedSqlite()
    for (;;) {
      try {
        return this.askNow(question)
      } catch (error) {
        const isOver = elapsedMs(since) >= this.#options.busyTimeoutMs
        if (!isTransient(error) || isOver) throw storeError(error)
      }
      // At random: those that wait for each other must not meet again.
      await wait(1 + Math.random() * (LONGEST_RETRY_MS - 1))
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
    const { connection, database } = this.#opened()
    try {
      return question(database)
    } catch (error) {
      // Whatever it has begun must end: with the connection, where more is wrong than that others write.
      if (error instanceof FileMoved) this.#giveUpMoved()
      else if (isTransient(error)) rollBack(connection)
      else this.#drop()
      throw error
    }
  }

  /** Ends the connection. What is written is written. */
  close(): void {
    this.#isClosed = true
    try {
      // The package closes a connection only once its statements are collected. Not into a file of others.
      if (!this.#hasMoved()) this.#open?.database.checkpoint()
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
    const { path } = this.#options
    if (this.#sqlite === undefined) throw new NotReadyError('SQLite is not loaded yet: call ready() first')
    if (this.#hasBeenOpen && identityOf(path) === '') throw deletedError()
    if (!this.#hasBeenOpen) createPrivately(path)
    const connection = new this.#sqlite.DatabaseSync(path)
    try {
      prepareDatabase(connection, !this.#hasBeenOpen)
      const database = new RevocationDatabase(connection)
      // Reads, so that the log is there as well.
      database.head()
      this.#hasBeenOpen = true
      return { connection, database, identity: filesAt(path), checkedAt: performance.now() }
    } catch (error) {
      closeQuietly(connection)
      throw error
    }
  }

  #hasMoved(): boolean {
    return this.#open !== undefined && this.#open.identity !== filesAt(this.#options.path)
  }

  #giveUpMoved(): void {
    this.#drop()
    notify(this.#options.observer, { type: 'file_replaced' })
  }

  #drop(): void {
    if (this.#open !== undefined) closeQuietly(this.#open.connection)
    this.#open = undefined
  }
}

/** The file itself, and its log: what was written last is only there. */
function filesAt(path: string): string {
  return `${identityOf(path)} ${identityOf(`${path}-wal`)}`
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
