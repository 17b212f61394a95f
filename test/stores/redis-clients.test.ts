import { expect, it } from 'vitest'
import type { RedisClient } from '../../src/stores/redis/index.js'
import {
  describeWithRedis,
  describeWithRedisServer,
  freshNamespace,
  sharedRedis,
} from '../support/redis-suites.js'
import { clientKinds, clientSettings, clientsInAHurry, clientsWithPrefix } from './redis-client-kinds.js'
import {
  keysOf,
  nowSeconds,
  openStore,
  Reading,
  readAll,
  session,
  startServer,
  storeOver,
  tokenOf,
  tokenOfUser,
  user,
} from './redis-harness.js'

const all = Object.entries({ ...clientKinds, ...clientSettings, ...clientsWithPrefix, ...clientsInAHurry })

describeWithRedis('With the client', () => {
  const redis = sharedRedis()

  it.each(all)('%s a store records and finds', async (_, open) => {
    const store = storeOver(await open(redis()))
    const cutoff = nowSeconds() - 100
    await store.add([session('a'), user('u'), user('v', { cutoff, expiresAt: 1e10 + 0.25 })])
    expect(await store.find(tokenOf('a'))).toMatchObject({ scope: 'session', id: 'a' })
    expect(await store.find(tokenOfUser('u'))).toEqual(user('u', { expiresAt: expect.any(Number) }))
    const found = await store.find(tokenOfUser('v', { iat: cutoff }))
    expect(found).toEqual(user('v', { cutoff, expiresAt: 1e10 + 0.25 }))
    expect(await store.find(tokenOfUser('v', { iat: cutoff + 1 }))).toBeUndefined()
    expect(await store.find(tokenOf('b'))).toBeUndefined()
    expect((await readAll(store)).map(({ id }) => id).sort()).toEqual(['a', 'u', 'v'])
  })

  it.each(all)('%s a feed brings what is added, and goes on from its cursor', async (_, open) => {
    const store = storeOver(await open(redis()))
    await store.add([session('a')])
    const reading = new Reading(store)
    await reading.catchUp()
    const audit = { revokedAt: 5, reason: 'lost: "phone"', actor: 'Zoë' }
    await store.add([{ ...session('b'), audit }])
    const seen = await reading.until(({ revocations }) => revocations.length > 0)
    expect(seen.at(-1)?.batch).toMatchObject({ revocations: [{ id: 'b', audit }], restarted: false })
    const cursor = await reading.catchUp()
    await reading.abort()
    await store.add([session('c')])
    await new Reading(store, cursor).expectIds('c')
  })

  it.each(all)('%s a store notices another layout', async (_, open) => {
    const client = await open(redis())
    const namespace = freshNamespace()
    await storeOver(client, { namespace }).add([session('a')])
    const other = storeOver(client, { namespace, shards: 2 })
    await expect(other.find(tokenOf('a'))).rejects.toMatchObject({ code: 'store_protocol' })
    await expect(new Reading(other).end()).rejects.toMatchObject({ code: 'store_protocol' })
  })

  it.each(Object.entries(clientsWithPrefix))('%s all keys have the prefix', async (_, open) => {
    const namespace = freshNamespace()
    const store = storeOver(await open(redis()), { namespace })
    await store.add([session('a')])
    const keys = (await redis().run('KEYS', `*${namespace}*`)) as string[]
    expect(keys.sort()).toEqual(
      Object.values(keysOf(namespace))
        .map((key) => `app:${key}`)
        .sort(),
    )
  })

  it.each(Object.entries(clientsInAHurry))('%s a feed blocks for as long as it needs', async (_, open) => {
    const namespace = freshNamespace()
    const writer = await openStore(redis(), { namespace })
    const reading = new Reading(storeOver(await open(redis()), { namespace, heartbeatMs: 350 }))
    await reading.catchUp()
    await reading.catchUp()
    await writer.add([session('a')])
    await reading.expectIds('a')
  })

  it.each(all)('%s a feed reads by a client that was made for it', async (_, open) => {
    const made: RedisClient[] = []
    const createFeedClient = async () => {
      made.push(await open(redis()))
      return made.at(-1) as RedisClient
    }
    const store = storeOver(await open(redis()), { createFeedClient })
    await store.add([session('a')])
    const reading = new Reading(store)
    await reading.expectIds('a')
    await reading.catchUp()
    await store.add([session('b')])
    await reading.expectIds('b')
    expect(made).toHaveLength(1)
  })
})

describeWithRedisServer('The feed of a store over', () => {
  const { 'node-redis by a URL': nodeRedisByUrl, 'ioredis by a URL': ioredisByUrl } = clientSettings
  const byUrl = { 'node-redis by a URL': nodeRedisByUrl, 'ioredis by a URL': ioredisByUrl }

  it.each(Object.entries({ ...clientKinds, ...byUrl }))(
    '%s uses its password and database',
    async (_, open) => {
      const server = await startServer({ password: 'open sesame' })
      const { host, port } = server
      const store = storeOver(
        await (open as NonNullable<typeof open>)({ host, port, password: 'open sesame', database: 3 }),
      )
      await store.add([session('a')])
      await new Reading(store).expectIds('a')
      expect(await server.run('INFO', 'keyspace')).toMatch(/^# Keyspace\r\ndb3:/)
    },
  )

  it.each(Object.entries(clientKinds))('%s uses its user', async (_, open) => {
    const server = await startServer()
    await server.run('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all')
    const { host, port } = server
    const store = storeOver(await open({ host, port, username: 'app', password: 'secret' }))
    await server.run('ACL', 'SETUSER', 'default', 'off')
    await store.add([session('a')])
    await new Reading(store).expectIds('a')
  })
})
