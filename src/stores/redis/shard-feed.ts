import { elapsedMs, type Moment, takeMoment } from '../../clock.js'
import type { Revocation } from '../../revocation/revocation.js'
import type { OwnGenerations } from '../own-generations.js'
import type { ShardKeys } from './layout.js'
import { readRecord } from './records.js'
import type { RedisConnection } from './redis-client.js'
import { unexpected } from './redis-errors.js'
import { assertLayout, SCAN, TAIL } from './scripts.js'

/** Entries read at a time. */
const PAGE_SIZE = 1_000

/** Where a reader of a shard's feed is. */
export interface ShardCursor {
  /** The id of the stream's entry that was read last; '0-0' for none. */
  readonly id: string
  /** What the next entry must name as the one before it. */
  readonly head: string
  /** Whether the shard's data were whole. */
  readonly intact: boolean
}

/** Thrown where the feed does not go on from where the reader is. */
export class FeedGap extends Error {}

/** A part of one shard's feed. */
export interface ShardBatch {
  readonly revocations: readonly Revocation[]
  /** Where to go on from; undefined while everything is read, since nobody could go on in its midst. */
  readonly cursor: ShardCursor | undefined
  readonly caughtUp: boolean
  /** When what it says was so, at the latest. */
  readonly knownAt: Moment
}

/** What a reader of a shard's feed needs. */
export interface ShardFeedOptions {
  /** A connection that blocking reads may hold up, whose every command has a deadline. */
  readonly connection: RedisConnection
  readonly keys: ShardKeys
  readonly ownGenerations: OwnGenerations
  readonly namespace: string
  readonly layout: string
  readonly heartbeatMs: number
}

/**
 * Reads the feed of a shard: everything, unless there is a cursor to go on from, then what is added.
 *
 * A blocking read brings what is new at once. But trimming, a flush and the promotion of a replica that lags
 * all look like silence, so that only a look at the head of the feed, once in `heartbeatMs`, says that nothing
 * was missed.
 *
 * @throws FeedGap where it was
 */
export async function* readShard(
  options: ShardFeedOptions,
  after: ShardCursor | undefined,
): AsyncGenerator<ShardBatch, never> {
  const { connection, keys, ownGenerations, heartbeatMs } = options
  // Where nothing had been added yet when it was looked at, all that was since must be there.
  const ownBefore = after?.head === '' ? 0 : ownGenerations.count
  let cursor = after
  if (cursor === undefined) {
    const knownAt = takeMoment()
    // The head first: what is added while the rest is read follows it.
    cursor = (await readTail(options)).position
    for await (const revocations of scan(options)) {
      yield { revocations, cursor: undefined, caughtUp: false, knownAt }
    }
  }
  for (;;) {
    const knownAt = takeMoment()
    const own = ownGenerations.since(ownBefore)
    const tail = await readTail(options, cursor)
    if (own.some((generation) => generation !== tail.generation)) throw new FeedGap()
    const { revocations, next } = follow(cursor, tail.entries)
    cursor = next
    const caughtUp = cursor.head === tail.position.head && cursor.intact === tail.position.intact
    if (!caughtUp && tail.entries.length === 0) throw new FeedGap()
    yield { revocations, cursor, caughtUp, knownAt }
    while (caughtUp) {
      const waitMs = Math.floor(heartbeatMs - elapsedMs(knownAt))
      // 0 would be for ever.
      if (waitMs <= 0) break
      const block = ['XREAD', 'BLOCK', String(waitMs), 'COUNT', String(PAGE_SIZE)]
      const entries = entriesRead(
        await connection.send(keys.feed, [...block, 'STREAMS', keys.feed, cursor.id]),
      )
      if (entries.length === 0) break
      const news = follow(cursor, entries)
      cursor = news.next
      yield { revocations: news.revocations, cursor, caughtUp, knownAt }
    }
  }
}

interface Tail {
  /** Where a reader is who has read all. */
  readonly position: ShardCursor
  readonly entries: readonly unknown[]
  /** Another one where data were lost; empty where nothing was ever added. */
  readonly generation: string
}

