import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Duplex, Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { assertInteger, assertOptions, assertString, optionError } from '../options.js'
import { NOT_READING } from './changes-stream.js'
import { LINGER_MS, refuseConnection, refuseMalformed } from './raw-refusal.js'
import { Refusal } from './refusal.js'
import { RevocationService } from './revocation-service.js'

/** Options of {@link listenRevocationService}. */
export interface ListenOptions {
  /** The TCP port; 0 for one that is free. */
  readonly port: number
  /** The address. Default '127.0.0.1': this speaks plain http, so others come through a proxy with TLS. */
  readonly host?: string
  /** How many connections are open at once; more are closed as they come. Default 4,000. */
  readonly maxConnections?: number
  /** How long the header of a request may take to arrive, in milliseconds. Default 5,000, or `requestTimeoutMs` if that is less. */
  readonly headersTimeoutMs?: number
  /** How long a whole request may take to arrive, in milliseconds. Default 15,000. */
  readonly requestTimeoutMs?: number
  /** How long an idle connection is kept; longer than the proxy keeps its own, in milliseconds. Default 65,000. */
  readonly keepAliveTimeoutMs?: number
  /** How long a client may leave what it was sent unread, in milliseconds. Default 10,000. */
  readonly stalledClientMs?: number
  /** Bytes of a request's header. Default 16,384. */
  readonly maxHeaderBytes?: number
}

/** A service that listens. */
export interface RevocationServiceListener {
  readonly host: string
  readonly port: number
  /** `http://host:port`, for the option `url` of `HttpRevocationStore`. */
  readonly url: string
  /** Ends every connection, and listens no more. The service stays open. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const OWNER = 'listenRevocationService'

/** What each connection is being answered. */
const answering = new WeakMap<Duplex, ServerResponse>()

/**
 * Listens for a service, on Node's own HTTP server. It keeps the process alive until it is closed.
 *
 * @throws TypeError naming the option; what the system says where the port cannot be had
 * @example
 * import { listenRevocationService, RevocationService } from 'cognito-revocation/server'
 * const listener = await listenRevocationService(new RevocationService({ store, keys }), { port: 8080 })
 */
export async function listenRevocationService(
  service: RevocationService,
  options: ListenOptions,
): Promise<RevocationServiceListener> {
  if (!(service instanceof RevocationService))
    throw optionError(OWNER, 'service', 'a RevocationService', service)
  const { port, host, maxConnections, stalledClientMs, ...timeouts } = checkListenOptions(options)
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void answer(service, request, response, stalledClientMs)
  const server = createServer(
    {
      // Without one it is refused here, and not by Node.
      requireHostHeader: false,
      headersTimeout: timeouts.headersTimeoutMs,
      requestTimeout: timeouts.requestTimeoutMs,
      keepAliveTimeout: timeouts.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, timeouts.headersTimeoutMs),
      maxHeaderSize: timeouts.maxHeaderBytes,
    },
    listener,
  )
  server.maxConnections = maxConnections
  server.on('clientError', (error, socket) => refuseMalformed(service, error, socket, answering.get(socket)))
  // What is expected, other than to be told to go on, may be passed over (RFC 9110, section 10.1.1).
  server.on('checkExpectation', listener)
  server.on('connect', (_, socket) => refuseConnection(service, socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const close = () => closeServer(server)
  const { port: actualPort } = server.address() as AddressInfo
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}`
  return { host, port: actualPort, url, close, [Symbol.asyncDispose]: close }
}

const DURATIONS = ['requestTimeoutMs', 'headersTimeoutMs', 'keepAliveTimeoutMs', 'stalledClientMs'] as const
const KNOWN = ['port', 'host', 'maxConnections', 'maxHeaderBytes', ...DURATIONS]

function checkListenOptions(options: ListenOptions): Required<ListenOptions> {
  assertOptions(OWNER, options, KNOWN)
  const { port, host = '127.0.0.1', maxConnections = 4_000, maxHeaderBytes = 16_384 } = options
  const { requestTimeoutMs = 15_000, headersTimeoutMs = Math.min(5_000, requestTimeoutMs) } = options
  const { keepAliveTimeoutMs = 65_000, stalledClientMs = 10_000 } = options
  const durations = { requestTimeoutMs, headersTimeoutMs, keepAliveTimeoutMs, stalledClientMs }
  assertString(OWNER, 'host', host)
  assertInteger(OWNER, 'port', port, 0, 65_535)
  assertInteger(OWNER, 'maxConnections', maxConnections, 1, 1_000_000)
  assertInteger(OWNER, 'maxHeaderBytes', maxHeaderBytes, 8_192, 1_048_576)
  for (const name of DURATIONS) assertInteger(OWNER, name, durations[name], 10, 3_600_000)
  if (headersTimeoutMs > requestTimeoutMs) {
    throw optionError(OWNER, 'headersTimeoutMs', 'at most requestTimeoutMs', headersTimeoutMs)
  }
  return { port, host, maxConnections, maxHeaderBytes, ...durations }
}

async function answer(
  service: RevocationService,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  stalledClientMs: number,
): Promise<void> {
  answering.set(incoming.socket, outgoing)
  outgoing.once('close', () => {
    if (answering.get(incoming.socket) === outgoing) answering.delete(incoming.socket)
  })
  outgoing.on('error', () => {})
  incoming.on('error', () => {})
  let response: Response
  try {
    response = await service.fetch(toRequest(incoming))
  } catch (cause) {
    const refusal = cause instanceof Refusal ? cause : new Refusal('request_malformed', { cause })
    service.refused(refusal)
    response = refusal.toResponse()
  }
  try {
    await send(response, incoming, outgoing, stalledClientMs)
  } catch {
    // The client does not read, or is gone; or the stream was given up.
    outgoing.destroy()
  }
}

/** @throws Refusal, TypeError where it is no request that could be answered */
function toRequest(incoming: IncomingMessage): Request {
  const { method = '', url = '' } = incoming
  // RFC 9112, section 3.2.
  const lacksHost = incoming.headers.host === undefined && incoming.httpVersion === '1.1'
  if (lacksHost || !url.startsWith('/')) throw new Refusal('request_malformed')
  if (/^(trace|track)$/i.test(method)) throw new Refusal('method_not_allowed', { allow: 'GET, POST' })
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const body = hasBody ? (Readable.toWeb(incoming) as NodeReadableStream<Uint8Array> as ReadableStream) : null
  // The host is the sender's word; nothing here goes by it.
  return new Request(`http://localhost${url}`, {
    method,
    headers,
    body,
    duplex: 'half',
  } as RequestInit)
}

