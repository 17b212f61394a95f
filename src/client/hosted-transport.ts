import { setTimeout as sleep } from 'node:timers/promises'
import { createTimedSignal } from '../deadline.js'
import { rejectionOf } from './abort.js'
import { EndpointRefusal, toOAuthError } from './oauth-errors.js'

/** Far more than any answer takes: the largest holds three tokens. */
const MAX_BODY_BYTES = 256 * 1024
/** How long a call with all its attempts may take: so many requests. As the AWS SDK's calls have it. */
const CALL_TIMEOUT_IN_REQUESTS = 4
const MAX_ATTEMPTS = 3
const FIRST_PAUSE_MS = 100

/** How `fetch` is called. */
export type Fetch = (url: string, init: object) => Promise<Response>

/** How an endpoint is called. */
export interface HostedCall {
  /** What is sent and must not come back in an error. */
  readonly sensitive: readonly (string | undefined)[]
  readonly signal: AbortSignal | undefined
  /**
   * `always`: what may be done twice. `unprocessed`: a code is good once, and a rotated refresh token may be: only
   * after a refusal by quota, or where the connection was never there.
   */
  readonly repeat: 'always' | 'unprocessed'
  /** What was asked for at the token endpoint; decides what a refusal means. */
  readonly grant?: string
}

/** Requests to the hosted endpoints: in time, no redirects, small answers, repeated where that is safe. */
export class HostedTransport {
  readonly #requestTimeoutMs: number

  constructor(requestTimeoutMs: number) {
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /**
   * Makes a request and reads its answer, three times at most.
   *
   * @param endpoint such as `POST /oauth2/token`
   * @param send makes one request with the `fetch` that it is given
   * @throws a typed error; the signal's reason, once it is aborted
   */
  async call<T>(endpoint: string, send: (fetch: Fetch) => Promise<T>, call: HostedCall): Promise<T> {
    call.signal?.throwIfAborted()
    const ended = createTimedSignal(this.#requestTimeoutMs * CALL_TIMEOUT_IN_REQUESTS, call.signal)
    try {
      return await this.#repeat(send, call.repeat, ended.signal)
    } catch (error) {
      call.signal?.throwIfAborted()
      throw toOAuthError(endpoint, error, call)
    } finally {
      ended.release()
    }
  }

  async #repeat<T>(
    send: (fetch: Fetch) => Promise<T>,
    repeat: HostedCall['repeat'],
    ended: AbortSignal,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(send, ended)
      } catch (error) {
        const again = attempt < MAX_ATTEMPTS && !ended.aborted && mayRepeat(error, repeat)
        // With jitter, so that many who failed together do not come again together.
        const pauseMs = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
        if (!again || !(await paused(pauseMs, ended))) throw error
      }
    }
  }

  async #once<T>(send: (fetch: Fetch) => Promise<T>, ended: AbortSignal): Promise<T> {
    const { signal, release } = createTimedSignal(this.#requestTimeoutMs, ended)
    const aborted = rejectionOf(signal)
    try {
      const sending = send(async (url, init) =>
        readAnswer(await fetch(url, { ...init, redirect: 'manual', signal })),
      )
      sending.catch(() => {})
      return await Promise.race([sending, aborted.promise])
    } finally {
      release()
      aborted.release()
    }
  }
}

/** Waits; false where the time is over first. */
async function paused(ms: number, ended: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal: ended })
    return true
  } catch {
    return false
  }
}

/**
 * The same answer, read to its end. What is not 200 is thrown here, so that nobody else reads an error's body. Of one
 * that is too long its status counts all the same.
 */
async function readAnswer(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop cancels the body.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES && response.status !== 200) break
    if (size > MAX_BODY_BYTES) throw new RangeError(`The answer is over ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  if (response.status !== 200) throw new EndpointRefusal(response.status, body.toString('utf8'))
  return new Response(body, { status: 200, headers: response.headers })
}

/** Nothing was sent: the name is not known, or nobody listens. */
const UNCONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']

function mayRepeat(error: unknown, repeat: HostedCall['repeat']): boolean {
  if (error instanceof EndpointRefusal) {
    return error.status === 429 || (error.status >= 500 && repeat === 'always')
  }
  if (!(error instanceof Error)) return false
  const { code } = (error.cause ?? {}) as { code?: string }
  if (code !== undefined && UNCONNECTED.includes(code)) return true
  // What `fetch` throws: a broken connection, an answer that is cut off, or this attempt's time being over.
  const isOfNetwork = (error instanceof TypeError && code !== undefined) || error.name === 'TimeoutError'
  return repeat === 'always' && isOfNetwork
}
