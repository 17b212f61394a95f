import type { FastifyRequest } from 'fastify'
import { headOf } from '../request-head.js'
import { createRevokeSession } from '../revoke-session/revoke-session.js'
import type { RevokeSessionOptions, SessionClient } from '../revoke-session/revoke-session-options.js'

/** What a logout needs of Fastify's request, whatever its generics. */
interface LogoutRequest {
  readonly raw: { readonly rawHeaders: string[] }
  readonly body: unknown
}

/** What a logout needs of Fastify's reply. */
interface LogoutReply {
  statusCode: number
  readonly sent: boolean
  readonly raw: { readonly headersSent: boolean }
  header(name: string, value: string): unknown
  headers(values: Readonly<Record<string, string>>): unknown
  send(payload?: unknown): unknown
  then(done: () => void, failed: (error: Error) => void): void
}

/**
 * Ends the session of the request's refresh token, at Cognito and in the store, and answers 204 once it is over at
 * both, and only then. What it answers otherwise: docs/logout.md. Every logout costs requests to Cognito, good or
 * not: put a rate limit in front, by address.
 *
 * A handler of a route. Fastify has parsed the body by then: what it cannot parse it answers by itself (415, 400, also
 * for an empty body of application/json: send `{}`), and no session is ended. Errors that are not about the request go
 * to the error handler.
 *
 * @throws TypeError naming the option
 * @example
 * import { revokeSessionHandler } from 'cognito-revocation/fastify'
 * app.post('/logout', revokeSessionHandler(client, { revoker, refreshTokenFrom: { cookie: '__Host-refresh_token' } }))
 */
export function revokeSessionHandler(
  client: SessionClient,
  options: RevokeSessionOptions = {},
): (request: LogoutRequest, reply: LogoutReply) => Promise<void> {
  const revokeSession = createRevokeSession(client, options)
  return async (request, reply) => {
    // At run time the generics of Fastify's types are all one.
    const { raw } = request as FastifyRequest
    const answer = await revokeSession(headOf(raw), async () => ({ parsed: request.body }))
    const { status, headers, setCookie, body } = answer
    // A time limit of the application's own may have answered meanwhile.
    if (reply.sent || reply.raw.headersSent) return
    if (setCookie !== undefined) reply.header('Set-Cookie', setCookie)
    reply.statusCode = status
    reply.headers(headers)
    // As bytes it is no matter for the schemas and serializers of the route, as with Fastify's own errors.
    reply.send(body && Buffer.from(JSON.stringify(body)))
    // Until `onSend` hooks are done with it.
    await reply
  }
}
