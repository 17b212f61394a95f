/**
 * How long a mirror takes to load 1,000,000 revocations from Redis, against a bare ZSCAN of the same data:
 * `node --expose-gc --import tsx bench/redis-load.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { RevocationMirror } from '../src/revocation/mirror.js'
import { RedisRevocationStore } from '../src/stores/redis/index.js'
import { encodeMember, type ShardKeys, shardKeys } from '../src/stores/redis/layout.js'
import { redisClients } from '../test/support/redis-clients.js'
import type { RedisServer } from '../test/support/redis-server.js'
import { collectGarbage, heading, isQuick, median, report, reportRatio } from './measure.js'
import { withRedis } from './redis/server.js'
import { type Stalls, watchStalls } from './redis/stalls.js'
import { takeTurns } from './redis/turns.js'

const entries = isQuick ? 100_000 : 1_000_000
const rounds = isQuick ? 3 : 7

const poolId = 'us-east-1_AbCdEfGhI'
const namespace = 'load'
const [keys] = shardKeys(namespace, 1) as [ShardKeys]
const now = Math.floor(Date.now() / 1000)

/** Sessions, with a token and a user in ten each; straight into the sorted sets, since the feed is not read. */
async function fill(server: RedisServer): Promise<void> {
  const { client, end } = await redisClients.ioredis.connect(server)
  const store = new RedisRevocationStore({ client, namespace })
  // It writes what there is besides.
  await store.add([{ poolId, scope: 'pool', id: poolId, cutoff: 0, expiresAt: now + 86_400 }])
  for (let start = 1; start < entries; start += 2_000) {
    const expires: (string | number)[] = []
    const cutoffs: (string | number)[] = []
    for (let index = start; index < Math.min(start + 2_000, entries); index++) {
      const scope = index % 10 === 0 ? 'user' : index % 10 === 1 ? 'token' : 'session'
      const member = encodeMember(poolId, scope, randomUUID())
      expires.push(now + 3_600 + (index % 86_400), member)
      if (scope === 'user') cutoffs.push(now - (index % 86_400), member)
    }
    await client
      .pipeline()
      .zadd(keys.expires, ...expires)
      .zadd(keys.cutoffs, ...cutoffs)
      .exec()
  }
  await store.close()
  await end()
}

interface Loading extends Stalls {
  readonly ms: number
}

async function timed(run: () => Promise<void>): Promise<Loading> {
  collectGarbage()
  let ms = 0
  const stalls = await watchStalls(async () => {
    const startedAt = performance.now()
    await run()
    ms = performance.now() - startedAt
  })
  return { ms, ...stalls }
}

/** What the client parses, its scores as numbers; nothing is kept. */
async function scan(server: RedisServer): Promise<Loading> {
  const { client, end } = await redisClients.ioredis.connect(server)
  let read = 0
  const loading = await timed(async () => {
    let position = '0'
    do {
      const [next, page] = await client.zscan(keys.expires, position, 'COUNT', 1_000)
      for (let index = 1; index < page.length; index += 2) if (Number(page[index]) > 0) read += 1
      position = next
    } while (position !== '0')
  })
  await end()
  if (read < entries) throw new Error(`${read} were read`)
  return loading
}

async function load(server: RedisServer): Promise<Loading> {
  const { client, end } = await redisClients.ioredis.connect(server)
  const store = new RedisRevocationStore({ client, namespace, commandTimeoutMs: 10_000 })
  const mirror = new RevocationMirror(store, { readyTimeoutMs: 300_000, maxStalenessMs: 60_000 })
  const loading = await timed(() => mirror.ready())
  const { size } = mirror
  await mirror.close()
  await store.close()
  await end()
  if (size !== entries) throw new Error(`${size} were loaded`)
  return loading
}

await withRedis(async (server) => {
  heading(`Loading ${entries.toLocaleString('en')} revocations into a mirror, against a bare ZSCAN of them`)
  await fill(server)
  const { ours, bare } = await takeTurns(
    { ours: () => load(server), bare: () => scan(server) },
    { rounds, warmUps: 1 },
  )
  const of = (list: readonly Loading[], figure: keyof Loading) => list.map((loading) => loading[figure])
  reportRatio('until ready', [median(of(ours, 'ms')), median(of(bare, 'ms'))], 'ms', 2)
  report('event loop held up at a time, longest of a round', median(of(ours, 'longestMs')), 'ms', 50)
  report('  the same, of the bare one', median(of(bare, 'longestMs')), 'ms')
  report('  longest of all rounds', Math.max(...of(ours, 'longestMs')), 'ms')
  report('  the same, of the bare one', Math.max(...of(bare, 'longestMs')), 'ms')
  report('  longest of all rounds, by its own computing', Math.max(...of(ours, 'longestBusyMs')), 'ms', 50)
  report('  the same, of the bare one', Math.max(...of(bare, 'longestBusyMs')), 'ms')
})
