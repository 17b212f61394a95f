import type { Context, ExtendableContext, Middleware, Next } from 'koa'
import type { CognitoClaims } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import { asError } from '../as-error.js'
import type { Refusal } from '../refusal.js'
import { headOf } from '../request-head.js'
import type { VerifiedClaims, Verifier, VerifyTokenOptions } from '../verify-token-options.js'

export type * from '../option-types.js'
export { revokeSessionHandler } from './revoke-session-handler.js'

/** What `verifyToken` puts in `ctx.state`. */
export interface AuthState<Claims = CognitoClaims> {
  /** The verified claims of the request's token; undefined without a token. */
  auth?: Claims
}

/** A middleware for any app and router, whatever their types, by which an app's `use` learns of `ctx.state.auth`. */
export type VerifyTokenMiddleware<Claims = CognitoClaims> = ((
  ctx: ExtendableContext,
  next: Next,
) => Promise<void>) &
  Middleware<AuthState<Claims>, object>

declare module 'koa' {
  interface DefaultState {
    /** The verified claims of the request's token, set by `verifyToken`; undefined without a token. */
    auth?: CognitoClaims
  }
}

/**
 * Lets a request through with the verified claims of its bearer token in `ctx.state.auth`, and answers every other as
 * RFC 6750 has it: 400 invalid_request, 401 invalid_token (revoked, expired, malformed), 403 insufficient_scope, 503
 * with Retry-After where it cannot be known now. Such an answer is no error: nothing is thrown, and the application's
 * `error` event is not emitted. For Koa 3.
 *
 * Middlewares that follow on it by `app.use(verifyToken(verifier)).use(…)` have the claims of the verifier's
 * `tokenUse`; all others those of either.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifyToken } from 'cognito-revocation/koa'
 * app.use(verifyToken(verifier))
 * app.use((ctx) => {
 *   ctx.body = { sub: ctx.state.auth?.sub }
 * })
 */
export function verifyToken<Checked extends Verifier>(
  verifier: Checked,
  options: VerifyTokenOptions<Context> = {},
): VerifyTokenMiddleware<VerifiedClaims<Checked>> {
  const admit = createAdmission(verifier, options)
  return async (anyContext: ExtendableContext, next: Next) => {
    // At run time the types of Koa's contexts are all one.
    const ctx = anyContext as Context
    const head = headOf(ctx.req)
    const known = admit.atOnce(head)
    const { claims, refusal } = known ? { claims: known } : await admit(head, ctx).catch(rejectWithError)
    if (refusal !== undefined) return refuse(ctx, refusal)
    // Also where there are none: those of another verifier are not this one's.
    Object.assign(ctx.state, { auth: claims })
    await next()
  }
}

/** To a rejection with undefined Koa gives no answer at all. */
function rejectWithError(thrown: unknown): never {
  throw asError(thrown)
}

function refuse(ctx: Context, refusal: Refusal): void {
  // A time limit of the application's own may have answered meanwhile: Koa would write behind its answer.
  if (ctx.headerSent) {
    ctx.respond = false
    return
  }
  ctx.status = refusal.status
  // Koa keeps a type of JSON that is set before the body.
  ctx.set(refusal.headers)
  ctx.body = refusal.body
}
