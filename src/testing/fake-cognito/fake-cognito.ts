import { regionOf, TokenMinter } from '../token-minter.js'
import type { AppClientSettings, AppClientUpdate } from './app-client.js'
import { AppClients } from './app-clients.js'
import type { Conditions } from './conditions.js'
import { FakeClock } from './fake-clock.js'
import { FakeEndpoint } from './fake-endpoint.js'
import { FakeSignIns } from './fake-sign-ins.js'
import { type BrowserSignIn, type SignedInBrowser, signInByBrowser } from './hosted/browser.js'
import { HostedState } from './hosted/hosted-state.js'
import { cognitoIssuers, type Issuers, type IssuerType, loopbackIssuers } from './issuers.js'
import type { Pool } from './pool.js'
import { RefreshTokens } from './refresh-tokens.js'
import { type ReplicaOptions, replicaOf } from './replicas.js'
import { Sessions } from './sessions.js'
import { createSignIns, type SignInOptions } from './sign-ins.js'
import { type UserSettings, Users, type UserUpdate } from './users.js'

/** What {@link FakeCognito.start} and {@link FakeCognito.create} take. */
export interface FakeCognitoOptions extends SignInOptions, Conditions {
  /** Default `us-east-1_FakePool1`. Its part before the underscore is the region. */
  readonly userPoolId?: string
  /** Which of its two issuers the tokens carry. Default ORIGINAL. */
  readonly issuerType?: IssuerType
}

/**
 * A user pool to test against: what Amazon Cognito does with sign-ins, refreshes, revocations and sign-outs,
 * strictly and in its own protocol, so that the real AWS SDK can talk to it. It makes its keys afresh, keeps
 * everything in memory and listens on loopback only, or not at all.
 *
 * @example Over HTTP, with the AWS SDK:
 * ```ts
 * import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
 * import { FakeCognito } from 'cognito-revocation/testing'
 *
 * const cognito = await FakeCognito.start()
 * const { clientId } = cognito.createClient()
 * cognito.createUser({ username: 'jane', password: 'correct horse' })
 * const sdk = new CognitoIdentityProviderClient({
 *   endpoint: cognito.url,
 *   region: cognito.region,
 *   credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
 * })
 * // … and in the end:
 * await cognito.close()
 * ```
 *
 * @example Without a listener, behind msw:
 * ```ts
 * import { http } from 'msw'
 * import { setupServer } from 'msw/node'
 * import { FakeCognito } from 'cognito-revocation/testing'
 *
 * const cognito = await FakeCognito.create()
 * const server = setupServer(
 *   http.all('https://cognito-idp.us-east-1.amazonaws.com/*', ({ request }) => cognito.fetch(request)),
 * )
 * ```
 */
export class FakeCognito extends FakeSignIns {
  /** The pool's clock, which tests can move. */
  readonly clock: FakeClock
  /** Mints tokens with this pool's keys, for what no operation would give out. */
  readonly minter: TokenMinter

  readonly #pool: Pool
  readonly #replicas: FakeEndpoint[] = []

  private constructor(pool: Pool) {
    super(pool, regionOf(pool.userPoolId))
    this.#pool = pool
    this.clock = pool.clock
    this.minter = pool.minter
  }

  /** Makes a pool that listens on a free port of 127.0.0.1; its issuers are under {@link url}. */
  static async start(options: FakeCognitoOptions = {}): Promise<FakeCognito> {
    const cognito = await FakeCognito.create(options)
    await cognito.listen()
    const { issuers } = cognito.#pool
    Object.assign(issuers, loopbackIssuers(cognito.url, cognito.userPoolId))
    cognito.minter.issuer = issuers[options.issuerType ?? 'ORIGINAL']
    cognito.#pool.hosted.domain = cognito.url
    return cognito
  }

