import { withDeadline } from '../../deadline.js'
import { CutoffInFutureError } from '../../errors.js'
import { notify, type Observer } from '../../observer.js'
import { pause } from '../../pause.js'
import { copyOf, mergeExtents, purgeableAt, type Revocation } from '../revocation.js'
import type { RevocationStore } from '../store.js'

/** Some megabytes. What does not fit is in the other stores. */
const MAX_WAITING = 10_000
const BATCH_SIZE = 500
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
      failures = (await this.#tryAll()) ? 0 : failures + 1
    }
    this.#running = false
  }

  /** @returns whether all that was tried has been done with */
  async #tryAll(): Promise<boolean> {
    const { store, replica, timeoutMs, observer, closing } = this.#options
    let size = BATCH_SIZE
    while (this.#waiting.size > 0 && !closing.aborted) {
      const now = Date.now() / 1000
      for (const [key, record] of this.#waiting) if (purgeableAt(record) < now) this.#waiting.delete(key)
      const batch = [...this.#waiting].slice(0, size)
      const records = batch.map(([, record]) => copyOf(record))
      try {
        await withDeadline(`Store ${replica}`, timeoutMs, store.add(records), false)
        notify(observer, { type: 'replica_write_completed', replica, entries: batch.length })
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause))
        if (!isRefusal(error)) return false
        // One of them is not what this store takes: it must not hold up the others.
        if (batch.length > 1) {
          size = Math.ceil(batch.length / 2)
          continue
        }
        this.#dropped(1, error)
      }
      // Unless more of it came meanwhile.
      for (const [key, record] of batch) if (this.#waiting.get(key) === record) this.#waiting.delete(key)
    }
    return true
  }

  #dropped(entries: number, error: Error): void {
    const { replica, observer } = this.#options
    notify(observer, { type: 'replica_write_dropped', replica, entries, error })
  }
}

/** Whether a store will never take it. */
function isRefusal(error: Error): boolean {
  return error instanceof TypeError || error instanceof CutoffInFutureError
}

function merge(present: Revocation | undefined, added: Revocation): Revocation {
  if (present === undefined) return added
  const { poolId, scope, id, audit = present.audit } = added
  const record = { poolId, scope, id, ...mergeExtents(present, added) }
  return audit === undefined ? record : { ...record, audit }
}
