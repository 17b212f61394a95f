import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { verifyToken } from '../../../src/middleware/hono/index.js'
import type { Adapter } from './adapter.js'

export const HonoOnNode: Adapter = {
  name: 'Hono',
  listener(verifier, options = {}) {
    const app = new Hono()
    app.use(verifyToken(verifier, options))
    app.all('*', (c) => c.json({ auth: c.get('auth') ?? null }))
    app.onError((error, c) => c.json({ handedOn: String(error) }, 500))
    return getRequestListener(app.fetch)
  },
}
