import { optionError, stringList } from '../options.js'

/** A scope-token (RFC 6749, section 3.3): printable ASCII without spaces, quotes and backslashes. */
export function isScopeToken(value: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)
}

/** An option that is one scope or several. @throws TypeError naming the option */
export function scopeList(owner: string, option: string, value: unknown): readonly string[] {
  const scopes = stringList(owner, option, value)
  if (scopes.every(isScopeToken)) return scopes
  throw optionError(owner, option, 'a scope (printable ASCII without spaces), or an array of them')
}
