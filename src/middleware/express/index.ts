import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CognitoClaims, TokenUse } from '../../tokens/claims.js'
import { type Middleware, nodeMiddleware } from '../node-middleware.js'
import type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'

export type { Middleware } from '../node-middleware.js'
export type * from '../option-types.js'
export { revokeSessionHandler } from './revoke-session-handler.js'

declare global {
  // The place that @types/express leaves for this; it exists without it, too.
  namespace Express {
    interface Request {
      /** The verified claims of the request's token, set by `verifyToken`. */
      auth?: CognitoClaims
    }
  }
}

/**
 * Lets a request through with the verified claims of its bearer token in `req.auth`, and answers every other
 * as RFC 6750 has it: 400 invalid_request, 401 invalid_token (revoked, expired, malformed), 403
 * insufficient_scope, 503 with Retry-After where it cannot be known now. For Express 5 and 4.
 *
 * `skip` and `extractToken` get Express's request where they name it. `req.path` and `req.url` are without the path that
 * the middleware is mounted at; `req.originalUrl` has it.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifyToken } from 'cognito-revocation/express'
 * app.use('/api', verifyToken(verifier, { skip: (req: Request) => req.originalUrl === '/api/health' }))
 * app.get('/api/me', (req, res) => res.json({ sub: req.auth?.sub }))
 */
export function verifyToken<Use extends TokenUse | null, Incoming extends IncomingMessage = IncomingMessage>(
  verifier: Verifier<Use>,
  options: VerifyTokenOptions<Incoming> = {},
): Middleware<Incoming, ServerResponse> {
  return nodeMiddleware(verifier, options)
}
