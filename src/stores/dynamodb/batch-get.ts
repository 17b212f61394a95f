import { BatchGetItemCommand } from '@aws-sdk/client-dynamodb'
import { UnprocessedError, unexpected } from './dynamodb-errors.js'
import { type Item, type ItemKey, readKey } from './layout.js'
import type { Requests } from './requests.js'

/** DynamoDB's own limit. */
export const MAX_KEYS = 100

/**
 * Those of the items that are there, by consistent reads.
 *
 * @param keys at most {@link MAX_KEYS}, no two the same
 * @throws StoreProtocolError where DynamoDB answers for others
 */
export async function batchGet(
  requests: Requests,
  keys: readonly ItemKey[],
  signal?: AbortSignal,
): Promise<Item[]> {
  const { tableName } = requests
  const left = new Map(keys.map((key) => [nameOf(key), key]))
  const items: Item[] = []
  await requests.run(async (client, options) => {
    const command = new BatchGetItemCommand({
      RequestItems: {
        [tableName]: {
          Keys: [...left.values()],
          ConsistentRead: true,
        },
      },
    })
    const { Responses, UnprocessedKeys } = await client.send(command, options)
    const answered = Responses?.[tableName]
    const unprocessed = UnprocessedKeys?.[tableName]?.Keys ?? []
    if (answered === undefined && unprocessed.length === 0) throw unexpected()
    const missing = new Map<string, ItemKey>()
    for (const key of unprocessed) {
      const known = left.get(nameOf(key))
      if (known === undefined) throw unexpected()
      missing.set(nameOf(known), known)
    }
    for (const item of answered ?? []) {
      const name = nameOf(item)
      // Each once, and only what was asked for.
      if (!left.delete(name) || missing.has(name)) throw unexpected()
      items.push(item)
    }
    left.clear()
    for (const [name, key] of missing) left.set(name, key)
    if (left.size > 0) throw new UnprocessedError()
  }, signal)
  return items
}

function nameOf(item: Item | ItemKey): string {
  const { pk, sk } = readKey(item)
  return `${sk.N} ${pk.S}`
}
