/**
 * How fast `DynamoDBRevocationStore.find` is, 32 at a time, against a bare BatchGetItem of five keys by the same
 * client, over dynalite: `node --expose-gc --import tsx bench/dynamodb-find.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { BatchGetItemCommand } from '@aws-sdk/client-dynamodb'
import { idInScope, REVOCATION_SCOPES } from '../src/revocation/revocation.js'
import { createTable, DynamoDBRevocationStore } from '../src/stores/dynamodb/index.js'
import type { TokenIdentity } from '../src/tokens/token-identity.js'
import { Dynalite, localClient } from '../test/support/dynalite.js'
import { heading, isQuick, median, reportRatio } from './measure.js'
import { takeTurns } from './redis/turns.js'
import { timed } from './timed.js'

const entries = isQuick ? 500 : 5_000
const lookUps = isQuick ? 300 : 2_000
const rounds = isQuick ? 3 : 9
const concurrency = 32
/** At least 0.8 of the throughput. */
const atMost = 1.25

const poolId = 'us-east-1_AbCdEfGhI'
const tableName = 'revocations'
const now = Math.floor(Date.now() / 1000)

function tokens(originJti: () => string): TokenIdentity[] {
  return Array.from({ length: lookUps }, () => ({
    ...{ poolId, jti: randomUUID(), originJti: originJti(), sub: randomUUID() },
    ...{ clientId: '1example23456789abcdefghij', iat: now, authTime: now - 60 },
  }))
}

const dynalite = await Dynalite.start()
const client = localClient(dynalite.endpoint)
try {
  heading(
    `Look-ups among ${entries.toLocaleString('en')} revocations, ${concurrency} at a time: time for each`,
  )
  await createTable({ client, tableName, ttl: false })
  const store = new DynamoDBRevocationStore({ client, tableName, requestTimeoutMs: 20_000 })
  const sessions = Array.from({ length: entries }, () => randomUUID())
  await store.add(sessions.map((id) => ({ poolId, scope: 'session', id, expiresAt: now + 86_400 })))
  const isRevoked = async (token: TokenIdentity) => (await store.find(token)) !== undefined
  const isThere = async (token: TokenIdentity) => {
    const Keys = REVOCATION_SCOPES.map((scope) => ({
      pk: { S: `${scope[0]}:${poolId}:${idInScope(token, scope)}` },
      sk: { N: '0' },
    }))
    const RequestItems = { [tableName]: { Keys, ConsistentRead: true } }
    const { Responses } = await client.send(new BatchGetItemCommand({ RequestItems }))
    return (Responses?.[tableName]?.length ?? 0) > 0
  }
  const chance = () => sessions[Math.floor(Math.random() * sessions.length)] as string
  const of = await takeTurns(
    {
      bareMiss: () => timed(tokens(randomUUID), { concurrency, areThere: false }, isThere),
      findMiss: () => timed(tokens(randomUUID), { concurrency, areThere: false }, isRevoked),
      bareHit: () => timed(tokens(chance), { concurrency, areThere: true }, isThere),
      findHit: () => timed(tokens(chance), { concurrency, areThere: true }, isRevoked),
    },
    { rounds, warmUps: 2 },
  )
  reportRatio('not revoked, against BatchGetItem', [median(of.findMiss), median(of.bareMiss)], 'µs', atMost)
  reportRatio('session revoked, against BatchGetItem', [median(of.findHit), median(of.bareHit)], 'µs', atMost)
} finally {
  client.destroy()
  await dynalite.stop()
}
