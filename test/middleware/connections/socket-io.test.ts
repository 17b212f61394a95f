import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type DefaultEventsMap, Server, type ServerOptions, type Socket } from 'socket.io'
import {
  type Socket as Client,
  io as connect,
  type ManagerOptions,
  type SocketOptions,
} from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  disconnectSocketOnRevocation,
  type SocketIoData,
  type VerifySocketIoTokenOptions,
  verifySocketIoToken,
} from '../../../src/middleware/connections/index.js'
import { createVerifier, storeThat, usePool, watchForUnhandled } from '../harness.js'
import { Scene, until } from './scene.js'

const poolOf = usePool()

type Io = Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketIoData>
type ServerSocket = Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, SocketIoData>

/** A Socket.IO server, and clients of it. */
async function listen(set: (io: Io) => void, options: Partial<ServerOptions> = {}) {
  const http = createServer()
  const io: Io = new Server(http, options)
  set(io)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => void io.close())
  const { port } = http.address() as AddressInfo
  const client = (more: Partial<ManagerOptions & SocketOptions> = {}, namespace = '/'): Client => {
    const url = `http://127.0.0.1:${port}${namespace}`
    const socket = connect(url, { transports: ['websocket'], forceNew: true, reconnection: false, ...more })
    onTestFinished(() => void socket.disconnect())
    return socket
  }
  return { io, port, client }
}

const start = (scene: Scene, options: VerifySocketIoTokenOptions = {}) =>
  listen((io) => io.use(verifySocketIoToken(scene, options)))

const event = (client: Client, name: string) => new Promise<unknown>((resolve) => client.once(name, resolve))

/** What a client is told that is not let in. */
async function refusalOf(client: Client): Promise<unknown> {
  const told = await Promise.race([
    event(client, 'connect_error'),
    event(client, 'connect').then(() => new Error('it was let in')),
  ])
  const { message, data, ...more } = told as Error & { data: unknown }
  return { message, data, ...more }
}

