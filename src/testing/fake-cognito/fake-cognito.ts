import { regionOf, TokenMinter } from '../token-minter.js'
import type { AppClientSettings, AppClientUpdate } from './app-client.js'
import { AppClients } from './app-clients.js'
import { FakeClock } from './fake-clock.js'
import { FakeSignIns } from './fake-sign-ins.js'
import { type FaultOptions, Faults } from './faults.js'
import { type BrowserSignIn, type SignedInBrowser, signInByBrowser } from './hosted/browser.js'
import { HostedState } from './hosted/hosted-state.js'
import { LoopbackServer } from './http-server.js'
import type { Pool } from './pool.js'
import { RefreshTokens } from './refresh-tokens.js'
import { type Call, operationNames, RequestHandler } from './request-handler.js'
import { Sessions } from './sessions.js'
import { createSignIns, type SignInOptions } from './sign-ins.js'
import { type UserSettings, Users, type UserUpdate } from './users.js'

/** What {@link FakeCognito.start} and {@link FakeCognito.create} take. */
export interface FakeCognitoOptions extends SignInOptions {
  /** Default `us-east-1_FakePool1`. Its part before the underscore is the region. */
  readonly userPoolId?: string
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
  /** Answers a request to this pool, whatever its host; rejects where a connection is to break. */
  readonly fetch: (request: Request) => Promise<Response>

  readonly #pool: Pool
  readonly #handler: RequestHandler
  readonly #faults = new Faults()
  readonly #closing = new AbortController()
  #url: string
  #server: LoopbackServer | undefined

  private constructor(pool: Pool) {
    super(pool)
    this.#pool = pool
    this.clock = pool.clock
    this.minter = pool.minter
    this.#url = `https://cognito-idp.${this.region}.amazonaws.com`
    this.#handler = new RequestHandler(pool, this.#faults, this.#closing.signal)
    this.fetch = (request) => this.#handler.handle(request)
  }

  /** Makes a pool that listens on a free port of 127.0.0.1; its issuer is under {@link url}. */
  static async start(options: FakeCognitoOptions = {}): Promise<FakeCognito> {
    const cognito = await FakeCognito.create(options)
    cognito.#server = await LoopbackServer.listen(cognito.fetch)
    cognito.#url = cognito.#server.url
    cognito.#pool.hosted.domain = cognito.#url
    cognito.minter.issuer = `${cognito.#url}/${cognito.userPoolId}`
    return cognito
  }

  /** Makes a pool that only answers {@link fetch}; its issuer is Cognito's own address for it. */
  static async create(options: FakeCognitoOptions = {}): Promise<FakeCognito> {
    const { userPoolId = 'us-east-1_FakePool1' } = options
    const clock = new FakeClock()
    const [minter, refreshTokens] = await Promise.all([
      TokenMinter.create({ userPoolId, clock: clock.now }),
      RefreshTokens.create(),
    ])
    return new FakeCognito({
      userPoolId,
      clock,
      minter,
      refreshTokens,
      clients: new AppClients(clock.now),
      signIns: createSignIns(userPoolId, clock.now, options),
      users: new Users(clock.now),
      sessions: new Sessions(clock.now),
      hosted: new HostedState(`https://cognito-idp.${regionOf(userPoolId)}.amazonaws.com`, clock.now),
    })
  }

  /** Where it listens: the `endpoint` for the AWS SDK. */
  get url(): string {
    return this.#url
  }

  /** Where its hosted endpoints are: the `domain` for `CognitoTokenClient`. */
  get domain(): string {
    return this.#pool.hosted.domain
  }

  get userPoolId(): string {
    return this.#pool.userPoolId
  }

  get region(): string {
    return regionOf(this.#pool.userPoolId)
  }

  /** The `iss` of its tokens. */
  get issuer(): string {
    return this.minter.issuer
  }

  get jwksUri(): string {
    return `${this.#url}/${this.userPoolId}/.well-known/jwks.json`
  }

  /** Every request for an operation or a document of the pool, in the order of arrival. */
  get calls(): readonly Call[] {
    return this.#handler.calls
  }

  /** Adds an app client: public, unless it is given a secret. */
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

  /**
   * Makes the next request for an operation fail. The AWS SDK repeats what it holds for passing (throttling,
   * status 500, a broken connection) up to `maxAttempts` times, by default 3: its caller sees such a failure
   * only if `times` is as many.
   *
   * @param operation such as `RevokeToken`; `JWKS` and `OPENID_CONFIGURATION` are the pool's documents, and hosted
   *   endpoints go by method and path, such as `POST /oauth2/token`
   * @param exception an exception's name (OAuth's error at a hosted endpoint), or `socket hang up` to break the
   *   connection
   */
  failNext(operation: string, exception: string, options: FaultOptions = {}): void {
    assertOperation(operation)
    this.#faults.fail(operation, { ...options, exception })
  }

  /** Makes the answer to the next request for an operation late; the operation takes effect at once. */
  delayNext(operation: string, ms: number): void {
    assertOperation(operation)
    this.#faults.delay(operation, ms)
  }

  /** Forgets the failures and delays that were asked for and have not been played yet. */
  clearFaults(): void {
    this.#faults.clear()
  }

  /** Makes new signing keys: tokens signed with the old ones are no longer valid anywhere. */
  rotateKeys(): Promise<void> {
    return this.minter.rotateKeys()
  }

  /** Stops listening and breaks open connections. Can be called again. */
  async close(): Promise<void> {
    this.#closing.abort()
    const server = this.#server
    this.#server = undefined
    await server?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function assertOperation(operation: string): void {
  if (operationNames.has(operation)) return
  throw new TypeError(`operation must be one of ${[...operationNames].join(', ')}, but is ${operation}`)
}
