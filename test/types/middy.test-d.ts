import middy, { type MiddlewareObj } from '@middy/core'
import type {
  ALBEvent,
  ALBResult,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  Context,
  LambdaFunctionURLEvent,
} from 'aws-lambda'
import { describe, expectTypeOf, it } from 'vitest'
import { type CognitoAccessTokenClaims, type CognitoIdTokenClaims, TokenVerifier } from '../../src/index.js'
import { type ProxyEvent, verifyToken } from '../../src/middleware/middy/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })

describe('the middleware of verifyToken', () => {
  it("is middy's own kind", () => {
    type Own = MiddlewareObj<unknown, unknown, Error, Context & { auth: CognitoAccessTokenClaims }>
    const middleware: Own = verifyToken(verifier)
    void middleware
  })

  it('gives the handler typed claims', () => {
    middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
      .use(verifyToken(verifier))
      .handler(async (event, context) => {
        expectTypeOf(event.rawPath).toEqualTypeOf<string>()
        expectTypeOf(context.auth).toEqualTypeOf<CognitoAccessTokenClaims>()
        expectTypeOf(context.awsRequestId).toEqualTypeOf<string>()
        return { statusCode: 200, body: context.auth.sub }
      })
    middy<ALBEvent, ALBResult>()
      .use(verifyToken(new TokenVerifier({ ...pool, tokenUse: 'id' }), { scope: 'a/b' }))
      .handler(async (_, { auth }) => {
        expectTypeOf(auth).toEqualTypeOf<CognitoIdTokenClaims>()
        return { statusCode: 200 }
      })
  })

  it('wraps a handler that says what it needs', () => {
    const handler = async (
      event: APIGatewayProxyEvent,
      context: Context & { auth: CognitoAccessTokenClaims },
    ) => ({
      statusCode: 200,
      body: `${event.path} ${context.auth.sub}`,
    })
    middy<APIGatewayProxyEvent, APIGatewayProxyResult>().use(verifyToken(verifier)).handler(handler)
  })

  it('gives them or not where authentication is optional', () => {
    middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
      .use(verifyToken(verifier, { optional: true }))
      .handler(async (_, { auth }) => {
        expectTypeOf(auth).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
        // @ts-expect-error: possibly undefined
        return { statusCode: 200, body: auth.sub }
      })
    middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
      .use(verifyToken(verifier, { skip: () => true }))
      .handler(async (_, { auth }) => {
        expectTypeOf(auth).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
        return { statusCode: 200, body: '' }
      })
  })

  it('goes together with others', () => {
    const other: MiddlewareObj<unknown, unknown, Error, Context & { tenant: string }> = {}
    middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
      .use(verifyToken(verifier))
      .use(other)
      .handler(async (_, { auth, tenant }) => ({ statusCode: 200, body: auth.sub + tenant }))
  })
})

describe('the options of verifyToken', () => {
  it('give an event of @types/aws-lambda to extractToken and skip', () => {
    expectTypeOf<APIGatewayProxyEvent>().toExtend<ProxyEvent>()
    expectTypeOf<APIGatewayProxyEventV2>().toExtend<ProxyEvent>()
    expectTypeOf<LambdaFunctionURLEvent>().toExtend<ProxyEvent>()
    expectTypeOf<ALBEvent>().toExtend<ProxyEvent>()
    verifyToken(verifier, {
      extractToken: (event) => event.headers?.['x-token'],
      skip: (event) => 'version' in event,
    })
  })

  it('cannot be misspelt', () => {
    // @ts-expect-error: scope
    verifyToken(verifier, { scopes: 'openid' })
    // @ts-expect-error: a function
    verifyToken(verifier, { extractToken: 'cookie' })
  })
})
