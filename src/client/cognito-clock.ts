import { notify, type Observer } from '../observer.js'
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/claims.js'

/**
 * Cognito's clock, by which tokens are stamped, as the Date of its answers tells it. Between answers it goes by
 * the monotonic clock: this machine's wall clock may be off, and may be set.
 */
export class CognitoClock {
  readonly #clock: () => number
  readonly #observer: Observer | undefined
  #lastAnswer: { readonly dateMs: number; readonly monotonic: number } | undefined

  constructor(clock: () => number, observer: Observer | undefined) {
    this.#clock = clock
    this.#observer = observer
  }

  /** Takes note of an answer's Date, unless it is so far off that one of the two clocks must be wrong. */
  learn(date: string | undefined): void {
    const dateMs = Date.parse(date ?? '')
    if (Number.isNaN(dateMs)) return
    if (this.#isCredible(dateMs)) this.#lastAnswer = { dateMs, monotonic: performance.now() }
    else notify(this.#observer, { type: 'clock_offset_ignored', offsetMs: dateMs - this.#clock() })
  }

  /** Now, in epoch seconds; undefined before the first answer. */
  nowSeconds(): number | undefined {
    if (this.#lastAnswer === undefined) return undefined
    const { dateMs, monotonic } = this.#lastAnswer
    return Math.floor((dateMs + performance.now() - monotonic) / 1000)
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
