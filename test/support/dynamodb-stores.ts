import { DynamoDBRevocationStore } from '../../src/stores/dynamodb/index.js'
import type { StoreUnderTest } from '../../src/testing/index.js'
import type { SharedDynamoDB } from './dynamodb-tables.js'

/** Two stores on a table of their own, as two processes have them. */
export async function createStores(dynamodb: SharedDynamoDB): Promise<Required<StoreUnderTest>> {
  const tableName = await dynamodb.createTable()
  const open = () => {
    const client = dynamodb.connect()
    // What is right is tested here, on however busy a machine; what comes too late, elsewhere.
    const options = { tableName, pollIntervalMs: 25, requestTimeoutMs: 15_000 }
    return { client, store: new DynamoDBRevocationStore({ client, ...options }) }
  }
  const [own, other] = [open(), open()]
  return {
    store: own.store,
    another: async () => other.store,
    close: async () => {
      await own.store.close()
      own.client.destroy()
      other.client.destroy()
      await dynamodb.dropTable(tableName)
    },
  }
}
