import { StoreUnavailableError } from '../errors.js'

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
export interface TurnBatchesOptions<Key, Item, Result> {
  readonly waiting: WaitingCalls
  /** How much one request takes, which holds up the server while it runs. */
  readonly maxWeight: number
  readonly weigh: (item: Item) => number
  /**
   * How many requests are under way at once; meanwhile all that comes gathers for the next, so that a server that
   * slows down gets fewer, and larger ones. Default any number.
   */
  readonly maxUnderWay?: number
  /** How long a call may wait for that, in milliseconds; then it is rejected without being sent. Default for ever. */
  readonly maxWaitMs?: number
  /** Sends one request. Resolves to a result for each item, where there are any. */
  readonly send: (key: Key, items: readonly Item[]) => Promise<readonly Result[] | undefined>
}

interface Call<Item, Result> {
  readonly item: Item
  readonly since: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

interface Batch<Item, Result> {
  calls: Call<Item, Result>[]
  weight: number
}

/**
 * Lets calls of one key that begin in the same turn of the event loop, as after an answer to many, go in one
 * request: on both sides, most of what a call costs is its request. One alone waits for no other.
 */
export class TurnBatches<Key, Item, Result> {
  readonly #options: TurnBatchesOptions<Key, Item, Result>
  readonly #gathered = new Map<Key, Batch<Item, Result>[]>()
  #underWay = 0
  /** Whether something is kept back for want of an answer. */
  #isHeld = false
  #expiry: NodeJS.Timeout | undefined

  constructor(options: TurnBatchesOptions<Key, Item, Result>) {
    this.#options = options
  }

  /**
   * @throws what the request throws that it goes in; Error where too many wait already
   * @throws StoreUnavailableError where it waited for too long
   */
  run(key: Key, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { waiting, weigh, maxWeight } = this.#options
      waiting.begin()
      if (this.#gathered.size === 0) process.nextTick(() => this.#sendGathered())
      const weight = weigh(item)
      const batches = this.#gathered.get(key) ?? []
      this.#gathered.set(key, batches)
      let batch = batches.at(-1)
      if (batch === undefined || batch.weight + weight > maxWeight) {
        batch = { calls: [], weight: 0 }
        batches.push(batch)
      }
      batch.calls.push({ item, since: performance.now(), resolve, reject })
      batch.weight += weight
    })
  }

  /** Rejects all that is not sent yet. */
  reject(error: Error): void {
    this.#rejectWhere(() => true, error)
  }

  #rejectWhere(isOver: (call: Call<Item, Result>) => boolean, error: Error): void {
    const { waiting, weigh } = this.#options
    for (const [key, batches] of this.#gathered) {
      for (const batch of batches) {
        for (const call of batch.calls.filter(isOver)) {
          call.reject(error)
          waiting.end(1)
          batch.weight -= weigh(call.item)
        }
        batch.calls = batch.calls.filter((call) => !isOver(call))
      }
      const left = batches.filter(({ calls }) => calls.length > 0)
      if (left.length === 0) this.#gathered.delete(key)
      else this.#gathered.set(key, left)
    }
  }

  /** Looks again when the oldest of what is held has waited for too long. */
  #watchHeld(): void {
    const { maxWaitMs } = this.#options
    if (maxWaitMs === undefined || this.#expiry !== undefined || this.#gathered.size === 0) return
    const now = performance.now()
    // Of each key, the first call is the oldest.
    const oldest = Math.min(...[...this.#gathered.values()].map(([first]) => first?.calls[0]?.since ?? now))
    const expire = () => {
      this.#expiry = undefined
      const error = new StoreUnavailableError(`${maxWaitMs} ms were over before it could be sent`)
      const latest = performance.now() - maxWaitMs
      this.#rejectWhere(({ since }) => since <= latest, error)
      this.#watchHeld()
    }
    this.#expiry = setTimeout(expire, Math.ceil(oldest + maxWaitMs - now)).unref()
  }

  /** As many as may be under way, each key's first; the others when one of these has its answer. */
  #sendGathered(): void {
    const { maxUnderWay = Number.POSITIVE_INFINITY } = this.#options
    for (const [key, batches] of this.#gathered) {
      this.#isHeld = this.#underWay >= maxUnderWay
      if (this.#isHeld) {
        this.#watchHeld()
        return
      }
      // Behind the others, if there is more of it.
      this.#gathered.delete(key)
      const [batch, ...more] = batches
      if (more.length > 0) this.#gathered.set(key, more)
      if (batch !== undefined) void this.#send(key, batch.calls)
    }
  }

  async #send(key: Key, calls: readonly Call<Item, Result>[]): Promise<void> {
    this.#underWay += 1
    try {
      const results = await this.#options.send(
        key,
        calls.map(({ item }) => item),
      )
      for (const [index, { resolve }] of calls.entries()) resolve(results?.[index] as Result)
    } catch (error) {
      for (const { reject } of calls) reject(error)
    } finally {
      this.#options.waiting.end(calls.length)
      this.#underWay -= 1
      if (this.#isHeld) this.#sendGathered()
    }
  }
}
