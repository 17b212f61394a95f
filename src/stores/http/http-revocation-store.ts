import { randomUUID } from 'node:crypto'
import { systemClock } from '../../clock.js'
import { StoreProtocolError, StoreUnavailableError } from '../../errors.js'
import { assertRevocation, type Revocation, type RevocationMatch } from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../revocation/store.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { TurnBatches, WaitingCalls } from '../turn-batches.js'
import { readFeed } from './feed.js'
import { checkHttpOptions, type HttpRevocationStoreOptions } from './http-options.js'
import { HttpTransport, transportError } from './http-transport.js'
import { problemError } from './problem.js'
import {
  asAnswer,
  asArray,
  asObject,
  decodeMatch,
  encodeToken,
  MAX_TOKENS,
  PATHS,
  type RecordsPart,
  splitRecords,
} from './wire.js'

/**
 * Revocations that a `RevocationService` (`cognito-revocation/server`) keeps for processes that should not reach
 * its store themselves. Put a `RevocationMirror` before it, so that verifying a token asks no network.
 *
 * @example
 * import { RevocationMirror } from 'cognito-revocation'
 * import { HttpRevocationStore } from 'cognito-revocation/http'
 * const store = new HttpRevocationStore({ url: 'https://revocation.example.com', key: process.env.REVOCATION_KEY ?? '' })
 * const mirror = new RevocationMirror(store)
 */
export class HttpRevocationStore implements RevocationStore {
  readonly #transport: HttpTransport
  readonly #silenceMs: number
  readonly #waiting = new WaitingCalls()
  readonly #lookUps: TurnBatches<string, TokenIdentity, RevocationMatch | undefined>
  readonly #closing = new AbortController()

  /** @throws TypeError naming the option */
  constructor(options: HttpRevocationStoreOptions) {
    const checked = checkHttpOptions(options)
    this.#transport = new HttpTransport(checked)
    this.#silenceMs = checked.silenceMs
    this.#lookUps = new TurnBatches({
      waiting: this.#waiting,
      maxWeight: MAX_TOKENS,
      weigh: () => 1,
      // The others are for what is added.
      maxUnderWay: Math.ceil(checked.maxConnections / 2),
      maxWaitMs: checked.timeoutMs,
      send: (_poolId, tokens) => this.#findAll(tokens),
    })
  }

  /**
   * Resolves when the service has them all durably. Up to 500 go in one request, of which all or none are
   * recorded where one is not valid, or of a pool that the key is not for.
   *
   * @throws TypeError if a record is invalid, CutoffInFutureError: then nothing is recorded
   * @throws StoreFullError
   * @throws StoreUnavailableError, StoreProtocolError: the outcome is unknown, add again; or the key lacks the right
   */
  async add(revocations: readonly Revocation[]): Promise<void> {
    const nowSeconds = systemClock() / 1000
    for (const revocation of revocations) assertRevocation(revocation, nowSeconds)
    if (revocations.length === 0) return
    // Written down at once, as they were checked: they are the caller's, who may change them.
    const parts = splitRecords(revocations)
    this.#assertOpen()
    this.#beginWaiting()
    try {
      for (const part of parts) await this.#addPart(part)
    } finally {
      this.#waiting.end(1)
    }
  }

  /** @throws StoreUnavailableError, StoreProtocolError */
  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    this.#assertOpen()
    try {
      // One pool to a request, since a key may not be for all: each fails by itself.
      return await this.#lookUps.run(token.poolId, token)
    } catch (error) {
      throw transportError(error)
    }
  }

  /** The change feed: a stream of server-sent events. @throws StoreUnavailableError, StoreProtocolError */
  changes({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    return readFeed({
      ...(after === undefined ? {} : { after }),
      signal: AbortSignal.any([signal, this.#closing.signal]),
      transport: this.#transport,
      silenceMs: this.#silenceMs,
    })
  }

  /** Ends every feed and connection. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#lookUps.reject(closedError())
    this.#transport.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw closedError()
  }

  #beginWaiting(): void {
    try {
      this.#waiting.begin()
    } catch (error) {
      throw transportError(error)
    }
  }

  async #addPart({ text, count }: RecordsPart): Promise<void> {
    const { recorded } = await this.#ask(PATHS.revocations, 'revocations', text, 'recorded')
    if (recorded !== count) throw new StoreProtocolError('The service did not say that it recorded them all')
  }

  async #findAll(tokens: readonly TokenIdentity[]): Promise<(RevocationMatch | undefined)[]> {
    const text = JSON.stringify(tokens.map(encodeToken))
    const answer = await this.#ask(PATHS.find, 'tokens', text, 'matches')
    const matches = asAnswer(() => asArray('matches', answer.matches, tokens.length))
    if (matches.length !== tokens.length) throw new StoreProtocolError('The service left a token out')
    return tokens.map((token, index) => decodeMatch(matches[index], token))
  }

  /** Asks for something, and gives what is the answer to that, and to nothing else. */
  async #ask(
    path: string,
    name: string,
    entries: string,
    answered: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    const request = randomUUID()
    const body = `{"request":"${request}","${name}":${entries}}`
    const { status, text, key } = await this.#transport.post(path, body)
    if (status >= 300) throw problemError(status, text, key)
    if (status !== 200) throw new StoreProtocolError(`Status ${status} is no answer to what was asked`)
    const answer = asAnswer(() => asObject('answer', JSON.parse(text), ['request', answered]))
    if (answer.request !== request) {
      throw new StoreProtocolError('The answer is not to this request: is it cached?')
    }
    return answer
  }
}

function closedError(): StoreUnavailableError {
  return new StoreUnavailableError('The store is closed')
}
