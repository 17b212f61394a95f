import type { ServerResponse } from 'node:http'
import { HttpException } from '@nestjs/common'
import type { ProblemDetails, Refusal } from '../refusal.js'

/**
 * A request that a guard of this library does not let in. `getStatus()` is 400, 401, 403 or 503, and `getResponse()`
 * the problem details (RFC 9457) of the answer. The headers are set on the response already, so that an exception
 * filter need not know of them. Says nothing of why precisely: that goes to the observer.
 *
 * @example
 * import { CognitoAuthException } from 'cognito-revocation/nestjs'
 * if (exception instanceof CognitoAuthException) metrics.increment(`refused.${exception.getStatus()}`)
 */
export class CognitoAuthException extends HttpException {
  override readonly name = 'CognitoAuthException'
  /** Of the answer: WWW-Authenticate (RFC 6750) or Retry-After, Cache-Control, and the Content-Type of the problem. */
  readonly headers: Readonly<Record<string, string>>

  constructor({ status, headers, body }: Refusal) {
    super({ ...body }, status)
    this.message = body.error_description ?? body.detail ?? body.title
    this.headers = headers
  }

  override getResponse(): ProblemDetails {
    return super.getResponse() as ProblemDetails
  }
}

/** What Express' response and Fastify's reply have of their own. */
interface PlatformResponse {
  readonly raw?: ServerResponse
  json?(body: unknown): unknown
  send?(body: unknown): unknown
  serializer?(serialize: (body: unknown) => string): unknown
}

/** Sets the exception's headers on the response, for whatever Nest or an exception filter will answer. */
export function prepareResponse(
  response: PlatformResponse & ServerResponse,
  exception: CognitoAuthException,
) {
  const raw = response.raw ?? response
  if (raw.headersSent) return
  const { 'Content-Type': type = '', ...headers } = exception.headers
  for (const [name, value] of Object.entries(headers)) raw.setHeader(name, value)
  // The media type goes with the problem itself: a filter may answer something else. Left to themselves, Nest replaces
  // it under Express, and Fastify adds a charset.
  const { json, send } = response
  const problem = exception.getResponse()
  if (response.raw !== undefined && send !== undefined) {
    response.send = (body) => {
      if (body === problem) {
        raw.setHeader('Content-Type', type)
        response.serializer?.(JSON.stringify)
      }
      return send.call(response, body)
    }
  } else if (json !== undefined) {
    response.json = (body) => {
      if (body !== problem) return json.call(response, body)
      response.setHeader('Content-Type', type)
      return response.end(JSON.stringify(body))
    }
  }
}
