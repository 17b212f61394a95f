/** Those who wait for something to happen. */
export class Waiting {
  readonly #waiting = new Set<() => void>()

  /** Resolves at the next `wake()`, or when the time is over. */
  async forAtMost(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#waiting.add(done)
    })
  }

  wake(): void {
    for (const wake of this.#waiting) wake()
  }
}
