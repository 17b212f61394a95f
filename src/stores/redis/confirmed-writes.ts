import { StoreUnavailableError } from '../../errors.js'
import type { OwnRedisConnection } from './redis-client.js'
import type { Script } from './scripts.js'

/** What {@link ConfirmedWrites} needs. */
export interface ConfirmedWritesOptions {
  readonly open: () => Promise<OwnRedisConnection>
  readonly replicas: number
  readonly timeoutMs: number
}

/**
 * Writes that replicas confirm. WAIT speaks of what its own connection wrote, and holds it up: so these have one
 * that nobody else uses, and that does not reconnect between the two.
 */
export class ConfirmedWrites {
  readonly #options: ConfirmedWritesOptions
  #connection: Promise<OwnRedisConnection> | undefined
  /** The same, once it is open. */
  #open: OwnRedisConnection | undefined
  #closed = false

  constructor(options: ConfirmedWritesOptions) {
    this.#options = options
  }

  /** Gives what the script does. @throws StoreUnavailableError where too few replicas confirm it in time */
  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { replicas, timeoutMs } = this.#options
    if (this.#closed) throw new StoreUnavailableError('The store is closed')
    // It may have broken long ago, while nothing was written.
    if (this.#open?.isClosed()) this.#forget()
    this.#connection ??= this.#options.open()
    const opening = this.#connection
    try {
      const connection = await opening
      if (this.#connection === opening) this.#open = connection
      const wait = ['WAIT', String(replicas), String(timeoutMs)]
      const [reply, confirmed] = await this.#inTime(
        connection,
        connection.pipeline(keys[0] as string, [script.command(keys, args), wait]),
      )
      if (Number(confirmed) >= replicas) return reply
      throw new StoreUnavailableError(
        `Recorded, but only ${Number(confirmed)} of ${replicas} replicas confirmed it in time: add again`,
      )
    } catch (error) {
      // The next write gets a new one, unless another has it already.
      if (!(error instanceof StoreUnavailableError) && this.#connection === opening) this.#forget()
      throw error
    }
  }

  #forget(): void {
    this.#connection?.then((connection) => connection.destroy()).catch(() => {})
    this.#connection = undefined
    this.#open = undefined
  }

  close(): void {
    this.#closed = true
    this.#forget()
  }

  /** Twice the time: Redis itself waits for the replicas, and those before it in the line did. */
  async #inTime<T>(connection: OwnRedisConnection, reply: Promise<T>): Promise<T> {
    const ms = 2 * this.#options.timeoutMs
    const timer = setTimeout(() => connection.destroy(), ms)
    try {
      return await reply
    } finally {
      clearTimeout(timer)
    }
  }
}
