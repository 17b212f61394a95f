import { setTimeout as sleepFor } from 'node:timers/promises'

/** What time is to a {@link Pacer}: monotonic milliseconds, and waiting, which rejects once the signal is aborted. */
export interface PacerTime {
  readonly now: () => number
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
}

export const realTime: PacerTime = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleepFor(ms, undefined, signal && { signal }),
}

const LEAST_PER_SECOND = 1
/** However many are throttled at a time, it is one reason to go slower. */
const SLOW_DOWN_EVERY_MS = 1_000
/** From the least to the full rate in so many successes. */
const STEPS_UP = 50

/**
 * Lets things begin one after the other, at least so far apart as the rate says: what was missed is not caught
 * up with. The rate halves where it was too fast, and comes back by small steps.
 */
export class Pacer {
  readonly #time: PacerTime
  readonly #fullRate: number
  #rate: number
  #nextAt = Number.NEGATIVE_INFINITY
  #slowedDownAt = Number.NEGATIVE_INFINITY

  constructor(ratePerSecond: number, time: PacerTime) {
    this.#time = time
    this.#fullRate = ratePerSecond
    this.#rate = ratePerSecond
  }

  /** Resolves when the next one may begin. */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    const at = Math.max(this.#time.now(), this.#nextAt)
    this.#nextAt = at + this.#intervalMs()
    // Timers may be early.
    for (let now = this.#time.now(); now < at; now = this.#time.now()) {
      await this.#time.sleep(Math.ceil(at - now), signal)
    }
    // They may be late, too.
    this.#nextAt = Math.max(this.#nextAt, this.#time.now() + this.#intervalMs())
  }

  slowDown(): void {
    const now = this.#time.now()
    if (now - this.#slowedDownAt < SLOW_DOWN_EVERY_MS) return
    this.#slowedDownAt = now
    this.#rate = Math.min(this.#fullRate, Math.max(LEAST_PER_SECOND, this.#rate / 2))
  }

  speedUp(): void {
    this.#rate = Math.min(this.#fullRate, this.#rate + this.#fullRate / STEPS_UP)
  }

  #intervalMs(): number {
    return 1_000 / this.#rate
  }
}
