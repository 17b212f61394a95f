import { setMaxListeners } from 'node:events'
import { elapsedMs, type Moment, takeMoment } from '../clock.js'
import { RevocationUnavailableError } from '../errors.js'
import { notify, type Observer } from '../observer.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import type { RevocationLookup } from './revocation-lookup.js'
import type { RevocationStore } from './store.js'
import { type WatchedFeed, watchFeed } from './watched-feed.js'
import { WatcherIndex } from './watcher-index.js'

/** How many questions to the store are under way at once, where the feed is not to be had. */
const QUESTIONS_AT_ONCE = 200

/** Why a watch ended. `unavailable`: it cannot be known any more whether the token is revoked. */
export type WatchOutcome = 'revoked' | 'expired' | 'unavailable'

/** What a {@link RevocationWatch} needs. */
export interface RevocationWatchOptions {
  readonly store: RevocationStore
  readonly lookup: RevocationLookup
  /** How old what is known may be, in milliseconds, where the store is no mirror with a bound of its own. */
  readonly maxStalenessMs: number
  /** How often to look whether tokens have expired and the feed is fresh, in milliseconds. */
  readonly intervalMs: number
  /** Go on where it cannot be known. */
  readonly accept: boolean
  readonly observer: Observer | undefined
  /** Epoch milliseconds; for expiry. */
  readonly clock: () => number
}

interface Watcher {
  readonly identity: TokenIdentity
  readonly expiresAtMs: number
  readonly end: (outcome: WatchOutcome) => void
  /** When it was last known not to be revoked, other than by the feed. */
  knownAt: Moment
}

/**
 * Waits for the revocation of any number of tokens at once: one feed and one timer for all of them, a set of
 * watchers for each id. While the feed is not fresh, the store is asked about each token instead.
 */
export class RevocationWatch {
  readonly #options: RevocationWatchOptions
  readonly #watchers = new Set<Watcher>()
  readonly #index = new WatcherIndex<Watcher>()
  #feed: WatchedFeed | undefined
  #timer: NodeJS.Timeout | undefined
  #asking = false

  constructor(options: RevocationWatchOptions) {
    this.#options = options
  }

  /**
   * Resolves when the token is revoked or expired, or when neither can be known any more.
   *
   * @throws the signal's reason, once it is aborted
   */
  async watch(identity: TokenIdentity, expiresAtMs: number, signal?: AbortSignal): Promise<WatchOutcome> {
    signal?.throwIfAborted()
    if (this.#options.clock() >= expiresAtMs) return 'expired'
    let watcher: Watcher | undefined
    let aborted = () => {}
    try {
      return await new Promise<WatchOutcome>((resolve, reject) => {
        aborted = () => reject(signal?.reason)
        // One signal may end thousands, of a server that shuts down: that is no leak to be warned of.
        if (signal !== undefined) setMaxListeners(0, signal)
        signal?.addEventListener('abort', aborted, { once: true })
        watcher = { identity, expiresAtMs, end: resolve, knownAt: takeMoment() }
        this.#add(watcher)
        // The feed tells what comes from now on; whether it is revoked already, the store.
        void this.#ask(watcher)
      })
    } finally {
      signal?.removeEventListener('abort', aborted)
      if (watcher !== undefined) this.#delete(watcher)
    }
  }

  /** Ends every watch: `unavailable`. */
  async close(): Promise<void> {
    for (const { end } of this.#watchers) end('unavailable')
    clearInterval(this.#timer)
    await this.#feed?.close()
  }

  #add(watcher: Watcher): void {
    const { store, maxStalenessMs, observer, intervalMs } = this.#options
    this.#watchers.add(watcher)
    this.#index.add(watcher)
    this.#feed ??= watchFeed({
      store,
      maxStalenessMs,
      observer,
      listener: (revocation) => {
        for (const { end } of this.#index.revokedBy(revocation)) end('revoked')
      },
    })
    if (this.#watchers.size === 1) this.#timer = setInterval(() => this.#look(), intervalMs).unref()
  }

  #delete(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    this.#index.delete(watcher)
    if (this.#watchers.size === 0) clearInterval(this.#timer)
  }

  /** What the feed does not tell: that time has passed. */
  #look(): void {
    const now = this.#options.clock()
    for (const { expiresAtMs, end } of this.#watchers) {
      if (now >= expiresAtMs) end('expired')
    }
    const stale = this.#asking ? [] : this.#stale()
    if (stale.length === 0) return
    this.#asking = true
    void this.#askAll(stale).finally(() => {
      this.#asking = false
    })
  }

  /** Those of whose token nothing has been heard for too long. */
  #stale(): Watcher[] {
    /** It is asked once for each user pool, which it may tell of or not. */
    const fresh = new Map<string, boolean>()
    const isFresh = ({ identity }: Watcher) => {
      const known = fresh.get(identity.poolId) ?? this.#feed?.isFresh(identity) ?? false
      fresh.set(identity.poolId, known)
      return known
    }
    const { maxStalenessMs } = this.#options
    return [...this.#watchers].filter(
      (watcher) => !isFresh(watcher) && elapsedMs(watcher.knownAt) > maxStalenessMs,
    )
  }

  /** Asks the store about each of their tokens. */
  async #askAll(stale: readonly Watcher[]): Promise<void> {
    const { maxStalenessMs } = this.#options
    const startedAt = takeMoment()
    for (let start = 0; start < stale.length; start += QUESTIONS_AT_ONCE) {
      const slice = stale.slice(start, start + QUESTIONS_AT_ONCE).filter((each) => this.#watchers.has(each))
      if (slice.length === 0) continue
      const answers = await Promise.all(slice.map((watcher) => this.#ask(watcher)))
      // It is down, or too slow for so many: the others need not wait to hear it.
      if (answers.includes(true) && elapsedMs(startedAt) <= maxStalenessMs) continue
      const error = new RevocationUnavailableError('The change feed is not to be had, and the store is down')
      for (const watcher of stale.slice(start + QUESTIONS_AT_ONCE)) this.#unavailable(watcher, error)
      return
    }
  }

  /** @returns whether there was an answer */
  async #ask(watcher: Watcher): Promise<boolean> {
    const askedAt = takeMoment()
    try {
      if ((await this.#options.lookup.find(watcher.identity)) !== undefined) watcher.end('revoked')
      watcher.knownAt = askedAt
      return true
    } catch (error) {
      this.#unavailable(watcher, error)
      return false
    }
  }

  #unavailable(watcher: Watcher, cause: unknown): void {
    // It has ended meanwhile.
    if (!this.#watchers.has(watcher)) return
    const { accept, observer } = this.#options
    const error = cause instanceof Error ? cause : new Error(String(cause))
    notify(observer, { type: 'revocation_unavailable', decision: accept ? 'accepted' : 'rejected', error })
    if (accept) watcher.knownAt = takeMoment()
    else watcher.end('unavailable')
  }
}
