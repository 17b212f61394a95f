import type { Middleware } from '../node-middleware.js'
import { nodeRevokeSessionHandler } from '../revoke-session/node-handler.js'
import type { RevokeSessionOptions, SessionClient } from '../revoke-session/revoke-session-options.js'

/**
 * Ends the session of the request's refresh token, at Cognito and in the store, and answers 204 once it is over at
 * both, and only then. What it answers otherwise: docs/logout.md. Every logout costs requests to Cognito, good or
 * not: put a rate limit in front, by address.
 *
 * For Express 5 and 4, behind `express.json()` or without. Errors that are not about the request go to `next`.
 *
 * @throws TypeError naming the option
 * @example
 * import { revokeSessionHandler } from 'cognito-revocation/express'
 * app.post('/logout', revokeSessionHandler(client, { revoker, refreshTokenFrom: { cookie: '__Host-refresh_token' } }))
 */
export function revokeSessionHandler(client: SessionClient, options: RevokeSessionOptions = {}): Middleware {
  return nodeRevokeSessionHandler(client, options)
}
