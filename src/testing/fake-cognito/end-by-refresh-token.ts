import type { AppClient } from './app-client.js'
import type { Pool } from './pool.js'
import type { RefreshToken } from './refresh-tokens.js'

/** Revokes a refresh token, as RevokeToken and POST /oauth2/revoke do: as a rule, with its session. */
export function endByRefreshToken(pool: Pool, client: AppClient, refreshToken: RefreshToken): void {
  const isReplaced = refreshToken.replacedAtMs !== undefined
  if (isReplaced && !client.revokeTokenEndsSuccessors) refreshToken.isRevoked = true
  else pool.sessions.revoke(refreshToken.session)
}