async function send(
  response: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  stalledClientMs: number,
): Promise<void> {
  // What was not read of the request is not waited for.
  const isUnread = !incoming.complete
  if (isUnread) outgoing.setHeader('connection', 'close')
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  const reader = response.body?.getReader()
  const cancel = (reason?: unknown) => void reader?.cancel(reason).catch(() => {})
  const gone = () => cancel()
  outgoing.once('close', gone)
  if (outgoing.destroyed) gone()
  try {
    for (;;) {
      const part = await reader?.read()
      if (part === undefined || part.done) break
      if (!outgoing.write(part.value)) await drained(outgoing, 'drain', stalledClientMs)
      if (outgoing.destroyed) return
    }
    outgoing.end()
    if (!outgoing.writableFinished) await drained(outgoing, 'finish', stalledClientMs)
  } catch (error) {
    cancel(NOT_READING)
    throw error
  }
  if (isUnread) setTimeout(() => incoming.destroy(), LINGER_MS).unref()
}

function drained(outgoing: ServerResponse, event: 'drain' | 'finish', withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      clearTimeout(timer)
      outgoing.off(event, done)
      outgoing.off('close', closed)
      settled()
    }
    const done = () => settle(resolve)
    // Its stream was cancelled already.
    const closed = () => settle(resolve)
    const timer = setTimeout(() => settle(() => reject(new Error('The client does not read'))), withinMs)
    outgoing.once(event, done)
    outgoing.once('close', closed)
    if (outgoing.destroyed) closed()
  })
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
