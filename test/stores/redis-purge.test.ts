import { expect, it, vi } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import {
  describeWithRedis,
  describeWithRedisServer,
  freshNamespace,
  sharedRedis,
} from '../support/redis-suites.js'
import {
  afterTest,
  eventually,
  HOUR,
  keysOf,
  nowSeconds,
  openStore,
  POOL,
  Reading,
  readAll,
  session,
  startServer,
  tokenOf,
  tokenOfUser,
  user,
} from './redis-harness.js'

const YEAR = 365 * 24 * HOUR

describeWithRedis('A RedisRevocationStore', () => {
  const redis = sharedRedis()

  async function open() {
    const namespace = freshNamespace()
    const { expires, cutoffs } = keysOf(namespace)
    const store = await openStore(redis(), { namespace })
    /** A record as an earlier call left it. */
    const put = async (member: string, expiresAt: number) => {
      await redis().run('ZADD', expires, expiresAt, member)
      if (member.startsWith('u:')) await redis().run('ZADD', cutoffs, '+inf', member)
    }
    const members = async (key: string) => {
      const all = (await redis().run('ZRANGE', key, 0, -1)) as string[]
      return all.filter((member) => !member.startsWith('g:'))
    }
    const kept = async () => [await members(expires), await members(cutoffs)]
    return { store, namespace, put, kept }
  }

  function setClock(aheadSeconds: number): void {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + aheadSeconds * 1000 })
    afterTest(() => vi.useRealTimers())
  }

  it('forgets at the next add what has been over for an hour, and finds it until then', async () => {
    const { store, put, kept } = await open()
    await put(`s:${POOL}:old`, nowSeconds() - HOUR - 5)
    await put(`u:${POOL}:old`, nowSeconds() - HOUR - 5)
    expect(await store.find(tokenOf('old'))).toBeDefined()
    expect(await store.find(tokenOfUser('old'))).toBeDefined()
    await store.add([session('new')])
    expect(await kept()).toEqual([[`s:${POOL}:new`], []])
    expect(await store.find(tokenOf('old'))).toBeUndefined()
    expect(await store.find(tokenOfUser('old'))).toBeUndefined()
  })

  it('keeps what has been over for 59 minutes, and it still revokes', async () => {
    const { store, kept } = await open()
    const expiresAt = nowSeconds() - HOUR + 60
    await store.add([session('a', { expiresAt }), user('u', { expiresAt })])
    await store.add([session('new')])
    expect((await kept())[0]).toHaveLength(3)
    expect(await store.find(tokenOf('a'))).toMatchObject({ expiresAt })
    expect(await store.find(tokenOfUser('u'))).toMatchObject({ expiresAt })
    expect((await readAll(store)).map(({ id }) => id).sort()).toEqual(['a', 'new', 'u'])
  })

  it('announces also what it forgets at once', async () => {
    const { store } = await open()
    const reading = new Reading(store)
    await reading.catchUp()
    await store.add([session('over', { expiresAt: 5 })])
    await reading.expectIds('over')
    expect(await store.find(tokenOf('over'))).toBeUndefined()
  })

  it('forgets little by little where much is over', async () => {
    const { store, namespace, kept } = await open()
    const old = Array.from({ length: 450 }, (_, index) => [5, `s:${POOL}:${index}`]).flat()
    await redis().run('ZADD', keysOf(namespace).expires, ...old)
    for (const left of [250, 50, 0]) {
      await store.add([session('new')])
      expect((await kept())[0]).toHaveLength(left + 1)
    }
  })

  it('forgets nothing early by the clock of a writer that is a year ahead', async () => {
    const { store, put, kept } = await open()
    const other = 'eu-west-1_another'
    await put(`s:${POOL}:live`, nowSeconds() + 60)
    await put(`s:${POOL}:hardly-over`, nowSeconds() - 60)
    await put(`s:${other}:live`, nowSeconds() + 60)
    await put(`u:${POOL}:live`, nowSeconds() + 60)
    setClock(YEAR)
    await store.add([session('new')])
    expect((await kept()).map(({ length }) => length)).toEqual([5, 1])
    vi.useRealTimers()
    expect(await store.find(tokenOf('hardly-over'))).toBeDefined()
    expect(await store.find(tokenOf('live', { poolId: other }))).toBeDefined()
  })

  it('forgets nothing early by the clock of the server, where it is the one that is ahead', async () => {
    const { store, put, kept } = await open()
    await put(`s:${POOL}:over`, nowSeconds() - 2 * HOUR)
    // Seen from a writer whose clock is a day behind, the server's is a day ahead.
    setClock(-24 * HOUR)
    await store.add([session('new')])
    expect((await kept())[0]).toHaveLength(2)
    vi.useRealTimers()
    await store.add([session('new')])
    expect((await kept())[0]).toHaveLength(1)
  })

  it('never forgets the mark by which it knows that nothing was lost', async () => {
    const { store, namespace } = await open()
    const { expires, cutoffs, meta } = keysOf(namespace)
    await store.add([session('a')])
    const first = `g:${await redis().run('HGET', meta, 'generation')}`
    await redis().run('DEL', cutoffs)
    await store.add([session('b')])
    const second = `g:${await redis().run('HGET', meta, 'generation')}`
    setClock(3_000 * YEAR)
    await store.add([session('c', { expiresAt: 1e11 - 1 })])
    for (const mark of [first, second]) expect(await redis().run('ZSCORE', expires, mark)).toBe('inf')
    expect(second).not.toBe(first)
    expect(await redis().run('ZSCORE', cutoffs, second)).toBe('inf')
    const reading = new Reading(store)
    await reading.catchUp()
    await reading.catchUp()
  })
})

