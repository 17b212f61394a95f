import type { AppClient } from '../app-client.js'
import { readAppClientRequest } from '../app-client-request.js'
import { describeOnWire, keepSent } from '../app-client-wire.js'
import type { Parameters } from '../parameters.js'
import { assertPool, type Pool } from '../pool.js'

/** Tells an app client's settings, its secret among them. */
export function describeUserPoolClient(pool: Pool, parameters: Parameters): object {
  return answer(pool, clientOf(pool, parameters))
}

/** Replaces an app client's settings: what is left out becomes what it is by default. Only the name stays. */
export function updateUserPoolClient(pool: Pool, parameters: Parameters): object {
  const { clientId, clientName, secrets, newerSettings, ...client } = clientOf(pool, parameters)
  const { newOriginJtiOnRefresh, revokeTokenEndsSuccessors } = client
  const name = parameters.optionalString('ClientName') ?? clientName
  const { given, wire } = readAppClientRequest(parameters, name, secrets.length > 0)
  const kept = keepSent(newerSettings, (field) => parameters.raw(field))
  const played = { newerSettings: kept, newOriginJtiOnRefresh, revokeTokenEndsSuccessors }
  return answer(pool, pool.clients.replace(clientId, { ...given, ...played }, wire))
}

/** Makes an app client, with Cognito's defaults for what is left out. */
export function createUserPoolClient(pool: Pool, parameters: Parameters): object {
  assertPool(pool, parameters.string('UserPoolId'))
  const generateSecret = parameters.optionalBoolean('GenerateSecret') ?? false
  const { given, wire } = readAppClientRequest(parameters, parameters.string('ClientName'), generateSecret)
  return answer(pool, pool.clients.add(given, wire, generateSecret))
}

function clientOf(pool: Pool, parameters: Parameters): AppClient {
  const [userPoolId, clientId] = [parameters.string('UserPoolId'), parameters.string('ClientId')]
  assertPool(pool, userPoolId)
  return pool.clients.get(clientId)
}

function answer(pool: Pool, client: AppClient): object {
  return { UserPoolClient: describeOnWire(pool.userPoolId, client) }
}
