import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { shardKeys } from '../../src/stores/redis/layout.js'
import { sendCommand } from '../support/redis-protocol.js'
import { type RedisServer, startRedis } from '../support/redis-server.js'
import {
  describeWithRedis,
  describeWithRedisServer,
  freshNamespace,
  sharedRedis,
} from '../support/redis-suites.js'
import { clientKinds } from './redis-client-kinds.js'
import {
  afterTest,
  eventually,
  keysOf,
  nowSeconds,
  openStore,
  poolsOf,
  Reading,
  readAll,
  session,
  startProxy,
  startServer,
  storeOver,
  thrownBy,
  tokenOf,
  tokenOfUser,
  user,
} from './redis-harness.js'

const unavailable = { code: 'store_unavailable' }
const protocol = { code: 'store_protocol' }

describeWithRedis('A RedisRevocationStore over damaged data', () => {
  const redis = sharedRedis()

  it('finds nothing to be "not revoked" once the records are gone, until it is whole again', async () => {
    const namespace = freshNamespace()
    const store = await openStore(redis(), { namespace })
    await store.add([session('a')])
    await redis().run('DEL', keysOf(namespace).expires)
    for (const id of ['a', 'b']) {
      const error = await thrownBy(() => store.find(tokenOf(id)))
      expect(error).toMatchObject({ ...protocol, message: expect.stringContaining('noeviction') })
    }
    await store.add([session('c')])
    expect(await store.find(tokenOf('c'))).toBeDefined()
    expect(await store.find(tokenOf('b'))).toBeUndefined()
  })

  it('gets back from a mirror what it has lost', async () => {
    const namespace = freshNamespace()
    const store = await openStore(redis(), { namespace })
    await store.add([session('a'), user('u', { cutoff: 5 })])
    const mirror = new RevocationMirror(store, { maxStalenessMs: 1_000 })
    afterTest(() => mirror.close())
    await mirror.ready()
    await redis().run('DEL', keysOf(namespace).expires)
    await eventually(async () => {
      expect(await store.find(tokenOfUser('u', { iat: 5 }))).toMatchObject({ id: 'u', cutoff: 5 })
      expect(await store.find(tokenOf('a'))).toBeDefined()
    })
  })

  it('cannot know of a record whose cutoff is gone, unless another one revokes the token', async () => {
    const namespace = freshNamespace()
    const store = await openStore(redis(), { namespace })
    const record = user('u', { cutoff: nowSeconds() - 100 })
    await store.add([record, session('a')])
    await redis().run('DEL', keysOf(namespace).cutoffs)
    await expect(store.find(tokenOfUser('u'))).rejects.toMatchObject({ code: 'store_protocol' })
    expect(await store.find({ ...tokenOfUser('u'), originJti: 'a' })).toMatchObject({ scope: 'session' })
    expect(await store.find(tokenOf('b'))).toBeUndefined()
    expect(await readAll(store)).toEqual([session('a', { expiresAt: expect.any(Number) })])
    // Told anew, it is known again.
    await store.add([record])
    expect(await store.find(tokenOfUser('u'))).toBeUndefined()
    expect(await store.find(tokenOfUser('u', { iat: 5 }))).toMatchObject({ cutoff: record.cutoff })
  })

  it('has the cutoffs back from a mirror, as they were', async () => {
    const namespace = freshNamespace()
    const store = await openStore(redis(), { namespace, heartbeatMs: 100 })
    const record = user('u', { cutoff: nowSeconds() - 100 })
    await store.add([record])
    const mirror = new RevocationMirror(store, { maxStalenessMs: 1_000 })
    afterTest(() => mirror.close())
    await mirror.ready()
    await redis().run('DEL', keysOf(namespace).cutoffs)
    await eventually(async () => {
      expect(await store.find(tokenOfUser('u'))).toBeUndefined()
      expect(await store.find(tokenOfUser('u', { iat: 5 }))).toMatchObject({ cutoff: record.cutoff })
    })
    expect(mirror.findSync(tokenOfUser('u'))).toBeUndefined()
  })

  it('goes on where only its administration is gone', async () => {
    const namespace = freshNamespace()
    const store = await openStore(redis(), { namespace })
    await store.add([session('a')])
    const { meta, feed } = keysOf(namespace)
    await redis().run('DEL', meta, feed)
    expect(await store.find(tokenOf('a'))).toBeDefined()
    expect(await store.find(tokenOf('b'))).toBeUndefined()
    await store.add([session('b')])
    expect((await readAll(store)).map(({ id }) => id).sort()).toEqual(['a', 'b'])
  })

  it.each(['x', 's', 's:pool', 's:pool:', 'x:pool:id', '', ':::'])(
    'gives no feed where somebody has put in a member: %o',
    async (member) => {
      const namespace = freshNamespace()
      const store = await openStore(redis(), { namespace })
      await store.add([session('a'), user('u')])
      await redis().run('ZADD', keysOf(namespace).expires, 5, member)
      await expect(new Reading(store).end()).rejects.toMatchObject(protocol)
      expect(await store.find(tokenOf('a'))).toBeDefined()
    },
  )

  it.each([
    ['no record', ['member', 'x', 'expires', '5', 'cutoff', '', 'audit', '']],
    ['no time of its end', ['member', 's:p:i', 'expires', 'soon', 'cutoff', '', 'audit', '']],
    ['an empty time of its end', ['member', 's:p:i', 'expires', '', 'cutoff', '', 'audit', '']],
    ['no cutoff', ['member', 'u:p:i', 'expires', '5', 'cutoff', 'x', 'audit', '']],
    ['no JSON', ['member', 's:p:i', 'expires', '5', 'cutoff', '', 'audit', '{']],
    ['nothing of all that', []],
  ])('gives no feed where an entry of it follows that holds %s', async (_, fields) => {
    const namespace = freshNamespace()
    const { meta, feed } = keysOf(namespace)
    const store = await openStore(redis(), { namespace })
    await store.add([session('a')])
    const reading = new Reading(store)
    await reading.catchUp()
    const head = String(await redis().run('HGET', meta, 'head'))
    await redis().run('XADD', feed, '*', 'after', head, 'nonce', 'n', ...fields)
    await expect(reading.end()).rejects.toMatchObject(protocol)
  })

  it.each(['expires', 'cutoffs', 'meta', 'feed'] as const)(
    'fails where its %s is of another type',
    async (name) => {
      const namespace = freshNamespace()
      const store = await openStore(redis(), { namespace })
      await store.add([session('a'), user('u')])
      await redis().run('SET', keysOf(namespace)[name], 'x')
      await expect(new Reading(store).end()).rejects.toMatchObject(unavailable)
      const verdict = await store.find(tokenOf('b')).catch(({ code }) => code)
      expect(verdict).toBe(['expires', 'meta'].includes(name) ? 'store_unavailable' : undefined)
      await expect(store.add([session('b')])).rejects.toMatchObject(unavailable)
    },
  )

  it('knows its scripts again after SCRIPT FLUSH', async () => {
    const store = await openStore(redis())
    const flush = () => redis().run('SCRIPT', 'FLUSH')
    await flush()
    await store.add([session('a')])
    const reading = new Reading(store)
    await reading.expectIds('a')
    await flush()
    expect(await store.find(tokenOf('a'))).toBeDefined()
    await flush()
    await store.add([session('b')])
    await flush()
    await reading.expectIds('b')
    await flush()
    await reading.catchUp()
  })
})

