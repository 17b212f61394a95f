import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { TokenClaimError, TokenVerifier } from '../../../src/index.js'
import {
  closeWebSocketOnRevocation,
  type WatchingVerifier,
  type WebSocketLike,
} from '../../../src/middleware/connections/index.js'
import { usePool, watchForUnhandled } from '../harness.js'
import { Scene, until } from './scene.js'

const poolOf = usePool()

/** A WebSocket with both its ends. */
interface Pair {
  readonly client: WebSocket
  readonly server: WebSocket
}

async function listen() {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await once(sockets, 'listening')
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    sockets.close()
  })
  const { port } = sockets.address() as { port: number }
  const connect = async (): Promise<Pair> => {
    const accepted = once(sockets, 'connection')
    const client = new WebSocket(`ws://127.0.0.1:${port}`)
    client.on('error', () => {})
    onTestFinished(() => client.terminate())
    const [[server]] = await Promise.all([accepted, once(client, 'open')])
    return { client, server }
  }
  return { connect, sockets }
}

/** The code and reason that the client is told. */
async function closeOf(client: WebSocket): Promise<[number, string]> {
  const [code, reason] = await once(client, 'close')
  return [code, String(reason)]
}

afterEach(() => {
  vi.useRealTimers()
})

describe('A WebSocket', () => {
  it('is closed with 4401 when its session is revoked', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    const watch = closeWebSocketOnRevocation(server, scene, claims, { observer: scene.observer })
    const closed = closeOf(client)
    await scene.revoker.revokeSession(claims)
    expect(await closed).toEqual([4401, 'revoked'])
    expect(await watch.ended).toBe('revoked')
    expect(scene.events).toEqual([{ type: 'connection_closed', reason: 'revoked' }])
  })

  it('stays open when another session is revoked', async () => {
    const scene = new Scene(poolOf())
    const { connect } = await listen()
    const [mine, other] = [await connect(), await connect()]
    const [claims, others] = [await scene.claims(), await scene.claims()]
    closeWebSocketOnRevocation(mine.server, scene, claims)
    closeWebSocketOnRevocation(other.server, scene, others)
    const closed = closeOf(other.client)
    await scene.revoker.revokeSession(others)
    await closed
    expect(mine.client.readyState).toBe(WebSocket.OPEN)
  })

  it('is closed with 4401 when its token expires', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    closeWebSocketOnRevocation(server, scene, await scene.claims())
    const closed = closeOf(client)
    await until(() => vi.getTimerCount() > 0)
    scene.pass(3_600)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await closed).toEqual([4401, 'expired'])
  })

  it('is closed with 1013 when it cannot be known any more', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const { ended } = closeWebSocketOnRevocation(server, scene, await scene.claims())
    const closed = closeOf(client)
    await scene.verifier.close()
    expect(await closed).toEqual([1013, 'unavailable'])
    expect(await ended).toBe('unavailable')
  })

  it('is closed at once where its token was revoked between the handshake and the watch', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    await scene.revoker.revokeSession(claims)
    closeWebSocketOnRevocation(server, scene, claims)
    expect(await closeOf(client)).toEqual([4401, 'revoked'])
  })

  it("is closed with the owner's codes where there are any", async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    closeWebSocketOnRevocation(server, scene, claims, { closeCodes: { revoked: 3000 } })
    await scene.revoker.revokeSession(claims)
    expect(await closeOf(client)).toEqual([3000, 'revoked'])
  })

  it('is broken where the peer does not answer the close', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    client.pause()
    closeWebSocketOnRevocation(server, scene, claims, { closeTimeoutMs: 20 })
    await scene.revoker.revokeSession(claims)
    expect((await once(server, 'close'))[0]).toBe(1006)
  })

  it('hands no message over once its session is revoked, however late the peer answers the close', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    const messages: string[] = []
    const listenAs = (who: string) => server.on('message', (data) => messages.push(`${who}: ${data}`))
    listenAs('old')
    const { ended } = closeWebSocketOnRevocation(server, scene, claims)
    client.send('before')
    await until(() => messages.length > 0)
    client.pause()
    await scene.revoker.revokeSession(claims)
    await ended
    listenAs('new')
    server.addEventListener('message', ({ data }) => messages.push(String(data)))
    client.send('after')
    client.ping()
    await once(server, 'ping')
    expect(messages).toEqual(['old: before'])
  })

  it('ends no process by a bad frame, though the application listens to no error', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const { ended } = closeWebSocketOnRevocation(server, scene, await scene.claims())
    const closed = closeOf(client)
    const { _socket: bare } = client as unknown as { _socket: Socket }
    // Its reserved bits are set.
    bare.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]))
    expect((await closed)[0]).toBe(1002)
    expect([await ended, unhandled]).toEqual(['closed', []])
  })

  it('is not watched any more once it has closed by itself', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const watch = closeWebSocketOnRevocation(server, scene, await scene.claims())
    client.close()
    expect(await watch.ended).toBe('closed')
    await until(() => scene.watching === 0)
  })

  it('is not watched at all where it is closed already', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    client.terminate()
    await once(server, 'close')
    const watch = closeWebSocketOnRevocation(server, scene, await scene.claims())
    expect(await watch.ended).toBe('closed')
    expect(scene.watching).toBe(0)
  })

  it('stays open when its watch is stopped', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    const watch = closeWebSocketOnRevocation(server, scene, claims)
    watch.stop()
    watch.stop()
    expect(await watch.ended).toBe('closed')
    await scene.revoker.revokeSession(claims)
    const pong = once(client, 'pong')
    client.ping()
    await pong
    expect(scene.watching).toBe(0)
  })

  it('is one of many, of which each leaves nothing behind', async () => {
    const scene = new Scene(poolOf())
    const { sockets, connect } = await listen()
    const servers: WebSocket[] = []
    sockets.on('connection', (socket) => servers.push(socket))
    const clients: WebSocket[] = []
    while (clients.length < 300) {
      const batch = await Promise.all(Array.from({ length: 6 }, () => connect()))
      clients.push(...batch.map(({ client }) => client))
    }
    await until(() => servers.length === 300)
    const listeners = () => servers.map((socket) => socket.listenerCount('close'))
    const before = listeners()
    const claims = await scene.claims()
    const watches = servers.map((socket, index) =>
      closeWebSocketOnRevocation(socket, scene, { ...claims, origin_jti: `session ${index}` }),
    )
    expect([scene.watching, listeners()]).toEqual([300, before.map((count) => count + 1)])
    for (const client of clients.slice(150)) client.close()
    await until(() => scene.watching === 150)
    await scene.revoker.revokeUser(claims.sub)
    const ends = await Promise.all(watches.map(({ ended }) => ended))
    expect(ends.filter((end) => end === 'revoked')).toHaveLength(150)
    expect(ends.filter((end) => end === 'closed')).toHaveLength(150)
    await until(() => servers.every(({ readyState }) => readyState === WebSocket.CLOSED))
    expect([scene.watching, listeners()]).toEqual([0, before])
  })
})

