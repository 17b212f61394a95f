import type { IncomingMessage, ServerResponse } from 'node:http'
import { FAILED } from '../revoke-session/answers.js'
import { nodeRevokeSessionHandler, send } from '../revoke-session/node-handler.js'
import type { RevokeSessionOptions, SessionClient } from '../revoke-session/revoke-session-options.js'

/**
 * Ends the session of the request's refresh token, at Cognito and in the store, and answers 204 once it is over at
 * both, and only then. What it answers otherwise: docs/logout.md. Every logout costs requests to Cognito, good or
 * not: put a rate limit in front, by address.
 *
 * For node:http, and for routers that call with Node's request and response. Errors that are not about the request go
 * to `next`; without one the answer is 500, and the observer has the error.
 *
 * @throws TypeError naming the option
 * @example
 * import { revokeSessionHandler } from 'cognito-revocation/node'
 * const logout = revokeSessionHandler(client, { revoker, observer: log })
 * createServer((request, response) => (request.url === '/logout' ? logout(request, response) : serve(request, response)))
 */
export function revokeSessionHandler(
  client: SessionClient,
  options: RevokeSessionOptions = {},
): (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void {
  const handler = nodeRevokeSessionHandler(client, options)
  return (request, response, next = () => send(response, FAILED)) => handler(request, response, next)
}
