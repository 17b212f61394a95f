import { withDeadline } from '../../deadline.js'
import { notify, type Observer } from '../../observer.js'
import { pause } from '../../pause.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { FeedReader } from '../feed-reader.js'
import type { Revocation } from '../revocation.js'
import type { ChangeBatch } from '../store.js'
import type { Replica } from './replica.js'

const SLICE_SIZE = 100
const LONGEST_JITTER_MS = 500
const LONGEST_RETRY_MS = 5_000
const SILENCE_MS = 10_000

/** What a {@link Refill} needs. */
export interface RefillOptions {
  readonly target: Replica
  readonly sources: readonly Replica[]
  readonly timeoutMs: number
  readonly observer: Observer | undefined
  /** Called whenever a source has been read to its end, or is not believed any more. */
  readonly progressed: () => void
}

/**
 * Gives to a store that has lost data what other stores hold: reads all of each, asks the target for each
 * record, and adds what it lacks. Several processes do so at once; what another has given back is left out.
 */
export class Refill {
  readonly #options: RefillOptions
  readonly #closing = new AbortController()
  readonly #readers = new Map<Replica, FeedReader>()
  /** The sources that were read to their end, and whether they were whole then. */
  readonly #done = new Map<Replica, boolean>()
  #entries = 0
  /** One source after the other, so that what one has given is not given again by the next. */
  #copying: Promise<unknown> = Promise.resolve()

  constructor(options: RefillOptions) {
    this.#options = options
    void this.#begin()
  }

  /** How many entries it has given back. */
  get entries(): number {
    return this.#entries
  }

  /** How many sources have been read to their end; and of those, how many had lost nothing. */
  get read(): { readonly all: number; readonly whole: number } {
    return { all: this.#done.size, whole: [...this.#done.values()].filter(Boolean).length }
  }

  /** A source has lost data, too: what was read of it is not all. */
  distrust(source: Replica): void {
    if (this.#done.has(source)) this.#done.set(source, false)
  }

  /** A source has been refilled: there is more to be read. */
  readAgain(source: Replica): void {
    if (this.#done.delete(source) && !this.#closing.signal.aborted) this.#read(source)
  }

  close(): void {
    this.#closing.abort()
    for (const reader of this.#readers.values()) void reader.close()
  }

  async #begin(): Promise<void> {
    // Not all processes at the same moment.
    await pause(Math.random() * LONGEST_JITTER_MS, this.#closing.signal)
    if (this.#closing.signal.aborted) return
    for (const source of this.#options.sources) this.#read(source)
  }

  #read(source: Replica): void {
    const { target, observer } = this.#options
    const reader = new FeedReader({
      open: (options) => source.changes(options),
      apply: async (batch) => {
        const copied = this.#copying.then(() => this.#copy(batch))
        this.#copying = copied.catch(() => {})
        await copied
        // Where it is in doubt, the next sign of life is after what its own feed says.
        if (!batch.caughtUp || (!source.isLost && source.doubts.size > 0)) return false
        // What tells of some user pools only is not all.
        this.#finish(source, reader, !source.isLost && batch.pools === undefined)
        return false
      },
      silenceMs: SILENCE_MS,
      longestRetryMs: LONGEST_RETRY_MS,
      failed: (error, retryAfterMs) =>
        notify(observer, { type: 'replica_refill_failed', replica: target.number, error, retryAfterMs }),
    })
    this.#readers.set(source, reader)
    reader.start()
  }

  #finish(source: Replica, reader: FeedReader, isWhole: boolean): void {
    if (this.#closing.signal.aborted) return
    void reader.close()
    this.#done.set(source, isWhole)
    this.#options.progressed()
  }

  async #copy({ revocations }: ChangeBatch): Promise<void> {
    const { target, timeoutMs } = this.#options
    const { signal } = this.#closing
    for (let start = 0; start < revocations.length && !signal.aborted; start += SLICE_SIZE) {
      const startedAt = performance.now()
      // What is over may have been forgotten rightly.
      const live = revocations
        .slice(start, start + SLICE_SIZE)
        .filter(({ expiresAt }) => expiresAt > Date.now() / 1000)
      const held = await this.#withDeadline(Promise.all(live.map((record) => this.#holds(record))))
      const missing = live.filter((_, index) => !held[index])
      if (missing.length > 0) {
        await withDeadline(`Store ${target.number}`, timeoutMs, target.store.add(missing), false)
        this.#entries += missing.length
      }
      // Half the time for everybody else.
      await pause(performance.now() - startedAt, signal)
    }
  }

  #withDeadline<T>(promise: Promise<T>): Promise<T> {
    const { target, timeoutMs } = this.#options
    return withDeadline(`Store ${target.number}`, timeoutMs, promise, false)
  }

  /** Whether the target has this very record; where a wider one hides it, it is added once more. */
  async #holds(record: Revocation): Promise<boolean> {
    const { scope, id, cutoff, expiresAt } = record
    const found = await this.#options.target.store.find(identityOf(record))
    if (found?.scope !== scope || found.id !== id || found.expiresAt < expiresAt) return false
    return found.cutoff === undefined || (cutoff !== undefined && found.cutoff >= cutoff)
  }
}

/** A token that is revoked by this record, and by no other but wider ones. */
function identityOf({ poolId, scope, id, cutoff = 0 }: Revocation): TokenIdentity {
  // What no user and no app client is called.
  const other = { poolId, sub: '-', clientId: '-', iat: cutoff }
  switch (scope) {
    case 'token':
      return { ...other, jti: id }
    case 'session':
      return { ...other, originJti: id }
    case 'user':
      return { ...other, sub: id }
    case 'client':
      return { ...other, clientId: id }
    case 'pool':
      return other
  }
}
