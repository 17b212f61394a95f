import { StoreProtocolError } from '../errors.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import { REVOCATION_SCOPES, type Revocation, type RevocationMatch } from './revocation.js'

/** A part of a store's change feed. */
export interface ChangeBatch {
  /** What was revoked, merged or as it was announced; empty in a heartbeat. */
  readonly revocations: readonly Revocation[]
  /** Where to go on from, after this batch. Opaque. */
  readonly cursor: string
  /** Whether all that the store held when the batch was asked for has been delivered. */
  readonly caughtUp: boolean
  /**
   * How old, at most, the batch's knowledge is, in milliseconds: counted from when it was asked for. A getter
   * that goes on counting is best: a process can be stopped between any two steps.
   */
  readonly ageMs: number
  /**
   * True in the first batch of a reading that begins with everything: from it up to the next batch that is
   * `caughtUp`, all that the store holds is delivered, so that what is not, the store does not hold.
   */
  readonly restarted?: boolean
  /**
   * The user pools that this reading tells of, where it does not tell of all: of tokens of any other, nothing is
   * known by it, however fresh it is. Other pools than before come with `restarted` only.
   */
  readonly pools?: readonly string[]
  /**
   * True where one reading can deliver what another, begun later, does not deliver before it is `caughtUp`, since
   * it is not acknowledged yet: several stores as one. Then nobody may go over from one reading to another.
   */
  readonly isolated?: boolean
}

/** How to read a change feed. */
export interface ChangesOptions {
  /** The cursor of the last batch seen. Without it, or where it can't be served without a gap, the feed begins with everything. */
  readonly after?: string
  /** Ends the feed, without an error. */
  readonly signal: AbortSignal
}

/** Is told of a revocation that has become known. Must be quick, and must not throw. */
export type RevocationListener = (revocation: Revocation) => void

/**
 * Remembers revocations. Write your own against the conformance suite in `cognito-revocation/testing`.
 *
 * Whatever goes wrong, a store says so by an error: an answer that is not in its protocol means
 * "unknown", never "not revoked".
 */
export interface RevocationStore {
  /** Resolves when durable. All or nothing is not promised; repeating is safe, merges, and announces again. */
  add(revocations: readonly Revocation[]): Promise<void>
  /** A record that revokes the token, or undefined if there is none. Rejects when it cannot know. */
  find(token: TokenIdentity): Promise<RevocationMatch | undefined>
  /** The same, where everything is in memory. Throws {@link NotReadyError} when only `find` could answer. */
  findSync?(token: TokenIdentity): RevocationMatch | undefined
  /** The change feed: everything it holds (unless `after` allows less), then what is added from then on. */
  changes?(options: ChangesOptions): AsyncIterable<ChangeBatch>
  /** How old, at most, what `findSync` knows is, in milliseconds. 0 where this is the source itself. */
  staleness?(): number
  /**
   * Where it follows a feed itself, whenever `findSync` answers: calls the listener with every revocation that
   * comes in from now on, so that nobody needs to read the feed a second time. Gives what ends it.
   */
  subscribe?(listener: RevocationListener): () => void
  /** Resolves when `findSync` can answer; rejects where that takes too long. */
  ready?(): Promise<void>
  close?(): Promise<void>
}

/**
 * Checks what a store's look-up gave: a match or undefined, and nothing else.
 *
 * @throws StoreProtocolError
 */
export function assertFound(found: unknown): asserts found is RevocationMatch | undefined {
  if (found === undefined) return
  const scope = (found as RevocationMatch | null)?.scope
  if (typeof found !== 'object' || scope === undefined || !REVOCATION_SCOPES.includes(scope)) {
    throw new StoreProtocolError('The store answered with neither a revocation nor undefined')
  }
}

/**
 * Whether a value is a {@link RevocationStore}, as far as can be seen.
 */
export function isRevocationStore(value: unknown): value is RevocationStore {
  const store = value as RevocationStore | null | undefined
  return typeof store?.add === 'function' && typeof store.find === 'function'
}
