import { notify, type Observer } from '../../observer.js'
import type { ClaimsOf, CognitoClaims, TokenUse } from '../../tokens/claims.js'
import { createAdmission } from '../admission.js'
import { asError } from '../as-error.js'
import type { Refusal } from '../refusal.js'
import type { FoundToken } from '../token-source.js'
import type { Verifier } from '../verify-token-options.js'
import {
  type AppSyncAnswer,
  type AuthorizerAnswer,
  type PolicyAnswer,
  policyAnswer,
  type SimpleAnswer,
} from './authorizer-answers.js'
import type { AuthorizerContext } from './authorizer-context.js'
import {
  type AppSyncAuthorizerEvent,
  type HttpApiAuthorizerEvent,
  type LambdaAuthorizerEvent,
  type PolicyAuthorizerEvent,
  type RecognizedEvent,
  recognize,
} from './authorizer-events.js'
import {
  type CheckedAuthorizerOptions,
  checkAuthorizerOptions,
  type LambdaAuthorizerOptions,
} from './authorizer-options.js'
import { eventHead } from './event-head.js'
import { isAuthorizationToken } from './event-token.js'
import { policyResources } from './execute-api-arn.js'

/** The handler of an authorizer's function: what it answers follows from the event. */
export interface LambdaAuthorizer<HttpApiAnswer extends SimpleAnswer | PolicyAnswer = SimpleAnswer> {
  (event: PolicyAuthorizerEvent, context?: unknown): Promise<PolicyAnswer>
  (event: HttpApiAuthorizerEvent, context?: unknown): Promise<HttpApiAnswer>
  (event: AppSyncAuthorizerEvent, context?: unknown): Promise<AppSyncAnswer>
  (event: LambdaAuthorizerEvent, context?: unknown): Promise<PolicyAnswer | HttpApiAnswer | AppSyncAnswer>
}

const OWNER = 'createLambdaAuthorizer'
/** apigateway-execution-service-websocket-limits-table.html: "AWS Lambda authorizer result size". */
const MAX_WEBSOCKET_ANSWER_BYTES = 8_192

/**
 * A Lambda authorizer for REST APIs (`TOKEN`, `REQUEST`), HTTP APIs (payload format 1.0, 2.0), WebSocket APIs
 * (`$connect`) and AppSync GraphQL APIs. Which of them asks, it sees by the event. What the client gets:
 *
 * | | REST, WebSocket, HTTP API | AppSync |
 * |---|---|---|
 * | good token | goes on, with the claims as the authorizer's context | goes on, with `resolverContext` |
 * | no, two, or a bad token | 401, by the error `Unauthorized` | 401, `isAuthorized: false` |
 * | `scope` or `groups` missing | 403, by a policy that denies or `isAuthorized: false` | 401, as AppSync has no 403 |
 * | it cannot be known now | 500, by another error, which is no answer to keep | AppSync's error for a failed authorizer |
 * | an event of another kind | 500 | the same |
 *
 * AWS documents the error `Unauthorized` for REST and WebSocket APIs. Of HTTP APIs it does not say what they make of it:
 * try yours, and if it is a 500, for which clients keep a bad token, set `unauthorized: 'deny'`. An authorizer cannot
 * answer 503, nor set headers. In a REST API set gateway responses: `AUTHORIZER_FAILURE` and
 * `AUTHORIZER_CONFIGURATION_ERROR` to 503 with Retry-After, `UNAUTHORIZED` with `WWW-Authenticate: Bearer`. Each
 * `Unauthorized` counts as an error of the function in its metrics.
 *
 * **Caching.** An answer that API Gateway or AppSync keeps lets a token in until it is thrown away: a revocation takes
 * effect after the TTL and what the store needs to tell it. Set `AuthorizerResultTtlInSeconds` to 0 (a REST API has
 * 300 unless it is set). Where you keep answers, the identity source must be exactly where the token is read: with
 * `{ header }` that header, with several of `tokenFrom` all of them, with `extractToken` whatever it looks at. Else one
 * caller gets what was answered about another. A WebSocket is asked about once, on `$connect`: close it when
 * `verifier.watch` says so. Its API takes answers of 8 KB: a longer one is an error, and nobody gets in.
 *
 * Make the verifier once, outside of the handler, and wait for `ready()` there, for 2 s to 3 s at most: a cold start then
 * has the keys before its first request. If that fails, go on: each request tries again, and is refused until it
 * succeeds. Unbounded, `ready()` of a `RevocationMirror` waits for 30 s while the store is down; Lambda ends the init
 * phase after 10 s and begins it anew, and no request gets an answer. In CommonJS, which cannot wait there, leave out the
 * `await`. IoT custom authorizers and AppSync Events are not supported.
 *
 * @throws TypeError naming the option
 * @example
 * import { createLambdaAuthorizer } from 'cognito-revocation/lambda'
 * import { setTimeout } from 'node:timers/promises'
 * await Promise.race([verifier.ready(), setTimeout(2_500)]).catch(console.error)
 * export const handler = createLambdaAuthorizer(verifier, { scope: 'orders/read' })
 */
