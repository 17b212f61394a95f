import { withDeadline } from '../../deadline.js'

// biome-ignore lint/suspicious/noExplicitAny: the signatures of the clients differ, and so do their versions
type AnyFunction = (...args: any[]) => any

/**
 * A client of ioredis, iovalkey or node-redis, for one server, sentinels (ioredis, iovalkey) or a cluster: what
 * it can do decides, not what its class is called.
 */
export type RedisClient =
  | { readonly call: AnyFunction; readonly duplicate: AnyFunction; readonly disconnect: AnyFunction }
  | { readonly sendCommand: AnyFunction; readonly duplicate: AnyFunction; readonly destroy: AnyFunction }

/** A way to send commands. `key` is for finding the node of a cluster. */
export interface RedisConnection {
  send(key: string, command: readonly string[]): Promise<unknown>
  /** Sends commands one right after the other, over the same connection. */
  pipeline(key: string, commands: readonly (readonly string[])[]): Promise<unknown[]>
}

/** A connection that nobody else uses, which fails once and for all. */
export interface OwnRedisConnection extends RedisConnection {
  /** Ends it at once; what is under way is rejected. */
  destroy(): void
  /** Whether it has ended, as far as is known. */
  isClosed(): boolean
}

interface IoRedis {
  call(...command: readonly string[]): Promise<unknown>
  pipeline(commands: readonly (readonly string[])[]): { exec(): Promise<[Error | null, unknown][] | null> }
  duplicate(...args: unknown[]): IoRedis
  connect(): Promise<void>
  disconnect(): void
  on(event: 'error', listener: (error: unknown) => void): void
  nodes?(role: string): IoRedis[]
  /** Of a cluster. */
  readonly subscriber?: { getInstance?(): IoRedis | null }
  readonly stream?: { unref?(): void; destroy?(): void }
  readonly status?: string
  readonly options?: { readonly redisOptions?: object }
}

interface NodeRedis {
  sendCommand(...args: unknown[]): Promise<unknown>
  duplicate(overrides: object): NodeRedis
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: () => void): void
  unref?(): void
  nodeClient?(node: unknown): NodeRedis | Promise<NodeRedis>
  readonly slots?: readonly ({ readonly master?: unknown } | undefined)[]
  getSentinelNode?: unknown
  readonly isOpen?: boolean
  readonly options?: { readonly socket?: object }
  // Of a cluster:
  readonly masters?: readonly { readonly client?: NodeRedis }[]
  readonly replicas?: readonly { readonly client?: NodeRedis }[]
  readonly _options?: { readonly defaults?: { readonly socket?: object } }
}

/** Whether something is a client that this library can talk through. */
export function isRedisClient(value: unknown): value is RedisClient {
  return isIoRedis(value) || isNodeRedis(value)
}

/** Sends commands through a client that is in use elsewhere too. */
export function shareConnection(client: RedisClient): RedisConnection {
  return isIoRedis(client) ? ioRedisConnection(client) : nodeRedisConnection(client as unknown as NodeRedis)
}

/**
 * Opens a connection of its own after the model of a client: the same server and credentials, replies as in
 * RESP 2, and no reconnecting, since what was under way would be sent again without anybody knowing.
 */
export async function openConnection(client: RedisClient, timeoutMs: number): Promise<OwnRedisConnection> {
  return isIoRedis(client)
    ? openIoRedis(duplicateIoRedis(client), timeoutMs)
    : openNodeRedis(duplicateNodeRedis(client as unknown as NodeRedis), timeoutMs)
}

/** Makes a connection out of a client that was made for this purpose. */
export async function adoptConnection(client: RedisClient, timeoutMs: number): Promise<OwnRedisConnection> {
  return isIoRedis(client)
    ? openIoRedis(client, timeoutMs)
    : openNodeRedis(client as unknown as NodeRedis, timeoutMs)
}

/** Does not keep the process alive, nor do the nodes of a cluster, which are connected as they are needed. */
function unreferenced({ send, pipeline }: RedisConnection, unref: () => void): RedisConnection {
  unref()
  return {
    send: (key, command) => send(key, command).finally(unref),
    pipeline: (key, commands) => pipeline(key, commands).finally(unref),
  }
}

function isIoRedis(value: unknown): value is RedisClient & IoRedis {
  const client = value as Partial<IoRedis> | null | undefined
  return [client?.call, client?.duplicate, client?.disconnect].every((method) => typeof method === 'function')
}

function isNodeRedis(value: unknown): value is RedisClient & NodeRedis {
  const client = value as Partial<NodeRedis> | null | undefined
  // Its client for sentinels has the same methods with other arguments; its pool has no duplicate().
  const methods = [client?.sendCommand, client?.duplicate, client?.destroy]
  return methods.every((method) => typeof method === 'function') && client?.getSentinelNode === undefined
}

// ---- ioredis and iovalkey ----------------------------------------------------------------------------

