import {
  CutoffInFutureError,
  StoreFullError,
  StoreProtocolError,
  StoreUnavailableError,
} from '../../errors.js'

/** Every refusal of the service, by its code: the status, and what is to be done (RFC 9457 `detail`). */
export const PROBLEMS = {
  key_missing: [401, 'Send the API key: "Authorization: Bearer <key>"'],
  key_unknown: [401, 'The service does not know this API key; it may have been withdrawn'],
  right_missing: [403, 'This API key lacks the right'],
  pool_not_allowed: [403, 'This API key is not for this user pool'],
  request_malformed: [400, 'This is not a request of the protocol'],
  body_malformed: [400, 'The body must be JSON in UTF-8'],
  record_invalid: [400, 'A revocation is not valid'],
  token_invalid: [400, 'A token identity is not valid'],
  cutoff_in_future: [400, 'A cutoff is over 300 s in the future: check the clocks'],
  cursor_invalid: [400, 'This cursor is not of this API key and its user pools: begin without one'],
  not_found: [404, 'There is no such resource'],
  method_not_allowed: [405, 'This resource has other methods: see Allow'],
  request_timeout: [408, 'The request did not arrive in time'],
  body_too_large: [413, 'The body is too large, or has too many entries'],
  media_type_unsupported: [415, 'The body must be application/json, not compressed'],
  headers_too_large: [431, 'The header is too large'],
  internal_error: [500, 'The service failed; the outcome is unknown, try again'],
  feed_unsupported: [501, "The service's store has no change feed"],
  store_protocol: [502, "The service's store answered outside its protocol"],
  store_unavailable: [503, "The service's store could not be asked; the outcome is unknown, try again"],
  not_ready: [503, "The service's store does not answer"],
  overloaded: [503, 'The service has as many requests or streams as it takes; try again'],
  closing: [503, 'The service is closing; try again'],
  store_full: [507, "The service's store has no room left"],
} as const satisfies Record<string, readonly [status: number, detail: string]>

/** The code of a refusal. */
export type ProblemCode = keyof typeof PROBLEMS

/** A refusal as it is sent, `application/problem+json`. */
export interface ProblemDetails {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly code: ProblemCode
  readonly detail: string
  /** What in the body it is about, for example `revocations[3]`. */
  readonly field?: string
}

/**
 * What an answer that is no success says, if it is the service's own.
 *
 * @param key what it must not quote: something on the way may have put it there
 */
export function readProblem(text: string, key: string): { code: ProblemCode; detail: string } | undefined {
  try {
    const { code, detail } = JSON.parse(text) as { code?: unknown; detail?: unknown }
    if (typeof code !== 'string' || !Object.hasOwn(PROBLEMS, code)) return undefined
    const said =
      typeof detail === 'string' ? detail.replaceAll(key, '[key]').slice(0, 300).toWellFormed() : ''
    return { code: code as ProblemCode, detail: said || PROBLEMS[code as ProblemCode][1] }
  } catch {
    return undefined
  }
}

/** The typed error for what the service answered instead of a success. */
export function problemError(status: number, text: string, key: string): Error {
  const problem = readProblem(text, key)
  if (problem === undefined) {
    // Not the service, but something before it: a proxy that cannot reach it, or another server altogether.
    if (status >= 500 || status === 408 || status === 429) {
      return new StoreUnavailableError(`The service could not be asked: status ${status}`)
    }
    return new StoreProtocolError(
      `Status ${status} is no answer of a revocation service: is "url" its address, and nothing that redirects?`,
    )
  }
  const { code, detail } = problem
  switch (code) {
    case 'record_invalid':
      return new TypeError(detail)
    case 'cutoff_in_future':
      return new CutoffInFutureError(detail)
    case 'store_full':
      return new StoreFullError(detail)
    case 'key_missing':
    case 'key_unknown':
      return new StoreUnavailableError(
        `${detail}: give the option "key" one that the service is configured with`,
      )
    case 'right_missing':
    case 'pool_not_allowed':
      return new StoreUnavailableError(
        `${detail}: give the key this right at the service, or use another key`,
      )
    case 'request_timeout':
    case 'internal_error':
    case 'store_unavailable':
    case 'not_ready':
    case 'overloaded':
    case 'closing':
      return new StoreUnavailableError(detail)
    default:
      return new StoreProtocolError(`The service refused the request (${code}): ${detail}`)
  }
}
