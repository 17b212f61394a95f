/**
 * What verifying a token costs that was never seen before, with all checks and a look-up of revocations, against the
 * bare signature and against other libraries: `node --expose-gc --import tsx bench/cold-verify.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { CachedRevocationStore } from '../src/revocation/cached-store.js'
import type { RevocationStore } from '../src/revocation/store.js'
import { RedisRevocationStore } from '../src/stores/redis/index.js'
import { redisClients } from '../test/support/redis-clients.js'
import type { RedisServer } from '../test/support/redis-server.js'
import { heading, isQuick, reportRatio, reportSpeed } from './measure.js'
import { withRedisIfThere } from './redis/server.js'
import {
  createAwsJwtVerify,
  createFastJwt,
  createJose,
  createJsonWebToken,
  createOurs,
  type Verify,
  type VerifySync,
} from './verifiers/candidates.js'
import { BareSignatures } from './verifiers/limit.js'
import { medians, type Run } from './verifiers/medians.js'
import { createRevocations, IN_MEMORY, revokeSessions } from './verifiers/revocations.js'
import { assertRefused, freshStrings, timedAsync, timedSync } from './verifiers/timed.js'
import { claimsOfSomebody, createMinter, mintTokens } from './verifiers/tokens.js'

const entries = isQuick ? 50_000 : 1_000_000
const redisEntries = isQuick ? 10_000 : 100_000
const count = isQuick ? 200 : 1_000
const rounds = isQuick ? 3 : 15
const inWords = entries.toLocaleString('en')
const inMemory = IN_MEMORY.toLocaleString('en')

const minter = await createMinter()
const tokens = mintTokens(minter, count)
const bare = new BareSignatures(minter, tokens)
const revokedSession = randomUUID()
const revokedToken = minter.accessToken({ ...claimsOfSomebody(), origin_jti: revokedSession })
const revocations = await createRevocations(entries, [revokedSession])
const awsJwtVerify = createAwsJwtVerify(minter)

type Revocation = RevocationStore | false

/** With a verifier that has seen none of them, over what is made for it. */
function ours(createStore: () => Revocation): Run {
  return async () => {
    const verifier = createOurs(minter, createStore())
    await revocations.refresh()
    const time = timedSync(freshStrings(tokens), (token) => verifier.verifySync(token))
    if (createStore() !== false)
      await assertRefused(async () => verifier.verifySync(revokedToken), /^token_revoked$/)
    await verifier.close()
    return time
  }
}

function oursLater(concurrency: number, createStore: () => Revocation): Run {
  return async () => {
    const verifier = createOurs(minter, createStore())
    await revocations.refresh()
    const time = await timedAsync(freshStrings(tokens), concurrency, (token) => verifier.verify(token))
    await assertRefused(() => verifier.verify(revokedToken), /^token_revoked$/)
    await verifier.close()
    return time
  }
}

function other(verify: VerifySync): Run {
  return async () => timedSync(freshStrings(tokens), verify)
}

function otherLater(concurrency: number, verify: Verify): Run {
  return () => timedAsync(freshStrings(tokens), concurrency, verify)
}

async function oneAfterTheOther(): Promise<void> {
  const of = await medians(
    {
      limit: async () => bare.timedSync(),
      mirror: ours(() => revocations.mirror),
      memory: ours(() => revocations.store),
      without: ours(() => false),
      fastJwt: other(createFastJwt(minter, { cache: false })),
      jsonWebToken: other(createJsonWebToken(minter)),
      awsJwtVerify: other(awsJwtVerify.verifySync),
    },
    { rounds, warmUps: 3 },
  )
  heading(`A new token, synchronously, against the bare signature; 1.25 with the mirror is hoped for`)
  reportRatio(`verifySync, mirror of ${inWords}`, [of('mirror'), of('limit')], 'µs', 1.4)
  reportRatio(`verifySync, MemoryRevocationStore of as many`, [of('memory'), of('limit')], 'µs')
  reportRatio('verifySync, revocation: false', [of('without'), of('limit')], 'µs')
  reportRatio('fast-jwt without its cache', [of('fastJwt'), of('limit')], 'µs')
  reportRatio('jsonwebtoken', [of('jsonWebToken'), of('limit')], 'µs')
  reportRatio('aws-jwt-verify verifySync', [of('awsJwtVerify'), of('limit')], 'µs')
  heading('A new token, synchronously: verifySync with the mirror, as many times as fast as')
  reportSpeed('fast-jwt without its cache', [of('mirror'), of('fastJwt')], 'µs', 1)
  reportSpeed('jsonwebtoken', [of('mirror'), of('jsonWebToken')], 'µs')
  reportSpeed('aws-jwt-verify verifySync', [of('mirror'), of('awsJwtVerify')], 'µs', 1.35)
}

async function concurrently(concurrency: number, redis: RevocationStore | undefined): Promise<void> {
  const of = await medians(
    {
      limit: async () => bare.timedSync(),
      pool: () => bare.timedOnPool(concurrency),
      mirror: oursLater(concurrency, () => revocations.mirror),
      memory: oursLater(concurrency, () => revocations.store),
      // A cache that has been asked for none of them either.
      ...(redis && { cached: oursLater(concurrency, () => new CachedRevocationStore(redis)) }),
      ...(redis && { redis: oursLater(concurrency, () => redis) }),
      awsJwtVerify: otherLater(concurrency, awsJwtVerify.verify),
      jose: otherLater(concurrency, createJose(minter)),
    },
    { rounds, warmUps: 3 },
  )
  const isBounded = concurrency > 1
  const how = isBounded ? `${concurrency} at a time` : 'one at a time'
  heading(`A new token, ${how}, against the bare signature, synchronous`)
  reportRatio(`verify, mirror of ${inWords}`, [of('mirror'), of('limit')], 'µs', isBounded ? 0.9 : undefined)
  reportRatio(`verify, MemoryRevocationStore of ${inMemory}`, [of('memory'), of('limit')], 'µs')
  const inRedis = `Redis of ${redisEntries.toLocaleString('en')}`
  if (redis) reportRatio(`verify, CachedRevocationStore, ${inRedis}`, [of('cached'), of('limit')], 'µs')
  if (redis) reportRatio(`verify, ${inRedis}`, [of('redis'), of('limit')], 'µs')
  reportRatio('crypto.verify on the thread pool, bare', [of('pool'), of('limit')], 'µs')
  reportRatio('aws-jwt-verify verify', [of('awsJwtVerify'), of('limit')], 'µs')
  reportRatio('jose', [of('jose'), of('limit')], 'µs')
  heading(`A new token, ${how}: verify with the mirror, as many times as fast as`)
  reportSpeed('aws-jwt-verify verify', [of('mirror'), of('awsJwtVerify')], 'µs')
  reportSpeed('jose', [of('mirror'), of('jose')], 'µs', isBounded ? 2.5 : undefined)
}

async function later(server: RedisServer | undefined): Promise<void> {
  if (server === undefined) return bothWays(undefined)
  const { client, end } = await redisClients.ioredis.connect(server)
  const store = new RedisRevocationStore({ client, commandTimeoutMs: 10_000 })
  await revokeSessions(store, redisEntries, [revokedSession])
  await bothWays(store)
  await store.close()
  await end()
}

async function bothWays(redis: RevocationStore | undefined): Promise<void> {
  await concurrently(64, redis)
  await concurrently(1, redis)
}

await oneAfterTheOther()
await withRedisIfThere(later)
await revocations.close()
