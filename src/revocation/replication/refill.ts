import { withDeadline } from '../../deadline.js'
import { notify, type Observer } from '../../observer.js'
import { pause } from '../../pause.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { FeedReader } from '../feed-reader.js'
import type { Revocation } from '../revocation.js'
import type { ChangeBatch } from '../store.js'
import { writeInBackground } from './background-write.js'
import { assertBatch } from './feed-batch.js'
import type { Replica } from './replica.js'

/** So many look-ups at once, each with its own deadline. */
const SLICE_SIZE = 20
const LONGEST_JITTER_MS = 500
const LONGEST_RETRY_MS = 5_000
const SILENCE_MS = 10_000

/** What a {@link Refill} needs. */
export interface RefillOptions {
  readonly target: Replica
  readonly sources: readonly Replica[]
  readonly timeoutMs: number
  /** Whether to add what the target lacks, or to wait until others have. */
  readonly writeBack: boolean
  /** Epoch milliseconds, by which a record is over. */
  readonly clock: () => number
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
  /**
   * When each `add` has been decided that was sent before the loss was noticed, by `performance.now()`: what the
   * target had recorded and lost, another may record only then.
   */
  readonly #decidedAt: number
  #entries = 0
  /** How many records it is given at once. */
  #addSize = SLICE_SIZE
  /** One source after the other, so that what one has given is not given again by the next. */
  #copying: Promise<unknown> = Promise.resolve()

  constructor(options: RefillOptions) {
    this.#options = options
    this.#decidedAt = performance.now() + options.timeoutMs
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
        const askedAt = performance.now() - batch.ageMs
        await assertBatch(batch, source.number)
        const copied = this.#copying.then(() => this.#copy(batch))
        this.#copying = copied.catch(() => {})
        await copied
        if (!batch.caughtUp || askedAt < this.#decidedAt) return false
        // Where it is in doubt, the next sign of life is after what its own feed says.
        if (!source.isLost && (source.doubts.exist || askedAt < source.refilledAt)) return false
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
    const { signal } = this.#closing
    for (let start = 0; start < revocations.length && !signal.aborted; start += SLICE_SIZE) {
      const startedAt = performance.now()
      await this.#copySlice(revocations.slice(start, start + SLICE_SIZE))
      // Half the time for everybody else.
      await pause(performance.now() - startedAt, signal)
    }
  }

  async #copySlice(slice: readonly Revocation[]): Promise<void> {
    const { target, writeBack, clock } = this.#options
    // What is over may have been forgotten rightly.
    const live = slice.filter(({ expiresAt }) => expiresAt > clock() / 1000)
    const held = await Promise.all(live.map((record) => this.#holds(record)))
    const missing = live.filter((_, index) => !held[index])
    if (missing.length === 0) return
    if (!writeBack) throw new Error(`Store ${target.number} lacks what others hold, and is not written to`)
    for (let start = 0; start < missing.length; ) {
      const added = missing.slice(start, start + this.#addSize)
      await this.#add(added)
      start += added.length
    }
  }

  async #add(revocations: readonly Revocation[]): Promise<void> {
    const { target, timeoutMs } = this.#options
    try {
      await writeInBackground(target.store, target.number, timeoutMs, revocations)
    } catch (error) {
      // It may be no more than too much at once.
      this.#addSize = Math.ceil(revocations.length / 2)
      throw error
    }
    this.#entries += revocations.length
  }

  /** Whether the target has this very record; where a wider one hides it, it is added once more. */
  async #holds(record: Revocation): Promise<boolean> {
    const { scope, id, cutoff, expiresAt } = record
    const { target, timeoutMs } = this.#options
    const asked = target.store.find(identityOf(record))
    const found = await withDeadline(`Store ${target.number}`, timeoutMs, asked, false)
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
