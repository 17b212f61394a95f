import type { AppClient } from './app-client.js'
import type { Pool } from './pool.js'
import type { Session } from './sessions.js'

/** `AuthenticationResult`, as every operation that gives out tokens returns it. */
export interface AuthenticationResult {
  readonly AccessToken: string
  readonly IdToken: string
  readonly RefreshToken?: string
  readonly ExpiresIn: number
  readonly TokenType: 'Bearer'
}

/** Mints a session's next access and ID token. */
export function mintTokens(
  pool: Pool,
  client: AppClient,
  session: Session,
  nonce?: string,
): AuthenticationResult {
  const { user } = session
  const iat = Math.floor(pool.clock.now() / 1000)
  const claims = {
    sub: user.sub,
    'cognito:groups': user.groups.length > 0 ? user.groups : undefined,
    event_id: session.eventId,
    auth_time: session.authTime,
    iat,
    // Where revocation is off, nothing in a token says which session it is of.
    ...(client.enableTokenRevocation
      ? { origin_jti: session.originJti }
      : { origin_jti: undefined, jti: undefined }),
  }
  return {
    AccessToken: pool.minter.accessToken({
      ...claims,
      device_key: session.device?.key,
      client_id: client.clientId,
      username: user.username,
      ...(session.scope === undefined ? {} : { scope: session.scope }),
      exp: iat + client.accessTokenValiditySeconds,
    }),
    IdToken: pool.minter.idToken({
      ...claims,
      aud: client.clientId,
      'cognito:username': user.username,
      nonce,
      email: user.email,
      email_verified: user.email === undefined ? undefined : true,
      phone_number: user.phoneNumber,
      phone_number_verified: user.phoneNumber === undefined ? undefined : true,
      exp: iat + client.idTokenValiditySeconds,
    }),
    ExpiresIn: client.accessTokenValiditySeconds,
    TokenType: 'Bearer',
  }
}
