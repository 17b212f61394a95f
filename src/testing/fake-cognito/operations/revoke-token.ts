import { assertClientSecret } from '../client-secrets.js'
import { endByRefreshToken } from '../end-by-refresh-token.js'
import { CognitoException, invalidParameter, unauthorized } from '../exceptions.js'
import type { Parameters } from '../parameters.js'
import type { Pool } from '../pool.js'

/** Ends the session that a refresh token is of, and no other. */
export async function revokeToken(pool: Pool, parameters: Parameters): Promise<object> {
  const token = parameters.string('Token')
  const clientId = parameters.string('ClientId')
  const clientSecret = parameters.optionalString('ClientSecret')
  // LINKED changes nothing where session tracking is off, as it is here.
  const associated = parameters.optionalString('RevokeAssociatedSessions') ?? 'NONE'
  if (!['NONE', 'LINKED'].includes(associated))
    throw invalidParameter('RevokeAssociatedSessions is not known')
  const client = pool.clients.find(clientId)
  // This operation has neither ResourceNotFoundException nor NotAuthorizedException.
  if (client === undefined) throw unauthorized(`User pool client ${clientId} does not exist.`)
  assertClientSecret(client, clientSecret, unauthorized)
  if (!client.enableTokenRevocation) {
    throw new CognitoException(
      'UnsupportedOperationException',
      `Token revocation is not enabled for client ${clientId}`,
    )
  }
  const parts = token.split('.').length
  if (parts === 3) {
    throw new CognitoException('UnsupportedTokenTypeException', 'Only refresh tokens can be revoked')
  }
  if (parts !== 5) throw invalidParameter('Invalid Refresh Token.')
  const refreshToken = await pool.refreshTokens.open(token)
  if (refreshToken?.session.clientId !== clientId) throw unauthorized('Invalid Refresh Token.')
  endByRefreshToken(pool, client, refreshToken)
  return {}
}
