import type { EventMultiValues, EventValues } from './event-values.js'
import { isRecord } from './is-record.js'

/**
 * What a `TOKEN` authorizer of a REST API is asked.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
 */
export interface TokenAuthorizerEvent {
  readonly type: 'TOKEN'
  readonly methodArn: string
  /** The value of the header that is the authorizer's token source. */
  readonly authorizationToken: string
}

/**
 * What a `REQUEST` authorizer of a REST API is asked, or one of an HTTP API with payload format 1.0.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
 */
export interface RequestAuthorizerEvent {
  readonly type: 'REQUEST'
  /** '1.0' from an HTTP API; absent from a REST API. */
  readonly version?: string | undefined
  readonly methodArn: string
  readonly httpMethod: string
  readonly headers?: EventValues
  readonly multiValueHeaders?: EventMultiValues
}

/**
 * What the authorizer of a WebSocket API's `$connect` is asked.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
 */
export interface WebSocketAuthorizerEvent {
  readonly type: 'REQUEST'
  readonly methodArn: string
  readonly headers?: EventValues
  readonly multiValueHeaders?: EventMultiValues
  readonly queryStringParameters?: EventValues
  readonly multiValueQueryStringParameters?: EventMultiValues
  readonly requestContext: {
    readonly eventType?: string | undefined
    readonly connectionId?: string | undefined
  }
}

/**
 * What the authorizer of an HTTP API is asked with payload format 2.0.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export interface HttpApiAuthorizerEvent {
  readonly type: 'REQUEST'
  /** '2.0'. */
  readonly version: string
  readonly routeArn: string
  readonly headers?: EventValues
  readonly cookies?: readonly string[] | null | undefined
  readonly requestContext: { readonly http: { readonly method: string } }
}

/**
 * What the authorizer of an AppSync GraphQL API is asked.
 *
 * @see https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization
 */
export interface AppSyncAuthorizerEvent {
  readonly authorizationToken: string
  readonly requestContext: {
    readonly apiId: string
    readonly requestId: string
    readonly queryString?: string | null | undefined
    readonly operationName?: string | null | undefined
    readonly variables?: Readonly<Record<string, unknown>> | null | undefined
  }
  readonly requestHeaders?: EventValues
}

/** An event that a policy answers. */
export type PolicyAuthorizerEvent = TokenAuthorizerEvent | RequestAuthorizerEvent | WebSocketAuthorizerEvent

/** Every event that `createLambdaAuthorizer` answers. */
export type LambdaAuthorizerEvent = PolicyAuthorizerEvent | HttpApiAuthorizerEvent | AppSyncAuthorizerEvent

/** An event, and what it has turned out to be. */
export type RecognizedEvent =
  | { readonly kind: 'token'; readonly event: TokenAuthorizerEvent; readonly arn: string }
  | { readonly kind: 'request'; readonly event: RequestAuthorizerEvent; readonly arn: string }
  | { readonly kind: 'websocket'; readonly event: WebSocketAuthorizerEvent; readonly arn: string }
  | { readonly kind: 'http-api'; readonly event: HttpApiAuthorizerEvent; readonly arn: string }
  | { readonly kind: 'appsync'; readonly event: AppSyncAuthorizerEvent }

/** @throws TypeError that says what to do: the event is of no kind that is known, which denies the request */
export function recognize(event: unknown): RecognizedEvent {
  if (isHttpApi(event)) return { kind: 'http-api', event, arn: event.routeArn }
  if (isWebSocket(event)) return { kind: 'websocket', event, arn: event.methodArn }
  if (isRequest(event)) return { kind: 'request', event, arn: event.methodArn }
  if (isToken(event)) return { kind: 'token', event, arn: event.methodArn }
  if (isAppSync(event)) return { kind: 'appsync', event }
  throw new TypeError(
    'createLambdaAuthorizer: this is no authorizer event of a REST API (TOKEN or REQUEST), an HTTP API (payload ' +
      'format 1.0 or 2.0), a WebSocket API ($connect) or an AppSync GraphQL API. Set the function as the authorizer ' +
      'of such an API; in a function behind one, use verifyToken of cognito-revocation/middy. IoT and AppSync Events ' +
      'are not supported',
  )
}

function isHttpApi(event: unknown): event is HttpApiAuthorizerEvent {
  if (!isRecord(event) || event.version !== '2.0' || event.type !== 'REQUEST') return false
  const { requestContext, routeArn } = event
  return (
    typeof routeArn === 'string' &&
    isRecord(requestContext) &&
    isRecord(requestContext.http) &&
    typeof requestContext.http.method === 'string'
  )
}

function isWebSocket(event: unknown): event is WebSocketAuthorizerEvent {
  if (!isRecord(event) || event.type !== 'REQUEST' || event.version !== undefined) return false
  const { methodArn, requestContext } = event
  return typeof methodArn === 'string' && isRecord(requestContext) && requestContext.eventType === 'CONNECT'
}

function isRequest(event: unknown): event is RequestAuthorizerEvent {
  if (!isRecord(event) || event.type !== 'REQUEST') return false
  const { methodArn, httpMethod, version } = event
  if (version !== undefined && version !== '1.0') return false
  return typeof methodArn === 'string' && typeof httpMethod === 'string'
}

function isToken(event: unknown): event is TokenAuthorizerEvent {
  if (!isRecord(event) || event.type !== 'TOKEN' || event.version !== undefined) return false
  return typeof event.methodArn === 'string' && typeof event.authorizationToken === 'string'
}

/** AppSync Events asks about an `operation`, and takes another answer. */
function isAppSync(event: unknown): event is AppSyncAuthorizerEvent {
  if (!isRecord(event) || event.type !== undefined || event.methodArn !== undefined) return false
  const { authorizationToken, requestContext } = event
  return (
    typeof authorizationToken === 'string' &&
    isRecord(requestContext) &&
    typeof requestContext.apiId === 'string' &&
    typeof requestContext.requestId === 'string' &&
    requestContext.operation === undefined
  )
}
