import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { optionError } from '../../options.js'
import type { CognitoClaims } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'
import { isPublic, type RouteAuth, type RouteRules, withRules } from './route-rules.js'
import { type AdmitRequest, type VerifyTokenHook, verifyTokenHook } from './verify-token-hook.js'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The verified claims of the request's token, set by `verifyToken` and `cognitoRevocation`; undefined without a
     * token.
     */
    auth?: CognitoClaims
  }
  interface FastifyContextConfig {
    /** What this route asks for, in a scope that `cognitoRevocation` protects; it does nothing elsewhere. */
    auth?: RouteAuth
  }
  interface FastifyInstance {
    /**
     * Makes a hook with the options that `cognitoRevocation` was registered with in this scope, and these rules laid
     * over them. It verifies by itself: what the scope's own hook asks for is asked for besides, and the store once more.
     * For one route's rules `config.auth` does it in one go.
     *
     * @throws TypeError naming the option
     * @example
     * app.register(async (admin) => {
     *   admin.addHook('onRequest', admin.verifyToken({ groups: 'admin' }))
     * })
     */
    verifyToken(rules?: RouteRules): VerifyTokenHook
  }
}

/** Options of `cognitoRevocation`: those of `verifyToken`, and the verifier. */
export interface CognitoRevocationOptions extends VerifyTokenOptions<FastifyRequest> {
  readonly verifier: Verifier
}

/** A scope whose requests are decorated already, by this plugin. */
const DECORATED = Symbol.for('cognito-revocation.fastify')
/** Which registration a scope is under: of several, the innermost. */
const REGISTRATION = Symbol.for('cognito-revocation.fastify.registration')

/** For routes that are open to everybody. */
const admitAll: AdmitRequest = Object.assign(async () => ({ claims: undefined }), { atOnce: () => undefined })

async function register(
  app: FastifyInstance,
  { verifier, ...options }: CognitoRevocationOptions,
): Promise<void> {
  const owner = 'cognitoRevocation'
  if (typeof verifier?.verify !== 'function')
    throw optionError(owner, 'verifier', 'a TokenVerifier', verifier)
  const admissions = new WeakMap<RouteAuth, AdmitRequest>()
  const byDefault = createAdmission(verifier, options, owner)

  const registration = Symbol(owner)
  const isInnermost = (scope: FastifyInstance): boolean =>
    (scope as unknown as Record<symbol, unknown>)[REGISTRATION] === registration
  /** The rules of a route are for the innermost registration: no route loosens what an outer one asks for. */
  const admissionOf = (
    scope: FastifyInstance,
    config: { readonly auth?: RouteAuth } | undefined,
  ): AdmitRequest => {
    const auth = isInnermost(scope) && config && Object.hasOwn(config, 'auth') ? config.auth : undefined
    if (auth === undefined) return byDefault
    const admission = admissions.get(auth) ?? createOwn(auth)
    admissions.set(auth, admission)
    return admission
  }
  const createOwn = (auth: RouteAuth): AdmitRequest => {
    const route = `${owner}: config.auth`
    if (isPublic(route, auth)) return admitAll
    return createAdmission(verifier, withRules(route, options, auth), route)
  }

  // A parent's decoration does for its children; where somebody else has taken the name, Fastify says so.
  if (!app.hasDecorator(DECORATED)) app.decorateRequest('auth').decorate(DECORATED, true)
  app.decorate(REGISTRATION, registration)
  app.decorate('verifyToken', (rules: RouteRules = {}) => {
    const admission = createAdmission(verifier, withRules('verifyToken', options, rules))
    return verifyTokenHook(() => admission)
  })
  // Wrong rules are told at start, at least of routes that are defined once this plugin is loaded.
  app.addHook('onRoute', function ({ config }) {
    admissionOf(this, config)
  })
  app.addHook(
    'onRequest',
    verifyTokenHook(
      ({ server, routeOptions }) => admissionOf(server, routeOptions.config),
      // Which of several runs last depends on the order in which they are loaded.
      ({ server }) => isInnermost(server),
    ),
  )
}

/**
 * Protects the scope that it is registered in: every route of it and of its children, whether defined before or after,
 * HEAD routes and the 404 of the scope too; no route of its parents and siblings. A request is let through with the
 * verified claims of its bearer token in `request.auth`, and every other is answered as RFC 6750 has it, by `reply`: so
 * `onSend` hooks and headers of earlier hooks take part.
 *
 * - A route asks for more or less by `config.auth`: `{ scope, groups, optional, onRevocationUnavailable }`, each in the
 *   place of the plugin's option, or `{ public: true }`. Wrong rules are a TypeError at start, or, of a route that is
 *   defined before the plugin is loaded, a 500 to each request.
 * - In a child scope it may be registered again, with another verifier: a request must then satisfy both, and
 *   `request.auth` is of the inner one. `config.auth` of its routes is for the inner one alone. For two verifiers side by
 *   side, register each in a scope of its own.
 * - An unknown path gets 401 rather than 404 where it is this scope that answers for it: the root scope, or one with a
 *   prefix and its own `setNotFoundHandler`.
 * - Preflights carry no token: register `@fastify/cors` before.
 *
 * @throws TypeError naming the option, when Fastify loads it; `prefix` is none: it would change nothing here
 * @example
 * import { cognitoRevocation } from 'cognito-revocation/fastify'
 * app.register(async (api) => {
 *   await api.register(cognitoRevocation, { verifier })
 *   api.get('/me', async (request) => ({ sub: request.auth?.sub }))
 *   api.get('/orders', { config: { auth: { scope: 'orders/read' } } }, listOrders)
 *   api.get('/health', { config: { auth: { public: true } } }, async () => 'well')
 * }, { prefix: '/api' })
 */
export const cognitoRevocation: FastifyPluginAsync<CognitoRevocationOptions> = Object.assign(register, {
  // In no scope of its own, but in the one that registers it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'cognito-revocation',
  [Symbol.for('plugin-meta')]: { name: 'cognito-revocation', fastify: '5.x' },
})
