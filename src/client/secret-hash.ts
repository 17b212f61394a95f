import { createHmac } from 'node:crypto'
import { assertInput, assertString } from '../options.js'

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
 * @throws TypeError naming the input that is none
 * @example
 * import { computeSecretHash } from 'cognito-revocation/client'
 * const SECRET_HASH = computeSecretHash({ username, clientId, clientSecret })
 */
export function computeSecretHash(input: SecretHashInput): string {
  const owner = 'computeSecretHash'
  assertInput(owner, input)
  const { username, clientId, clientSecret } = input
  assertString(owner, 'username', username)
  assertString(owner, 'clientId', clientId)
  assertString(owner, 'clientSecret', clientSecret)
  return createHmac('sha256', clientSecret)
    .update(username + clientId, 'utf8')
    .digest('base64')
}
