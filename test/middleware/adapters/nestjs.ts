import type { RequestListener } from 'node:http'
import {
  All,
  type ArgumentsHost,
  Controller,
  type DynamicModule,
  HttpException,
  Module,
  Req,
  type Type,
} from '@nestjs/common'
import { BaseExceptionFilter, NestFactory } from '@nestjs/core'
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { onTestFinished } from 'vitest'
import { CognitoRevocationModule } from '../../../src/middleware/nestjs/index.js'
import type { Adapter } from './adapter.js'

/** Starts a Nest application on one of its platforms; gives what answers its requests. */
export type Platform = (module: Type | DynamicModule, setUp?: SetUp) => Promise<RequestListener>
export type SetUp = (app: NestExpressApplication | NestFastifyApplication) => void

export const onExpress: Platform = async (module, setUp) => {
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(), {
    logger: false,
    abortOnError: false,
  })
  onTestFinished(() => app.close())
  app.disable('x-powered-by').disable('etag')
  setUp?.(app)
  await app.init()
  return app.getHttpAdapter().getInstance()
}

export const onFastify: Platform = async (module, setUp) => {
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  })
  onTestFinished(() => app.close())
  setUp?.(app)
  await app.init()
  const fastify = app.getHttpAdapter().getInstance()
  await fastify.ready()
  return (request, response) => fastify.routing(request, response)
}

export const platforms: readonly (readonly [name: string, platform: Platform])[] = [
  ['Express', onExpress],
  ['Fastify', onFastify],
]

export const NestOnExpress: Adapter = nestAdapter('NestJS on Express', onExpress)
export const NestOnFastify: Adapter = nestAdapter('NestJS on Fastify', onFastify)

@Controller()
class Answers {
  @All(['', '*'])
  answer(@Req() { auth = null }: { auth?: unknown }) {
    return { auth }
  }
}

/** What is no HttpException of Nest's, as an application that wants to see it may answer it. */
class HandedOn extends BaseExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost) {
    super.catch(
      exception instanceof HttpException
        ? exception
        : new HttpException({ handedOn: String(exception) }, 500),
      host,
    )
  }
}

function nestAdapter(name: string, platform: Platform): Adapter {
  return {
    name,
    listener(verifier, options) {
      @Module({
        imports: [CognitoRevocationModule.forRoot({ verifier, ...options })],
        controllers: [Answers],
      })
      class App {}
      return platform(App, (app) => app.useGlobalFilters(new HandedOn(app.getHttpAdapter())))
    },
  }
}
