import {
  CognitoRevocationError,
  InsufficientScopeError,
  NotARefreshTokenError,
  RefreshTokenInvalidError,
  RefreshTokenRevokedError,
  RevocationIncompleteError,
  SessionUnknownError,
  UserDisabledError,
  UserNotFoundError,
} from 'cognito-revocation'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** A refusal of the service's own. */
export class HttpError extends Error {
  readonly code = 'refused'
  readonly statusCode: number

  constructor(statusCode: number, options?: ErrorOptions) {
    super(`status ${statusCode}`, options)
    this.statusCode = statusCode
  }
}

/** All that an answer says: why precisely somebody was refused is nobody's business outside. */
const WORDS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  503: 'unavailable',
}

/** Answers every error of the service, and logs it without what it is about. */
export function answerError(
  error: FastifyError | HttpError | CognitoRevocationError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const status = statusOf(error)
  const known = [error, error.cause].find((each) => each instanceof CognitoRevocationError)
  const isIncomplete = error instanceof RevocationIncompleteError || error instanceof SessionUnknownError
  request.log[status >= 500 ? 'error' : 'info'](
    {
      status,
      code: known?.code ?? error.code ?? error.name,
      // Messages of this library contain no token, secret or password. Those of others might quote a request.
      ...(known !== undefined && { detail: known.message }),
      // Ids of the user and the session, by which an operator can complete it.
      ...(isIncomplete && { outcome: error.outcome }),
    },
    'request refused',
  )
  if (status === 401) reply.header('www-authenticate', challengeFor(error))
  if (error instanceof InsufficientScopeError) {
    reply.header('www-authenticate', 'Bearer error="insufficient_scope"')
  }
  if (status === 503 || status === 429) reply.header('retry-after', '1')
  reply.code(status).send({ error: WORDS[status] ?? (status < 500 ? 'refused' : 'internal') })
}

function statusOf(error: FastifyError | HttpError | CognitoRevocationError): number {
  // Not done, or not wholly: never an answer that a page could take for "signed out".
  if (error instanceof RevocationIncompleteError || error instanceof SessionUnknownError) return 503
  // The same as for a wrong password: who has an account here is nobody's business.
  if (error instanceof UserNotFoundError) return 401
  if (error instanceof CognitoRevocationError) return error.status ?? 500
  const { statusCode = 500 } = error
  return statusCode >= 400 && statusCode < 500 ? statusCode : 500
}

/** RFC 6750, section 3: an error code only where a token was sent. */
function challengeFor(error: Error): string {
  const isOfToken = error instanceof CognitoRevocationError && error.code.startsWith('token_')
  return isOfToken ? 'Bearer error="invalid_token"' : 'Bearer'
}

/** Whether it is a refresh token of no session that Cognito would still tell of. */
export function isDead(error: unknown): boolean {
  const classes = [RefreshTokenRevokedError, RefreshTokenInvalidError, NotARefreshTokenError]
  return classes.some((Class) => error instanceof Class)
}

/** Whether Cognito has refused a session for good, rather than for now. */
export function isRefusal(error: unknown): boolean {
  if (isDead(error) || error instanceof UserDisabledError || error instanceof UserNotFoundError) return true
  return error instanceof CognitoRevocationError && error.status === 401
}

/**
 * The bearer token of the Authorization header (RFC 6750, section 2.1). Node drops a second such header, which a
 * proxy before it may have looked at instead: so there may be one only.
 */
export function bearerTokenOf({ raw: { rawHeaders } }: FastifyRequest): string | undefined {
  const headers = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  )
  if (headers.length > 1) throw new HttpError(400)
  return /^Bearer +([\w\-.~+/]+=*)$/i.exec(headers[0] ?? '')?.[1]
}
