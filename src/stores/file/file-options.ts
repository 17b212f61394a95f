import { resolve } from 'node:path'
import type { Observer } from '../../observer.js'
import {
  assertInteger,
  assertOptionalFunction,
  assertOptions,
  assertString,
  optionError,
} from '../../options.js'

/** Options of a `FileRevocationStore`. */
export interface FileRevocationStoreOptions {
  /**
   * Where the file is, or is to be made, with mode 0600; its folder must be there. On a disk of this machine,
   * not on a network file system. SQLite keeps two more beside it, with `-wal` and `-shm` after its name.
   */
  readonly path: string
  /** How often an idle change feed gives a sign of life, in milliseconds. Default 1,000. */
  readonly heartbeatMs?: number
  /**
   * How often a change feed looks for what other processes have added, in milliseconds; and how long a look-up
   * may go on with a file that has been deleted or replaced. Default 50.
   */
  readonly pollIntervalMs?: number
  /** How many revocations the file holds at most, about 300 bytes each. Default 5,000,000. */
  readonly maxEntries?: number
  /** How long to wait for other processes that write, in milliseconds. Default 2,000. */
  readonly busyTimeoutMs?: number
  /** How many changes the feed keeps; a reader further behind reads everything. Default 100,000. */
  readonly feedLength?: number
  /** Is told where the file was deleted or replaced (`file_replaced`). */
  readonly observer?: Observer
}

/** All options, checked, with their defaults. */
export type CheckedFileOptions = Required<Omit<FileRevocationStoreOptions, 'observer'>> & {
  readonly observer: Observer | undefined
}

const OWNER = 'FileRevocationStore'
const KNOWN = [
  ...['path', 'heartbeatMs', 'pollIntervalMs', 'maxEntries', 'busyTimeoutMs', 'feedLength', 'observer'],
]

/** @throws TypeError naming the option */
export function checkFileOptions(options: FileRevocationStoreOptions): CheckedFileOptions {
  assertOptions(OWNER, options, KNOWN)
  const { path, heartbeatMs = 1_000, pollIntervalMs = 50, maxEntries = 5_000_000 } = options
  const { busyTimeoutMs = 2_000, feedLength = 100_000, observer } = options
  assertString(OWNER, 'path', path, 'the path of a file')
  if (path === ':memory:') {
    throw optionError(OWNER, 'path', 'the path of a file; without one, use MemoryRevocationStore')
  }
  if (path.includes('\0') || !path.isWellFormed()) throw optionError(OWNER, 'path', 'the path of a file')
  assertInteger(OWNER, 'heartbeatMs', heartbeatMs, 10, 60_000)
  assertInteger(OWNER, 'pollIntervalMs', pollIntervalMs, 5, 60_000)
  assertInteger(OWNER, 'maxEntries', maxEntries, 1)
  assertInteger(OWNER, 'busyTimeoutMs', busyTimeoutMs, 10, 60_000)
  assertInteger(OWNER, 'feedLength', feedLength, 1, 100_000_000)
  assertOptionalFunction(OWNER, 'observer', observer)
  // Absolute: the working directory may change, and SQLite takes `file:` for a URL.
  return {
    path: resolve(path),
    heartbeatMs,
    pollIntervalMs,
    maxEntries,
    busyTimeoutMs,
    feedLength,
    observer,
  }
}
