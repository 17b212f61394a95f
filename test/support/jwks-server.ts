import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonWebKeySet } from '../../src/tokens/signing-key.js'
import { type Listening, listen } from './http.js'

export type Responder = (response: ServerResponse, request: IncomingMessage) => void

/** Where an issuer publishes its keys, on loopback; counts who asks, and answers as a test wants it to. */
export class JwksServer {
  readonly url: string
  readonly jwksUri: string
  /** How many requests have come in. */
  requests = 0
  respond: Responder = (response) => sendJson(response, { keys: [] })
  readonly #listening: Listening

  private constructor(listening: Listening) {
    this.#listening = listening
    this.url = listening.url
    this.jwksUri = `${listening.url}/.well-known/jwks.json`
  }

  /** @param jwks what is published; later changes of it are */
  static async start(jwks?: JsonWebKeySet): Promise<JwksServer> {
    const listening = await listen((request, response) => {
      server.requests += 1
      server.respond(response, request)
    })
    const server = new JwksServer(listening)
    if (jwks !== undefined) server.publish(jwks)
    return server
  }

  publish(jwks: unknown): void {
    this.respond = (response) => sendJson(response, jwks)
  }

  /** From now on requests get no answer at all. */
  hang(): void {
    this.respond = () => {}
  }

  fail(status = 500): void {
    this.respond = (response) => response.writeHead(status).end()
  }

  close(): Promise<void> {
    return this.#listening.close()
  }
}

export function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
