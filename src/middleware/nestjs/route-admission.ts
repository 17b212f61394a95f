import type { ExecutionContext, Type } from '@nestjs/common'
import { assertOptionalFunction, assertOptions } from '../../options.js'
import type { TokenUse } from '../../tokens/claims.js'
import { type Admit, createAdmission } from '../admission.js'
import { assertGranted, grantsNeeded } from '../grants.js'
import { headOf } from '../request-head.js'
import type { Verifier, VerifyTokenOptions } from '../verify-token-options.js'
import { CognitoAuthException, prepareResponse } from './cognito-auth-exception.js'
import type { GuardOptions } from './guard-options.js'
import { assertNoForeignAuth, noteClaims } from './noted-claims.js'
import { assertRequest, type GetRequest, rawRequestOf, requestOf } from './request-of.js'
import { decideRoute, type Handler, type RouteDecision } from './route-rules.js'

/** Decides about the requests of all routes that one guard guards, by its options and by their decorators. */
export class RouteAdmission<Request> {
  readonly #create: (decision: RouteDecision) => Admit<Request> | undefined
  readonly #getRequest: GetRequest<Request> | undefined
  readonly #loosen: boolean
  /** By class and handler; undefined for a public route. */
  readonly #admissions = new WeakMap<Type, WeakMap<Handler, { readonly admit: Admit<Request> | undefined }>>()

  /**
   * @param loosen whether `@Public`, `@OptionalAuth` and 'accept' have a say
   * @throws TypeError naming the option
   */
  constructor(
    owner: string,
    verifier: Verifier<TokenUse | null>,
    options: GuardOptions<Request>,
    loosen: boolean,
  ) {
    assertOptions(owner, options, Object.keys(options ?? {}))
    const { getRequest, ...forAll } = options
    assertOptionalFunction(owner, 'getRequest', getRequest)
    createAdmission(verifier, forAll, owner)
    const { scope, groups, ...others } = forAll
    const own = grantsNeeded(owner, forAll)
    const granting: Verifier = {
      verify: async (token, overrides) => {
        const claims = await verifier.verify(token, overrides)
        assertGranted(claims, own)
        return claims
      },
    }
    this.#getRequest = getRequest
    this.#loosen = loosen
    this.#create = (decision) => {
      if (decision.public) return undefined
      const { optional = others.optional ?? false, grants } = decision
      const route: VerifyTokenOptions<Request> = { ...others, ...grants, optional }
      return createAdmission(granting, route, owner)
    }
  }

  /**
   * Puts the claims on the request, as `auth`: undefined if it may go on without a token.
   *
   * @throws CognitoAuthException for a request that is refused, and whatever is no answer to it
   */
  async authenticate(context: ExecutionContext): Promise<true> {
    const admit = this.#admissionOf(context.getClass(), context.getHandler())
    if (admit === undefined) return true
    const type = context.getType<string>()
    const found = this.#getRequest === undefined ? requestOf(context) : this.#getRequest(context)
    const request = assertRequest(type, found) as ReturnType<typeof requestOf> & Request
    // Over HTTP other middleware may use the same place, for what it found out itself.
    if (this.#getRequest !== undefined && type !== 'http') assertNoForeignAuth(type, request)
    const { claims, refusal } = await admit(headOf(rawRequestOf(request)), request).catch(
      (error: unknown) => {
        // Nest's filters, and other people's, expect an error.
        throw error instanceof Error ? error : new Error('verifyToken failed', { cause: error })
      },
    )
    if (refusal !== undefined) {
      const exception = new CognitoAuthException(refusal)
      if (type === 'http') prepareResponse(context.switchToHttp().getResponse(), exception)
      throw exception
    }
    noteClaims(context, request, claims)
    return true
  }

  #admissionOf(controller: Type, handler: Handler): Admit<Request> | undefined {
    const known = this.#admissions.get(controller) ?? new WeakMap()
    this.#admissions.set(controller, known)
    const admission = known.get(handler) ?? {
      admit: this.#create(decideRoute(controller, handler, this.#loosen)),
    }
    known.set(handler, admission)
    return admission.admit
  }
}
