import {
  CognitoRevocationError,
  StoreFullError,
  StoreProtocolError,
  StoreUnavailableError,
} from '../../errors.js'

// Primary result codes, https://sqlite.org/rescode.html
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

/** The file was deleted or replaced while something was written: it is to be done again, with what is there now. */
export class FileMoved extends Error {}

/** Whether it may go well a little later. */
export function isTransient(error: unknown): boolean {
  const code = primaryCode(error)
  return code === BUSY || code === LOCKED || error instanceof FileMoved
}

/** An error of this library for whatever SQLite or the file system threw. */
export function storeError(error: unknown): CognitoRevocationError {
  if (error instanceof CognitoRevocationError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  switch (primaryCode(error)) {
    case BUSY:
    case LOCKED:
      return new StoreUnavailableError('Other processes kept the revocation file locked for too long', {
        cause,
      })
    case READONLY:
      return new StoreUnavailableError('The revocation file, or its folder, may not be written to', { cause })
    case CANTOPEN:
      return new StoreUnavailableError(
        'The revocation file could not be opened: is its folder there, and may it be written to?',
        { cause },
      )
    case FULL:
      return new StoreFullError('The disk of the revocation file is full', { cause })
    case NOTADB:
      return notOurs(cause)
    case CORRUPT:
      return new StoreProtocolError(
        'The revocation file is damaged: put a backup in its place, or revoke again what was revoked',
        { cause },
      )
    default:
      return new StoreUnavailableError(`The revocation file could not be asked: ${cause.message}`, { cause })
  }
}

/** For a file that something else has written. It is left as it is. */
export function notOurs(cause?: Error): StoreProtocolError {
  return new StoreProtocolError(
    'The file at "path" was not made by FileRevocationStore: give it a path of its own',
    cause && { cause },
  )
}

/** For a file that was put in place while the log of the one before was left beside it. */
export function leftoverLog(): StoreProtocolError {
  return new StoreProtocolError(
    'Another revocation file was put in place beside the write-ahead log of the one before: stop all processes ' +
      'that use it, remove what has -wal and -shm after its name, and put the backup in place once more',
  )
}

/** For rows that are not in the protocol of this store. */
export function unexpected(cause?: unknown): StoreProtocolError {
  return new StoreProtocolError('The revocation file holds something that this store did not write', {
    cause,
  })
}

function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null | undefined)?.errcode
  // The low byte; the rest says more of it.
  return typeof code === 'number' ? code & 0xff : undefined
}
