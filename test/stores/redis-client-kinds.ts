import { Redis as IORedis, Cluster as IORedisCluster, type RedisOptions } from 'ioredis'
import { Redis as IORedis5, Cluster as IORedisCluster5 } from 'ioredis5'
import { Redis as IOValkey, Cluster as IOValkeyCluster } from 'iovalkey'
import { createClient, createCluster, RESP_TYPES } from 'redis'
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5'
import type { RedisClient } from '../../src/stores/redis/index.js'
import type { RedisAddress } from '../support/redis-protocol.js'
import { afterTest } from './redis-harness.js'

/** Makes a client, connected where it has to be; it is closed after the test. */
export type OpenClient = (address: RedisAddress) => Promise<RedisClient>

/** Every string as a Buffer, as applications have it that keep bytes in Redis. */
const buffers = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.SIMPLE_STRING]: Buffer,
  [RESP_TYPES.VERBATIM_STRING]: Buffer,
}

/** The clients that the package declares as its peers, each in its oldest and its newest major version. */
export const clientKinds: Record<string, OpenClient> = {
  'ioredis 6': withIORedis(),
  'ioredis 5': async (address) => closing(new IORedis5(ioOptions(address))),
  iovalkey: async (address) => closing(new IOValkey(ioOptions(address))),
  'node-redis 6': withNodeRedis(),
  'node-redis 5': async (address) => connected(createClient5(nodeOptions(address))),
}

/** The same as applications set them up for themselves. */
export const clientSettings: Record<string, OpenClient> = {
  'ioredis with RESP 3': withIORedis({ protocol: 3 }),
  'ioredis with RESP 3 and its own replies': withIORedis({ protocol: 3, replyMapping: 'resp3' }),
  'ioredis with stringNumbers': withIORedis({ stringNumbers: true }),
  'ioredis with enableAutoPipelining': withIORedis({ enableAutoPipelining: true }),
  'ioredis with lazyConnect': withIORedis({ lazyConnect: true }),
  'ioredis without an offline queue': async (address) => {
    const client = new IORedis({ ...ioOptions(address), enableOfflineQueue: false })
    await new Promise((resolve) => client.once('ready', resolve))
    return closing(client)
  },
  'node-redis with RESP 2': withNodeRedis({ RESP: 2 }),
  'node-redis with RESP 3': withNodeRedis({ RESP: 3 }),
  'node-redis 5 with RESP 3': async (address) =>
    connected(createClient5({ ...nodeOptions(address), RESP: 3 })),
  'node-redis with Buffers': withNodeRedis({ commandOptions: { typeMapping: buffers } }),
  'node-redis 5 with Buffers': async (address) =>
    connected(createClient5({ ...nodeOptions(address), commandOptions: { typeMapping: buffers } })),
  'node-redis with Buffers, by withTypeMapping': async (address) =>
    (await connected(createClient(nodeOptions(address)))).withTypeMapping(buffers),
  'node-redis without an offline queue': withNodeRedis({ disableOfflineQueue: true }),
  'node-redis by a URL': async ({ host, port, username = '', password = '', database = 0 }) => {
    const credentials = password === '' ? '' : `${username}:${encodeURIComponent(password)}@`
    return connected(createClient({ url: `redis://${credentials}${host}:${port}/${database}` }))
  },
  'ioredis by a URL': async ({ host, port, username = '', password = '', database = 0 }) => {
    const credentials = password === '' ? '' : `${username}:${encodeURIComponent(password)}@`
    return closing(new IORedis(`redis://${credentials}${host}:${port}/${database}`))
  },
}

/** Those that put something before each key. */
export const clientsWithPrefix: Record<string, OpenClient> = {
  'ioredis 6 with keyPrefix': withIORedis({ keyPrefix: 'app:' }),
  'ioredis 5 with keyPrefix': async (address) =>
    closing(new IORedis5({ ...ioOptions(address), keyPrefix: 'app:' })),
  'iovalkey with keyPrefix': async (address) =>
    closing(new IOValkey({ ...ioOptions(address), keyPrefix: 'app:' })),
}

/** Those that give a command up after a quarter of a second; what blocks for longer must not be among it. */
export const clientsInAHurry: Record<string, OpenClient> = {
  'ioredis with commandTimeout': withIORedis({ commandTimeout: 250 }),
  'ioredis with socketTimeout': withIORedis({ socketTimeout: 250 }),
  'node-redis with commandOptions.timeout': withNodeRedis({ commandOptions: { timeout: 250 } }),
  'node-redis with socket.socketTimeout': async (address) =>
    connected(createClient({ socket: { ...nodeOptions(address).socket, socketTimeout: 250 } })),
}

interface Credentials {
  readonly username?: string
  readonly password?: string
}
/** Makes a client for a cluster of which these nodes are known; it is closed after the test. */
export type OpenClusterClient = (nodes: readonly RedisAddress[], user?: Credentials) => Promise<RedisClient>

/** Their clients for clusters. */
export const clusterKinds: Record<string, OpenClusterClient> = {
  'ioredis 6': async (nodes, user) =>
    closing(new IORedisCluster(nodes.map(place), { redisOptions: io(user) })),
  'ioredis 5': async (nodes, user) =>
    closing(new IORedisCluster5(nodes.map(place), { redisOptions: io(user) })),
  iovalkey: async (nodes, user) => closing(new IOValkeyCluster(nodes.map(place), { redisOptions: io(user) })),
  'node-redis 6': async (nodes, user) =>
    connected(createCluster({ rootNodes: nodes.map(root), ...(user && { defaults: user }) })),
  'node-redis 5': async (nodes, user) =>
    connected(createCluster5({ rootNodes: nodes.map(root), ...(user && { defaults: user }) })),
}

function place({ host, port }: RedisAddress) {
  return { host, port }
}

function root(node: RedisAddress) {
  return { socket: place(node) }
}

function io(user: Credentials = {}) {
  return { disconnectTimeout: 100, ...user }
}

function withIORedis(options: RedisOptions = {}): OpenClient {
  return async (address) => closing(new IORedis({ ...ioOptions(address), ...options } as object))
}

function withNodeRedis(options: object = {}): OpenClient {
  return async (address) => connected(createClient({ ...nodeOptions(address), ...options }))
}

function ioOptions({ host, port, username, password, database }: RedisAddress) {
  return {
    ...{ host, port, disconnectTimeout: 100 },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { db: database }),
  }
}

function nodeOptions({ host, port, username, password, database }: RedisAddress) {
  return {
    socket: { host, port },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
  }
}

function closing<Client extends { on(event: 'error', listener: () => void): unknown; disconnect(): void }>(
  client: Client,
): Client {
  client.on('error', () => {})
  afterTest(() => client.disconnect())
  return client
}

async function connected<
  Client extends {
    on(event: 'error', listener: () => void): unknown
    connect(): Promise<unknown>
    destroy(): void
  },
>(client: Client): Promise<Client> {
  client.on('error', () => {})
  afterTest(() => {
    // It throws where it is closed already, as the client of a feed is.
    try {
      client.destroy()
    } catch {}
  })
  await client.connect()
  return client
}
