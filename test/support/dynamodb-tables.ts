import { randomUUID } from 'node:crypto'
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll } from 'vitest'
import { createTable } from '../../src/stores/dynamodb/index.js'
import { Dynalite, localClient } from './dynalite.js'

/** A DynamoDB for the tests of a file. */
export interface SharedDynamoDB {
  /** A client that nobody else uses. */
  connect(): DynamoDBClient
  /** A table that nobody else uses; gives its name. */
  createTable(): Promise<string>
  dropTable(tableName: string): Promise<void>
}

/**
 * The DynamoDB of `DYNAMODB_ENDPOINT`, with Region and credentials from the environment, or a dynalite that is
 * started for the suite or file this is called in.
 */
export function sharedDynamoDB(): SharedDynamoDB {
  const endpoint = process.env.DYNAMODB_ENDPOINT
  let dynalite: Dynalite | undefined
  let admin: DynamoDBClient | undefined
  const clients: DynamoDBClient[] = []
  const tables = new Set<string>()
  const connect = () => {
    const client = endpoint ? new DynamoDBClient({ endpoint }) : localClient(dynalite?.endpoint ?? '')
    clients.push(client)
    return client
  }
  const adminClient = () => {
    admin ??= connect()
    return admin
  }
  const dropTable = async (tableName: string) => {
    tables.delete(tableName)
    await adminClient().send(new DeleteTableCommand({ TableName: tableName }))
  }
  beforeAll(async () => {
    if (!endpoint) dynalite = await Dynalite.start()
  })
  afterAll(async () => {
    if (endpoint) for (const table of tables) await dropTable(table)
    for (const client of clients) client.destroy()
    await dynalite?.stop()
  })
  return {
    connect,
    dropTable,
    async createTable() {
      const tableName = `test-${randomUUID()}`
      tables.add(tableName)
      // Dynalite has no TTL.
      await createTable({ client: adminClient(), tableName, ttl: endpoint !== undefined && endpoint !== '' })
      return tableName
    },
  }
}
