import { isPromise } from '../is-promise.js'
import { notify } from '../observer.js'
import type { ClaimsOf, CognitoClaims, TokenUse } from '../tokens/claims.js'
import { asBearerToken, bearerToken, plainBearerToken } from './bearer.js'
import { assertGranted, isGranted } from './grants.js'
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
type Admission<Claims = CognitoClaims> =
  | { readonly refusal?: undefined; readonly claims: Claims | undefined }
  | { readonly refusal: Refusal; readonly claims?: undefined }

/**
 * Decides about requests: what every framework's `verifyToken` asks. Rejects with what is no answer to the request:
 * an error of the owner's own functions, above all.
 */
export interface Admit<Request, Claims = CognitoClaims> {
  (head: RequestHead, request: Request): Promise<Admission<Claims>>
  /**
   * The claims to go on with, if memory suffices to know them: most requests come with a token that was seen before.
   * Undefined where the question is to be put in full, whatever the answer will be.
   */
  readonly atOnce: (head: RequestHead) => Claims | undefined
}

/** @throws TypeError naming the option */
export function createAdmission<Request, Use extends TokenUse | null>(
  verifier: Verifier<Use>,
  options: VerifyTokenOptions<Request> = {},
  owner = 'verifyToken',
): Admit<Request, ClaimsOf<Use>> {
  assertVerifier(owner, verifier)
  const checked = checkVerifyTokenOptions(owner, options)
  const { grants, optional, skip, observer, realm, retryAfterSeconds, onRevocationUnavailable } = checked
  const overrides = onRevocationUnavailable === undefined ? undefined : { onRevocationUnavailable }

  const refuse = (refusal: Refusal, error?: Error): Admission<ClaimsOf<Use>> => {
    const { status } = refusal
    notify(observer, { type: 'request_refused', status, ...(error === undefined ? {} : { error }) })
    return { refusal }
  }

  const admit = async (head: RequestHead, request: Request): Promise<Admission<ClaimsOf<Use>>> => {
    if (skip !== undefined && isTrue(owner, skip(request))) return { claims: undefined }
    const found = findToken(owner, checked, head, request)
    if (found.kind === 'malformed') return refuse(invalidRequest(realm))
    if (found.kind === 'cross-origin') return refuse(crossOrigin())
    if (found.kind === 'none') return optional ? { claims: undefined } : refuse(missingToken(realm))
    try {
      const claims: unknown = await verifier.verify(found.token, overrides)
      if (!areClaims<ClaimsOf<Use>>(claims)) throw new TypeError(`${owner}: the verifier gave no claims`)
      assertGranted(claims, grants)
      return { claims }
    } catch (error) {
      const refusal = refusalOf(error, realm, retryAfterSeconds)
      if (refusal === undefined) throw error
      return refuse(refusal, error as Error)
    }
  }

  const isPlain =
    skip === undefined && checked.extractToken === undefined && checked.findToken === bearerToken
  const atOnce = (head: RequestHead): ClaimsOf<Use> | undefined => {
    const token = isPlain ? plainBearerToken(head) : undefined
    const claims = token === undefined ? undefined : recall(verifier, token)
    return areClaims<ClaimsOf<Use>>(claims) && isGranted(claims, grants) ? claims : undefined
  }
  return Object.assign(admit, { atOnce })
}

/** What the verifier recalls, unless its `verify` is not its class's: only that knows what a wrapper asks for besides. */
function recall(verifier: Verifier, token: string): unknown {
  try {
    const isUsual = verifier.verify === verifier.constructor?.prototype?.verify
    return isUsual ? verifier.recall?.(token) : undefined
  } catch {
    // `verify`, which is asked next, says why.
    return undefined
  }
}

function findToken<Request>(
  owner: string,
  { extractToken, findToken }: CheckedVerifyTokenOptions<Request>,
  head: RequestHead,
  request: Request,
): FoundToken {
  if (extractToken === undefined) return findToken(head)
  const token = extractToken(request)
  assertNoPromise(`${owner}: extractToken`, token)
  // What is no string, `verify` refuses.
  return asBearerToken(token as string)
}

/** A promise would be as good as true. */
function isTrue(owner: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  assertNoPromise(`${owner}: skip`, answer)
  throw new TypeError(`${owner}: skip must give true or false, not ${typeof answer}`)
}

/** It is not awaited, and if it rejects nobody else hears of it. */
function assertNoPromise(what: string, answer: unknown): void {
  if (!isPromise(answer)) return
  Promise.resolve(answer).catch(() => {})
  throw new TypeError(`${what} must not give a promise: it is not awaited`)
}

/** Whether it is what a verifier gives. One that was wrapped may give a promise where it should not. */
function areClaims<Claims>(given: unknown): given is Claims {
  return typeof (given as CognitoClaims | null | undefined)?.sub === 'string'
}
