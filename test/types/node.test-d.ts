import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { describe, expectTypeOf, it } from 'vitest'
import { type CognitoAccessTokenClaims, type CognitoClaims, TokenVerifier } from '../../src/index.js'
import {
  type Middleware,
  type RequestWithAuth,
  verifyToken,
  withToken,
} from '../../src/middleware/node/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })

describe('the middleware of verifyToken', () => {
  it("takes Node's request and response", () => {
    const middleware = verifyToken(verifier)
    createServer((request, response) => middleware(request, response, () => response.end()))
    createServer((request: RequestWithAuth, response) =>
      middleware(request as RequestWithAuth<CognitoAccessTokenClaims>, response, () => {
        expectTypeOf(request.auth).toEqualTypeOf<CognitoClaims | undefined>()
      }),
    )
    expectTypeOf(middleware).toExtend<
      (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void
    >()
  })

  it("takes those of Node's HTTP/2", () => {
    const middleware: Middleware<Http2ServerRequest, Http2ServerResponse> = verifyToken(verifier)
    createHttp2Server((request, response) => middleware(request, response, () => response.end()))
  })
})

describe('a handler withToken', () => {
  it('is given the request, the response and the claims, by tokenUse', () => {
    createServer(
      withToken(verifier, (request, response, claims) => {
        expectTypeOf(request).toEqualTypeOf<IncomingMessage>()
        expectTypeOf(response).toEqualTypeOf<ServerResponse>()
        expectTypeOf(claims).toEqualTypeOf<CognitoAccessTokenClaims>()
      }),
    )
  })

  it("is given those of Node's HTTP/2", () => {
    createHttp2Server(
      withToken(verifier, (request, response, claims) => {
        expectTypeOf(request).toEqualTypeOf<Http2ServerRequest>()
        expectTypeOf(response).toEqualTypeOf<Http2ServerResponse>()
        response.end(claims.client_id)
      }),
    )
  })

  it('must take it that there are none where authentication is optional or skipped', () => {
    const handler = (_: IncomingMessage, response: ServerResponse, claims: CognitoAccessTokenClaims) =>
      response.end(claims.sub)
    void [
      withToken(verifier, handler),
      withToken(verifier, (_, response, claims) => response.end(claims?.sub), { optional: true }),
      // @ts-expect-error: claims may be undefined
      withToken(verifier, handler, { optional: true }),
      // @ts-expect-error: claims may be undefined
      withToken(verifier, handler, { skip: () => true }),
    ]
  })
})

describe('the options', () => {
  it('cannot be misspelt, and have no other values than are meant', () => {
    // @ts-expect-error: scope
    verifyToken(verifier, { scopes: 'openid' })
    // @ts-expect-error: scope
    withToken(verifier, () => {}, { scopes: 'openid' })
    // @ts-expect-error: an async function gives no token
    verifyToken(verifier, { extractToken: async () => 'token' })
  })

  it("give Node's request to extractToken and skip", () => {
    withToken(verifier, () => {}, { skip: ({ url }) => url === '/health', extractToken: () => 'x' })
  })
})
