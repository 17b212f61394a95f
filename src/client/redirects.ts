import { optionError } from '../options.js'

/** RFC 6749, appendix A.4. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** An absolute address without a fragment, of any scheme: apps have their own. */
export function assertRedirect(owner: string, option: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && URL.canParse(value) && !value.includes('#')) return
  throw optionError(owner, option, 'an absolute URL without a fragment, exactly as the app client has it')
}

/** Scopes as a parameter has them; undefined where none are named. */
export function scopeParameter(owner: string, scopes: unknown): string | undefined {
  if (scopes === undefined) return undefined
  if (Array.isArray(scopes) && scopes.length > 0 && scopes.every(isScope)) return scopes.join(' ')
  throw optionError(owner, 'scopes', 'an array of at least one scope, each without spaces', scopes)
}

/** An address with those of the parameters that are given. */
export function withParameters(url: URL, parameters: Readonly<Record<string, string | undefined>>): string {
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  return url.href
}

function isScope(value: unknown): boolean {
  return typeof value === 'string' && SCOPE.test(value)
}
