import { Redis as IORedis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { createSentinel as createSentinel5 } from 'redis5'
import { afterEach, describe, expect, it } from 'vitest'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'

const clients: IORedis[] = []

/** One that is connected to nothing. */
function ioredis(): IORedis {
  const client = new IORedis({ lazyConnect: true })
  clients.push(client)
  return client
}

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect()
})

const create = (options: unknown) => new RedisRevocationStore(options as never)

describe('A RedisRevocationStore', () => {
  it.each([
    ['client', undefined],
    ['client', null],
    ['client', 'redis://:secret@localhost'],
    ['client', {}],
    ['client', { call: true, disconnect: true, duplicate: true }],
    ['client', { sendCommand: () => {} }],
    ['client', Object.assign(() => {}, { url: 'redis://localhost' })],
    ['namespace', ''],
    ['namespace', 7],
    ['namespace', null],
    ['namespace', '{tag}'],
    ['namespace', 'with space'],
    ['namespace', 'star*'],
    ['namespace', 'ünïcode'],
    ['namespace', 'line\n'],
    ['namespace', 'n'.repeat(129)],
    ['shards', 0],
    ['shards', 1.5],
    ['shards', 1_025],
    ['shards', '2'],
    ['shards', Number.NaN],
    ['waitForReplicas', -1],
    ['waitForReplicas', 101],
    ['waitForReplicas', true],
    ['commandTimeoutMs', 0],
    ['commandTimeoutMs', 9],
    ['commandTimeoutMs', 60_001],
    ['commandTimeoutMs', Number.POSITIVE_INFINITY],
    ['heartbeatMs', 0],
    ['heartbeatMs', 60_001],
    ['heartbeatMs', null],
    ['feedLength', 0],
    ['feedLength', -5],
    ['feedLength', 2.5],
    ['feedLength', 1e9],
    ['createFeedClient', {}],
    ['createFeedClient', null],
    ['observer', 'log'],
    ['nameSpace', 'misspelt'],
  ])('names a wrong option: %s (%o)', (name, value) => {
    const error = thrown(() => create({ client: ioredis(), [name]: value }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(new RegExp(`RedisRevocationStore: .*option "${name}"`))
    expect(error.message).not.toContain('secret')
  })

  it.each([undefined, null, 'redis://localhost', 5])('takes no %s for its options', (options) => {
    expect(thrown(() => create(options))).toBeInstanceOf(TypeError)
  })

  it.each([
    ['a client of ioredis', ioredis],
    ['a client of node-redis', () => createClient()],
    ['a cluster client of node-redis', () => createCluster({ rootNodes: [{ url: 'redis://localhost' }] })],
  ])('takes %s, and connects it not', (_, make) => {
    const client = make()
    const options = { namespace: 'a_b.c:d/e-F9', shards: 1_024, waitForReplicas: 0, feedLength: 1 }
    expect(create({ client, ...options, heartbeatMs: 10, commandTimeoutMs: 60_000 })).toBeDefined()
    expect(create({ client, namespace: undefined, observer: undefined })).toBeDefined()
    expect('isOpen' in client ? client.isOpen : client.status !== 'wait').toBe(false)
  })

  const sentinels = { name: 'primary', sentinelRootNodes: [{ host: 'localhost', port: 26_379 }] }
  it.each([
    ['the sentinel client of node-redis 6', () => createSentinel(sentinels)],
    ['the sentinel client of node-redis 5', () => createSentinel5(sentinels)],
    // It could open no feed after its model.
    ['the pool of node-redis', () => createClientPool()],
  ])('takes not %s', (_, make) => {
    const error = thrown(() => create({ client: make() }))
    expect(error.message).toMatch(/option "client" must be a client of ioredis, iovalkey or node-redis/)
    expect(error).toBeInstanceOf(TypeError)
  })
})

function thrown(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}
