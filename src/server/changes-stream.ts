import { clocksDisagree, type Moment } from '../clock.js'
import { notify, type Observer } from '../observer.js'
import type { ApiKey } from './api-keys.js'
import { ChangesEncoder, eventOf } from './changes-encoder.js'
import type { FeedReading } from './feed-reading.js'
import { type FeedSubscription, type KnownBatch, received } from './feed-subscription.js'
import { storeRefusal } from './refusal.js'
import type { SharedFeed } from './shared-feed.js'
import type { Turn, Turns } from './turns.js'

/** Why a host cancels the body of an answer whose client does not read. */
export const NOT_READING = 'not_reading'

/** How often a stream that waits for its turn to catch up says that it does, in milliseconds. */
const WAITING_MS = 1_000

/** Why a stream is ended. */
type EndReason = 'lifetime' | 'closing' | 'too_slow' | 'not_reading' | 'key_changed' | 'gone' | 'failed'

/** What a {@link ChangesStream} needs. */
export interface ChangesStreamOptions {
  readonly feed: SharedFeed
  /** Who may read the store's feed for himself alone, which is dear. */
  readonly turns: Turns
  readonly key: ApiKey
  /** The store's cursor to go on from. */
  readonly after: string | undefined
  /** What the client calls its request. */
  readonly requestId: string | undefined
  /** When the request was received. */
  readonly receivedAt: Moment
  readonly stalledStreamMs: number
  readonly maxStreamMs: number
  readonly observer: Observer | undefined
  readonly onEnd: (stream: ChangesStream) => void
}

