import { StoreProtocolError, StoreUnavailableError } from '../errors.js'
import type { ChangeBatch, RevocationStore } from '../revocation/store.js'

/** One reading of a store's change feed, in which no wait is longer than a deadline. */
export class FeedReading {
  readonly #iterator: AsyncIterator<ChangeBatch>
  readonly #controller = new AbortController()
  readonly #silenceMs: number

  constructor(store: RevocationStore, after: string | undefined, silenceMs: number) {
    const { signal } = this.#controller
    if (store.changes === undefined) throw new StoreProtocolError('The store has no change feed')
    const feed = store.changes(after === undefined ? { signal } : { signal, after })
    this.#iterator = feed[Symbol.asyncIterator]()
    this.#silenceMs = silenceMs
  }

  /** The next batch; undefined once it was closed. @throws what the store throws, or StoreUnavailableError */
  async next(): Promise<ChangeBatch | undefined> {
    const { signal } = this.#controller
    if (signal.aborted) return undefined
    let giveUp = () => {}
    const over = new Promise<undefined>((resolve, reject) => {
      const closed = () => resolve(undefined)
      const silent = () =>
        reject(new StoreUnavailableError(`The change feed was silent for ${this.#silenceMs} ms`))
      const timer = setTimeout(silent, this.#silenceMs).unref()
      signal.addEventListener('abort', closed)
      giveUp = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', closed)
      }
    })
    const next = this.#iterator.next()
    // Nobody may come to wait for it.
    next.catch(() => {})
    try {
      const result = await Promise.race([next, over])
      if (result === undefined || signal.aborted) return undefined
      if (result.done) throw new StoreUnavailableError('The change feed ended')
      return result.value
    } finally {
      giveUp()
    }
  }

  /** Ends it, without waiting: what hangs would hang here as well. */
  close(): void {
    this.#controller.abort()
    void Promise.resolve(this.#iterator.return?.()).catch(() => {})
  }
}
