import type { IncomingMessage } from 'node:http'

/** More than any refresh token of Cognito's needs. */
export const MAX_BODY_BYTES = 16_384
/** How long a body may take to arrive, whatever becomes of it. */
const BODY_TIMEOUT_MS = 10_000

/** What became of a request's body: as another middleware has parsed it, or its bytes. */
type Body = { readonly parsed: unknown } | { readonly bytes: Uint8Array }

/** Gives a request's body once it is asked for; 'too large' or 'broken' where it cannot be had. */
export type BodyReader = () => Promise<Body | 'too large' | 'broken'>

/** The JSON value of a body; undefined for a body that has none. */
export function jsonOf(body: Body): unknown {
  const raw = 'parsed' in body ? body.parsed : body.bytes
  if (typeof raw !== 'string' && !(raw instanceof Uint8Array)) return raw
  try {
    const text = typeof raw === 'string' ? raw : new TextDecoder('utf-8', { fatal: true }).decode(raw)
    return JSON.parse(text)
  } catch {
    // Without what the parser says, which quotes the body.
    return undefined
  }
}

/** What body parsers leave on a request of Node's. */
type ParsedRequest = IncomingMessage & { readonly body?: unknown }

/**
 * Reads the body of a request of Node's; where somebody has read it before, takes what he left in `parsed`. Whether
 * it was read is asked of the stream: body parsers leave `{}` also where they read nothing.
 *
 * Who takes longer than ten seconds has the connection closed: not every server has a `requestTimeout`.
 */
export function nodeBody(request: ParsedRequest, parsed: () => unknown = () => request.body): BodyReader {
  return async () => {
    // Requests that an adapter made up may be no streams at all. An empty one was read without there being data.
    const isUnread = request.readableDidRead === false && !request.readableEnded && !request.destroyed
    if (!isUnread) return { parsed: parsed() }
    return new Promise((resolve) => {
      const chunks: Buffer[] = []
      let size = 0
      const timer = setTimeout(() => request.destroy(), BODY_TIMEOUT_MS).unref()
      const arrived = (): void => clearTimeout(timer)
      request.once('end', arrived).once('close', arrived)
      const settle = (body: Body | 'too large' | 'broken'): void => {
        request.off('data', take).off('end', end).off('close', fail)
        resolve(body)
        // What still comes is dropped, so that the connection can be used again.
        request.resume()
      }
      const take = (chunk: Buffer | string): void => {
        const bytes = Buffer.from(chunk as string)
        size += bytes.length
        if (size > MAX_BODY_BYTES) settle('too large')
        else chunks.push(bytes)
      }
      const end = (): void => settle({ bytes: Buffer.concat(chunks) })
      const fail = (): void => settle('broken')
      request.on('data', take).on('end', end).on('close', fail)
      // It stays: what comes after the end of the wait has nobody else to hear it.
      request.on('error', fail)
    })
  }
}

/** Reads the body of a request of the Fetch standard; where somebody has read it before, takes what he left. */
export function fetchBody(request: Request, parsed: () => Promise<unknown>): BodyReader {
  return async () => {
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      if (request.bodyUsed) return { parsed: await parsed() }
      const reader = request.body?.getReader()
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
        size += next.value.byteLength
        // Not cancelled: that would end the connection before the answer is read.
        if (size > MAX_BODY_BYTES) return 'too large'
        chunks.push(next.value)
      }
    } catch {
      return 'broken'
    }
    return { bytes: Buffer.concat(chunks) }
  }
}
