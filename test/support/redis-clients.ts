import { type ClusterOptions, Redis as IORedis, Cluster as IORedisCluster, type RedisOptions } from 'ioredis'
import { Redis as IOValkey, Cluster as IOValkeyCluster, type RedisOptions as IOValkeyOptions } from 'iovalkey'
import { createClient, createCluster, type RedisClientOptions, type RedisClusterOptions } from 'redis'
import type { RedisAddress } from './redis-protocol.js'

// As it is now: a test may put fake timers in its place.
const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis

const CONNECT_WITHIN_MS = 10_000
const END_WITHIN_MS = 3000
/** How long ioredis and iovalkey wait for the other side's goodbye; a proxy that hangs does not say it. */
const disconnectTimeout = 100

interface RedisConnection<Client> {
  readonly client: Client
  /** Closes it at once, whatever state it is in; what it was still asked fails. */
  end(): Promise<void>
}

/** A kind of client, and how to make one of it. Its errors are not printed; commands fail as they would. */
interface RedisClientKind<Client, Options, Target> {
  readonly name: string
  /** Makes one and waits until it is ready. */
  connect(target: Target, options?: Options): Promise<RedisConnection<Client>>
  /** Makes one that connects in the background, as in a process that starts while Redis is down. */
  open(target: Target, options?: Options): RedisConnection<Client>
}

interface Making<Client> {
  readonly client: Client
  /** Resolves when it can be used. */
  readonly ready: Promise<unknown>
  close(): Promise<void>
}

// The options whose types change the client's are fixed, so that its type is known.
type IORedisOptions = Omit<RedisOptions, 'replyMapping'>
type IORedisClusterOptions = Omit<ClusterOptions, 'redisOptions'> & {
  readonly redisOptions?: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>
}
type NodeRedisOptions = Omit<
  RedisClientOptions,
  'RESP' | 'commandOptions' | 'functions' | 'modules' | 'scripts'
>
type NodeRedisClusterOptions = Omit<
  RedisClusterOptions,
  'RESP' | 'commandOptions' | 'functions' | 'modules' | 'rootNodes' | 'scripts'
>
type IOValkeyClusterOptions = NonNullable<ConstructorParameters<typeof IOValkeyCluster>[1]>
type ClusterNodes = readonly RedisAddress[]

const ioredis = kind('ioredis', (address: RedisAddress, options: IORedisOptions = {}) =>
  makeIORedis(new IORedis({ ...toIORedisOptions(address), ...options })),
)

const iovalkey = kind('iovalkey', (address: RedisAddress, options: IOValkeyOptions = {}) =>
  makeIORedis(new IOValkey({ ...toIORedisOptions(address), ...options })),
)

const nodeRedis = kind('node-redis', (address: RedisAddress, options: NodeRedisOptions = {}) =>
  makeNodeRedis(createClient({ ...toNodeRedisOptions(address, options) })),
)

/** The protocol that node-redis spoke by default before its version 6, and older servers only know. */
const nodeRedisWithResp2 = kind(
  'node-redis with RESP 2',
  (address: RedisAddress, options: NodeRedisOptions = {}) =>
    makeNodeRedis(createClient({ ...toNodeRedisOptions(address, options), RESP: 2 })),
)

const ioredisCluster = kind('ioredis', (nodes: ClusterNodes, options: IORedisClusterOptions = {}) =>
  makeIORedis(
    new IORedisCluster(nodes.map(toNode), {
      ...options,
      redisOptions: { disconnectTimeout, ...options.redisOptions },
    }),
  ),
)

const iovalkeyCluster = kind('iovalkey', (nodes: ClusterNodes, options: IOValkeyClusterOptions = {}) =>
  makeIORedis(
    new IOValkeyCluster(nodes.map(toNode), {
      ...options,
      redisOptions: { disconnectTimeout, ...options.redisOptions },
    }),
  ),
)

const nodeRedisCluster = kind('node-redis', (nodes: ClusterNodes, options: NodeRedisClusterOptions = {}) =>
  makeNodeRedis(createCluster({ ...options, rootNodes: nodes.map((node) => ({ socket: toNode(node) })) })),
)

/** Clients for one server. */
export const redisClients = { ioredis, nodeRedis, nodeRedisWithResp2, iovalkey }

/** Clients for a cluster, given some or all of its nodes. */
export const redisClusterClients = {
  ioredis: ioredisCluster,
  nodeRedis: nodeRedisCluster,
  iovalkey: iovalkeyCluster,
}

function kind<Client, Options, Target>(
  name: string,
  make: (target: Target, options?: Options) => Making<Client>,
): RedisClientKind<Client, Options, Target> {
  return {
    name,
    open(target, options) {
      const { client, ready, close } = make(target, options)
      ready.catch(() => {})
      return { client, end: close }
    },
    async connect(target, options) {
      const { client, ready, close } = make(target, options)
      try {
        await within(CONNECT_WITHIN_MS, ready, `${name} did not connect`)
        return { client, end: close }
      } catch (error) {
        await close()
        throw error
      }
    },
  }
}

/** What ioredis and its offspring have in common. */
interface IORedisLike {
  readonly status: string
  on(event: 'error', listener: () => void): unknown
  once(event: 'ready' | 'end', listener: () => void): unknown
  disconnect(): void
}

function makeIORedis<Client extends IORedisLike>(client: Client): Making<Client> {
  client.on('error', () => {})
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve)
    client.once('end', () => reject(new Error('the client has given up')))
  })
  const close = async () => {
    // Between two attempts there is no connection whose end could be told.
    const isConnected = !['end', 'wait', 'reconnecting'].includes(client.status)
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    client.disconnect()
    if (isConnected) await within(END_WITHIN_MS, ended, 'it did not end').catch(() => {})
  }
  return { client, ready, close }
}

interface NodeRedisLike {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  destroy(): void
}

function makeNodeRedis<Client extends NodeRedisLike>(client: Client): Making<Client> {
  client.on('error', () => {})
  const ready = client.connect()
  return { client, ready, close: async () => client.destroy() }
}

function toNode({ host, port }: RedisAddress): { host: string; port: number } {
  return { host, port }
}

function toIORedisOptions({ host, port, username, password, database, tls }: RedisAddress) {
  return {
    ...{ host, port, disconnectTimeout },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { db: database }),
    ...(tls && { tls: {} }),
  }
}

function toNodeRedisOptions(address: RedisAddress, options: NodeRedisOptions): NodeRedisOptions {
  const { host, port, username, password, database, tls } = address
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...options,
    socket: { host, port, ...(tls && { tls }), ...options.socket } as NonNullable<NodeRedisOptions['socket']>,
  }
}

async function within(ms: number, promise: Promise<unknown>, failure: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = startTimer(() => reject(new Error(`${failure} within ${ms} ms`)), ms)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    stopTimer(timer)
  }
}