describe('A WebSocket that cannot be watched', () => {
  it.each<[string, (scene: Scene) => Promise<unknown>, (scene: Scene) => WatchingVerifier]>([
    [
      'the store has no change feed',
      (scene) => scene.claims(),
      () =>
        new TokenVerifier({
          ...{ userPoolId: poolOf().minter.userPoolId, clientId: null, tokenUse: 'access' },
          revocation: false,
        }),
    ],
    [
      'the claims are of another pool',
      async (scene) => ({
        ...(await scene.claims()),
        iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other1',
      }),
      (scene) => scene,
    ],
    ['there are no claims', async () => undefined, (scene) => scene],
    [
      'the verifier throws',
      (scene) => scene.claims(),
      () => ({
        watch: () => {
          throw new Error('out of order')
        },
      }),
    ],
  ])('is closed: %s', async (_, claimsOf, verifierOf) => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const { observer } = scene
    const claims = (await claimsOf(scene)) as never
    const { ended } = closeWebSocketOnRevocation(server, verifierOf(scene), claims, { observer })
    expect(await closeOf(client)).toEqual([1013, 'unavailable'])
    expect(await ended).toBe('unavailable')
    expect(scene.events).toEqual([
      { type: 'connection_closed', reason: 'unavailable', error: expect.any(Error) },
    ])
    expect(unhandled).toEqual([])
  })

  it('is closed where the verifier is closed', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    await scene.verifier.close()
    closeWebSocketOnRevocation(server, scene, claims)
    expect(await closeOf(client)).toEqual([1013, 'unavailable'])
  })

  it.each<[string, object]>([
    ['closeCodes', { closeCodes: { revoked: 1005 } }],
    ['closeCodes', { closeCodes: { revoked: 5000 } }],
    ['closeCodes', { closeCodes: { expired: 3000.5 } }],
    ['closeCodes', { closeCodes: { closed: 3000 } }],
    ['closeTimeoutMs', { closeTimeoutMs: 60_000 }],
    ['observer', { observer: 5 }],
    ['code', { code: 4401 }],
  ])('is broken, and a TypeError thrown, where an option is wrong: %s %j', async (option, options) => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    const act = () => closeWebSocketOnRevocation(server, scene, claims, options)
    expect(act).toThrow(TypeError)
    expect(act).toThrow(option)
    expect((await closeOf(client))[0]).toBe(1006)
  })

  it('is broken, and a TypeError thrown, where there is no verifier', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims()
    expect(() => closeWebSocketOnRevocation(server, {} as never, claims)).toThrow('TokenVerifier')
    expect((await closeOf(client))[0]).toBe(1006)
  })
})

