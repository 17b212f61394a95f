import type { IncomingMessage } from 'node:http'
import type { ExecutionContext } from '@nestjs/common'

/** What both of Nest's platforms have in their requests: Express' own, or Fastify's around Node's. */
export interface NestRequest extends Pick<IncomingMessage, 'headers' | 'method' | 'url'> {
  readonly raw?: IncomingMessage
}

/** Finds the request of an execution context: with headers, and Node's own request behind it if there is one. */
export type GetRequest<Request = NestRequest> = (context: ExecutionContext) => Request

/**
 * The request of an `http` context, or of a `graphql` one as Apollo's driver has it: `req` of the GraphQL context.
 *
 * @throws TypeError for other contexts, and where there is none
 */
export function requestOf(context: ExecutionContext): NestRequest {
  const type = context.getType<string>()
  if (type === 'http') return assertRequest(type, context.switchToHttp().getRequest<unknown>())
  if (type === 'graphql') return assertRequest(type, context.getArgByIndex(2)?.req)
  throw noRequest(type)
}

/** @throws TypeError for what has no headers to look at */
export function assertRequest<Request>(type: string, request: Request): Request & NestRequest {
  const { headers } = (request ?? {}) as Partial<NestRequest>
  if (typeof headers !== 'object' || headers === null) throw noRequest(type)
  return request as Request & NestRequest
}

/** Node's own request, where one is behind it. */
export function rawRequestOf(request: NestRequest): IncomingMessage {
  return request.raw ?? (request as IncomingMessage)
}

function noRequest(type: string): TypeError {
  return new TypeError(
    `No request with headers in this '${type}' context: give the guard an option getRequest(context), or keep it away with @Public()`,
  )
}
