import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import express5 from 'express'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import * as clientModule from '../../src/client/index.js'
import * as core from '../../src/index.js'
import { call } from '../support/http.js'
import { type Scene, useScene } from '../support/scene.js'

const createScene = useScene()
const express4 = createRequire(import.meta.url)('express4') as typeof express5

/** The quick start as it stands, on that version of Express, with its user pool where the scene is. */
async function start(express: typeof express5, scene: Scene) {
  const pool = {
    userPoolId: scene.cognito.userPoolId,
    issuer: scene.cognito.issuer,
    clientId: scene.app.clientId,
  }
  const servers: Server[] = []
  vi.resetModules()
  vi.doMock('express', () => ({
    default: Object.assign(() => {
      const app = express()
      app.listen = () => {
        const server = createServer(app).listen(0, '127.0.0.1')
        servers.push(server)
        return server
      }
      return app
    }, express),
  }))
  vi.doMock('cognito-revocation', () => ({
    ...core,
    MemoryRevocationStore: class {
      constructor() {
        // biome-ignore lint/correctness/noConstructorReturn: the scene's own store takes its place.
        return scene.store
      }
    },
    TokenVerifier: class extends core.TokenVerifier<'access'> {
      constructor(options: core.TokenVerifierOptions<'access'>) {
        super({ ...options, ...pool } as core.TokenVerifierOptions<'access'>)
      }
    },
    Revoker: class extends core.Revoker {
      constructor({ store }: core.RevokerOptions) {
        super({ store, poolId: pool.userPoolId })
      }
    },
  }))
  vi.doMock('cognito-revocation/client', () => ({
    ...clientModule,
    CognitoTokenClient: class extends clientModule.CognitoTokenClient {
      constructor({ store }: clientModule.CognitoTokenClientOptions) {
        super({ ...pool, store, endpoint: scene.cognito.url })
      }
    },
  }))
  await import('../../examples/quick-start.js')
  const [server] = servers
  if (server === undefined) throw new Error('it does not listen')
  onTestFinished(() => void server.close())
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const headers = { 'content-type': 'application/json' }
  return {
    logout: (body: string, more = headers) =>
      call(port, { method: 'POST', path: '/logout', headers: more, body }),
    me: (token: string) => call(port, { path: '/me', headers: { authorization: `Bearer ${token}` } }),
  }
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
] as const)('The quick start on %s', (_, express) => {
  const logged = () => inspect(vi.mocked(console.error).mock.calls, { depth: 9 })
  const logOut = (site: Awaited<ReturnType<typeof start>>, refreshToken: string) =>
    site.logout(JSON.stringify({ refresh_token: refreshToken }))
  const quietly = () => vi.spyOn(console, 'error').mockImplementation(() => {})

  afterEach(() => {
    vi.doUnmock('express')
    vi.doUnmock('cognito-revocation')
    vi.doUnmock('cognito-revocation/client')
    vi.restoreAllMocks()
  })

  it('ends a session', async () => {
    const scene = createScene()
    const site = await start(express, scene)
    const { accessToken, refreshToken } = await scene.signIn()
    expect((await site.me(accessToken)).status).toBe(200)
    expect((await logOut(site, refreshToken)).status).toBe(204)
    expect((await site.me(accessToken)).status).toBe(401)
  })

  it('answers what it is told wrongly without ending anything, and goes on', async () => {
    quietly()
    const scene = createScene()
    const site = await start(express, scene)
    const { accessToken } = await scene.signIn()
    const answers = [
      await site.logout('{"refresh_token":"garbage"}'),
      await site.logout(`{"refresh_token":"${accessToken}"}`),
      await site.logout('{}'),
      await site.logout('', { 'content-type': 'text/plain' }),
      await site.logout(`{"refresh_token":"${accessToken}`),
      await site.logout('{"refresh_token":5}'),
    ]
    expect(answers.map(({ status, text }) => `${status} ${JSON.parse(text).error}`)).toEqual([
      '400 invalid_grant',
      '400 invalid_grant',
      '400 invalid_request',
      '415 undefined',
      '400 invalid_request',
      '400 invalid_request',
    ])
    expect(logged()).not.toContain(accessToken.slice(0, 20))
    expect((await site.me(accessToken)).status).toBe(200)
  })

  it('says 503 where the session is not wholly ended, and 204 at the next try', async () => {
    quietly()
    const scene = createScene()
    const site = await start(express, scene)
    const { accessToken, refreshToken } = await scene.signIn()
    scene.cognito.failNext('RevokeToken', 'UserNotFoundException')
    const answer = await logOut(site, refreshToken)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(logged()).toContain('session_revocation_failed')
    expect(logged()).not.toContain(refreshToken)
    expect((await site.me(accessToken)).status).toBe(401)
    expect((await logOut(site, refreshToken)).status).toBe(204)
  })
})
