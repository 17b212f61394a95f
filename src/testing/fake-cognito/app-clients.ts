import { randomBytes } from 'node:crypto'
import type { AppClient, AppClientSettings, AppClientSettingsOnWire, AppClientUpdate } from './app-client.js'
import { assertAppClient } from './app-client-rules.js'
import { changedOnWire, onWire } from './app-client-wire.js'
import { withoutUndefined } from './defaults.js'
import { resourceNotFound } from './exceptions.js'
import { noOAuth } from './oauth-client-settings.js'

interface Registration {
  readonly client: AppClient
  readonly given: AppClientUpdate
}

/** The app clients of a pool. */
export class AppClients {
  readonly #registrations = new Map<string, Registration>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

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

  /** Makes one of what a CreateUserPoolClient request says. */
  add(given: AppClientUpdate, wire: AppClientSettingsOnWire, generateSecret: boolean): AppClient {
    return this.#register(randomId(26), generateSecret ? [randomId(51)] : [], given, wire)
  }

  /** Replaces every setting by what an UpdateUserPoolClient request says. */
  replace(clientId: string, given: AppClientUpdate, wire: AppClientSettingsOnWire): AppClient {
    return this.#register(clientId, this.get(clientId).secrets, given, wire)
  }

  update(clientId: string, update: AppClientUpdate): void {
    const registration = this.#registrations.get(clientId)
    if (registration === undefined) throw new TypeError(`there is no app client ${clientId}`)
    const changes = withoutUndefined(update)
    const given = { ...registration.given, ...changes }
    const { secrets, wire } = registration.client
    this.#register(clientId, secrets, given, (client) => ({ ...wire, ...changedOnWire(client, changes) }))
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
  #register(
    clientId: string,
    secrets: readonly string[],
    given: AppClientUpdate,
    wire: AppClientSettingsOnWire | ((client: Required<AppClientUpdate>) => AppClientSettingsOnWire) = onWire,
  ): AppClient {
    const rotates = given.refreshTokenRotation?.feature === 'ENABLED'
    const settings: Required<AppClientUpdate> = {
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
      clientName: 'app client',
      preventUserExistenceErrors: 'LEGACY',
      oauth: noOAuth,
      newerSettings: {},
      ...withoutUndefined(given),
    }
    assertAppClient(settings)
    const modifiedAt = this.#now()
    const client: AppClient = {
      ...settings,
      clientId,
      secrets,
      wire: typeof wire === 'function' ? wire(settings) : wire,
      createdAt: this.find(clientId)?.createdAt ?? modifiedAt,
      modifiedAt,
    }
    this.#registrations.set(clientId, { client, given })
    return client
  }
}

/** Lower-case letters and digits, of which Cognito makes client ids and secrets. */
function randomId(length: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('')
}
