import { type Explanation, Trace } from './explanation.js'
import type { RevocationLookup } from './revocation/revocation-lookup.js'
import { checkAge, checkAuthorization, checkClaims, checkExpiry } from './tokens/claim-checks.js'
import { parseCompactJws, readHeader } from './tokens/compact-jws.js'
import { verifySignatureSync } from './tokens/signature.js'
import { assertSignature, type TokenAuthenticator } from './tokens/token-authenticator.js'
import { assertNotRevoked, assertRevocable, runCustomCheck } from './verifier-checks.js'
import type { UserPool } from './verifier-options.js'

/** What a verifier makes its checks with. */
export interface Checks {
  readonly authenticator: TokenAuthenticator<UserPool>
  readonly lookup: RevocationLookup | undefined
  /** Whether a token passes where it cannot be known whether it is revoked. */
  readonly accept: boolean
}

/** Makes each check of `verify` afresh, and says how it went. Past a good signature it goes on after a failure. */
export async function explainToken(
  token: unknown,
  { authenticator, lookup, accept }: Checks,
): Promise<Explanation> {
  const trace = new Trace()
  const jws = await trace.run('shape', () => parseCompactJws(token))
  const kid = jws && (await trace.run('header', () => readHeader(jws.header)))
  const issuer = jws && kid && (await trace.run('issuer', () => authenticator.issuerOf(jws)))
  const nowSeconds = authenticator.takeMoment().wall / 1000
  if (jws && issuer) await trace.run('expiry', () => checkExpiry(jws.payload, issuer.rules, nowSeconds))
  const key = kid && issuer && (await trace.run('key', () => issuer.jwks.get(kid)))
  if (!jws || !issuer || !key) return trace.explanation()
  const isSigned = await trace.run('signature', () => {
    assertSignature(verifySignatureSync(key.keyObject, jws))
    return true
  })
  if (!isSigned) return trace.explanation()
  const authentic = await trace.run('claims', () => authenticator.open('', jws, issuer, key))
  if (authentic === undefined) return trace.explanation()

  const { claims, identity } = authentic
  await trace.run('claims', () => checkClaims(claims, issuer.rules))
  // The key may have taken its time.
  const laterSeconds = authenticator.takeMoment().wall / 1000
  await trace.run('expiry', () => checkExpiry(claims, issuer.rules, laterSeconds))
  await trace.run('time', () => checkAge(claims, issuer.rules, laterSeconds))
  await trace.run('scope', () => checkAuthorization(claims, issuer.rules))
  await trace.run('custom', () => runCustomCheck(authentic))
  if (lookup === undefined) return trace.explanation(claims)
  await trace.run('revocable', () => assertRevocable(authentic))
  const found = await trace.run('revocation', () => lookup.lookUp(identity), accept)
  if (found) await trace.run('revocation', () => assertNotRevoked(found.match))
  return trace.explanation(claims, found)
}
