import { setMaxListeners } from 'node:events'
import { systemClock } from '../../clock.js'
import {
  assertRevocation,
  idInScope,
  isBeforeCutoff,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationMatch,
} from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../revocation/store.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { OwnGenerations } from '../own-generations.js'
import { encodeRecordKey } from '../record-key.js'
import { announce } from './announcements.js'
import { batchGet } from './batch-get.js'
import { storeError } from './dynamodb-errors.js'
import {
  type CheckedDynamoDBOptions,
  checkDynamoDBOptions,
  type DynamoDBRevocationStoreOptions,
} from './dynamodb-options.js'
import { readFeed } from './feed.js'
import { type ItemKey, recordItemKey } from './layout.js'
import { writeRecords } from './record-writes.js'
import { encodeRecord, readRecord } from './records.js'
import { Requests } from './requests.js'

/** An `add` of up to 100 records may take so many times `requestTimeoutMs`; each hundred more, once more. */
const REQUEST_TIMES = 3

/**
 * Keeps revocations in a table of Amazon DynamoDB, for all processes that share it. Put a `RevocationMirror`
 * before it, so that verifying a token asks no network; in functions that freeze, a `CachedRevocationStore`.
 *
 * Every read that decides is a consistent one, of the table itself, in one Region. `createTable`, or the templates
 * in docs/dynamodb.md, make the table.
 *
 * @example
 * import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
 * import { RevocationMirror } from 'cognito-revocation'
 * import { DynamoDBRevocationStore } from 'cognito-revocation/dynamodb'
 * const client = new DynamoDBClient({ region: 'us-east-1' })
 * const mirror = new RevocationMirror(new DynamoDBRevocationStore({ client, tableName: 'revocations' }))
 */
export class DynamoDBRevocationStore implements RevocationStore {
  readonly #options: CheckedDynamoDBOptions
  readonly #requests: Requests
  readonly #closing = new AbortController()
  readonly #ownGenerations = new OwnGenerations()

  /** @throws TypeError naming the option */
  constructor(options: DynamoDBRevocationStoreOptions) {
    this.#options = checkDynamoDBOptions(options)
    const { client, tableName, requestTimeoutMs } = this.#options
    this.#requests = new Requests({ client, tableName, timeoutMs: requestTimeoutMs })
  }

  /**
   * Resolves when DynamoDB has recorded all, and announced them to the readers of the feed.
   *
   * @throws TypeError if a record is invalid, CutoffInFutureError: then nothing is recorded
   * @throws StoreUnavailableError, StoreProtocolError: the outcome is unknown, add again
   */
  async add(revocations: readonly Revocation[]): Promise<void> {
    const nowSeconds = systemClock() / 1000
    for (const revocation of revocations) assertRevocation(revocation, nowSeconds)
    // Written down at once, as they were checked: they are the caller's, who may change them.
    const records = revocations.map(encodeRecord)
    const abort = new AbortController()
    // Requests of one call listen to it, many at a time.
    setMaxListeners(0, abort.signal)
    const withinMs = this.#options.requestTimeoutMs * (REQUEST_TIMES + Math.floor(records.length / 100))
    const tooLate = () => abort.abort(new Error(`the records were not added within ${withinMs} ms`))
    const timer = setTimeout(tooLate, withinMs)
    try {
      await writeRecords(this.#requests, records, abort.signal)
      // Not before: a reader who begins with a number that was taken finds in the table what it announces.
      const generation = await announce(
        {
          requests: this.#requests,
          retentionSeconds: this.#options.feedRetentionSeconds,
          clockOffsetMs: this.#clockOffsetMs(),
          signal: abort.signal,
        },
        records,
      )
      if (generation !== undefined) this.#ownGenerations.note(generation)
    } catch (error) {
      throw storeError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** @throws StoreUnavailableError, StoreProtocolError */
  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    const keys: ItemKey[] = []
    for (const scope of REVOCATION_SCOPES) {
      const id = idInScope(token, scope)
      if (id !== undefined) keys.push(recordItemKey(encodeRecordKey(token.poolId, scope, id)))
    }
    try {
      const items = await batchGet(this.#requests, keys)
      return items.map(readRecord).find(({ cutoff }) => isBeforeCutoff(token, cutoff))
    } catch (error) {
      throw storeError(error)
    }
  }

  /** The change feed, by polling. @throws StoreUnavailableError, StoreProtocolError */
  changes({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    const { pollIntervalMs, reconcileIntervalMs } = this.#options
    return readFeed({
      ...(after === undefined ? {} : { after }),
      signal: AbortSignal.any([signal, this.#closing.signal]),
      requests: this.#requests,
      pollIntervalMs,
      reconcileIntervalMs,
      ownGenerations: this.#ownGenerations,
    })
  }

  /** Ends the feeds. The client that was handed in stays open. */
  async close(): Promise<void> {
    this.#closing.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What the SDK has learned of DynamoDB's clock, where this machine's is over five minutes from it. */
  #clockOffsetMs(): number {
    const { systemClockOffset } = this.#options.client.config ?? {}
    return Number.isFinite(systemClockOffset) ? systemClockOffset : 0
  }
}
