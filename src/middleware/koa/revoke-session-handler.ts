import type { Context } from 'koa'
import { headOf } from '../request-head.js'
import { nodeBody } from '../revoke-session/json-body.js'
import { createRevokeSession } from '../revoke-session/revoke-session.js'
import type { RevokeSessionOptions, SessionClient } from '../revoke-session/revoke-session-options.js'

/**
 * Ends the session of the request's refresh token, at Cognito and in the store, and answers 204 once it is over at
 * both, and only then. What it answers otherwise: docs/logout.md. Every logout costs requests to Cognito, good or
 * not: put a rate limit in front, by address.
 *
 * A middleware, behind a body parser or without. Errors that are not about the request are thrown, as Koa has it.
 *
 * @throws TypeError naming the option
 * @example
 * import { revokeSessionHandler } from 'cognito-revocation/koa'
 * router.post('/logout', revokeSessionHandler(client, { revoker, refreshTokenFrom: { cookie: '__Host-refresh_token' } }))
 */
export function revokeSessionHandler(
  client: SessionClient,
  options: RevokeSessionOptions = {},
): (context: Context) => Promise<void> {
  const revokeSession = createRevokeSession(client, options)
  return async (context) => {
    // Where body parsers for Koa leave it.
    const request: object = context.request
    const readBody = nodeBody(context.req, () => ('body' in request ? request.body : undefined))
    const { status, headers, setCookie, body } = await revokeSession(headOf(context.req), readBody)
    if (setCookie !== undefined) context.append('Set-Cookie', setCookie)
    context.status = status
    context.set({ ...headers })
    context.body = body === undefined ? null : JSON.stringify(body)
  }
}
