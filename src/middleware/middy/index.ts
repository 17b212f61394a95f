import type { MiddlewareObj, Request } from '@middy/core'
import type { ClaimsOf, TokenUse } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import { asError } from '../as-error.js'
import { cookiesHead, headersHead } from '../lambda/event-head.js'
import type { RequestHead } from '../request-head.js'
import type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'
import { proxyAnswer } from './proxy-answer.js'
import { type ProxyEvent, type RecognizedProxyEvent, recognizeProxy } from './proxy-event.js'

export type { Grants } from '../grants.js'
export type { EventHeaders, EventMultiValues, EventValues } from '../lambda/event-values.js'
export type { ProblemDetails } from '../refusal.js'
export type { TokenSource } from '../token-source.js'
export type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'
export type { AlbEvent, ProxyEvent, ProxyEventV1, ProxyEventV2 } from './proxy-event.js'

/** Lambda's context, as middy types it. */
type LambdaContext = Request['context']

/** The middleware of `verifyToken`: it types `context.auth` for the handler. */
export type VerifyTokenMiddleware<Auth> = MiddlewareObj<unknown, unknown, Error, LambdaContext & Auth> & {
  before: (request: Request<unknown, unknown, Error, LambdaContext & Auth>) => Promise<unknown>
}

/**
 * Calls the handler with the verified claims of the request's bearer token in `context.auth`, and answers every other
 * request itself as RFC 6750 has it: 400 invalid_request, 401 invalid_token, 403 insufficient_scope, 503 with
 * Retry-After where it cannot be known now. For functions behind a REST API, an HTTP API (payload format 1.0, 2.0), an
 * Application Load Balancer or a function URL. An event of another kind is an error, and so is what the options'
 * functions throw: `onError` gets them.
 *
 * The proxy integration of a REST API and function URLs rename `WWW-Authenticate`: clients get it as
 * `x-amzn-Remapped-www-authenticate`. Let them go by the status, and by `error` in the body, which says the same.
 *
 * A refusal is an early answer: middy runs no handler and no `after` of any middleware, nor `onError`. So the headers
 * of `@middy/http-cors` are not on it: where browsers must read it, let the API or the function URL answer CORS.
 *
 * Behind a load balancer: with `authenticate-cognito` it puts the user's access token into a header, which
 * `tokenFrom: { header: 'x-amzn-oidc-accesstoken' }` reads. Trust it only where nothing but the load balancer can call
 * the function. Turn on its multi-value headers: else it hands on but one of two Authorization headers.
 *
 * @throws TypeError naming the option
 * @example
 * import middy from '@middy/core'
 * import { verifyToken } from 'cognito-revocation/middy'
 * export const handler = middy()
 *   .use(verifyToken(verifier))
 *   .handler(async (event, context) => ({ statusCode: 200, body: context.auth.sub }))
 */
export function verifyToken<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options?: VerifyTokenOptions<ProxyEvent> & { readonly optional?: false; readonly skip?: never },
): VerifyTokenMiddleware<{ auth: ClaimsOf<Use> }>
export function verifyToken<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options: VerifyTokenOptions<ProxyEvent>,
): VerifyTokenMiddleware<{ auth?: ClaimsOf<Use> }>
export function verifyToken<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options: VerifyTokenOptions<ProxyEvent> = {},
): VerifyTokenMiddleware<{ auth?: ClaimsOf<Use> }> {
  const admit = createAdmission<ProxyEvent, Use>(verifier, options)
  return {
    before: async ({ event, context }) => {
      try {
        const recognized = recognizeProxy(event)
        const { claims, refusal } = await admit(proxyHead(recognized), recognized.event)
        if (refusal !== undefined) return proxyAnswer(recognized, refusal)
        if (claims !== undefined) Object.assign(context, { auth: claims })
        return undefined
      } catch (error) {
        throw asError(error)
      }
    },
  }
}

function proxyHead({ kind, event }: RecognizedProxyEvent): RequestHead {
  return kind === 'v2'
    ? cookiesHead(event.requestContext.http.method, event)
    : headersHead(event.httpMethod, event)
}
