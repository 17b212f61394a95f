import { setTimeout as delay } from 'node:timers/promises'

/** Microseconds by the clock that all processes of a machine share. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint()) / 1_000
}

/** Takes down when ids arrive. */
export class Arrivals {
  #times = new Map<string, number>()

  arrived(ids: Iterable<string>): void {
    const at = sharedClock()
    for (const id of ids) if (!this.#times.has(id)) this.#times.set(id, at)
  }

  /** When each of these arrived, all of them awaited; what arrived besides is forgotten. */
  async of(ids: readonly string[], withinMs: number): Promise<number[]> {
    const giveUpAt = performance.now() + withinMs
    for (;;) {
      const times = ids.map((id) => this.#times.get(id))
      if (times.every((time) => time !== undefined)) {
        this.#times = new Map()
        return times
      }
      const lost = times.filter((time) => time === undefined).length
      if (performance.now() > giveUpAt) throw new Error(`${lost} of ${ids.length} did not arrive`)
      await delay(20)
    }
  }
}
