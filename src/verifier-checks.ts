import { CognitoRevocationError, TokenNotRevocableError, TokenRevokedError } from './errors.js'
import { isPromise } from './is-promise.js'
import type { RevocationMatch } from './revocation/revocation.js'
import { claimError, isMachineToken } from './tokens/claims.js'
import type { AuthenticToken } from './tokens/token-authenticator.js'
import type { UserPool } from './verifier-options.js'

/** A token whose signature is good. */
export type Authentic = AuthenticToken<UserPool>

/** The owner's own check; a promise where it is asynchronous. */
export function runCustomCheck({ issuer, header, claims, key }: Authentic): Promise<void> | undefined {
  const { customJwtCheck } = issuer.rules
  if (customJwtCheck === undefined) return undefined
  const refuse = (cause: unknown): never => {
    if (cause instanceof CognitoRevocationError) throw cause
    throw claimError('customJwtCheck', 'refused', 'customJwtCheck to accept the token', { cause })
  }
  const judge = (result: unknown) => {
    if (result === false) refuse(new Error('customJwtCheck gave false'))
  }
  try {
    const result: unknown = customJwtCheck({ header, payload: claims, jwk: key.jwk })
    return isPromise(result) ? Promise.resolve(result).then(judge).catch(refuse) : void judge(result)
  } catch (cause) {
    return refuse(cause)
  }
}

/** @throws TokenNotRevocableError where no session could be revoked */
export function assertRevocable({ claims, identity, issuer }: Authentic): void {
  if (identity.originJti !== undefined || issuer.rules.allowUnrevocable || isMachineToken(claims)) return
  throw new TokenNotRevocableError(
    'The token has no origin_jti, so its session could not be revoked. Turn on EnableTokenRevocation for the app client, or set allowUnrevocable: true',
  )
}

/** @throws TokenRevokedError */
export function assertNotRevoked(match: RevocationMatch | undefined): void {
  if (match !== undefined)
    throw new TokenRevokedError(`The token has been revoked, by ${match.scope}`, match.scope)
}
