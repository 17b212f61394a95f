import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { elapsedMs, takeMoment } from '../../clock.js'
import { pause } from '../../pause.js'
import { isTransient } from './dynamodb-errors.js'

const FIRST_RETRY_MS = 25
const LONGEST_RETRY_MS = 400
/** Requests that the client holds, also those that nobody waits for any more: they must not fill the memory. */
const MAX_UNSETTLED = 10_000

/** What a {@link Requests} needs. */
export interface RequestsOptions {
  readonly client: DynamoDBClient
  readonly tableName: string
  /** How long a request may take, with its retries, in milliseconds. */
  readonly timeoutMs: number
}

/** How a request is sent. */
interface SendOptions {
  readonly abortSignal: AbortSignal
}

/** One request, which may be sent several times. */
export type Request<T> = (client: DynamoDBClient, options: SendOptions) => Promise<T>

/**
 * Requests to one table, each with a deadline. Where DynamoDB throttles or fails inside, a request is sent again
 * until then, after pauses that grow and are spread.
 */
export class Requests {
  readonly tableName: string
  readonly #client: DynamoDBClient
  readonly #timeoutMs: number
  #unsettled = 0

  constructor({ client, tableName, timeoutMs }: RequestsOptions) {
    this.#client = client
    this.tableName = tableName
    this.#timeoutMs = timeoutMs
  }

  /** @param signal gives it up early */
  async run<T>(request: Request<T>, signal?: AbortSignal): Promise<T> {
    if (this.#unsettled >= MAX_UNSETTLED) {
      throw new Error(`${MAX_UNSETTLED} requests wait for an answer already`)
    }
    const sentAt = takeMoment()
    const abort = new AbortController()
    let lastError: unknown
    let timer: NodeJS.Timeout | undefined
    let give: (() => void) | undefined
    const givenUp = new Promise<never>((_, reject) => {
      const giveUp = (error: unknown) => {
        reject(error)
        abort.abort()
      }
      timer = setTimeout(() => giveUp(lastError ?? this.#tooLate()), this.#timeoutMs)
      give = () => giveUp(lastError ?? signal?.reason)
      if (signal?.aborted) give()
      signal?.addEventListener('abort', give)
    })
    this.#unsettled += 1
    const answered = this.#sendUntil(request, abort.signal, (error) => {
      lastError = error
    }).finally(() => {
      this.#unsettled -= 1
    })
    try {
      const answer = await Promise.race([answered, givenUp])
      // A process that was stopped finds old answers when it goes on.
      if (elapsedMs(sentAt) > this.#timeoutMs) throw this.#tooLate()
      return answer
    } finally {
      clearTimeout(timer)
      if (give !== undefined) signal?.removeEventListener('abort', give)
    }
  }

  async #sendUntil<T>(
    request: Request<T>,
    abortSignal: AbortSignal,
    failed: (error: unknown) => void,
  ): Promise<T> {
    for (let retry = 0; ; retry++) {
      try {
        return await request(this.#client, { abortSignal })
      } catch (error) {
        if (abortSignal.aborted || !isTransient(error)) throw error
        failed(error)
        const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** retry)
        await pause(longest * (0.5 + Math.random() / 2), abortSignal)
        if (abortSignal.aborted) throw error
      }
    }
  }

  #tooLate(): Error {
    return new Error(`no answer within ${this.#timeoutMs} ms`)
  }
}
