import { steadyClock } from '../../clock.js'
import { notify, type Observer } from '../../observer.js'
import { pause } from '../../pause.js'
import { copyOf, mergeExtents, purgeableAt, type Revocation } from '../revocation.js'
import type { RevocationStore } from '../store.js'
import { writeInBackground } from './background-write.js'
import { isRefusal } from './refusal.js'

/** Some megabytes. What does not fit is in the other stores. */
const MAX_WAITING = 10_000
const MAX_BATCH_SIZE = 500
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5_000

/** What {@link LateWrites} need. */
export interface LateWritesOptions {
  readonly store: RevocationStore
  /** Which of the stores it is, counted from 1. */
  readonly replica: number
  readonly timeoutMs: number
  readonly observer: Observer | undefined
  readonly closing: AbortSignal
}

/** What a store has failed to record: tried again, ever more seldom, until it has, or they are over. */
export class LateWrites {
  readonly #options: LateWritesOptions
  readonly #waiting = new Map<string, Revocation>()
  /** A wall clock that was set forwards must not make a record look over. */
  readonly #clock = steadyClock()
  /** How many are tried at once: fewer where so many fail, since it may be no more than too much at once. */
  #batchSize = MAX_BATCH_SIZE
  /** Batches, in all. */
  #completed = 0
  #running = false

  constructor(options: LateWritesOptions) {
    this.#options = options
  }

  /** Takes over what has failed for this reason. */
  add(revocations: readonly Revocation[], error: Error): void {
    const { replica, observer, closing } = this.#options
    if (closing.aborted || revocations.length === 0) return
    notify(observer, { type: 'replica_write_failed', replica, entries: revocations.length, error })
    if (isRefusal(error)) {
      this.#dropped(revocations.length, error)
      return
    }
    let dropped = 0
    for (const revocation of revocations) {
      const key = JSON.stringify([revocation.poolId, revocation.scope, revocation.id])
      const present = this.#waiting.get(key)
      if (present === undefined && this.#waiting.size >= MAX_WAITING) dropped += 1
      else this.#waiting.set(key, merge(present, revocation))
    }
    if (dropped > 0) this.#dropped(dropped, error)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    const { closing } = this.#options
    this.#running = true
    for (let failures = 0; this.#waiting.size > 0; ) {
      const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
      await pause(longest * (0.5 + Math.random() / 2), closing)
      if (closing.aborted) break
      const completed = this.#completed
      failures = (await this.#tryAll()) || this.#completed > completed ? 0 : failures + 1
    }
    this.#running = false
  }

  /** @returns whether all that was tried has been done with */
  async #tryAll(): Promise<boolean> {
    const { store, replica, timeoutMs, observer, closing } = this.#options
    while (this.#waiting.size > 0 && !closing.aborted) {
      this.#dropWhatIsOver()
      const batch = [...this.#waiting].slice(0, this.#batchSize)
      if (batch.length === 0) break
      const records = batch.map(([, record]) => copyOf(record))
      try {
        await writeInBackground(store, replica, timeoutMs, records)
        this.#batchSize = Math.min(MAX_BATCH_SIZE, Math.ceil(1.1 * this.#batchSize))
        this.#completed += 1
        notify(observer, { type: 'replica_write_completed', replica, entries: batch.length })
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause))
        this.#batchSize = Math.ceil(batch.length / 2)
        if (!isRefusal(error)) {
          // One that fails alone must not hold up the others either.
          if (batch.length === 1) for (const [key] of batch) this.#putLast(key)
          return false
        }
        // One of them is not what this store takes: it must not hold up the others.
        if (batch.length > 1) continue
        this.#dropped(1, error)
      }
      // Unless more of it came meanwhile.
      for (const [key, record] of batch) if (this.#waiting.get(key) === record) this.#waiting.delete(key)
    }
    return true
  }

  #putLast(key: string): void {
    const record = this.#waiting.get(key)
    if (record === undefined) return
    this.#waiting.delete(key)
    this.#waiting.set(key, record)
  }

  #dropWhatIsOver(): void {
    const nowSeconds = this.#clock() / 1000
    const sizeBefore = this.#waiting.size
    for (const [key, record] of this.#waiting) if (purgeableAt(record) < nowSeconds) this.#waiting.delete(key)
    const over = sizeBefore - this.#waiting.size
    if (over > 0) this.#dropped(over, new Error('They are over, and need not be recorded any more'))
  }

  #dropped(entries: number, error: Error): void {
    const { replica, observer } = this.#options
    notify(observer, { type: 'replica_write_dropped', replica, entries, error })
  }
}

function merge(present: Revocation | undefined, added: Revocation): Revocation {
  if (present === undefined) return added
  const { poolId, scope, id, audit = present.audit } = added
  const record = { poolId, scope, id, ...mergeExtents(present, added) }
  return audit === undefined ? record : { ...record, audit }
}
