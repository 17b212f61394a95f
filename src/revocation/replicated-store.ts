import { elapsedMs, type Moment, systemClock, takeMoment } from '../clock.js'
import { NotReadyError, StoreFullError, StoreUnavailableError } from '../errors.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import { checkReplicatedOptions, type ReplicatedRevocationStoreOptions } from './replicated-options.js'
import { readMergedFeed } from './replication/merged-feed.js'
import { askQuorum } from './replication/quorum.js'
import { isRefusal } from './replication/refusal.js'
import type { Replica } from './replication/replica.js'
import { ReplicaSet } from './replication/replica-set.js'
import { assertRevocation, copyOf, type Revocation, type RevocationMatch } from './revocation.js'
import { assertFound, type ChangeBatch, type ChangesOptions, type RevocationStore } from './store.js'

const READY_TIMEOUT_MS = 30_000

export type { ReplicatedRevocationStoreOptions } from './replicated-options.js'

/**
 * Keeps every revocation in several stores, Redis and DynamoDB for instance, and survives the loss of one.
 *
 * - `add` resolves when `writeQuorum` of the N stores have recorded it. The others are tried again.
 * - `find` asks all. A hit of any decides; "not revoked" needs N − writeQuorum + 1 answers, so that one of them is
 *   of a store that has recorded it.
 * - The change feed, for a mirror, is caught up when as many feeds are, and as old as the oldest of these. Whoever
 *   reads it notices when a store has lost data, does not believe its "not revoked", and refills it from the others.
 *
 * Put a mirror or a cache over it, not under it. The stores stay yours to close.
 *
 * @example
 * import { ReplicatedRevocationStore, RevocationMirror } from 'cognito-revocation'
 * import { RedisRevocationStore } from 'cognito-revocation/redis'
 * const stores = [redisA, redisB, redisC].map((client) => new RedisRevocationStore({ client }))
 * const mirror = new RevocationMirror(new ReplicatedRevocationStore(stores, { writeQuorum: 2 }))
 */
export class ReplicatedRevocationStore implements RevocationStore {
  /** The change feed of all stores; absent where one of them has none. It goes on while some fail. */
  readonly changes?: (options: ChangesOptions) => AsyncGenerator<ChangeBatch, void, undefined>
  /**
   * The answer out of memory; absent where too few of the stores have one.
   *
   * @throws NotReadyError where too few of them can answer
   */
  readonly findSync?: (token: TokenIdentity) => RevocationMatch | undefined
  readonly #set: ReplicaSet
  readonly #writeQuorum: number
  readonly #closing = new AbortController()

