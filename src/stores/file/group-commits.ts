import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Moment, takeMoment } from '../../clock.js'
import { type StoreFullError, StoreUnavailableError } from '../../errors.js'
import type { EncodedRecord } from './records.js'
import { PAGE_SIZE } from './revocation-database.js'

/** Calls without an answer: a file that stays locked must not fill the memory with them. */
const MAX_WAITING = 10_000

type Records = readonly EncodedRecord[]
type Outcome = StoreFullError | undefined

interface Call {
  readonly records: Records
  readonly since: Moment
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Writes what is added in one turn of the event loop, or while others write, in one transaction: it waits for the disk once. */
export class GroupCommits {
  readonly #write: (calls: readonly Records[], since: Moment) => Promise<readonly Outcome[]>
  readonly #calls: Call[] = []
  #writing: Promise<void> | undefined

  constructor(write: (calls: readonly Records[], since: Moment) => Promise<readonly Outcome[]>) {
    this.#write = write
  }

  /** Resolves when they are on the disk. At most `PAGE_SIZE` records. */
  add(records: Records): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#calls.length >= MAX_WAITING) {
        throw new StoreUnavailableError(`${MAX_WAITING} calls wait for the revocation file already`)
      }
      this.#calls.push({ records, since: takeMoment(), resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  /** Resolves when no call waits any more. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#calls.length > 0) {
      await nextTurn()
      await this.#writeGroup(this.#nextGroup())
    }
    this.#writing = undefined
  }

  #nextGroup(): readonly Call[] {
    let weight = 0
    const tooMany = this.#calls.findIndex(({ records }, index) => {
      weight += records.length
      return index > 0 && weight > PAGE_SIZE
    })
    return this.#calls.splice(0, tooMany < 0 ? this.#calls.length : tooMany)
  }

  async #writeGroup(group: readonly Call[]): Promise<void> {
    try {
      const since = (group[0] as Call).since
      const outcomes = await this.#write(
        group.map(({ records }) => records),
        since,
      )
      for (const [index, { resolve, reject }] of group.entries()) {
        if (outcomes[index] === undefined) resolve()
        else reject(outcomes[index])
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
