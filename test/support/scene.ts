import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { CognitoTokenClient, type CognitoTokenClientOptions, type SignedIn } from '../../src/client/index.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { type AppClientSettings, FakeCognito, type FakeCognitoOptions } from '../../src/testing/index.js'
import { TokenVerifier } from '../../src/verifier.js'

/** A store in memory that takes down what is added, and fails when told to. */
class RecordingStore implements RevocationStore {
  readonly memory = new MemoryRevocationStore()
  readonly added: Revocation[] = []
  /** How many of the next calls of `add` fail. */
  failAdds = 0
  /** Called before each `add`: what was done at Cognito by then can be looked at. */
  beforeAdd: () => void = () => {}

  async add(revocations: readonly Revocation[]): Promise<void> {
    this.beforeAdd()
    if (this.failAdds > 0) {
      this.failAdds -= 1
      throw new Error('the store is down')
    }
    this.added.push(...revocations)
    await this.memory.add(revocations)
  }

  find: RevocationStore['find'] = (token) => this.memory.find(token)
}

/** The settings of an app client that allows every flow. */
export const EVERY_FLOW: AppClientSettings = {
  explicitAuthFlows: [
    ...(['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH', 'ALLOW_USER_SRP_AUTH'] as const),
    ...(['ALLOW_USER_AUTH', 'ALLOW_CUSTOM_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] as const),
  ],
}

export type Session = SignedIn & { readonly username: string }

/** A Cognito, a user, an app client, a store, and a verifier that shares it: what a test plays with. */
export class Scene {
  readonly cognito: FakeCognito
  readonly store = new RecordingStore()
  readonly app: { readonly clientId: string; readonly clientSecret?: string }
  readonly client: CognitoTokenClient
  readonly verifier: TokenVerifier
  readonly user: { readonly username: string; readonly password: string; readonly sub: string }

  constructor(
    cognito: FakeCognito,
    settings: AppClientSettings = {},
    options: Partial<CognitoTokenClientOptions> = {},
  ) {
    this.cognito = cognito
    this.app = cognito.createClient(settings)
    this.client = this.createClient(options)
    this.verifier = new TokenVerifier({
      userPoolId: cognito.userPoolId,
      issuer: cognito.issuer,
      clientId: this.app.clientId,
      tokenUse: null,
      revocation: this.store,
      clock: cognito.clock.now,
    })
    this.user = this.createUser()
    this.#seen = cognito.calls.length
  }

  /** A client of this scene's app client, which tries each call once: what retries repair could not be seen. */
  createClient(options: Partial<CognitoTokenClientOptions> = {}): CognitoTokenClient {
    const sdk = new CognitoIdentityProviderClient({
      region: this.cognito.region,
      endpoint: this.cognito.url,
      credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
      maxAttempts: 1,
    })
    return new CognitoTokenClient({
      userPoolId: this.cognito.userPoolId,
      issuer: this.cognito.issuer,
      domain: this.cognito.domain,
      sdk,
      clock: this.cognito.clock.now,
      store: this.store,
      ...this.app,
      ...options,
    })
  }

  createUser() {
    const username = `user-${crypto.randomUUID()}`
    const password = `password-${crypto.randomUUID()}`
    return { password, ...this.cognito.createUser({ username, password, email: `${username}@example.com` }) }
  }

  async signIn({ username, password } = this.user, client = this.client): Promise<Session> {
    const result = await client.signIn({ username, password })
    if (result.status !== 'authenticated') throw new Error(`unexpected ${result.status}`)
    return result as Session
  }

  /** Whether the verifier takes both tokens of a session, refuses both as revoked, or anything else. */
  async judge(session: Pick<Session, 'accessToken' | 'idToken'>): Promise<string> {
    const verdicts = await Promise.all(
      [session.accessToken, session.idToken].map((token) =>
        this.verifier.verify(token).then(
          () => 'accepted',
          (error) => error.code as string,
        ),
      ),
    )
    return [...new Set(verdicts)].join(' and ')
  }

  /** The operations that Cognito was asked for in this scene, or since the last time; documents left out. */
  takeCalls(): string[] {
    const calls = this.cognito.calls.slice(this.#seen).map(({ operation }) => operation)
    this.#seen = this.cognito.calls.length
    return calls.filter((operation) => operation !== 'JWKS')
  }
  #seen: number
}

/** Starts a FakeCognito for the tests of a file, and gives each test a scene of its own in it. */
export function useScene(pool: FakeCognitoOptions = {}) {
  let cognito: FakeCognito
  beforeAll(async () => {
    cognito = await FakeCognito.start(pool)
  })
  afterEach(() => {
    cognito.clock.set(Date.now())
    cognito.clearFaults()
  })
  afterAll(() => cognito.close())
  return (settings?: AppClientSettings, options?: Partial<CognitoTokenClientOptions>) =>
    new Scene(cognito, settings, options)
}

/** What an action throws. */
export async function thrownBy(action: () => Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await action()
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('nothing was thrown')
}
