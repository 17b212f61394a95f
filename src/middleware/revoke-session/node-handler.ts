import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Middleware } from '../node-middleware.js'
import { headOf } from '../request-head.js'
import type { RevokeSessionAnswer } from './answers.js'
import { nodeBody } from './json-body.js'
import { createRevokeSession } from './revoke-session.js'
import type { RevokeSessionOptions, SessionClient } from './revoke-session-options.js'

/** `revokeSessionHandler` for whatever takes Node's request and response; `next` gets errors alone. */
export function nodeRevokeSessionHandler(
  client: SessionClient,
  options: RevokeSessionOptions,
): Middleware<IncomingMessage, ServerResponse> {
  const revokeSession = createRevokeSession(client, options)
  return (request, response, next) => {
    revokeSession(headOf(request), nodeBody(request))
      .then((answer) => send(response, answer))
      .catch((error) => process.nextTick(next, error))
  }
}

/** Answers, unless somebody has answered already: a timeout of the application's own, say. */
export function send(
  response: ServerResponse,
  { status, headers, setCookie, body }: RevokeSessionAnswer,
): void {
  if (response.headersSent) return
  if (setCookie !== undefined) response.appendHeader('Set-Cookie', setCookie)
  response.writeHead(status, headers).end(body && JSON.stringify(body))
}
