import { type Conditions, StandingFaults } from './conditions.js'
import { type FaultOptions, Faults } from './faults.js'
import { LoopbackServer } from './http-server.js'
import type { Pool } from './pool.js'
import { type Call, operationNames, RequestHandler } from './request-handler.js'

/** One Region's endpoint of a user pool: answers requests, as well or as badly as it is told to. */
export class FakeEndpoint {
  /** Answers a request to this pool, whatever its host; rejects where a connection is to break. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Its AWS Region. */
  readonly region: string

  readonly #pool: Pool
  readonly #handler: RequestHandler
  readonly #faults = new Faults()
  readonly #closing = new AbortController()
  #url: string
  #server: LoopbackServer | undefined

  /** @internal */
  constructor(pool: Pool, region: string) {
    this.#pool = pool
    this.region = region
    this.#url = `https://cognito-idp.${region}.amazonaws.com`
    this.#handler = new RequestHandler(pool, this.#faults, this.#closing.signal)
    this.fetch = (request) => this.#handler.handle(request)
  }

  /** @internal Listens on a free port of 127.0.0.1. */
  async listen(): Promise<void> {
    this.#server = await LoopbackServer.listen(this.fetch)
    this.#url = this.#server.url
  }

  /** Where it listens: the `endpoint` for the AWS SDK. */
  get url(): string {
    return this.#url
  }

  /** Whether it listens, and is not only answering {@link fetch}. */
  protected get isListening(): boolean {
    return this.#server !== undefined
  }

  get userPoolId(): string {
    return this.#pool.userPoolId
  }

  /** The `iss` of the tokens that it gives out. */
  get issuer(): string {
    return this.#pool.minter.issuer
  }

  get jwksUri(): string {
    return `${this.#url}/${this.userPoolId}/.well-known/jwks.json`
  }

  /** Every request for an operation or a document of the pool, in the order of arrival. */
  get calls(): readonly Call[] {
    return this.#handler.calls
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

  /**
   * Says what befalls every request from now on for which no failure or delay was asked for: quotas, latency,
   * failures at random. Those that were said before are forgotten, and so are the counts; `{}` is fair weather.
   *
   * @example
   * cognito.setConditions({ quotas: { UserUpdate: 25 }, latencyMs: [20, 80], faultRate: 0.05, seed: 1 })
   */
  setConditions(conditions: Conditions): void {
    if (typeof conditions.latencyMs === 'object' && !Array.isArray(conditions.latencyMs)) {
      for (const operation of Object.keys(conditions.latencyMs)) assertOperation(operation)
    }
    this.#faults.standing = new StandingFaults(conditions, this.#pool.clock.now)
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
