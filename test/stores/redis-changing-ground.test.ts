import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { describeWithRedisServer, freshNamespace } from '../support/redis-suites.js'
import { afterTest, openStore, Reading, session, startServer, storeOver, tokenOf } from './redis-harness.js'

describeWithRedisServer('A RedisRevocationStore', () => {
  it('reads everything again where its pages come from two servers, whose orders differ', async () => {
    const namespace = freshNamespace()
    const first = await startServer()
    const ids = Array.from({ length: 10_000 }, (_, index) => `session ${index}`)
    await (await openStore(first, { namespace })).add(ids.map((id) => session(id)))
    const second = await startServer({ replicaOf: first })
    await second.run('REPLICAOF', 'NO', 'ONE')
    const [client, other] = [first, second].map(({ port }) => new Redis(port, '127.0.0.1')) as [Redis, Redis]
    afterTest(() => [client, other].forEach((each) => void each.disconnect()))
    // As a cluster's client goes to another node, once its slot is there.
    let pages = 0
    const { call } = Redis.prototype as unknown as { call: (...command: string[]) => Promise<unknown> }
    const createFeedClient = () => {
      const feedClient = client.duplicate({ protocol: 2 })
      const go = (...command: string[]) => {
        const isPage = /^eval/.test(command[0] ?? '') && command[2] === '2'
        if (isPage) pages += 1
        return call.apply(isPage && pages > 4 ? other : feedClient, command)
      }
      return Object.assign(feedClient, { call: go }) as Redis
    }
    const reading = new Reading(storeOver(client, { namespace, createFeedClient }))
    await reading.expectIds(...ids)
    expect(pages).toBeGreaterThan(4)
  })

  it('records what it was given, not what the caller makes of it afterwards', async () => {
    const server = await startServer()
    const store = await openStore(server)
    const own = { ...session('a'), audit: { revokedAt: 1, more: 1n } }
    const list = [own]
    const adding = store.add(list)
    list.length = 0
    Object.assign(own, { id: 'b', expiresAt: 'never' })
    const others = store.add([session('c')])
    await Promise.all([adding, others])
    expect(await store.find(tokenOf('a'))).toBeDefined()
    expect(await store.find(tokenOf('b'))).toBeUndefined()
    expect(await store.find(tokenOf('c'))).toBeDefined()
  })
})
