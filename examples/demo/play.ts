import { setTimeout as delay } from 'node:timers/promises'

const WIDTH = 62

/** Prints what happens step by step, with the time it took, and keeps the score. */
export class Play {
  readonly #startedAt = performance.now()
  #steps = 0
  #failed = 0

  scene(title: string): void {
    console.log(`\n${title}\n`)
  }

  /** Does something that must succeed; the play ends where it does not. */
  async step<T>(text: string, action: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      const value = await action()
      this.#print(text, 'done', startedAt, true)
      return value
    } catch (error) {
      this.#print(text, String(error), startedAt, false)
      this.end()
      process.exit(1)
    }
  }

  /** Asks something that must have this answer. */
  async expect(text: string, ask: () => Promise<string | undefined>, answer: string): Promise<void> {
    const startedAt = performance.now()
    const got = await ask().catch(String)
    const right = got?.replace(/\.$/, '') === answer
    this.#print(`  ${text}`, right ? answer : `${got}, but ${answer} was expected`, startedAt, right)
  }

  /** Prints the score, and makes the process fail if a step did not hold. */
  end(): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1)
    const failed = this.#failed === 0 ? 'every one as it should be' : `${this.#failed} FAILED`
    console.log(`\n${this.#steps} steps in ${seconds} s, ${failed}.\n`)
    if (this.#failed > 0) process.exitCode = 1
  }

  #print(text: string, result: string, startedAt: number, right: boolean): void {
    this.#steps += 1
    if (!right) this.#failed += 1
    const ms = `${(performance.now() - startedAt).toFixed(0)} ms`
    console.log(`${right ? '✓' : '✗'} ${text.padEnd(WIDTH)} ${ms.padStart(8)}   ${result}`)
  }
}

/** Resolves when this second has begun. */
export async function until(epochSeconds: number): Promise<void> {
  await delay(Math.max(0, epochSeconds * 1000 - Date.now()))
}
