import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { call, type Listening, listen } from './http.js'

/** A request on its way to DynamoDB. */
interface ProxiedCall {
  /** As in `x-amz-target`: `UpdateItem`, … */
  readonly operation: string
  // biome-ignore lint/suspicious/noExplicitAny: what DynamoDB takes
  readonly body: any
  /** How many came before it. */
  readonly index: number
  /** What DynamoDB answers. Undone calls are sent by this. */
  forward(body?: unknown): Promise<{ status: number; body: unknown }>
}

/** What becomes of a call: its answer, `cut` (nothing is sent on), `lose` (done, but never answered). */
export type Fate = { readonly status: number; readonly body: unknown } | 'cut' | 'lose'

/** Undefined: it passes. */
export type Intercept = (call: ProxiedCall) => Fate | undefined | Promise<Fate | undefined>

/** An error as DynamoDB tells it. */
export function dynamodbError(name: string, status = 400, message = 'said the proxy'): Fate {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message } }
}

/** Stands between a client and DynamoDB, on loopback, and does to its requests what DynamoDB and networks do. */
export class DynamoDBProxy {
  readonly endpoint: string
  /** The operations that came, in their order. */
  readonly operations: string[] = []
  /** Asked of every call. */
  intercept: Intercept = () => undefined
  /** Milliseconds that the Date of every answer is ahead. */
  clockOffsetMs = 0
  /** How long each answer is held back, in milliseconds. */
  delayMs = 0
  readonly #listening: Listening
  readonly #port: number

  private constructor(listening: Listening, port: number) {
    this.#listening = listening
    this.#port = port
    this.endpoint = listening.url
  }

  static async start(port: number): Promise<DynamoDBProxy> {
    const holder: { proxy?: DynamoDBProxy } = {}
    const listening = await listen((request, response) => {
      holder.proxy?.handle(request, response).catch(() => response.destroy())
    })
    holder.proxy = new DynamoDBProxy(listening, port)
    return holder.proxy
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    const index = this.operations.push(operation) - 1
    const own = JSON.parse(Buffer.concat(chunks).toString())
    const forward = async (body: unknown = own) => {
      const text = JSON.stringify(body)
      const headers = { ...request.headers, 'content-length': String(Buffer.byteLength(text)) }
      const answer = await call(this.#port, { method: 'POST', headers, body: text })
      return { status: answer.status, body: JSON.parse(answer.text) as unknown }
    }
    const fate = await this.intercept({ operation, body: own, index, forward })
    if (fate === 'cut') return void response.destroy()
    const answer = fate === undefined || fate === 'lose' ? await forward() : fate
    if (fate === 'lose') return void response.destroy()
    if (this.delayMs > 0) await delay(this.delayMs)
    const date = new Date(Date.now() + this.clockOffsetMs).toUTCString()
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0', date }).end(text)
  }

  close(): Promise<void> {
    return this.#listening.close()
  }
}
