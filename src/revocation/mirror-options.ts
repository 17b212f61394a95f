import type { Observer } from '../observer.js'
import {
  assertInteger,
  assertNumber,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  optionError,
} from '../options.js'
import { isRevocationStore, type RevocationStore } from './store.js'

/** Options of a `RevocationMirror`. */
export interface RevocationMirrorOptions {
  /**
   * How old the mirror's knowledge may be for a token that it does not know to pass without asking the store,
   * in milliseconds: the bound within which a revocation reaches this process. Default 5,000.
   */
  readonly maxStalenessMs?: number
  /** How many revocations it holds at most, about 45 bytes each. Default 5,000,000. Beyond, the store is asked. */
  readonly maxEntries?: number
  /** Give back to the store what it has lost. Default true; false for readers without the right to write. */
  readonly writeBack?: boolean
  /** How long `ready()` waits at most, in milliseconds. Default 30,000. */
  readonly readyTimeoutMs?: number
  /** Is told of failures of the feed, of losses of the store, and of a lack of room. */
  readonly observer?: Observer
}

/** All options, checked, with their defaults. */
export type CheckedMirrorOptions = Required<Omit<RevocationMirrorOptions, 'observer'>> & {
  readonly observer: Observer | undefined
}

/** @throws TypeError naming the option */
export function checkMirrorOptions(
  store: RevocationStore,
  options: RevocationMirrorOptions,
): CheckedMirrorOptions {
  const owner = 'RevocationMirror'
  if (!isRevocationStore(store) || typeof store.changes !== 'function') {
    throw optionError(owner, 'store', 'a RevocationStore with a change feed (changes)', store)
  }
  if ((store.staleness?.() ?? 0) > 0) {
    throw optionError(owner, 'store', 'asked directly: put a cache over the mirror, not under it', store)
  }
  assertOptions(owner, options, ['maxStalenessMs', 'maxEntries', 'writeBack', 'readyTimeoutMs', 'observer'])
  const {
    maxStalenessMs = 5_000,
    maxEntries = 5_000_000,
    writeBack = true,
    readyTimeoutMs = 30_000,
  } = options
  assertNumber(owner, 'maxStalenessMs', maxStalenessMs, 1, 3_600_000)
  assertInteger(owner, 'maxEntries', maxEntries, 1, 100_000_000)
  assertOptionalBoolean(owner, 'writeBack', writeBack)
  assertNumber(owner, 'readyTimeoutMs', readyTimeoutMs, 1, 3_600_000)
  assertOptionalFunction(owner, 'observer', options.observer)
  return { maxStalenessMs, maxEntries, writeBack, readyTimeoutMs, observer: options.observer }
}
