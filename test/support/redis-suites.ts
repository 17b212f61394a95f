import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, it } from 'vitest'
import {
  parseRedisUrl,
  type RedisAddress,
  type RedisCommand,
  type RedisReply,
  sendCommand,
} from './redis-protocol.js'
import { type Environment, redisServerPath, startRedis } from './redis-server.js'

/** What a suite needs: any Redis, or servers of its own, which it starts, kills and configures. */
export type RedisNeed = 'any' | 'own'

/** What becomes of a suite: it runs, or is skipped visibly, or, where all must run, fails. */
export interface RedisPlan {
  readonly action: 'run' | 'skip' | 'fail'
  /** Why it does not run. */
  readonly reason: string
}

export function redisAvailable(need: RedisNeed = 'any', env: Environment = process.env): boolean {
  return redisServerPath(env) !== undefined || (need === 'any' && !!env.REDIS_URL)
}

export function planRedisSuite(need: RedisNeed, env: Environment = process.env): RedisPlan {
  if (redisAvailable(need, env)) return { action: 'run', reason: '' }
  // Somebody has chosen a Redis to test with: it is no mistake that there is no other.
  if (env.REDIS_URL)
    return { action: 'skip', reason: 'it starts servers itself, and no redis-server is there' }
  const reason = 'no redis-server is there: run `npm run engines`'
  return { action: /^(true|1)$/i.test(env.CI ?? '') ? 'fail' : 'skip', reason }
}

/** A suite that needs a Redis, see `sharedRedis`; without one it is skipped, or fails under `CI=true`. */
export function describeWithRedis(name: string, suite: () => void): void {
  describeByPlan(name, suite, planRedisSuite('any'))
}

/** A suite that starts Redis servers itself: `REDIS_URL` does not do for it. */
export function describeWithRedisServer(name: string, suite: () => void): void {
  describeByPlan(name, suite, planRedisSuite('own'))
}

function describeByPlan(name: string, suite: () => void, { action, reason }: RedisPlan): void {
  if (action === 'run') describe(name, suite)
  else if (action === 'skip') {
    // Also said aloud: vitest's default reporter only counts what is skipped.
    console.warn(`Skipped: ${name}: ${reason}`)
    describe.skip(`${name} (skipped: ${reason})`, suite)
  } else {
    describe(name, () => {
      it('has a Redis to run against', () => {
        throw new Error(reason)
      })
    })
  }
}

export interface SharedRedis extends RedisAddress {
  /** Sends one command on a connection of its own. */
  run(...command: RedisCommand): Promise<RedisReply>
}

/** What would harm others who use the Redis that `REDIS_URL` names. */
const NOT_IN_SOMEBODYS_REDIS = /^(acl|config|debug|failover|flush.*|replicaof|shutdown|slaveof|swapdb)$/i

/**
 * The Redis of `REDIS_URL`, or one that is started for the suite or file this is called in. Other tests may
 * use the same one: keys go into namespaces of `freshNamespace`, and are removed in the end.
 */
export function sharedRedis(): () => SharedRedis {
  let redis: SharedRedis | undefined
  let end: () => Promise<unknown> = async () => {}
  beforeAll(async () => {
    if (!redisAvailable()) return
    if (process.env.REDIS_URL) {
      const address = parseRedisUrl(process.env.REDIS_URL)
      await sendCommand(address, 'PING')
      redis = { ...address, run: (...command) => runPolitely(address, command) }
      end = () => removeKeys(address, RUN)
    } else {
      const server = await startRedis()
      redis = server
      end = () => server.stop()
    }
  })
  afterAll(() => end())
  return () => {
    if (redis === undefined) throw new Error('there is a Redis in tests of `describeWithRedis` only')
    return redis
  }
}

/** What the names of this file's namespaces have in common, and no other file's. */
const RUN = `test-${randomBytes(6).toString('hex')}`
let namespaces = 0

/** A name for keys that nobody else uses: lower-case letters, digits and hyphens. */
export function freshNamespace(): string {
  namespaces += 1
  return `${RUN}-${namespaces}`
}

function runPolitely(address: RedisAddress, command: RedisCommand): Promise<RedisReply> {
  const [name] = command
  if (!NOT_IN_SOMEBODYS_REDIS.test(String(name))) return sendCommand(address, ...command)
  return Promise.reject(new Error(`${name} is not for the Redis of REDIS_URL: use startRedis()`))
}

async function removeKeys(address: RedisAddress, part: string): Promise<void> {
  let cursor = '0'
  do {
    const reply = await sendCommand(address, 'SCAN', cursor, 'MATCH', `*${part}*`, 'COUNT', 1000)
    const [next, keys] = reply as [string, string[]]
    if (keys.length > 0) await sendCommand(address, 'UNLINK', ...keys)
    cursor = next
  } while (cursor !== '0')
}
