import { notify, type Observer } from '../observer.js'
import type { ChangeBatch, RevocationStore } from '../revocation/store.js'
import { FeedReading } from './feed-reading.js'
import { FeedSubscription } from './feed-subscription.js'

/** How long the store's feed is read on without anybody to read it for, in milliseconds. */
const LINGER_MS = 2_000

/** What a {@link SharedFeed} needs. */
export interface SharedFeedOptions {
  readonly store: RevocationStore
  readonly silenceMs: number
  readonly maxQueuedRecords: number
  readonly observer: Observer | undefined
}

/**
 * One reading of the store's feed for all streams that have caught up, since a reading may cost a connection.
 *
 * A stream subscribes, then catches up by a reading of its own, then goes over to what has come here since: what came
 * here before it subscribed, its own reading begins with or has behind it. Where nothing is read here yet, the stream
 * hands its own reading over, at the point where it has caught up. So much comes twice, and nothing is left out.
 */
export class SharedFeed {
  readonly #options: SharedFeedOptions
  readonly #subscriptions = new Set<FeedSubscription>()
  #reading: FeedReading | undefined
  #linger: NodeJS.Timeout | undefined

  constructor(options: SharedFeedOptions) {
    this.#options = options
  }

  /** A reading of a stream's own. */
  open(after: string | undefined): FeedReading {
    const { store, silenceMs } = this.#options
    return new FeedReading(store, after, silenceMs)
  }

  /** All that comes from now on; undefined while nothing is read. */
  subscribe(): FeedSubscription | undefined {
    if (this.#reading === undefined) return undefined
    clearTimeout(this.#linger)
    const subscription = new FeedSubscription(this.#options.maxQueuedRecords, () => this.#leave(subscription))
    this.#subscriptions.add(subscription)
    return subscription
  }

  /** Takes over a stream's reading, for all; undefined where there is one already. */
  adopt(reading: FeedReading): FeedSubscription | undefined {
    if (this.#reading !== undefined) return undefined
    this.#reading = reading
    const subscription = this.subscribe()
    void this.#run(reading)
    return subscription
  }

  /** Ends the reading. */
  close(): void {
    clearTimeout(this.#linger)
    this.#reading?.close()
    this.#reading = undefined
  }

  async #run(reading: FeedReading): Promise<void> {
    try {
      for (;;) {
        const batch = await reading.next()
        if (batch === undefined) return
        this.#publish(batch)
      }
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      notify(this.#options.observer, { type: 'service_feed_failed', error })
      // Who comes after must not find this one, and who is here must not be given what the next one reads: between
      // the two, something is missing.
      if (this.#reading === reading) this.#reading = undefined
      const cut = [...this.#subscriptions]
      this.#subscriptions.clear()
      for (const subscription of cut) subscription.fail(error)
    } finally {
      reading.close()
    }
  }

  #publish(batch: ChangeBatch): void {
    for (const subscription of this.#subscriptions) subscription.push(batch)
  }

  #leave(subscription: FeedSubscription): void {
    if (!this.#subscriptions.delete(subscription) || this.#subscriptions.size > 0) return
    clearTimeout(this.#linger)
    this.#linger = setTimeout(() => this.close(), LINGER_MS).unref()
  }
}
