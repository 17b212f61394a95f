import 'reflect-metadata'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { getRequestListener } from '@hono/node-server'
import {
  type ArgumentsHost,
  Catch,
  type DynamicModule,
  type ExceptionFilter,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  RequestMethod,
} from '@nestjs/common'
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express5, { type NextFunction, type Request, type Response } from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import * as ofExpress from '../../../src/middleware/express/index.js'
import * as ofFastify from '../../../src/middleware/fastify/index.js'
import * as ofFetch from '../../../src/middleware/fetch/index.js'
import * as ofHono from '../../../src/middleware/hono/index.js'
import * as ofKoa from '../../../src/middleware/koa/index.js'
import * as ofNest from '../../../src/middleware/nestjs/index.js'
import { type Mount, nodeMount, THEME } from './mount.js'

// It has no types of its own; for what is used here those of Express 5 are right.
const express4 = createRequire(import.meta.url)('express4') as typeof express5

function expressMount(name: string, create: typeof express5, parser?: express5.Handler, json = false): Mount {
  return {
    name,
    ...(json && { parses: 'json' }),
    async start(client, options) {
      const app = create()
      if (parser !== undefined) app.use(parser)
      app.use((_request, response, next) => {
        response.append('Set-Cookie', THEME)
        next()
      })
      app.use('/logout', ofExpress.revokeSessionHandler(client, options))
      app.use(
        (
          error: Error & { status?: number; type?: string },
          _: Request,
          response: Response,
          _next: NextFunction,
        ) => {
          if (error.type !== undefined) response.status(error.status ?? 500).end()
          else response.status(500).json({ handedOn: String(error) })
        },
      )
      return { listener: app }
    },
  }
}

const fastify: Mount = {
  name: 'Fastify',
  parses: 'json and text',
  async start(client, options) {
    const app = Fastify()
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('Set-Cookie', THEME)
    })
    app.post('/logout', ofFastify.revokeSessionHandler(client, options))
    app.setErrorHandler<Error & { code?: string; statusCode?: number }>((error, _request, reply) => {
      if (error.code?.startsWith('FST_')) return reply.code(error.statusCode ?? 500).send()
      return reply.code(500).send({ handedOn: String(error) })
    })
    await app.ready()
    return { listener: (request, response) => app.routing(request, response), close: () => app.close() }
  },
}

function honoMount(name: string, readsBefore: boolean): Mount {
  return {
    name,
    async start(client, options) {
      const app = new Hono()
      app.use(async (context, next) => {
        context.header('Set-Cookie', THEME, { append: true })
        if (readsBefore) await context.req.json().catch(() => {})
        await next()
      })
      app.all('/logout', ofHono.revokeSessionHandler(client, options))
      app.onError((error, context) => context.json({ handedOn: String(error) }, 500))
      return { listener: getRequestListener(app.fetch) }
    },
  }
}

function koaMount(name: string, parse?: (context: Koa.Context) => Promise<void>): Mount {
  return {
    name,
    async start(client, options) {
      const app = new Koa()
      app.silent = true
      app.use(async (context, next) => {
        context.append('Set-Cookie', THEME)
        await parse?.(context)
        try {
          await next()
        } catch (error) {
          context.status = 500
          context.body = { handedOn: String(error) }
        }
      })
      app.use(ofKoa.revokeSessionHandler(client, options))
      return { listener: app.callback() }
    },
  }
}

/** As koa-bodyparser does it. */
async function parseForKoa(context: Koa.Context): Promise<void> {
  const chunks: Buffer[] = []
  if (context.is('json')) for await (const chunk of context.req) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  Object.assign(context.request, { rawBody: text, body: {} })
  try {
    Object.assign(context.request, { body: JSON.parse(text) })
  } catch {}
}

@Catch()
class HandOn implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): void {
    const response: ServerResponse & { raw?: ServerResponse } = host.switchToHttp().getResponse()
    const raw = response.raw ?? response
    const { status = 500 } = error as { status?: number }
    raw.statusCode = status
    raw.end(JSON.stringify({ handedOn: String(error) }))
  }
}

function nestMount(name: string, createAdapter: () => AbstractHttpAdapter, parses?: 'json'): Mount {
  return {
    name,
    ...(parses && { parses }),
    async start(client, options) {
      class LogoutModule implements NestModule {
        configure(consumer: MiddlewareConsumer): void {
          consumer
            .apply(
              (_request: IncomingMessage, response: ServerResponse, next: () => void) => {
                response.setHeader('Set-Cookie', THEME)
                next()
              },
              ofNest.revokeSessionHandler(client, options),
            )
            .forRoutes({ path: 'logout', method: RequestMethod.POST })
        }
      }
      Module({})(LogoutModule)
      const root: DynamicModule = { module: LogoutModule }
      const app = await NestFactory.create(root, createAdapter(), { logger: false })
      app.useGlobalFilters(new HandOn())
      await app.init()
      const instance = app.getHttpAdapter().getInstance()
      await instance.ready?.()
      const listener: RequestListener = (request, response) =>
        typeof instance === 'function' ? instance(request, response) : instance.routing(request, response)
      return { listener, close: () => app.close() }
    },
  }
}

const fetchMount: Mount = {
  name: 'a fetch handler',
  isAlone: true,
  async start(client, options) {
    const handler = ofFetch.revokeSessionHandler(client, options)
    const answer = (request: globalThis.Request) =>
      handler(request).catch((error) => Response.json({ handedOn: String(error) }, { status: 500 }))
    return { listener: getRequestListener(answer) }
  },
}

export const MOUNTS: readonly Mount[] = [
  expressMount('Express 5', express5),
  expressMount('Express 5 behind express.json()', express5, express5.json(), true),
  expressMount('Express 5 behind express.raw()', express5, express5.raw({ type: 'application/json' }), true),
  // It leaves `{}` in the body that it has not read.
  expressMount('Express 4 behind a parser of forms', express4, express4.urlencoded({ extended: false })),
  fastify,
  honoMount('Hono', false),
  honoMount('Hono behind what has read the body', true),
  koaMount('Koa'),
  koaMount('Koa behind a body parser', parseForKoa),
  nestMount('NestJS on Express', () => new ExpressAdapter(), 'json'),
  nestMount('NestJS on Fastify', () => new FastifyAdapter()),
  fetchMount,
  nodeMount,
]
