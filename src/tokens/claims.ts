import { InsufficientScopeError, TokenClaimError, TokenExpiredError } from '../errors.js'
import type { JsonObject } from './compact-jws.js'

/** Which token a verifier accepts: an access token, an ID token. */
export type TokenUse = 'access' | 'id'

/** Disagreement of clocks that is tolerated, in seconds: `iat` and `nbf` may be that far ahead. */
export const CLOCK_TOLERANCE_SECONDS = 300

/** Longest identifier (jti, origin_jti, sub, client id), in characters: a store can key every one. */
export const MAX_ID_LENGTH = 256

/** Claims that access and ID tokens have in common (Cognito developer guide, "Understanding user pool JSON web tokens"). */
export interface CognitoBaseClaims {
  readonly sub: string
  readonly iss: string
  /** Epoch seconds. */
  readonly exp: number
  /** Epoch seconds. */
  readonly iat: number
  /** When the user authenticated, in epoch seconds; stays the same over refreshes. */
  readonly auth_time?: number
  readonly nbf?: number
  /** Identifies this token. There while the app client has token revocation turned on. */
  readonly jti?: string
  /** Identifies the session: all tokens that come from one refresh token share it. */
  readonly origin_jti?: string
  readonly 'cognito:groups'?: readonly string[]
  /** Claims of later versions, custom claims, claims of a pre-token-generation trigger. */
  readonly [claim: string]: unknown
}

/** Claims of an access token. */
export interface CognitoAccessTokenClaims extends CognitoBaseClaims {
  readonly token_use: 'access'
  readonly client_id: string
  readonly aud?: string | readonly string[]
  /** Scopes, separated by spaces. */
  readonly scope?: string
  /** Absent in the token of a machine (client_credentials). */
  readonly username?: string
}

/** Claims of an ID token. */
export interface CognitoIdTokenClaims extends CognitoBaseClaims {
  readonly token_use: 'id'
  /** The app client's id. */
  readonly aud: string
  readonly 'cognito:username'?: string
}

export type CognitoClaims = CognitoAccessTokenClaims | CognitoIdTokenClaims

/** The claims of the tokens that a verifier for this `tokenUse` accepts. */
export type ClaimsOf<Use extends TokenUse | null> = Use extends 'access'
  ? CognitoAccessTokenClaims
  : Use extends 'id'
    ? CognitoIdTokenClaims
    : CognitoClaims

/** What a token of one user pool must be. */
export interface ClaimRules {
  readonly clientIds: readonly string[] | null
  readonly tokenUse: TokenUse | null
  readonly requiredClaims: readonly string[]
  readonly scopes: readonly string[]
  readonly groups: readonly string[]
  readonly graceSeconds: number
  readonly maxTokenAgeSeconds: number | undefined
}

type Check = readonly [matches: (value: unknown) => boolean, expected: string]

const identifier: Check = [isIdentifier, `a string of 1 to ${MAX_ID_LENGTH} characters`]
const text: Check = [(value) => typeof value === 'string' && value !== '', 'a non-empty string']
const anyText: Check = [(value) => typeof value === 'string', 'a string']
const time: Check = [(value) => Number.isFinite(value), 'a finite number']
const texts: Check = [
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  'an array of strings',
]
const audience: Check = [(value) => anyText[0](value) || texts[0](value), 'a string or an array of strings']
const use: Check = [(value) => value === 'access' || value === 'id', "'access' or 'id'"]

const REQUIRED: readonly (readonly [string, Check])[] = [
  ['sub', identifier],
  ['iss', text],
  ['token_use', use],
  ['exp', time],
  ['iat', time],
]
const OPTIONAL: readonly (readonly [string, Check])[] = [
  ['jti', identifier],
  ['origin_jti', identifier],
  ['auth_time', time],
  ['nbf', time],
  ['username', text],
  ['cognito:username', text],
  ['scope', anyText],
  ['cognito:groups', texts],
]

/**
 * Checks the type of every claim that this library types or relies on, and freezes them all.
 *
 * @throws TokenClaimError
 */
export function readClaims(payload: JsonObject): CognitoClaims {
  for (const [claim, check] of REQUIRED) expectType(payload, claim, check, true)
  for (const [claim, check] of OPTIONAL) expectType(payload, claim, check, false)
  const access = payload.token_use === 'access'
  expectType(payload, 'client_id', identifier, access)
  expectType(payload, 'aud', access ? audience : identifier, !access)
  return deepFreeze(payload) as unknown as CognitoClaims
}

/**
 * Checks what does not change while the token lives: token_use, client, required claims.
 *
 * @throws TokenClaimError
 */
export function checkClaims(claims: CognitoClaims, rules: ClaimRules): void {
  if (rules.tokenUse !== null && claims.token_use !== rules.tokenUse) {
    throw claimError('token_use', claims.token_use, rules.tokenUse)
  }
  const clientId = clientIdOf(claims)
  if (rules.clientIds !== null && !rules.clientIds.includes(clientId)) {
    throw claimError(claims.token_use === 'access' ? 'client_id' : 'aud', clientId, rules.clientIds)
  }
  for (const claim of rules.requiredClaims) {
    if (!Object.hasOwn(claims, claim)) throw claimError(claim, undefined, 'to be present')
  }
}

