import { randomUUID } from 'node:crypto'
import { elapsedMs, type Moment, systemClock, takeMoment } from '../../clock.js'
import { notify } from '../../observer.js'
import {
  assertRevocation,
  idInScope,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationMatch,
} from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../revocation/store.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { OwnGenerations } from '../own-generations.js'
import { TurnBatches, WaitingCalls } from '../turn-batches.js'
import { CommandLimits } from './command-limits.js'
import { ConfirmedWrites } from './confirmed-writes.js'
import { readFeed } from './feed.js'
import { byShard, encodeMember, layoutOf, type ShardKeys, shardKeys, shardOf } from './layout.js'
import { LookUps } from './look-ups.js'
import { type EncodedRecord, encodeRecord, matchIn } from './records.js'
import {
  adoptConnection,
  type OwnRedisConnection,
  openConnection,
  type RedisConnection,
  shareConnection,
} from './redis-client.js'
import { storeError, unexpected } from './redis-errors.js'
import {
  type CheckedRedisOptions,
  checkRedisOptions,
  type RedisRevocationStoreOptions,
} from './redis-options.js'
import { ADD, assertLayout, CLAIM, EVICTION, LAYOUT } from './scripts.js'

/** Records in one call of the script, which holds up the server while it runs. */
const BATCH_SIZE = 200
/** For how long the layout that was read is believed. */
const LAYOUT_CHECK_MS = 10_000

/**
 * Keeps revocations in Redis 7 or Valkey, for all processes that share it. Put a `RevocationMirror` before it,
 * so that verifying a token asks no network.
 *
 * Takes a client of ioredis, iovalkey or node-redis, also of a cluster. It is used for single commands; change
 * feeds, which block, open connections of their own after its model. Reads go to the primary.
 *
 * @example
 * import { RevocationMirror } from 'cognito-revocation'
 * import { RedisRevocationStore } from 'cognito-revocation/redis'
 * import { Redis } from 'ioredis'
 * const store = new RedisRevocationStore({ client: new Redis(process.env.REDIS_URL) })
 * const mirror = new RevocationMirror(store)
 */
export class RedisRevocationStore implements RevocationStore {
  readonly #options: CheckedRedisOptions
  readonly #shards: readonly ShardKeys[]
  readonly #layout: string
  readonly #connection: RedisConnection
  readonly #lookUps: LookUps
  readonly #writes: TurnBatches<ShardKeys, readonly EncodedRecord[], unknown>
  readonly #closing = new AbortController()
  readonly #confirmed: ConfirmedWrites | undefined
  readonly #ownGenerations: ReadonlyMap<ShardKeys, OwnGenerations>
  #layoutCheck: { readonly at: Moment; readonly done: Promise<void> } | undefined
  #evictionChecked = false

