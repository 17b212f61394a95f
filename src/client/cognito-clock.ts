import { clockGapMs, elapsedMs, type Moment, takeMoment } from '../clock.js'
import { notify, type Observer } from '../observer.js'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/claims.js'

/** By how much this machine's two clocks may differ since the last answer: cutoffs are in whole seconds. */
const MAX_GAP_MS = 2_000

/**
 * Cognito's clock, by which tokens are stamped, as the Date of its answers tells it. Between answers it goes by
 * this machine's clocks, as long as both agree: the wall clock may be set, and the monotonic one stands still
 * while a virtual machine is suspended or a Lambda frozen.
 */
export class CognitoClock {
  readonly #clock: () => number
  readonly #observer: Observer | undefined
  #lastAnswer: { readonly dateMs: number; readonly at: Moment } | undefined

  constructor(clock: () => number, observer: Observer | undefined) {
    this.#clock = clock
    this.#observer = observer
  }

  /** Takes note of an answer's Date, unless it is so far off that one of the two clocks must be wrong. */
  learn(date: string | undefined): void {
    const dateMs = Date.parse(date ?? '')
    if (Number.isNaN(dateMs)) return
    if (this.#isCredible(dateMs)) this.#lastAnswer = { dateMs, at: takeMoment(this.#clock) }
    else notify(this.#observer, { type: 'clock_offset_ignored', offsetMs: dateMs - this.#clock() })
  }

  /** Now, in epoch seconds; undefined before the first answer, and where it is not known how long ago the last was. */
  nowSeconds(): number | undefined {
    if (this.#lastAnswer === undefined) return undefined
    const { dateMs, at } = this.#lastAnswer
    if (clockGapMs(at, this.#clock) > MAX_GAP_MS) return undefined
    return Math.floor((dateMs + elapsedMs(at, this.#clock)) / 1000)
  }

  /** Now by this machine's own clock, in epoch seconds: right up to its error. */
  ownSeconds(): number {
    return Math.floor(this.#clock() / 1000)
  }

  /**
   * When an answer was given, in epoch seconds. By the best clock at hand where it has no Date; undefined
   * where its Date is not to be believed, so that nothing can be promised of a cutoff.
   */
  secondsOf(date: string | undefined): number | undefined {
    const dateMs = Date.parse(date ?? '')
    if (Number.isNaN(dateMs)) return this.nowSeconds() ?? this.ownSeconds()
    return this.#isCredible(dateMs) ? dateMs / 1000 : undefined
  }

  #isCredible(dateMs: number): boolean {
    return Math.abs(dateMs - this.#clock()) <= CLOCK_TOLERANCE_SECONDS * 1000
  }
}
