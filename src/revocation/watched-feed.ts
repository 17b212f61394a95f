import { elapsedMs, type Moment, takeMoment } from '../clock.js'
import { notify, type Observer } from '../observer.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import { CoveredPools } from './covered-pools.js'
import { FeedReader } from './feed-reader.js'
import { inSlices } from './slices.js'
import type { ChangeBatch, RevocationListener, RevocationStore } from './store.js'

/** A feed that says nothing for so long is opened again, in milliseconds. */
const SILENCE_MS = 10_000
const LONGEST_RETRY_MS = 1_000

/** Where watchers hear of revocations, and whether they can rely on hearing of them in time. */
export interface WatchedFeed {
  /** Whether every revocation of such a token that was acknowledged up to the bound ago has been told. */
  isFresh(token: TokenIdentity): boolean
  close(): Promise<void>
}

/** What a {@link WatchedFeed} needs. */
export interface WatchedFeedOptions {
  readonly store: RevocationStore
  readonly listener: RevocationListener
  /** How old its knowledge may be, where the store has no bound of its own, in milliseconds. */
  readonly maxStalenessMs: number
  readonly observer: Observer | undefined
}

/** Listens to a mirror, which follows the feed anyway, or else to the store's own feed. */
export function watchFeed(options: WatchedFeedOptions): WatchedFeed {
  const { store, listener } = options
  if (store.subscribe === undefined) return new OwnReading(options)
  const unsubscribe = store.subscribe(listener)
  return {
    // By the mirror's own bound: where it knows nothing of a token, it says so only while it is fresh.
    isFresh: (token) => {
      try {
        return store.findSync !== undefined && store.findSync(token) === undefined
      } catch {
        return false
      }
    },
    close: async () => unsubscribe(),
  }
}

/** Reads a store's feed for the sake of the watchers alone. */
class OwnReading implements WatchedFeed {
  readonly #options: WatchedFeedOptions
  readonly #reader: FeedReader
  readonly #covered = new CoveredPools()
  #knownUntil: Moment | undefined

  constructor(options: WatchedFeedOptions) {
    const { store, observer } = options
    const { changes } = store
    if (changes === undefined) throw new TypeError('the revocation store has no change feed')
    this.#options = options
    this.#reader = new FeedReader({
      open: (changesOptions) => changes.call(store, changesOptions),
      apply: (batch, restarted) => this.#apply(batch, restarted),
      silenceMs: SILENCE_MS,
      longestRetryMs: LONGEST_RETRY_MS,
      failed: (error, retryAfterMs) => notify(observer, { type: 'feed_failed', error, retryAfterMs }),
    })
    this.#reader.start()
  }

  isFresh({ poolId }: TokenIdentity): boolean {
    if (this.#knownUntil === undefined || !this.#covered.has(poolId)) return false
    return elapsedMs(this.#knownUntil) <= this.#options.maxStalenessMs
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  async #apply(batch: ChangeBatch, restarted: boolean): Promise<boolean> {
    const receivedAt = takeMoment()
    const ageMs = Math.max(0, batch.ageMs)
    await inSlices(batch.revocations, this.#options.listener)
    this.#covered.take(batch, restarted)
    if (batch.caughtUp) {
      this.#knownUntil = { wall: receivedAt.wall - ageMs, monotonic: receivedAt.monotonic - ageMs }
    }
    return false
  }
}
