import { invalidParameter } from '../exceptions.js'
import type { Parameters } from '../parameters.js'
import { assertPool, type Pool } from '../pool.js'
import { randomSecret, type StoredSecret } from '../stored-secrets.js'

/** Adds a second secret to an app client that has one; its value is told only if it was made up here. */
export function addUserPoolClientSecret(pool: Pool, parameters: Parameters): object {
  const clientId = readClientId(pool, parameters)
  const own = parameters.optionalString('ClientSecret')
  if (own !== undefined && !/^[\w+]{24,64}$/.test(own)) {
    throw invalidParameter(
      "1 validation error detected: Value at 'clientSecret' failed to satisfy constraint: " +
        'Member must satisfy regular expression pattern: [\\w+]{24,64}',
    )
  }
  if (pool.clients.secretsOf(clientId).length === 0) {
    throw invalidParameter(`Client ${clientId} is not a confidential client`)
  }
  const value = own ?? randomSecret()
  const added = pool.clients.addSecret(clientId, value)
  return {
    ClientSecretDescriptor: {
      ...describe(added),
      ...(own === undefined ? { ClientSecretValue: value } : {}),
    },
  }
}

/** Tells of each secret all but its value. */
export function listUserPoolClientSecrets(pool: Pool, parameters: Parameters): object {
  return { ClientSecrets: pool.clients.secretsOf(readClientId(pool, parameters)).map(describe) }
}

export function deleteUserPoolClientSecret(pool: Pool, parameters: Parameters): object {
  const clientId = readClientId(pool, parameters)
  pool.clients.deleteSecret(clientId, parameters.string('ClientSecretId'))
  return {}
}

function readClientId(pool: Pool, parameters: Parameters): string {
  const [userPoolId, clientId] = [parameters.string('UserPoolId'), parameters.string('ClientId')]
  assertPool(pool, userPoolId)
  return pool.clients.get(clientId).clientId
}

function describe({ id, createdAt }: StoredSecret): object {
  return { ClientSecretId: id, ClientSecretCreateDate: createdAt / 1000 }
}
