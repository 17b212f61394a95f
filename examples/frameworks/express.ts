// Express 5; the same on 4.
import { revokeSessionHandler, verifyToken } from 'cognito-revocation/express'
import express from 'express'
import { listening, type Parts, type Running } from './program.js'

export function start({ verifier, client, revoker, port }: Parts): Promise<Running> {
  const app = express()
  app.get('/health', (_req, res) => {
    res.json({ status: 'ok' })
  })
  // Before `verifyToken`: people log out with an expired access token, too. In earnest behind a rate limit.
  app.post('/logout', revokeSessionHandler(client, { revoker }))

  app.use(verifyToken(verifier)) // whatever is added from here on
  app.get('/me', (req, res) => {
    res.json({ sub: req.auth?.sub })
  })
  app.get('/orders', verifyToken(verifier, { groups: 'sales' }), (req, res) => {
    res.json({ orders: [], seller: req.auth?.sub })
  })
  return listening(app.listen(port, '127.0.0.1'))
}
