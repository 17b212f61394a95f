import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { collectGarbage } from '../measure.js'
import type { Tokens } from '../verifiers/tokens.js'
import { BODY } from './answer.js'

export const CONNECTIONS = 64

/**
 * Sends the tokens so many times over, each connection its own share of them, one request after the other. Every
 * answer must be a 200. A client with a parser of HTTP takes longer for a request than the server: that would be what
 * is measured, so here there is none.
 *
 * @returns the microseconds that each request took, by the clock
 */
export async function load(port: number, tokens: Tokens, times: number): Promise<number> {
  const clients = Array.from({ length: CONNECTIONS }, (_, index) => new Client(port, tokens, index))
  try {
    await Promise.all(clients.map((client) => client.connected()))
    collectGarbage()
    const startedAt = performance.now()
    await Promise.all(clients.map((client) => client.send(times)))
    return ((performance.now() - startedAt) * 1_000) / (tokens.length * times)
  } finally {
    for (const client of clients) client.end()
  }
}

/** One connection, and the tokens that it comes with. */
class Client {
  readonly #requests: readonly Buffer[]
  readonly #socket: Socket
  #answer = ''
  #left = 0
  #done: (failure?: Error) => void = () => {}

  constructor(port: number, tokens: Tokens, first: number) {
    this.#requests = Array.from({ length: Math.ceil((tokens.length - first) / CONNECTIONS) }, (_, index) =>
      requestWith(tokens.at(first + index * CONNECTIONS)),
    )
    this.#socket = connect({
      ...{ host: '127.0.0.1', port, noDelay: true },
      onread: {
        buffer: Buffer.allocUnsafe(4_096),
        callback: (length, buffer) => {
          this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, length).toString('latin1'))
          return true
        },
      },
    })
    this.#socket.on('close', () => this.#done(new Error('The server closed a connection')))
  }

  async connected(): Promise<void> {
    await once(this.#socket, 'connect')
  }

  /** Each of its tokens so many times. */
  send(times: number): Promise<void> {
    this.#left = this.#requests.length * times
    return new Promise((resolve, reject) => {
      this.#done = (failure) => (failure === undefined ? resolve() : reject(failure))
      this.#next()
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  #next(): void {
    if (this.#left-- === 0) this.#done()
    else this.#socket.write(this.#requests[this.#left % this.#requests.length] as Buffer)
  }

  #receive(text: string): void {
    this.#answer += text
    if (!this.#answer.startsWith('HTTP/1.1 200 OK\r\n')) {
      this.#done(new Error(`A request was refused: ${this.#answer.slice(0, 64)}`))
    } else if (this.#answer.endsWith(BODY)) {
      this.#answer = ''
      this.#next()
    }
  }
}

function requestWith(token: string): Buffer {
  const head = `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nAuthorization: Bearer ${token}\r\n\r\n`
  return Buffer.from(head, 'latin1')
}
