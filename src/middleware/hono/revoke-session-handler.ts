import type { Context } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import { fetchHeadOf } from '../request-head.js'
import { fetchBody } from '../revoke-session/json-body.js'
import { createRevokeSession } from '../revoke-session/revoke-session.js'
import type { RevokeSessionOptions, SessionClient } from '../revoke-session/revoke-session-options.js'

/**
 * Ends the session of the request's refresh token, at Cognito and in the store, and answers 204 once it is over at
 * both, and only then. What it answers otherwise: docs/logout.md. Every logout costs requests to Cognito, good or
 * not: put a rate limit in front, by address.
 *
 * A handler of a route, where the body may have been read by `c.req` before. Errors that are not about the request go
 * to `app.onError`.
 *
 * @throws TypeError naming the option
 * @example
 * import { revokeSessionHandler } from 'cognito-revocation/hono'
 * app.post('/logout', revokeSessionHandler(client, { revoker, refreshTokenFrom: { cookie: '__Host-refresh_token' } }))
 */
export function revokeSessionHandler(
  client: SessionClient,
  options: RevokeSessionOptions = {},
): (context: Context) => Promise<Response> {
  const revokeSession = createRevokeSession(client, options)
  return async (context) => {
    const { raw } = context.req
    const readBody = fetchBody(raw, () => context.req.text())
    const { status, headers, setCookie, body } = await revokeSession(fetchHeadOf(raw), readBody)
    if (setCookie !== undefined) context.header('Set-Cookie', setCookie, { append: true })
    for (const [name, value] of Object.entries(headers)) context.header(name, value)
    return context.newResponse(body === undefined ? null : JSON.stringify(body), status as StatusCode)
  }
}