describeWithRedis('A RedisRevocationStore with another number of shards', () => {
  const redis = sharedRedis()
  const numbers = [1, 2, 3, 7]
  const pairs = numbers.flatMap((theirs) =>
    numbers.filter((ours) => ours !== theirs).map((ours) => [theirs, ours]),
  )

  it.each(pairs)('(%i written, %i asked for) finds, adds and reads nothing', async (theirs = 1, ours = 1) => {
    for (const poolId of poolsOf(theirs)) {
      const namespace = freshNamespace()
      await (await openStore(redis(), { namespace, shards: theirs })).add([session('a', { poolId })])
      for (const pool of poolsOf(ours)) {
        // Each time one that has not asked yet; most of their own shards have never been written to.
        const store = await openStore(redis(), { namespace, shards: ours })
        const error = await thrownBy(() => store.find(tokenOf('b', { poolId: pool })))
        expect(error).toMatchObject({ ...protocol, message: expect.stringContaining('shards') })
        await expect(store.add([session('c', { poolId: pool })])).rejects.toMatchObject(protocol)
        await expect(new Reading(store).end()).rejects.toMatchObject(protocol)
      }
      const keys = shardKeys(namespace, 8).map(({ expires }) => expires)
      expect(await redis().run('EXISTS', ...keys)).toBe(1)
    }
  })

  it('is refused also where the namespace is still empty but for the number itself', async () => {
    const namespace = freshNamespace()
    await redis().run('HSET', keysOf(namespace).meta, 'layout', 'v1, shards: 2')
    const store = await openStore(redis(), { namespace })
    await expect(store.find(tokenOf('a'))).rejects.toMatchObject(protocol)
    await expect(store.add([session('a')])).rejects.toMatchObject(protocol)
    await expect(new Reading(store).end()).rejects.toMatchObject(protocol)
  })

  it('is refused as data of a later version are', async () => {
    const namespace = freshNamespace()
    const store = await openStore(redis(), { namespace })
    await store.add([session('a')])
    await redis().run('HSET', keysOf(namespace).meta, 'layout', 'v2, shards: 1')
    const later = await openStore(redis(), { namespace })
    await expect(later.find(tokenOf('b'))).rejects.toMatchObject(protocol)
    await expect(later.add([session('b')])).rejects.toMatchObject(protocol)
    await expect(new Reading(later).end()).rejects.toMatchObject(protocol)
  })

  it('is noticed within ten seconds by one that had been right', async () => {
    const namespace = freshNamespace()
    const store = await openStore(redis(), { namespace })
    await store.add([session('a')])
    expect(await store.find(tokenOf('b'))).toBeUndefined()
    await redis().run('HSET', keysOf(namespace).meta, 'layout', 'v1, shards: 2')
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11_000 })
    afterTest(() => vi.useRealTimers())
    await expect(store.find(tokenOf('b'))).rejects.toMatchObject(protocol)
    // And again, not only once.
    await expect(store.find(tokenOf('b'))).rejects.toMatchObject(protocol)
    await redis().run('HSET', keysOf(namespace).meta, 'layout', 'v1, shards: 1')
    expect(await store.find(tokenOf('b'))).toBeUndefined()
  })
})

