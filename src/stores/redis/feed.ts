import { elapsedMs } from '../../clock.js'
import { pause } from '../../pause.js'
import type { ChangeBatch, ChangesOptions } from '../../revocation/store.js'
import type { OwnGenerations } from '../own-generations.js'
import type { ShardKeys } from './layout.js'
import type { OwnRedisConnection, RedisConnection } from './redis-client.js'
import { plainError, storeError } from './redis-errors.js'
import { FeedGap, readShard, type ShardBatch, type ShardCursor } from './shard-feed.js'

/** Between two readings of everything by one reader, in milliseconds. */
const RESTART_PAUSE_MS = 250

/** What the feed of a store over Redis needs. */
export interface RedisFeedOptions extends ChangesOptions {
  readonly open: () => Promise<OwnRedisConnection>
  /** The shards, and in which generations of each this store has added. */
  readonly shards: ReadonlyMap<ShardKeys, OwnGenerations>
  readonly namespace: string
  readonly layout: string
  readonly heartbeatMs: number
  readonly commandTimeoutMs: number
}

type Cursors = readonly (ShardCursor | undefined)[]

/** The change feed of all shards, over a connection of its own for each. It ends with any of them. */
export async function* readFeed(options: RedisFeedOptions): AsyncGenerator<ChangeBatch, void, undefined> {
  const { signal, shards, open } = options
  const connections: OwnRedisConnection[] = []
  const close = () => {
    for (const connection of connections.splice(0)) connection.destroy()
  }
  signal.addEventListener('abort', close)
  try {
    let cursors = parseCursors(options.after, shards.size)
    for (;;) {
      while (connections.length < shards.size) {
        connections.push(await open())
        if (signal.aborted) return
      }
      try {
        for await (const batch of readShards(options, connections, cursors)) {
          if (signal.aborted) return
          yield batch
        }
      } catch (error) {
        if (!(error instanceof FeedGap)) throw error
        // Those of the other shards wait for news, and would answer nothing else meanwhile.
        if (shards.size > 1) close()
        if (cursors === undefined) await pause(RESTART_PAUSE_MS, signal)
        if (signal.aborted) return
        cursors = undefined
      }
    }
  } catch (error) {
    if (!signal.aborted) throw storeError(error)
  } finally {
    signal.removeEventListener('abort', close)
    close()
  }
}

/** @throws FeedGap where a shard's feed does not go on from its cursor */
async function* readShards(
  { shards, namespace, layout, heartbeatMs, commandTimeoutMs }: RedisFeedOptions,
  connections: readonly OwnRedisConnection[],
  after: Cursors | undefined,
): AsyncGenerator<ChangeBatch, never> {
  const readers = [...shards].map(([keys, ownGenerations], shard) => {
    const connection = withDeadlines(connections[shard] as OwnRedisConnection, heartbeatMs, commandTimeoutMs)
    const shardOptions = { connection, keys, ownGenerations, namespace, layout, heartbeatMs }
    return readShard(shardOptions, after?.[shard])
  })
  const latest: (ShardBatch | undefined)[] = readers.map(() => undefined)
  const next = async (shard: number) => {
    const { value } = await (readers[shard] as (typeof readers)[number]).next()
    return { shard, value }
  }
  const pending = new Map(readers.map((_, shard) => [shard, next(shard)]))
  let restarted = after === undefined
  try {
    for (;;) {
      const { shard, value } = await Promise.race(pending.values())
      // Not before: what was read of another shard meanwhile has not been delivered yet.
      latest[shard] = value
      yield batchOf(value, latest, after, restarted)
      restarted = false
      pending.set(shard, next(shard))
    }
  } finally {
    // They end with their connections; nobody waits for them.
    for (const left of pending.values()) left.catch(() => {})
  }
}

function batchOf(
  value: ShardBatch,
  latest: readonly (ShardBatch | undefined)[],
  after: Cursors | undefined,
  restarted: boolean,
): ChangeBatch {
  let { knownAt } = value
  let caughtUp = true
  for (const batch of latest) {
    caughtUp &&= batch?.caughtUp === true
    if (batch !== undefined && elapsedMs(batch.knownAt) > elapsedMs(knownAt)) knownAt = batch.knownAt
  }
  return {
    revocations: value.revocations,
    restarted,
    cursor: serializeCursors(
      latest.map((batch, shard) => (batch === undefined ? after?.[shard] : batch.cursor)),
    ),
    caughtUp,
    // It goes on counting, also where this process is stopped before anybody has read it.
    get ageMs() {
      return elapsedMs(knownAt)
    },
  }
}

/** Ends a connection that does not answer in time: what it would answer later, nobody waits for. */
function withDeadlines(
  connection: OwnRedisConnection,
  heartbeatMs: number,
  timeoutMs: number,
): RedisConnection {
  const guarded = <T>(ms: number, reply: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        connection.destroy()
        reject(new Error(`no answer within ${ms} ms`))
      }, ms).unref()
      reply.then(
        (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        (error) => {
          clearTimeout(timer)
          reject(plainError(error))
        },
      )
    })
  const msFor = (command: readonly string[]) => (command[0] === 'XREAD' ? heartbeatMs + timeoutMs : timeoutMs)
  return {
    send: (key, command) => guarded(msFor(command), connection.send(key, command)),
    pipeline: (key, commands) => guarded(timeoutMs, connection.pipeline(key, commands)),
  }
}

/** Empty while a shard is read from its beginning. */
function serializeCursors(cursors: Cursors): string {
  if (cursors.includes(undefined)) return ''
  return JSON.stringify(cursors.map((cursor) => cursor && [cursor.id, cursor.head, cursor.intact]))
}

/** The cursors of all shards; undefined for what is no cursor of this store. */
function parseCursors(text: string | undefined, shards: number): Cursors | undefined {
  try {
    const list: unknown = JSON.parse(text ?? '')
    if (!Array.isArray(list) || list.length !== shards) return undefined
    return list.map(([id, head, intact]) => {
      // As many digits as 64 bits surely hold: Redis refuses greater ids.
      const isId = typeof id === 'string' && /^\d{1,19}-\d{1,19}$/.test(id)
      if (!isId || typeof head !== 'string') throw new TypeError('no cursor')
      return { id, head, intact: intact === true }
    })
  } catch {
    return undefined
  }
}
