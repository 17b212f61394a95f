import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock } from '../clock.js'
import { CutoffInFutureError } from '../errors.js'
import { notify, type Observer } from '../observer.js'
import { pause } from '../pause.js'
import type { Revocation } from './revocation.js'
import type { RevocationStore } from './store.js'
import type { RevocationTable } from './table/revocation-table.js'

const BATCH_SIZE = 500
const SHORTEST_PAUSE_MS = 5
const FIRST_RETRY_MS = 250

/** What a {@link WriteBack} needs. */
export interface WriteBackOptions {
  readonly store: RevocationStore
  readonly table: RevocationTable
  /** Whether to write, or to report only. */
  readonly write: boolean
  /** Whether the reading told of this user pool; of others it proves nothing lost. */
  readonly covers: (poolId: string) => boolean
  /** It starts at a random moment of this time, so that mirrors do not all write the same at once. */
  readonly jitterMs: number
  /** How long to wait between two tries at most, in milliseconds. */
  readonly longestRetryMs: number
  readonly observer: Observer | undefined
}

/**
 * Gives back to a store what it has lost: a table's entries that a reading of everything did not bring.
 * Several mirrors do so at once; what another has given back comes by the feed, and is left out here.
 */
export class WriteBack {
  readonly #options: WriteBackOptions
  #current = new AbortController()
  #closed = false

  constructor(options: WriteBackOptions) {
    this.#options = options
  }

  /** Begins, after a reading of everything that was this round; ends the work of an earlier one. */
  begin(round: number): void {
    this.#current.abort()
    this.#current = new AbortController()
    if (!this.#closed) void this.#run(round, this.#current.signal)
  }

  close(): void {
    this.#closed = true
    this.#current.abort()
  }

  async #run(round: number, signal: AbortSignal): Promise<void> {
    const { table, write, jitterMs, observer } = this.#options
    let lost = 0
    for await (const entries of this.#lost(round, signal)) lost += entries.length
    if (signal.aborted) return
    notify(observer, { type: 'mirror_resynchronized', entries: table.size, lost })
    if (lost === 0 || !write) return

    await pause(Math.random() * jitterMs, signal)
    let written = 0
    for await (const entries of this.#lost(round, signal))
      written += await this.#write(round, entries, signal)
    if (written > 0 && !signal.aborted) notify(observer, { type: 'mirror_wrote_back', entries: written })
  }

  /**
   * The entries that the reading did not bring and that are not over (those may have been forgotten rightly), in
   * batches.
   */
  async *#lost(round: number, signal: AbortSignal): AsyncGenerator<readonly Revocation[]> {
    const { table, covers } = this.#options
    let batch: Revocation[] = []
    for (const slice of table.unseen(round)) {
      const now = systemClock() / 1000
      for (const entry of slice) {
        if (signal.aborted) return
        if (entry.expiresAt > now && covers(entry.poolId) && batch.push(entry) === BATCH_SIZE) {
          yield batch
          batch = []
        }
      }
      await nextTurn()
    }
    if (batch.length > 0) yield batch
  }

  /**
   * Tries until it succeeds, ever more seldom: nobody else may know of these entries.
   *
   * @returns how many were left to be written
   */
  async #write(round: number, entries: readonly Revocation[], signal: AbortSignal): Promise<number> {
    const { store, table, longestRetryMs, observer } = this.#options
    for (let attempt = 0; !signal.aborted; attempt++) {
      const batch = entries.filter((entry) => table.isUnseen(entry, round))
      if (batch.length === 0) return 0
      const startedAt = performance.now()
      try {
        await store.add(batch)
        // Half the time for everybody else.
        await pause(Math.max(SHORTEST_PAUSE_MS, performance.now() - startedAt), signal)
        return batch.length
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause))
        notify(observer, { type: 'mirror_write_back_failed', entries: batch.length, error })
        // One of them is not what this store takes: it must not hold up the others.
        if (error instanceof TypeError || error instanceof CutoffInFutureError) {
          const half = Math.ceil(batch.length / 2)
          if (batch.length === 1) return 0
          const first = await this.#write(round, batch.slice(0, half), signal)
          return first + (await this.#write(round, batch.slice(half), signal))
        }
        await pause(Math.min(longestRetryMs, FIRST_RETRY_MS * 2 ** attempt), signal)
      }
    }
    return 0
  }
}
