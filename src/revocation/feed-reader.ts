import { pause } from '../pause.js'
import type { ChangeBatch, ChangesOptions } from './store.js'

const FIRST_RETRY_MS = 50

/** What a {@link FeedReader} needs. */
export interface FeedReaderOptions {
  readonly open: (options: ChangesOptions) => AsyncIterable<ChangeBatch>
  /**
   * Takes a batch over; `restarted` where it begins a reading of everything. Resolves to true where the feed is
   * to be read afresh, from everything.
   */
  readonly apply: (batch: ChangeBatch, restarted: boolean) => Promise<boolean>
  /** A feed that says nothing for so long is given up, and opened again, in milliseconds. */
  readonly silenceMs: number
  /** How long to wait between two tries at most, in milliseconds. */
  readonly longestRetryMs: number
  /** Is told of each failure, and when it is tried again. */
  readonly failed: (error: Error, retryAfterMs: number) => void
  /** The cursor to go on from at first. Default: everything. */
  readonly after?: string | undefined
  /** Finds it, before anything is read; must not reject. Where no reading succeeds from there: everything. */
  readonly findAfter?: (() => Promise<string | undefined>) | undefined
}

/** Reads a change feed for as long as it is wanted: opens it again where it fails, ends or falls silent. */
export class FeedReader {
  readonly #options: FeedReaderOptions
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined
  #cursor: string | undefined
  /** Failures since a batch that was caught up has been taken over. */
  #failures = 0
  #lastError: Error | undefined
  /** Whether the cursor was found, and nothing has been caught up from it yet. */
  #isUntried = false

  constructor(options: FeedReaderOptions) {
    this.#options = options
    this.#cursor = options.after
  }

  /** After the last batch that has been taken over: to go on from. Undefined where that is everything. */
  get cursor(): string | undefined {
    return this.#cursor
  }

  /** Why there is no feed at the moment; undefined while there is. */
  get lastError(): Error | undefined {
    return this.#lastError
  }

  /** Begins to read, at the first call. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const closing = this.#closing.signal
    const { findAfter } = this.#options
    if (findAfter !== undefined) {
      this.#cursor = await findAfter()
      this.#isUntried = this.#cursor !== undefined
    }
    while (!closing.aborted) {
      try {
        if (await this.#read()) {
          await pause(this.#options.longestRetryMs, closing)
          continue
        }
        if (!closing.aborted) throw new Error('The change feed ended')
      } catch (cause) {
        if (!closing.aborted) await this.#failed(cause)
        if (this.#isUntried && this.#failures > 1) {
          // It may be the cursor that the store fails at.
          this.#cursor = undefined
          this.#isUntried = false
        }
      }
    }
  }

  /** Reads until the feed ends. @returns whether it is to be opened again at once, from everything */
  async #read(): Promise<boolean> {
    // A signal for each opening: one that hangs is left behind for good.
    const attempt = new AbortController()
    const { signal } = attempt
    const wait = new BatchWait(this.#options.silenceMs)
    const end = () => {
      attempt.abort()
      wait.giveUp(new Error('The change feed was closed'))
    }
    this.#closing.signal.addEventListener('abort', end)
    const after = this.#cursor
    let iterator: AsyncIterator<ChangeBatch> | undefined
    try {
      const feed = this.#options.open(after === undefined ? { signal } : { signal, after })
      iterator = feed[Symbol.asyncIterator]()
      for (let isFirst = true; ; isFirst = false) {
        const { value: batch, done } = await wait.next(iterator)
        if (done || signal.aborted) return false
        const restarted = batch.restarted === true || (isFirst && after === undefined)
        const afresh = await this.#options.apply(batch, restarted)
        if (batch.caughtUp) {
          this.#isUntried = false
          this.#failures = 0
          this.#lastError = undefined
        }
        this.#cursor = afresh ? undefined : batch.cursor
        // Closed while it was taken over: the next wait would not hear of it.
        if (signal.aborted) return false
        if (afresh) return true
      }
    } finally {
      wait.end()
      attempt.abort()
      this.#closing.signal.removeEventListener('abort', end)
      // Without waiting: what hangs would hang here as well.
      void Promise.resolve(iterator?.return?.()).catch(() => {})
    }
  }

  async #failed(cause: unknown): Promise<void> {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    this.#lastError = error
    const { longestRetryMs, failed } = this.#options
    const longest = Math.min(longestRetryMs, FIRST_RETRY_MS * 2 ** this.#failures)
    this.#failures += 1
    // Spread, so that a server that comes back is not met by all processes at once.
    const retryAfterMs = longest * (0.5 + Math.random() / 2)
    failed(error, retryAfterMs)
    await pause(retryAfterMs, this.#closing.signal)
  }
}

/** Waits for the batches of one reading; one timer does for all, since timers cost more than a small batch. */
class BatchWait {
  readonly #timer: NodeJS.Timeout
  #reject: (reason: Error) => void = () => {}

  constructor(silenceMs: number) {
    const silent = () => this.giveUp(new Error(`The change feed was silent for ${silenceMs} ms`))
    this.#timer = setTimeout(silent, silenceMs).unref()
  }

  /** The next batch, unless it takes too long or is not wanted any more. */
  next(iterator: AsyncIterator<ChangeBatch>): Promise<IteratorResult<ChangeBatch>> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      this.#timer.refresh()
      Promise.resolve(iterator.next()).then(resolve, reject)
    })
  }

  /** Ends the wait that is under way; while a batch is taken over, there is none. */
  giveUp(reason: Error): void {
    this.#reject(reason)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