describe('A socket of another library', () => {
  /** One of the WHATWG kind, which takes no code below 3000 but 1000. */
  class StandardSocket extends EventTarget {
    readonly closes: unknown[] = []
    close(code?: number, reason?: string): void {
      if (code !== undefined && code !== 1000 && code < 3000) throw new DOMException('InvalidAccessError')
      this.closes.push(code === undefined ? 'closed' : [code, reason])
      this.dispatchEvent(new Event('close'))
    }
  }

  it('is closed, and let go of, where it is an EventTarget', async () => {
    const scene = new Scene(poolOf())
    const [one, two] = [new StandardSocket(), new StandardSocket()]
    const claims = await scene.claims()
    closeWebSocketOnRevocation(one, scene, claims)
    const watch = closeWebSocketOnRevocation(two, scene, claims)
    two.close(1000, 'bye')
    expect(await watch.ended).toBe('closed')
    await scene.revoker.revokeSession(claims)
    await until(() => one.closes.length > 0)
    expect([one.closes, two.closes]).toEqual([[[4401, 'revoked']], [[1000, 'bye']]])
    expect(scene.watching).toBe(0)
  })

  it('is closed without a code where it does not take the code', async () => {
    const scene = new Scene(poolOf())
    const socket = new StandardSocket()
    closeWebSocketOnRevocation(socket, scene, await scene.claims())
    await scene.verifier.close()
    await until(() => socket.closes.length > 0)
    expect(socket.closes).toEqual(['closed'])
  })

  it.each(['terminate', 'nothing'])('is let go of where its close throws, and there is %s', async (left) => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { observer } = scene
    const terminate = vi.fn()
    const error = new Error('out of order')
    const close = () => {
      throw error
    }
    const socket = Object.assign(new EventEmitter(), {
      close,
      ...(left === 'terminate' ? { terminate } : {}),
    })
    const claims = await scene.claims()
    const { ended } = closeWebSocketOnRevocation(socket, scene, claims, { observer })
    await scene.revoker.revokeSession(claims)
    expect(await ended).toBe('revoked')
    expect(scene.events).toEqual([{ type: 'connection_closed', reason: 'revoked', error }])
    expect(terminate).toHaveBeenCalledTimes(left === 'terminate' ? 1 : 0)
    expect([unhandled, scene.watching]).toEqual([[], 0])
  })

  it('is closed where it cannot be listened to', async () => {
    const scene = new Scene(poolOf())
    const closed = vi.fn()
    const claims = await scene.claims()
    expect(() => closeWebSocketOnRevocation({ close: closed }, scene, claims)).toThrow(TypeError)
    expect(closed).toHaveBeenCalledOnce()
  })

  it('keeps no listener, whatever ends it', async () => {
    const scene = new Scene(poolOf())
    class Plain extends EventEmitter implements WebSocketLike {
      close(): void {
        this.emit('close')
      }
    }
    const sockets = [new Plain(), new Plain(), new Plain()] as const
    const claims = await scene.claims()
    const watches = sockets.map((socket) => closeWebSocketOnRevocation(socket, scene, claims))
    sockets[0].close()
    watches[1]?.stop()
    await scene.revoker.revokeSession(claims)
    expect(await Promise.all(watches.map(({ ended }) => ended))).toEqual(['closed', 'closed', 'revoked'])
    expect(sockets.map((socket) => socket.listenerCount('close'))).toEqual([0, 0, 0])
    expect(scene.watching).toBe(0)
  })
})

