// Hono 4, on Node. Here the refresh token is in a cookie, which a page of another website cannot use.
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { revokeSessionHandler, verifyToken } from 'cognito-revocation/hono'
import { Hono } from 'hono'
import { listening, type Parts, type Running } from './program.js'

const refreshTokenFrom = { cookie: '__Host-refresh_token' }

export function start({ verifier, client, revoker, port }: Parts): Promise<Running> {
  const app = new Hono()
  app.get('/health', (c) => c.json({ status: 'ok' }))
  // Without `verifyToken`: people log out with an expired access token, too. In earnest behind a rate limit.
  app.post('/logout', revokeSessionHandler(client, { revoker, refreshTokenFrom }))

  app.get('/me', verifyToken(verifier), (c) => c.json({ sub: c.var.auth.sub }))
  app.get('/orders', verifyToken(verifier, { groups: 'sales' }), (c) =>
    c.json({ orders: [], seller: c.var.auth.sub }),
  )
  return listening(createServer(getRequestListener(app.fetch)).listen(port, '127.0.0.1'))
}
