import { describe, it } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { createStores } from '../support/dynamodb-stores.js'
import { sharedDynamoDB } from '../support/dynamodb-tables.js'
import { layerConformanceTests } from '../support/layer-conformance.js'
import { readingOnly } from '../support/mirror-reader.js'

// Long: the machine may do much else, and DynamoDB itself takes its time to make a table.
const TIMEOUT_MS = 120_000

const dynamodb = sharedDynamoDB()

// What it is told is all from the feed: so another process may add as well.
describe('Over a DynamoDBRevocationStore, a mirror that is only read from', () => {
  const create = async () => {
    const { store, another, close } = await createStores(dynamodb)
    const mirror = new RevocationMirror(store)
    const other = await another()
    return {
      store: readingOnly(mirror, store),
      another: async () => other,
      close: async () => {
        await mirror.close()
        await close()
      },
    }
  }
  const tests = layerConformanceTests(create, { feedDeadlineMs: 60_000 })
  for (const { name, run } of tests) it.concurrent(name, run, TIMEOUT_MS)
})