describe('A socket of Socket.IO', () => {
  it('connects with the claims of its token in data.auth', async () => {
    const scene = new Scene(poolOf())
    const { io, client } = await start(scene)
    const connected = once(io, 'connection') as Promise<[ServerSocket]>
    const token = scene.token({ sub: 'jane' })
    client({ auth: { token } })
    const [socket] = await connected
    expect(socket.data).toEqual({ auth: await scene.verify(token) })
  })

  it('connects by long polling, too', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene)
    const socket = client({ auth: { token: scene.token() }, transports: ['polling'] })
    await event(socket, 'connect')
  })

  const unauthorized = { message: 'Unauthorized', data: { status: 401, error: 'invalid_token' } }

  it.each<[string, (scene: Scene) => unknown, object]>([
    ['no token', () => undefined, { message: 'Unauthorized', data: { status: 401 } }],
    ['null', () => null, { message: 'Unauthorized', data: { status: 401 } }],
    ['an empty token', () => '', { message: 'Unauthorized', data: { status: 401 } }],
    ['a word', () => 'token', unauthorized],
    ['a number', () => 5, unauthorized],
    ['an object', () => ({ length: 5 }), unauthorized],
    ['an array with a token', (scene) => [scene.token()], unauthorized],
    ['an expired token', (scene) => scene.token({ iat: 1_700_000_000 }), unauthorized],
    ['a token with its scheme', (scene) => `Bearer ${scene.token()}`, unauthorized],
  ])('is refused with %s, and told the status and the code only', async (_, tokenOf, refusal) => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { client } = await start(scene)
    expect(await refusalOf(client({ auth: { token: tokenOf(scene) } }))).toEqual(refusal)
    expect(scene.watching).toBe(0)
    expect(unhandled).toEqual([])
  })

  it('is refused once its session is revoked', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene)
    const token = scene.token()
    await scene.revoker.revokeSession(await scene.verify(token))
    expect(await refusalOf(client({ auth: { token } }))).toEqual(unauthorized)
  })

  it('is refused without a scope or group that it needs', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene, { scope: 'chat/write' })
    const data = { status: 403, error: 'insufficient_scope' }
    expect(await refusalOf(client({ auth: { token: scene.token() } }))).toEqual({
      message: 'Forbidden',
      data,
    })
  })

  it('is refused with 503 while it cannot be known whether the token is revoked, and may come again', async () => {
    let isDown = true
    const revocation = storeThat(async () => {
      if (isDown) throw new Error('ECONNREFUSED at secret-host')
      return undefined
    })
    const verifier = createVerifier(poolOf(), { revocation })
    const { client } = await listen((io) =>
      io.use(verifySocketIoToken(verifier, { disconnectOnRevocation: false })),
    )
    const socket = client({ auth: { token: poolOf().minter.accessToken() } })
    const refusal = { message: 'Service Unavailable', data: { status: 503 } }
    expect(await refusalOf(socket)).toEqual(refusal)
    // Not by itself, even where it may reconnect.
    expect(socket.active).toBe(false)
    isDown = false
    await event(socket.connect(), 'connect')
  })

  it('is refused with 500, in no words of the error, where a function of the owner fails', async () => {
    const scene = new Scene(poolOf())
    const { observer } = scene
    const skip = () => {
      throw new Error('secret-host is out of order')
    }
    const { client } = await start(scene, { skip, observer })
    expect(await refusalOf(client())).toEqual({ message: 'Internal Server Error', data: { status: 500 } })
    expect(scene.events).toMatchObject([{ type: 'request_refused', status: 500, error: expect.any(Error) }])
  })

  it('connects without a token where authentication is optional, but with no bad one', async () => {
    const scene = new Scene(poolOf())
    const { io, client } = await start(scene, { optional: true })
    const connected = once(io, 'connection') as Promise<[ServerSocket]>
    client()
    expect((await connected)[0].data).toEqual({})
    expect(await refusalOf(client({ auth: { token: 'x' } }))).toEqual(unauthorized)
  })

  it("keeps apart what belongs to the application: a later middleware's error is its own", async () => {
    const scene = new Scene(poolOf())
    const { client } = await listen((io) => {
      io.use(verifySocketIoToken(scene))
      io.use((_, next) => next(new Error('the room is full')))
    })
    const socket = client({ auth: { token: scene.token() } })
    expect(await refusalOf(socket)).toEqual({ message: 'the room is full', data: undefined })
    socket.disconnect()
    await until(() => scene.watching === 0)
  })
})

describe("A socket's token", () => {
  const polling = { transports: ['polling' as const] }

  it('is taken from the Authorization header by option', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene, { tokenFrom: 'authorization' })
    const extraHeaders = { Authorization: `Bearer ${scene.token()}` }
    await event(client({ extraHeaders }), 'connect')
    const refusal = { message: 'Unauthorized', data: { status: 401 } }
    expect(await refusalOf(client({ auth: { token: scene.token() } }))).toEqual(refusal)
  })

  it('may be in either of two places, not in both', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene, { tokenFrom: ['auth', 'authorization'] })
    const extraHeaders = { Authorization: `Bearer ${scene.token()}` }
    const auth = { token: scene.token() }
    await event(client({ extraHeaders }), 'connect')
    await event(client({ auth }), 'connect')
    expect(await refusalOf(client({ auth, extraHeaders }))).toEqual({
      message: 'Bad Request',
      data: { status: 400, error: 'invalid_request' },
    })
  })

  it('is not taken from a header that looks like ours', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene)
    const extraHeaders = { 'handshake-auth-token': scene.token() }
    expect(await refusalOf(client({ extraHeaders }))).toMatchObject({ data: { status: 401 } })
  })

  it('is found by extractToken where there is one', async () => {
    const scene = new Scene(poolOf())
    const extractToken = (socket: { handshake: { auth: { jwt?: string } } }) => socket.handshake.auth.jwt
    const { client } = await start(scene, { extractToken })
    await event(client({ auth: { jwt: scene.token() } }), 'connect')
  })

  it.each([
    ['a WebSocket', {}],
    ['long polling', polling],
  ])('counts in a cookie from the same origin only, by %s', async (_, transport) => {
    const scene = new Scene(poolOf())
    const options = { tokenFrom: { cookie: 'token' }, allowedOrigins: ['https://app.example.com'] }
    const { client } = await start(scene, options)
    const send = (headers: Record<string, string>) =>
      client({ extraHeaders: { Cookie: `token=${scene.token()}`, ...headers }, ...transport })
    await event(send({ Origin: 'https://app.example.com' }), 'connect')
    const forbidden = { message: 'Forbidden', data: { status: 403 } }
    expect(await refusalOf(send({ Origin: 'https://evil.example' }))).toEqual(forbidden)
    expect(await refusalOf(send({}))).toEqual(forbidden)
  })
})

