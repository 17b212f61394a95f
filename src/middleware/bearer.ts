import type { RequestHead } from './request-head.js'

/** What a request says of its token. */
export type BearerToken =
  | { readonly kind: 'token'; readonly token: string }
  /** No token, or credentials of another scheme. */
  | { readonly kind: 'none' }
  /** Something that cannot be understood in one way only. */
  | { readonly kind: 'malformed' }

export const NO_TOKEN: BearerToken = { kind: 'none' }
export const MALFORMED: BearerToken = { kind: 'malformed' }

/** The bearer token of the Authorization header (RFC 6750, section 2.1): there may be one header, with one token. */
export function bearerToken(head: RequestHead): BearerToken {
  const headers = head.values('authorization')
  if (headers.length > 1) return MALFORMED
  return parseAuthorization(headers[0] ?? '')
}

/**
 * What follows `Bearer ` in the only Authorization header, unchecked: to be compared with tokens that are known to be
 * good, which is quicker than to look at each character.
 */
export function plainBearerToken(head: RequestHead): string | undefined {
  const headers = head.values('authorization')
  const [header] = headers
  return headers.length === 1 && header?.startsWith('Bearer ') ? header.slice(7) : undefined
}

/** The bearer token of one Authorization header's value. */
function parseAuthorization(header: string): BearerToken {
  const [scheme = ''] = /^[^\s,:]*/.exec(header) ?? []
  if (scheme.toLowerCase() !== 'bearer') {
    // Two headers that a proxy joined into one are two headers.
    return /,[ \t]*bearer\b/i.test(header) ? MALFORMED : NO_TOKEN
  }
  const token = /^ +([A-Za-z0-9\-._~+/]+=*)$/.exec(header.slice(scheme.length))?.[1]
  return token === undefined ? MALFORMED : { kind: 'token', token }
}

/** The same, of a token that the caller found elsewhere. */
export function asBearerToken(token: string | null | undefined): BearerToken {
  return token === undefined || token === null || token === '' ? NO_TOKEN : { kind: 'token', token }
}
