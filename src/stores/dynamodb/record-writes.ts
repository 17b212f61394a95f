import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { isNamed } from './dynamodb-errors.js'
import { recordItemKey } from './layout.js'
import type { EncodedRecord } from './records.js'
import type { Requests } from './requests.js'

/** Requests of one call that are under way at a time. */
const CONCURRENCY = 32

/** What grows, and only where it does. Each leaves a whole record behind, also where there was none, or a part. */
interface Growth {
  readonly update: string
  readonly condition: string
}

const EXPIRY: Growth = {
  update: 'SET expiresAt = :expiresAt, purgeAt = :purgeAt',
  condition: 'attribute_not_exists(expiresAt) OR expiresAt < :expiresAt',
}

const BOTH: Growth = {
  update: 'SET expiresAt = :expiresAt, purgeAt = :purgeAt, cutoff = :cutoff',
  condition:
    '(attribute_not_exists(expiresAt) OR expiresAt <= :expiresAt) AND ' +
    '(attribute_not_exists(cutoff) OR cutoff <= :cutoff)',
}

const EXPIRY_FIRST: Growth = {
  update: 'SET expiresAt = :expiresAt, purgeAt = :purgeAt, cutoff = if_not_exists(cutoff, :cutoff)',
  condition: EXPIRY.condition,
}

const THEN_CUTOFF: Growth = {
  update:
    'SET cutoff = :cutoff, expiresAt = if_not_exists(expiresAt, :expiresAt), ' +
    'purgeAt = if_not_exists(purgeAt, :purgeAt)',
  condition: 'attribute_not_exists(cutoff) OR cutoff < :cutoff',
}

/** Writes records, each merged with what is there by DynamoDB itself. */
export async function writeRecords(
  requests: Requests,
  records: readonly EncodedRecord[],
  signal?: AbortSignal,
): Promise<void> {
  let next = 0
  let failed = false
  const worker = async () => {
    while (next < records.length && !failed) {
      try {
        await writeRecord(requests, records[next++] as EncodedRecord, signal)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, records.length) }, worker))
}

async function writeRecord(requests: Requests, record: EncodedRecord, signal?: AbortSignal): Promise<void> {
  if (record.cutoff === undefined) {
    await grow(requests, record, EXPIRY, signal)
    return
  }
  if (await grow(requests, record, BOTH, signal)) return
  // The one is larger here, the other there, or there was one for a moment. The time first: from then on DynamoDB
  // deletes nothing between the two, and what is there meanwhile matches what it did, only longer.
  await grow(requests, record, EXPIRY_FIRST, signal)
  await grow(requests, record, THEN_CUTOFF, signal)
}

/** @returns whether it did; if not, what is there is as large */
async function grow(
  requests: Requests,
  { key, expiresAt, purgeAt, cutoff }: EncodedRecord,
  { update, condition }: Growth,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const command = new UpdateItemCommand({
    TableName: requests.tableName,
    Key: recordItemKey(key),
    UpdateExpression: update,
    ConditionExpression: condition,
    ExpressionAttributeValues: {
      ':expiresAt': { N: expiresAt },
      ':purgeAt': { N: purgeAt },
      ...(cutoff === undefined ? {} : { ':cutoff': { N: cutoff } }),
    },
  })
  try {
    await requests.run((client, options) => client.send(command, options), signal)
    return true
  } catch (error) {
    if (isNamed(error, 'ConditionalCheckFailedException')) return false
    throw error
  }
}
