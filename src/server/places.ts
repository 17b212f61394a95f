/** How many places there are, and how many of them one alone may take. */
export interface PlacesOptions {
  readonly max: number
  readonly maxOfOne: number
}

/** Counts the places that are taken, and by whom, so that nobody can take them all. */
export class Places {
  readonly #options: PlacesOptions
  readonly #takenBy = new Map<string, number>()
  #taken = 0

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /** Takes places. Gives what frees them again, once; undefined where there are not so many. */
  take(who: string, count = 1): (() => void) | undefined {
    const { max, maxOfOne } = this.#options
    const own = this.#takenBy.get(who) ?? 0
    if (this.#taken + count > max || own + count > maxOfOne) return undefined
    this.#add(who, count)
    let isFreed = false
    return () => {
      if (!isFreed) this.#add(who, -count)
      isFreed = true
    }
  }

  #add(who: string, count: number): void {
    this.#taken += count
    const own = (this.#takenBy.get(who) ?? 0) + count
    if (own === 0) this.#takenBy.delete(who)
    else this.#takenBy.set(who, own)
  }
}
