import { createHmac } from 'node:crypto'

/** What a SECRET_HASH is made of. */
export interface SecretHashInput {
  /**
   * The USERNAME sent along, byte for byte; for REFRESH_TOKEN_AUTH the user's real username, as the access
   * token's `username` has it, never an alias.
   */
  readonly username: string
  readonly clientId: string
  readonly clientSecret: string
}

/**
 * SECRET_HASH for the app clients that have a secret: Base64(HMAC-SHA256(clientSecret, username + clientId)),
 * in UTF-8, 44 characters (Cognito developer guide, "Computing secret hash values").
 *
 * @example
 * import { computeSecretHash } from 'cognito-revocation/client'
 * const SECRET_HASH = computeSecretHash({ username, clientId, clientSecret })
 */
export function computeSecretHash({ username, clientId, clientSecret }: SecretHashInput): string {
  return createHmac('sha256', clientSecret)
    .update(username + clientId, 'utf8')
    .digest('base64')
}
