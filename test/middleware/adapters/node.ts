import type { ServerResponse } from 'node:http'
import type { CognitoClaims } from '../../../src/index.js'
import { type RequestWithAuth, verifyToken, withToken } from '../../../src/middleware/node/index.js'
import type { Adapter } from './adapter.js'

export const NodeMiddleware: Adapter = {
  name: 'node:http, as a middleware',
  listener(verifier, options) {
    const middleware = verifyToken(verifier, options)
    return (request: RequestWithAuth, response) =>
      middleware(request, response, (error) => {
        if (error === undefined) answerWithClaims(response, request.auth)
        else answerWithError(response, error)
      })
  },
}

export const NodeHandler: Adapter = {
  name: 'node:http, around a handler',
  listener(verifier, options = {}) {
    const handler = withToken(verifier, (_, response, claims) => answerWithClaims(response, claims), options)
    return (request, response) => {
      handler(request, response).catch((error) => answerWithError(response, error))
    }
  },
}

function answerWithClaims(response: ServerResponse, claims: CognitoClaims | undefined): void {
  response.end(JSON.stringify({ auth: claims ?? null }))
}

function answerWithError(response: ServerResponse, error: unknown): void {
  response.writeHead(500).end(JSON.stringify({ handedOn: String(error) }))
}