describeWithRedisServer('A RedisRevocationStore', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ config: ['--save', '3600 100000'] })
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    await server.run('SCRIPT', 'FLUSH')
  })

  it('believes no primary that lacks the replicas it must have: it may have been cut off', async () => {
    const { store } = await storeAndReading()
    await server.run('CONFIG', 'SET', 'min-replicas-to-write', 1)
    afterTest(() => server.run('CONFIG', 'SET', 'min-replicas-to-write', 0))
    const unavailable = { code: 'store_unavailable', message: expect.stringContaining('NOREPLICAS') }
    await expect(store.add([session('b')])).rejects.toMatchObject(unavailable)
    await expect(store.find(tokenOf('b'))).rejects.toMatchObject(unavailable)
    await expect(readAll(store)).rejects.toMatchObject(unavailable)
  })

  it('finds, and reads its feed, where Redis takes no writes because it cannot save them', async () => {
    const { store, reading } = await storeAndReading()
    await failToSave(server)
    await expectReadOnly(store, reading, /MISCONF/)
  })

  it('finds, and reads its feed, where Redis has no memory left', async () => {
    const { store, reading } = await storeAndReading()
    await server.run('CONFIG', 'SET', 'maxmemory', 1_000_000)
    afterTest(() => server.run('CONFIG', 'SET', 'maxmemory', 0))
    const error = await expectReadOnly(store, reading, /memory/)
    expect(error).toMatchObject({ code: 'store_full' })
    await server.run('CONFIG', 'SET', 'maxmemory', 0)
    await store.add([session('b')])
    await reading.expectIds('b')
  })

  it('asks no replica, whose answers may be old', async () => {
    const namespace = freshNamespace()
    const primary = await openStore(server, { namespace })
    await primary.add([session('a')])
    const replica = await startServer({ replicaOf: server, config: ['--save', '3600 100000'] })
    const store = await openStore(replica, { namespace })
    const message = expect.stringContaining('is a replica: connect to the primary')
    for (const expectation of [{ ...unavailable, message }, unavailable]) {
      await expect(store.find(tokenOf('a'))).rejects.toMatchObject(expectation)
      await expect(store.find(tokenOf('b'))).rejects.toMatchObject(expectation)
      await expect(store.add([session('b')])).rejects.toMatchObject(expectation)
      await expect(new Reading(store).end()).rejects.toMatchObject(expectation)
      // Nor one that would refuse to write for another reason as well.
      await failToSave(replica)
    }
  })

  it('says that the user may not, and what', async () => {
    await server.run('ACL', 'SETUSER', 'app', 'reset', 'on', '>pass', '~*', '+@all', '-evalsha', '-zscan')
    afterTest(() => server.run('ACL', 'DELUSER', 'app'))
    const address = { host: server.host, port: server.port, username: 'app', password: 'pass' }
    const store = await openStore(address)
    const error = await thrownBy(() => store.find(tokenOf('a')))
    expect(error).toMatchObject({ ...unavailable, message: expect.stringContaining('ACL') })
    expect(String(error.cause)).toMatch(/NOPERM.*evalsha/i)
    await server.run('ACL', 'SETUSER', 'app', '+evalsha')
    // Not at the door, but in the script.
    await store.add([session('a')])
    const inScript = await thrownBy(() => new Reading(store).end())
    expect(inScript).toMatchObject({ ...unavailable, message: expect.stringContaining('ACL') })
  })

  async function storeAndReading() {
    const store = await openStore(server)
    await store.add([session('a')])
    const reading = new Reading(store)
    await reading.expectIds('a')
    return { store, reading }
  }

  /** Gives what an add is refused with. */
  async function expectReadOnly(
    store: Awaited<ReturnType<typeof openStore>>,
    reading: Reading,
    reason: RegExp,
  ): Promise<Error> {
    await server.run('SCRIPT', 'FLUSH')
    const refusal = await thrownBy(() => store.add([session('b')]))
    expect(String(refusal.cause)).toMatch(reason)
    expect(await store.find(tokenOf('a'))).toBeDefined()
    expect(await store.find(tokenOf('b'))).toBeUndefined()
    await reading.catchUp()
    expect((await readAll(store)).map(({ id }) => id)).toEqual(['a'])
    return refusal
  }

  /** From then on it refuses writes, as its settings have it. */
  async function failToSave(redis: RedisServer): Promise<void> {
    // In the place of the file that it would have to write.
    const file = join(redis.dir, 'dump.rdb')
    rmSync(file, { force: true, recursive: true })
    mkdirSync(file)
    await redis.run('BGSAVE')
    await eventually(async () => {
      expect(await redis.run('INFO', 'persistence')).toContain('rdb_last_bgsave_status:err')
    })
    afterTest(async () => {
      await redis.run('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')
    })
    await redis.run('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'yes')
  }
})

