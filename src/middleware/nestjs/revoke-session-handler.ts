import type { Middleware } from '../node-middleware.js'
import { nodeRevokeSessionHandler } from '../revoke-session/node-handler.js'
import type { RevokeSessionOptions, SessionClient } from '../revoke-session/revoke-session-options.js'

/**
 * Ends the session of the request's refresh token, at Cognito and in the store, and answers 204 once it is over at
 * both, and only then. What it answers otherwise: docs/logout.md. Every logout costs requests to Cognito, good or
 * not: put a rate limit in front, by address.
 *
 * A functional middleware, for platform-express and platform-fastify. Guards, pipes and interceptors come after it, so
 * it is there without a token's being asked for. Headers that Fastify's hooks set are not in its answer: set those of
 * CORS by `app.enableCors` on platform-express, or by a middleware before it.
 *
 * @throws TypeError naming the option
 * @example
 * import { revokeSessionHandler } from 'cognito-revocation/nestjs'
 * consumer
 *   .apply(revokeSessionHandler(client, { revoker }))
 *   .forRoutes({ path: 'logout', method: RequestMethod.POST })
 */
export function revokeSessionHandler(client: SessionClient, options: RevokeSessionOptions = {}): Middleware {
  return nodeRevokeSessionHandler(client, options)
}
