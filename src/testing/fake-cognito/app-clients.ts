import { randomBytes } from 'node:crypto'
import { withoutUndefined } from './defaults.js'
import { resourceNotFound } from './exceptions.js'

/** What an app client's `ExplicitAuthFlows` can hold. */
export type ExplicitAuthFlow =
  | 'ALLOW_USER_PASSWORD_AUTH'
  | 'ALLOW_ADMIN_USER_PASSWORD_AUTH'
  | 'ALLOW_REFRESH_TOKEN_AUTH'
  | 'ALLOW_USER_SRP_AUTH'
  | 'ALLOW_USER_AUTH'
  | 'ALLOW_CUSTOM_AUTH'

/** Refresh token rotation, as an app client's `RefreshTokenRotation` has it. */
export interface RefreshTokenRotation {
  readonly feature: 'ENABLED' | 'DISABLED'
  /** For how long a replaced refresh token can still be used: 0 (default) to 60. */
  readonly retryGracePeriodSeconds?: number
}

/** An app client's settings that can be changed after it was made. */
export interface AppClientUpdate {
  /** Default: the password flows, and ALLOW_REFRESH_TOKEN_AUTH where rotation is off. */
  readonly explicitAuthFlows?: readonly ExplicitAuthFlow[]
  /** Default true. */
  readonly enableTokenRevocation?: boolean
  /** Default 3600. Unlike Cognito, no least and no largest value, so that tests can be brief. */
  readonly accessTokenValiditySeconds?: number
  /** Default 3600. */
  readonly idTokenValiditySeconds?: number
  /** Default 30 days. */
  readonly refreshTokenValiditySeconds?: number
  /** Default disabled. */
  readonly refreshTokenRotation?: RefreshTokenRotation
  /** LEGACY (default) tells that a user does not exist, ENABLED hides it. */
  readonly preventUserExistenceErrors?: 'LEGACY' | 'ENABLED'
}

/** What {@link FakeCognito.createClient} takes. */
export interface AppClientSettings extends AppClientUpdate {
  /** Default: made up. */
  readonly clientId?: string
  /** Gives the client a secret that is made up. Default false. */
  readonly generateSecret?: boolean
  /** Gives the client this secret. */
  readonly clientSecret?: string
}

/** An app client with every setting filled in. */
export interface AppClient extends Required<AppClientUpdate> {
  readonly clientId: string
  /** None for a public client. Any of them is good: Cognito allows two, for rotation. */
  readonly secrets: readonly string[]
}

interface Registration {
  readonly client: AppClient
  readonly given: AppClientUpdate
}

const validities = [
  'accessTokenValiditySeconds',
  'idTokenValiditySeconds',
  'refreshTokenValiditySeconds',
] as const

/** The app clients of a pool. */
export class AppClients {
  readonly #registrations = new Map<string, Registration>()

  create(settings: AppClientSettings): AppClient {
    const { clientId = randomId(26), generateSecret = false, clientSecret, ...given } = settings
    if (this.#registrations.has(clientId)) throw new TypeError(`clientId ${clientId} is taken`)
    if (generateSecret && clientSecret !== undefined) {
      throw new TypeError('generateSecret and clientSecret exclude each other')
    }
    if (clientSecret === '') throw new TypeError('clientSecret must not be empty')
    const secret = generateSecret ? randomId(51) : clientSecret
    return this.#register(clientId, secret === undefined ? [] : [secret], given)
  }

  update(clientId: string, update: AppClientUpdate): void {
    const registration = this.#registrations.get(clientId)
    if (registration === undefined) throw new TypeError(`there is no app client ${clientId}`)
    this.#register(clientId, registration.client.secrets, {
      ...registration.given,
      ...withoutUndefined(update),
    })
  }

  /** The client of that id, for an operation that was asked for it. */
  get(clientId: string): AppClient {
    const client = this.find(clientId)
    if (client === undefined) throw resourceNotFound(`User pool client ${clientId} does not exist.`)
    return client
  }

  find(clientId: string): AppClient | undefined {
    return this.#registrations.get(clientId)?.client
  }

  // Defaults are laid on anew at each update, because the default flows depend on rotation.
  #register(clientId: string, secrets: readonly string[], given: AppClientUpdate): AppClient {
    const rotates = given.refreshTokenRotation?.feature === 'ENABLED'
    const client: AppClient = {
      explicitAuthFlows: [
        'ALLOW_USER_PASSWORD_AUTH',
        'ALLOW_ADMIN_USER_PASSWORD_AUTH',
        ...(rotates ? [] : ['ALLOW_REFRESH_TOKEN_AUTH' as const]),
      ],
      enableTokenRevocation: true,
      accessTokenValiditySeconds: 3600,
      idTokenValiditySeconds: 3600,
      refreshTokenValiditySeconds: 30 * 24 * 3600,
      refreshTokenRotation: { feature: 'DISABLED' },
      preventUserExistenceErrors: 'LEGACY',
      ...withoutUndefined(given),
      clientId,
      secrets,
    }
    assertSettings(client)
    this.#registrations.set(clientId, { client, given })
    return client
  }
}

function assertSettings(client: AppClient): void {
  for (const name of validities) {
    if (!Number.isInteger(client[name]) || client[name] < 1) {
      throw new TypeError(`${name} must be a whole number of seconds, 1 or more, but is ${client[name]}`)
    }
  }
  const { feature, retryGracePeriodSeconds = 0 } = client.refreshTokenRotation
  if (!(retryGracePeriodSeconds >= 0 && retryGracePeriodSeconds <= 60)) {
    throw new TypeError(
      `refreshTokenRotation.retryGracePeriodSeconds must be 0 to 60, but is ${retryGracePeriodSeconds}`,
    )
  }
  if (feature === 'ENABLED' && client.explicitAuthFlows.includes('ALLOW_REFRESH_TOKEN_AUTH')) {
    throw new TypeError(
      'explicitAuthFlows must be without ALLOW_REFRESH_TOKEN_AUTH where rotation is ENABLED',
    )
  }
}

/** Lower-case letters and digits, of which Cognito makes client ids and secrets. */
function randomId(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('')
}
