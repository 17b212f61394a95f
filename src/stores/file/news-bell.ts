/** Wakes the feeds of this process when it has added something itself. */
export class NewsBell {
  readonly #waiting = new Set<() => void>()
  #rung = 0

  /** How often it has rung. */
  get rung(): number {
    return this.#rung
  }

  ring(): void {
    this.#rung += 1
    for (const wake of this.#waiting) wake()
  }

  /** Resolves when it has rung since, at the end of the time, or at the signal. Keeps no process alive. */
  wait(since: number, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.#rung !== since || signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms).unref()
      signal.addEventListener('abort', done)
      this.#waiting.add(done)
    })
  }
}
