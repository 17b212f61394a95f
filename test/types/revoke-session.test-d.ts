import { createServer } from 'node:http'
import type { MiddlewareConsumer } from '@nestjs/common'
import express, { type RequestHandler } from 'express'
import fastify, { type FastifyTypeProvider, type RouteHandlerMethod } from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { describe, expectTypeOf, it } from 'vitest'
import { CognitoTokenClient } from '../../src/client/index.js'
import { MemoryRevocationStore, Revoker } from '../../src/index.js'
import * as ofExpress from '../../src/middleware/express/index.js'
import * as ofFastify from '../../src/middleware/fastify/index.js'
import * as ofFetch from '../../src/middleware/fetch/index.js'
import * as ofHono from '../../src/middleware/hono/index.js'
import * as ofKoa from '../../src/middleware/koa/index.js'
import * as ofNest from '../../src/middleware/nestjs/index.js'
import type { RevokeSessionOptions, SessionClient, SessionRevoker } from '../../src/middleware/node/index.js'
import * as ofNode from '../../src/middleware/node/index.js'

const store = new MemoryRevocationStore()
const userPoolId = 'us-east-1_AbCdEfGhI'
const client = new CognitoTokenClient({ userPoolId, clientId: '1example23456789', store })
const revoker = new Revoker({ store, poolId: userPoolId })

interface Provider extends FastifyTypeProvider {
  readonly validator: { readonly validated: FastifyTypeProvider['schema'] }
}

describe('the arguments of revokeSessionHandler', () => {
  it('are a CognitoTokenClient and a Revoker, or what has their methods', () => {
    expectTypeOf<CognitoTokenClient>().toExtend<SessionClient>()
    expectTypeOf<Revoker>().toExtend<SessionRevoker>()
    // @ts-expect-error: the client is missing
    ofNode.revokeSessionHandler()
    // @ts-expect-error: a revoker ends nothing at Cognito
    ofNode.revokeSessionHandler(revoker)
  })

  it('cannot be misspelt', () => {
    const options: RevokeSessionOptions = { revoker, refreshTokenFrom: { cookie: '__Host-token' } }
    ofNode.revokeSessionHandler(client, {
      ...options,
      storeRetriesMs: [100],
      sameSite: 'none',
    } as RevokeSessionOptions)
    // @ts-expect-error: 'body' or a cookie
    ofNode.revokeSessionHandler(client, { refreshTokenFrom: 'cookie' })
    // @ts-expect-error: in small letters
    ofNode.revokeSessionHandler(client, { refreshTokenFrom: { cookie: 'a', sameSite: 'Strict' } })
    // @ts-expect-error: always so
    ofNode.revokeSessionHandler(client, { confirmPairing: true })
  })
})

describe('the handler', () => {
  it("is Express's own kind", () => {
    const handler: RequestHandler = ofExpress.revokeSessionHandler(client, { revoker })
    express().post('/logout', express.json(), handler)
    express().post('/:tenant/logout', ofExpress.revokeSessionHandler(client))
  })

  it("is Fastify's own kind, with type providers and HTTP/2 too", () => {
    const handler = ofFastify.revokeSessionHandler(client)
    expectTypeOf(handler).toExtend<RouteHandlerMethod>()
    fastify().post('/logout', handler)
    fastify().post<{ Body: { refresh_token: string }; Reply: { 204: undefined } }>(
      '/logout',
      { bodyLimit: 5 },
      handler,
    )
    fastify().route({ method: 'POST', url: '/logout', handler })
    fastify()
      .withTypeProvider<Provider>()
      .post('/logout', { schema: { body: {} } }, handler)
    fastify({ http2: true }).post('/logout', handler)
  })

  it("is Hono's own kind, with bindings and variables too", () => {
    const handler = ofHono.revokeSessionHandler(client)
    new Hono().post('/logout', handler)
    new Hono<{ Bindings: { KEY: string }; Variables: { user: string } }>().post('/logout', handler)
  })

  it("is Koa's own kind, with a state and a context too", () => {
    const handler = ofKoa.revokeSessionHandler(client)
    new Koa().use(handler)
    new Koa<{ user: string }, { tenant: string }>().use(handler)
  })

  it('is what the others take', () => {
    createServer(ofNode.revokeSessionHandler(client))
    expectTypeOf(ofFetch.revokeSessionHandler(client)).toEqualTypeOf<
      (request: Request) => Promise<Response>
    >()
    const consumer = {} as MiddlewareConsumer
    consumer.apply(ofNest.revokeSessionHandler(client)).forRoutes('logout')
  })
})
