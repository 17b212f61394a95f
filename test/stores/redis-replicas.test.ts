import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RedisServer, startRedis } from '../support/redis-server.js'
import { describeWithRedisServer, freshNamespace } from '../support/redis-suites.js'
import { clientKinds } from './redis-client-kinds.js'
import { eventually, keysOf, session, storeOver, thrownBy, tokenOf } from './redis-harness.js'

const unavailable = { code: 'store_unavailable' }

describeWithRedisServer('A RedisRevocationStore that waits for replicas', () => {
  let primary: RedisServer
  let replica: RedisServer
  beforeAll(async () => {
    primary = await startRedis()
    replica = await startRedis({ replicaOf: primary })
  })
  afterAll(async () => {
    await replica?.stop()
    await primary?.stop()
  })
  const kinds = Object.entries(clientKinds)

  it.each(kinds)('by %s has recorded there as well when it resolves', async (_, open) => {
    const namespace = freshNamespace()
    const store = storeOver(await open(primary), { namespace, waitForReplicas: 1 })
    for (let round = 0; round < 20; round++) {
      await store.add([session(`s${round}`)])
      expect(await replica.run('ZCARD', keysOf(namespace).expires)).toBe(round + 2)
    }
  })

  it.each(kinds)('by %s confirms many at once, and large ones', async (_, open) => {
    const namespace = freshNamespace()
    const store = storeOver(await open(primary), { namespace, waitForReplicas: 1 })
    const calls = Array.from({ length: 30 }, (_, call) =>
      store.add(Array.from({ length: 20 }, (_, index) => session(`${call}-${index}`))),
    )
    calls.push(store.add(Array.from({ length: 500 }, (_, index) => session(`large-${index}`))))
    await Promise.all(calls)
    expect(await replica.run('ZCARD', keysOf(namespace).expires)).toBe(1_101)
  })

  it.each(kinds)('by %s says that too few have confirmed, though it is recorded', async (_, open) => {
    const client = await open(primary)
    const store = storeOver(client, { waitForReplicas: 2, commandTimeoutMs: 100 })
    // Until then, it may have taken too long to connect.
    await eventually(async () => {
      const error = await thrownBy(() => store.add([session('a')]))
      expect(error).toMatchObject({
        ...unavailable,
        message: expect.stringMatching(/only [01] of 2 replicas/),
      })
    })
    expect(await eventually(() => store.find(tokenOf('a')))).toMatchObject({ id: 'a' })
  })

  it('says so where the replica hangs, and succeeds when it is back', async () => {
    const store = storeOver(await client(), { waitForReplicas: 1, commandTimeoutMs: 300 })
    await eventually(() => store.add([session('a')]))
    replica.pause()
    try {
      const error = await thrownBy(() => store.add([session('b')]))
      expect(error).toMatchObject({ ...unavailable, message: expect.stringContaining('0 of 1 replicas') })
      expect(await store.find(tokenOf('b'))).toBeDefined()
    } finally {
      replica.resume()
    }
    await eventually(() => store.add([session('b')]))
  })

  it('finds as fast as ever while replicas are waited for', async () => {
    const store = storeOver(await client(), { waitForReplicas: 2, commandTimeoutMs: 3_000 })
    const added = thrownBy(() => store.add([session('a')]))
    const startedAt = performance.now()
    await eventually(async () => expect(await store.find(tokenOf('a'))).toBeDefined())
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await store.close()
    expect(await added).toMatchObject(unavailable)
  })

  it.each(kinds)('by %s has a connection for it, and ends it', async (_, open) => {
    const client = await open(primary)
    const before = await connections()
    const store = storeOver(client, { waitForReplicas: 1 })
    expect(await connections()).toBe(before)
    await store.add([session('a')])
    await store.add([session('a')])
    expect(await connections()).toBe(before + 1)
    await store.close()
    await eventually(async () => expect(await connections()).toBe(before))
    await expect(store.add([session('b')])).rejects.toMatchObject(unavailable)
    expect(await store.find(tokenOf('a'))).toBeDefined()
  })

  it.each(kinds)('by %s has another one where it broke', async (_, open) => {
    const store = storeOver(await open(primary), { waitForReplicas: 1 })
    await store.add([session('a')])
    await primary.run('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    // Time to hear of it: what is written before that has an unknown outcome.
    await new Promise((resolve) => setTimeout(resolve, 100))
    await store.add([session('b')])
    expect(await eventually(() => store.find(tokenOf('b')))).toBeDefined()
  })

  it('has one that createFeedClient made, where there is such', async () => {
    const made: string[] = []
    const store = storeOver(await client(), {
      waitForReplicas: 1,
      createFeedClient: async () => {
        made.push('one')
        return await client()
      },
    })
    await store.add([session('a')])
    expect(made).toEqual(['one'])
  })

  async function client() {
    return await (clientKinds['ioredis 6'] as (typeof clientKinds)[string])(primary)
  }

  async function connections(): Promise<number> {
    return String(await primary.run('CLIENT', 'LIST', 'TYPE', 'normal'))
      .trim()
      .split('\n').length
  }
})
