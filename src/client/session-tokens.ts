import type { AuthenticationResultType } from '@aws-sdk/client-cognito-identity-provider'
import { CognitoConfigurationError, CognitoError } from '../errors.js'
import { type CognitoClaims, readClaims } from '../tokens/claims.js'
import { parseCompactJws } from '../tokens/compact-jws.js'
import type { CognitoApi } from './cognito-api.js'

/** The tokens of a session, as Cognito gave them. */
export interface SessionTokens {
  readonly accessToken: string
  readonly idToken: string | undefined
  /** The refresh token to use from now on; undefined if Cognito gave none. */
  readonly refreshToken: string | undefined
  /** For how long the access token is valid, in seconds. */
  readonly expiresInSeconds: number
  /** When the access token expires, in epoch seconds: its `exp`. */
  readonly expiresAt: number
  readonly tokenType: string
  /** The user's real username, which REFRESH_TOKEN_AUTH needs if the app client has a secret. */
  readonly username: string | undefined
  /** The user's `sub`, by which `Revoker.revokeUser` and `adminGlobalSignOut` know the user. */
  readonly sub: string | undefined
}

/**
 * Reads Cognito's answer.
 *
 * @throws CognitoError if it lacks what it must have, or its access token cannot be read
 * @throws CognitoConfigurationError if its tokens are another user pool's: most operations name the app client only,
 *   and what is recorded under a wrong pool stops nothing
 */
export function toSessionTokens(
  api: Pick<CognitoApi, 'userPoolId' | 'issuers'>,
  operation: string,
  result: AuthenticationResultType | undefined,
): SessionTokens {
  const { AccessToken, IdToken, RefreshToken, ExpiresIn, TokenType } = result ?? {}
  if (!AccessToken) throw new CognitoError(`${operation}: Cognito's answer has no access token`)
  const claims = claimsFromCognito(AccessToken)
  if (claims === undefined) throw new CognitoError(`${operation}: Cognito's access token cannot be read`)
  for (const { iss } of [claims, (IdToken && claimsFromCognito(IdToken)) || claims]) {
    if (api.issuers.includes(iss)) continue
    throw new CognitoConfigurationError(
      `${operation}: Cognito's tokens are of ${iss}, but userPoolId is ${api.userPoolId}: check userPoolId (and issuer, for an emulator)`,
    )
  }
  return {
    accessToken: AccessToken,
    idToken: IdToken,
    refreshToken: RefreshToken,
    expiresInSeconds: ExpiresIn ?? 0,
    expiresAt: claims.exp,
    tokenType: TokenType ?? 'Bearer',
    username: typeof claims.username === 'string' ? claims.username : undefined,
    sub: claims.sub,
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
