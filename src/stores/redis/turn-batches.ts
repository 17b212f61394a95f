import type { ShardKeys } from './layout.js'

/** Calls without an answer; a server that hangs must not fill the memory with them. */
const MAX_WAITING = 10_000

/** What a {@link TurnBatches} needs. */
export interface TurnBatchesOptions<Item, Result> {
  /** How much one command takes, which holds up the server while it runs. */
  readonly maxWeight: number
  readonly weigh: (item: Item) => number
  /** Sends one command. Resolves to a result for each item. */
  readonly send: (keys: ShardKeys, items: readonly Item[]) => Promise<readonly Result[]>
}

interface Call<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets calls that begin in the same turn of the event loop, as after an answer to many, go in one command: on
 * both sides, most of what a call costs is its command. One alone waits for no other.
 */
export class TurnBatches<Item, Result> {
  readonly #options: TurnBatchesOptions<Item, Result>
  #gathered = new Map<ShardKeys, Call<Item, Result>[]>()
  #waiting = 0

  constructor(options: TurnBatchesOptions<Item, Result>) {
    this.#options = options
  }

  /** @throws what the command that it goes in throws */
  run(keys: ShardKeys, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#waiting >= MAX_WAITING) {
        reject(new Error(`${MAX_WAITING} calls wait for an answer already`))
        return
      }
      this.#waiting += 1
      if (this.#gathered.size === 0) process.nextTick(() => this.#sendGathered())
      const calls = this.#gathered.get(keys)
      if (calls === undefined) this.#gathered.set(keys, [{ item, resolve, reject }])
      else calls.push({ item, resolve, reject })
    })
  }

  #sendGathered(): void {
    const gathered = this.#gathered
    this.#gathered = new Map()
    for (const [keys, calls] of gathered) {
      let batch: Call<Item, Result>[] = []
      let weight = 0
      for (const call of calls) {
        const more = this.#options.weigh(call.item)
        if (batch.length > 0 && weight + more > this.#options.maxWeight) {
          void this.#send(keys, batch)
          batch = []
          weight = 0
        }
        batch.push(call)
        weight += more
      }
      void this.#send(keys, batch)
    }
  }

  async #send(keys: ShardKeys, calls: readonly Call<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.send(
        keys,
        calls.map(({ item }) => item),
      )
      for (const [index, { resolve }] of calls.entries()) resolve(results[index] as Result)
    } catch (error) {
      for (const { reject } of calls) reject(error)
    } finally {
      this.#waiting -= calls.length
    }
  }
}