describe('A connected socket', () => {
  it('is disconnected when its session is revoked, and others are not', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene, { observer: scene.observer })
    const [token, another] = [scene.token(), scene.token()]
    const [mine, other] = [client({ auth: { token } }), client({ auth: { token: another } })]
    await Promise.all([event(mine, 'connect'), event(other, 'connect')])
    const reason = event(mine, 'disconnect')
    await scene.revoker.revokeSession(await scene.verify(token))
    expect(await reason).toBe('io server disconnect')
    expect(mine.active).toBe(false)
    expect(other.connected).toBe(true)
    expect(scene.events).toEqual([{ type: 'connection_closed', reason: 'revoked' }])
    expect(scene.watching).toBe(1)
  })

  it('is disconnected in every namespace', async () => {
    const scene = new Scene(poolOf())
    const { client } = await listen((io) => {
      io.use(verifySocketIoToken(scene))
      io.of('/open')
    })
    const token = scene.token()
    const socket = client({ auth: { token } })
    const open = socket.io.socket('/open').connect()
    await Promise.all([event(socket, 'connect'), event(open, 'connect')])
    const ended = Promise.all([event(socket, 'disconnect'), event(open, 'disconnect')])
    await scene.revoker.revokeSession(await scene.verify(token))
    expect(await ended).toEqual(['io server disconnect', 'io server disconnect'])
  })

  it('is told by an event first where the owner wants it', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene, { event: 'session-over' })
    const token = scene.token()
    const socket = client({ auth: { token } })
    await event(socket, 'connect')
    const told = Promise.all([event(socket, 'session-over'), event(socket, 'disconnect')])
    await scene.revoker.revokeSession(await scene.verify(token))
    expect(await told).toEqual(['revoked', 'io server disconnect'])
  })

  it('is disconnected though the event cannot be emitted, and the observer told why', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const error = new Error('out of order')
    const { observer } = scene
    const { io, client } = await start(scene, { event: 'session-over', observer })
    io.on('connection', (socket) =>
      socket.onAnyOutgoing(() => {
        throw error
      }),
    )
    const token = scene.token()
    const socket = client({ auth: { token } })
    await event(socket, 'connect')
    const gone = event(socket, 'disconnect')
    await scene.revoker.revokeSession(await scene.verify(token))
    expect(await gone).toBe('io server disconnect')
    expect(scene.events).toEqual([{ type: 'connection_closed', reason: 'revoked', error }])
    expect(unhandled).toEqual([])
  })

  it('is disconnected in every namespace, though a listener of the application throws', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const { observer } = scene
    const error = new Error('out of order')
    const { client } = await listen((io) => {
      io.use(verifySocketIoToken(scene, { observer }))
      io.of('/open')
      io.on('connection', (socket) =>
        socket.once('disconnecting', () => {
          throw error
        }),
      )
    })
    const token = scene.token()
    const socket = client({ auth: { token } })
    // It comes first, and is the first to go.
    await event(socket, 'connect')
    const open = socket.io.socket('/open').connect()
    await event(open, 'connect')
    const ended = Promise.all([event(socket, 'disconnect'), event(open, 'disconnect')])
    await scene.revoker.revokeSession(await scene.verify(token))
    await ended
    expect(scene.events).toEqual([{ type: 'connection_closed', reason: 'revoked', error }])
    expect(unhandled).toEqual([])
  })

  it('is heard no more once its session is revoked', async () => {
    const scene = new Scene(poolOf())
    const heard: unknown[] = []
    const { io, client } = await start(scene)
    io.on('connection', (socket) => socket.on('say', (words) => heard.push(words)))
    const token = scene.token()
    const socket = client({ auth: { token } })
    await event(socket, 'connect')
    socket.emit('say', 'before')
    await until(() => heard.length > 0)
    const [served] = [...io.sockets.sockets.values()]
    const [gone, told] = [once(served as never, 'disconnect'), event(socket, 'disconnect')]
    await scene.revoker.revokeSession(await scene.verify(token))
    await gone
    // The client does not know yet.
    socket.emit('say', 'after')
    await told
    expect(heard).toEqual(['before'])
  })

  it('is disconnected when it cannot be known any more', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene, { event: 'session-over' })
    const socket = client({ auth: { token: scene.token() } })
    await event(socket, 'connect')
    const told = event(socket, 'session-over')
    await scene.verifier.close()
    expect(await told).toBe('unavailable')
  })

  it('is disconnected where it cannot be watched: the store has no change feed', async () => {
    const unhandled = watchForUnhandled()
    const scene = new Scene(poolOf())
    const verifier = createVerifier(poolOf(), { revocation: false })
    const { observer } = scene
    const { client } = await listen((io) => io.use(verifySocketIoToken(verifier, { observer })))
    await event(client({ auth: { token: scene.token() } }), 'disconnect')
    expect(scene.events).toMatchObject([{ reason: 'unavailable', error: expect.any(TypeError) }])
    expect(unhandled).toEqual([])
  })

  it('is disconnected at once where its session was revoked while a later middleware thought', async () => {
    const scene = new Scene(poolOf())
    let goOn: (() => void) | undefined
    const { client } = await listen((io) => {
      io.use(verifySocketIoToken(scene))
      io.use((_, next) => {
        goOn = next
      })
    })
    const token = scene.token()
    const socket = client({ auth: { token } })
    await until(() => goOn !== undefined)
    await scene.revoker.revokeSession(await scene.verify(token))
    goOn?.()
    expect(await event(socket, 'disconnect')).toBe('io server disconnect')
  })

  it('is watched, though a listener of the application throws', async () => {
    const scene = new Scene(poolOf())
    const { io, client } = await start(scene)
    const thrown: unknown[] = []
    const { emitReserved } = io.sockets as unknown as { emitReserved(...parameters: unknown[]): boolean }
    Object.assign(io.sockets, {
      // As where the process goes on after an uncaught exception.
      emitReserved(...parameters: unknown[]) {
        try {
          return emitReserved.apply(this, parameters)
        } catch (error) {
          return thrown.push(error) > 0
        }
      },
    })
    for (const name of ['connect', 'connection'] as const) {
      io.on(name, () => {
        throw new Error(name)
      })
    }
    const socket = client({ auth: { token: scene.token() } })
    await event(socket, 'connect')
    await until(() => thrown.length === 2)
    expect(scene.watching).toBe(1)
  })

  it('is not watched at all where it is gone before its token is verified', async () => {
    const scene = new Scene(poolOf())
    let goOn: (() => void) | undefined
    const verifier = {
      watch: scene.watch.bind(scene),
      verify: async (token: string) => {
        await new Promise<void>((resolve) => {
          goOn = resolve
        })
        return scene.verify(token)
      },
    }
    const middleware = verifySocketIoToken(verifier)
    let tellDecided = () => {}
    const decided = new Promise<void>((resolve) => {
      tellDecided = resolve
    })
    const { io, client } = await listen((io) =>
      io.use((socket, next) => middleware(socket, () => [tellDecided(), next()])),
    )
    const socket = client({ auth: { token: scene.token() } })
    await until(() => goOn !== undefined)
    socket.disconnect()
    await until(() => io.engine.clientsCount === 0)
    goOn?.()
    await decided
    expect(scene.watching).toBe(0)
  })

  it('is watched no longer once it is gone', async () => {
    const scene = new Scene(poolOf())
    const { io, client } = await start(scene)
    const leaving: ((socket: Client) => void)[] = [
      (socket) => socket.disconnect(),
      (socket) => socket.io.engine.close(),
      () => io.disconnectSockets(),
    ]
    for (const leave of leaving) {
      const socket = client({ auth: { token: scene.token() } })
      await event(socket, 'connect')
      const [served] = [...io.sockets.sockets.values()]
      expect(scene.watching).toBe(1)
      leave(socket)
      await until(() => scene.watching === 0)
      expect(served?.listenerCount('disconnect')).toBe(0)
    }
  })

  it('stays connected where disconnectOnRevocation is false', async () => {
    const scene = new Scene(poolOf())
    const { client } = await start(scene, { disconnectOnRevocation: false })
    const token = scene.token()
    const socket = client({ auth: { token } })
    await event(socket, 'connect')
    expect(scene.watching).toBe(0)
    await scene.revoker.revokeSession(await scene.verify(token))
    expect(socket.connected).toBe(true)
  })

  it('may go on with a fresh token of its session', async () => {
    const scene = new Scene(poolOf())
    const { io, client } = await start(scene, { disconnectOnRevocation: false })
    const renewed = new Promise<void>((resolve) => {
      io.on('connection', (socket) => {
        if (socket.data.auth === undefined) return
        const watch = disconnectSocketOnRevocation(socket, scene, socket.data.auth)
        socket.on('fresh-token', async (token) => {
          watch.renew(await scene.verify(token))
          resolve()
        })
      })
    })
    const session = { origin_jti: 'session', sub: 'jane' }
    const socket = client({ auth: { token: scene.token(session) } })
    await event(socket, 'connect')
    const fresh = scene.token(session)
    socket.emit('fresh-token', fresh)
    await renewed
    const gone = event(socket, 'disconnect')
    await scene.revoker.revokeToken(await scene.verify(fresh))
    expect(await gone).toBe('io server disconnect')
  })
})

