// Fastify 5
import { cognitoRevocation, revokeSessionHandler } from 'cognito-revocation/fastify'
import Fastify from 'fastify'
import type { Parts, Running } from './program.js'

const open = { auth: { public: true } } as const

export async function start({ verifier, client, revoker, port }: Parts): Promise<Running> {
  const app = Fastify()
  await app.register(cognitoRevocation, { verifier }) // every route of this scope, unless its config says otherwise

  app.get('/health', { config: open }, async () => ({ status: 'ok' }))
  // Open, since people log out with an expired access token, too. In earnest behind a rate limit.
  app.post('/logout', { config: open, bodyLimit: 16_384 }, revokeSessionHandler(client, { revoker }))

  app.get('/me', async (request) => ({ sub: request.auth?.sub }))
  app.get('/orders', { config: { auth: { groups: 'sales' } } }, async (request) => ({
    orders: [],
    seller: request.auth?.sub,
  }))
  const url = await app.listen({ host: '127.0.0.1', port })
  return { url, close: () => app.close() }
}
