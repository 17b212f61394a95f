import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { ObserverEvent } from '../../../src/index.js'
import {
  authenticateUpgrade,
  selectSubprotocol,
  type UpgradeOptions,
} from '../../../src/middleware/connections/index.js'
import { call, callRaw } from '../../support/http.js'
import {
  createVerifier,
  INVALID_REQUEST,
  INVALID_TOKEN,
  insufficientScope,
  NO_TOKEN,
  PatientStore,
  type Reply,
  replyOf,
  storeThat,
  UNAVAILABLE,
  usePool,
  watchForUnhandled,
} from '../harness.js'

const poolOf = usePool()
const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
}

const token = (claims = {}) => poolOf().minter.accessToken(claims)
const bearer = (value = token()) => ({ Authorization: `Bearer ${value}` })

/** A server of ws behind authenticateUpgrade, which greets every client with its sub. */
async function start(options: UpgradeOptions = {}, verifierOptions = {}) {
  const verifier = createVerifier(poolOf(), verifierOptions)
  const authenticate = authenticateUpgrade(verifier, options)
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: selectSubprotocol(['chat', 'v2']) })
  const outcomes: unknown[] = []
  const server = createServer((_, response) => response.end('plain'))
  server.on('upgrade', async (request, socket, head) => {
    const claims = await authenticate(request, socket)
    outcomes.push(claims)
    if (claims === undefined) return
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('message', (data) => webSocket.send(`you said ${data}`))
      webSocket.send(claims.sub)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const refused = async (headers: object): Promise<Reply> =>
    replyOf(await call(port, { headers: { ...UPGRADE, ...headers } }))
  const greeting = async (protocols: string[], headers = {}) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, protocols, { headers })
    onTestFinished(() => socket.terminate())
    const [data] = await once(socket, 'message')
    return { sub: String(data), protocol: socket.protocol, socket }
  }
  return { port, refused, greeting, outcomes, server }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('A WebSocket handshake', () => {
  it('goes on with the claims of its Authorization header', async () => {
    const { greeting } = await start()
    expect(await greeting([], bearer(token({ sub: 'jane' })))).toMatchObject({ sub: 'jane' })
  })

  it('leaves alone what the client sent behind its request', async () => {
    const { port } = await start()
    const mask = Buffer.alloc(4)
    const frame = Buffer.concat([Buffer.from([0x81, 0x80 | 5]), mask, Buffer.from('hello')])
    const lines = Object.entries({ Host: 'x', ...UPGRADE, ...bearer() }).map(
      ([name, value]) => `${name}: ${value}`,
    )
    const client = connect(port, '127.0.0.1')
    onTestFinished(() => void client.destroy())
    client.write(Buffer.concat([Buffer.from(['GET / HTTP/1.1', ...lines, '', ''].join('\r\n')), frame]))
    let received = ''
    for await (const chunk of client) {
      received += chunk
      if (received.includes('you said hello')) return
    }
    expect(received).toContain('you said hello')
  })

  it.each<[string, () => object, Reply | (() => Reply)]>([
    ['without a token', () => ({}), NO_TOKEN],
    ['with Basic credentials', () => ({ Authorization: 'Basic eDp5' }), NO_TOKEN],
    ['with two tokens', () => ({ Authorization: `Bearer ${token()}, Bearer ${token()}` }), INVALID_REQUEST],
    ['with a word for a token', () => bearer('token'), INVALID_TOKEN],
    ['with an expired token', () => bearer(token({ iat: 1_700_000_000 })), INVALID_TOKEN],
    ['with an ID token', () => bearer(poolOf().minter.idToken()), INVALID_TOKEN],
  ])('is refused as every other request is: %s', async (_, headers, reply) => {
    const { refused } = await start()
    expect(await refused(headers())).toEqual(reply)
  })

  it('is refused with two Authorization headers, which Node makes one of', async () => {
    const { port } = await start()
    const lines = Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}`)
    const two = [`Authorization: Bearer ${token()}`, 'Authorization: Bearer x']
    expect(replyOf(await callRaw(port, [...lines, ...two]))).toEqual(INVALID_REQUEST)
  })

  it('is refused without a scope that it needs', async () => {
    const { refused } = await start({ scope: 'chat/write' })
    expect(await refused(bearer())).toEqual(insufficientScope('chat/write'))
  })

  it('is refused with 503 while it cannot be known whether the token is revoked', async () => {
    const revocation = storeThat(() => Promise.reject(new Error('down')))
    const { refused } = await start({}, { revocation })
    expect(await refused(bearer())).toEqual(UNAVAILABLE)
  })

  it('is refused by an answer that ends the connection', async () => {
    const { port } = await start()
    const answer = await call(port, { headers: UPGRADE })
    expect(answer.headers).toMatchObject({
      connection: 'close',
      'content-length': String(answer.text.length),
    })
  })

  it('is told to the client of ws by its status', async () => {
    const { port } = await start()
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: bearer('x') })
    const [error] = await once(socket, 'error')
    expect(String(error)).toContain('401')
  })

  it('is refused with 500, and the observer told the error, where extractToken fails', async () => {
    const events: ObserverEvent[] = []
    const error = new Error('out of order')
    const { refused, outcomes } = await start({
      observer: (event) => events.push(event),
      extractToken: () => {
        throw error
      },
    })
    const body = { title: 'Internal Server Error', status: 500 }
    expect(await refused({})).toMatchObject({ status: 500, body })
    expect(outcomes).toEqual([undefined])
    expect(events).toEqual([{ type: 'request_refused', status: 500, error }])
  })

  it.each(['optional', 'skip'])('always needs a token: there is no %s', (option) => {
    const verifier = createVerifier(poolOf())
    expect(() => authenticateUpgrade(verifier, { [option]: true })).toThrow(option)
    expect(() => authenticateUpgrade(verifier, { [option]: true })).toThrow(TypeError)
  })
})

describe('A client that is gone', () => {
  /** The server's end of a connection by which a client sent these headers, and the client's. */
  async function connectBy(server: Server, port: number, headers: object): Promise<[Socket, Socket]> {
    const accepted = once(server, 'connection')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    onTestFinished(() => void client.destroy())
    client.on('error', () => {}).write(['GET / HTTP/1.1', 'Host: x', ...lines, '', ''].join('\r\n'))
    return [(await accepted)[0], client]
  }

  it('before its token is verified, by a reset, is nobody to go on with', async () => {
    const unhandled = watchForUnhandled()
    const patient = new PatientStore()
    const slow = { revocation: patient.store, revocationTimeoutMs: 60_000 }
    const { port, outcomes, server } = await start({}, slow)
    const [socket, client] = await connectBy(server, port, { ...UPGRADE, ...bearer() })
    const closed = new Promise((resolve) => socket.on('close', resolve))
    await patient.asked
    client.resetAndDestroy()
    await closed
    patient.answer()
    while (outcomes.length === 0) await pause(1)
    expect(outcomes).toEqual([undefined])
    expect(unhandled).toEqual([])
  })

  it('is let go of though it keeps its end of a refused connection open', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { port, server, outcomes } = await start()
    const [socket] = await connectBy(server, port, UPGRADE)
    while (outcomes.length === 0) await pause(1)
    expect(socket.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(socket.destroyed).toBe(true)
  })
})

describe('A token in a subprotocol', () => {
  const options = { tokenFrom: { webSocketProtocol: 'bearer.' } } as const

  it.each<[string, (token: string) => string[]]>([
    ['last', (token) => ['chat', `bearer.${token}`]],
    ['first', (token) => [`bearer.${token}`, 'chat']],
  ])('is taken, and not sent back: %s', async (_, protocols) => {
    const { greeting } = await start(options)
    const value = token({ sub: 'jane' })
    expect(await greeting(protocols(value))).toMatchObject({ sub: 'jane', protocol: 'chat' })
  })

  it('is not sent back where there is no other', async () => {
    const { port } = await start(options)
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, [`bearer.${token()}`])
    const [error] = await once(socket, 'error')
    expect(String(error)).toContain('Server sent no subprotocol')
  })

  it('is refused where it is no good, or there are two', async () => {
    const { refused } = await start(options)
    const offer = (protocols: string) => refused({ 'Sec-WebSocket-Protocol': protocols })
    expect(await offer('chat, bearer.x')).toEqual(INVALID_TOKEN)
    expect(await offer(`chat, bearer.${token()}, bearer.${token()}`)).toEqual(INVALID_REQUEST)
    expect(await offer('chat')).toEqual(NO_TOKEN)
  })
})

describe('selectSubprotocol', () => {
  it("chooses the first that is supported, in the client's order", () => {
    const select = selectSubprotocol(['v1', 'v2'])
    expect(select(new Set(['bearer.x', 'v2', 'v1']))).toBe('v2')
    expect(selectSubprotocol('chat')(new Set(['chat']))).toBe('chat')
  })

  it('chooses none where none is supported', () => {
    expect(selectSubprotocol('chat')(new Set(['bearer.x']))).toBe(false)
  })

  it.each([[[]], [''], [undefined]])('needs at least one: %j', (supported) => {
    expect(() => selectSubprotocol(supported as never)).toThrow(TypeError)
  })
})

describe('A token in a cookie', () => {
  const options = { tokenFrom: { cookie: 'token' }, allowedOrigins: ['https://app.example.com'] }
  const cookie = () => ({ Cookie: `token=${token()}` })

  it.each<[string, object]>([
    ['of the same origin', { 'Sec-Fetch-Site': 'same-origin' }],
    ['of an origin that is allowed', { Origin: 'https://app.example.com' }],
  ])('counts with a request %s', async (_, headers) => {
    const { greeting } = await start(options)
    expect(await greeting([], { ...cookie(), ...headers })).toMatchObject({ sub: expect.any(String) })
  })

  it.each<[string, object]>([
    ['of another website', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['of a sibling', { Origin: 'https://evil.example.com', 'Sec-Fetch-Site': 'same-site' }],
    ['of a page without an origin', { Origin: 'null' }],
    ['that does not say', {}],
  ])('does not count with a request %s', async (_, headers) => {
    const { refused } = await start(options)
    expect(await refused({ ...cookie(), ...headers })).toMatchObject({ status: 403 })
  })
})
