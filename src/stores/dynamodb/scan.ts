import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb'
import { pause } from '../../pause.js'
import type { Revocation } from '../../revocation/revocation.js'
import { isTransient, unexpected } from './dynamodb-errors.js'
import type { TailOptions } from './feed-tail.js'
import { ANNOUNCEMENT_PREFIX, COUNTER_KEY, type ItemKey, readKey } from './layout.js'
import { readRecord } from './records.js'

/** Items in one page, and so records in one batch; DynamoDB itself ends a page at 1 MB. */
const PAGE_SIZE = 1_000
/** Between two tries of a page, in milliseconds. */
const FIRST_RETRY_MS = 250
const LONGEST_RETRY_MS = 4_000

/** How a table is read. */
export interface ScanOptions extends TailOptions {
  /** Consistent reads cost twice as much. */
  readonly isConsistent: boolean
  /** Where to go on from. Default: from the beginning. */
  readonly from?: ItemKey | undefined
}

/** A part of what the table holds. */
export interface ScanPage {
  readonly revocations: readonly Revocation[]
  /** Where the next one begins; undefined after the last. */
  readonly place: ItemKey | undefined
}

/**
 * Reads all revocations that the table holds, page by page; what is there all the while is among them. Where
 * DynamoDB throttles or fails for a moment, an empty page comes, and it is asked again: with many readers it would
 * never end if each began anew.
 */
export async function* scanRecords(options: ScanOptions): AsyncGenerator<ScanPage, void> {
  const { signal } = options
  let place = options.from
  let next: Promise<ScanCommandOutput> | undefined = askPage(options, place)
  for (let failures = 0; next !== undefined; ) {
    let page: ScanCommandOutput
    try {
      page = await next
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error
      // It is given, also so that nobody tries for ever where nobody asks any more.
      yield { revocations: [], place }
      const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)
      await pause(longest * (0.5 + Math.random() / 2), signal)
      failures += 1
      next = askPage(options, place)
      continue
    }
    failures = 0
    const { Items, LastEvaluatedKey } = page
    if (Items === undefined) throw unexpected()
    place = LastEvaluatedKey === undefined ? undefined : readKey(LastEvaluatedKey)
    // The next page is on its way while this one is taken over.
    next = place === undefined ? undefined : askPage(options, place)
    // An empty one as well: it is a sign of life.
    yield { revocations: Items.map(readRecord), place }
  }
}

function askPage(
  { requests, signal, isConsistent }: ScanOptions,
  startKey: ItemKey | undefined,
): Promise<ScanCommandOutput> {
  const command = new ScanCommand({
    TableName: requests.tableName,
    // All but the feed itself: what this store did not write is to be seen.
    FilterExpression: 'NOT (pk = :counter OR begins_with(pk, :announcement))',
    ExpressionAttributeValues: { ':counter': COUNTER_KEY.pk, ':announcement': { S: ANNOUNCEMENT_PREFIX } },
    ProjectionExpression: 'pk, sk, expiresAt, cutoff',
    ConsistentRead: isConsistent,
    Limit: PAGE_SIZE,
    ExclusiveStartKey: startKey,
  })
  const page = requests.run((client, options) => client.send(command, options), signal)
  // Nobody may come to wait for it.
  page.catch(() => {})
  return page
}
