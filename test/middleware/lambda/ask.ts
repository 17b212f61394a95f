import type { TokenVerifier } from '../../../src/index.js'
import {
  type AuthorizerAnswer,
  createLambdaAuthorizer,
  type LambdaAuthorizerEvent,
  type LambdaAuthorizerOptions,
  type PolicyAnswer,
} from '../../../src/middleware/lambda/index.js'
import {
  appSyncEvent,
  httpApi1Event,
  httpApi2Event,
  requestEvent,
  tokenEvent,
  webSocketEvent,
} from './events/authorizer-events.js'
import type { Sent } from './events/sent.js'

/** A kind of authorizer, as the tests of all of them need it. */
export interface Kind {
  readonly name: string
  readonly eventOf: (sent: Sent) => LambdaAuthorizerEvent
  /** Its event has one value, where a request may have two. */
  readonly single?: boolean
  readonly options?: LambdaAuthorizerOptions
}

const RestToken: Kind = { name: 'a REST API (TOKEN)', eventOf: tokenEvent, single: true }
export const RestRequest: Kind = { name: 'a REST API (REQUEST)', eventOf: requestEvent }
const HttpApi1: Kind = { name: 'an HTTP API (1.0)', eventOf: httpApi1Event }
const HttpApi2: Kind = { name: 'an HTTP API (2.0)', eventOf: httpApi2Event }
const HttpApi2Policy: Kind = {
  name: 'an HTTP API (2.0, policy)',
  eventOf: httpApi2Event,
  options: { simpleResponses: false },
}
const WebSocketConnect: Kind = { name: 'a WebSocket API', eventOf: webSocketEvent }
export const AppSync: Kind = { name: 'an AppSync API', eventOf: appSyncEvent, single: true }

export const kinds: readonly Kind[] = [
  ...[RestToken, RestRequest, HttpApi1, HttpApi2, HttpApi2Policy, WebSocketConnect, AppSync],
]

/** A request with these Authorization headers. */
export function authorization(...values: readonly string[]): Sent {
  return { headers: values.map((value) => ['Authorization', value]) }
}

/** What AWS answers the client by what the authorizer answers. */
export async function statusFor(
  { eventOf, options: own }: Kind,
  verifier: TokenVerifier,
  sent: Sent,
  options: LambdaAuthorizerOptions = {},
): Promise<number> {
  const event = eventOf(sent)
  const authorizer = createLambdaAuthorizer(verifier, { ...own, ...options })
  try {
    return statusOf(await authorizer(event), arnOf(event))
  } catch (error) {
    return error instanceof Error && error.message === 'Unauthorized' ? 401 : 500
  }
}

function statusOf(answer: AuthorizerAnswer, arn: string): number {
  if ('policyDocument' in answer) return isAllowed(answer, arn) ? 200 : 403
  if (answer.isAuthorized) return 200
  return 'ttlOverride' in answer ? 401 : 403
}

/** As IAM reads it: `*` is any characters, `?` any one. */
export function isAllowed({ policyDocument }: PolicyAnswer, arn: string): boolean {
  const effects = policyDocument.Statement.filter(({ Resource }) => matches(Resource, arn)).map(
    ({ Effect }) => Effect,
  )
  return effects.includes('Allow') && !effects.includes('Deny')
}

function matches(pattern: string, arn: string): boolean {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(arn)
}

export function arnOf(event: LambdaAuthorizerEvent): string {
  if ('routeArn' in event) return event.routeArn
  return 'methodArn' in event ? event.methodArn : ''
}
