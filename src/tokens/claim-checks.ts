import { InsufficientScopeError, TokenExpiredError } from '../errors.js'
import {
  CLOCK_TOLERANCE_SECONDS,
  type CognitoClaims,
  claimError,
  clientIdOf,
  type TokenUse,
} from './claims.js'

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
 * Checks exp, of claims that need not be known to be true: a token that itself says to have expired is of no use to anybody.
 * What is no number is not judged here.
 *
 * @throws TokenExpiredError
 */
export function checkExpiry(
  { exp }: { readonly exp?: unknown },
  { graceSeconds }: ClaimRules,
  nowSeconds: number,
): void {
  if (!Number.isFinite(exp) || nowSeconds < (exp as number) + graceSeconds) return
  throw new TokenExpiredError("The token has expired. Refresh it; if it is fresh, check this machine's clock")
}

/**
 * Checks nbf, iat and the token's age.
 *
 * @throws TokenClaimError, TokenExpiredError
 */
export function checkAge(claims: CognitoClaims, rules: ClaimRules, nowSeconds: number): void {
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

/** From when on the token is refused as expired, in epoch seconds. */
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
