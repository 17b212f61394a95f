import { TokenExpiredError } from '../errors.js'
import type { CognitoClaims } from '../tokens/claims.js'
import type { TokenVerifier } from '../verifier.js'

/** A session's tokens that a caller gives along with its refresh token. */
export interface TokenHints {
  readonly accessToken?: string | undefined
  readonly idToken?: string | undefined
}

/** What need not hold of a token that only tells which session it was of. */
const IRRELEVANT: ReadonlySet<string> = new Set(['revocable', 'revocation'])

/**
 * The claims of the tokens given along whose signature, issuer and client are good. They may have expired, or been
 * revoked: a session's end is told late as a rule.
 */
export async function claimsOfHints(
  verifier: TokenVerifier,
  { accessToken, idToken }: TokenHints,
): Promise<CognitoClaims[]> {
  const found = await Promise.all([
    claimsOf(verifier, accessToken, 'access'),
    claimsOf(verifier, idToken, 'id'),
  ])
  return found.flatMap((claims) => claims ?? [])
}

async function claimsOf(
  verifier: TokenVerifier,
  token: string | undefined,
  use: 'access' | 'id',
): Promise<CognitoClaims | undefined> {
  if (token === undefined) return undefined
  // A client that is closed meanwhile has no keys any more: then there is no hint.
  const { claims, checks } = await verifier.explain(token).catch(() => ({ claims: undefined, checks: [] }))
  if (claims?.token_use !== use) return undefined
  const isGood = checks.every(
    ({ check, outcome, error }) =>
      outcome === 'passed' ||
      IRRELEVANT.has(check) ||
      ((check === 'expiry' || check === 'time') && error instanceof TokenExpiredError),
  )
  return isGood ? claims : undefined
}
