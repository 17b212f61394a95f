import type { IncomingMessage } from 'node:http'
import { CognitoRevocationError, InsufficientScopeError } from '../errors.js'
import { isScopeToken } from '../tokens/scope.js'

/** The answer to a request that is not let through. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Problem details (RFC 9457) with OAuth's error code. */
  readonly body: {
    readonly title: string
    readonly status: number
    readonly error?: string
    readonly error_description?: string
  }
}

/** What a request says of its token. */
export type BearerToken =
  | { readonly kind: 'token'; readonly token: string }
  /** No token, or credentials of another scheme. */
  | { readonly kind: 'none' }
  /** Something that cannot be understood in one way only. */
  | { readonly kind: 'malformed' }

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
}
/** One description for all: why precisely a token is refused is nobody's business outside. */
const INVALID_TOKEN = 'The access token is expired, revoked, malformed, or invalid for other reasons'

/**
 * The bearer token of the Authorization header (RFC 6750, section 2.1). Node itself drops a second header,
 * which a proxy before it may have looked at instead: so all are looked at, and there may be one only.
 */
export function bearerToken(request: IncomingMessage): BearerToken {
  const headers = authorizationsOf(request)
  if (headers.length > 1) return { kind: 'malformed' }
  const [header = ''] = headers
  const [scheme = ''] = /^[^\s,:]*/.exec(header) ?? []
  if (scheme.toLowerCase() !== 'bearer') {
    // Two headers that a proxy joined into one are two headers.
    return /,[ \t]*bearer\b/i.test(header) ? { kind: 'malformed' } : { kind: 'none' }
  }
  const token = /^ +([A-Za-z0-9\-._~+/]+=*)$/.exec(header.slice(scheme.length))?.[1]
  return token === undefined ? { kind: 'malformed' } : { kind: 'token', token }
}

/** Every Authorization header as it came. Adapters that make requests up fill only `headers`. */
function authorizationsOf({ rawHeaders = [], headers }: IncomingMessage): string[] {
  const raw = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  )
  return raw.length > 0 ? raw : asArray(headers.authorization)
}

/** The same, of a token that the caller found elsewhere. */
export function asBearerToken(token: string | null | undefined): BearerToken {
  return token === undefined || token === null || token === '' ? { kind: 'none' } : { kind: 'token', token }
}

/** The answer where a token is needed and none was sent: no error code, as RFC 6750, section 3.1, has it. */
export function missingToken(realm: string | undefined): Refusal {
  return refusal(401, challenge(realm, {}))
}

/** The answer to a request that cannot be understood. */
export function invalidRequest(realm: string | undefined): Refusal {
  return described(400, realm, 'invalid_request', 'The request must carry exactly one bearer token')
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
  if (error.status === 503) return refusal(503, { 'Retry-After': String(retryAfterSeconds) })
  return undefined
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

function refusal(
  status: number,
  headers: Record<string, string>,
  more: Partial<Refusal['body']> = {},
): Refusal {
  return {
    status,
    headers: { ...headers, 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' },
    body: { title: TITLES[status] ?? 'Error', status, ...more },
  }
}

function challenge(
  realm: string | undefined,
  parameters: Readonly<Record<string, string>>,
): Record<string, string> {
  const all = Object.entries({ ...(realm === undefined ? {} : { realm }), ...parameters })
  const quoted = all.map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`)
  return { 'WWW-Authenticate': ['Bearer', quoted.join(', ')].filter(Boolean).join(' ') }
}

function asArray(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat()
}
