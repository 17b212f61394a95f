import type { RequestListener } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import type { TokenVerifier } from '../../../src/index.js'
import { cognitoRevocation, verifyToken } from '../../../src/middleware/fastify/index.js'
import type { Adapter, CommonOptions } from './adapter.js'

export const FastifyHook: Adapter = fastifyAdapter("Fastify's hook", async (app, verifier, options) => {
  app.addHook('onRequest', verifyToken(verifier, options))
})

export const FastifyPlugin: Adapter = fastifyAdapter("Fastify's plugin", async (app, verifier, options) => {
  await app.register(cognitoRevocation, { verifier, ...options })
})

type Protect = (app: FastifyInstance, verifier: TokenVerifier, options?: CommonOptions) => Promise<void>

function fastifyAdapter(name: string, protect: Protect): Adapter {
  return {
    name,
    async listener(verifier, options) {
      const app = fastify()
      app.setErrorHandler((error, _request, reply) => reply.code(500).send({ handedOn: String(error) }))
      // A POST without a type is no matter for Fastify's own parsers.
      app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
      await protect(app, verifier, options)
      app.all('/*', async (request) => ({ auth: request.auth ?? null }))
      return listenerOf(app)
    },
  }
}

/** What an app does with a request of Node's, until the test is over. */
export async function listenerOf(app: FastifyInstance): Promise<RequestListener> {
  onTestFinished(() => app.close())
  await app.ready()
  return app.routing
}
