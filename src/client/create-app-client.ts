import {
  CreateUserPoolClientCommand,
  type CreateUserPoolClientCommandInput,
  type ExplicitAuthFlowsType,
} from '@aws-sdk/client-cognito-identity-provider'
import { CognitoConfigurationError, CognitoError } from '../errors.js'
import {
  assertOptionalBoolean,
  assertOptionalSignal,
  assertOptions,
  assertString,
  optionError,
} from '../options.js'
import { CARRIED_FIELDS } from './app-client-settings.js'
import type { CognitoApi } from './cognito-api.js'

/** What `createAppClient` settles itself. */
const OWN_FIELDS = ['UserPoolId', 'ClientId', 'ClientName', 'EnableTokenRevocation'] as const
const SETTINGS: readonly string[] = CARRIED_FIELDS.filter((name) => !OWN_FIELDS.some((own) => own === name))

/** Settings of a new app client, by the names that CreateUserPoolClient has for them. */
export type NewAppClientSettings = Omit<
  CreateUserPoolClientCommandInput,
  (typeof OWN_FIELDS)[number] | 'GenerateSecret' | 'ClientSecret'
>

export interface CreateAppClientInput {
  /** 1 to 128 characters. Cognito does not mind two app clients of one name. */
  readonly clientName: string
  /** Give it a client secret: for servers, never for browsers and apps. Default false, as Cognito's. */
  readonly generateSecret?: boolean
  /**
   * Its other settings, such as CallbackURLs. Default: ExplicitAuthFlows ALLOW_USER_PASSWORD_AUTH and, unless
   * rotation is ENABLED, ALLOW_REFRESH_TOKEN_AUTH; PreventUserExistenceErrors ENABLED; else Cognito's.
   */
  readonly settings?: NewAppClientSettings
  /** Ends the call; it then rejects with the signal's reason, and whether an app client was made is unknown. */
  readonly signal?: AbortSignal
}

/** A new app client. */
export interface CreatedAppClient {
  readonly clientId: string
  /** Where one was asked for. */
  readonly clientSecret?: string
}

/** CreateUserPoolClient with token revocation on. */
export async function createAppClient(
  api: CognitoApi,
  input: CreateAppClientInput,
): Promise<CreatedAppClient> {
  assertOptions('createAppClient', input, ['clientName', 'generateSecret', 'settings', 'signal'])
  const { clientName, generateSecret = false, settings = {}, signal } = input
  assertString('createAppClient', 'clientName', clientName)
  assertOptionalBoolean('createAppClient', 'generateSecret', generateSecret)
  assertOptionalSignal('createAppClient', signal)
  if (typeof settings !== 'object' || settings === null) {
    throw optionError('createAppClient', 'settings', 'an object', settings)
  }
  assertOptions('createAppClient: settings', settings, SETTINGS)
  const command = new CreateUserPoolClientCommand({
    ExplicitAuthFlows: defaultFlows(settings),
    PreventUserExistenceErrors: 'ENABLED',
    ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
    UserPoolId: api.userPoolId,
    ClientName: clientName,
    GenerateSecret: generateSecret,
    EnableTokenRevocation: true,
  })
  const { UserPoolClient: created } = await api.call(
    'CreateUserPoolClient',
    (sdk, options) => sdk.send(command, options),
    { signal },
  )
  const { ClientId: clientId, ClientSecret: clientSecret } = created ?? {}
  if (!clientId) throw new CognitoError("CreateUserPoolClient: Cognito's answer has no client id")
  if (created?.EnableTokenRevocation !== true) {
    throw new CognitoConfigurationError(
      `CreateUserPoolClient: app client ${clientId} is there, but its token revocation is not on: turn it on, ` +
        'or delete the app client',
    )
  }
  if (!generateSecret) return { clientId }
  if (!clientSecret) {
    throw new CognitoError(`CreateUserPoolClient: Cognito's answer has no secret for app client ${clientId}`)
  }
  return { clientId, clientSecret }
}

/** What `signIn` and `refresh` need. Where tokens rotate, Cognito refuses REFRESH_TOKEN_AUTH. */
function defaultFlows({ RefreshTokenRotation }: NewAppClientSettings): ExplicitAuthFlowsType[] {
  const rotates = RefreshTokenRotation?.Feature === 'ENABLED'
  return rotates ? ['ALLOW_USER_PASSWORD_AUTH'] : ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH']
}
