import type {
  APIGatewayRequestAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewayTokenAuthorizerEvent,
  AppSyncAuthorizerEvent,
} from 'aws-lambda'
import { allValues, cookiesOf, joinedValues, lastValues, type Sent, withoutCookies } from './sent.js'

/** The events of AWS's documentation, with the request that is given. */

const API = 'arn:aws:execute-api:us-east-1:123456789012:abcdef123'

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html */
export function tokenEvent({
  headers,
  method = 'GET',
  path = '/request',
}: Sent): APIGatewayTokenAuthorizerEvent {
  const { Authorization = '' } = lastValues(headers)
  return { type: 'TOKEN', authorizationToken: Authorization, methodArn: `${API}/test/${method}${path}` }
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html */
export function requestEvent(sent: Sent): APIGatewayRequestAuthorizerEvent {
  const { headers, query, method = 'GET', path = '/request' } = sent
  return {
    type: 'REQUEST',
    methodArn: `${API}/test/${method}${path}`,
    resource: '/request',
    path,
    httpMethod: method,
    headers: { 'X-AMZ-Date': '20170718T062915Z', Accept: '*/*', ...lastValues(headers) },
    multiValueHeaders: { 'X-AMZ-Date': ['20170718T062915Z'], Accept: ['*/*'], ...allValues(headers) },
    queryStringParameters: lastValues(query),
    multiValueQueryStringParameters: allValues(query),
    pathParameters: {},
    stageVariables: { StageVar1: 'stageValue1' },
    requestContext: {
      path: '/request',
      accountId: '123456789012',
      resourceId: '05c7jb',
      stage: 'test',
      requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
      protocol: 'HTTP/1.1',
      requestTimeEpoch: 1583348638390,
      authorizer: undefined,
      identity,
      resourcePath: '/request',
      httpMethod: method,
      apiId: 'abcdef123',
    },
  }
}

const identity: APIGatewayRequestAuthorizerEvent['requestContext']['identity'] = {
  ...{ apiKey: null, apiKeyId: null, sourceIp: '192.0.2.1', clientCert: null, accessKey: null },
  ...{ accountId: null, caller: null, cognitoAuthenticationProvider: null, userAgent: 'agent' },
  ...{ cognitoAuthenticationType: null, cognitoIdentityId: null, cognitoIdentityPoolId: null },
  ...{ principalOrgId: null, user: null, userArn: null },
}

/** Format 1.0 of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html */
export function httpApi1Event(
  sent: Sent,
): APIGatewayRequestAuthorizerEvent & { version: '1.0'; identitySource: string; authorizationToken: string } {
  const { multiValueHeaders, ...event } = requestEvent(sent)
  const { Authorization = '' } = lastValues(sent.headers)
  // It has one map of headers, in which several of a name are joined.
  const headers = Object.fromEntries(
    Object.entries(multiValueHeaders ?? {}).map(([name, values]) => [name, values?.join(',')]),
  )
  const own = { version: '1.0', identitySource: Authorization, authorizationToken: Authorization } as const
  return { ...own, ...event, headers, multiValueHeaders: null }
}

/** Format 2.0 of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html */
export function httpApi2Event(sent: Sent): APIGatewayRequestAuthorizerEventV2 {
  const { headers, query, method = 'GET', path = '/my/path' } = sent
  const { authorization = '' } = joinedValues(headers)
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: `${API}/test/${method}${path}`,
    identitySource: [authorization],
    routeKey: '$default',
    rawPath: path,
    rawQueryString: new URLSearchParams(
      query?.map(([name, value]): [string, string] => [name, value]),
    ).toString(),
    cookies: cookiesOf(headers),
    headers: { host: 'id.execute-api.us-east-1.amazonaws.com', ...joinedValues(withoutCookies(headers)) },
    queryStringParameters: joinedValues(query),
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdef123',
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'id',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: 1583348638390,
    },
    pathParameters: {},
    stageVariables: {},
  }
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html */
export function webSocketEvent({ headers, query }: Sent): Omit<
  APIGatewayRequestAuthorizerEvent,
  'requestContext' | 'httpMethod' | 'path' | 'resource' | 'pathParameters'
> & {
  requestContext: Partial<APIGatewayRequestAuthorizerEvent['requestContext']>
} {
  return {
    type: 'REQUEST',
    methodArn: `${API}/default/$connect`,
    headers: { Connection: 'upgrade', Upgrade: 'websocket', ...lastValues(headers) },
    multiValueHeaders: { Connection: ['upgrade'], Upgrade: ['websocket'], ...allValues(headers) },
    queryStringParameters: lastValues(query),
    multiValueQueryStringParameters: allValues(query),
    stageVariables: {},
    requestContext: {
      routeKey: '$connect',
      messageId: null,
      eventType: 'CONNECT',
      extendedRequestId: 'EXTENDED',
      requestTime: '19/Jan/2023:21:13:26 +0000',
      messageDirection: 'IN',
      stage: 'default',
      connectedAt: 1674162806344,
      requestTimeEpoch: 1674162806345,
      identity,
      requestId: 'REQUEST',
      domainName: 'abcdef123.execute-api.us-east-1.amazonaws.com',
      connectionId: 'CONNECTION',
      apiId: 'abcdef123',
    },
  }
}

/** https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization */
export function appSyncEvent({ headers }: Sent): AppSyncAuthorizerEvent {
  const { Authorization = '' } = lastValues(headers)
  return {
    authorizationToken: Authorization,
    requestContext: {
      apiId: 'aaaaaa123123123example123',
      accountId: '111122223333',
      requestId: 'f4081827-1111-4444-5555-5cf4695f339f',
      queryString: 'mutation CreateEvent {...}\n\nquery MyQuery {...}\n',
      operationName: 'MyQuery',
      variables: {},
    },
    requestHeaders: joinedValues(headers),
  }
}
