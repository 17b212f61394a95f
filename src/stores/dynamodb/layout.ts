import type { AttributeValue } from '@aws-sdk/client-dynamodb'

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
 * Numbers of the sequence that share a partition key. Few, so that a partition bears what is added at once; the
 * same in all processes, for good.
 */
export const BUCKET_SIZE = 100

export const COUNTER_KEY: ItemKey = { pk: { S: 'feed' }, sk: { N: '0' } }

export function recordItemKey(key: string): ItemKey {
  return { pk: { S: key }, sk: { N: '0' } }
}

/** The partition key of an announcement. In another generation, the same numbers are other ones. */
export function bucketKey(generation: string, sequence: number): string {
  return `feed:${generation}:${Math.floor(sequence / BUCKET_SIZE)}`
}

export function announcementKey(generation: string, sequence: number): ItemKey {
  return { pk: { S: bucketKey(generation, sequence) }, sk: { N: String(sequence) } }
}