  /** @throws TypeError naming the option */
  constructor(options: RedisRevocationStoreOptions) {
    const checked = checkRedisOptions(options)
    this.#options = checked
    this.#shards = shardKeys(checked.namespace, checked.shards)
    this.#layout = layoutOf(checked.shards)
    this.#ownGenerations = new Map(this.#shards.map((shard) => [shard, new OwnGenerations()]))
    this.#connection = new CommandLimits(shareConnection(checked.client), checked.commandTimeoutMs)
    const waiting = new WaitingCalls()
    this.#lookUps = new LookUps(this.#connection, waiting)
    this.#writes = new TurnBatches<ShardKeys, readonly EncodedRecord[], unknown>({
      waiting,
      maxWeight: BATCH_SIZE,
      weigh: (records) => records.length,
      send: (keys, lists) => this.#addBatch(keys, lists.flat()),
    })
    if (checked.waitForReplicas > 0) {
      this.#confirmed = new ConfirmedWrites({
        open: () => this.#open(),
        replicas: checked.waitForReplicas,
        timeoutMs: checked.commandTimeoutMs,
      })
    }
  }

  /**
   * Resolves when Redis has recorded all, and `waitForReplicas` replicas as well. Durable is what its
   * persistence makes it: `appendonly yes`.
   *
   * @throws TypeError if a record is invalid, CutoffInFutureError: then nothing is recorded
   * @throws StoreUnavailableError, StoreFullError, StoreProtocolError: the outcome is unknown, add again
   */
  async add(revocations: readonly Revocation[]): Promise<void> {
    const nowSeconds = systemClock() / 1000
    for (const revocation of revocations) assertRevocation(revocation, nowSeconds)
    this.#warnOfEviction()
    try {
      // Written down at once, as they were checked: they are the caller's, who may change them.
      const records = revocations.map((record) => ({ poolId: record.poolId, args: encodeRecord(record) }))
      const parts = byShard(this.#shards, records)
      await Promise.all(parts.map(([keys, part]) => this.#addToShard(keys, part)))
    } catch (error) {
      throw storeError(error)
    }
  }

  /** @throws StoreUnavailableError, StoreProtocolError */
  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    const members: string[] = []
    for (const scope of REVOCATION_SCOPES) {
      const id = idInScope(token, scope)
      if (id !== undefined) members.push(encodeMember(token.poolId, scope, id))
    }
    const keys = this.#shardOf(token.poolId)
    try {
      const [found] = await Promise.all([this.#lookUps.find(keys, members), this.#assertLayout()])
      return matchIn(found, token)
    } catch (error) {
      throw storeError(error)
    }
  }

  /** The change feed. Each reading has a connection for each shard. @throws StoreUnavailableError, StoreProtocolError */
  changes({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    this.#warnOfEviction()
    const { namespace, heartbeatMs, commandTimeoutMs } = this.#options
    return readFeed({
      ...(after === undefined ? {} : { after }),
      signal: AbortSignal.any([signal, this.#closing.signal]),
      open: () => this.#open(),
      shards: this.#ownGenerations,
      namespace,
      layout: this.#layout,
      heartbeatMs,
      commandTimeoutMs,
    })
  }

  /** Ends what this store opened: feeds, and their connections. The client that was handed in stays open. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#confirmed?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #addToShard(keys: ShardKeys, records: readonly EncodedRecord[]): Promise<void> {
    const first = this.#shards[0] as ShardKeys
    // The layout is looked up in the first shard, by those too who would look for this pool elsewhere.
    if (keys !== first) this.#acceptLayout(await CLAIM.run(this.#connection, [first.meta], [this.#layout]))
    for (let start = 0; start < records.length; start += BATCH_SIZE) {
      await this.#writes.run(keys, records.slice(start, start + BATCH_SIZE))
    }
  }

  async #addBatch(shard: ShardKeys, records: readonly EncodedRecord[]): Promise<undefined> {
    const { expires, cutoffs, meta, feed } = shard
    const keys = [expires, cutoffs, meta, feed]
    const args = [this.#layout, randomUUID(), String(systemClock() / 1000), String(this.#options.feedLength)]
    for (const record of records) args.push(...record.args)
    const generation = await (this.#confirmed?.run(ADD, keys, args) ?? ADD.run(this.#connection, keys, args))
    if (typeof generation !== 'string') throw unexpected()
    this.#ownGenerations.get(shard)?.note(generation)
  }

  #shardOf(poolId: string): ShardKeys {
    return this.#shards[shardOf(poolId, this.#shards.length)] as ShardKeys
  }

  /** Makes sure that all stores look for a pool in the same shard; and tells of it again from time to time. */
  #assertLayout(): Promise<void> {
    const last = this.#layoutCheck
    if (last !== undefined && elapsedMs(last.at) < LAYOUT_CHECK_MS) return last.done
    const { meta } = this.#shards[0] as ShardKeys
    const at = takeMoment()
    const done = LAYOUT.run(this.#connection, [meta], []).then((layout) => {
      this.#acceptLayout(layout)
      // Where there is none yet, another store may write down any, the next moment.
      if (typeof layout !== 'string' && this.#layoutCheck === check) this.#layoutCheck = undefined
    })
    const check = { at, done }
    this.#layoutCheck = check
    done.catch(() => {
      if (this.#layoutCheck === check) this.#layoutCheck = undefined
    })
    this.#warnOfEviction()
    return done
  }

  #acceptLayout(layout: unknown): void {
    assertLayout(this.#options.namespace, this.#layout, layout)
  }

  async #open(): Promise<OwnRedisConnection> {
    const { client, createFeedClient, commandTimeoutMs } = this.#options
    if (createFeedClient === undefined) return openConnection(client, commandTimeoutMs)
    return adoptConnection(await createFeedClient(), commandTimeoutMs)
  }

  /** Once, and as far as this user may ask. */
  #warnOfEviction(): void {
    if (this.#evictionChecked) return
    this.#evictionChecked = true
    const { meta } = this.#shards[0] as ShardKeys
    EVICTION.run(this.#connection, [meta], []).then(
      (policy) => {
        if (typeof policy !== 'string' || policy === 'noeviction') return
        notify(this.#options.observer, { type: 'redis_may_evict', maxmemoryPolicy: policy })
      },
      () => {
        this.#evictionChecked = false
      },
    )
  }
}
