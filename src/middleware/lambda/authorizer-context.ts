import { optionError, stringList } from '../../options.js'
import { type CognitoClaims, clientIdOf } from '../../tokens/claims.js'

/** What an authorizer hands on to the backend: flat, as API Gateway wants it. Never the token. */
export type AuthorizerContext = Record<string, string | number | boolean>

/** Makes the context out of a token's claims. */
export type ContextMaker = (claims: CognitoClaims) => AuthorizerContext

const DEFAULT_CLAIMS = [
  ...['sub', 'username', 'client_id', 'token_use', 'scope', 'cognito:groups'],
  ...['origin_jti', 'jti', 'exp'],
]

/** @throws TypeError naming the option */
export function contextMaker(owner: string, contextClaims: readonly string[] = DEFAULT_CLAIMS): ContextMaker {
  const option = 'contextClaims'
  if (!Array.isArray(contextClaims)) throw optionError(owner, option, 'an array', contextClaims)
  const claimNames = contextClaims.length === 0 ? [] : stringList(owner, option, contextClaims)
  const names = claimNames.map((claim) => [claim, keyOf(claim)] as const)
  if (new Set(names.map(([, key]) => key)).size < names.length)
    throw optionError(owner, option, 'an array with each claim once, with or without "cognito:" or "custom:"')
  for (const [claim, key] of names) {
    if (!/^[A-Za-z0-9_.-]+$/.test(key))
      throw optionError(owner, option, "names of A-Z, a-z, 0-9, '_', '.', '-'")
    if (isTaken(claim, key)) throw optionError(owner, option, `without ${claim}: another claim has that name`)
  }
  return (claims) => {
    const entries: [string, string | number | boolean][] = []
    for (const [claim, key] of names) {
      const value = flat(claimOf(claims, claim))
      if (value !== undefined) entries.push([key, value])
    }
    // Unlike an assignment, this takes every key for a key.
    return Object.fromEntries(entries)
  }
}

/** `$context.authorizer.<key>` takes no colon. */
function keyOf(claim: string): string {
  return claim.replace(/^(?:cognito|custom):/, '')
}

/** Users may write attributes of their own: `custom:sub` must not be read as `sub`, nor `groups` as `cognito:groups`. */
function isTaken(claim: string, key: string): boolean {
  const owner = DEFAULT_CLAIMS.find((each) => keyOf(each) === key)
  return owner !== undefined && owner !== claim && claim !== 'cognito:username'
}

/** Under one name, whichever kind of token has it. */
function claimOf(claims: CognitoClaims, claim: string): unknown {
  if (claim === 'client_id') return clientIdOf(claims)
  if (claim === 'username' && claims.token_use === 'id') return claims['cognito:username']
  return Object.hasOwn(claims, claim) ? claims[claim] : undefined
}

function flat(value: unknown): string | number | boolean | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
  return isList ? joined(value) : JSON.stringify(value)
}

/** Cognito's own groups have no white space, but a trigger may name others: 'the admin' is not in the group 'admin'. */
function joined(names: readonly string[]): string {
  return names.map((name) => name.replace(/[\s%]/g, encodeURIComponent)).join(' ')
}

/** The names that `joined` has made a text of; an empty one is none. */
export function splitNames(text: string | undefined): readonly string[] {
  return wordsOf(text).map(decoded)
}

/** What stands between spaces. */
export function wordsOf(text = ''): readonly string[] {
  return text.split(' ').filter((word) => word !== '')
}

/** What cannot be decoded was not encoded: another authorizer wrote it. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
