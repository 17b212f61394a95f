import { elapsedMs, steadyClock, takeMoment } from '../clock.js'
import { NotReadyError, RevocationUnavailableError } from '../errors.js'
import { notify } from '../observer.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import { FeedReader } from './feed-reader.js'
import { MirrorKnowledge } from './mirror-knowledge.js'
import {
  type CheckedMirrorOptions,
  checkMirrorOptions,
  type RevocationMirrorOptions,
} from './mirror-options.js'
import { type MirrorSnapshotPart, readSnapshot, writeSnapshot } from './mirror-snapshot.js'
import type { Revocation, RevocationMatch } from './revocation.js'
import { inSlices } from './slices.js'
import {
  assertFound,
  type ChangeBatch,
  type ChangesOptions,
  type RevocationListener,
  type RevocationStore,
} from './store.js'
import { RevocationTable } from './table/revocation-table.js'
import { Waiting } from './waiting.js'
import { WriteBack } from './write-back.js'

// Both are over well within maxStalenessMs: what the store has lost is back by then.
const LONGEST_RETRY_MS = 1_000
const LONGEST_JITTER_MS = 500

/**
 * Keeps everything that a store holds in this process's memory, fed by the store's change feed, so that a
 * look-up is no network round trip.
 *
 * - What it knows to be revoked is refused, however old that knowledge is.
 * - What it does not know passes only while it is fresh: caught up with the feed at most `maxStalenessMs` ago,
 *   and with room for all. Else the store is asked, and where that fails, so does the look-up.
 * - Entries leave by time only. What the store has lost, it gets back from its mirrors.
 *
 * The feed starts on first use and never keeps the process alive.
 *
 * @example
 * import { RevocationMirror, TokenVerifier } from 'cognito-revocation'
 * import { RedisRevocationStore } from 'cognito-revocation/redis'
 * const mirror = new RevocationMirror(new RedisRevocationStore({ client: redis }))
 * const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation: mirror })
 * await verifier.ready()
 */
export class RevocationMirror implements RevocationStore {
  readonly #store: RevocationStore
  readonly #table: RevocationTable
  readonly #feed: FeedReader
  readonly #writeBack: WriteBack
  readonly #options: CheckedMirrorOptions
  /** Until it is taken over: it may be large. */
  #snapshot: Iterable<MirrorSnapshotPart> | undefined
  /** Slower to believe in a later time than any clock that is set: too early only keeps entries longer. */
  readonly #purgeClock = steadyClock()
  readonly #knowledge: MirrorKnowledge
  #closed = false
  /** For the feed to have caught up next, or for the end. */
  readonly #waiting = new Waiting()
  readonly #listeners = new Set<RevocationListener>()

