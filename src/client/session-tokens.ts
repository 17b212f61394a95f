import type { AuthenticationResultType } from '@aws-sdk/client-cognito-identity-provider'
import { CognitoError } from '../errors.js'
import { type CognitoClaims, readClaims } from '../tokens/claims.js'
import { parseCompactJws } from '../tokens/compact-jws.js'

/** The tokens of a session, as Cognito gave them. */
export interface SessionTokens {
  readonly accessToken: string
  readonly idToken: string | undefined
  /** The refresh token to use from now on; undefined if Cognito gave none. */
  readonly refreshToken: string | undefined
  /** For how long the access token is valid, in seconds. */
  readonly expiresInSeconds: number
  readonly tokenType: string
  /** The user's real username, which REFRESH_TOKEN_AUTH needs if the app client has a secret. */
  readonly username: string | undefined
}

/**
 * Reads Cognito's answer.
 *
 * @throws CognitoError if it lacks what it must have
 */
export function toSessionTokens(
  operation: string,
  result: AuthenticationResultType | undefined,
): SessionTokens {
  const { AccessToken, IdToken, RefreshToken, ExpiresIn, TokenType } = result ?? {}
  if (!AccessToken) throw new CognitoError(`${operation}: Cognito's answer has no access token`)
  const username = claimsFromCognito(AccessToken)?.username
  return {
    accessToken: AccessToken,
    idToken: IdToken,
    refreshToken: RefreshToken,
    expiresInSeconds: ExpiresIn ?? 0,
    tokenType: TokenType ?? 'Bearer',
    username: typeof username === 'string' ? username : undefined,
  }
}

/**
 * The claims of a token that Cognito itself has just given, over TLS, which stands for its signature
 * (OpenID Connect Core, section 3.1.3.7, number 6). Undefined if it is none that this library can read.
 */
export function claimsFromCognito(token: string): CognitoClaims | undefined {
  try {
    return readClaims(parseCompactJws(token).payload)
  } catch {
    return undefined
  }
}
