import { randomUUID } from 'node:crypto'
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { withDeadline } from '../deadline.js'
import type { CheckedClientOptions } from './client-options.js'
import { CognitoClock } from './cognito-clock.js'
import { toTypedError } from './cognito-errors.js'
import { computeSecretHash } from './secret-hash.js'

const CONNECTION_TIMEOUT_MS = 2_000
/** How long a call with all its attempts may take, also on an SDK client that was handed in: so many requests. */
const CALL_TIMEOUT_IN_REQUESTS = 4
/** Attempts at a call in all, where Cognito throttles or fails: the SDK's standard retries, with backoff. */
const MAX_ATTEMPTS = 3

/** Cognito's API as this library calls it: the app client's secret, typed errors, Cognito's own clock. */
export class CognitoApi {
  readonly userPoolId: string
  readonly clientId: string
  readonly #clientSecret: CheckedClientOptions['clientSecret']
  readonly clock: CognitoClock
  readonly #sdk: CognitoIdentityProviderClient
  readonly #ownsSdk: boolean
  /** Of its own: several clients may share one SDK client. */
  readonly #middlewareName = `cognito-revocation-${randomUUID()}`
  /** When each answer was given by Cognito's clock: the Date of the answer, which the SDK drops. */
  readonly #dates = new WeakMap<object, string>()
  readonly #callTimeoutMs: number

  constructor(options: CheckedClientOptions) {
    this.userPoolId = options.userPoolId
    this.clientId = options.clientId
    this.#clientSecret = options.clientSecret
    this.clock = new CognitoClock(options.clock, options.observer)
    this.#callTimeoutMs = options.requestTimeoutMs * CALL_TIMEOUT_IN_REQUESTS
    this.#ownsSdk = options.sdk === undefined
    this.#sdk =
      options.sdk ??
      new CognitoIdentityProviderClient({
        region: options.region,
        maxAttempts: MAX_ATTEMPTS,
        requestHandler: {
          connectionTimeout: CONNECTION_TIMEOUT_MS,
          requestTimeout: options.requestTimeoutMs,
          // Without this the handler only warns, and waits on.
          throwOnRequestTimeout: true,
        },
        ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
        ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      })
    this.#sdk.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args)
        const { date } = (result.response as { headers?: Record<string, string> }).headers ?? {}
        if (date !== undefined && result.output !== undefined) this.#dates.set(result.output, date)
        return result
      },
      { step: 'deserialize', priority: 'high', name: this.#middlewareName },
    )
  }

  /**
   * Calls an operation.
   *
   * @param sensitive what was sent and must not come back in an error
   * @throws a typed error, with the SDK's as its cause
   */
  async call<Output extends object>(
    operation: string,
    send: (sdk: CognitoIdentityProviderClient, options: { abortSignal: AbortSignal }) => Promise<Output>,
    sensitive: readonly (string | undefined)[],
  ): Promise<Output> {
    try {
      // The signal ends requests; finding credentials, for one, does not heed it.
      const sending = send(this.#sdk, { abortSignal: AbortSignal.timeout(this.#callTimeoutMs) })
      const output = await withDeadline('Cognito', this.#callTimeoutMs, sending)
      this.clock.learn(this.#dates.get(output))
      return output
    } catch (error) {
      throw toTypedError(operation, error, sensitive)
    }
  }

  /** The app client's secret, or undefined if it has none. */
  async secret(): Promise<string | undefined> {
    if (typeof this.#clientSecret !== 'function') return this.#clientSecret
    return withDeadline('clientSecret', this.#callTimeoutMs, Promise.resolve(this.#clientSecret()))
  }

  /** SECRET_HASH for a username, or undefined if the app client has no secret. */
  async secretHash(username: string): Promise<string | undefined> {
    const clientSecret = await this.secret()
    return clientSecret && computeSecretHash({ username, clientId: this.clientId, clientSecret })
  }

  /**
   * When Cognito gave this answer, in its own clock, epoch seconds; undefined where its Date is over 300 s from
   * this machine's clock.
   */
  answeredAt(output: object): number | undefined {
    return this.clock.secondsOf(this.#dates.get(output))
  }

  close(): void {
    this.#sdk.middlewareStack.remove(this.#middlewareName)
    if (this.#ownsSdk) this.#sdk.destroy()
  }
}
