import type { RequestListener } from 'node:http'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { revokeSessionHandler as ofExpress } from '../../src/middleware/express/index.js'
import { revokeSessionHandler as ofFastify } from '../../src/middleware/fastify/index.js'
import { revokeSessionHandler as ofKoa } from '../../src/middleware/koa/index.js'
import type { RevokeSessionOptions, SessionClient } from '../../src/middleware/node/index.js'
import { call, listen } from '../support/http.js'
import { EVERY_FLOW, type Scene, useScene } from '../support/scene.js'
import { nodeMount } from './logout/mount.js'
import * as is from './logout/service.js'
import { bearer, gist, LogoutService, revokerOf } from './logout/service.js'

const createScene = useScene()
const createTrackingScene = useScene({ deviceTracking: true })

async function serve(scene: Scene, options: RevokeSessionOptions = {}, client?: SessionClient) {
  const service = await LogoutService.start(nodeMount, scene, { ...is.FROM_COOKIE, ...options }, client)
  onTestFinished(async () => void (await service.close()))
  return service
}

type Framework = (client: SessionClient) => RequestListener | Promise<RequestListener>

/** With the error handlers that they come with. */
const FRAMEWORKS: Readonly<Record<string, Framework>> = {
  Express: (client) => express().post('/logout', ofExpress(client)),
  Fastify: async (client) => {
    const app = Fastify()
    app.post('/logout', ofFastify(client))
    await app.ready()
    return (request, response) => app.routing(request, response)
  },
  Koa: (client) => {
    const app = new Koa()
    app.silent = true
    return app.use(ofKoa(client)).callback()
  },
}

describe.each(Object.entries(FRAMEWORKS))('With the error handler of %s itself', (_, start) => {
  it.each(['InvalidParameterException', 'UnauthorizedException', 'ResourceNotFoundException'])(
    "Cognito's %s is a 500, in no words of Cognito's",
    async (exception) => {
      // Express tells the stack, but in production.
      vi.stubEnv('NODE_ENV', 'production')
      onTestFinished(() => void vi.unstubAllEnvs())
      vi.spyOn(console, 'error').mockImplementation(() => {})
      const scene = createScene()
      const { refreshToken } = await scene.signIn(scene.user, scene.createClient())
      const listening = await listen(await start(scene.createClient()))
      onTestFinished(() => listening.close())
      scene.cognito.failNext('GetTokensFromRefreshToken', exception, { message: 'inner details' })
      const answer = await call(listening.port, {
        ...{ method: 'POST', path: '/logout', headers: is.JSON_TYPE },
        body: JSON.stringify({ refresh_token: refreshToken }),
      })
      expect(answer.status).toBe(500)
      expect(answer.text).not.toMatch(/inner details|Cognito|Exception/)
    },
  )
})

describe('A logout that AWS WAF blocks', () => {
  it('is answered 503, keeps the cookie, and can be sent again', async () => {
    const scene = createScene()
    const session = await scene.signIn(scene.user, scene.createClient())
    const service = await serve(scene)
    scene.cognito.failNext('GetTokensFromRefreshToken', 'ForbiddenException')
    scene.cognito.failNext('RevokeToken', 'ForbiddenException')
    expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.UNAVAILABLE)
    expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})

describe('A logout by REFRESH_TOKEN_AUTH with a client secret', () => {
  it.each([
    ['another user', (token: string) => token],
    ['another user, forged', (token: string) => `${token.slice(0, -4)}AAAA`],
  ])('is done whatever access token of %s comes along', async (_, change) => {
    const scene = createScene({ ...EVERY_FLOW, generateSecret: true })
    const session = await scene.signIn(scene.user, scene.createClient())
    const { accessToken } = await scene.signIn(scene.createUser(), scene.createClient())
    const client = scene.createClient({ refreshFlow: 'REFRESH_TOKEN_AUTH' })
    const service = await serve(scene, {}, client)
    const answer = await service.byCookie(session.refreshToken, bearer(change(accessToken)))
    expect(gist(answer)).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})

describe('A logout where the user pool tracks devices', () => {
  const signIn = async (scene: Scene) => {
    const session = await scene.signIn(scene.user, scene.createClient())
    const { accessToken, newDevice } = session
    if (newDevice === undefined) throw new Error('no new device')
    await scene.client.confirmDevice({ accessToken, newDevice })
    return session
  }

  it.each(['InternalErrorException', 'TooManyRequestsException', 'socket hang up'])(
    'is answered 503 and keeps the cookie where the revocation fails by %s',
    async (exception) => {
      const scene = createTrackingScene()
      const session = await signIn(scene)
      const service = await serve(scene, {}, scene.createClient())
      scene.cognito.failNext('RevokeToken', exception)
      expect(gist(await service.byCookie(session.refreshToken))).toEqual(is.UNAVAILABLE)
    },
  )

  it('is answered 400 at once where Cognito has revoked and never says whose it was, and told to the observer', async () => {
    const scene = createTrackingScene()
    const session = await signIn(scene)
    const service = await serve(scene, {}, scene.createClient())
    const answer = await service.byCookie(session.refreshToken)
    expect(gist(answer)).toEqual({ ...is.INVALID_GRANT, cookies: [is.CLEARED] })
    expect(service.events).toEqual([
      {
        type: 'session_revocation_failed',
        error: expect.objectContaining({ code: 'session_unknown' }),
        outcome: { store: 'skipped', cognito: 'revoked' },
      },
    ])
  })

  it('is told so, too, where an access token comes along that is not good', async () => {
    const scene = createTrackingScene()
    const session = await signIn(scene)
    const service = await serve(scene, { revoker: revokerOf(scene) }, scene.createClient())
    const answer = await service.byCookie(session.refreshToken, bearer('garbage'))
    expect(gist(answer)).toEqual({ ...is.INVALID_GRANT, cookies: [is.CLEARED] })
    expect(service.events).toMatchObject([
      { type: 'session_revocation_failed', outcome: { cognito: 'revoked' } },
    ])
  })

  it('is done where the access token comes along, and there is a revoker', async () => {
    const scene = createTrackingScene()
    const session = await signIn(scene)
    const service = await serve(scene, { revoker: revokerOf(scene) }, scene.createClient())
    const answer = await service.byCookie(session.refreshToken, bearer(session.accessToken))
    expect(gist(answer)).toEqual(is.DONE_AND_CLEARED)
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})
