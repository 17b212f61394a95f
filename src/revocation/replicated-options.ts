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

const MOST_STORES = 8

/** Options of a `ReplicatedRevocationStore`. */
export interface ReplicatedRevocationStoreOptions {
  /**
   * How many of the N stores must have recorded a revocation before `add` resolves. "Not revoked" then needs
   * the answers of N − writeQuorum + 1. Default the majority: 2 of 2, 2 of 3, 3 of 4, 3 of 5.
   *
   * - 2 of 2: verifying goes on with either store alone; revoking fails while one is down.
   * - 1 of 2: revoking goes on with either store alone; tokens that are not known to be revoked need both.
   * - 2 of 3: both go on with any two.
   */
  readonly writeQuorum?: number
  /**
   * How long each store may take to answer, in milliseconds. Default 2,000. The same in all processes: a store that
   * has lost data is refilled once no `add` can be under way any more that was sent before.
   */
  readonly timeoutMs?: number
  /**
   * Give back to a store what it has lost. Default true. False for processes without the right to write: they wait
   * until it holds again all that the others hold, which another process has to see to.
   */
  readonly writeBack?: boolean
  /** Is told when a single store fails, loses data, or has been refilled; `replica` is its number, from 1. */
  readonly observer?: Observer
}

/** All options, checked, with their defaults. */
export interface CheckedReplicatedOptions {
  readonly writeQuorum: number
  readonly timeoutMs: number
  readonly writeBack: boolean
  readonly observer: Observer | undefined
}

/** @throws TypeError naming the option */
export function checkReplicatedOptions(
  stores: readonly RevocationStore[],
  options: ReplicatedRevocationStoreOptions,
): CheckedReplicatedOptions {
  const owner = 'ReplicatedRevocationStore'
  const expected = `an array of 2 to ${MOST_STORES} RevocationStores, none of them twice`
  if (!Array.isArray(stores) || stores.length < 2 || stores.length > MOST_STORES) {
    throw optionError(owner, 'stores', expected)
  }
  if (!stores.every(isRevocationStore) || new Set(stores).size < stores.length) {
    throw optionError(owner, 'stores', expected)
  }
  if (stores.some((store) => (store.staleness?.() ?? 0) > 0)) {
    throw optionError(owner, 'stores', 'asked directly: put a mirror or a cache over it, not under it')
  }
  assertOptions(owner, options, ['writeQuorum', 'timeoutMs', 'writeBack', 'observer'])
  const { writeQuorum = Math.floor(stores.length / 2) + 1, timeoutMs = 2_000 } = options
  const { writeBack = true, observer } = options
  assertInteger(owner, 'writeQuorum', writeQuorum, 1, stores.length)
  assertNumber(owner, 'timeoutMs', timeoutMs, 1, 3_600_000)
  assertOptionalBoolean(owner, 'writeBack', writeBack)
  assertOptionalFunction(owner, 'observer', observer)
  return { writeQuorum, timeoutMs, writeBack, observer }
}
