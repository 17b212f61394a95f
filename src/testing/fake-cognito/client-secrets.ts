import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { AppClient } from './app-client.js'
import { type CognitoException, notAuthorized } from './exceptions.js'

/** Refuses a request without SECRET_HASH for a client with a secret, before the username is known. */
export function assertSecretHashPresence(client: AppClient, received: string | undefined): void {
  if (client.secrets.length > 0 && received === undefined) {
    throw notAuthorized(
      `Client ${client.clientId} is configured with secret but SECRET_HASH was not received`,
    )
  }
}

/** Refuses a SECRET_HASH that is missing, wrong, or sent for a client without a secret. */
export function assertSecretHash(client: AppClient, username: string, received: string | undefined): void {
  assertSecretHashPresence(client, received)
  if (received === undefined) return
  const matches = client.secrets.map((secret) =>
    equalSecrets(
      received,
      createHmac('sha256', secret)
        .update(username + client.clientId)
        .digest('base64'),
    ),
  )
  if (!matches.includes(true)) throw secretHashMismatch(client)
}

/**
 * Refuses a raw client secret that is missing, wrong, or sent for a client without one.
 *
 * @param refuse makes the exception, since operations differ in the one that they have for this
 */
export function assertClientSecret(
  client: AppClient,
  received: string | undefined,
  refuse: (message: string) => CognitoException,
): void {
  if (client.secrets.length === 0 && received === undefined) return
  if (received === undefined) {
    throw refuse(`Client ${client.clientId} is configured with secret but secret was not received`)
  }
  if (!client.secrets.map((secret) => equalSecrets(received, secret)).includes(true)) {
    throw refuse(`Unable to verify secret for client ${client.clientId}`)
  }
}

/** Compares in a time that tells neither where two secrets differ nor how long they are. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}

function secretHashMismatch(client: AppClient): CognitoException {
  return notAuthorized(`Unable to verify secret hash for client ${client.clientId}`)
}