describeWithRedis('A Redis that hangs', () => {
  const redis = sharedRedis()

  it.each(Object.entries(clientKinds))(
    'makes %s fail in time, and no more once it answers',
    async (_, open) => {
      const proxy = await startProxy(redis())
      const store = storeOver(await open(address(proxy)), { commandTimeoutMs: 300 })
      await store.add([session('a')])
      const reading = new Reading(store)
      await reading.expectIds('a')
      await proxy.hang()
      const startedAt = performance.now()
      const outcomes = await Promise.allSettled([
        store.find(tokenOf('a')),
        store.add([session('b')]),
        reading.end(),
        new Reading(store).end(),
      ])
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable })
      const tookMs = performance.now() - startedAt
      expect(tookMs).toBeGreaterThan(250)
      expect(tookMs).toBeLessThan(4_000)
      await proxy.heal()
      await eventually(() => store.find(tokenOf('a')))
      await eventually(() => store.add([session('c')]))
      expect((await readAll(store)).map(({ id }) => id)).toContain('c')
    },
  )

  it.each(Object.entries(clientKinds).filter(([name]) => name.endsWith('6')))(
    'makes %s refuse more than 10,000 look-ups at a time',
    async (_, open) => {
      const proxy = await startProxy(redis())
      const store = storeOver(await open(address(proxy)), { commandTimeoutMs: 60_000 })
      await store.add([session('a')])
      await store.find(tokenOf('a'))
      await proxy.hang()
      const waiting = Array.from({ length: 10_000 }, () => store.find(tokenOf('a')))
      const error = await thrownBy(() => store.find(tokenOf('a')))
      expect(error).toMatchObject({ ...unavailable, message: expect.stringMatching(/10000 .* wait/) })
      await proxy.heal()
      const found = await Promise.all(waiting)
      expect(found.every((match) => match?.id === 'a')).toBe(true)
      expect(await store.find(tokenOf('a'))).toBeDefined()
    },
  )

  it('makes it refuse more than 10,000 commands at a time', async () => {
    const proxy = await startProxy(redis())
    const store = await openStore(address(proxy), { commandTimeoutMs: 60_000 })
    await store.add([session('a')])
    await store.find(tokenOf('a'))
    await proxy.hang()
    const waiting = Array.from({ length: 10_000 }, () => store.add([session('a')]))
    for (const refused of [() => store.add([session('b')]), () => store.find(tokenOf('a'))]) {
      const error = await thrownBy(refused)
      expect(error).toMatchObject({ ...unavailable, message: expect.stringMatching(/10000 .* wait/) })
    }
    await proxy.heal()
    await Promise.all(waiting)
    expect(await store.find(tokenOf('b'))).toBeUndefined()
  })

  it('lets nobody wait for the client to connect', async () => {
    const proxy = await startProxy(redis())
    await proxy.cut()
    for (const [, open] of Object.entries(clientKinds).filter(([name]) => !name.startsWith('node'))) {
      const store = storeOver(await open(address(proxy)), { commandTimeoutMs: 100 })
      await expect(store.find(tokenOf('a'))).rejects.toMatchObject(unavailable)
      await expect(new Reading(store).end()).rejects.toMatchObject(unavailable)
    }
  })

  function address({ host, port }: { host: string; port: number }) {
    const { username, password, database } = redis()
    return {
      ...{ host, port },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(database !== undefined && { database }),
    }
  }
})

