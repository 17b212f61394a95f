/** How {@link FakeCognito.failNext} fails an operation. */
export interface FaultOptions {
  /** The exception's message. Default: that a test asked for it. */
  readonly message?: string
  /** How many requests fail. Default 1; `Infinity` until {@link FakeCognito.clearFaults}. */
  readonly times?: number
  /** The operation takes effect, and only its answer is lost. Default false. */
  readonly afterEffect?: boolean
  /** Default: as the exception has it, 400 for most. */
  readonly httpStatus?: number
  /** At a hosted endpoint: this text is the answer's body, instead of OAuth's JSON. */
  readonly plainBody?: string
}

/** A failure to come. */
export interface Fault extends FaultOptions {
  readonly exception: string
}

/** What {@link FakeCognito.failNext} is told instead of an exception to break the connection. */
export const socketHangUp = 'socket hang up'

/** The failures and delays that tests have asked for, by operation, each queue first in, first out. */
export class Faults {
  readonly #failures = new Map<string, { fault: Fault; remaining: number }[]>()
  readonly #delays = new Map<string, number[]>()
  /** What befalls the requests for which nothing was asked for. */
  standing: Pick<Faults, 'takeFailure' | 'takeDelay'> | undefined

  fail(operation: string, fault: Fault): void {
    const times = fault.times ?? 1
    if (!(times >= 1)) throw new TypeError(`times must be 1 or more, but is ${times}`)
    const queue = this.#failures.get(operation) ?? []
    queue.push({ fault, remaining: times })
    this.#failures.set(operation, queue)
  }

  delay(operation: string, ms: number): void {
    if (!(ms >= 0)) throw new TypeError(`ms must be 0 or more, but is ${ms}`)
    const queue = this.#delays.get(operation) ?? []
    queue.push(ms)
    this.#delays.set(operation, queue)
  }

  /** The failure for this request, if one is due; it counts as played. */
  takeFailure(operation: string, grant?: string): Fault | undefined {
    const queue = this.#failures.get(operation)
    const first = queue?.[0]
    if (first === undefined) return this.standing?.takeFailure(operation, grant)
    first.remaining -= 1
    if (first.remaining < 1) queue?.shift()
    return first.fault
  }

  /** The delay in milliseconds for this request, if one is due; it counts as played. */
  takeDelay(operation: string): number | undefined {
    return this.#delays.get(operation)?.shift() ?? this.standing?.takeDelay(operation)
  }

  clear(): void {
    this.#failures.clear()
    this.#delays.clear()
  }
}

/**
 * What a `fetch` throws when the peer hangs up. It has the fields of Node's own connection errors, by which
 * msw tells a broken connection from a handler that went wrong.
 */
export function createConnectionError(): Error {
  return Object.assign(new TypeError('fetch failed'), {
    code: 'ECONNRESET',
    errno: -104,
    syscall: 'read',
    cause: Object.assign(new Error(socketHangUp), { code: 'ECONNRESET' }),
  })
}
