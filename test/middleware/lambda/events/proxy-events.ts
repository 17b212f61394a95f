import type {
  ALBEvent,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  LambdaFunctionURLEvent,
} from 'aws-lambda'
import { requestEvent } from './authorizer-events.js'
import { allValues, cookiesOf, joinedValues, lastValues, type Sent, withoutCookies } from './sent.js'

/** The events of AWS's documentation for functions behind a proxy, with the request that is given. */

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html */
export function restEvent(sent: Sent): APIGatewayProxyEvent {
  const { type: _, methodArn: __, ...event } = requestEvent(sent)
  const { headers, multiValueHeaders } = event
  const own = { headers: headers ?? {}, multiValueHeaders: multiValueHeaders ?? {} }
  return { ...event, ...own, body: sent.body ?? null, isBase64Encoded: false }
}

/** Format 1.0 of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
export function httpApi1ProxyEvent(sent: Sent): APIGatewayProxyEvent & { version: '1.0' } {
  return { version: '1.0', ...restEvent(sent) }
}

/** Format 2.0 of https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
export function httpApi2ProxyEvent({
  method = 'GET',
  path = '/my/path',
  ...sent
}: Sent): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    cookies: cookiesOf(sent.headers),
    headers: joinedValues(withoutCookies(sent.headers)),
    requestContext: {
      accountId: '123456789012',
      apiId: 'api-id',
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'id',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'id',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: 1583348638390,
    },
    ...(sent.body === undefined ? {} : { body: sent.body }),
    isBase64Encoded: false,
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
export function functionUrlEvent(sent: Sent): LambdaFunctionURLEvent {
  const event = httpApi2ProxyEvent(sent)
  const domainName = 'url-id.lambda-url.us-west-2.on.aws'
  return { ...event, requestContext: { ...event.requestContext, domainName, domainPrefix: 'url-id' } }
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html */
export function albEvent(sent: Sent): ALBEvent {
  return { ...balanced(sent), queryStringParameters: {}, headers: lowerCase(lastValues(sent.headers)) }
}

/** The same with multi-value headers turned on. */
export function albMultiValueEvent(sent: Sent): ALBEvent {
  return {
    ...balanced(sent),
    multiValueQueryStringParameters: {},
    multiValueHeaders: lowerCase(allValues(sent.headers)),
  }
}

function balanced({ method = 'GET', path = '/', body = '' }: Sent): ALBEvent {
  const arn =
    'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/my-target-group/6d0ecf831eec9f09'
  return {
    requestContext: { elb: { targetGroupArn: arn } },
    httpMethod: method,
    path,
    body,
    isBase64Encoded: false,
  }
}

function lowerCase<Value>(map: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name.toLowerCase(), value]))
}
