import type { CognitoRevocationError } from './errors.js'
import type { LookupResult } from './revocation/revocation-lookup.js'
import type { CognitoClaims } from './tokens/claims.js'

/** The checks of a token, in the order in which `verify` makes them. */
const CHECKS = [
  'shape',
  'header',
  'issuer',
  'expiry',
  'key',
  'signature',
  'claims',
  'time',
  'scope',
  'custom',
  'revocable',
  'revocation',
] as const

export type Check = (typeof CHECKS)[number]

/** One check and how it went. */
export interface CheckResult {
  readonly check: Check
  /** `unknown`: it could not be made now (the store or the JWKS was out of reach). `skipped`: not reached. */
  readonly outcome: 'passed' | 'failed' | 'unknown' | 'skipped'
  readonly error?: Error
}

/** What `explain` says of a token. Contains no token. */
export interface Explanation {
  /** Whether `verify` would accept the token now. */
  readonly accepted: boolean
  /** What `verify` would throw. */
  readonly error?: Error
  readonly checks: readonly CheckResult[]
  /** The claims, once the signature was found good. */
  readonly claims?: CognitoClaims
  /** What was found on revocation, where, and how old that is at most; absent where no answer came. */
  readonly revocation?: LookupResult
}

/** Makes checks one after another and takes down how each went. */
export class Trace {
  readonly #results = new Map<Check, CheckResult & { readonly excused?: boolean }>()

  /**
   * Runs a check; gives what it gave, or undefined if it failed. A check that failed stays so.
   *
   * @param excused the owner accepts the token where this check cannot be made
   */
  async run<T>(check: Check, make: () => T | Promise<T>, excused = false): Promise<T | undefined> {
    try {
      const value = await make()
      if (!this.#results.has(check)) this.#results.set(check, { check, outcome: 'passed' })
      return value
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      const unknown = (error as Partial<CognitoRevocationError>).status === 503
      this.#results.set(check, {
        check,
        outcome: unknown ? 'unknown' : 'failed',
        error,
        excused: unknown && excused,
      })
      return undefined
    }
  }

  /** The first error, in the order of the checks: the one that `verify` throws. */
  get firstError(): Error | undefined {
    return CHECKS.map((check) => this.#results.get(check)).find((result) => result?.error && !result.excused)
      ?.error
  }

  explanation(claims?: CognitoClaims, revocation?: LookupResult): Explanation {
    const error = this.firstError
    return {
      accepted: error === undefined,
      checks: CHECKS.map((check) => {
        const { excused: _, ...result } = this.#results.get(check) ?? { check, outcome: 'skipped' as const }
        return result
      }),
      ...(error === undefined ? {} : { error }),
      ...(claims === undefined ? {} : { claims }),
      ...(revocation === undefined ? {} : { revocation }),
    }
  }
}
