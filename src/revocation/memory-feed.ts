import { randomUUID } from 'node:crypto'
import { elapsedMs, takeMoment } from '../clock.js'
import type { Revocation } from './revocation.js'
import type { ChangeBatch, ChangesOptions } from './store.js'

const BATCH_SIZE = 1_000
/** A reader that is further behind than this reads on from the table instead of its queue. */
const MAX_QUEUE = 10_000

/** A revocation, and the number of the change that last touched it. */
export interface NumberedRevocation extends Revocation {
  readonly sequence: number
}

interface Reader {
  queue: NumberedRevocation[]
  overflowed: boolean
  wake: () => void
}

/** The change feed of a store in memory: numbers the changes, and hands them to whoever reads. */
export class MemoryFeed {
  readonly #heartbeatMs: number
  readonly #entriesSince: (sequence: number) => NumberedRevocation[]
  readonly #readers = new Set<Reader>()
  readonly #generation = randomUUID()
  /** Made for the first reader: mostly there is none. */
  #closing: AbortController | undefined
  #sequence = 0

  /** @param entriesSince everything that was changed after that change, in the order of the changes */
  constructor(heartbeatMs: number, entriesSince: (sequence: number) => NumberedRevocation[]) {
    this.#heartbeatMs = heartbeatMs
    this.#entriesSince = entriesSince
  }

  /** Tells every reader of a change, and gives its number. */
  announce(revocation: Revocation): number {
    this.#sequence += 1
    const announced = { ...revocation, sequence: this.#sequence }
    for (const reader of this.#readers) {
      if (reader.queue.length < MAX_QUEUE) reader.queue.push(announced)
      else reader.overflowed = true
      reader.wake()
    }
    return this.#sequence
  }

  async *read({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    this.#closing ??= new AbortController()
    const ended = AbortSignal.any([signal, this.#closing.signal])
    const reader: Reader = { queue: [], overflowed: false, wake: () => {} }
    this.#readers.add(reader)
    // For all waits: a timer and a listener for each would cost almost as much as a change itself.
    const wake = () => reader.wake()
    const heartbeat = setTimeout(wake, this.#heartbeatMs).unref()
    ended.addEventListener('abort', wake)
    try {
      const known = this.#sequenceOf(after)
      let sequence = known ?? 0
      let restarted = known === undefined
      let backlog = this.#entriesSince(sequence)
      while (!ended.aborted) {
        const entries = backlog.splice(0, BATCH_SIZE)
        sequence = entries.at(-1)?.sequence ?? sequence
        const caughtUp = backlog.length === 0 && reader.queue.length === 0 && !reader.overflowed
        yield this.#batch(entries, sequence, caughtUp, restarted)
        restarted = false
        if (ended.aborted) return
        if (backlog.length > 0) continue
        if (reader.queue.length === 0 && !reader.overflowed) await nextChange(reader, heartbeat)
        // After an overflow the table knows all that the queue does not.
        const { queue, overflowed } = reader
        backlog = overflowed
          ? this.#entriesSince(sequence)
          : queue.filter((entry) => entry.sequence > sequence)
        reader.queue = []
        reader.overflowed = false
      }
    } finally {
      clearTimeout(heartbeat)
      ended.removeEventListener('abort', wake)
      this.#readers.delete(reader)
    }
  }

  /** Ends every reading. */
  close(): void {
    this.#closing ??= new AbortController()
    this.#closing.abort()
  }

  /** Which change a cursor is after; undefined where it is none of this feed. */
  #sequenceOf(cursor: string | undefined): number | undefined {
    const [generation, sequence] = cursor?.split(':') ?? []
    const number = Number(sequence)
    return generation === this.#generation && number >= 0 && number <= this.#sequence ? number : undefined
  }

  #batch(
    entries: readonly NumberedRevocation[],
    sequence: number,
    caughtUp: boolean,
    restarted: boolean,
  ): ChangeBatch {
    const takenAt = takeMoment()
    return {
      revocations: entries.map(withoutSequence),
      cursor: `${this.#generation}:${sequence}`,
      caughtUp,
      restarted,
      // It goes on counting: much can be added before the reader gets to see the batch.
      get ageMs() {
        return elapsedMs(takenAt)
      },
    }
  }
}

/** Resolves at the next change, heartbeat or end, whichever is first. */
function nextChange(reader: Reader, heartbeat: NodeJS.Timeout): Promise<void> {
  return new Promise((resolve) => {
    heartbeat.refresh()
    reader.wake = resolve
  })
}

/** The revocation alone. */
export function withoutSequence({ sequence: _, ...revocation }: NumberedRevocation): Revocation {
  return revocation
}
