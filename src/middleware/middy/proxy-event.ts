import type { EventHeaders, EventMultiValues, EventValues } from '../lambda/event-values.js'
import { isRecord } from '../lambda/is-record.js'

/** What a function behind a REST API, or an HTTP API with payload format 1.0, is called with. */
export interface ProxyEventV1 extends EventHeaders {
  readonly httpMethod: string
  readonly requestContext: object
}

/** What a function behind an HTTP API with payload format 2.0, or with an URL of its own, is called with. */
export interface ProxyEventV2 {
  readonly version: string
  readonly headers?: EventValues
  readonly cookies?: readonly string[] | null | undefined
  readonly requestContext: { readonly http: { readonly method: string } }
}

/** What a function behind an Application Load Balancer is called with: one of the two maps of headers. */
export interface AlbEvent {
  readonly httpMethod: string
  readonly headers?: EventValues
  readonly multiValueHeaders?: EventMultiValues
  readonly requestContext: { readonly elb: object }
}

/** Every event that `verifyToken` understands. */
export type ProxyEvent = ProxyEventV1 | ProxyEventV2 | AlbEvent

/** An event, and what it has turned out to be. */
export type RecognizedProxyEvent =
  | { readonly kind: 'v1'; readonly event: ProxyEventV1 }
  | { readonly kind: 'v2'; readonly event: ProxyEventV2 }
  | { readonly kind: 'alb'; readonly event: AlbEvent }

/** @throws TypeError that says what to do */
export function recognizeProxy(event: unknown): RecognizedProxyEvent {
  if (isV2(event)) return { kind: 'v2', event }
  if (isAlb(event)) return { kind: 'alb', event }
  if (isV1(event)) return { kind: 'v1', event }
  throw new TypeError(
    'verifyToken: this is no proxy event of a REST API, an HTTP API (payload format 1.0 or 2.0), an Application Load ' +
      'Balancer or a function URL. Use it in a function behind one of these',
  )
}

function isV2(event: unknown): event is ProxyEventV2 {
  if (!isRecord(event) || event.version !== '2.0' || !isRecord(event.requestContext)) return false
  const { http } = event.requestContext
  return isRecord(http) && typeof http.method === 'string'
}

function isAlb(event: unknown): event is AlbEvent {
  if (!isRecord(event) || typeof event.httpMethod !== 'string') return false
  return isRecord(event.requestContext) && isRecord(event.requestContext.elb)
}

/** An authorizer's event looks much the same, but is of a `type`, and takes another answer. */
function isV1(event: unknown): event is ProxyEventV1 {
  if (!isRecord(event) || typeof event.httpMethod !== 'string' || event.type !== undefined) return false
  const known = event.version === undefined || event.version === '1.0'
  return known && isRecord(event.requestContext)
}
