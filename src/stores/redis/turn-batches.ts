import type { ShardKeys } from './layout.js'

/** Calls without an answer; a server that hangs must not fill the memory with them. */
const MAX_WAITING = 10_000

/** Counts the calls of one store that are without an answer. */
export class WaitingCalls {
  #count = 0

  /** @throws Error where there are too many already */
  begin(): void {
    if (this.#count >= MAX_WAITING) throw new Error(`${MAX_WAITING} calls wait for an answer already`)
    this.#count += 1
  }

  end(count: number): void {
    this.#count -= count
  }
}

/** What a {@link TurnBatches} needs. */
export interface TurnBatchesOptions<Item, Result> {
  readonly waiting: WaitingCalls
  /** How much one command takes, which holds up the server while it runs. */
  readonly maxWeight: number
  readonly weigh: (item: Item) => number
  /** Sends one command. Resolves to a result for each item, where there are any. */
  readonly send: (keys: ShardKeys, items: readonly Item[]) => Promise<readonly Result[] | undefined>
}

interface Call<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

interface Batch<Item, Result> {
  readonly calls: Call<Item, Result>[]
  weight: number
}

/**
 * Lets calls that begin in the same turn of the event loop, as after an answer to many, go in one command: on
 * both sides, most of what a call costs is its command. One alone waits for no other.
 */
export class TurnBatches<Item, Result> {
  readonly #options: TurnBatchesOptions<Item, Result>
  #gathered = new Map<ShardKeys, Batch<Item, Result>>()

  constructor(options: TurnBatchesOptions<Item, Result>) {
    this.#options = options
  }

  /** @throws what the command throws that it goes in; Error where too many wait already */
  run(keys: ShardKeys, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { waiting, weigh, maxWeight } = this.#options
      waiting.begin()
      if (this.#gathered.size === 0) process.nextTick(() => this.#sendGathered())
      const weight = weigh(item)
      let batch = this.#gathered.get(keys)
      if (batch === undefined || batch.weight + weight > maxWeight) {
        // A full one need not wait for the end of the turn.
        if (batch !== undefined) void this.#send(keys, batch.calls)
        batch = { calls: [], weight: 0 }
        this.#gathered.set(keys, batch)
      }
      batch.calls.push({ item, resolve, reject })
      batch.weight += weight
    })
  }

  #sendGathered(): void {
    const gathered = this.#gathered
    this.#gathered = new Map()
    for (const [keys, { calls }] of gathered) void this.#send(keys, calls)
  }

  async #send(keys: ShardKeys, calls: readonly Call<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.send(
        keys,
        calls.map(({ item }) => item),
      )
      for (const [index, { resolve }] of calls.entries()) resolve(results?.[index] as Result)
    } catch (error) {
      for (const { reject } of calls) reject(error)
    } finally {
      this.#options.waiting.end(calls.length)
    }
  }
}
