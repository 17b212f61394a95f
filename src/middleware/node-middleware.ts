import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TokenUse } from '../tokens/claims.js'
import { createAdmission } from './admission.js'
import { asError } from './as-error.js'
import type { Refusal } from './refusal.js'
import { headOf, type NodeRequest } from './request-head.js'
import type { Verifier, VerifyTokenOptions } from './verify-token-options.js'

/** A middleware for whatever takes Node's request and response. */
export type Middleware<Request = IncomingMessage, Response = ServerResponse> = (
  request: Request,
  response: Response,
  next: (error?: unknown) => void,
) => void

/** `verifyToken` for frameworks that go on by `next()`. The claims are put on the request, as `auth`. */
export function nodeMiddleware<
  Use extends TokenUse | null,
  Request extends NodeRequest,
  Response extends AnswerableResponse,
>(verifier: Verifier<Use>, options: VerifyTokenOptions<Request>): Middleware<Request, Response> {
  const admit = createAdmission(verifier, options)
  return (request, response, next) => {
    const head = headOf(request)
    const known = admit.atOnce(head)
    if (known !== undefined) {
      ;(request as { auth?: unknown }).auth = known
      return next()
    }
    admit(head, request)
      .then(({ claims, refusal }) => {
        if (refusal !== undefined) return answer(response, refusal)
        // Also where there are none: those of another verifier are not this one's.
        Object.assign(request, { auth: claims })
        // What a later handler throws is its own: on a turn of its own, it cannot end up here.
        process.nextTick(next)
      })
      // Express takes `next(undefined)`, `next('route')` and the like for "go on".
      .catch((error) => process.nextTick(next, asError(error)))
  }
}

/** What an answer needs of a response of Node's HTTP/1 or HTTP/2. */
interface AnswerableResponse {
  readonly headersSent: boolean
  removeHeader(name: string): void
  writeHead(status: number, headers: Readonly<Record<string, string>>): { end(text: string): unknown }
}

/** Answers with a refusal, unless somebody has answered already: a timeout of the application's own, say. */
export function answer(response: AnswerableResponse, { status, headers, body }: Refusal): void {
  if (response.headersSent) return
  response.removeHeader('Content-Length')
  response.writeHead(status, headers).end(JSON.stringify(body))
}
