import type {
  APIGatewayAuthorizerHandler,
  APIGatewayAuthorizerResult,
  APIGatewayIAMAuthorizerResult,
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewayRequestAuthorizerHandler,
  APIGatewayRequestIAMAuthorizerHandlerV2,
  APIGatewayRequestSimpleAuthorizerHandlerV2,
  APIGatewayRequestSimpleAuthorizerHandlerV2WithContext,
  APIGatewayTokenAuthorizerEvent,
  APIGatewayTokenAuthorizerHandler,
  AppSyncAuthorizerHandler,
  AppSyncAuthorizerResult,
  AppSyncAuthorizerEvent as AwsAppSyncAuthorizerEvent,
} from 'aws-lambda'
import { describe, expectTypeOf, it } from 'vitest'
import { type CognitoAccessTokenClaims, TokenVerifier } from '../../src/index.js'
import {
  type AppSyncAnswer,
  type AppSyncAuthorizerEvent,
  type AuthorizerContext,
  createLambdaAuthorizer,
  type HttpApiAuthorizerEvent,
  type LambdaAuthorizerOptions,
  type PolicyAnswer,
  type RequestAuthorizerEvent,
  readAuthorizerContext,
  type SimpleAnswer,
  type TokenAuthorizerEvent,
} from '../../src/middleware/lambda/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: false } as const
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })

describe('the events', () => {
  it('are those of @types/aws-lambda', () => {
    expectTypeOf<APIGatewayTokenAuthorizerEvent>().toExtend<TokenAuthorizerEvent>()
    expectTypeOf<APIGatewayRequestAuthorizerEvent>().toExtend<RequestAuthorizerEvent>()
    expectTypeOf<APIGatewayRequestAuthorizerEventV2>().toExtend<HttpApiAuthorizerEvent>()
    expectTypeOf<AwsAppSyncAuthorizerEvent>().toExtend<AppSyncAuthorizerEvent>()
  })
})

describe('the answers', () => {
  it('are those of @types/aws-lambda', () => {
    expectTypeOf<PolicyAnswer>().toExtend<APIGatewayAuthorizerResult>()
    expectTypeOf<PolicyAnswer>().toExtend<APIGatewayIAMAuthorizerResult>()
    expectTypeOf<AppSyncAnswer>().toExtend<AppSyncAuthorizerResult<AuthorizerContext>>()
  })

  it('follow from the event', () => {
    const authorizer = createLambdaAuthorizer(verifier)
    expectTypeOf(authorizer({} as APIGatewayTokenAuthorizerEvent)).resolves.toEqualTypeOf<PolicyAnswer>()
    expectTypeOf(authorizer({} as APIGatewayRequestAuthorizerEvent)).resolves.toEqualTypeOf<PolicyAnswer>()
    expectTypeOf(authorizer({} as APIGatewayRequestAuthorizerEventV2)).resolves.toEqualTypeOf<SimpleAnswer>()
    expectTypeOf(authorizer({} as AwsAppSyncAuthorizerEvent)).resolves.toEqualTypeOf<AppSyncAnswer>()
  })

  it('to an HTTP API follow from simpleResponses, too', () => {
    const event = {} as APIGatewayRequestAuthorizerEventV2
    const policy = createLambdaAuthorizer(verifier, { simpleResponses: false })
    expectTypeOf(policy(event)).resolves.toEqualTypeOf<PolicyAnswer>()
    const unknown = createLambdaAuthorizer(verifier, {} as LambdaAuthorizerOptions)
    expectTypeOf(unknown(event)).resolves.toEqualTypeOf<PolicyAnswer | SimpleAnswer>()
  })
})

describe('the handler', () => {
  it('is one of @types/aws-lambda', () => {
    const authorizer = createLambdaAuthorizer(verifier, { scope: 'orders/read' })
    const handlers: [
      APIGatewayTokenAuthorizerHandler,
      APIGatewayRequestAuthorizerHandler,
      APIGatewayAuthorizerHandler,
      APIGatewayRequestSimpleAuthorizerHandlerV2,
      APIGatewayRequestSimpleAuthorizerHandlerV2WithContext<AuthorizerContext>,
      AppSyncAuthorizerHandler<AuthorizerContext>,
    ] = [authorizer, authorizer, authorizer, authorizer, authorizer, authorizer]
    const policy: APIGatewayRequestIAMAuthorizerHandlerV2 = createLambdaAuthorizer(verifier, {
      simpleResponses: false,
    })
    void [handlers, policy]
  })

  it('is made with any verifier', () => {
    void [
      createLambdaAuthorizer(new TokenVerifier({ ...pool, tokenUse: 'id' })),
      createLambdaAuthorizer(new TokenVerifier({ ...pool, tokenUse: null })),
      // @ts-expect-error: a verifier is missing
      createLambdaAuthorizer(),
    ]
  })
})

describe('the options', () => {
  it('have the claims of the verifier', () => {
    createLambdaAuthorizer(verifier, {
      deniedFields: (claims, event) => {
        expectTypeOf(claims).toEqualTypeOf<CognitoAccessTokenClaims>()
        expectTypeOf(event.requestContext.apiId).toEqualTypeOf<string>()
        return []
      },
    })
  })

  it('have no other names and values than are meant', () => {
    // @ts-expect-error: nobody gets in without a token
    createLambdaAuthorizer(verifier, { optional: true })
    // @ts-expect-error: scope
    createLambdaAuthorizer(verifier, { scopes: 'openid' })
    // @ts-expect-error: a number, in seconds
    createLambdaAuthorizer(verifier, { denialTtlSeconds: '5' })
    // @ts-expect-error: throw or deny
    createLambdaAuthorizer(verifier, { unauthorized: 401 })
    // @ts-expect-error: stage or method
    createLambdaAuthorizer(verifier, { policyResource: 'api' })
    createLambdaAuthorizer(verifier, { tokenFrom: ['authorization', { query: 'access_token' }] })
  })
})

describe('readAuthorizerContext', () => {
  it('takes any event', () => {
    expectTypeOf(readAuthorizerContext({}).sub).toEqualTypeOf<string>()
    expectTypeOf(readAuthorizerContext({}).scopes).toEqualTypeOf<readonly string[]>()
  })
})
