import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { CognitoRevocationError, StoreProtocolError, StoreUnavailableError } from '../../errors.js'
import { type CheckedHttpOptions, isApiKey } from './http-options.js'

/** Bytes of an answer that is no stream. */
const MAX_ANSWER_BYTES = 1_048_576

/** An answer of the service, whole. */
export interface Answer {
  readonly status: number
  readonly text: string
  /** The key that was sent, which no error may quote. */
  readonly key: string
}

/**
 * Requests to the service. By `node:http` and not by `fetch`: a stream must not keep the process alive, and no
 * redirect is ever followed, which would hand the key to another host.
 */
export class HttpTransport {
  readonly #options: CheckedHttpOptions
  readonly #request: typeof httpRequest
  /** Keeps connections, and makes requests wait where there are too many. */
  readonly #agent: HttpAgent
  #isClosed = false

  constructor(options: CheckedHttpOptions) {
    this.#options = options
    const isSecure = options.base.startsWith('https:')
    this.#request = isSecure ? httpsRequest : httpRequest
    const agentOptions = { keepAlive: true, maxSockets: options.maxConnections }
    this.#agent = isSecure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  }

  /** Sends JSON. @throws StoreUnavailableError, StoreProtocolError */
  async post(path: string, body: string): Promise<Answer> {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = { method: 'POST', agent: this.#agent, headers }
    try {
      return await this.#inTime(async (signal) => {
        const send = () => this.#send(path, { ...options, signal }, body)
        // A connection that was kept may be closed just then. What is sent twice does no harm.
        const sent = await send().catch((error) => (isStale(error) ? send() : Promise.reject(error)))
        return await readAnswer(sent)
      })
    } catch (error) {
      throw transportError(error)
    }
  }

  /**
   * Opens a stream, which does not keep the process alive. Gives the answer where there is none.
   *
   * @throws StoreUnavailableError, StoreProtocolError
   */
  async stream(path: string, headers: Record<string, string>, closing: AbortSignal): Promise<Sent | Answer> {
    const options = { method: 'GET', agent: false, headers: { accept: 'text/event-stream', ...headers } }
    try {
      return await this.#inTime(async (signal) => {
        const ended = AbortSignal.any([signal, closing])
        const sent = await this.#send(path, { ...options, signal: ended }, undefined)
        return sent.response.statusCode === 200 ? sent : await readAnswer(sent)
      }, closing)
    } catch (error) {
      throw transportError(error)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#agent.destroy()
  }

  /** Within the time, of which nothing is left over once it has succeeded. */
  async #inTime<T>(run: (signal: AbortSignal) => Promise<T>, closing?: AbortSignal): Promise<T> {
    const { timeoutMs } = this.#options
    const controller = new AbortController()
    let expire: () => void = () => {}
    const expired = new Promise<never>((_, reject) => {
      expire = () => {
        reject(new Error(closing?.aborted ? 'it was closed' : `no answer within ${timeoutMs} ms`))
        controller.abort()
      }
    })
    const timer = setTimeout(expire, timeoutMs).unref()
    closing?.addEventListener('abort', expire)
    try {
      return await Promise.race([run(controller.signal), expired])
    } finally {
      clearTimeout(timer)
      closing?.removeEventListener('abort', expire)
    }
  }

  async #send(path: string, options: RequestOptions, body: string | undefined): Promise<Sent> {
    const key: unknown = await this.#options.key()
    if (!isApiKey(key)) throw new Error('the option "key" gave something that cannot be an API key')
    options.signal?.throwIfAborted()
    if (this.#isClosed) throw new Error('the store is closed')
    return await new Promise((resolve, reject) => {
      const headers = { ...options.headers, authorization: `Bearer ${key}` }
      const request = this.#request(this.#options.base + path, { ...options, headers })
      request.once('response', (response) => resolve({ response, key }))
      request.on('error', (error) => {
        // What came instead of an answer, which may quote the request.
        Reflect.deleteProperty(error, 'rawPacket')
        const isReused = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
        reject(isReused ? Object.assign(error, { isStale: true }) : error)
      })
      if (options.agent === false) request.once('socket', (socket) => socket.unref())
      request.end(body)
    })
  }
}

function isStale(error: unknown): boolean {
  return error instanceof Error && 'isStale' in error
}

/** A request that is being answered, and the key that it was made with. */
export interface Sent {
  readonly response: IncomingMessage
  readonly key: string
}

async function readAnswer({ response, key }: Sent): Promise<Answer> {
  const { statusCode: status = 0, headers } = response
  if (headers['content-encoding'] !== undefined) {
    response.destroy()
    throw new StoreProtocolError('The answer is compressed, which nobody asked for')
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the response.
    if (bytes > MAX_ANSWER_BYTES) throw new StoreProtocolError(`The answer is over ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return { status, text: Buffer.concat(chunks).toString(), key }
}

/** An error of this library for what went wrong on the way. */
export function transportError(error: unknown): CognitoRevocationError {
  if (error instanceof CognitoRevocationError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  return new StoreUnavailableError(`The service could not be asked: ${cause.message}`, { cause })
}
