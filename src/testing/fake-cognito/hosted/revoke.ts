import { endByRefreshToken } from '../end-by-refresh-token.js'
import type { Pool } from '../pool.js'
import { authenticateClient } from './client-authentication.js'
import { type HostedRequest, required } from './hosted-request.js'
import { OAuthRefusal } from './oauth-refusal.js'

/** POST /oauth2/revoke: ends the session of a refresh token. Of a token that is none, it says no more than of one that is revoked. */
export async function revoke(pool: Pool, request: HostedRequest): Promise<Response> {
  const client = authenticateClient(pool, request, 401)
  const token = required(request.parameters, 'token')
  if (!client.enableTokenRevocation) throw new OAuthRefusal('invalid_request')
  if (token.split('.').length === 3) throw new OAuthRefusal('unsupported_token_type')
  const refreshToken = await pool.refreshTokens.open(token)
  if (refreshToken?.session.clientId === client.clientId) endByRefreshToken(pool, client, refreshToken)
  return new Response(null, { status: 200 })
}