export function createLambdaAuthorizer<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options: LambdaAuthorizerOptions<ClaimsOf<Use>> & { readonly simpleResponses: false },
): LambdaAuthorizer<PolicyAnswer>
export function createLambdaAuthorizer<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options?: LambdaAuthorizerOptions<ClaimsOf<Use>> & { readonly simpleResponses?: true },
): LambdaAuthorizer
export function createLambdaAuthorizer<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options?: LambdaAuthorizerOptions<ClaimsOf<Use>>,
): LambdaAuthorizer<SimpleAnswer | PolicyAnswer>
export function createLambdaAuthorizer<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options: LambdaAuthorizerOptions<ClaimsOf<Use>> = {},
): LambdaAuthorizer<SimpleAnswer | PolicyAnswer> {
  const checked = checkAuthorizerOptions(OWNER, options)
  const decide = decider(verifier, options, checked)

  const answer = async (event: LambdaAuthorizerEvent): Promise<AuthorizerAnswer> => {
    const recognized = recognize(event)
    let refused: Refused
    try {
      const decision = await decide(recognized)
      if (decision.status === undefined) return allow(recognized, decision, checked)
      refused = decision
    } catch (error) {
      throw errorFor(recognized, asError(error), checked.observer)
    }
    return refuse(recognized, refused, checked)
  }
  // By the event's kind, which the overloads say and no check can.
  return answer as LambdaAuthorizer<SimpleAnswer | PolicyAnswer>
}

interface Admitted<Claims> {
  readonly claims: Claims
  readonly status?: undefined
  readonly mayBeKept: boolean
}

interface Refused {
  /** With which a middleware would answer. */
  readonly status: number
  /** Whether AppSync would use the answer again for the same token only. */
  readonly mayBeKept: boolean
}

function decider<Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  { scope, groups, onRevocationUnavailable, observer }: LambdaAuthorizerOptions<ClaimsOf<Use>>,
  { findToken }: CheckedAuthorizerOptions<ClaimsOf<Use>>,
): (recognized: RecognizedEvent) => Promise<Admitted<ClaimsOf<Use>> | Refused> {
  const given = Object.entries({ scope, groups, onRevocationUnavailable, observer })
  const shared = Object.fromEntries(given.filter(([, value]) => value !== undefined))
  const extractToken = (found: FoundToken) => (found.kind === 'token' ? found.token : undefined)
  const admit = createAdmission<FoundToken, Use>(verifier, { ...shared, extractToken }, OWNER)

  return async (recognized) => {
    const found = findToken(recognized)
    if (found.kind === 'malformed' || found.kind === 'cross-origin') {
      notify(observer, { type: 'request_refused', status: found.kind === 'malformed' ? 400 : 403 })
      // Not 403: that may be kept for a cookie which the service's own pages use, too.
      return { status: 401, mayBeKept: false }
    }
    const mayBeKept = isAuthorizationToken(recognized, found)
    const { claims, refusal } = await admit(eventHead(recognized), found)
    return claims !== undefined ? { claims, mayBeKept } : { status: statusOf(refusal), mayBeKept }
  }
}

