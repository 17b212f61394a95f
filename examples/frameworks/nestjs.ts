// NestJS 11, on Express; the same on Fastify.
import {
  Controller,
  Get,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  RequestMethod,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  Claims,
  CognitoRevocationModule,
  Groups,
  Public,
  revokeSessionHandler,
} from 'cognito-revocation/nestjs'
import type { Parts, Running } from './program.js'

@Controller()
class Shop {
  @Public()
  @Get('health')
  health() {
    return { status: 'ok' }
  }

  @Get('me')
  me(@Claims('sub') sub: string) {
    return { sub }
  }

  @Groups('sales')
  @Get('orders')
  orders(@Claims('sub') seller: string) {
    return { orders: [], seller }
  }
}

export async function start({ verifier, client, revoker, port }: Parts): Promise<Running> {
  // A guard before every route, unless it is @Public().
  @Module({ imports: [CognitoRevocationModule.forRoot({ verifier })], controllers: [Shop] })
  class App implements NestModule {
    configure(consumer: MiddlewareConsumer) {
      // Comes before the guard: people log out with an expired access token, too. In earnest behind a rate limit.
      consumer
        .apply(revokeSessionHandler(client, { revoker }))
        .forRoutes({ path: 'logout', method: RequestMethod.POST })
    }
  }
  const app = await NestFactory.create(App, { logger: ['error', 'warn'], forceCloseConnections: true })
  await app.listen(port, '127.0.0.1')
  return { url: await app.getUrl(), close: () => app.close() }
}