describe('A namespace', () => {
  it('has a middleware of its own', async () => {
    const scene = new Scene(poolOf())
    const { client } = await listen((io) => {
      io.of('/admin').use(verifySocketIoToken(scene, { groups: 'admin' }))
    })
    await event(client(), 'connect')
    const token = scene.token({ 'cognito:groups': ['admin'] })
    await event(client({ auth: { token } }, '/admin'), 'connect')
    const refusal = { message: 'Forbidden', data: { status: 403, error: 'insufficient_scope' } }
    expect(await refusalOf(client({ auth: { token: scene.token() } }, '/admin'))).toEqual(refusal)
  })
})

describe('A socket that a later middleware refuses', () => {
  /** `/refusing` lets nobody in. */
  const listenWith = (scene: Scene) =>
    listen((io) => {
      io.use(verifySocketIoToken(scene))
      io.of('/refusing').use(verifySocketIoToken(scene))
      io.of('/refusing').use((_, next) => next(new Error('the room is full')))
    })

  it('is not watched, however often it comes', async () => {
    const scene = new Scene(poolOf())
    const { io, client } = await listenWith(scene)
    const socket = client({ auth: { token: scene.token() } })
    await event(socket, 'connect')
    const [served] = [...io.sockets.sockets.values()]
    const listeners = served?.conn.listenerCount('close')
    const another = socket.io.socket('/refusing', { auth: { token: scene.token() } })
    for (let count = 0; count < 20; count += 1) {
      expect(await refusalOf(another.connect())).toMatchObject({ message: 'the room is full' })
    }
    expect([scene.watching, served?.conn.listenerCount('close')]).toEqual([1, listeners])
    expect(io.of('/refusing').listenerCount('connect')).toBe(1)
  })

  it('takes no other along when its session is revoked', async () => {
    const scene = new Scene(poolOf())
    const { client } = await listenWith(scene)
    const [token, another] = [scene.token(), scene.token()]
    const socket = client({ auth: { token } })
    await event(socket, 'connect')
    await refusalOf(socket.io.socket('/refusing', { auth: { token: another } }).connect())
    const witness = client({ auth: { token: another } })
    await event(witness, 'connect')
    const gone = event(witness, 'disconnect')
    await scene.revoker.revokeSession(await scene.verify(another))
    await gone
    expect([socket.connected, scene.watching]).toEqual([true, 1])
  })
})

