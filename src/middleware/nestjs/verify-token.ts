import type { CanActivate } from '@nestjs/common'
import type { TokenUse } from '../../tokens/claims.js'
import type { Verifier } from '../verify-token-options.js'
import type { GuardOptions } from './guard-options.js'
import type { NestRequest } from './request-of.js'
import { RouteAdmission } from './route-admission.js'

/**
 * A guard that needs no module: for a controller or a route, or for all by `app.useGlobalGuards`. It answers as every
 * `verifyToken` does: 400, 401, 403 or 503, by a {@link CognitoAuthException}; the claims are in `request.auth`, and
 * in `@Claims()`. In GraphQL it takes `req` of the context; gateways and microservices need the option `getRequest`.
 * Only its own options loosen it: it heeds `@Scopes`, `@Groups` and `@VerifyToken` of a route, but neither `@Public`
 * nor `@OptionalAuth`.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifyToken } from 'cognito-revocation/nestjs'
 * class Partners { @UseGuards(verifyToken(verifier, { groups: 'partners' })) @Get() list() {} }
 * app.useGlobalGuards(verifyToken(verifier))
 */
export function verifyToken<Use extends TokenUse | null, Request = NestRequest>(
  verifier: Verifier<Use>,
  options: GuardOptions<Request> = {},
): CanActivate {
  const admission = new RouteAdmission('verifyToken', verifier, options, false)
  return { canActivate: (context) => admission.authenticate(context) }
}
