import { createHash, randomBytes } from 'node:crypto'
import { optionError } from '../options.js'

const VERIFIER = /^[\w.~-]{43,128}$/
const CHALLENGE = /^[\w-]{43}$/
/** 256 bits, as RFC 7636 (section 7.1) advises for the verifier. */
const RANDOM_BYTES = 32

/** What ties an authorization response to the browser that began the sign-in. For one sign-in only. */
export interface AuthorizationChecks {
  /** Comes back with the code: whoever did not begin the sign-in does not know it (RFC 6749, section 10.12). */
  readonly state: string
  /** Comes back in the ID token (OpenID Connect Core, section 3.1.2.1). */
  readonly nonce: string
  /** The secret of PKCE: never to the browser, but in a server-side session or an encrypted cookie. */
  readonly codeVerifier: string
  /** Its SHA-256, which goes with the authorization request (RFC 7636, S256). */
  readonly codeChallenge: string
}

/** Makes them afresh. */
export function createAuthorizationChecks(): AuthorizationChecks {
  const random = () => randomBytes(RANDOM_BYTES).toString('base64url')
  const codeVerifier = random()
  return { state: random(), nonce: random(), codeVerifier, codeChallenge: challengeOf(codeVerifier) }
}

/** The S256 challenge of a verifier; `plain` is not offered, since Cognito does not take it. */
export function challengeOf(codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier, 'ascii').digest('base64url')
}

/** @throws TypeError, which does not show it */
export function assertCodeVerifier(owner: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && VERIFIER.test(value)) return
  throw optionError(owner, 'codeVerifier', '43 to 128 letters, digits, or - . _ ~ (RFC 7636)')
}

/** @throws TypeError */
export function assertCodeChallenge(owner: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && CHALLENGE.test(value)) return
  throw optionError(owner, 'codeChallenge', 'the base64url of a SHA-256 (RFC 7636, S256)')
}
