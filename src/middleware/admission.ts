import { notify } from '../observer.js'
import type { ClaimsOf, CognitoClaims, TokenUse } from '../tokens/claims.js'
import { asBearerToken } from './bearer.js'
import { assertGranted } from './grants.js'
import { crossOrigin, invalidRequest, missingToken, type Refusal, refusalOf } from './refusal.js'
import type { RequestHead } from './request-head.js'
import type { FoundToken } from './token-source.js'
import {
  assertVerifier,
  type CheckedVerifyTokenOptions,
  checkVerifyTokenOptions,
  type Verifier,
  type VerifyTokenOptions,
} from './verify-token-options.js'

/** A request goes on, with the claims of its token if it has one; or it is refused, with this answer. */
export type Admission<Claims = CognitoClaims> =
  | { readonly refusal?: undefined; readonly claims: Claims | undefined }
  | { readonly refusal: Refusal; readonly claims?: undefined }

/**
 * Decides about requests: what every framework's `verifyToken` asks. Rejects with what is no answer to the request:
 * an error of the owner's own functions, above all.
 */
export type Admit<Request, Claims = CognitoClaims> = (
  head: RequestHead,
  request: Request,
) => Promise<Admission<Claims>>

/** @throws TypeError naming the option */
export function createAdmission<Request, Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options: VerifyTokenOptions<Request> = {},
  owner = 'verifyToken',
): Admit<Request, ClaimsOf<Use>> {
  assertVerifier(owner, verifier)
  const checked = checkVerifyTokenOptions(owner, options)
  const { grants, optional, skip, observer, realm, retryAfterSeconds, onRevocationUnavailable } = checked
  const overrides = onRevocationUnavailable === undefined ? {} : { onRevocationUnavailable }

  const refuse = (refusal: Refusal, error?: Error): Admission<ClaimsOf<Use>> => {
    const { status } = refusal
    notify(observer, { type: 'request_refused', status, ...(error === undefined ? {} : { error }) })
    return { refusal }
  }

  return async (head, request) => {
    if (skip !== undefined && isTrue(owner, skip(request))) return { claims: undefined }
    const found = findToken(checked, head, request)
    if (found.kind === 'malformed') return refuse(invalidRequest(realm))
    if (found.kind === 'cross-origin') return refuse(crossOrigin())
    if (found.kind === 'none') return optional ? { claims: undefined } : refuse(missingToken(realm))
    try {
      const claims = await verifier.verify(found.token, overrides)
      assertGranted(claims, grants)
      return { claims }
    } catch (error) {
      const refusal = refusalOf(error, realm, retryAfterSeconds)
      if (refusal === undefined) throw error
      return refuse(refusal, error as Error)
    }
  }
}

function findToken<Request>(
  { extractToken, findToken }: CheckedVerifyTokenOptions<Request>,
  head: RequestHead,
  request: Request,
): FoundToken {
  // What is no string, `verify` refuses.
  return extractToken === undefined ? findToken(head) : asBearerToken(extractToken(request) as string)
}

/** A promise would be as good as true. */
function isTrue(owner: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw new TypeError(`${owner}: skip must give true or false, not ${typeof answer}`)
}
