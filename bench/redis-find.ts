/**
 * How fast `RedisRevocationStore.find` is, 64 at a time, against a bare EXISTS of five keys by the same client:
 * `node --expose-gc --import tsx bench/redis-find.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { idInScope, REVOCATION_SCOPES } from '../src/revocation/revocation.js'
import { type RedisClient, RedisRevocationStore } from '../src/stores/redis/index.js'
import type { TokenIdentity } from '../src/tokens/token-identity.js'
import { redisClients } from '../test/support/redis-clients.js'
import type { RedisServer } from '../test/support/redis-server.js'
import { collectYoung, heading, isQuick, median, reportRatio } from './measure.js'
import { withRedis } from './redis/server.js'
import { takeTurns } from './redis/turns.js'
import { timed } from './timed.js'

const entries = 100_000
const concurrency = 64
const lookUps = isQuick ? 5_000 : 20_000
const rounds = isQuick ? 3 : 11
/** At least 0.8 of the throughput. */
const atMost = 1.25

const poolId = 'us-east-1_AbCdEfGhI'
const now = Math.floor(Date.now() / 1000)

type Exists = (keys: readonly string[]) => Promise<number>

/** A key for each scope, as one who keeps a key for each revocation would have them. */
function keysOf(token: TokenIdentity): string[] {
  const keys: string[] = []
  for (const scope of REVOCATION_SCOPES) {
    const id = idInScope(token, scope)
    if (id !== undefined) keys.push(`revoked:${poolId}:${scope}:${id}`)
  }
  return keys
}

/** As many as are looked up in a round, as they come out of tokens' payloads. */
function tokens(change: () => Partial<TokenIdentity>): TokenIdentity[] {
  const made = Array.from({ length: lookUps }, () => ({
    poolId,
    jti: randomUUID(),
    originJti: randomUUID(),
    sub: randomUUID(),
    clientId: '1example23456789abcdefghij',
    iat: now,
    authTime: now - 60,
    ...change(),
  }))
  const parsed: TokenIdentity[] = JSON.parse(JSON.stringify(made))
  collectYoung()
  collectYoung()
  return parsed
}

async function measure(name: string, client: RedisClient, exists: Exists, sessions: readonly string[]) {
  const store = new RedisRevocationStore({ client, commandTimeoutMs: 10_000 })
  const isRevoked = async (token: TokenIdentity) => (await store.find(token)) !== undefined
  const isThere = async (token: TokenIdentity) => (await exists(keysOf(token))) > 0
  const chance = () => sessions[Math.floor(Math.random() * sessions.length)] as string
  const fresh = () => tokens(() => ({}))
  const revoked = () => ({ originJti: chance() })
  const of = await takeTurns(
    {
      existsMiss: () => timed(fresh(), { concurrency, areThere: false }, isThere),
      findMiss: () => timed(fresh(), { concurrency, areThere: false }, isRevoked),
      existsHit: () => timed(tokens(revoked), { concurrency, areThere: true }, isThere),
      findHit: () => timed(tokens(revoked), { concurrency, areThere: true }, isRevoked),
    },
    { rounds, warmUps: 2 },
  )
  reportRatio(`${name}: not revoked`, [median(of.findMiss), median(of.existsMiss)], 'µs', atMost)
  reportRatio(`${name}: session revoked`, [median(of.findHit), median(of.existsHit)], 'µs', atMost)
  await store.close()
}

/** As many revocations, and as many keys. */
async function fill(server: RedisServer): Promise<string[]> {
  const sessions = Array.from({ length: entries }, () => randomUUID())
  const { client, end } = await redisClients.ioredis.connect(server)
  const store = new RedisRevocationStore({ client, commandTimeoutMs: 60_000 })
  const expiresAt = now + 86_400
  await store.add(sessions.map((id) => ({ poolId, scope: 'session', id, expiresAt })))
  for (let start = 0; start < entries; start += 1_000) {
    const ids = sessions.slice(start, start + 1_000)
    await client.mset(ids.flatMap((id) => [`revoked:${poolId}:session:${id}`, '1']))
  }
  await store.close()
  await end()
  return sessions
}

await withRedis(async (server) => {
  heading(
    `Look-ups among ${entries.toLocaleString('en')} revocations, ${concurrency} at a time, against EXISTS of five keys: ` +
      'time for each, at most 1.25 of it for 0.8 of the throughput',
  )
  const sessions = await fill(server)
  {
    const { client, end } = await redisClients.ioredis.connect(server)
    await measure('ioredis', client, (keys) => client.exists(...keys), sessions)
    await end()
  }
  {
    const { client, end } = await redisClients.nodeRedis.connect(server)
    await measure('node-redis', client, (keys) => client.exists([...keys]), sessions)
    await end()
  }
  {
    const { client, end } = await redisClients.iovalkey.connect(server)
    await measure('iovalkey', client, (keys) => client.exists(...keys), sessions)
    await end()
  }
})
