import { RevocationMirror } from '../../src/index.js'
import { DynamoDBRevocationStore } from '../../src/stores/dynamodb/index.js'
import { localClient } from '../support/dynalite.js'

/** A script as people write them: it asks its mirror, and closes nothing. */

export interface DynamoDBIdleSettings {
  readonly endpoint: string
  readonly tableName: string
}

const { endpoint, tableName }: DynamoDBIdleSettings = JSON.parse(process.argv[2] ?? '')

void main()

async function main(): Promise<void> {
  const client = localClient(endpoint)
  const mirror = new RevocationMirror(new DynamoDBRevocationStore({ client, tableName, pollIntervalMs: 50 }))
  await mirror.ready()
  process.send?.('ready')
  // As long as the test takes to do something to DynamoDB.
  await new Promise((resolve) => process.once('message', resolve))
}
