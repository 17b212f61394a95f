import type { RequestHead } from '../request-head.js'
import type { RecognizedEvent } from './authorizer-events.js'
import { type EventHeaders, headerValues } from './event-values.js'

/** The head of the request that an authorizer is asked about. */
export function eventHead(recognized: RecognizedEvent): RequestHead {
  switch (recognized.kind) {
    case 'http-api':
      return cookiesHead(recognized.event.requestContext.http.method, recognized.event)
    case 'request':
      return headersHead(recognized.event.httpMethod, recognized.event)
    case 'websocket':
      return webSocketHead(recognized.event)
    case 'token':
      return tokenHead(recognized.event.authorizationToken, {})
    case 'appsync':
      return tokenHead(recognized.event.authorizationToken, { headers: recognized.event.requestHeaders })
  }
}

/** The head of an event with headers. */
export function headersHead(method: string, event: EventHeaders): RequestHead {
  return { method: method.toUpperCase(), values: (name) => headerValues(event, name) }
}

/** The head of an event of format 2.0, which may carry its cookies apart. */
export function cookiesHead(
  method: string,
  event: EventHeaders & { readonly cookies?: readonly string[] | null | undefined },
): RequestHead {
  const head = headersHead(method, event)
  const { cookies } = event
  if (!Array.isArray(cookies) || cookies.length === 0) return head
  const header = cookies.filter((cookie) => typeof cookie === 'string').join('; ')
  return { ...head, values: (name) => (name === 'cookie' ? [header] : head.values(name)) }
}

/** It is an upgrade, whichever headers API Gateway hands on. */
function webSocketHead(event: EventHeaders): RequestHead {
  const head = headersHead('GET', event)
  return { ...head, values: (name) => (name === 'upgrade' ? ['websocket'] : head.values(name)) }
}

/** The method is not told: it may be one that changes something. */
function tokenHead(authorizationToken: string, event: EventHeaders): RequestHead {
  const head = headersHead('POST', event)
  return { ...head, values: (name) => (name === 'authorization' ? [authorizationToken] : head.values(name)) }
}