/** One client's stream of changes, as server-sent events. */
export class ChangesStream {
  readonly #options: ChangesStreamOptions
  readonly #events: AsyncGenerator<string, void, undefined>
  readonly #lifetime: NodeJS.Timeout
  readonly #encoder: ChangesEncoder
  #endReason: EndReason | undefined
  #turn: Turn | undefined
  #reading: FeedReading | undefined
  #subscription: FeedSubscription | undefined
  /** Whether it goes by the shared feed. */
  #isShared = false
  #isOver = false
  #stalled: NodeJS.Timeout | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor(options: ChangesStreamOptions) {
    this.#options = options
    this.#encoder = new ChangesEncoder(options.key, options.receivedAt)
    this.#events = this.#run()
    // Not all at once, though they may have begun so.
    const lifetimeMs = options.maxStreamMs * (0.9 + Math.random() / 10)
    this.#lifetime = setTimeout(() => this.end('lifetime'), lifetimeMs).unref()
  }

  get key(): ApiKey {
    return this.#encoder.key
  }

  /** Goes on for the same key, as it is configured now. */
  keep(key: ApiKey): void {
    this.#encoder.keep(key)
  }

  /** The body of the answer. It is read from the store no faster than by the client. */
  body(): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder()
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
      },
      pull: async (controller) => {
        clearTimeout(this.#stalled)
        const { value, done } = await this.#events.next()
        if (this.#isOver) return
        if (done) {
          controller.close()
          this.#finish()
          return
        }
        controller.enqueue(encoder.encode(value))
        this.#stalled = setTimeout(() => this.end('not_reading'), this.#options.stalledStreamMs).unref()
      },
      cancel: (reason: unknown) => this.end(reason === NOT_READING ? reason : 'gone'),
    })
  }

  /** Sends nothing more but the end. */
  end(reason: EndReason): void {
    if (this.#endReason !== undefined) {
      // It was to end already, but nobody reads the end.
      if (reason === 'not_reading') this.#abandon()
      if (reason === 'gone') this.#finish()
      return
    }
    this.#endReason = reason
    if (reason === 'not_reading' || reason === 'key_changed' || reason === 'too_slow') {
      notify(this.#options.observer, { type: 'service_stream_ended', keyId: this.key.id, reason })
    }
    this.#release()
    if (reason === 'not_reading') this.#abandon()
    if (reason === 'gone') this.#finish()
  }

  #abandon(): void {
    try {
      this.#controller?.error(new Error('The client does not read'))
    } catch {}
    this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    void this.#events.return().catch(() => {})
    clearTimeout(this.#lifetime)
    clearTimeout(this.#stalled)
    this.#release()
    this.#options.onEnd(this)
  }

  #release(): void {
    this.#turn?.end()
    this.#turn = undefined
    this.#reading?.close()
    this.#reading = undefined
    this.#subscription?.end()
    this.#subscription = undefined
  }

  async *#run(): AsyncGenerator<string, void, undefined> {
    const { requestId } = this.#options
    yield eventOf('open', requestId === undefined ? {} : { request: requestId })
    try {
      yield* this.#changes()
    } catch (error) {
      this.#release()
      if (this.#endReason === undefined) {
        this.#endReason = 'failed'
        // What failed for all was told once for all.
        if (!this.#isShared) {
          const cause = error instanceof Error ? error : new Error(String(error))
          const told = { keyId: this.key.id, reason: 'store_failed', error: cause } as const
          notify(this.#options.observer, { type: 'service_stream_ended', ...told })
        }
        yield eventOf('problem', storeRefusal(error).details)
        return
      }
    }
    yield eventOf('end', { reason: this.#endReason ?? 'lifetime' })
  }

  async *#changes(): AsyncGenerator<string, void, undefined> {
    const { feed, turns } = this.#options
    // It may be over before anybody has read that it is open.
    if (this.#endReason !== undefined) return
    const turn = turns.ask(this.key.who)
    this.#turn = turn
    while (!(await turn.begins(WAITING_MS))) yield eventOf('waiting', {})
    let cursor = this.#options.after
    while (this.#endReason === undefined) {
      // First of all: what comes there while this reading catches up is kept.
      const subscription = feed.subscribe()
      this.#subscription = subscription
      const reading = feed.open(cursor)
      this.#reading = reading
      let isIsolated = false
      for (let isCaughtUp = false; !isCaughtUp; ) {
        const batch = await reading.next()
        if (batch === undefined) return
        yield* this.#encode(received(batch))
        if (this.#endReason !== undefined) return
        cursor = batch.cursor
        isCaughtUp = batch.caughtUp
        isIsolated ||= batch.isolated === true
      }
      if (isIsolated) return yield* this.#goOn(reading)
      const followed = subscription ?? feed.adopt(reading)
      if (followed !== undefined) return yield* this.#follow(followed, reading)
      // Another stream was first, and what has come there since is not known here: catch up once more.
      reading.close()
    }
  }

  /** What one reading of such a store delivers, another may lack: nobody goes over from this one. */
  async *#goOn(reading: FeedReading): AsyncGenerator<string, void, undefined> {
    this.#subscription?.end()
    this.#subscription = undefined
    this.#turn?.end()
    while (this.#endReason === undefined) {
      const batch = await reading.next()
      if (batch === undefined) return
      yield* this.#encode(received(batch))
    }
  }

  /** Goes by the shared feed, which may have taken its reading over. */
  async *#follow(
    subscription: FeedSubscription,
    reading: FeedReading,
  ): AsyncGenerator<string, void, undefined> {
    if (subscription === this.#subscription) reading.close()
    this.#reading = undefined
    this.#subscription = subscription
    this.#turn?.end()
    this.#isShared = true
    while (this.#endReason === undefined) {
      const known = await subscription.next()
      if (known === 'overflow') this.end('too_slow')
      if (known === undefined || known === 'overflow') return
      // Who came over from another reading may lack what such a one delivers.
      if (known.batch.isolated) this.end('lifetime')
      yield* this.#encode(known)
    }
  }

  *#encode(known: KnownBatch): Generator<string, void, undefined> {
    // Then its reader comes back: what is of other pools begins anew, and what is new is not taken for old.
    if (!this.#encoder.takes(known.batch) || clocksDisagree(this.#options.receivedAt)) this.end('lifetime')
    if (this.#endReason !== undefined) return
    for (const event of this.#encoder.events(known)) {
      yield event
      if (this.#endReason !== undefined) return
    }
  }
}