describe('A fresh token of the same session', () => {
  const session = { origin_jti: 'one-session', sub: 'jane' }

  it('lets the connection outlive the token that opened it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const watch = closeWebSocketOnRevocation(server, scene, await scene.claims(session))
    scene.pass(3_500)
    const iat = Math.floor(Date.now() / 1_000) + 3_500
    const fresh = await scene.claims({ ...session, iat })
    watch.renew(fresh)
    scene.pass(200)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(server.readyState).toBe(WebSocket.OPEN)
    expect(scene.watching).toBe(1)
    const closed = closeOf(client)
    await scene.revoker.revokeSession(fresh)
    expect(await closed).toEqual([4401, 'revoked'])
  })

  it('closes the connection where it has been revoked itself', async () => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const watch = closeWebSocketOnRevocation(server, scene, await scene.claims(session))
    const fresh = await scene.claims(session)
    await scene.revoker.revokeToken(fresh)
    watch.renew(fresh)
    expect(await closeOf(client)).toEqual([4401, 'revoked'])
  })

  it.each<[string, Record<string, unknown>]>([
    ['sub', { sub: 'joe' }],
    ['origin_jti', { origin_jti: 'another-session' }],
    ['origin_jti', { origin_jti: undefined }],
    ['iss', { iss: 'https://example.com' }],
    ['token_use', { token_use: 'id', aud: 'client' }],
    ['client_id', { client_id: 'another-client' }],
  ])('is the only kind that is taken: not one with another %s, %j', async (claim, more) => {
    const scene = new Scene(poolOf())
    const { client, server } = await (await listen()).connect()
    const claims = await scene.claims(session)
    const watch = closeWebSocketOnRevocation(server, scene, claims)
    const act = () => watch.renew({ ...claims, ...more } as never)
    expect(act).toThrow(TokenClaimError)
    expect(act).toThrow(`"${claim}"`)
    const closed = closeOf(client)
    await scene.revoker.revokeSession(claims)
    expect(await closed).toEqual([4401, 'revoked'])
  })

  it('opens nothing again once the watch has ended', async () => {
    const scene = new Scene(poolOf())
    const { server } = await (await listen()).connect()
    const claims = await scene.claims(session)
    const watch = closeWebSocketOnRevocation(server, scene, claims)
    watch.stop()
    watch.renew(await scene.claims(session))
    await pause(0)
    expect(scene.watching).toBe(0)
  })
})
