import {
  AddUserPoolClientSecretCommand,
  DeleteUserPoolClientSecretCommand,
  ListUserPoolClientSecretsCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CognitoError } from '../errors.js'
import { assertOptionalSignal, assertOptions, assertString, optionError } from '../options.js'
import type { CognitoApi } from './cognito-api.js'

/** What `listClientSecrets` takes. */
export interface ListClientSecretsInput {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** What `addClientSecret` takes. */
export interface AddClientSecretInput {
  /** One of your own, 24 to 64 letters, digits, `_` or `+`. Default: Cognito makes one up, which is better. */
  readonly clientSecret?: string
  /** Ends the call; it then rejects with the signal's reason, and whether a secret was added is unknown. */
  readonly signal?: AbortSignal
}

/** What `deleteClientSecret` takes. */
export interface DeleteClientSecretInput {
  /** As `addClientSecret` and `listClientSecrets` tell it. */
  readonly clientSecretId: string
  /** Ends the call; it then rejects with the signal's reason, and whether it took effect is unknown. */
  readonly signal?: AbortSignal
}

/** What Cognito tells of a secret of an app client: not its value. */
export interface ClientSecretInfo {
  /** `<client id>--<epoch milliseconds>`. */
  readonly clientSecretId: string
  /** Undefined if Cognito does not tell. */
  readonly createdAt: Date | undefined
}

/** A secret that was added. */
export interface AddedClientSecret extends ClientSecretInfo {
  /** Its value, where Cognito made it up. */
  readonly clientSecret?: string
}

/** AddUserPoolClientSecret. */
export async function addClientSecret(
  api: CognitoApi,
  input: AddClientSecretInput = {},
): Promise<AddedClientSecret> {
  assertOptions('addClientSecret', input, ['clientSecret', 'signal'])
  const { clientSecret: own, signal } = input
  if (own !== undefined && !(typeof own === 'string' && /^[\w+]{24,64}$/.test(own))) {
    throw optionError('addClientSecret', 'clientSecret', '24 to 64 letters, digits, "_" or "+"')
  }
  assertOptionalSignal('addClientSecret', signal)
  const command = new AddUserPoolClientSecretCommand({
    UserPoolId: api.userPoolId,
    ClientId: api.clientId,
    ...(own === undefined ? {} : { ClientSecret: own }),
  })
  const { ClientSecretDescriptor: added } = await api.call(
    'AddUserPoolClientSecret',
    (sdk, options) => sdk.send(command, options),
    { sensitive: [own], signal },
  )
  const info = toInfo('AddUserPoolClientSecret', added)
  if (own !== undefined) return info
  const { ClientSecretValue: clientSecret } = added ?? {}
  if (!clientSecret) {
    throw new CognitoError(
      `AddUserPoolClientSecret: Cognito's answer lacks the value of secret ${info.clientSecretId}: delete that`,
    )
  }
  return { ...info, clientSecret }
}

/** ListUserPoolClientSecrets, which gives all in one page: there are two at most. */
export async function listClientSecrets(
  api: CognitoApi,
  input: ListClientSecretsInput = {},
): Promise<readonly ClientSecretInfo[]> {
  assertOptions('listClientSecrets', input, ['signal'])
  assertOptionalSignal('listClientSecrets', input.signal)
  const command = new ListUserPoolClientSecretsCommand({
    UserPoolId: api.userPoolId,
    ClientId: api.clientId,
  })
  const { ClientSecrets: secrets = [] } = await api.call(
    'ListUserPoolClientSecrets',
    (sdk, options) => sdk.send(command, options),
    { signal: input.signal },
  )
  return secrets.map((secret) => toInfo('ListUserPoolClientSecrets', secret))
}

/** DeleteUserPoolClientSecret. */
export async function deleteClientSecret(api: CognitoApi, input: DeleteClientSecretInput): Promise<void> {
  assertOptions('deleteClientSecret', input, ['clientSecretId', 'signal'])
  const { clientSecretId, signal } = input
  assertString('deleteClientSecret', 'clientSecretId', clientSecretId)
  assertOptionalSignal('deleteClientSecret', signal)
  const command = new DeleteUserPoolClientSecretCommand({
    UserPoolId: api.userPoolId,
    ClientId: api.clientId,
    ClientSecretId: clientSecretId,
  })
  await api.call('DeleteUserPoolClientSecret', (sdk, options) => sdk.send(command, options), { signal })
}

/** Leaves out the value, whatever else Cognito may come to tell. */
function toInfo(
  operation: string,
  told: { ClientSecretId?: string | undefined; ClientSecretCreateDate?: Date | undefined } | undefined,
): ClientSecretInfo {
  if (!told?.ClientSecretId) {
    throw new CognitoError(`${operation}: Cognito's answer lacks the id of a client secret`)
  }
  return { clientSecretId: told.ClientSecretId, createdAt: told.ClientSecretCreateDate }
}
