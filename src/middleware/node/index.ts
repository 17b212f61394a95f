import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { CognitoClaims } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import { answer, type Middleware, nodeMiddleware } from '../node-middleware.js'
import { headOf, type NodeRequest } from '../request-head.js'
import {
  assertHandler,
  type MandatoryTokenOptions,
  type VerifiedClaims,
  type Verifier,
  type VerifyTokenOptions,
} from '../verify-token-options.js'

export type { Middleware } from '../node-middleware.js'
export type * from '../option-types.js'
export type { NodeRequest } from '../request-head.js'
export { revokeSessionHandler } from './revoke-session-handler.js'

/** The response that belongs to a request of Node's HTTP/1 or HTTP/2. */
export type ResponseTo<Request extends NodeRequest> = Request extends Http2ServerRequest
  ? Http2ServerResponse
  : ServerResponse

/** A request behind `verifyToken`. Nobody else's types are touched: write it where the claims are read. */
export type RequestWithAuth<
  Claims = CognitoClaims,
  Request extends NodeRequest = IncomingMessage,
> = Request & {
  /** The verified claims of the request's token, set by `verifyToken`. */
  auth?: Claims
}

/** A handler that is given the claims. */
export type TokenHandler<Claims, Request extends NodeRequest = IncomingMessage> = (
  request: Request,
  response: ResponseTo<Request>,
  claims: Claims,
) => unknown

/** A handler as node:http takes one, but for its promise: it rejects with the errors that are the application's. */
export type Listener<Request extends NodeRequest = IncomingMessage> = (
  request: Request,
  response: ResponseTo<Request>,
) => Promise<void>

/**
 * A middleware for servers that go on by `next()`, such as connect, polka or one's own: lets a request through with the
 * verified claims of its bearer token in `request.auth`, and answers every other as RFC 6750 has it: 400
 * invalid_request, 401 invalid_token (revoked, expired, malformed), 403 insufficient_scope, 503 with Retry-After
 * where it cannot be known now. `next(error)` is called with what is no answer to the request: look at it. Takes
 * requests of node:http and of node:http2's compatibility API.
 *
 * Where there is no `next`, `withToken` is the safer one.
 *
 * @throws TypeError naming the option
 * @example
 * import { type RequestWithAuth, verifyToken } from 'cognito-revocation/node'
 * app.use(verifyToken(verifier))
 * app.use((request: RequestWithAuth, response) => response.end(request.auth?.sub))
 */
export function verifyToken<Given extends Verifier, Request extends NodeRequest = IncomingMessage>(
  verifier: Given,
  options: VerifyTokenOptions<Request> = {},
): Middleware<RequestWithAuth<VerifiedClaims<Given>, Request>, ResponseTo<Request>> {
  return nodeMiddleware(verifier, options)
}

/**
 * A handler for a server without a framework: `handler` is called only for requests that go on, and is given the
 * claims (undefined only under the options `optional` and `skip`); every other is answered as `verifyToken` does.
 *
 * The promise rejects with what `handler` throws, and with errors of `extractToken`, `skip` or the verifier itself.
 * node:http looks at no promise, and an unhandled rejection ends the process: catch it.
 *
 * @throws TypeError naming the option
 * @example
 * import { createServer } from 'node:http'
 * import { withToken } from 'cognito-revocation/node'
 * const me = withToken(verifier, (_request, response, claims) => {
 *   response.end(claims.sub)
 * })
 * createServer((request, response) => {
 *   me(request, response).catch((error) => {
 *     console.error(error)
 *     if (!response.headersSent) response.writeHead(500)
 *     response.end()
 *   })
 * })
 */
export function withToken<Given extends Verifier, Request extends NodeRequest = IncomingMessage>(
  verifier: Given,
  handler: TokenHandler<VerifiedClaims<Given>, Request>,
  options?: MandatoryTokenOptions<Request>,
): Listener<Request>
export function withToken<Given extends Verifier, Request extends NodeRequest = IncomingMessage>(
  verifier: Given,
  handler: TokenHandler<VerifiedClaims<Given> | undefined, Request>,
  options: VerifyTokenOptions<Request>,
): Listener<Request>
export function withToken<Given extends Verifier, Request extends NodeRequest>(
  verifier: Given,
  handler: TokenHandler<VerifiedClaims<Given>, Request>,
  options: VerifyTokenOptions<Request> = {},
): Listener<Request> {
  const admit = createAdmission(verifier, options, 'withToken')
  assertHandler('withToken', handler)
  return async (request, response) => {
    const { claims, refusal } = await admit(headOf(request), request)
    if (refusal !== undefined) return answer(response, refusal)
    // Undefined under `optional` and `skip` only, where the handler is one that takes it.
    await handler(request, response, claims as VerifiedClaims<Given>)
  }
}
