import { CognitoError } from '../errors.js'
import { type CognitoAccessTokenClaims, type CognitoIdTokenClaims, claimError } from '../tokens/claims.js'
import type { TokenVerifier } from '../verifier.js'
import type { CognitoApi } from './cognito-api.js'
import type { TokenAnswer } from './oauth-protocol.js'
import { type SessionTokens, toSessionTokens } from './session-tokens.js'

/** Tokens that an authorization code was exchanged for. */
export interface OAuthTokens extends SessionTokens {
  readonly refreshToken: string
  /** What the access token may be used for. */
  readonly scopes: readonly string[]
}

/** What tokens say that were found good. */
export interface VerifiedTokens {
  readonly access: CognitoAccessTokenClaims
  readonly id: CognitoIdTokenClaims | undefined
}

/** @throws CognitoError if it lacks what it must have */
export function readTokens(api: CognitoApi, answer: TokenAnswer): SessionTokens {
  return toSessionTokens(api, 'POST /oauth2/token', {
    AccessToken: answer.access_token,
    IdToken: answer.id_token,
    RefreshToken: answer.refresh_token,
    ExpiresIn: answer.expires_in,
    TokenType: 'Bearer',
  })
}

/**
 * Verifies both tokens: signature, issuer, app client, time and revocation; and that they are of one session.
 *
 * @throws what `TokenVerifier.verify` throws
 */
export async function verifyTokens(
  verifier: TokenVerifier,
  { accessToken, idToken }: SessionTokens,
): Promise<VerifiedTokens> {
  const access = await verifier.verify(accessToken)
  if (access.token_use !== 'access') throw claimError('token_use', access.token_use, 'access')
  if (idToken === undefined) return { access, id: undefined }
  const id = await verifier.verify(idToken)
  if (id.token_use !== 'id') throw claimError('token_use', id.token_use, 'id')
  if (id.sub !== access.sub || id.origin_jti !== access.origin_jti) {
    throw new CognitoError("POST /oauth2/token: Cognito's access and ID token are not of one session")
  }
  return { access, id }
}

/** Out of a `scope` claim. */
export function scopesOf(scope: string | undefined): readonly string[] {
  return (scope ?? '').split(' ').filter((each) => each !== '')
}
