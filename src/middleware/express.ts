import type { IncomingMessage, ServerResponse } from 'node:http'
import { notify, type Observer } from '../observer.js'
import {
  assertInteger,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  optionError,
  stringList,
} from '../options.js'
import { type CognitoClaims, checkAuthorization, type TokenUse } from '../tokens/claims.js'
import { scopeList } from '../tokens/scope.js'
import type { TokenVerifier } from '../verifier.js'
import {
  asBearerToken,
  bearerToken,
  invalidRequest,
  missingToken,
  type Refusal,
  refusalOf,
} from './bearer.js'

declare global {
  // The place that @types/express leaves for this; it exists without it, too.
  namespace Express {
    interface Request {
      /** The verified claims of the request's token, set by `verifyToken`. */
      auth?: CognitoClaims
    }
  }
}

/** Options of {@link verifyToken}. */
export interface VerifyTokenOptions {
  /** Scopes of which this route needs one, besides what the verifier asks for. */
  readonly scope?: string | readonly string[]
  /** Groups of which this route needs one. */
  readonly groups?: string | readonly string[]
  /** Let requests without a bearer token through, without claims; never one with a bad token. Default false. */
  readonly optional?: boolean
  /** Where the token is, if not in the Authorization header; undefined, null or '' for none. */
  readonly extractToken?: (request: IncomingMessage) => string | null | undefined
  /** `realm` of the WWW-Authenticate header. Default: none. */
  readonly realm?: string
  /** Is told of every request that this middleware answers itself; the answers say little, on purpose. */
  readonly observer?: Observer
  /** Retry-After of a 503, in seconds. Default 1. */
  readonly retryAfterSeconds?: number
}

/** The claims to go on with, if any, or the refusal to answer with, and what it is for. */
interface Admission {
  readonly claims?: CognitoClaims
  readonly refusal?: Refusal
  readonly error?: Error
}

/** A middleware for Express 5 and 4, and whatever takes Node's request and response. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Lets a request through with the verified claims of its bearer token in `req.auth`, and answers every other
 * as RFC 6750 has it: 400 invalid_request, 401 invalid_token (revoked, expired, malformed), 403
 * insufficient_scope, 503 with Retry-After where it cannot be known now.
 *
 * @throws TypeError naming the option
 * @example
 * import { verifyToken } from 'cognito-revocation/express'
 * app.use('/api', verifyToken(verifier))
 * app.get('/api/me', (req, res) => res.json({ sub: req.auth?.sub }))
 */
export function verifyToken<Use extends TokenUse | null>(
  verifier: Pick<TokenVerifier<Use>, 'verify'>,
  options: VerifyTokenOptions = {},
): Middleware {
  const { optional, extractToken, observer, realm, retryAfterSeconds, ...rules } = checkOptions(
    verifier,
    options,
  )

  async function admit(request: IncomingMessage): Promise<Admission> {
    const found = extractToken === undefined ? bearerToken(request) : asBearerToken(extractToken(request))
    if (found.kind === 'malformed') return { refusal: invalidRequest(realm) }
    if (found.kind === 'none') return optional ? {} : { refusal: missingToken(realm) }
    try {
      const claims = await verifier.verify(found.token)
      checkAuthorization(claims, rules)
      return { claims }
    } catch (error) {
      const refusal = refusalOf(error, realm, retryAfterSeconds)
      if (refusal === undefined) throw error
      return { refusal, error: error as Error }
    }
  }

  return (request, response, next) => {
    admit(request)
      .then(({ claims, refusal, error }) => {
        if (refusal !== undefined) {
          const { status } = refusal
          notify(observer, { type: 'request_refused', status, ...(error === undefined ? {} : { error }) })
          return answer(response, refusal)
        }
        if (claims !== undefined) Object.assign(request, { auth: claims })
        // What a later handler throws is its own: on a turn of its own, it cannot end up here.
        process.nextTick(next)
      })
      .catch((error) => {
        // Express takes `next(undefined)`, `next('route')` and the like for "go on".
        const failure = error instanceof Error ? error : new Error('verifyToken failed', { cause: error })
        process.nextTick(next, failure)
      })
  }
}

function checkOptions(verifier: unknown, options: VerifyTokenOptions) {
  const owner = 'verifyToken'
  if (typeof (verifier as TokenVerifier | undefined)?.verify !== 'function') {
    throw new TypeError(`${owner}: the first argument must be a TokenVerifier`)
  }
  assertOptions(owner, options, [
    'scope',
    'groups',
    'optional',
    'extractToken',
    'observer',
    'realm',
    'retryAfterSeconds',
  ])
  const { optional = false, extractToken, observer, realm, retryAfterSeconds = 1 } = options
  assertOptionalBoolean(owner, 'optional', options.optional)
  assertOptionalFunction(owner, 'extractToken', extractToken)
  assertOptionalFunction(owner, 'observer', observer)
  assertInteger(owner, 'retryAfterSeconds', retryAfterSeconds, 0, 86_400)
  if (realm !== undefined && (typeof realm !== 'string' || !/^[\x20-\x7e]+$/.test(realm)))
    throw optionError(owner, 'realm', 'printable ASCII', realm)
  const scopes = options.scope === undefined ? [] : scopeList(owner, 'scope', options.scope)
  const groups = options.groups === undefined ? [] : stringList(owner, 'groups', options.groups)
  return { optional, extractToken, observer, realm, retryAfterSeconds, scopes, groups }
}

function answer(response: ServerResponse, { status, headers, body }: Refusal): void {
  // A timeout of the application's own may have answered meanwhile.
  if (response.headersSent) return
  response.writeHead(status, headers).end(JSON.stringify(body))
}
