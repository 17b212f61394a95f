import { Places, type PlacesOptions } from './places.js'

/** One's turn: to be waited for, and to be ended, whether it has begun or not. */
export interface Turn {
  /** Whether it begins within this time, in milliseconds. True as well once it was ended. */
  begins(withinMs: number): Promise<boolean>
  end(): void
}

interface Waiting {
  readonly who: string
  readonly begin: (free: () => void) => void
}

/** Lets only so many do something at once; the others wait, and have their turn in the order they came. */
export class Turns {
  readonly #places: Places
  readonly #waiting = new Set<Waiting>()

  constructor(options: PlacesOptions) {
    this.#places = new Places(options)
  }

  ask(who: string): Turn {
    let begin: () => void = () => {}
    const begun = new Promise<true>((resolve) => {
      begin = () => resolve(true)
    })
    let free = () => {}
    const waiting: Waiting = {
      who,
      begin: (freePlace) => {
        free = freePlace
        begin()
      },
    }
    this.#waiting.add(waiting)
    this.#next()
    return {
      begins: (withinMs) => within(begun, withinMs),
      end: () => {
        this.#waiting.delete(waiting)
        begin()
        free()
        this.#next()
      },
    }
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      const free = this.#places.take(waiting.who)
      if (free === undefined) continue
      this.#waiting.delete(waiting)
      waiting.begin(free)
    }
  }
}

async function within(begun: Promise<true>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms).unref()
  })
  try {
    return await Promise.race([begun, late])
  } finally {
    clearTimeout(timer)
  }
}
