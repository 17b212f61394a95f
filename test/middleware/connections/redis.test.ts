import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { RevocationMirror, Revoker } from '../../../src/index.js'
import { closeWebSocketOnRevocation } from '../../../src/middleware/connections/index.js'
import { RedisRevocationStore } from '../../../src/stores/redis/index.js'
import { redisClients } from '../../support/redis-clients.js'
import { describeWithRedis, freshNamespace, sharedRedis } from '../../support/redis-suites.js'
import { createVerifier, usePool } from '../harness.js'

const poolOf = usePool()

describeWithRedis('A WebSocket over a mirror of Redis', () => {
  const redisOf = sharedRedis()

  it('is closed when another process revokes its session', async () => {
    const { minter } = poolOf()
    const namespace = freshNamespace()
    const storeOf = async () => {
      const { client, end } = await redisClients.ioredis.connect(redisOf())
      const store = new RedisRevocationStore({ client, namespace })
      onTestFinished(async () => {
        await store.close()
        await end()
      })
      return store
    }
    const mirror = new RevocationMirror(await storeOf())
    onTestFinished(() => mirror.close())
    const verifier = createVerifier(poolOf(), { revocation: mirror })
    const elsewhere = new Revoker({ store: await storeOf(), poolId: minter.userPoolId })
    const claims = await verifier.verify(minter.accessToken())

    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => sockets.close())
    sockets.on('connection', (socket) => closeWebSocketOnRevocation(socket, verifier, claims))
    await once(sockets, 'listening')
    const client = new WebSocket(`ws://127.0.0.1:${(sockets.address() as { port: number }).port}`)
    const closed = once(client, 'close')
    await once(client, 'open')
    await elsewhere.revokeSession(claims)
    expect((await closed).map(String)).toEqual(['4401', 'revoked'])
  })
})
