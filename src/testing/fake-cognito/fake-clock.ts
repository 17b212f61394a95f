/**
 * Cognito's clock, as {@link FakeCognito} has it: real time plus an offset that tests move. It governs
 * `iat` and `exp`, every expiry and grace period, and the `Date` header of every answer.
 */
export class FakeClock {
  #offsetMs = 0

  /** Epoch milliseconds. Bound, so that it can be handed on as a `clock` option. */
  readonly now = (): number => Date.now() + this.#offsetMs

  /** Moves the clock by so many seconds; a negative number moves it back. */
  advance(seconds: number): void {
    this.set(this.now() + seconds * 1000)
  }

  /** Sets the clock, which goes on from there. */
  set(epochMs: number): void {
    // Beyond this, Date has no spelling for the Date header.
    if (!(Math.abs(epochMs) <= 8.64e15)) throw new RangeError(`not a time: ${epochMs}`)
    this.#offsetMs = epochMs - Date.now()
  }
}
