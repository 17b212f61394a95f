import type { FastifyRequest } from 'fastify'
import type { CognitoClaims } from '../../tokens/claims.js'
import type { Admit } from '../admission.js'
import { asError } from '../as-error.js'
import type { Refusal } from '../refusal.js'
import { headOf } from '../request-head.js'

/**
 * A hook for `onRequest`, or any later one before the handler, of every Fastify: HTTP/2 too, with any type provider
 * and any generics.
 */
export type VerifyTokenHook = (request: HookRequest, reply: HookReply, done: (error?: Error) => void) => void

/** What the hook needs of Fastify's request. */
interface HookRequest {
  readonly raw: { readonly rawHeaders: string[] }
  auth?: CognitoClaims
}

/** What the hook needs of Fastify's reply. */
interface HookReply {
  statusCode: number
  readonly sent: boolean
  readonly raw: { readonly headersSent: boolean }
  headers(values: Readonly<Record<string, string>>): unknown
  send(payload?: unknown): unknown
}

/** Decides about a request of Fastify's, whose claims are put on it as `auth`. */
export type AdmitRequest = Admit<FastifyRequest>

/**
 * A hook that asks the admission which is chosen for the request.
 *
 * @param isFor whether `request.auth` is to be what this hook found, rather than what another one does
 */
export function verifyTokenHook(
  choose: (request: FastifyRequest) => AdmitRequest,
  isFor: (request: FastifyRequest) => boolean = () => true,
): VerifyTokenHook {
  return (anyRequest, reply, done) => {
    // At run time the generics of Fastify's types are all one.
    const request = anyRequest as FastifyRequest
    let admit: AdmitRequest
    try {
      admit = choose(request)
    } catch (error) {
      return done(asError(error))
    }
    const head = headOf(request.raw)
    const known = admit.atOnce(head)
    if (known !== undefined) {
      if (isFor(request)) request.auth = known
      return done()
    }
    // By a callback: an async hook is no faster, and a reply that is sent in one must be waited for.
    admit(head, request).then(
      ({ claims, refusal }) => {
        if (refusal !== undefined) return refuse(reply, refusal)
        // Also where there are none: those of another verifier are not this one's.
        if (isFor(request)) Object.assign(request, { auth: claims })
        done()
      },
      // Fastify takes `done(undefined)` for "go on".
      (error) => done(asError(error)),
    )
  }
}

function refuse(reply: HookReply, { status, headers, body }: Refusal): void {
  // A time limit of the application's own may have answered meanwhile.
  if (reply.sent || reply.raw.headersSent) return
  reply.statusCode = status
  reply.headers(headers)
  // As bytes it is no matter for the schemas and serializers of the route's own answers, as with Fastify's errors.
  reply.send(Buffer.from(JSON.stringify(body)))
}
