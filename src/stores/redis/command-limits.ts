import type { RedisConnection } from './redis-client.js'

/**
 * Commands that the client still holds, also those that nobody waits for any more: while Redis is away, or hangs,
 * it keeps them all, to send them later or to match their answers.
 */
const MAX_UNSETTLED = 10_000

interface Pending {
  readonly sentAt: number
  readonly reject: (error: Error) => void
}

/**
 * A connection whose every command is answered or rejected within a time, and that takes no more than it can
 * carry. One timer for all: since all have the same time, they are over in the order in which they were sent.
 */
export class CommandLimits implements RedisConnection {
  readonly #connection: RedisConnection
  readonly #timeoutMs: number
  /** What somebody waits for. */
  readonly #pending = new Set<Pending>()
  #unsettled = 0
  #timer: NodeJS.Timeout | undefined

  constructor(connection: RedisConnection, timeoutMs: number) {
    this.#connection = connection
    this.#timeoutMs = timeoutMs
  }

  send(key: string, command: readonly string[]): Promise<unknown> {
    return this.#limited(() => this.#connection.send(key, command))
  }

  pipeline(key: string, commands: readonly (readonly string[])[]): Promise<unknown[]> {
    return this.#limited(() => this.#connection.pipeline(key, commands))
  }

  #limited<T>(send: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#unsettled >= MAX_UNSETTLED) {
        reject(new Error(`${MAX_UNSETTLED} commands wait for an answer already`))
        return
      }
      const pending = { sentAt: performance.now(), reject }
      const sent = send()
      this.#unsettled += 1
      this.#pending.add(pending)
      this.#timer ??= setTimeout(() => this.#expire(), this.#timeoutMs).unref()
      const settle = () => {
        this.#unsettled -= 1
        this.#pending.delete(pending)
      }
      sent.then(
        (reply) => {
          settle()
          resolve(reply)
        },
        (error) => {
          settle()
          reject(error)
        },
      )
    })
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const pending of this.#pending) {
      const leftMs = pending.sentAt + this.#timeoutMs - now
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#expire(), Math.ceil(leftMs)).unref()
        return
      }
      this.#pending.delete(pending)
      pending.reject(new Error(`no answer within ${this.#timeoutMs} ms`))
    }
  }
}
