import { InsufficientScopeError } from '../errors.js'
import { optionError, stringList } from '../options.js'
import type { CognitoClaims } from '../tokens/claims.js'
import { ownMember } from '../tokens/own-member.js'
import { scopeList } from '../tokens/scope.js'

/** Scopes or groups that are needed: this one, one of several (`any`), or `all` of several. */
export type Grants =
  | string
  | readonly string[]
  | { readonly any: readonly string[] }
  | { readonly all: readonly string[] }

/** What a token must grant: one of each `any`, and each of `all`. */
export interface GrantsNeeded {
  readonly scopes: Rule
  readonly groups: Rule
}

interface Rule {
  readonly names: readonly string[]
  readonly mode: 'any' | 'all'
}

/** @throws TypeError naming the option */
export function grantsNeeded(
  owner: string,
  { scope, groups }: { readonly scope?: Grants; readonly groups?: Grants },
): GrantsNeeded {
  return {
    scopes: ruleOf(owner, 'scope', scope, scopeList),
    groups: ruleOf(owner, 'groups', groups, stringList),
  }
}

type ListCheck = (owner: string, option: string, value: string | readonly string[]) => readonly string[]

function ruleOf(owner: string, option: string, grants: Grants | undefined, check: ListCheck): Rule {
  if (grants === undefined) return { names: [], mode: 'any' }
  if (typeof grants !== 'object' || grants === null || Array.isArray(grants)) {
    return { names: check(owner, option, grants as string | readonly string[]), mode: 'any' }
  }
  const [[mode, names] = ['', ''], ...more] = Object.entries(grants)
  if ((mode !== 'any' && mode !== 'all') || more.length > 0) {
    throw optionError(owner, option, 'a string, an array, { any: [...] } or { all: [...] }', grants)
  }
  if (!Array.isArray(names)) throw optionError(owner, `${option}.${mode}`, 'an array', names)
  return { names: check(owner, `${option}.${mode}`, names), mode }
}

/** @throws InsufficientScopeError with the scopes that are needed, if it is these that are missing */
export function assertGranted(claims: CognitoClaims, { scopes, groups }: GrantsNeeded): void {
  if (!holds(scopes, scopesOf(claims))) {
    const names = scopes.names.join(', ')
    throw new InsufficientScopeError(`The token has ${missing(scopes)} the scopes ${names}`, scopes.names)
  }
  if (!holds(groups, groupsOf(claims))) {
    throw new InsufficientScopeError(
      `The user is in ${missing(groups)} the groups ${groups.names.join(', ')}`,
    )
  }
}

/** Whether the token grants what is needed. */
export function isGranted(claims: CognitoClaims, { scopes, groups }: GrantsNeeded): boolean {
  return holds(scopes, scopesOf(claims)) && holds(groups, groupsOf(claims))
}

function scopesOf(claims: CognitoClaims): readonly string[] {
  const scope = ownMember(claims, 'scope')
  return typeof scope === 'string' ? scope.split(' ') : []
}

function groupsOf(claims: CognitoClaims): readonly string[] {
  return ownMember(claims, 'cognito:groups') ?? []
}

function holds({ names, mode }: Rule, granted: readonly string[]): boolean {
  if (names.length === 0) return true
  const has = (name: string): boolean => granted.includes(name)
  return mode === 'all' ? names.every(has) : names.some(has)
}

function missing({ mode }: Rule): string {
  return mode === 'all' ? 'not all of' : 'none of'
}
