import type { Observer } from '../../observer.js'
import {
  assertInteger,
  assertOptionalFunction,
  assertOptions,
  assertString,
  optionError,
} from '../../options.js'
import { isRedisClient, type RedisClient } from './redis-client.js'

/** Options of a `RedisRevocationStore`. */
export interface RedisRevocationStoreOptions {
  /** A client of ioredis, iovalkey or node-redis (connected by you), also of a cluster. Stays yours to close. */
  readonly client: RedisClient
  /** Begins every key, so that one Redis can serve several. Default 'cognito-revocation'. */
  readonly namespace?: string
  /**
   * Over how many slots of a cluster the pools are spread. The same in all processes, for good: another number
   * is refused. Default 1, which is enough for some ten thousand revocations a second.
   */
  readonly shards?: number
  /** Makes a client for a change feed, which must be nobody else's. Default: `client.duplicate()`, with no retries. */
  readonly createFeedClient?: () => RedisClient | Promise<RedisClient>
  /** How many replicas must confirm a revocation (WAIT) before it is acknowledged. Default 0. */
  readonly waitForReplicas?: number
  /** How long a command may take, in milliseconds. Default 1,000. */
  readonly commandTimeoutMs?: number
  /** How often an idle change feed makes sure that nothing was missed, in milliseconds. Default 1,000. */
  readonly heartbeatMs?: number
  /** How many entries the change feed keeps, about; a reader further behind reads everything. Default 100,000. */
  readonly feedLength?: number
  /** Is told where the server may evict keys (`redis_may_evict`). */
  readonly observer?: Observer
}

/** All options, checked, with their defaults. */
export interface CheckedRedisOptions {
  readonly client: RedisClient
  readonly namespace: string
  readonly shards: number
  readonly createFeedClient: RedisRevocationStoreOptions['createFeedClient']
  readonly waitForReplicas: number
  readonly commandTimeoutMs: number
  readonly heartbeatMs: number
  readonly feedLength: number
  readonly observer: Observer | undefined
}

const OWNER = 'RedisRevocationStore'
const KNOWN = [
  ...['client', 'namespace', 'shards', 'createFeedClient', 'waitForReplicas', 'commandTimeoutMs'],
  ...['heartbeatMs', 'feedLength', 'observer'],
]

/** @throws TypeError naming the option */
export function checkRedisOptions(options: RedisRevocationStoreOptions): CheckedRedisOptions {
  assertOptions(OWNER, options, KNOWN)
  const { client, namespace = 'cognito-revocation', shards = 1, waitForReplicas = 0 } = options
  const { commandTimeoutMs = 1_000, heartbeatMs = 1_000, feedLength = 100_000 } = options
  if (!isRedisClient(client)) {
    throw optionError(
      OWNER,
      'client',
      'a client of ioredis, iovalkey or node-redis (not of its sentinels)',
      client,
    )
  }
  assertString(OWNER, 'namespace', namespace)
  // A hash tag ends at the first brace; patterns of ACLs have no others to escape.
  if (!/^[\w.:/-]{1,128}$/.test(namespace)) {
    throw optionError(OWNER, 'namespace', 'up to 128 letters, digits and any of _ . : / -')
  }
  assertInteger(OWNER, 'shards', shards, 1, 1_024)
  assertInteger(OWNER, 'waitForReplicas', waitForReplicas, 0, 100)
  assertInteger(OWNER, 'commandTimeoutMs', commandTimeoutMs, 10, 60_000)
  assertInteger(OWNER, 'heartbeatMs', heartbeatMs, 10, 60_000)
  assertInteger(OWNER, 'feedLength', feedLength, 1, 100_000_000)
  assertOptionalFunction(OWNER, 'createFeedClient', options.createFeedClient)
  assertOptionalFunction(OWNER, 'observer', options.observer)
  return {
    client,
    namespace,
    shards,
    createFeedClient: options.createFeedClient,
    waitForReplicas,
    commandTimeoutMs,
    heartbeatMs,
    feedLength,
    observer: options.observer,
  }
}