/** Nobody gets in without claims. */
function statusOf(refusal: Refusal | undefined): number {
  return refusal?.status ?? 401
}

function allow<Claims extends CognitoClaims>(
  recognized: RecognizedEvent,
  { claims, mayBeKept }: Admitted<Claims>,
  {
    contextOf,
    policyResource,
    simpleResponses,
    allowTtlSeconds,
    deniedFields,
    observer,
  }: CheckedAuthorizerOptions<Claims>,
): AuthorizerAnswer {
  const context = contextOf(claims)
  if (recognized.kind === 'appsync') {
    const leftSeconds = Math.max(0, Math.floor(claims.exp - Date.now() / 1_000))
    return {
      isAuthorized: true,
      resolverContext: context,
      ...(deniedFields === undefined
        ? {}
        : { deniedFields: fieldList(deniedFields(claims, recognized.event)) }),
      ttlOverride: mayBeKept ? Math.min(allowTtlSeconds, leftSeconds) : 0,
    }
  }
  if (recognized.kind === 'http-api' && simpleResponses) return { isAuthorized: true, context }
  const resource = policyResources(recognized.arn)
  const allowed = policyResource === 'stage' ? resource.stage : resource.method
  if (allowed === undefined) {
    notify(observer, { type: 'request_refused', status: 403 })
    return policyAnswer('Deny', 'unknown', resource.stage, {})
  }
  const answer = policyAnswer('Allow', claims.sub, allowed, context)
  if (recognized.kind === 'websocket') assertSize(answer)
  return answer
}

/** Nothing is left out of it instead: a function may refuse by a claim as well as let in. */
function assertSize(answer: PolicyAnswer): void {
  if (Buffer.byteLength(JSON.stringify(answer)) <= MAX_WEBSOCKET_ANSWER_BYTES) return
  throw new Error(
    `${OWNER}: the answer is over the 8 KB of a WebSocket API: name fewer claims in contextClaims`,
  )
}

function refuse<Claims>(
  recognized: RecognizedEvent,
  { status, mayBeKept }: Refused,
  { simpleResponses, unauthorized, denialTtlSeconds }: CheckedAuthorizerOptions<Claims>,
): AuthorizerAnswer {
  // Why, only the observer is told.
  if (status === 503) throw new Error('Service Unavailable')
  if (recognized.kind === 'appsync')
    return { isAuthorized: false, ttlOverride: mayBeKept ? denialTtlSeconds : 0 }
  // API Gateway knows this one message, and answers 401.
  if (status !== 403 && !(unauthorized === 'deny' && isOfHttpApi(recognized))) throw new Error('Unauthorized')
  const context: AuthorizerContext = status === 403 ? { error: 'insufficient_scope' } : {}
  if (recognized.kind === 'http-api' && simpleResponses) return { isAuthorized: false, context }
  return policyAnswer('Deny', 'unknown', policyResources(recognized.arn).stage, context)
}

function isOfHttpApi({ kind, event }: RecognizedEvent): boolean {
  return kind === 'http-api' || (kind === 'request' && event.version === '1.0')
}

/** AppSync may show its clients what an authorizer throws: these are told that it failed, the observer why. */
function errorFor({ kind }: RecognizedEvent, error: Error, observer: Observer | undefined): Error {
  if (kind !== 'appsync') return error
  notify(observer, { type: 'request_refused', status: 500, error })
  return new Error('Internal Server Error')
}

function fieldList(fields: unknown): string[] {
  if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return [...fields]
  throw new TypeError(`${OWNER}: deniedFields must give an array of strings`)
}
