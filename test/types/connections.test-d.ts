import { createServer, type ServerResponse } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { describe, expectTypeOf, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  type CognitoAccessTokenClaims,
  type CognitoClaims,
  MemoryRevocationStore,
  TokenVerifier,
} from '../../src/index.js'
import {
  authenticateUpgrade,
  type ConnectionWatch,
  closeWebSocketOnRevocation,
  disconnectSocketOnRevocation,
  endEventStreamOnRevocation,
  revocationSignal,
  type SocketIoData,
  selectSubprotocol,
  verifySocketIoToken,
} from '../../src/middleware/connections/index.js'

const pool = { userPoolId: 'us-east-1_AbCdEfGhI', clientId: null, revocation: new MemoryRevocationStore() }
const verifier = new TokenVerifier({ ...pool, tokenUse: 'access' })
const both = new TokenVerifier({ ...pool, tokenUse: null })
const claims = {} as CognitoAccessTokenClaims
const socket = {} as WebSocket

describe('closeWebSocketOnRevocation', () => {
  it('takes a WebSocket of ws, and one of the platform', () => {
    expectTypeOf(closeWebSocketOnRevocation(socket, verifier, claims)).toEqualTypeOf<ConnectionWatch>()
    closeWebSocketOnRevocation({} as globalThis.WebSocket, verifier, claims)
  })

  it('takes any verifier, and the claims as frameworks have them', () => {
    closeWebSocketOnRevocation(socket, both, claims)
    closeWebSocketOnRevocation(socket, verifier, {} as CognitoClaims)
    // @ts-expect-error: authentication was optional
    closeWebSocketOnRevocation(socket, verifier, {} as CognitoClaims | undefined)
  })

  it('knows its options', () => {
    closeWebSocketOnRevocation(socket, verifier, claims, { closeCodes: { revoked: 4000 }, closeTimeoutMs: 5 })
    // @ts-expect-error: no outcome
    closeWebSocketOnRevocation(socket, verifier, claims, { closeCodes: { closed: 4000 } })
    // @ts-expect-error: closeTimeoutMs
    closeWebSocketOnRevocation(socket, verifier, claims, { closeTimeout: 5 })
  })

  it('tells why it ended', () => {
    const { ended } = closeWebSocketOnRevocation(socket, verifier, claims)
    expectTypeOf(ended).toEqualTypeOf<Promise<'revoked' | 'expired' | 'unavailable' | 'closed'>>()
  })
})

describe('endEventStreamOnRevocation and revocationSignal', () => {
  it("take Node's response, and give a signal", () => {
    endEventStreamOnRevocation({} as ServerResponse, verifier, claims, { lastEvent: true })
    const { signal } = new AbortController()
    expectTypeOf(revocationSignal(verifier, claims, { signal })).toEqualTypeOf<AbortSignal>()
    // @ts-expect-error: a signal that ends the watch is needed
    revocationSignal(verifier, claims)
  })
})

describe('authenticateUpgrade', () => {
  it("stands between Node's server and ws", () => {
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: selectSubprotocol('chat') })
    const authenticate = authenticateUpgrade(verifier)
    createServer().on('upgrade', async (request, duplex, head) => {
      const found = await authenticate(request, duplex)
      expectTypeOf(found).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
      if (found !== undefined) sockets.handleUpgrade(request, duplex, head, () => {})
    })
  })

  it('needs a token', () => {
    // @ts-expect-error: undefined would say two things
    authenticateUpgrade(verifier, { optional: true })
    // @ts-expect-error: the same
    authenticateUpgrade(verifier, { skip: () => true })
  })
})

describe('verifySocketIoToken', () => {
  interface Listened {
    say: (words: string) => void
  }
  interface Emitted {
    'session-over': (why: 'revoked' | 'expired' | 'unavailable') => void
  }

  it('goes everywhere that Socket.IO takes a middleware', () => {
    const io = new Server()
    io.use(verifySocketIoToken(verifier))
    io.of('/admin').use(verifySocketIoToken(both, { groups: 'admin', tokenFrom: ['auth', 'authorization'] }))
  })

  it('goes into a typed server, whose sockets have typed claims', () => {
    const io = new Server<Listened, Emitted, Record<string, never>, SocketIoData<CognitoAccessTokenClaims>>()
    io.use(verifySocketIoToken(verifier, { event: 'session-over' }))
    io.on('connection', (each) => {
      expectTypeOf(each.data.auth).toEqualTypeOf<CognitoAccessTokenClaims | undefined>()
      if (each.data.auth !== undefined) disconnectSocketOnRevocation(each, verifier, each.data.auth)
    })
  })

  it('does not go into a server whose data has no place for claims', () => {
    const io = new Server<Listened, Emitted, Record<string, never>, { user: string }>()
    // @ts-expect-error: SocketData has no auth
    io.use(verifySocketIoToken(verifier))
  })

  it("gives Socket.IO's socket to extractToken as far as it is known", () => {
    verifySocketIoToken(verifier, { extractToken: ({ request }) => request.url })
    disconnectSocketOnRevocation({} as Socket, verifier, claims)
  })
})
