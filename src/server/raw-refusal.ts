import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { Refusal } from './refusal.js'
import type { RevocationService } from './revocation-service.js'

/** How long a client that was refused may go on sending, so that it gets to read why, in milliseconds. */
export const LINGER_MS = 1_000

/**
 * Refuses what Node could not take for a request.
 *
 * @param answering what the connection is being answered already
 */
export function refuseMalformed(
  service: RevocationService,
  error: NodeJS.ErrnoException,
  socket: Duplex,
  answering: ServerResponse | undefined,
): void {
  // Nobody is there to be answered, or is being answered already.
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent) {
    socket.destroy()
    return
  }
  const codes: Record<string, 'headers_too_large' | 'request_timeout'> = {
    HPE_HEADER_OVERFLOW: 'headers_too_large',
    ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  }
  const refusal = new Refusal(codes[error.code ?? ''] ?? 'request_malformed')
  // Of a request whose body is being read, the service tells by itself, once that breaks off.
  if (answering === undefined) service.refused(refusal)
  write(refusal, socket)
}

/** Refuses to be a proxy. */
export function refuseConnection(service: RevocationService, socket: Duplex): void {
  socket.on('error', () => {})
  const refusal = new Refusal('method_not_allowed', { allow: 'GET, POST' })
  service.refused(refusal)
  write(refusal, socket)
}

function write(refusal: Refusal, socket: Duplex): void {
  const { title, status } = refusal.details
  const body = JSON.stringify(refusal.details)
  const headers = { ...refusal.headers, 'content-length': Buffer.byteLength(body), connection: 'close' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`)
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