  /** Makes a pool that only answers {@link fetch}; its issuers are Cognito's own addresses for it. */
  static async create(options: FakeCognitoOptions = {}): Promise<FakeCognito> {
    const { userPoolId = 'us-east-1_FakePool1', issuerType = 'ORIGINAL' } = options
    const clock = new FakeClock()
    const region = regionOf(userPoolId)
    const issuers = cognitoIssuers(region, userPoolId)
    const [minter, refreshTokens] = await Promise.all([
      TokenMinter.create({ userPoolId, clock: clock.now, issuer: issuers[issuerType] }),
      RefreshTokens.create(),
    ])
    const cognito = new FakeCognito({
      userPoolId,
      issuers,
      isReplica: false,
      clock,
      minter,
      refreshTokens,
      clients: new AppClients(clock.now),
      signIns: createSignIns(userPoolId, clock.now, options),
      users: new Users(clock.now),
      sessions: new Sessions(clock.now, region),
      hosted: new HostedState(`https://cognito-idp.${region}.amazonaws.com`, clock.now),
    })
    cognito.setConditions(options)
    return cognito
  }

  /** Both forms of its `iss`; the keys are published under either. {@link issuer} is the one that tokens carry. */
  get issuers(): Readonly<Issuers> {
    return this.#pool.issuers
  }

  /** Where its hosted endpoints are: the `domain` for `CognitoTokenClient`. */
  get domain(): string {
    return this.#pool.hosted.domain
  }

  /**
   * Makes a secondary Region of the pool, as multi-Region replication has it: with the same users, app clients,
   * keys and sessions, but the end of a session is seen late from one Region in another. It answers what users
   * need to sign in, to refresh and to sign out; to all else it has OperationNotEnabledException. Of the hosted
   * endpoints it refuses POST /oauth2/revoke. It listens if the pool does, and is closed with it.
   *
   * @example
   * const replica = await cognito.createReplica({ region: 'eu-west-1', lagMs: 2_000 })
   * const sdk = new CognitoIdentityProviderClient({ endpoint: replica.url, region: replica.region, credentials })
   */
  async createReplica(options: ReplicaOptions): Promise<FakeEndpoint> {
    if (options.region === this.region) throw new TypeError(`region ${this.region} is the primary one`)
    const replica = new FakeEndpoint(replicaOf(this.#pool, options), options.region)
    this.#replicas.push(replica)
    if (this.isListening) await replica.listen()
    return replica
  }

  /** Adds an app client: public, unless it is given a secret. Of two secrets, the answer has the first. */
  createClient(settings: AppClientSettings = {}): { clientId: string; clientSecret?: string } {
    const { clientId, secrets } = this.#pool.clients.create(settings)
    const [clientSecret] = secrets
    return clientSecret === undefined ? { clientId } : { clientId, clientSecret }
  }

  /** Changes the settings that are given and no others. */
  updateClient(clientId: string, update: AppClientUpdate): void {
    this.#pool.clients.update(clientId, update)
  }

  /** Adds a user, confirmed and enabled unless told otherwise. */
  createUser(settings: UserSettings): { username: string; sub: string } {
    const { username, sub } = this.#pool.users.create(settings)
    return { username, sub }
  }

  /** Changes what is given of a user. Ends no session: only Cognito's operations do that. */
  updateUser(username: string, update: UserUpdate): void {
    this.#pool.users.update(username, update)
  }

  /**
   * Plays a browser that is sent to `/oauth2/authorize` and comes back to the app.
   *
   * @param url where the app sends it: what `client.oauth.authorizationUrl()` gives
   * @throws Error if it is not sent back to the app
   */
  authorize(url: string, signIn: BrowserSignIn): Promise<SignedInBrowser> {
    return signInByBrowser(this.fetch, url, signIn)
  }

  /** Makes new signing keys: tokens signed with the old ones are no longer valid anywhere. */
  rotateKeys(): Promise<void> {
    return this.minter.rotateKeys()
  }

  override async close(): Promise<void> {
    await Promise.all([super.close(), ...this.#replicas.map((replica) => replica.close())])
  }
}
