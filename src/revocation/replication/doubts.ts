/** What readers have left behind who ended while a store's feed had failed. */
interface LeftDoubt {
  readonly at: number
  readonly knownAt: number
}

/**
 * Why a store may have lost data though nobody has noticed: its feed has failed for a reader, and has not gone on
 * where it was. What a reader leaves behind stays until another one who knew as much has gone on, or until a refill.
 *
 * All times are by `performance.now()`.
 */
export class Doubts {
  readonly #readers = new Set<object>()
  #left: LeftDoubt | undefined

  /** Whether there are any. */
  get exist(): boolean {
    return this.#readers.size > 0 || this.#left !== undefined
  }

  /** Of those that were left behind, when the store had everything for sure; undefined where there are none. */
  get leftKnownAt(): number | undefined {
    return this.#left?.knownAt
  }

  /** A reader's feed has failed. */
  begin(reader: object): void {
    this.#readers.add(reader)
  }

  /** It has gone on. */
  end(reader: object): void {
    this.#readers.delete(reader)
  }

  /** A reader goes. @param knownAt when he saw that the store had everything; -Infinity for never */
  leave(reader: object, knownAt: number): void {
    if (!this.#readers.delete(reader)) return
    this.#left = { at: performance.now(), knownAt: Math.max(knownAt, this.#left?.knownAt ?? knownAt) }
  }

  /** Whether what was asked for at this moment can tell what has become of what was left behind. */
  canTell(askedAt: number): boolean {
    return this.#left !== undefined && askedAt >= this.#left.at
  }

  /** What was left behind is settled. */
  settle(): void {
    this.#left = undefined
  }
}
