import { describe, it } from 'vitest'
import { storeConformanceTests } from '../../src/testing/index.js'
import { createStores } from '../support/dynamodb-stores.js'
import { sharedDynamoDB } from '../support/dynamodb-tables.js'

// Long: the machine may do much else, and DynamoDB itself takes its time to make a table.
const TIMEOUT_MS = 120_000

const dynamodb = sharedDynamoDB()

describe('A DynamoDBRevocationStore', () => {
  const tests = storeConformanceTests(() => createStores(dynamodb), { feedDeadlineMs: 60_000 })
  for (const { name, run } of tests) it.concurrent(name, run, TIMEOUT_MS)
})
