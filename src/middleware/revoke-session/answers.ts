import { type ProblemDetails, refusal } from '../refusal.js'

/** What a logout is answered with. */
export interface RevokeSessionAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The Set-Cookie that clears the cookie, to be added to what others set. */
  readonly setCookie?: string
  /** Absent where there is nothing to say. */
  readonly body?: ProblemDetails
}

const TITLES: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
}

/** The session is over. */
export const DONE: RevokeSessionAnswer = { status: 204, headers: { 'Cache-Control': 'no-store' } }

/** The answer to a request that is no logout. */
export function refused(status: 403 | 405 | 413 | 415, detail: string): RevokeSessionAnswer {
  const headers = status === 405 ? { Allow: 'POST' } : {}
  return refusal(status, headers, { ...titleOf(status), detail })
}

/** The answer to a logout that names no refresh token, or more than one. */
export function invalidRequest(description: string): RevokeSessionAnswer {
  return refusal(400, {}, { error: 'invalid_request', error_description: description })
}

/** The answer to a refresh token of which Cognito does not say which session it was (RFC 6749, section 5.2). */
export const INVALID_GRANT: RevokeSessionAnswer = refusal(
  400,
  {},
  {
    error: 'invalid_grant',
    error_description: 'The refresh token is expired, revoked, or invalid for other reasons',
  },
)

/** The answer to what is nobody's fault who asks. */
export const FAILED: RevokeSessionAnswer = refusal(500, {}, titleOf(500))

function titleOf(status: number): { readonly title: string } {
  return { title: TITLES[status] ?? 'Error' }
}
