import { randomUUID } from 'node:crypto'
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { elapsedMs, systemClock, takeMoment } from '../../clock.js'
import { unexpected } from './dynamodb-errors.js'
import { announcementKey, COUNTER_KEY } from './layout.js'
import { type EncodedRecord, readSequence, readString } from './records.js'
import type { Requests } from './requests.js'

/** Records in one item; DynamoDB takes 400 KB, and a partition writes 1,000 a second. */
const MAX_RECORDS = 250
const MAX_BYTES = 32 * 1024
/** Items that are put at a time, with numbers taken at once. */
const GROUP_SIZE = 4
/**
 * For so long after a number was taken its announcement counts, in milliseconds. Readers wait for it for ten
 * times as long, so that whoever was stopped in between takes another number.
 */
const ANNOUNCE_WITHIN_MS = 60_000
const MAX_ATTEMPTS = 3

/** How announcements are put. */
export interface AnnounceOptions {
  readonly requests: Requests
  /** How long they are kept. */
  readonly retentionSeconds: number
  /** How far DynamoDB's clock is ahead of this machine's, as far as is known, in milliseconds. */
  readonly clockOffsetMs: number
  /** Gives it up early. */
  readonly signal?: AbortSignal
}

/**
 * Tells readers of the feed of these records, which have been written before.
 *
 * @returns the generation of the counter that gave the last numbers; undefined where there is nothing to tell
 */
export async function announce(
  options: AnnounceOptions,
  records: readonly EncodedRecord[],
): Promise<string | undefined> {
  const items = split(records)
  let generation: string | undefined
  for (let start = 0; start < items.length; start += GROUP_SIZE) {
    generation = await announceGroup(options, items.slice(start, start + GROUP_SIZE))
  }
  return generation
}

async function announceGroup(options: AnnounceOptions, items: readonly string[]): Promise<string> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const takenAt = takeMoment()
    const { generation, first } = await takeNumbers(options, items.length)
    await Promise.all(items.map((item, index) => putItem(options, item, generation, first + index)))
    if (elapsedMs(takenAt) <= ANNOUNCE_WITHIN_MS) return generation
  }
  throw new Error('this process was stopped, or its clock was set, again and again')
}

/** The next numbers of the sequence. Those that nobody uses, in the end, do no harm. */
async function takeNumbers(
  { requests, signal }: AnnounceOptions,
  count: number,
): Promise<{ readonly generation: string; readonly first: number }> {
  const command = new UpdateItemCommand({
    TableName: requests.tableName,
    Key: COUNTER_KEY,
    UpdateExpression: 'SET #generation = if_not_exists(#generation, :generation) ADD #sequence :count',
    ExpressionAttributeNames: { '#generation': 'generation', '#sequence': 'sequence' },
    ExpressionAttributeValues: { ':generation': { S: randomUUID() }, ':count': { N: String(count) } },
    ReturnValues: 'ALL_NEW',
  })
  const { Attributes } = await requests.run((client, options) => client.send(command, options), signal)
  const first = readSequence(Attributes?.sequence) - count + 1
  const generation = readString(Attributes?.generation)
  if (first < 1 || generation === '') throw unexpected()
  return { generation, first }
}

async function putItem(
  { requests, retentionSeconds, clockOffsetMs, signal }: AnnounceOptions,
  records: string,
  generation: string,
  sequence: number,
): Promise<void> {
  const purgeAt = Math.ceil((systemClock() + clockOffsetMs) / 1000 + retentionSeconds)
  const command = new PutItemCommand({
    TableName: requests.tableName,
    Item: {
      ...announcementKey(generation, sequence),
      records: { S: records },
      purgeAt: { N: String(purgeAt) },
    },
  })
  await requests.run((client, options) => client.send(command, options), signal)
}

/** The records, as JSON, in as many items as they need. */
function split(records: readonly EncodedRecord[]): string[] {
  const items: string[] = []
  let part: string[] = []
  let bytes = 0
  const flush = () => {
    if (part.length > 0) items.push(`[${part.join(',')}]`)
    part = []
    bytes = 0
  }
  for (const { announcement } of records) {
    const size = Buffer.byteLength(announcement) + 1
    if (part.length === MAX_RECORDS || bytes + size > MAX_BYTES) flush()
    part.push(announcement)
    bytes += size
  }
  flush()
  return items
}