function ioRedisConnection(client: IoRedis): RedisConnection {
  // iovalkey finds the keys, which tell a cluster's node, only in commands in lower case.
  const lower = ([name = '', ...args]: readonly string[]) => [name.toLowerCase(), ...args]
  return {
    send: (_, command) => client.call(...lower(command)),
    pipeline: async (_, commands) => {
      const queue = commands.map((command) => ['call', ...lower(command)])
      const replies = (await client.pipeline(queue).exec()) ?? []
      return replies.map(([error, reply]) => {
        if (error) throw error
        return reply
      })
    },
  }
}

function duplicateIoRedis(client: IoRedis): IoRedis {
  const one = {
    lazyConnect: true,
    disconnectTimeout: 10,
    retryStrategy: null,
    reconnectOnError: null,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    enableOfflineQueue: true,
    maxRetriesPerRequest: 0,
    commandTimeout: undefined,
    socketTimeout: undefined,
    blockingTimeout: undefined,
    protocol: 2,
    replyMapping: 'legacy',
    monitor: false,
  }
  if (typeof client.nodes !== 'function') return client.duplicate(one)
  const { lazyConnect, retryStrategy, ...redisOptions } = one
  return client.duplicate([], {
    lazyConnect,
    clusterRetryStrategy: retryStrategy,
    scaleReads: 'master',
    protocol: 2,
    replyMapping: 'legacy',
    // Versions before 6 would not merge them: without credentials, and without TLS.
    redisOptions: { ...client.options?.redisOptions, ...redisOptions },
  })
}

async function openIoRedis(client: IoRedis, timeoutMs: number): Promise<OwnRedisConnection> {
  let reason: unknown
  client.on('error', (error) => {
    reason = error
  })
  const destroy = () => {
    // It waits for the goodbye of a peer that may hang or be gone, and keeps the process alive meanwhile.
    if (client.status !== 'end') client.disconnect()
    client.stream?.destroy?.()
  }
  try {
    const isOpen = client.status !== undefined && client.status !== 'wait' && client.status !== 'end'
    if (!isOpen) await withDeadline('The connection to Redis', timeoutMs, client.connect())
  } catch (error) {
    destroy()
    // What connect() itself says is that the connection is closed.
    throw reason ?? error
  }
  const unref = () => {
    const nodes = client.nodes?.('all') ?? [client]
    // Of a cluster, it has a connection for subscriptions as well, though nobody subscribes.
    for (const node of [...nodes, client.subscriber?.getInstance?.()]) node?.stream?.unref?.()
  }
  const isClosed = () => client.status === 'end'
  return { ...unreferenced(ioRedisConnection(client), unref), destroy, isClosed }
}

// ---- node-redis --------------------------------------------------------------------------------------

function nodeRedisConnection(client: NodeRedis): RedisConnection {
  const isCluster = client.nodeClient !== undefined
  // Strings, where the client is set up to give Buffers.
  const options = { typeMapping: undefined }
  const send = (key: string, command: readonly string[]) =>
    isCluster ? client.sendCommand(key, false, command, options) : client.sendCommand(command, options)
  return {
    send,
    pipeline: async (key, commands) => {
      // One node for all: a redirection would send each its own way, and WAIT has no key to be redirected by.
      const master = client.slots?.[slotOf(key)]?.master
      const node = isCluster ? await client.nodeClient?.(master) : client
      if (node === undefined) throw new Error('the cluster has no node for the key')
      return Promise.all(commands.map((command) => node.sendCommand(command, options)))
    },
  }
}

function duplicateNodeRedis(client: NodeRedis): NodeRedis {
  const own = { RESP: 2, maintNotifications: 'disabled', commandOptions: {}, clientSideCache: undefined }
  const { options, _options: clusterOptions } = client
  const socket = { reconnectStrategy: false, socketTimeout: undefined }
  if (client.nodeClient === undefined) {
    return client.duplicate({ ...own, socket: { ...options?.socket, ...socket } })
  }
  const defaults = clusterOptions && {
    defaults: { ...clusterOptions.defaults, socket: { ...clusterOptions.defaults?.socket, ...socket } },
  }
  return client.duplicate({ ...own, ...defaults, useReplicas: false })
}

async function openNodeRedis(client: NodeRedis, timeoutMs: number): Promise<OwnRedisConnection> {
  client.on('error', () => {})
  const destroy = () => {
    // It throws where it is closed already.
    try {
      client.destroy()
    } catch {}
  }
  try {
    if (client.isOpen !== true) await withDeadline('The connection to Redis', timeoutMs, client.connect())
  } catch (error) {
    destroy()
    throw error
  }
  const unref = () => {
    const nodes = [...(client.masters ?? []), ...(client.replicas ?? [])]
    for (const one of [client, ...nodes.map((node) => node.client)]) one?.unref?.()
  }
  const isClosed = () => client.isOpen === false
  return { ...unreferenced(nodeRedisConnection(client), unref), destroy, isClosed }
}

/** The slot of a key that has a hash tag (Redis Cluster specification: CRC-16/XMODEM of the tag, modulo 16,384). */
function slotOf(key: string): number {
  const start = key.indexOf('{') + 1
  let crc = 0
  for (const byte of Buffer.from(key.slice(start, key.indexOf('}', start)))) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)
  }
  return crc & 0x3fff
}
