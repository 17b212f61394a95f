// Handlers of the Fetch standard, as app/me/route.ts of Next.js would export them, or Bun and Deno serve.
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { revokeSessionHandler, withToken } from 'cognito-revocation/fetch'
import { listening, type Parts, type Running } from './program.js'

type Handler = (request: Request) => Response | Promise<Response>

export function start({ verifier, client, revoker, port }: Parts): Promise<Running> {
  const routes = new Map<string, Handler>([
    ['GET /health', () => Response.json({ status: 'ok' })],
    // Without `withToken`: people log out with an expired access token, too. In earnest behind a rate limit.
    ['POST /logout', revokeSessionHandler(client, { revoker })],
    ['GET /me', withToken(verifier, (_request, claims) => Response.json({ sub: claims.sub }))],
    ['GET /orders', withToken(verifier, listOrders, { groups: 'sales' })],
  ])
  const answer: Handler = async (request) => {
    const handler = routes.get(`${request.method} ${new URL(request.url).pathname}`)
    return handler === undefined ? new Response('Not found', { status: 404 }) : handler(request)
  }
  return listening(createServer(getRequestListener(answer)).listen(port, '127.0.0.1'))
}

function listOrders(_request: Request, claims: { readonly sub: string }): Response {
  return Response.json({ orders: [], seller: claims.sub })
}
