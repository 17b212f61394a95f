import { ScanCommand } from '@aws-sdk/client-dynamodb'
import type { Revocation } from '../../revocation/revocation.js'
import { unexpected } from './dynamodb-errors.js'
import type { TailOptions } from './feed-tail.js'
import type { Item } from './layout.js'
import { readRecord } from './records.js'

/** Items in one page, and so records in one batch; DynamoDB itself ends a page at 1 MB. */
const PAGE_SIZE = 1_000

/** How a table is read. */
export interface ScanOptions extends TailOptions {
  /** Consistent reads cost twice as much. */
  readonly isConsistent: boolean
}

/** Reads all revocations that the table holds, page by page; what is there all the while is among them. */
export async function* scanRecords({
  requests,
  signal,
  isConsistent,
}: ScanOptions): AsyncGenerator<readonly Revocation[], void> {
  const ask = (startKey: Item | undefined) => {
    const command = new ScanCommand({
      TableName: requests.tableName,
      // Announcements have none.
      FilterExpression: 'attribute_exists(expiresAt)',
      ProjectionExpression: 'pk, expiresAt, cutoff',
      ConsistentRead: isConsistent,
      Limit: PAGE_SIZE,
      ExclusiveStartKey: startKey,
    })
    const page = requests.run((client, options) => client.send(command, options), signal)
    // Nobody may come to wait for it.
    page.catch(() => {})
    return page
  }
  let next: ReturnType<typeof ask> | undefined = ask(undefined)
  while (next !== undefined) {
    const { Items, LastEvaluatedKey }: Awaited<typeof next> = await next
    if (Items === undefined) throw unexpected()
    // The next page is on its way while this one is taken over.
    next = LastEvaluatedKey === undefined ? undefined : ask(LastEvaluatedKey)
    // An empty one as well: it is a sign of life.
    yield Items.map(readRecord)
  }
}
