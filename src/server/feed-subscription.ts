import { leastMsBetween, type Moment, takeMoment } from '../clock.js'
import type { ChangeBatch } from '../revocation/store.js'

/** How much faster than the reader's a clock may run: 500 ppm, the most that NTP slews by. */
const MAX_CLOCK_DRIFT = 0.0005

/** A batch, and when what it says was so. */
export interface KnownBatch {
  readonly batch: ChangeBatch
  /** When it was received. */
  readonly receivedAt: Moment
  /** How old it was then. */
  readonly ageMs: number
}

/** Takes the time of a batch that has just come. */
export function received(batch: ChangeBatch): KnownBatch {
  // The moment first: should the process be stopped between the two, the batch grows older, never younger.
  const receivedAt = takeMoment()
  return { batch, receivedAt, ageMs: Math.max(0, batch.ageMs) }
}

/** How long after `since` the knowledge of a batch was current, at the least, in milliseconds. */
export function knownAtMs({ receivedAt, ageMs }: KnownBatch, since: Moment): number {
  return leastMsBetween(since, receivedAt) * (1 - MAX_CLOCK_DRIFT) - ageMs
}

/** What a stream has yet to be given of the shared feed. */
export class FeedSubscription {
  readonly #maxRecords: number
  readonly #onEnd: () => void
  #queue: KnownBatch[] = []
  #records = 0
  #overflowed = false
  #ended = false
  #failure: Error | undefined
  #wake = () => {}

  constructor(maxRecords: number, onEnd: () => void) {
    this.#maxRecords = maxRecords
    this.#onEnd = onEnd
  }

  push(batch: ChangeBatch): void {
    if (this.#overflowed || this.#ended || this.#failure !== undefined) return
    const last = this.#queue.at(-1)?.batch
    // A sign of life that nobody has read says no more than the next one.
    if (last !== undefined && last.revocations.length === 0 && !last.restarted) this.#queue.pop()
    this.#queue.push(received(batch))
    this.#records += batch.revocations.length
    if (this.#records > this.#maxRecords) {
      this.#overflowed = true
      this.#queue = []
    }
    this.#wake()
  }

  fail(error: Error): void {
    this.#failure = error
    this.#wake()
  }

  /** The next batch; 'overflow' where it was too many, undefined at the end. @throws what the feed failed with */
  async next(): Promise<KnownBatch | 'overflow' | undefined> {
    for (;;) {
      if (this.#ended) return undefined
      if (this.#overflowed) return 'overflow'
      const known = this.#queue.shift()
      if (known !== undefined) {
        this.#records -= known.batch.revocations.length
        return known
      }
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  end(): void {
    this.#ended = true
    this.#queue = []
    this.#wake()
    this.#onEnd()
  }
}
