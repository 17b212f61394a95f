import type { Observer } from '../observer.js'
import {
  assertInteger,
  assertNumber,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  optionError,
} from '../options.js'
import type { MirrorSnapshotPart } from './mirror-snapshot.js'
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
  /**
   * What `snapshot()` of a mirror over the same store gave, for a quick start: an array of its parts, or what makes
   * one after the other. What is in it is refused as soon as it has been taken over, at the first use; "not revoked"
   * waits for the feed all the same, which goes on from there where it can, and else begins with everything.
   *
   * It is trusted as the store is: who can change it, or hand in an older one with a newer end, can bring back what
   * was revoked. Keep it where only those can write who may write to the store.
   *
   * Read and parse it in a generator: the mirror catches what that throws, tells the observer
   * (`mirror_snapshot_refused`) and reads everything. One that gives no part at all is no snapshot.
   *
   * @example
   * import { RevocationMirror } from 'cognito-revocation'
   * function* parts() {
   *   if (existsSync('mirror.json')) yield* JSON.parse(readFileSync('mirror.json', 'utf8'))
   * }
   * const mirror = new RevocationMirror(store, { snapshot: parts() })
   */
  readonly snapshot?: Iterable<MirrorSnapshotPart>
  /** Is told of failures of the feed, of losses of the store, and of a lack of room. */
  readonly observer?: Observer
}

/** All options but the snapshot, checked, with their defaults. */
export type CheckedMirrorOptions = Required<Omit<RevocationMirrorOptions, 'observer' | 'snapshot'>> & {
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
  const known = ['maxStalenessMs', 'maxEntries', 'writeBack', 'readyTimeoutMs', 'snapshot', 'observer']
  assertOptions(owner, options, known)
  const {
    maxStalenessMs = 5_000,
    maxEntries = 5_000_000,
    writeBack = true,
    readyTimeoutMs = 30_000,
    snapshot,
  } = options
  assertNumber(owner, 'maxStalenessMs', maxStalenessMs, 1, 3_600_000)
  assertInteger(owner, 'maxEntries', maxEntries, 1, 100_000_000)
  assertOptionalBoolean(owner, 'writeBack', writeBack)
  assertNumber(owner, 'readyTimeoutMs', readyTimeoutMs, 1, 3_600_000)
  assertOptionalFunction(owner, 'observer', options.observer)
  if (snapshot !== undefined && (typeof snapshot === 'string' || !(Symbol.iterator in Object(snapshot))))
    throw optionError(owner, 'snapshot', 'the parts that snapshot() gave', snapshot)
  return { maxStalenessMs, maxEntries, writeBack, readyTimeoutMs, observer: options.observer }
}