  /** @throws TypeError naming the option; where the store has no change feed */
  constructor(store: RevocationStore, options: RevocationMirrorOptions = {}) {
    const checked = checkMirrorOptions(store, options)
    const { maxStalenessMs, observer } = checked
    this.#options = checked
    this.#snapshot = options.snapshot
    this.#store = store
    this.#table = new RevocationTable(checked)
    this.#knowledge = new MirrorKnowledge(checked)
    this.#feed = new FeedReader({
      open: (changesOptions) => this.changes(changesOptions),
      apply: (batch, restarted) => this.#apply(batch, restarted),
      findAfter: options.snapshot && (() => this.#restore()),
      silenceMs: Math.max(2 * maxStalenessMs, 10_000),
      longestRetryMs: Math.min(LONGEST_RETRY_MS, maxStalenessMs / 4),
      failed: (error, retryAfterMs) => notify(observer, { type: 'feed_failed', error, retryAfterMs }),
    })
    this.#writeBack = new WriteBack({
      store,
      table: this.#table,
      write: checked.writeBack,
      covers: (poolId) => this.#knowledge.covers(poolId),
      jitterMs: Math.min(LONGEST_JITTER_MS, maxStalenessMs / 5),
      longestRetryMs: maxStalenessMs,
      observer,
    })
  }

  /** How many revocations it holds. */
  get size(): number {
    return this.#table.size
  }

  /** Adds to the store, then shows here at once. @throws what the store throws */
  async add(revocations: readonly Revocation[]): Promise<void> {
    this.#start()
    // Should the store lose it while this call is under way, the reading that follows must miss it.
    const { round } = this.#knowledge
    // The caller may use his own ones again.
    const added = revocations.map((revocation) => ({ ...revocation }))
    await this.#store.add(added)
    for (const revocation of added) this.#enter(revocation, round)
  }

  /** @throws RevocationUnavailableError where neither this mirror nor the store can know */
  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    this.#start()
    const match = this.#table.find(token)
    if (match !== undefined || this.#knowledge.isFresh(token.poolId)) return match
    const { round } = this.#knowledge
    const askedAt = takeMoment()
    try {
      const found = await this.#store.find(token)
      assertFound(found)
      if (found !== undefined) this.#enter(found, round)
      // What has come in meanwhile, this answer may be too old to know.
      const known = found ?? this.#table.find(token)
      if (known === undefined && elapsedMs(askedAt) > this.#options.maxStalenessMs) {
        throw new Error(
          `It answered after more than ${this.#options.maxStalenessMs} ms: too late to be believed`,
        )
      }
      return known
    } catch (cause) {
      throw new RevocationUnavailableError(
        `The mirror's knowledge is ${this.#knowledge.inWords(token.poolId)}, and the store could not be asked`,
        { cause },
      )
    }
  }

  /** @throws NotReadyError where the store would have to be asked */
  findSync(token: TokenIdentity): RevocationMatch | undefined {
    this.#start()
    const match = this.#table.find(token)
    if (match !== undefined || this.#knowledge.isFresh(token.poolId)) return match
    throw new NotReadyError(
      `The mirror's knowledge is ${this.#knowledge.inWords(token.poolId)}: use verify(), which asks the store`,
    )
  }

  /** How old, at most, the mirror's knowledge is, in milliseconds. Infinity before it has caught up. */
  staleness(): number {
    return this.#knowledge.staleness()
  }

  /** Resolves when the mirror is fresh. @throws RevocationUnavailableError if that takes over readyTimeoutMs */
  async ready(): Promise<void> {
    this.#start()
    if (this.#knowledge.isFresh()) return
    if (!this.#closed) await this.#waiting.forAtMost(this.#options.readyTimeoutMs)
    if (this.#knowledge.isFresh()) return
    throw new RevocationUnavailableError(
      `The mirror is not ready: its knowledge is ${this.#knowledge.inWords()}`,
      this.#feed.lastError === undefined ? undefined : { cause: this.#feed.lastError },
    )
  }

  /**
   * All that the mirror knows, as plain JSON in parts, for the option `snapshot` of another mirror over the same store.
   * Nothing is read before it is asked for: with a turn between any two parts, a million hold nobody up. A mirror
   * that has not caught up, has no room left, or is closed, gives what it has, without a place in the feed.
   *
   * @example
   * import { RevocationMirror } from 'cognito-revocation'
   * await writeFile('mirror.json.new', JSON.stringify([...mirror.snapshot()])) // after await mirror.ready()
   * await rename('mirror.json.new', 'mirror.json') // so nobody reads a half of it
   */
  snapshot(): Generator<MirrorSnapshotPart, void, undefined> {
    return writeSnapshot(this.#table, this.#knowledge.save(this.#feed.cursor))
  }

  /** The store's own feed. */
  changes(options: ChangesOptions): AsyncIterable<ChangeBatch> {
    const { changes } = this.#store
    if (changes === undefined) throw new TypeError('RevocationMirror: the store has no change feed')
    return changes.call(this.#store, options)
  }

  /** Calls the listener with every revocation that comes in from now on. @returns what ends it */
  subscribe(listener: RevocationListener): () => void {
    // First: a snapshot's entries come in at the start.
    this.#listeners.add(listener)
    this.#start()
    return () => this.#listeners.delete(listener)
  }

  /** Ends the feed. What is known stays known; for all else the store is asked. The store stays open. */
  async close(): Promise<void> {
    this.#closed = true
    this.#knowledge.end()
    this.#writeBack.close()
    this.#waiting.wake()
    await this.#feed.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #start(): void {
    if (!this.#closed) this.#feed.start()
  }

  /** Takes a snapshot over. @returns where in the feed to go on from; undefined to read everything */
  async #restore(): Promise<string | undefined> {
    const nowSeconds = this.#purgeClock() / 1000
    const parts = this.#snapshot ?? []
    this.#snapshot = undefined
    try {
      const enter = (revocation: Revocation) => this.#enter(revocation, this.#knowledge.round, nowSeconds)
      const end = await readSnapshot(parts, enter, () => this.#knowledge.full || this.#closed)
      return end && this.#knowledge.restore(end)
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      notify(this.#options.observer, { type: 'mirror_snapshot_refused', error })
      return undefined
    }
  }

  /** Takes a batch of the feed over. @returns whether the feed is to be read afresh, from everything */
  async #apply(batch: ChangeBatch, restarted: boolean): Promise<boolean> {
    // As it is now: whatever happens before all of it is in, it is no younger. The moment first: should the process
    // be stopped between the two, the age grows, and nothing looks fresh.
    const receivedAt = takeMoment()
    const ageMs = Math.max(0, batch.ageMs)
    const knowledge = this.#knowledge
    knowledge.begin(restarted)
    const nowSeconds = this.#purgeClock() / 1000
    await inSlices(batch.revocations, (revocation) => this.#enter(revocation, knowledge.round, nowSeconds))
    if (this.#closed) return false
    this.#table.sweep(nowSeconds)
    const knownUntil = { wall: receivedAt.wall - ageMs, monotonic: receivedAt.monotonic - ageMs }
    if (knowledge.take(batch, restarted, knownUntil)) this.#writeBack.begin(knowledge.round)
    if (!batch.caughtUp) return false
    this.#waiting.wake()
    // Where room was made since, what was left out can be had again.
    return knowledge.full && this.#table.size < 0.9 * this.#options.maxEntries
  }

  #enter(revocation: Revocation, round: number, nowSeconds = this.#purgeClock() / 1000): void {
    // Mostly nobody listens: no iterator for each of a million.
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener(revocation)
    if (this.#table.apply(revocation, round, nowSeconds) || !this.#knowledge.leaveOut()) return
    notify(this.#options.observer, { type: 'mirror_full', maxEntries: this.#options.maxEntries })
  }
}
