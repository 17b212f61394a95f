import { randomBytes } from 'node:crypto'
import { CognitoException, invalidParameter, resourceNotFound } from './exceptions.js'

/** A secret of an app client. */
export interface StoredSecret {
  /** `<client id>--<epoch milliseconds>`. */
  readonly id: string
  readonly value: string
  /** Epoch milliseconds. */
  readonly createdAt: number
}

/** Cognito allows as many for one app client. */
const maxSecrets = 2

/** Another secret for an app client that has these. */
export function newSecret(
  secrets: readonly StoredSecret[],
  clientId: string,
  value: string,
  now: number,
): StoredSecret {
  if (secrets.length >= maxSecrets) {
    throw new CognitoException(
      'LimitExceededException',
      `Client ${clientId} has the maximum number of secrets`,
    )
  }
  let createdAt = Math.floor(now)
  // Two of one millisecond are still two.
  while (secrets.some((secret) => secret.createdAt === createdAt)) createdAt += 1
  return { id: `${clientId}--${createdAt}`, value, createdAt }
}

/** The secrets without that one. */
export function withoutSecret(secrets: readonly StoredSecret[], secretId: string): readonly StoredSecret[] {
  if (!secrets.some(({ id }) => id === secretId)) {
    throw resourceNotFound(`Client secret ${secretId} does not exist.`)
  }
  if (secrets.length === 1) throw invalidParameter('The last client secret can not be deleted')
  return secrets.filter(({ id }) => id !== secretId)
}

/** Lower-case letters and digits, of which Cognito makes client ids and secrets. */
export function randomId(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('')
}

/** A secret as Cognito makes one up. */
export function randomSecret(): string {
  return randomId(51)
}
