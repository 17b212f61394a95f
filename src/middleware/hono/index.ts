import type { Context, MiddlewareHandler } from 'hono'
import type { CognitoClaims } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import { asError } from '../as-error.js'
import { responseOf } from '../fetch-response.js'
import type { Refusal } from '../refusal.js'
import { fetchHeadOf } from '../request-head.js'
import type {
  MandatoryTokenOptions,
  VerifiedClaims,
  Verifier,
  VerifyTokenOptions,
} from '../verify-token-options.js'

export type * from '../option-types.js'
export { revokeSessionHandler } from './revoke-session-handler.js'

declare module 'hono' {
  // For handlers that `verifyToken` is not chained to in one expression: there it cannot be known whether it ran. Where
  // it is, its own Env says more, and the two agree.
  interface ContextVariableMap {
    /** The verified claims of the request's token, set by `verifyToken`. */
    auth: CognitoClaims | undefined
  }
}

/** What `verifyToken` adds to a context: `c.get('auth')` and `c.var.auth`. */
export interface AuthEnv<Claims = CognitoClaims> {
  Variables: { auth: Claims }
}

/**
 * Lets a request through with the verified claims of its bearer token in `c.get('auth')`, and answers every other
 * as RFC 6750 has it: 400 invalid_request, 401 invalid_token (revoked, expired, malformed), 403
 * insufficient_scope, 503 with Retry-After where it cannot be known now. Headers set before, by hono/cors for example,
 * stay. For Hono 4 on runtimes with node:crypto.
 *
 * Handlers that follow it in one chain know the claims by the verifier's `tokenUse`; `undefined` is among them only
 * under the options `optional` and `skip`. Hono believes so whatever the path: give `use` none, or one that all of the
 * chain is under. Everywhere else they are `CognitoClaims | undefined`. What is no answer to
 * the request, such as an error of `extractToken`, goes to `app.onError`.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifyToken } from 'cognito-revocation/hono'
 * app.use('/api/*', verifyToken(verifier))
 * app.get('/api/me', (c) => c.json({ sub: c.get('auth')?.sub }))
 * app.get('/orders', verifyToken(verifier, { scope: 'orders/read' }), (c) => c.json({ sub: c.var.auth.sub }))
 */
export function verifyToken<Given extends Verifier>(
  verifier: Given,
  options?: MandatoryTokenOptions<Context>,
): MiddlewareHandler<AuthEnv<VerifiedClaims<Given>>>
export function verifyToken<Given extends Verifier>(
  verifier: Given,
  options: VerifyTokenOptions<Context>,
): MiddlewareHandler<AuthEnv<VerifiedClaims<Given> | undefined>>
export function verifyToken<Given extends Verifier>(
  verifier: Given,
  options: VerifyTokenOptions<Context> = {},
): MiddlewareHandler {
  const admit = createAdmission(verifier, options)
  return async (c, next) => {
    // The request that later handlers see. @hono/node-server makes it of Node's rawHeaders, with both of two lines.
    const head = fetchHeadOf(c.req.raw)
    const known = admit.atOnce(head)
    const { claims, refusal } = known ? { claims: known } : await admit(head, c).catch(rethrowAsError)
    if (refusal !== undefined) return refuse(c, refusal)
    // Also where there are none: those of another verifier are not this one's.
    c.set('auth', claims)
    // Outside of any try: what a later handler throws is for app.onError.
    return next()
  }
}

function refuse(c: Context, refusal: Refusal): Response {
  // Set on the context first: there they win over headers of the same name that were set before.
  for (const [name, value] of Object.entries(refusal.headers)) c.header(name, value)
  // Hono drops what is returned once something was put here: by a middleware with a fallback, say.
  c.res = c.body(JSON.stringify(refusal.body), responseOf(refusal))
  return c.res
}

/** Hono gives app.onError nothing but Errors. */
function rethrowAsError(error: unknown): never {
  throw asError(error)
}