describe('Connection state recovery', () => {
  it.each<[string, object, object]>([
    ['by default', {}, {}],
    ['with skipMiddlewares: false', { skipMiddlewares: false }, {}],
    ['where authentication is optional', { skipMiddlewares: false }, { optional: true }],
    ['where the middleware is skipped', { skipMiddlewares: false }, { skip: () => true }],
  ])('is refused, so that no revoked client gets what it missed: %s', async (_, recovery, options) => {
    const scene = new Scene(poolOf())
    const { observer } = scene
    const { client } = await listen((io) => io.use(verifySocketIoToken(scene, { ...options, observer })), {
      connectionStateRecovery: recovery as never,
    })
    const refusal = { message: 'Internal Server Error', data: { status: 500 } }
    for (const auth of [{ token: scene.token() }, {}])
      expect(await refusalOf(client({ auth }))).toEqual(refusal)
    expect(String((scene.events[0] as { error: Error }).error)).toContain('connectionStateRecovery')
    expect(scene.watching).toBe(0)
  })
})

describe('The options of verifySocketIoToken', () => {
  it.each<[string, object]>([
    ['disconnectOnRevocation', { disconnectOnRevocation: 'no' }],
    ['event', { event: 'disconnect' }],
    ['event', { event: '' }],
    ['event', { event: 'over', disconnectOnRevocation: false }],
    ['tokenFrom', { tokenFrom: 'query' }],
    ['tokenFrom', { tokenFrom: [] }],
    ['tokenFrom', { tokenFrom: 'auth', extractToken: () => '' }],
    ['optional', { optional: 1 }],
    ['observer', { observer: 1 }],
    ['scopes', { scopes: 'openid' }],
  ])('are checked: %s', (option, options) => {
    const scene = new Scene(poolOf())
    expect(() => verifySocketIoToken(scene, options)).toThrow(TypeError)
    expect(() => verifySocketIoToken(scene, options)).toThrow(option)
  })

  it('come after a verifier', () => {
    expect(() => verifySocketIoToken({} as never)).toThrow(TypeError)
    expect(() => verifySocketIoToken({ verify: () => {} } as never)).toThrow('TokenVerifier')
  })
})

describe('disconnectSocketOnRevocation', () => {
  it('disconnects, and throws a TypeError, where an option is wrong', async () => {
    const scene = new Scene(poolOf())
    const claims = await scene.claims()
    const thrown: unknown[] = []
    const { client } = await listen((io) => {
      io.on('connection', (socket) => {
        try {
          disconnectSocketOnRevocation(socket, scene, claims, { event: 'connect' })
        } catch (error) {
          thrown.push(error)
        }
      })
    })
    expect(await event(client(), 'disconnect')).toBe('io server disconnect')
    expect(thrown).toEqual([expect.any(TypeError)])
  })
})
