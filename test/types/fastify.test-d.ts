import fastify, {
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifyRequest,
  type FastifyTypeProvider,
  type onRequestHookHandler,
  type preHandlerHookHandler,
} from 'fastify'
import { describe, expectTypeOf, it } from 'vitest'
import { type CognitoClaims, TokenVerifier } from '../../src/index.js'
import {
  type CognitoRevocationOptions,
  cognitoRevocation,
  type RouteAuth,
  type VerifyTokenHook,
  type VerifyTokenOptions,
  verifyToken,
} from '../../src/middleware/fastify/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })

interface Provider extends FastifyTypeProvider {
  readonly validator: this['schema']
}

describe('the hook of verifyToken', () => {
  const onRequest = verifyToken(verifier)

  it("is Fastify's own kind", () => {
    expectTypeOf<VerifyTokenHook>().toExtend<onRequestHookHandler>()
    expectTypeOf<VerifyTokenHook>().toExtend<preHandlerHookHandler>()
  })

  it('goes everywhere that Fastify takes one', () => {
    const app = fastify()
    app.addHook('onRequest', onRequest)
    app.addHook('preValidation', onRequest)
    app.addHook('preHandler', verifyToken(verifier))
    app.get('/', { onRequest }, async () => 'done')
    app.get('/', { onRequest: [onRequest, verifyToken(verifier, { scope: 'a/b' })] }, async () => 'done')
    app.route({
      method: ['GET', 'POST'],
      url: '/',
      onRequest,
      preHandler: [onRequest],
      handler: () => 'done',
    })
  })

  it("leaves a route's own types alone", () => {
    interface Route {
      Params: { id: string }
      Querystring: { page: number }
      Body: { name: string }
      Headers: { 'x-tenant': string }
      Reply: { 200: { name: string }; 404: { missing: true } }
    }
    fastify().post<Route>('/:id', { onRequest, preHandler: [onRequest] }, async (request, reply) => {
      expectTypeOf(request.params.id).toEqualTypeOf<string>()
      expectTypeOf(request.auth).toEqualTypeOf<CognitoClaims | undefined>()
      // @ts-expect-error: no such answer
      reply.code(404).send({ name: 'a' })
      return reply.code(200).send({ name: request.body.name })
    })
    fastify().get<Route, { own: number }>('/:id', { onRequest, config: { own: 5 } }, async () => ({
      name: 'a',
    }))
  })

  it('goes with type providers, schemas and HTTP/2', () => {
    const schema = { body: { type: 'object' }, response: { 200: { type: 'object' } } } as const
    fastify()
      .withTypeProvider<Provider>()
      .post('/', { schema, onRequest: [onRequest] }, async (request) => {
        expectTypeOf(request.body).toExtend<{ readonly type: 'object' }>()
        return {}
      })
    const app = fastify({ http2: true })
    app.addHook('onRequest', onRequest)
    app.get('/', { onRequest }, async (request) => request.auth?.sub)
    fastify({ https: {} }).get('/', { onRequest: [onRequest] }, async () => 'done')
  })

  it('is made with any verifier', () => {
    void [
      verifyToken(new TokenVerifier({ ...pool, tokenUse: 'id' })),
      verifyToken(new TokenVerifier({ ...pool, tokenUse: null })),
      // @ts-expect-error: a verifier is missing
      verifyToken(),
      // @ts-expect-error: these are options
      verifyToken({ ...pool, tokenUse: 'access' }),
    ]
  })
})

describe("a request's auth", () => {
  it('is there or not', () => {
    expectTypeOf<FastifyRequest['auth']>().toEqualTypeOf<CognitoClaims | undefined>()
    const request = {} as FastifyRequest
    // @ts-expect-error: possibly undefined
    expectTypeOf(request.auth.sub).toEqualTypeOf<string>()
  })

  it('cannot be written into', () => {
    const request = {} as Required<Pick<FastifyRequest, 'auth'>>
    // @ts-expect-error: readonly
    request.auth.sub = 'somebody else'
  })

  it("is narrowed by what it says of the token's use", () => {
    const { auth } = {} as FastifyRequest
    if (auth?.token_use === 'access') expectTypeOf(auth.client_id).toEqualTypeOf<string>()
  })
})

describe('the plugin', () => {
  it('is registered in every kind of app, with its options', async () => {
    await fastify().register(cognitoRevocation, { verifier })
    await fastify({ http2: true }).register(cognitoRevocation, { verifier, scope: ['a/b'] })
    await fastify().withTypeProvider<Provider>().register(cognitoRevocation, { verifier, optional: true })
    fastify().register(async (app) => {
      await app.register(cognitoRevocation, { verifier, skip: (request) => request.is404 })
      app.addHook('onRequest', app.verifyToken({ groups: 'admin' }))
      app.get('/', { onRequest: [app.verifyToken()] }, async () => 'done')
    })
    // @ts-expect-error: the verifier is missing
    fastify().register(cognitoRevocation, { scope: 'a/b' })
    // @ts-expect-error: a misspelt option
    fastify().register(cognitoRevocation, { verifier, scopes: 'a/b' })
  })

  it("takes verifyToken's options, and the verifier", () => {
    expectTypeOf<Omit<CognitoRevocationOptions, 'verifier'>>().toEqualTypeOf<
      VerifyTokenOptions<FastifyRequest>
    >()
  })

  it('takes rules of routes, and no others', () => {
    expectTypeOf<FastifyContextConfig['auth']>().toEqualTypeOf<RouteAuth | undefined>()
    const app: FastifyInstance = fastify()
    app.get('/', { config: { auth: { public: true } } }, async () => 'done')
    app.get('/', { config: { auth: { scope: { all: ['a/b', 'c/d'] }, optional: true } } }, async () => 'done')
    // Fastify takes a route's config for its own type: what is misspelt there, it lets compile.
    const misspelt: RouteAuth[] = [
      // @ts-expect-error: scope
      { scopes: 'a/b' },
      // @ts-expect-error: true, or absent
      { public: false },
      // @ts-expect-error: not both
      { public: true, realm: 'a' },
    ]
    void misspelt
    // @ts-expect-error: of the plugin, not of a route
    app.verifyToken({ realm: 'a' })
  })
})

describe('the options of verifyToken', () => {
  it('cannot be misspelt', () => {
    // @ts-expect-error: scope
    verifyToken(verifier, { scopes: 'openid' })
    // @ts-expect-error: an async function gives no token
    verifyToken(verifier, { extractToken: async () => 'token' })
  })

  it("give Fastify's request to extractToken and skip", () => {
    verifyToken(verifier, {
      extractToken: (request) => {
        expectTypeOf(request).toEqualTypeOf<FastifyRequest>()
        return undefined
      },
    })
    verifyToken(verifier, { skip: (request) => request.routeOptions.url === '/health' })
  })
})
