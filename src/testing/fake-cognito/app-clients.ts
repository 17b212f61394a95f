import type { AppClient, AppClientSettings, AppClientSettingsOnWire, AppClientUpdate } from './app-client.js'
import { assertAppClient } from './app-client-rules.js'
import { changedOnWire, onWire } from './app-client-wire.js'
import { withoutUndefined } from './defaults.js'
import { resourceNotFound } from './exceptions.js'
import { noOAuth } from './oauth-client-settings.js'
import { newSecret, randomId, randomSecret, type StoredSecret, withoutSecret } from './stored-secrets.js'

interface Registration {
  readonly client: AppClient
  readonly given: AppClientUpdate
  readonly secrets: readonly StoredSecret[]
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
    const values = generateSecret ? [randomSecret()] : [clientSecret ?? []].flat()
    if (values.includes('')) throw new TypeError('clientSecret must not be empty')
    if (values.length > 2) throw new TypeError('clientSecret must be one secret or two')
    return this.#register(clientId, this.#storeSecrets(clientId, values), given)
  }

  /** Makes one of what a CreateUserPoolClient request says. */
  add(given: AppClientUpdate, wire: AppClientSettingsOnWire, generateSecret: boolean): AppClient {
    const clientId = randomId(26)
    const secrets = this.#storeSecrets(clientId, generateSecret ? [randomSecret()] : [])
    return this.#register(clientId, secrets, given, wire)
  }

  /** Replaces every setting by what an UpdateUserPoolClient request says. */
  replace(clientId: string, given: AppClientUpdate, wire: AppClientSettingsOnWire): AppClient {
    return this.#register(clientId, this.secretsOf(clientId), given, wire)
  }

  update(clientId: string, update: AppClientUpdate): void {
    const registration = this.#registrations.get(clientId)
    if (registration === undefined) throw new TypeError(`there is no app client ${clientId}`)
    const changes = withoutUndefined(update)
    const given = { ...registration.given, ...changes }
    const { wire } = registration.client
    this.#register(clientId, registration.secrets, given, (client) => ({
      ...wire,
      ...changedOnWire(client, changes),
    }))
  }

  /** The client of that id, for an operation that was asked for it. */
  get(clientId: string): AppClient {
    return this.#registrationOf(clientId).client
  }

  find(clientId: string): AppClient | undefined {
    return this.#registrations.get(clientId)?.client
  }

  /** A client's secrets with what is told of them, the eldest first. */
  secretsOf(clientId: string): readonly StoredSecret[] {
    return this.#registrationOf(clientId).secrets
  }

  addSecret(clientId: string, value: string): StoredSecret {
    const secrets = this.secretsOf(clientId)
    const added = newSecret(secrets, clientId, value, this.#now())
    this.#setSecrets(clientId, [...secrets, added])
    return added
  }

  deleteSecret(clientId: string, secretId: string): void {
    this.#setSecrets(clientId, withoutSecret(this.secretsOf(clientId), secretId))
  }

  #setSecrets(clientId: string, secrets: readonly StoredSecret[]): void {
    const registration = this.#registrationOf(clientId)
    const client = { ...registration.client, secrets: secrets.map(({ value }) => value) }
    this.#registrations.set(clientId, { ...registration, client, secrets })
  }

  #storeSecrets(clientId: string, values: readonly string[]): readonly StoredSecret[] {
    const secrets: StoredSecret[] = []
    for (const value of values) secrets.push(newSecret(secrets, clientId, value, this.#now()))
    return secrets
  }

  #registrationOf(clientId: string): Registration {
    const registration = this.#registrations.get(clientId)
    if (registration === undefined) throw resourceNotFound(`User pool client ${clientId} does not exist.`)
    return registration
  }

  // Defaults are laid on anew at each update, because the default flows depend on rotation.
  #register(
    clientId: string,
    secrets: readonly StoredSecret[],
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
      newOriginJtiOnRefresh: false,
      revokeTokenEndsSuccessors: true,
      ...withoutUndefined(given),
    }
    assertAppClient(settings)
    const modifiedAt = this.#now()
    const client: AppClient = {
      ...settings,
      clientId,
      secrets: secrets.map(({ value }) => value),
      wire: typeof wire === 'function' ? wire(settings) : wire,
      createdAt: this.find(clientId)?.createdAt ?? modifiedAt,
      modifiedAt,
    }
    this.#registrations.set(clientId, { client, given, secrets })
    return client
  }
}
