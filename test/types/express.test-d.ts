import { createServer, type IncomingMessage } from 'node:http'
import express, { type Handler, type Request, type RequestHandler } from 'express'
import { describe, expectTypeOf, it } from 'vitest'
import { type CognitoClaims, TokenVerifier } from '../../src/index.js'
import { type Middleware, type VerifyTokenOptions, verifyToken } from '../../src/middleware/express/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })

describe('the middleware of verifyToken', () => {
  it("is Express's own kind", () => {
    const handler: RequestHandler = verifyToken(verifier)
    expectTypeOf(handler).toExtend<Handler>()
    expectTypeOf<Middleware>().toExtend<RequestHandler>()
  })

  it('goes everywhere that Express takes one', () => {
    const app = express()
    app.use(verifyToken(verifier))
    app.use('/api', verifyToken(verifier))
    app.get('/api/:id', verifyToken(verifier), (request, response) => {
      expectTypeOf(request.params.id).toEqualTypeOf<string>()
      response.end()
    })
    express.Router().post('/', [verifyToken(verifier), verifyToken(verifier, { scope: 'a/b' })])
  })

  it("takes Node's request and response", () => {
    const middleware = verifyToken(verifier)
    createServer((request, response) => middleware(request, response, () => response.end()))
  })

  it('is made with any verifier', () => {
    void [
      verifyToken(new TokenVerifier({ ...pool, tokenUse: 'id' })),
      verifyToken(new TokenVerifier({ ...pool, tokenUse: null })),
      verifyToken(new TokenVerifier({ revocation: false, pools: [{ ...pool, tokenUse: 'access' }] })),
      // @ts-expect-error: a verifier is missing
      verifyToken(),
      // @ts-expect-error: these are options
      verifyToken({ ...pool, tokenUse: 'access' }),
    ]
  })
})

describe("a request's auth", () => {
  it('is there or not', () => {
    expectTypeOf<Request['auth']>().toEqualTypeOf<CognitoClaims | undefined>()
    express().get('/', verifyToken(verifier), (request, response) => {
      response.json({ sub: request.auth?.sub, groups: request.auth?.['cognito:groups']?.join() })
    })
  })

  it('must be asked for before it is used, since authentication may be optional', () => {
    const request = {} as Request
    // @ts-expect-error: possibly undefined
    expectTypeOf(request.auth.sub).toEqualTypeOf<string>()
  })

  it('cannot be written into', () => {
    const request = {} as Required<Pick<Request, 'auth'>>
    // @ts-expect-error: readonly
    request.auth.sub = 'somebody else'
  })
})

describe('the options of verifyToken', () => {
  it('cannot be misspelt', () => {
    // @ts-expect-error: scope
    verifyToken(verifier, { scopes: 'openid' })
    // @ts-expect-error: optional
    verifyToken(verifier, { credentialsRequired: false })
    // @ts-expect-error: groups
    verifyToken(verifier, { group: 'admin' })
  })

  it('have no other values than are meant', () => {
    // @ts-expect-error: a boolean
    verifyToken(verifier, { optional: 'yes' })
    // @ts-expect-error: a function
    verifyToken(verifier, { extractToken: 'cookie' })
    // @ts-expect-error: an async function gives no token
    verifyToken(verifier, { extractToken: async () => 'token' })
    // @ts-expect-error: a number
    verifyToken(verifier, { retryAfterSeconds: '5' })
  })

  it('take one scope or several', () => {
    const scopes = ['orders/read', 'orders/write'] as const
    void [verifyToken(verifier, { scope: 'orders/read' }), verifyToken(verifier, { scope: scopes })]
  })

  it("give Express's own request to those who name it", () => {
    const middleware = verifyToken(verifier, {
      skip: (request: Request) => request.path === '/health',
      extractToken: (request: Request) => request.cookies.token,
    })
    expectTypeOf(middleware).toExtend<RequestHandler>()
    express().use('/api', middleware)
  })

  it("give Node's request to extractToken", () => {
    expectTypeOf<NonNullable<VerifyTokenOptions['extractToken']>>()
      .parameter(0)
      .toEqualTypeOf<IncomingMessage>()
  })
})
