import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Far more than any operation needs. */
const maxBodyBytes = 1024 * 1024

/** Serves a fetch handler over HTTP, on loopback only and on a port that was free. */
export class LoopbackServer {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** @param handle answers a request; where it rejects, the connection is broken */
  static async listen(handle: (request: Request) => Promise<Response>): Promise<LoopbackServer> {
    const server = createServer({ requestTimeout: 30_000 }, (incoming, outgoing) => {
      serve(handle, incoming, outgoing).catch(() => incoming.socket.destroy())
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return new LoopbackServer(server)
  }

  /** Ends open connections too, idle or not: a client's keep-alive must not hold up a process. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

async function serve(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const body = await readBody(incoming)
  if (body === undefined) {
    outgoing.writeHead(413, { connection: 'close' }).end()
    return
  }
  const request = createRequest(incoming, body, gone.signal)
  if (request === undefined) {
    outgoing.writeHead(400, { connection: 'close' }).end()
    return
  }
  const response = await handle(request)
  const content = Buffer.from(await response.arrayBuffer())
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(content)
}

/** The body, or undefined if there is too much of it. The rest is read but not kept: a peer wants to finish. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    size += chunk.length
    if (size > maxBodyBytes) chunks.length = 0
    else chunks.push(chunk)
  }
  return size > maxBodyBytes ? undefined : Buffer.concat(chunks)
}

/** The request in the form that fetch has it, or undefined if that has no form for it. */
function createRequest(incoming: IncomingMessage, body: Buffer, signal: AbortSignal): Request | undefined {
  try {
    const headers = new Headers()
    for (const [name, values] of Object.entries(incoming.headersDistinct)) {
      for (const value of values ?? []) headers.append(name, value)
    }
    const { method = 'GET', url = '/' } = incoming
    const hasBody = method !== 'GET' && method !== 'HEAD'
    return new Request(new URL(url, 'http://127.0.0.1'), {
      method,
      headers,
      signal,
      ...(hasBody ? { body } : {}),
    })
  } catch {
    return undefined
  }
}
