import {
  type Agent,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type RequestListener,
  request,
  type Server,
  type ServerOptions,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'

/** A server on a free port of 127.0.0.1. */
export interface Listening {
  readonly server: Server
  readonly port: number
  readonly url: string
  /** Stops listening and breaks open connections. */
  close(): Promise<void>
}

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Call {
  readonly method?: string
  readonly path?: string
  /** An array is sent as it is: name, value, name, value, … */
  readonly headers?: OutgoingHttpHeaders | readonly string[]
  readonly body?: string | Buffer
  readonly agent?: Agent
}

export async function listen(handler: RequestListener, options: ServerOptions = {}): Promise<Listening> {
  const server = createServer(options, handler)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    server,
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A request by node:http, which sends what fetch would not: any header, twice if need be. */
export function call(port: number, { method, path, headers = {}, body, agent }: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: '127.0.0.1', port, method: method ?? 'GET', path: path ?? '/', agent: agent ?? false },
      headers: headers as OutgoingHttpHeaders,
    }
    const sent = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, headers: received } = response
        resolve({ status: statusCode, headers: received, text: Buffer.concat(chunks).toString() })
      })
    })
    sent.on('error', reject).end(body)
  })
}

/**
 * A GET whose header lines go over the wire byte by byte, one byte a character: for what node:http refuses
 * to send.
 */
export function callRaw(port: number, headerLines: readonly string[], version = '1.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks).toString('latin1'))))
    const lines = [`GET / HTTP/${version}`, 'Host: 127.0.0.1', 'Connection: close', ...headerLines, '', '']
    socket.write(Buffer.from(lines.join('\r\n'), 'latin1'))
  })
}

function parseAnswer(raw: string): Answer {
  const end = raw.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = raw.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const body = raw.slice(end + 4)
  const text = headers['transfer-encoding'] === 'chunked' ? joinChunks(body) : body
  return { status: Number(statusLine.split(' ')[1]), headers, text }
}

function joinChunks(body: string): string {
  const end = body.indexOf('\r\n')
  const size = Number.parseInt(body.slice(0, end), 16)
  if (!(size > 0)) return ''
  return body.slice(end + 2, end + 2 + size) + joinChunks(body.slice(end + 4 + size))
}
