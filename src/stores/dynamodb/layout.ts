import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unexpected } from './dynamodb-errors.js'

/**
 * What is kept in the table. Its key is `pk` (string) and `sk` (number).
 *
 * - A revocation: `pk` is its key, `sk` 0; `expiresAt`, `cutoff`, `purgeAt`.
 * - The feed's counter: `pk` is `feed`, `sk` 0; `sequence`, `generation`.
 * - An announcement: `pk` is `feed:<generation>:<bucket>`, `sk` its number in the sequence; `records`, `purgeAt`.
 */
export type Item = Record<string, AttributeValue>

/** The table's key. */
export type ItemKey = { pk: { S: string }; sk: { N: string } }

/** The attribute by which DynamoDB's TTL deletes, in epoch seconds. */
export const TTL_ATTRIBUTE = 'purgeAt'

/**
 * Numbers of the sequence that share a partition key. So few that a key bears it if all of them, each as large as
 * an announcement gets, are put within a second: DynamoDB takes 1,000 KB a second for one. So many that a reader
 * need not ask for each. The same in all processes, for good.
 */
export const BUCKET_SIZE = 20

/** What the partition key of every announcement begins with, and of nothing else. */
export const ANNOUNCEMENT_PREFIX = 'feed:'

export const COUNTER_KEY: ItemKey = { pk: { S: 'feed' }, sk: { N: '0' } }

/** The key in an item. @throws StoreProtocolError */
export function readKey({ pk, sk }: Item): ItemKey {
  if (typeof pk?.S !== 'string' || typeof sk?.N !== 'string') throw unexpected()
  return { pk: { S: pk.S }, sk: { N: sk.N } }
}

export function recordItemKey(key: string): ItemKey {
  return { pk: { S: key }, sk: { N: '0' } }
}

/** The partition key of an announcement. In another generation, the same numbers are other ones. */
export function bucketKey(generation: string, sequence: number): string {
  return `${ANNOUNCEMENT_PREFIX}${generation}:${Math.floor(sequence / BUCKET_SIZE)}`
}

export function announcementKey(generation: string, sequence: number): ItemKey {
  return { pk: { S: bucketKey(generation, sequence) }, sk: { N: String(sequence) } }
}
