import { TokenClaimError } from '../errors.js'
import type { JsonObject } from './compact-jws.js'
import { ownMember } from './own-member.js'

/** Which token a verifier accepts: an access token, an ID token. */
export type TokenUse = 'access' | 'id'

/** Disagreement of clocks that is tolerated, in seconds: `iat` and `nbf` may be that far ahead. */
export const CLOCK_TOLERANCE_SECONDS = 300

/** Longest identifier (jti, origin_jti, sub, client id), in characters: a store can key every one. */
export const MAX_ID_LENGTH = 256

const IDENTIFIER = `a string of 1 to ${MAX_ID_LENGTH} characters`
const TEXT = 'a non-empty string'
const TIME = 'a finite number'

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

/**
 * Checks the type of every claim that this library types or relies on, and freezes them all.
 *
 * @throws TokenClaimError
 */
export function readClaims(payload: JsonObject): CognitoClaims {
  const claims = isPolluted() ? Object.assign(Object.create(null), payload) : payload
  const { sub, iss, token_use, exp, iat, jti, origin_jti, auth_time, nbf, client_id, aud } = claims
  const { username, 'cognito:username': cognitoUsername, scope, 'cognito:groups': groups } = claims
  expectType('sub', sub, isIdentifier(sub), IDENTIFIER)
  expectType('iss', iss, isText(iss), TEXT)
  expectType('token_use', token_use, token_use === 'access' || token_use === 'id', "'access' or 'id'")
  expectType('exp', exp, Number.isFinite(exp), TIME)
  expectType('iat', iat, Number.isFinite(iat), TIME)
  expectType('jti', jti, jti === undefined || isIdentifier(jti), IDENTIFIER)
  expectType('origin_jti', origin_jti, origin_jti === undefined || isIdentifier(origin_jti), IDENTIFIER)
  expectType('auth_time', auth_time, auth_time === undefined || Number.isFinite(auth_time), TIME)
  expectType('nbf', nbf, nbf === undefined || Number.isFinite(nbf), TIME)
  expectType('username', username, username === undefined || isText(username), TEXT)
  const isUsername = cognitoUsername === undefined || isText(cognitoUsername)
  expectType('cognito:username', cognitoUsername, isUsername, TEXT)
  expectType('scope', scope, scope === undefined || typeof scope === 'string', 'a string')
  expectType('cognito:groups', groups, groups === undefined || areTexts(groups), 'an array of strings')
  if (token_use === 'access') {
    expectType('client_id', client_id, isIdentifier(client_id), IDENTIFIER)
    const isAudience = aud === undefined || typeof aud === 'string' || areTexts(aud)
    expectType('aud', aud, isAudience, 'a string or an array of strings')
  } else {
    expectType('client_id', client_id, client_id === undefined || isIdentifier(client_id), IDENTIFIER)
    expectType('aud', aud, isIdentifier(aud), IDENTIFIER)
  }
  return deepFreeze(claims) as unknown as CognitoClaims
}

/** The app client that a token was issued to: `client_id` of an access token, `aud` of an ID token. */
export function clientIdOf(claims: CognitoClaims): string {
  return claims.token_use === 'access' ? claims.client_id : claims.aud
}

/** Whether a token is a machine's (client_credentials): there is no user, and no session to revoke. */
export function isMachineToken(claims: CognitoClaims): boolean {
  if (ownMember(claims, 'username') !== undefined) return false
  return claims.token_use === 'access' && claims.sub === claims.client_id
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

function expectType(claim: string, value: unknown, matches: boolean, expected: string): void {
  if (!matches) throw claimError(claim, typeof value, expected)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

/** Whether somebody has put a claim that is read here on Object.prototype: every token would seem to have it. */
function isPolluted(): boolean {
  // Read by their names, as those of the tokens are: a loop over a list of names takes thirty times as long.
  const { sub, iss, token_use, exp, iat, jti, origin_jti, auth_time, nbf, client_id, aud } =
    Object.prototype as JsonObject
  const {
    username,
    'cognito:username': cognitoUsername,
    scope,
    'cognito:groups': groups,
  } = Object.prototype as JsonObject
  const some = sub ?? iss ?? token_use ?? exp ?? iat ?? jti ?? origin_jti ?? auth_time ?? nbf ?? client_id
  return (some ?? aud ?? username ?? cognitoUsername ?? scope ?? groups) !== undefined
}

/** Freezes an object out of JSON with all that hangs on it; without recursion, since depth is the sender's choice. */
export function deepFreeze<T extends object>(value: T): T {
  const open: object[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const children: readonly unknown[] = Array.isArray(next) ? next : Object.values(next)
    for (let index = 0; index < children.length; index++) {
      const child = children[index]
      if (isObject(child)) open.push(child)
    }
    Object.freeze(next)
  }
  return value
}
