import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock } from '../clock.js'
import { notify, type Observer } from '../observer.js'
import { pause } from './feed-reader.js'
import type { Revocation } from './revocation.js'
import type { RevocationStore } from './store.js'
import type { RevocationTable } from './table/revocation-table.js'

const BATCH_SIZE = 500
const SHORTEST_PAUSE_MS = 5
const MAX_ATTEMPTS = 6
const FIRST_RETRY_MS = 250

/** What a {@link WriteBack} needs. */
export interface WriteBackOptions {
  readonly store: RevocationStore
  readonly table: RevocationTable
  /** Whether to write, or to report only. */
  readonly write: boolean
  /** It starts at a random moment of this time, so that mirrors do not all write the same at once. */
  readonly jitterMs: number
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
    for await (const entries of this.#lost(round, signal)) {
      while (entries.length > 0) {
        const batch = entries.splice(0, BATCH_SIZE).filter((entry) => table.isUnseen(entry, round))
        if (batch.length === 0) continue
        const startedAt = performance.now()
        if (!(await this.#write(batch, signal))) return
        written += batch.length
        // Half the time for everybody else.
        await pause(Math.max(SHORTEST_PAUSE_MS, performance.now() - startedAt), signal)
      }
    }
    if (written > 0) notify(observer, { type: 'mirror_wrote_back', entries: written })
  }

  /** The entries that the reading did not bring and that are not over: those may have been forgotten rightly. */
  async *#lost(round: number, signal: AbortSignal): AsyncGenerator<Revocation[]> {
    for (const slice of this.#options.table.unseen(round)) {
      if (signal.aborted) return
      const now = systemClock() / 1000
      const entries = slice.filter(({ expiresAt }) => expiresAt > now)
      if (entries.length > 0) yield entries
      await nextTurn()
    }
  }

  /** @returns whether it was written, at some attempt */
  async #write(batch: readonly Revocation[], signal: AbortSignal): Promise<boolean> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.#options.store.add(batch)
        return true
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error(String(cause))
        notify(this.#options.observer, { type: 'mirror_write_back_failed', entries: batch.length, error })
        if (attempt + 1 === MAX_ATTEMPTS) return false
        await pause(FIRST_RETRY_MS * 2 ** attempt, signal)
      }
    }
    return false
  }
}
