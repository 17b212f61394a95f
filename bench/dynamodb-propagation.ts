/**
 * How long it takes from a revocation until a mirror refuses, against a bare PutItem and a Query by polling as often,
 * over dynalite: `node --expose-gc --import tsx bench/dynamodb-propagation.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { RevocationMirror } from '../src/revocation/mirror.js'
import { createTable, DynamoDBRevocationStore } from '../src/stores/dynamodb/index.js'
import { Dynalite, localClient } from '../test/support/dynalite.js'
import { heading, isQuick, median, report, reportRatio } from './measure.js'
import { takeTurns } from './redis/turns.js'

const rounds = isQuick ? 3 : 9
const each = isQuick ? 10 : 40
const pollIntervalMs = 50

const poolId = 'us-east-1_AbCdEfGhI'
const tableName = 'revocations'
const now = Math.floor(Date.now() / 1000)

const dynalite = await Dynalite.start()
const writer = localClient(dynalite.endpoint)
const reader = localClient(dynalite.endpoint)
await createTable({ client: writer, tableName, ttl: false })
const options = { tableName, requestTimeoutMs: 20_000, pollIntervalMs }
const store = new DynamoDBRevocationStore({ client: writer, ...options })
const mirror = new RevocationMirror(new DynamoDBRevocationStore({ client: reader, ...options }))

/** Milliseconds, the median of several at moments of chance, until it is seen. */
async function times(once: () => Promise<void>): Promise<number> {
  const list: number[] = []
  for (let time = 0; time < each; time++) {
    await delay(Math.random() * pollIntervalMs)
    const sentAt = performance.now()
    await once()
    list.push(performance.now() - sentAt)
  }
  return median(list)
}

async function revoke(): Promise<void> {
  const originJti = randomUUID()
  await store.add([{ poolId, scope: 'session', id: originJti, expiresAt: now + 3_600 }])
  const token = { poolId, originJti, sub: 'sub', clientId: 'client', iat: now }
  while (mirror.findSync(token) === undefined) await delay(1)
}

let last = 0
let seen = 0
async function put(): Promise<void> {
  last += 1
  const Item = { pk: { S: 'bare' }, sk: { N: String(last) }, records: { S: randomUUID() } }
  await writer.send(new PutItemCommand({ TableName: tableName, Item }))
  while (seen < last) await delay(1)
}

let isPolling = true
async function poll(): Promise<void> {
  while (isPolling) {
    const command = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk AND sk > :seen',
      ExpressionAttributeValues: { ':pk': { S: 'bare' }, ':seen': { N: String(seen) } },
      ConsistentRead: true,
    })
    const { Items = [] } = await reader.send(command)
    for (const { sk } of Items) seen = Number(sk?.N)
    await delay(pollIntervalMs)
  }
}

try {
  heading(`From a revocation to its refusal by a mirror that polls every ${pollIntervalMs} ms`)
  await mirror.ready()
  const polling = poll()
  const of = await takeTurns({ ours: () => times(revoke), bare: () => times(put) }, { rounds, warmUps: 1 })
  isPolling = false
  await polling
  report('of this, by chance, until the next poll', pollIntervalMs / 2, 'ms')
  reportRatio('half of them within, against put and poll', [median(of.ours), median(of.bare)], 'ms', 3)
} finally {
  await mirror.close()
  await store.close()
  writer.destroy()
  reader.destroy()
  await dynalite.stop()
}
