import { assertString, optionError } from '../../options.js'
import { asBearerToken, MALFORMED, NO_TOKEN } from '../bearer.js'
import { type FoundToken, type TokenFinder, type TokenSource, tokenFinder } from '../token-source.js'
import type { RecognizedEvent } from './authorizer-events.js'
import { eventHead } from './event-head.js'
import { queryValues } from './event-values.js'

/**
 * Where an authorizer's event carries the token: as for `verifyToken`, and besides
 * - `{ query }`: a parameter of the query with which a WebSocket is opened, since a browser can set no header there.
 *   Looked at on `$connect` only. **Addresses end up in access logs, proxies and histories**: prefer
 *   `{ webSocketProtocol }`; else let the token be a short-lived one, and keep the query out of the logs.
 *
 * `'authorization'` is `authorizationToken` in the events that have it instead of a request (`TOKEN`, AppSync).
 */
export type AuthorizerTokenSource = TokenSource | { readonly query: string }

/** Finds the token of an event. */
export type EventTokenFinder = (recognized: RecognizedEvent) => FoundToken

/**
 * @param bareToken whether a token without a scheme is one, in `authorizationToken`; by default in AppSync's
 * @throws TypeError naming the option
 */
export function eventTokenFinder(
  owner: string,
  tokenFrom: AuthorizerTokenSource | readonly AuthorizerTokenSource[],
  allowedOrigins: readonly string[],
  bareToken: boolean | undefined,
): EventTokenFinder {
  const sources = [tokenFrom].flat() as readonly AuthorizerTokenSource[]
  if (sources.length === 0) throw optionError(owner, 'tokenFrom', 'at least one source', tokenFrom)
  const finders = sources.map((source): EventTokenFinder => {
    if (isQuery(source)) return queryToken(owner, source)
    const find = tokenFinder(owner, source, allowedOrigins)
    return source === 'authorization'
      ? (recognized) => orBareToken(find, recognized, bareToken)
      : (recognized) => find(eventHead(recognized))
  })
  return (recognized) => {
    const found = finders.map((find) => find(recognized)).filter(({ kind }) => kind !== 'none')
    return found.length > 1 ? MALFORMED : (found[0] ?? NO_TOKEN)
  }
}

function isQuery(source: AuthorizerTokenSource): source is { readonly query: string } {
  return typeof source === 'object' && source !== null && Object.keys(source).join() === 'query'
}

function queryToken(owner: string, { query }: { readonly query: string }): EventTokenFinder {
  assertString(owner, 'tokenFrom.query', query)
  return ({ kind, event }) => {
    if (kind !== 'websocket') return NO_TOKEN
    const values = queryValues(event.queryStringParameters, event.multiValueQueryStringParameters, query)
    return values.length > 1 ? MALFORMED : asBearerToken(values[0])
  }
}

/** Whether the token is what AppSync will know the request's answer by again: `authorizationToken`. */
export function isAuthorizationToken({ kind, event }: RecognizedEvent, found: FoundToken): boolean {
  if (kind !== 'appsync' || found.kind !== 'token') return false
  return event.authorizationToken.replace(/^bearer +/i, '') === found.token
}

function orBareToken(
  find: TokenFinder,
  recognized: RecognizedEvent,
  bareToken: boolean | undefined,
): FoundToken {
  const found = find(eventHead(recognized))
  const { kind, event } = recognized
  if (found.kind !== 'none' || (kind !== 'token' && kind !== 'appsync')) return found
  if (!(bareToken ?? kind === 'appsync')) return found
  // The characters of a bearer token (RFC 6750, section 2.1): credentials of another scheme have a space.
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(event.authorizationToken)
    ? asBearerToken(event.authorizationToken)
    : found
}