describeWithRedisServer('A RedisRevocationStore warns', () => {
  const anything = { poolId: POOL, sub: 's', clientId: 'c', iat: 1 }

  it.each(['allkeys-lru', 'allkeys-random'])('once that %s may evict revocations', async (policy) => {
    const server = await startServer({ config: ['--maxmemory-policy', policy] })
    const events: ObserverEvent[] = []
    const store = await openStore(server, { observer: (event) => events.push(event) })
    for (let round = 0; round < 3; round++) {
      await store.find(anything)
      await store.add([session('a')])
      await new Reading(store).catchUp()
    }
    expect(events).toEqual([{ type: 'redis_may_evict', maxmemoryPolicy: policy }])
  })

  it.each([
    ['find', (store: Awaited<ReturnType<typeof openStore>>) => store.find(anything)],
    ['add', (store: Awaited<ReturnType<typeof openStore>>) => store.add([session('a')])],
    ['changes', (store: Awaited<ReturnType<typeof openStore>>) => new Reading(store).catchUp()],
  ])('whatever it is asked first: %s', async (_, ask) => {
    const server = await startServer({ config: ['--maxmemory-policy', 'allkeys-lfu'] })
    const observer = vi.fn()
    await ask(await openStore(server, { observer }))
    await eventually(() => expect(observer).toHaveBeenCalledOnce())
  })

  it('of nothing under noeviction', async () => {
    const server = await startServer({ config: ['--maxmemory-policy', 'noeviction'] })
    const observer = vi.fn()
    const store = await openStore(server, { observer })
    await store.find(anything)
    await store.add([session('a')])
    expect(observer).not.toHaveBeenCalled()
  })

  it('of nothing, and fails not, where it may not ask', async () => {
    const server = await startServer({ config: ['--maxmemory-policy', 'allkeys-lru'] })
    await server.run('ACL', 'SETUSER', 'app', 'on', '>pass', '~*', '+@all', '-info')
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    afterTest(() => vi.restoreAllMocks())
    const observer = vi.fn()
    const { host, port } = server
    const store = await openStore({ host, port, username: 'app', password: 'pass' }, { observer })
    await store.find(anything)
    await store.add([session('a')])
    expect(observer).not.toHaveBeenCalled()
  })

  it('later, where the server could not be asked at first', async () => {
    const server = await startServer({ config: ['--maxmemory-policy', 'allkeys-lru'] })
    const observer = vi.fn()
    const store = await openStore(server, { observer, commandTimeoutMs: 200 })
    server.pause()
    await expect(store.find(anything)).rejects.toMatchObject({ code: 'store_unavailable' })
    server.resume()
    await eventually(() => store.find(anything))
    await eventually(() => expect(observer).toHaveBeenCalledOnce())
  })
})
