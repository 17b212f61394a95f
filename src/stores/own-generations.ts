/**
 * The generations of the feed in which a store itself has added, in their order: the engine makes another where it
 * has lost its data.
 *
 * Where a reader has seen nothing added yet, there is nothing that he could miss. But the store that was told that its
 * first record is there knows that this must be seen.
 */
export class OwnGenerations {
  readonly #all: string[] = []

  /** How many there are. */
  get count(): number {
    return this.#all.length
  }

  /** Takes down in which one an `add` was acknowledged. */
  note(generation: string): void {
    if (this.#all.at(-1) !== generation) this.#all.push(generation)
  }

  /**
   * All but the first so many. To be asked before the engine is: where its feed is of another generation than any of
   * these, what was added in that one has gone.
   */
  since(count: number): readonly string[] {
    return this.#all.slice(count)
  }
}