  /** @throws TypeError naming the option */
  constructor(stores: readonly RevocationStore[], options: ReplicatedRevocationStoreOptions = {}) {
    const { writeQuorum, ...checked } = checkReplicatedOptions(stores, options)
    const shared = { ...checked, closing: this.#closing.signal }
    this.#writeQuorum = writeQuorum
    this.#set = new ReplicaSet(stores, writeQuorum, shared)
    if (stores.every((store) => typeof store.changes === 'function')) {
      this.changes = (changesOptions) => readMergedFeed(this.#set, changesOptions)
    }
    if (stores.filter((store) => store.findSync !== undefined).length >= this.#set.readQuorum) {
      this.findSync = (token) => this.#findSync(token)
    }
  }

  /**
   * Adds to all stores; resolves when `writeQuorum` of them have recorded it. Those that have not, then or after
   * `timeoutMs`, are tried again in the background, up to 10,000 records each, until `close`.
   *
   * @throws TypeError if a record is invalid, CutoffInFutureError: then nothing is recorded; of the stores' own, where
   *   all of them refuse it
   * @throws StoreUnavailableError, StoreFullError: too few have recorded it, others may have. Add again
   */
  async add(revocations: readonly Revocation[]): Promise<void> {
    const nowSeconds = systemClock() / 1000
    for (const revocation of revocations) assertRevocation(revocation, nowSeconds)
    // The caller may use his own ones again, and a store those that it is given.
    const added = revocations.map(copyOf)
    const { replicas, options } = this.#set
    const askedAt = takeMoment()
    try {
      await askQuorum<void, never>({
        replicas,
        needed: this.#writeQuorum,
        timeoutMs: options.timeoutMs,
        // Whether all refuse it, or one only, is for the caller to know.
        isPatient: (errors) => errors.every(isRefusal),
        ask: ({ store }) => store.add(added.map(copyOf)),
        // A refill that waits for this call waits no longer than that; and timers stand still with the process.
        judge: () => assertInTime(askedAt, options.timeoutMs),
        failed: (replica, error) => replica.lateWrites.add(added, error),
      })
    } catch (cause) {
      throw (
        tellingError(cause, replicas.length) ??
        this.#unavailable(this.#writeQuorum, 'have recorded it', cause)
      )
    }
  }

  /** @throws StoreUnavailableError where too few stores answer */
  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    const { replicas, readQuorum, options } = this.#set
    const askedAt = takeMoment()
    try {
      return await askQuorum<RevocationMatch | undefined, RevocationMatch>({
        replicas,
        needed: readQuorum,
        timeoutMs: options.timeoutMs,
        // A hit of any decides.
        isPatient: () => true,
        ask: ({ store }) => store.find(token),
        judge: (found, replica) => {
          assertFound(found)
          if (found === undefined) {
            replica.assertBelievableSince(askedAt.monotonic)
            assertInTime(askedAt, 2 * options.timeoutMs)
          }
          replica.answered()
          return found
        },
        confirm: (replica) => replica.assertBelievableSince(askedAt.monotonic),
        failed: (replica, error) => replica.answered(error),
      })
    } catch (cause) {
      throw this.#unavailable(readQuorum, 'have said whether it is revoked', cause)
    }
  }

  /** How old, at most, what `findSync` knows is, in milliseconds. */
  staleness(): number {
    const inMemory = this.#set.replicas.filter(({ store }) => store.findSync !== undefined)
    const ages = inMemory.map(({ store }) => store.staleness?.() ?? 0).sort((a, b) => a - b)
    return ages[this.#set.readQuorum - 1] ?? 0
  }

  /** Resolves when as many stores are ready as are needed to answer. @throws StoreUnavailableError if that takes over 30 s */
  async ready(): Promise<void> {
    const { replicas, readQuorum } = this.#set
    try {
      await askQuorum<void, never>({
        replicas,
        needed: readQuorum,
        timeoutMs: READY_TIMEOUT_MS,
        isPatient: () => false,
        ask: async ({ store }) => store.ready?.(),
        judge: () => undefined,
        failed: () => {},
      })
    } catch (cause) {
      throw this.#unavailable(readQuorum, 'are ready', cause)
    }
  }

  /** Ends the feeds, refilling, and what is tried again in the background. The stores stay open. */
  async close(): Promise<void> {
    this.#closing.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #findSync(token: TokenIdentity): RevocationMatch | undefined {
    const { replicas, readQuorum } = this.#set
    let answers = 0
    for (const replica of replicas) {
      const answer = recall(replica, token)
      if (answer?.match !== undefined) return answer.match
      if (answer !== undefined) answers += 1
    }
    if (answers >= readQuorum) return undefined
    throw new NotReadyError(`${answers} of ${readQuorum} stores can answer from memory: use verify()`)
  }

  #unavailable(needed: number, what: string, cause: unknown): StoreUnavailableError {
    const { length } = this.#set.replicas
    return new StoreUnavailableError(`Fewer than ${needed} of ${length} stores ${what}; see cause.errors`, {
      cause,
    })
  }
}

/** What a store says out of memory; undefined where it cannot, or is not to be believed. */
function recall(
  replica: Replica,
  token: TokenIdentity,
): { readonly match: RevocationMatch | undefined } | undefined {
  try {
    if (replica.store.findSync === undefined) return undefined
    const match = replica.store.findSync(token)
    assertFound(match)
    if (match === undefined) replica.assertBelievable()
    return { match }
  } catch {
    return undefined
  }
}

/** @throws Error after so long, also where no timer says so: they stand still with the process */
function assertInTime(askedAt: Moment, timeoutMs: number): undefined {
  if (elapsedMs(askedAt) > timeoutMs) throw new Error('It answered too late')
}

/** Of what the stores have failed with, what the caller can do something about. */
function tellingError(cause: unknown, stores: number): unknown {
  if (!(cause instanceof AggregateError)) return undefined
  const { errors }: { errors: readonly unknown[] } = cause
  if (errors.length === stores && errors.every(isRefusal)) return errors[0]
  return errors.find((error) => error instanceof StoreFullError)
}
