import type { RedisConnection } from './redis-client.js'

/** Commands without an answer; a server that hangs must not fill the memory with them. */
const MAX_PENDING = 10_000

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
  readonly #pending = new Set<Pending>()
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
      if (this.#pending.size >= MAX_PENDING) {
        reject(new Error(`${MAX_PENDING} commands wait for an answer already`))
        return
      }
      const pending = { sentAt: performance.now(), reject }
      this.#pending.add(pending)
      this.#timer ??= setTimeout(() => this.#expire(), this.#timeoutMs).unref()
      send().then(
        (reply) => {
          this.#pending.delete(pending)
          resolve(reply)
        },
        (error) => {
          this.#pending.delete(pending)
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