/**
 * Checks exp, nbf, iat and the token's age.
 *
 * @throws TokenExpiredError, TokenClaimError
 */
export function checkTime(claims: CognitoClaims, rules: ClaimRules, nowSeconds: number): void {
  if (!(nowSeconds < claims.exp + rules.graceSeconds))
    throw new TokenExpiredError(
      "The token has expired. Refresh it; if it is fresh, check this machine's clock",
    )
  if (claims.nbf !== undefined && claims.nbf > nowSeconds + CLOCK_TOLERANCE_SECONDS) {
    throw claimError('nbf', claims.nbf, `at most ${CLOCK_TOLERANCE_SECONDS} s ahead of the clock`)
  }
  if (claims.iat > nowSeconds + CLOCK_TOLERANCE_SECONDS) {
    throw claimError('iat', claims.iat, `at most ${CLOCK_TOLERANCE_SECONDS} s ahead of the clock`)
  }
  const maxAge = rules.maxTokenAgeSeconds
  if (maxAge !== undefined && nowSeconds - claims.iat > maxAge) {
    throw new TokenExpiredError(`The token is older than ${maxAge} s (maxTokenAgeSeconds)`)
  }
}

/** From when on `checkTime` refuses the token as expired, in epoch seconds. */
export function endOfLife(claims: CognitoClaims, { graceSeconds, maxTokenAgeSeconds }: ClaimRules): number {
  const end = claims.exp + graceSeconds
  return maxTokenAgeSeconds === undefined ? end : Math.min(end, claims.iat + maxTokenAgeSeconds)
}

/**
 * Checks that the token has at least one of the scopes, and at least one of the groups, where any are asked for.
 *
 * @throws InsufficientScopeError
 */
export function checkAuthorization(
  claims: CognitoClaims,
  { scopes, groups }: Pick<ClaimRules, 'scopes' | 'groups'>,
): void {
  if (scopes.length > 0) {
    const granted = typeof claims.scope === 'string' ? claims.scope.split(' ') : []
    if (!scopes.some((scope) => granted.includes(scope))) {
      throw new InsufficientScopeError(`The token has none of the scopes ${scopes.join(', ')}`, scopes)
    }
  }
  if (groups.length > 0) {
    const memberOf = claims['cognito:groups'] ?? []
    if (!groups.some((group) => memberOf.includes(group))) {
      throw new InsufficientScopeError(`The user is in none of the groups ${groups.join(', ')}`)
    }
  }
}

/** The app client that a token was issued to: `client_id` of an access token, `aud` of an ID token. */
export function clientIdOf(claims: CognitoClaims): string {
  return claims.token_use === 'access' ? claims.client_id : claims.aud
}

/** Whether a token is a machine's (client_credentials): there is no user, and no session to revoke. */
export function isMachineToken(claims: CognitoClaims): boolean {
  return claims.token_use === 'access' && claims.sub === claims.client_id && claims.username === undefined
}

/** Whether a value can key a revocation: a well-formed string of 1 to 256 characters. */
export function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH && value.isWellFormed()
}

/** What to do about a claim that is not acceptable. */
const REMEDIES: Readonly<Record<string, string>> = {
  iss: 'Check userPoolId (and its Region) and issuer; or it is not a token for this service',
  token_use: 'An access token belongs into an Authorization header; set tokenUse to what you verify',
  client_id: "Check clientId: list every app client of yours, or refuse the others' tokens",
  aud: "Check clientId: list every app client of yours, or refuse the others' tokens",
  iat: "Check this machine's clock",
  nbf: "Check this machine's clock",
}

/** A TokenClaimError in the library's words; strings from a token are cut short, and objects named by their type. */
export function claimError(
  claim: string,
  actual: unknown,
  expected: unknown,
  options?: ErrorOptions,
): TokenClaimError {
  const shown =
    typeof actual === 'string' ? actual.slice(0, MAX_ID_LENGTH) : isObject(actual) ? 'object' : actual
  const wanted = Array.isArray(expected) ? `one of ${expected.join(', ')}` : String(expected)
  const remedy = Object.hasOwn(REMEDIES, claim) ? `. ${REMEDIES[claim]}` : ''
  // The issuer is looked at before the signature: anybody's text, which belongs into no log.
  const got = claim === 'iss' ? '' : `, got ${JSON.stringify(shown)}`
  const message = `The claim "${claim}" is not acceptable: expected ${wanted}${got}${remedy}`
  return new TokenClaimError(message, { claim, actual: shown, expected }, options)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function expectType(payload: JsonObject, claim: string, [matches, expected]: Check, required: boolean): void {
  const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined
  if (value === undefined ? required : !matches(value)) throw claimError(claim, typeof value, expected)
}

/** Freezes an object out of JSON with all that hangs on it; without recursion, since depth is the sender's choice. */
export function deepFreeze<T extends object>(value: T): T {
  const open: object[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const child of Object.values(next)) {
      if (isObject(child)) open.push(child)
    }
    Object.freeze(next)
  }
  return value
}
