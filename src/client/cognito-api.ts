import { randomUUID } from 'node:crypto'
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { createTimedSignal, withDeadline } from '../deadline.js'
import { cognitoIssuers } from '../tokens/issuer.js'
import { rejectionOf } from './abort.js'
import type { CheckedClientOptions } from './client-options.js'
import { ClientSecrets, type SecretOptions } from './client-secrets.js'
import { CognitoClock } from './cognito-clock.js'
import { toTypedError } from './cognito-errors.js'
import { computeSecretHash } from './secret-hash.js'

const CONNECTION_TIMEOUT_MS = 2_000
/** How long a call with all its attempts may take, also on an SDK client that was handed in: so many requests. */
const CALL_TIMEOUT_IN_REQUESTS = 4
/** Attempts at a call in all, where Cognito throttles or fails: the SDK's standard retries, with backoff. */
const MAX_ATTEMPTS = 3

/** How an operation is called. */
export interface CallOptions {
  /** What is sent and must not come back in an error. */
  readonly sensitive?: readonly (string | undefined)[]
  /** Ends the call; it then rejects with the signal's reason, and whether it took effect is unknown. */
  readonly signal?: AbortSignal | undefined
}

/** Cognito's API as this library calls it: the app client's secret, typed errors, Cognito's own clock. */
export class CognitoApi {
  readonly userPoolId: string
  readonly clientId: string
  /** `iss` of the user pool's tokens, in every form that Cognito writes. */
  readonly issuers: readonly string[]
  readonly #secrets: ClientSecrets
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
    this.issuers = [options.issuer ?? cognitoIssuers('CognitoTokenClient', options.userPoolId)].flat()
    this.clock = new CognitoClock(options.clock, options.observer)
    this.#callTimeoutMs = options.requestTimeoutMs * CALL_TIMEOUT_IN_REQUESTS
    this.#secrets = new ClientSecrets(options.clientSecret, this.#callTimeoutMs, options.observer)
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
   * @throws a typed error, with the SDK's as its cause; the signal's reason, once it is aborted
   */
  async call<Output extends object>(
    operation: string,
    send: (sdk: CognitoIdentityProviderClient, options: { abortSignal: AbortSignal }) => Promise<Output>,
    { sensitive = [], signal }: CallOptions = {},
  ): Promise<Output> {
    signal?.throwIfAborted()
    const aborted = rejectionOf(signal)
    const ended = createTimedSignal(this.#callTimeoutMs, signal)
    try {
      // The signals end requests; finding credentials and waiting for a retry, for two, do not heed them.
      const options = { abortSignal: ended.signal }
      const sending = withDeadline('Cognito', this.#callTimeoutMs, send(this.#sdk, options))
      const output = await Promise.race([sending, aborted.promise])
      this.clock.learn(this.#dates.get(output))
      return output
    } catch (error) {
      signal?.throwIfAborted()
      throw toTypedError(operation, error, sensitive)
    } finally {
      ended.release()
      aborted.release()
    }
  }

  /**
   * Does something that takes the app client's raw secret (undefined if it has none): with its other secret,
   * once, where Cognito does not take the first.
   */
  withSecret<T>(act: (secret: string | undefined) => Promise<T>, options: SecretOptions = {}): Promise<T> {
    return this.#secrets.use(act, options)
  }

  /** The same for what takes a SECRET_HASH, made with this username; an empty one has an empty hash. */
  withSecretHash<T>(
    username: string,
    act: (secretHash: string | undefined) => Promise<T>,
    options: SecretOptions = {},
  ): Promise<T> {
    const { clientId } = this
    return this.#secrets.use(
      (clientSecret) =>
        act(clientSecret && username && computeSecretHash({ username, clientId, clientSecret })),
      options,
    )
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
