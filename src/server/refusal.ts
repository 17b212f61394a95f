import { STATUS_CODES } from 'node:http'
import { CutoffInFutureError, StoreFullError, StoreProtocolError } from '../errors.js'
import { PROBLEMS, type ProblemCode, type ProblemDetails } from '../stores/http/problem.js'

/** What more there is to a refusal than its code. */
export interface RefusalOptions extends ErrorOptions {
  readonly detail?: string
  readonly field?: string
  readonly allow?: string
}

/** A request that is refused, with what is answered. */
export class Refusal extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly #options: RefusalOptions

  constructor(code: ProblemCode, options: RefusalOptions = {}) {
    const [status, detail] = PROBLEMS[code]
    super(options.detail ?? detail, options)
    this.code = code
    this.status = status
    this.#options = options
  }

  get details(): ProblemDetails {
    const { field } = this.#options
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(field === undefined ? {} : { field }),
    }
  }

  get headers(): Record<string, string> {
    const { allow } = this.#options
    return {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(this.status === 401 ? { 'www-authenticate': 'Bearer realm="cognito-revocation"' } : {}),
      ...(this.status === 503 ? { 'retry-after': '1' } : {}),
      ...(allow === undefined ? {} : { allow }),
    }
  }

  toResponse(): Response {
    return new Response(JSON.stringify(this.details), { status: this.status, headers: this.headers })
  }
}

/** The refusal of what a client calls its request. */
export function requestRefusal(): Refusal {
  const detail = 'request must be 1 to 64 of A-Z a-z 0-9 _ -'
  return new Refusal('request_malformed', { detail, field: 'request' })
}

/** The refusal for whatever a store threw. Its message stays here: it may speak of what is behind the service. */
export function storeRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const options = { cause: error }
  if (error instanceof CutoffInFutureError) return new Refusal('cutoff_in_future', options)
  if (error instanceof StoreFullError) return new Refusal('store_full', options)
  if (error instanceof StoreProtocolError) return new Refusal('store_protocol', options)
  // A mistake in the code, and no failure of what the store talks to. The outcome is as unknown.
  if (error instanceof TypeError) return new Refusal('internal_error', options)
  return new Refusal('store_unavailable', options)
}
