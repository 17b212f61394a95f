import { fetchHeadOf } from '../request-head.js'
import { fetchBody } from '../revoke-session/json-body.js'
import { createRevokeSession } from '../revoke-session/revoke-session.js'
import type { RevokeSessionOptions, SessionClient } from '../revoke-session/revoke-session-options.js'

/**
 * Ends the session of the request's refresh token, at Cognito and in the store, and answers 204 once it is over at
 * both, and only then. What it answers otherwise: docs/logout.md. Every logout costs requests to Cognito, good or
 * not: put a rate limit in front, by address.
 *
 * For whatever takes a function from Request to Response. It rejects with errors that are not about the request.
 *
 * @throws TypeError naming the option
 * @example
 * import { revokeSessionHandler } from 'cognito-revocation/fetch'
 * export const POST = revokeSessionHandler(client, { revoker })
 */
export function revokeSessionHandler(
  client: SessionClient,
  options: RevokeSessionOptions = {},
): (request: Request) => Promise<Response> {
  const revokeSession = createRevokeSession(client, options)
  return async (request) => {
    const readBody = fetchBody(request, async () => undefined)
    const { status, headers, setCookie, body } = await revokeSession(fetchHeadOf(request), readBody)
    return new Response(body === undefined ? null : JSON.stringify(body), {
      status,
      headers: { ...headers, ...(setCookie === undefined ? {} : { 'Set-Cookie': setCookie }) },
    })
  }
}
