import type { Moment } from '../clock.js'
import { notify, type Observer } from '../observer.js'
import { splitRecords } from '../stores/http/wire.js'
import { type ApiKey, mayTouch } from './api-keys.js'
import { sealCursor } from './cursors.js'
import type { FeedReading } from './feed-reading.js'
import { type FeedSubscription, type KnownBatch, knownAtMs, received } from './feed-subscription.js'
import { storeRefusal } from './refusal.js'
import type { SharedFeed } from './shared-feed.js'

/** Why a host cancels the body of an answer whose client does not read. */
export const NOT_READING = 'not_reading'

/** Why a stream is ended. */
type EndReason = 'lifetime' | 'closing' | 'too_slow' | 'not_reading' | 'key_changed' | 'gone' | 'failed'

/** What a {@link ChangesStream} needs. */
export interface ChangesStreamOptions {
  readonly feed: SharedFeed
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
  #key: ApiKey
  #endReason: EndReason | undefined
  #reading: FeedReading | undefined
  #subscription: FeedSubscription | undefined
  /** Whether it goes by the shared feed. */
  #isShared = false
  #isOver = false
  #stalled: NodeJS.Timeout | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor(options: ChangesStreamOptions) {
    this.#options = options
    this.#key = options.key
    this.#events = this.#run()
    // Not all at once, though they may have begun so.
    const lifetimeMs = options.maxStreamMs * (0.9 + Math.random() / 10)
    this.#lifetime = setTimeout(() => this.end('lifetime'), lifetimeMs).unref()
  }

  get key(): ApiKey {
    return this.#key
  }

  /** Goes on for the same key, as it is configured now. */
  keep(key: ApiKey): void {
    this.#key = key
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
      return
    }
    this.#endReason = reason
    if (reason === 'not_reading' || reason === 'key_changed' || reason === 'too_slow') {
      const { observer } = this.#options
      notify(observer, { type: 'service_stream_ended', keyId: this.#key.id, reason })
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
    this.#isOver = true
    void this.#events.return().catch(() => {})
    clearTimeout(this.#lifetime)
    clearTimeout(this.#stalled)
    this.#release()
    this.#options.onEnd(this)
  }

  #release(): void {
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
      if (this.#endReason === undefined) {
        this.#endReason = 'failed'
        // What failed for all was told once for all.
        if (!this.#isShared) {
          const { observer } = this.#options
          notify(observer, { type: 'service_stream_ended', keyId: this.#key.id, reason: 'store_failed' })
        }
        yield eventOf('problem', storeRefusal(error).details)
        return
      }
    }
    yield eventOf('end', { reason: this.#endReason ?? 'lifetime' })
  }

  async *#changes(): AsyncGenerator<string, void, undefined> {
    const { feed } = this.#options
    let cursor = this.#options.after
    for (;;) {
      // First of all: what comes there while this reading catches up is kept.
      const subscription = feed.subscribe()
      this.#subscription = subscription
      const reading = feed.open(cursor)
      this.#reading = reading
      for (let isCaughtUp = false; !isCaughtUp; ) {
        const batch = await reading.next()
        if (batch === undefined || this.#endReason !== undefined) return
        yield* this.#encode(received(batch))
        if (this.#endReason !== undefined) return
        cursor = batch.cursor
        isCaughtUp = batch.caughtUp
      }
      if (subscription !== undefined) {
        reading.close()
        this.#reading = undefined
        return yield* this.#follow(subscription)
      }
      const adopted = feed.adopt(reading)
      this.#reading = undefined
      if (adopted !== undefined) {
        this.#subscription = adopted
        return yield* this.#follow(adopted)
      }
      // Another stream was first, and what has come there since is not known here: catch up once more.
      reading.close()
    }
  }

  async *#follow(subscription: FeedSubscription): AsyncGenerator<string, void, undefined> {
    this.#isShared = true
    for (;;) {
      const known = await subscription.next()
      if (known === 'overflow') this.end('too_slow')
      if (known === undefined || known === 'overflow' || this.#endReason !== undefined) return
      yield* this.#encode(known)
      if (this.#endReason !== undefined) return
    }
  }

  /** The events of a batch: as many as there must be; only the last has the cursor, and may be caught up. */
  *#encode(known: KnownBatch): Generator<string, void, undefined> {
    const { batch } = known
    const own = batch.revocations.filter(({ poolId }) => mayTouch(this.#key, poolId))
    const parts = splitRecords(own)
    const at = JSON.stringify(knownAtMs(known, this.#options.receivedAt))
    for (const [index, part] of parts.entries()) {
      if (this.#endReason !== undefined) return
      const isLast = index === parts.length - 1
      const restarted = index === 0 && batch.restarted === true
      const caughtUp = isLast && batch.caughtUp
      const data = `{"revocations":${part},"caughtUp":${caughtUp},"restarted":${restarted},"knownAtMs":${at}}`
      const id = isLast ? sealCursor(this.#key, batch.cursor) : undefined
      yield `event: changes\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`
    }
  }
}

function eventOf(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
