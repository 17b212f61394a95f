import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describe, expectTypeOf, it } from 'vitest'
import type { RevocationStore } from '../../src/index.js'
import { createTable, DynamoDBRevocationStore } from '../../src/stores/dynamodb/index.js'

const client = new DynamoDBClient()

describe('a DynamoDBRevocationStore', () => {
  it('is a store, of a client and a table', () => {
    expectTypeOf(
      new DynamoDBRevocationStore({ client, tableName: 'revocations' }),
    ).toExtend<RevocationStore>()
    expectTypeOf(createTable({ client, tableName: 'revocations', ttl: false })).toEqualTypeOf<Promise<void>>()
  })

  it('must be told both', () => {
    // @ts-expect-error: a table is needed
    new DynamoDBRevocationStore({ client })
    // @ts-expect-error: a client is needed
    new DynamoDBRevocationStore({ tableName: 'revocations' })
    // @ts-expect-error: a Region is none
    new DynamoDBRevocationStore({ client: 'us-east-1', tableName: 'revocations' })
    // @ts-expect-error: a misspelt option
    new DynamoDBRevocationStore({ client, tableName: 'revocations', pollInterval: 1 })
  })
})
