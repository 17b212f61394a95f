import type { FastifyRequest } from 'fastify'
import type { TokenUse } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'
import { type VerifyTokenHook, verifyTokenHook } from './verify-token-hook.js'

export type * from '../option-types.js'
export { type CognitoRevocationOptions, cognitoRevocation } from './plugin.js'
export { revokeSessionHandler } from './revoke-session-handler.js'
export type { RouteAuth, RouteRules } from './route-rules.js'
export type { VerifyTokenHook } from './verify-token-hook.js'

/**
 * A hook that lets a request through with the verified claims of its bearer token in `request.auth`, and answers every
 * other as RFC 6750 has it: 400 invalid_request, 401 invalid_token (revoked, expired, malformed), 403
 * insufficient_scope, 503 with Retry-After where it cannot be known now. For Fastify 5, on a route or a scope, with or
 * without the plugin `cognitoRevocation`, whose `config.auth` it does not heed. Use it in `onRequest`: later hooks may
 * come after the body has been read.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifyToken } from 'cognito-revocation/fastify'
 * app.get('/me', { onRequest: verifyToken(verifier) }, async (request) => ({ sub: request.auth?.sub }))
 * app.get('/orders', { onRequest: [verifyToken(verifier, { scope: 'orders/read' })] }, listOrders)
 */
export function verifyToken<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options: VerifyTokenOptions<FastifyRequest> = {},
): VerifyTokenHook {
  const admission = createAdmission(verifier, options)
  return verifyTokenHook(() => admission)
}
