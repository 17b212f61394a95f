import type { CognitoClaims } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import { responseOf } from '../fetch-response.js'
import { fetchHeadOf } from '../request-head.js'
import {
  assertHandler,
  type MandatoryTokenOptions,
  type VerifiedClaims,
  type Verifier,
  type VerifyTokenOptions,
} from '../verify-token-options.js'

export type * from '../option-types.js'
export { revokeSessionHandler } from './revoke-session-handler.js'

/**
 * What `verifyToken` found of a request: it goes on, with the claims of its token; or it is refused, and `response` is
 * the answer to give.
 */
export type Authentication<Claims = CognitoClaims> =
  | { readonly claims: Claims; readonly response?: undefined }
  | { readonly claims?: undefined; readonly response: Response }

/** Decides about one request. Its body is left unread. */
export type Authenticate<Claims = CognitoClaims, Incoming extends Request = Request> = (
  request: Incoming,
) => Promise<Authentication<Claims>>

/** A fetch handler that is given the claims. `Rest` is what the runtime gives besides the request. */
export type TokenHandler<Claims, Incoming extends Request, Rest extends readonly unknown[]> = (
  request: Incoming,
  claims: Claims,
  ...rest: Rest
) => Response | Promise<Response>

/** A fetch handler as Next.js, Bun, Deno and others take one. */
export type FetchHandler<Incoming extends Request, Rest extends readonly unknown[]> = (
  request: Incoming,
  ...rest: Rest
) => Promise<Response>

/**
 * For whatever speaks the Fetch standard on a runtime with node:crypto (Next.js route handlers, SvelteKit, Bun,
 * Deno): makes a function that gives the verified claims of a request's bearer token, or the response to refuse it
 * with, as RFC 6750 has it: 400 invalid_request, 401 invalid_token (revoked, expired, malformed), 403
 * insufficient_scope, 503 with Retry-After where it cannot be known now. `claims` may be undefined only under the
 * options `optional` and `skip`.
 *
 * Two Authorization headers are refused where the runtime shows both. Next.js on Node, among others, shows only
 * the first: no proxy before it should look at the other.
 *
 * The function rejects with what is no answer to the request: an error of `extractToken`, `skip` or the verifier
 * itself. Answer it with 500.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifyToken } from 'cognito-revocation/fetch'
 * const authenticate = verifyToken(verifier)
 * export async function GET(request: Request) {
 *   const { claims, response } = await authenticate(request)
 *   if (response) return response
 *   return Response.json({ sub: claims.sub })
 * }
 */
export function verifyToken<Given extends Verifier, Incoming extends Request = Request>(
  verifier: Given,
  options?: MandatoryTokenOptions<Incoming>,
): Authenticate<VerifiedClaims<Given>, Incoming>
export function verifyToken<Given extends Verifier, Incoming extends Request = Request>(
  verifier: Given,
  options: VerifyTokenOptions<Incoming>,
): Authenticate<VerifiedClaims<Given> | undefined, Incoming>
export function verifyToken<Given extends Verifier, Incoming extends Request>(
  verifier: Given,
  options: VerifyTokenOptions<Incoming> = {},
): Authenticate<CognitoClaims | undefined, Incoming> {
  const admit = createAdmission(verifier, options)
  return async (request) => {
    const { claims, refusal } = await admit(fetchHeadOf(request), request)
    return refusal === undefined ? { claims } : { response: responseOf(refusal) }
  }
}

/**
 * The same around a handler, which is called only for requests that go on, and is given the claims after the request.
 * What it throws is its own: the promise rejects with it.
 *
 * @throws TypeError naming the option
 * @example
 * import { withToken } from 'cognito-revocation/fetch'
 * export const GET = withToken(verifier, (_request, claims) => Response.json({ sub: claims.sub }))
 * export const DELETE = withToken(verifier, removeOrder, { scope: 'orders/write' })
 */
export function withToken<
  Given extends Verifier,
  Incoming extends Request = Request,
  Rest extends readonly unknown[] = readonly unknown[],
>(
  verifier: Given,
  handler: TokenHandler<VerifiedClaims<Given>, Incoming, Rest>,
  options?: MandatoryTokenOptions<Incoming>,
): FetchHandler<Incoming, Rest>
export function withToken<
  Given extends Verifier,
  Incoming extends Request = Request,
  Rest extends readonly unknown[] = readonly unknown[],
>(
  verifier: Given,
  handler: TokenHandler<VerifiedClaims<Given> | undefined, Incoming, Rest>,
  options: VerifyTokenOptions<Incoming>,
): FetchHandler<Incoming, Rest>
export function withToken<Given extends Verifier, Incoming extends Request, Rest extends readonly unknown[]>(
  verifier: Given,
  handler: TokenHandler<VerifiedClaims<Given>, Incoming, Rest>,
  options: VerifyTokenOptions<Incoming> = {},
): FetchHandler<Incoming, Rest> {
  const admit = createAdmission(verifier, options, 'withToken')
  assertHandler('withToken', handler)
  return async (request, ...rest) => {
    const { claims, refusal } = await admit(fetchHeadOf(request), request)
    if (refusal !== undefined) return responseOf(refusal)
    // Undefined under `optional` and `skip` only, where the handler is one that takes it.
    return handler(request, claims as VerifiedClaims<Given>, ...rest)
  }
}
