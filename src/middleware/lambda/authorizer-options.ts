import {
  assertInteger,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  optionError,
} from '../../options.js'
import type { CognitoClaims } from '../../tokens/claims.js'
import { asBearerToken } from '../bearer.js'
import { checkOrigins, type VerifyTokenOptions } from '../verify-token-options.js'
import { type ContextMaker, contextMaker } from './authorizer-context.js'
import type { AppSyncAuthorizerEvent, LambdaAuthorizerEvent } from './authorizer-events.js'
import { type AuthorizerTokenSource, type EventTokenFinder, eventTokenFinder } from './event-token.js'

type Shared = Pick<
  VerifyTokenOptions<LambdaAuthorizerEvent>,
  'scope' | 'groups' | 'allowedOrigins' | 'extractToken' | 'onRevocationUnavailable' | 'observer'
>

/**
 * Options of `createLambdaAuthorizer`. `scope` and `groups` hold for every route that the authorizer is set on: an
 * answer that API Gateway caches is used for all of them. What only some routes need, ask for in their functions, by
 * `readAuthorizerContext`.
 */
export interface LambdaAuthorizerOptions<Claims = CognitoClaims> extends Shared {
  /**
   * Where the token is. Several: it may be in any, but not in two of them. Default 'authorization', which is
   * `authorizationToken` in the events that have no headers. With `{ cookie }` set the authorizer's TTL to 0: a cached
   * answer to the service's own page would let another website's request through.
   */
  readonly tokenFrom?: AuthorizerTokenSource | readonly AuthorizerTokenSource[]
  /**
   * Take a token without the scheme `Bearer`, too, where the event has `authorizationToken` (REST `TOKEN`, AppSync).
   * Default: from AppSync only, whose clients send it so.
   */
  readonly bareToken?: boolean
  /**
   * Claims that go to the backend, if the token has them. Lists become words with spaces between, in which white space
   * and '%' are percent-encoded (`readAuthorizerContext` decodes groups), other objects JSON. `cognito:groups` is called
   * `groups`, and `custom:tenant` `tenant`, since API Gateway takes no colon. Names with anything else than A-Z, a-z,
   * 0-9, '_', '.' and '-' are refused, and so are those that would stand for another claim of the default, such as
   * `custom:sub`. `client_id` and `username` are those of an ID token, too. Default sub, username, client_id, token_use,
   * scope, cognito:groups, origin_jti, jti, exp.
   */
  readonly contextClaims?: readonly string[]
  /**
   * What a policy is about. 'stage', the default, is every route of the stage, as API Gateway may use the policy again
   * for any of them. 'method' is the one that was called: only with the authorizer's TTL at 0, else the caller's next
   * request to another route is refused. A path with `*`, `?` or `${`, which no policy can name alone, or of over 2,000
   * characters is then refused.
   */
  readonly policyResource?: 'stage' | 'method'
  /**
   * Whether an HTTP API with payload format 2.0 gets `{ isAuthorized, context }`, or else a policy: as
   * `EnableSimpleResponses` of the authorizer says. Default true.
   */
  readonly simpleResponses?: boolean
  /**
   * What an HTTP API gets where the token is missing or bad. 'throw', the default, is the error `Unauthorized`: of a
   * REST API a 401, of an HTTP API perhaps a 500, as AWS does not say. 'deny' is an answer that denies: a 403 for
   * certain, which the API keeps for its TTL, so set that to 0.
   */
  readonly unauthorized?: 'throw' | 'deny'
  /**
   * How long AppSync may let a token in without asking again, in seconds, 0 to 3600, and never longer than the token
   * lives. **So much later a revocation takes effect.** Default 0. Only for a token that came as `authorizationToken`,
   * which is what AppSync knows an answer by again: any other answer it is told not to keep. Not with `deniedFields`.
   * API Gateway takes a TTL of the authorizer only (`AuthorizerResultTtlInSeconds`, for a REST API 300 unless it is set):
   * set it to 0.
   */
  readonly allowTtlSeconds?: number
  /**
   * How long AppSync may refuse a token without asking again, in seconds, 0 to 3600. Default 0. It delays no
   * revocation: what is refused once stays so, but for a token from a clock that is ahead or a key that is not
   * published yet. "It cannot be known now" is never kept. API Gateway has no such setting: a 401 it does not keep, a
   * 403 for the TTL of the authorizer.
   */
  readonly denialTtlSeconds?: number
  /** Short for `denialTtlSeconds`: in seconds, too. One of the two. */
  readonly denialTtl?: number
  /**
   * Fields that AppSync answers with null for this caller, as ARNs or `Type.field`. Default none. In the event,
   * `operationName` and `queryString` are the caller's: he may call an operation whatever he likes. Not with
   * `allowTtlSeconds`: AppSync would use the list for his other operations, too.
   */
  readonly deniedFields?: (claims: Claims, event: AppSyncAuthorizerEvent) => readonly string[]
}