/** The end of the feed, and what comes after a cursor. */
async function readTail(
  { connection, keys, namespace, layout }: ShardFeedOptions,
  after?: ShardCursor,
): Promise<Tail> {
  const { expires, cutoffs, meta, feed } = keys
  const from = after === undefined ? ['0-0', '0'] : [after.id, String(PAGE_SIZE)]
  const reply = await TAIL.run(connection, [expires, cutoffs, meta, feed], from)
  if (!Array.isArray(reply) || reply.length !== 6) throw unexpected()
  const [actual, intact, head, id] = reply.map(String) as [string, string, string, string]
  assertLayout(namespace, layout, actual)
  const entries = readJson(reply[4])
  if (!Array.isArray(entries)) throw unexpected()
  return { position: { id, head, intact: intact === '1' }, entries, generation: String(reply[5]) }
}

async function* scan({ connection, keys }: ShardFeedOptions): AsyncGenerator<readonly Revocation[]> {
  const ask = (from: string) => {
    const reply = SCAN.run(connection, [keys.expires, keys.cutoffs], [from, String(PAGE_SIZE)])
    // Nobody may come to wait for it.
    reply.catch(() => {})
    return reply
  }
  let next: Promise<unknown> | undefined = ask('0')
  let server: unknown
  while (next !== undefined) {
    const reply: unknown = await next
    if (!Array.isArray(reply) || !Array.isArray(reply[2]) || typeof reply[3] !== 'string') throw unexpected()
    // Another node of a cluster has another order, and would leave some out.
    server ??= reply[3]
    if (reply[3] !== server) throw new FeedGap()
    const members = readJson(reply[1])
    if (!Array.isArray(members)) throw unexpected()
    const position = String(reply[0])
    // The server reads the next page while this one is taken over.
    next = position === '0' ? undefined : ask(position)
    yield readPage(members, reply[2])
  }
}

function readPage(members: readonly unknown[], cutoffs: readonly unknown[]): Revocation[] {
  const revocations: Revocation[] = []
  let wide = 0
  for (let index = 0; index + 1 < members.length; index += 2) {
    const member = String(members[index])
    const isNarrow = member.startsWith('s:') || member.startsWith('t:')
    const cutoff = isNarrow ? undefined : cutoffs[wide++]
    // The mark of a generation.
    if (member.startsWith('g:')) continue
    const record = readRecord(member, members[index + 1], cutoff)
    // Left out, so that mirrors that know the cutoff take it for lost, and write it back.
    if (record !== undefined) revocations.push(record)
  }
  return revocations
}

/** Follows entries from one to the next. @throws FeedGap where one does not name the one before it */
function follow(
  from: ShardCursor,
  entries: readonly unknown[],
): { revocations: Revocation[]; next: ShardCursor } {
  const revocations: Revocation[] = []
  let { id, head } = from
  for (const entry of entries) {
    if (!Array.isArray(entry) || !Array.isArray(entry[1])) throw unexpected()
    const fields = fieldsOf(entry[1])
    if (fields.after !== head) throw new FeedGap()
    id = String(entry[0])
    head = `${id}/${fields.nonce}`
    const record = readRecord(fields.member ?? '', fields.expires, fields.cutoff)
    if (record === undefined) throw unexpected()
    revocations.push(fields.audit ? { ...record, audit: readJson(fields.audit) } : record)
  }
  return { revocations, next: { id, head, intact: from.intact } }
}

/** What an entry of the feed says, as the script writes it. */
interface Fields {
  after: string | undefined
  nonce: string | undefined
  member: string | undefined
  expires: string | undefined
  cutoff: string | undefined
  audit: string | undefined
}

function fieldsOf(list: readonly unknown[]): Fields {
  const fields: Fields = {
    after: undefined,
    nonce: undefined,
    member: undefined,
    expires: undefined,
    cutoff: undefined,
    audit: undefined,
  }
  for (let index = 0; index + 1 < list.length; index += 2) {
    const name = String(list[index])
    if (Object.hasOwn(fields, name)) fields[name as keyof Fields] = String(list[index + 1])
  }
  return fields
}

function readJson(text: unknown) {
  try {
    return JSON.parse(String(text))
  } catch {
    throw unexpected()
  }
}

/** The entries in the reply of XREAD of one stream; null where there are none. */
function entriesRead(reply: unknown): readonly unknown[] {
  if (reply === null || reply === undefined) return []
  // RESP 2 has pairs in a list. RESP 3 has a map, which clients give as an object or as a list without pairs.
  const [first, second] = Array.isArray(reply) ? reply : Object.entries(reply)
  const entries = Array.isArray(first) ? first[1] : second
  if (!Array.isArray(entries)) throw unexpected()
  return entries
}
