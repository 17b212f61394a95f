import type { AddressInfo } from 'node:net'
import fastifyJwt from '@fastify/jwt'
import Fastify, { type FastifyInstance } from 'fastify'
import { verifyToken } from '../../src/middleware/fastify/index.js'
import { createOurs, type PublicKeys, publicKeyOf } from '../verifiers/candidates.js'
import { createMirror } from '../verifiers/revocations.js'
import { REVOCATIONS } from './guards.js'

export type FastifyGuard = 'Fastify' | 'Fastify, verifyToken' | 'Fastify, @fastify/jwt'

/** A Fastify server that answers requests with a good token. @returns its port */
export async function listenFastify(kind: FastifyGuard, keys: PublicKeys): Promise<number> {
  const app = Fastify()
  if (kind === 'Fastify, verifyToken') {
    app.addHook('onRequest', verifyToken(createOurs(keys, await createMirror(REVOCATIONS))))
  }
  if (kind === 'Fastify, @fastify/jwt') await addFastifyJwt(app, keys)
  app.get('/', async () => ({ hello: 'world' }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** As its readme has it, with its cache of verified tokens, and the checks that Cognito's tokens need. */
async function addFastifyJwt(app: FastifyInstance, keys: PublicKeys): Promise<void> {
  await app.register(fastifyJwt, {
    secret: { public: publicKeyOf(keys).export({ type: 'spki', format: 'pem' }).toString() },
    verify: { algorithms: ['RS256'], allowedIss: keys.issuer, cache: true },
  })
  app.addHook('onRequest', (request) => request.jwtVerify())
}
