import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { elapsedMs, type Moment, takeMoment } from '../../clock.js'
import type { Revocation } from '../../revocation/revocation.js'
import { batchGet, MAX_KEYS } from './batch-get.js'
import { unexpected } from './dynamodb-errors.js'
import { type FeedPosition, MAX_GAPS } from './feed-position.js'
import { announcementKey, BUCKET_SIZE, bucketKey, COUNTER_KEY, type Item } from './layout.js'
import { readAnnouncement, readSequence, readString } from './records.js'
import type { Requests } from './requests.js'

/**
 * For so long after the last look a number that is missing has only just been taken; later, its announcement may
 * have been deleted as well. Far less than any announcement is kept for.
 */
const YOUNG_MS = 600_000
/** For so long a missing number is asked for: ten times as long as its announcement can count. */
const FORGET_GAP_MS = 600_000
/** Records after which a batch is given, about. */
const BATCH_SIZE = 500

/** Thrown where the feed does not go on from where the reader is. */
export class FeedGap extends Error {}

/** What reads a feed. */
export interface TailOptions {
  readonly requests: Requests
  readonly signal: AbortSignal
}

/** A part of what was announced since a reader's position. */
export interface TailStep {
  readonly revocations: readonly Revocation[]
  readonly position: FeedPosition
  readonly isLast: boolean
}

/** Where the feed ends, by a consistent read. */
export async function readHead({
  requests,
  signal,
}: TailOptions): Promise<FeedPosition & { knownAt: Moment }> {
  const knownAt = takeMoment()
  const command = new GetItemCommand({
    TableName: requests.tableName,
    Key: COUNTER_KEY,
    ConsistentRead: true,
  })
  const { Item } = await requests.run((client, options) => client.send(command, options), signal)
  // Nothing was ever added.
  if (Item === undefined) return { generation: '', sequence: 0, gaps: new Map(), knownAt }
  const [generation, sequence] = [readString(Item.generation), readSequence(Item.sequence)]
  if (generation === '') throw unexpected()
  return { generation, sequence, gaps: new Map(), knownAt }
}

/**
 * Reads what was announced since: up to the number that had been taken last when this was called, and what was
 * missing before. Whatever was acknowledged before that is among it: a number is announced before that, and
 * taken before it is announced.
 *
 * @throws FeedGap where something may have been deleted, lost, or belongs to another table
 */
export async function* readTail(options: TailOptions, from: FeedPosition): AsyncGenerator<TailStep, void> {
  const head = await readHead(options)
  if (from.generation === '' && head.generation !== '') {
    // All of the first counter's numbers are new; whether all else in the table is, is for the reader to see.
    yield { revocations: [], position: { ...from, generation: head.generation }, isLast: false }
    return
  }
  if (head.generation !== from.generation || head.sequence < from.sequence) throw new FeedGap()
  const gaps = new Map(from.gaps)
  const addGap = (sequence: number) => {
    gaps.set(sequence, performance.now())
    if (gaps.size > MAX_GAPS || !isYoung(from)) throw new FeedGap()
  }
  let revocations = await fillGaps(options, from, gaps, head.knownAt)
  let { sequence } = from
  for await (const { items, end } of readItems(options, from, head.sequence)) {
    for (const item of items) {
      const number = readSequence(item.sk)
      if (number <= sequence || number > head.sequence) throw unexpected()
      while (++sequence < number) addGap(sequence)
      revocations.push(...readAnnouncement(item))
      if (revocations.length < BATCH_SIZE || sequence === head.sequence) continue
      yield { revocations, position: { ...from, sequence, gaps: new Map(gaps) }, isLast: false }
      revocations = []
    }
    // At once: a reader for whom everything was deleted must not ask for all of it first.
    while (sequence < end) addGap(++sequence)
  }
  yield { revocations, position: { ...head, gaps }, isLast: true }
}

/** Reads what has come up of what was missing. Leaves in `gaps` what is missing still. */
async function fillGaps(
  { requests, signal }: TailOptions,
  from: FeedPosition,
  gaps: Map<number, number>,
  askedAt: Moment,
): Promise<Revocation[]> {
  const revocations: Revocation[] = []
  const missing = [...gaps.keys()]
  for (let start = 0; start < missing.length; start += MAX_KEYS) {
    const keys = missing.slice(start, start + MAX_KEYS).map((gap) => announcementKey(from.generation, gap))
    for (const item of await batchGet(requests, keys, signal)) {
      gaps.delete(readSequence(item.sk))
      revocations.push(...readAnnouncement(item))
    }
  }
  if (gaps.size > 0 && !isYoung(from)) throw new FeedGap()
  for (const [gap, since] of gaps) {
    // By the monotonic clock alone: nobody sets it forward.
    if (askedAt.monotonic - since > FORGET_GAP_MS) gaps.delete(gap)
  }
  return revocations
}

function isYoung({ knownAt }: FeedPosition): boolean {
  return knownAt !== undefined && elapsedMs(knownAt) <= YOUNG_MS
}

/** Some announcements. */
interface ItemPage {
  readonly items: readonly Item[]
  /** Up to this number, no more will come; 0 while that is not known. */
  readonly end: number
}

/** The announcements after a position, page by page, in the order of their numbers. */
async function* readItems(
  { requests, signal }: TailOptions,
  { generation, sequence }: FeedPosition,
  last: number,
): AsyncGenerator<ItemPage, void> {
  for (let first = sequence + 1; first <= last; ) {
    const end = Math.min(last, (Math.floor(first / BUCKET_SIZE) + 1) * BUCKET_SIZE - 1)
    let startKey: Item | undefined
    do {
      const command = new QueryCommand({
        TableName: requests.tableName,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :end',
        ExpressionAttributeValues: {
          ':pk': { S: bucketKey(generation, first) },
          ':first': { N: String(first) },
          ':end': { N: String(end) },
        },
        ConsistentRead: true,
        ExclusiveStartKey: startKey,
      })
      const page = await requests.run((client, sendOptions) => client.send(command, sendOptions), signal)
      if (page.Items === undefined) throw unexpected()
      startKey = page.LastEvaluatedKey
      yield { items: page.Items, end: startKey === undefined ? end : 0 }
    } while (startKey !== undefined)
    first = end + 1
  }
}
