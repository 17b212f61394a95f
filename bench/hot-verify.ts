/**
 * What verifying a token costs that was verified before, with a look-up of revocations each time, against looking it
 * up in a Map by its string: `node --expose-gc --import tsx bench/hot-verify.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { CachedRevocationStore } from '../src/revocation/cached-store.js'
import type { RevocationStore } from '../src/revocation/store.js'
import { RedisRevocationStore } from '../src/stores/redis/index.js'
import type { TokenVerifier } from '../src/verifier.js'
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
import { medians, type Run } from './verifiers/medians.js'
import { createRevocations, IN_MEMORY, revokeSessions } from './verifiers/revocations.js'
import { assertRefused, freshStrings, timedAsync, timedSync } from './verifiers/timed.js'
import { claimsOfSomebody, createMinter, mintTokens } from './verifiers/tokens.js'

const entries = isQuick ? 50_000 : 1_000_000
const redisEntries = isQuick ? 10_000 : 100_000
const repeated = 1_000
/** How often each is seen in a round, by those that remember it. */
const times = isQuick ? 2 : 5
const rounds = isQuick ? 5 : 31
const concurrency = 64
const inWords = entries.toLocaleString('en')
/** Later versions of Node.js hash strings in another way. */
const mapAtMost = process.versions.node.startsWith('20.') ? 0.6 : undefined

const minter = await createMinter()
const tokens = mintTokens(minter, repeated)
const revokedSession = randomUUID()
const revokedToken = minter.accessToken({ ...claimsOfSomebody(), origin_jti: revokedSession })
const revocations = await createRevocations(entries, [revokedSession])

/** One that has seen all of them, and knows one that was revoked. */
async function createWarm(revocation: RevocationStore | false): Promise<TokenVerifier<'access'>> {
  const verifier = createOurs(minter, revocation)
  await revocations.refresh()
  for (const token of tokens.fresh()) await verifier.verify(token)
  if (revocation !== false) await assertRefused(() => verifier.verify(revokedToken), /^token_revoked$/)
  return verifier
}

function sync(verify: VerifySync, timesEach = times): Run {
  return async () => {
    await revocations.refresh()
    return timedSync(freshStrings(tokens, repeated * timesEach), verify)
  }
}

function later(atOnce: number, verify: Verify, timesEach = times): Run {
  return async () => {
    await revocations.refresh()
    return timedAsync(freshStrings(tokens, repeated * timesEach), atOnce, verify)
  }
}

async function measure(redis: RevocationStore | undefined): Promise<void> {
  const map = new Map(tokens.fresh().map((token) => [token, { token }]))
  const mirror = await createWarm(revocations.mirror)
  const memory = await createWarm(revocations.store)
  const without = await createWarm(false)
  const cached = redis && (await createWarm(new CachedRevocationStore(redis)))
  const direct = redis && (await createWarm(redis))
  const fastJwt = createFastJwt(minter, { cache: true })
  const awsJwtVerify = createAwsJwtVerify(minter)
  const of = await medians(
    {
      map: sync((token) => map.get(token)),
      mirror: sync((token) => mirror.verifySync(token)),
      // Each is looked for anew, once: with one look-up for each piece of news.
      afterNews: async () => {
        await revocations.refresh()
        await revocations.news()
        return timedSync(freshStrings(tokens), (token) => mirror.verifySync(token))
      },
      recall: sync((token) => mirror.recall(token)),
      memory: sync((token) => memory.verifySync(token)),
      without: sync((token) => without.verifySync(token)),
      fastJwt: sync(fastJwt),
      verify: later(1, (token) => mirror.verify(token)),
      verifyMany: later(concurrency, (token) => mirror.verify(token)),
      ...(cached && { cached: later(concurrency, (token) => cached.verify(token)) }),
      ...(direct && { direct: later(concurrency, (token) => direct.verify(token)) }),
      // These remember nothing.
      fastJwtCold: sync(createFastJwt(minter, { cache: false }), 1),
      jsonWebToken: sync(createJsonWebToken(minter), 1),
      awsJwtVerify: sync(awsJwtVerify.verifySync, 1),
      jose: later(concurrency, createJose(minter), 1),
    },
    { rounds, warmUps: 3 },
  )
  const against = (name: string, what: Parameters<typeof of>[0], atMost?: number) =>
    reportRatio(name, [of(what), of('map')], 'µs', atMost)
  heading(`One of ${repeated.toLocaleString('en')} tokens seen before, against one Map look-up by its string`)
  against(`verifySync, mirror of ${inWords}, nothing new since`, 'mirror', mapAtMost)
  against('verifySync, the first time after a revocation', 'afterNews', mapAtMost)
  against('recall, the same', 'recall')
  against(`verifySync, MemoryRevocationStore of ${IN_MEMORY.toLocaleString('en')}`, 'memory')
  against('verifySync, revocation: false', 'without')
  against('verify, mirror, one at a time', 'verify')
  against(`verify, mirror, ${concurrency} at a time`, 'verifyMany')
  if (redis) against(`verify, CachedRevocationStore, Redis, ${concurrency} at a time`, 'cached')
  if (redis) against(`verify, Redis, ${concurrency} at a time`, 'direct')
  against('fast-jwt with its default cache', 'fastJwt')
  against('fast-jwt without its cache', 'fastJwtCold')
  against('jsonwebtoken', 'jsonWebToken')
  against('aws-jwt-verify verifySync', 'awsJwtVerify')
  against(`jose, ${concurrency} at a time`, 'jose')
  heading('A token seen before, nothing new since: as many times as fast as')
  reportSpeed('fast-jwt with its default cache', [of('mirror'), of('fastJwt')], 'µs', 4)
  reportSpeed('aws-jwt-verify verifySync', [of('mirror'), of('awsJwtVerify')], 'µs')
  heading('A token seen before, the first time after a revocation: as many times as fast as')
  reportSpeed('fast-jwt with its default cache', [of('afterNews'), of('fastJwt')], 'µs', 4)
  reportSpeed('aws-jwt-verify verifySync', [of('afterNews'), of('awsJwtVerify')], 'µs')
}

async function withServer(server: RedisServer | undefined): Promise<void> {
  if (server === undefined) return measure(undefined)
  const { client, end } = await redisClients.ioredis.connect(server)
  const store = new RedisRevocationStore({ client, commandTimeoutMs: 10_000 })
  await revokeSessions(store, redisEntries, [revokedSession])
  await measure(store)
  await store.close()
  await end()
}

await withRedisIfThere(withServer)
await revocations.close()
