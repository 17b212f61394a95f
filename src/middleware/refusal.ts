import { CognitoRevocationError, InsufficientScopeError } from '../errors.js'
import { isScopeToken } from '../tokens/scope.js'

/** The answer to a request that is not let through. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Problem details (RFC 9457) with OAuth's error code. */
  readonly body: ProblemDetails
}

/** Problem details (RFC 9457) as this library answers them; `error` is the code of RFC 6750, section 3.1. */
export interface ProblemDetails {
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly error?: string
  readonly error_description?: string
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
}
/** One description for all: why precisely a token is refused is nobody's business outside. */
const INVALID_TOKEN = 'The access token is expired, revoked, malformed, or invalid for other reasons'

/** The answer where a token is needed and none was sent: no error code, as RFC 6750, section 3.1, has it. */
export function missingToken(realm: string | undefined): Refusal {
  return refusal(401, challenge(realm, {}))
}

/** The answer to a request that cannot be understood. */
export function invalidRequest(realm: string | undefined): Refusal {
  return described(400, realm, 'invalid_request', 'The request must carry exactly one bearer token')
}

/** The answer to a request whose cookie another website may have made the browser send. */
export function crossOrigin(): Refusal {
  return refusal(403, {}, { detail: 'A request with a cookie must come from the same origin' })
}

/** The answer to an error of `verify`; undefined for an error that is not about the request. */
export function refusalOf(
  error: unknown,
  realm: string | undefined,
  retryAfterSeconds: number,
): Refusal | undefined {
  if (!(error instanceof CognitoRevocationError)) return undefined
  if (error.status === 401) return described(401, realm, 'invalid_token', INVALID_TOKEN)
  if (error instanceof InsufficientScopeError) {
    const scope = error.requiredScopes.filter(isScopeToken).join(' ')
    const description = 'The token does not grant what this request needs'
    return described(403, realm, 'insufficient_scope', description, scope === '' ? {} : { scope })
  }
  if (error.status === 503) return unavailable(retryAfterSeconds)
  return undefined
}

/** The answer where it cannot be known or done now. */
export function unavailable(retryAfterSeconds: number): Refusal {
  return refusal(503, { 'Retry-After': String(retryAfterSeconds) })
}

/** An answer with problem details, which no cache may keep. */
export function refusal(
  status: number,
  headers: Readonly<Record<string, string>>,
  more: Partial<ProblemDetails> = {},
): Refusal {
  return {
    status,
    headers: { ...headers, 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' },
    body: { title: TITLES[status] ?? 'Error', status, ...more },
  }
}

function described(
  status: number,
  realm: string | undefined,
  error: string,
  description: string,
  more: Readonly<Record<string, string>> = {},
): Refusal {
  const parameters = { error, error_description: description, ...more }
  return refusal(status, challenge(realm, parameters), { error, error_description: description })
}

function challenge(
  realm: string | undefined,
  parameters: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = Object.entries({ ...(realm === undefined ? {} : { realm }), ...parameters })
  const quoted = all.map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`)
  return { 'WWW-Authenticate': ['Bearer', quoted.join(', ')].filter(Boolean).join(' ') }
}
