import { splitNames, wordsOf } from './authorizer-context.js'
import { isRecord } from './is-record.js'

/** What `createLambdaAuthorizer` handed on of the caller's token. */
export interface AuthorizedCaller {
  readonly sub: string
  readonly username?: string
  readonly clientId?: string
  /** Empty where the token has none. */
  readonly scopes: readonly string[]
  /** Empty where the user is in none. */
  readonly groups: readonly string[]
  /**
   * The whole context as text, which is what API Gateway makes of it; `exp` and `origin_jti` are in here. Its `groups`
   * are encoded, and no list: look for one in `groups` above.
   */
  readonly context: Readonly<Record<string, string>>
}

/**
 * Reads, in a function behind the authorizer, what `createLambdaAuthorizer` handed on: from the event of a REST API,
 * an HTTP API, a WebSocket API, or of an AppSync resolver. For what one route needs and the others do not.
 *
 * Who wrote the context cannot be known: the route must have this library's authorizer.
 *
 * @throws TypeError if the event has no context with `sub`: the route has no authorizer, or `contextClaims` leaves `sub`
 *   out
 * @example
 * import { readAuthorizerContext } from 'cognito-revocation/lambda'
 * const { sub, scopes } = readAuthorizerContext(event)
 * if (!scopes.includes('orders/write')) return { statusCode: 403 }
 */
export function readAuthorizerContext(event: unknown): AuthorizedCaller {
  const context = asText(contextOf(event))
  const { sub, username, client_id: clientId, scope, groups } = context
  if (sub === undefined || sub === '')
    throw new TypeError('readAuthorizerContext: the event came through no authorizer that hands on sub')
  return {
    sub,
    ...(username === undefined ? {} : { username }),
    ...(clientId === undefined ? {} : { clientId }),
    scopes: wordsOf(scope),
    groups: splitNames(groups),
    context,
  }
}

/** An HTTP API's function of format 2.0 finds it under `lambda`, an AppSync resolver in its identity. */
function contextOf(event: unknown): unknown {
  const { requestContext, identity } = recordOf(event)
  const context = recordOf(requestContext).authorizer ?? recordOf(identity).resolverContext
  const { lambda } = recordOf(context)
  return isRecord(lambda) ? lambda : context
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function asText(context: unknown): Readonly<Record<string, string>> {
  const scalars = Object.entries(recordOf(context)).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  )
  return Object.fromEntries(scalars.map(([key, value]) => [key, String(value)]))
}
