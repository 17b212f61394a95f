import { CognitoRevocationError, type ErrorCode } from '../../src/errors.js'
import { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions, UserPoolOptions } from '../../src/verifier-options.js'
import type { RawSigner } from './raw-signer.js'
import { NOW_SECONDS } from './raw-signer.js'

export type Verdict = 'accepted' | ErrorCode
type Verifier = Pick<TokenVerifier, 'verify' | 'verifySync'>
type Pool = Pick<RawSigner, 'userPoolId' | 'jwks'>

/** A port that `fetch` refuses to go to: whatever a test does, its verifier reaches for no network. */
const NOWHERE = 'http://127.0.0.1:9/jwks.json'

/** A verifier for every token of a pool whose keys it has, at the tests' time, without revocation. */
export function createVerifier(
  pool: Pool,
  overrides: Partial<SharedVerifierOptions & UserPoolOptions> = {},
): TokenVerifier {
  const verifier = new TokenVerifier({
    userPoolId: pool.userPoolId,
    clientId: null,
    tokenUse: null,
    revocation: false,
    clock: () => NOW_SECONDS * 1000,
    jwksUri: NOWHERE,
    ...overrides,
  })
  verifier.cacheJwks(pool.jwks)
  return verifier
}

/** What `verifySync` says; anything thrown but an error of the library's with a code fails the test. */
export function judgeSync(verifier: Verifier, token: unknown): Verdict {
  try {
    verifier.verifySync(token as string)
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

/** The same of `verify`. */
export async function judge(verifier: Verifier, token: unknown): Promise<Verdict> {
  try {
    await verifier.verify(token as string)
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

/** What a refusal was; a promise that resolves fails the test. */
export async function refusalOf(verdict: Promise<unknown>): Promise<CognitoRevocationError> {
  try {
    await verdict
  } catch (error) {
    if (error instanceof CognitoRevocationError) return error
    throw error
  }
  throw new Error('it was accepted')
}

/** What an error of the library's says; any other fails the test. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof CognitoRevocationError && typeof error.code === 'string') return error.code
  throw error
}
