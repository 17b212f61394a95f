import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import * as core from '../../src/index.js'
import { createVerifier, type Pool, usePool } from '../middleware/harness.js'
import { call } from '../support/http.js'

const poolOf = usePool()

afterEach(() => {
  vi.doUnmock('node:http')
  vi.doUnmock('cognito-revocation')
})

/** The example as it stands, but for its user pool, its store, and its port. */
async function start({ minter }: Pool) {
  const store = new core.MemoryRevocationStore()
  const servers: Server[] = []
  vi.resetModules()
  vi.doMock('node:http', async (importActual) => {
    const http = await importActual<typeof import('node:http')>()
    return {
      ...http,
      createServer: (listener: () => void) => {
        const server = http.createServer(listener)
        const listen = server.listen.bind(server)
        servers.push(server)
        return Object.assign(server, { listen: () => listen(0, '127.0.0.1') })
      },
    }
  })
  vi.doMock('cognito-revocation', () => ({
    ...core,
    TokenVerifier: class {
      constructor() {
        // biome-ignore lint/correctness/noConstructorReturn: a verifier of the test's pool takes its place.
        return createVerifier(poolOf(), { revocation: store })
      }
    },
  }))
  await import('../../examples/websocket.js')
  const [server] = servers
  if (server === undefined) throw new Error('it does not listen')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connect = (token: string) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, ['chat', `bearer.${token}`])
    onTestFinished(() => socket.terminate())
    return socket
  }
  const revoker = new core.Revoker({ store, poolId: minter.userPoolId })
  return { port, connect, revoker, verifier: createVerifier(poolOf()) }
}

describe('The example of a WebSocket server', () => {
  const session = { sub: 'jane', origin_jti: 'session' }
  const answerOf = async (socket: WebSocket, words: string) => {
    socket.send(words)
    return String((await once(socket, 'message'))[0])
  }

  it('answers until the session is revoked, and goes on with fresh tokens until then', async () => {
    const { connect, revoker, verifier } = await start(poolOf())
    const token = poolOf().minter.accessToken(session)
    const socket = connect(token)
    await once(socket, 'open')
    expect([socket.protocol, await answerOf(socket, 'hello')]).toEqual(['chat', 'jane: hello'])
    expect(await answerOf(socket, 'token nonsense')).toBe('token refused')
    socket.send(`token ${poolOf().minter.accessToken(session)}`)
    expect(await answerOf(socket, 'still here')).toBe('jane: still here')
    const closed = once(socket, 'close')
    await revoker.revokeSession(await verifier.verify(token))
    expect((await closed).map(String)).toEqual(['4401', 'revoked'])
  })

  it('refuses a bad token, and what is no WebSocket', async () => {
    const { connect, port } = await start(poolOf())
    const [error] = await once(connect('nonsense'), 'error')
    expect(String(error)).toContain('401')
    expect((await call(port)).status).toBe(426)
  })
})
