import type { Observer } from '../observer.js'
import { assertInteger, assertOptionalFunction, assertOptions, optionError } from '../options.js'
import { isRevocationStore, type RevocationStore } from '../revocation/store.js'
import { MAX_PART } from '../stores/http/wire.js'
import type { ApiKeyOptions } from './api-keys.js'

/** Options of a `RevocationService`. */
export interface RevocationServiceOptions {
  /** What it serves: any RevocationStore. Stays yours to close. With a mirror, look-ups are answered from memory. */
  readonly store: RevocationStore
  /** Who may do what. Nobody else may do anything. Several, for rotation: see `replaceKeys`. */
  readonly keys: readonly ApiKeyOptions[]
  /** Is told of every refused request, and of streams that it ended. Never of a key or a body. */
  readonly observer?: Observer
  /** Bytes of a request's body, at least what `HttpRevocationStore` may send. Default and least 1,048,576. */
  readonly maxBodyBytes?: number
  /** How many records or tokens one request may have: 500, which `HttpRevocationStore` sends, to 2,500. Default 1,000. */
  readonly maxBatch?: number
  /**
   * How many requests are worked on at once, 4 or more; what is over is refused with 503. Look-ups are three
   * quarters of them at most, those of one key half: what is added finds room. Default 256.
   */
  readonly maxRequests?: number
  /** How many streams of changes are open at once, half of them of one key; more are refused with 503. Default 2,000. */
  readonly maxStreams?: number
  /** How many records wait for a slow reader of a stream before it is ended, and he has to come back. Default 10,000. */
  readonly maxQueuedRecords?: number
  /** How long a body may take to arrive, in milliseconds. Default 10,000. */
  readonly bodyTimeoutMs?: number
  /** How long the store may take for a request, in milliseconds. Default 5,000. */
  readonly storeTimeoutMs?: number
  /** How long the store's change feed may be silent; longer than its heartbeat, in milliseconds. Default 10,000. */
  readonly feedSilenceMs?: number
  /** How long a stream whose reader does not read stays open, in milliseconds. Default 10,000. */
  readonly stalledStreamMs?: number
  /** After how long a stream is ended, for its reader to come back, in milliseconds. Default 600,000. */
  readonly maxStreamMs?: number
}

/** All options, checked, with their defaults. */
export type CheckedServiceOptions = Required<Omit<RevocationServiceOptions, 'keys' | 'observer'>> & {
  readonly observer: Observer | undefined
}

/** Tokens that are looked up at once, half of them for one key: a store's own bound of waiting calls is not used up. */
export const MAX_TOKENS_UNDER_WAY = 5_000

const OWNER = 'RevocationService'
/** Default, least and largest value of each limit. */
const LIMITS = {
  maxBodyBytes: [1_048_576, 1_048_576, 67_108_864],
  maxBatch: [1_000, MAX_PART.records, MAX_TOKENS_UNDER_WAY / 2],
  maxRequests: [256, 4, 100_000],
  maxStreams: [2_000, 2, 100_000],
  maxQueuedRecords: [10_000, 1, 10_000_000],
  bodyTimeoutMs: [10_000, 10, 600_000],
  storeTimeoutMs: [5_000, 10, 600_000],
  feedSilenceMs: [10_000, 10, 7_200_000],
  stalledStreamMs: [10_000, 10, 600_000],
  // Ages are counted from a stream's beginning, by two clocks: they must not drift too far apart.
  maxStreamMs: [600_000, 100, 3_600_000],
} as const satisfies Record<string, readonly [number, number, number]>
type Limit = keyof typeof LIMITS

/** @throws TypeError naming the option */
export function checkServiceOptions(options: RevocationServiceOptions): CheckedServiceOptions {
  const names = Object.keys(LIMITS) as Limit[]
  assertOptions(OWNER, options, ['store', 'keys', 'observer', ...names])
  const { store, observer } = options
  if (!isRevocationStore(store)) throw optionError(OWNER, 'store', 'a RevocationStore', store)
  assertOptionalFunction(OWNER, 'observer', observer)
  const limits = names.map((name) => {
    const [standard, min, max] = LIMITS[name]
    const value = options[name] ?? standard
    assertInteger(OWNER, name, value, min, max)
    return [name, value]
  })
  return { ...(Object.fromEntries(limits) as Record<Limit, number>), store, observer }
}