describeWithRedisServer('A password that is refused', () => {
  const secrets = ['correct horse', 'cR0wn+jewels=']

  it.each(Object.entries(clientKinds))('is in no error of %s', async (_, open) => {
    const [password = '', userPassword = ''] = secrets
    const server = await startServer({ password })
    await server.run('ACL', 'SETUSER', 'app', 'on', `>${userPassword}`, '~*', '+@all')
    const { host, port } = server
    const clients = [
      await open({ host, port, password }),
      await open({ host, port, username: 'app', password: userPassword }),
    ]
    const stores = clients.map((client) => storeOver(client, { waitForReplicas: 1, commandTimeoutMs: 1_000 }))
    // Those that are connected stay so; whatever connects anew is refused.
    await server.run('CONFIG', 'SET', 'requirepass', 'another')
    for (const store of stores) {
      const admin = { ...server, password: 'another' }
      if (store === stores[1]) await sendCommand(admin, 'ACL', 'SETUSER', 'app', 'resetpass', '>another')
      const errors = [
        await thrownBy(() => new Reading(store).end()),
        await thrownBy(() => store.add([session('a')])),
      ]
      for (const error of errors) expect(error.message).toContain('WRONGPASS')
      await sendCommand(admin, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      errors.push(await thrownBy(() => findUntilRefused(store)))
      for (const error of errors) {
        expect(error).toMatchObject(unavailable)
        expectNoSecret(error)
      }
    }
  })

  async function findUntilRefused(store: ReturnType<typeof storeOver>): Promise<never> {
    for (;;) await store.find(tokenOf('a'))
  }

  function expectNoSecret(error: unknown): void {
    const text = [
      inspect(error, { depth: 10, showHidden: true }),
      JSON.stringify(error),
      String(error),
    ].join()
    for (const secret of secrets) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
        expect(text).not.toContain(form)
      }
    }
  }
})
