// node:http, without a framework
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { revokeSessionHandler, withToken } from 'cognito-revocation/node'
import { listening, type Parts, type Running } from './program.js'

export function start({ verifier, client, revoker, port }: Parts): Promise<Running> {
  const routes = new Map<
    string | undefined,
    (...[request, response]: Parameters<RequestListener>) => unknown
  >([
    ['GET /health', (_request, response) => sendJson(response, { status: 'ok' })],
    // Without `withToken`: people log out with an expired access token, too. In earnest behind a rate limit.
    ['POST /logout', revokeSessionHandler(client, { revoker, observer: console.error })],
    ['GET /me', withToken(verifier, (_request, response, { sub }) => sendJson(response, { sub }))],
    ['GET /orders', withToken(verifier, listOrders, { groups: 'sales' })],
  ])
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const handler = routes.get(`${request.method} ${request.url}`)
    if (handler === undefined) response.writeHead(404).end()
    // Whatever it rejects with is caught below: an unhandled rejection would end the process.
    else await handler(request, response)
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => {
      console.error(error.name) // a message may quote what came in
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  return listening(server.listen(port, '127.0.0.1'))
}

function listOrders(
  _request: IncomingMessage,
  response: ServerResponse,
  { sub }: { readonly sub: string },
): void {
  sendJson(response, { orders: [], seller: sub })
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