/** The options, checked, with their defaults. */
export interface CheckedAuthorizerOptions<Claims> {
  readonly findToken: EventTokenFinder
  readonly contextOf: ContextMaker
  readonly policyResource: 'stage' | 'method'
  readonly simpleResponses: boolean
  readonly unauthorized: 'throw' | 'deny'
  readonly allowTtlSeconds: number
  readonly denialTtlSeconds: number
  readonly deniedFields: LambdaAuthorizerOptions<Claims>['deniedFields']
  readonly observer: Shared['observer']
}

const KNOWN = [
  ...['scope', 'groups', 'tokenFrom', 'allowedOrigins', 'extractToken', 'bareToken'],
  ...['onRevocationUnavailable', 'observer', 'contextClaims', 'policyResource', 'simpleResponses'],
  ...['unauthorized', 'allowTtlSeconds', 'denialTtlSeconds', 'denialTtl', 'deniedFields'],
]

/** What is not `createAdmission`'s to check. @throws TypeError naming the option */
export function checkAuthorizerOptions<Claims>(
  owner: string,
  options: LambdaAuthorizerOptions<Claims>,
): CheckedAuthorizerOptions<Claims> {
  assertOptions(owner, options, KNOWN)
  const { bareToken, policyResource = 'stage', simpleResponses = true, deniedFields } = options
  const {
    unauthorized = 'throw',
    allowTtlSeconds = 0,
    denialTtl,
    denialTtlSeconds = denialTtl ?? 0,
  } = options
  assertOptionalBoolean(owner, 'bareToken', bareToken)
  assertOptionalBoolean(owner, 'simpleResponses', options.simpleResponses)
  assertOptionalFunction(owner, 'deniedFields', deniedFields)
  if (policyResource !== 'stage' && policyResource !== 'method')
    throw optionError(owner, 'policyResource', "'stage' or 'method'", policyResource)
  if (unauthorized !== 'throw' && unauthorized !== 'deny')
    throw optionError(owner, 'unauthorized', "'throw' or 'deny'", unauthorized)
  if (denialTtl !== undefined && options.denialTtlSeconds !== undefined)
    throw optionError(owner, 'denialTtl', 'absent where denialTtlSeconds says it')
  assertInteger(owner, 'allowTtlSeconds', allowTtlSeconds, 0, 3_600)
  if (deniedFields !== undefined && allowTtlSeconds > 0)
    throw optionError(owner, 'deniedFields', 'absent where allowTtlSeconds has AppSync keep its list')
  assertInteger(owner, denialTtl === undefined ? 'denialTtlSeconds' : 'denialTtl', denialTtlSeconds, 0, 3_600)
  return {
    findToken: finderOf(owner, options),
    contextOf: contextMaker(owner, options.contextClaims),
    ...{ policyResource, simpleResponses, unauthorized, allowTtlSeconds, denialTtlSeconds, deniedFields },
    observer: options.observer,
  }
}

function finderOf<Claims>(owner: string, options: LambdaAuthorizerOptions<Claims>): EventTokenFinder {
  const { tokenFrom = 'authorization', extractToken, bareToken } = options
  assertOptionalFunction(owner, 'extractToken', extractToken)
  if (extractToken !== undefined && options.tokenFrom !== undefined)
    throw optionError(owner, 'tokenFrom', 'absent where extractToken finds the token')
  const origins = checkOrigins(owner, options.allowedOrigins)
  if (extractToken !== undefined) return ({ event }) => asBearerToken(extractToken(event))
  return eventTokenFinder(owner, tokenFrom, origins, bareToken)
}
