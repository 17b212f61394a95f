import type { ServerResponse } from 'node:http'
import {
  type ArgumentsHost,
  type CanActivate,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  Get,
  HttpException,
  type LoggerService,
  Module,
  Post,
  Req,
  type Type,
} from '@nestjs/common'
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { TokenRevokedError } from '../../src/index.js'
import {
  Claims,
  CognitoAuthException,
  CognitoRevocationModule,
  type CognitoRevocationModuleOptions,
  type NestRequest,
  verifyToken,
} from '../../src/middleware/nestjs/index.js'
import { call } from '../support/http.js'
import { onFastify, platforms, type SetUp } from './adapters/nestjs.js'
import {
  createVerifier,
  INVALID_TOKEN,
  NO_TOKEN,
  replyOf,
  serve,
  storeThat,
  UNAVAILABLE,
  usePool,
  watchForUnhandled,
} from './harness.js'

const poolOf = usePool()

function bearer(token = poolOf().minter.accessToken()) {
  return { Authorization: `Bearer ${token}` }
}

function appOf(controller: Type, options: Partial<CognitoRevocationModuleOptions> = {}): Type {
  @Module({
    imports: [CognitoRevocationModule.forRoot({ verifier: createVerifier(poolOf()), ...options })],
    controllers: [controller],
  })
  class App {}
  return App
}

@Controller()
class Orders {
  @Get() list() {
    return 'orders'
  }
}

describe.each(platforms)('an exception filter on %s', (_, platform) => {
  const startWith = async (filter: ExceptionFilter, options?: Partial<CognitoRevocationModuleOptions>) =>
    serve(await platform(appOf(Orders, options), (app) => app.useGlobalFilters(filter)))

  it('gets a CognitoAuthException, which says as little as the answer', async () => {
    const seen: CognitoAuthException[] = []
    const port = await startWith({
      catch: (exception: CognitoAuthException, host) => {
        seen.push(exception)
        answerWith(host, exception.getStatus(), {})
      },
    })
    await call(port, { headers: bearer('token') })
    const [exception] = seen
    expect(exception?.getStatus()).toBe(401)
    expect(exception?.getResponse()).toEqual(INVALID_TOKEN.body)
    expect(exception).toBeInstanceOf(HttpException)
    expect(exception?.name).toBe('CognitoAuthException')
    expect(exception?.cause).toBeUndefined()
    expect(exception?.message).toBe((INVALID_TOKEN.body as { error_description: string }).error_description)
    expect(exception?.headers['WWW-Authenticate']).toBe(INVALID_TOKEN.headers['www-authenticate'])
  })

  it('may answer in its own form, with the status and the headers that were decided', async () => {
    const port = await startWith({
      catch: (exception: CognitoAuthException, host) =>
        answerWith(host, exception.getStatus(), { message: 'please sign in' }),
    })
    const reply = replyOf(await call(port, { headers: bearer('token') }))
    expect(reply).toMatchObject({ status: 401, body: { message: 'please sign in' } })
    expect(reply.headers).toMatchObject({
      'www-authenticate': INVALID_TOKEN.headers['www-authenticate'],
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    })
  })

  it('gives the very same answer with the response that it was handed', async () => {
    const port = await startWith({
      catch: (exception: CognitoAuthException, host) =>
        answerWith(host, exception.getStatus(), exception.getResponse()),
    })
    expect(replyOf(await call(port))).toEqual(NO_TOKEN)
  })

  it('that answers 503 keeps Retry-After', async () => {
    const verifier = createVerifier(poolOf(), {
      revocation: storeThat(() => Promise.reject(new Error('down'))),
    })
    const port = await startWith(
      {
        catch: (exception: CognitoAuthException, host) =>
          answerWith(host, exception.getStatus(), exception.getResponse()),
      },
      { verifier },
    )
    expect(replyOf(await call(port, { headers: bearer() }))).toEqual(UNAVAILABLE)
  })
})

describe.each(platforms)('an application on %s', (name, platform) => {
  const start = async (controller: Type, options?: Partial<CognitoRevocationModuleOptions>, setUp?: SetUp) =>
    serve(await platform(appOf(controller, options), setUp))

  it.each([
    ['its exceptions', new ForbiddenException('not yours'), 403, 'not yours'],
    ['its errors', new Error('secret'), 500, 'Internal server error'],
    ["this library's errors", new TokenRevokedError('secret'), 500, 'Internal server error'],
  ])('is answered itself for %s after authentication', async (_, thrown, status, message) => {
    @Controller()
    class Failing {
      @Get() fail() {
        throw thrown
      }
    }
    const answer = await call(await start(Failing), { headers: bearer() })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text).message).toBe(message)
    expect(answer.headers).not.toHaveProperty('www-authenticate')
  })

  it('finds the claims on the request', async () => {
    @Controller()
    class Me {
      @Get() me(@Req() request: { auth?: { sub: string } }, @Claims() claims: unknown) {
        return { sub: request.auth?.sub, same: request.auth === claims }
      }
    }
    const headers = bearer(poolOf().minter.accessToken({ sub: 'jane' }))
    expect((await call(await start(Me), { headers })).text).toBe('{"sub":"jane","same":true}')
  })

  it('logs nothing of a request that is refused', async () => {
    const logged: unknown[] = []
    const log = (...what: unknown[]) => logged.push(what)
    const logger: LoggerService = { log: () => {}, error: log, warn: log, fatal: log }
    const port = await start(Orders, {}, (app) => app.useLogger(logger))
    await call(port, { headers: bearer('token') })
    await call(port)
    expect(logged).toEqual([])
  })

  it('can have the token in a cookie, from its own pages', async () => {
    @Controller()
    class Cart {
      @Post() add(@Claims('sub') sub: string) {
        return { sub }
      }
    }
    const port = await start(Cart, { tokenFrom: { cookie: 'token' } })
    const Cookie = `token=${poolOf().minter.accessToken({ sub: 'jane' })}`
    const own = { Cookie, 'Sec-Fetch-Site': 'same-origin' }
    const foreign = { Cookie, 'Sec-Fetch-Site': 'cross-site' }
    expect(await call(port, { method: 'POST', headers: own })).toMatchObject({
      status: 201,
      text: '{"sub":"jane"}',
    })
    expect(replyOf(await call(port, { method: 'POST', headers: foreign }))).toMatchObject({
      status: 403,
      headers: { 'content-type': 'application/problem+json' },
    })
  })

  it("finds tokens itself in its platform's request", async () => {
    const seen: NestRequest[] = []
    const port = await start(Orders, {
      extractToken: (request) => {
        seen.push(request)
        return String(request.headers['x-token'])
      },
    })
    const headers = { 'X-Token': poolOf().minter.accessToken() }
    expect(await call(port, { headers })).toMatchObject({ status: 200, text: 'orders' })
    expect(seen[0]).toHaveProperty(name === 'Fastify' ? 'raw' : 'res')
  })

  it('goes on without claims where skip says so', async () => {
    const port = await start(Orders, { skip: ({ url }) => url === '/?open' })
    expect(await call(port, { path: '/?open' })).toMatchObject({ status: 200 })
    expect(await call(port)).toMatchObject({ status: 401 })
  })

  it('may have answered already when a token is refused', async () => {
    const late: CanActivate = {
      canActivate: (context) => {
        const response = context.switchToHttp().getResponse()
        const raw: ServerResponse = response.raw ?? response
        response.hijack?.()
        raw.writeHead(504).end('too late')
        return true
      },
    }
    @Module({ controllers: [Orders] })
    class App {}
    const guard = verifyToken(createVerifier(poolOf()))
    const port = await serve(await platform(App, (app) => app.useGlobalGuards(late, guard)))
    const problems = watchForUnhandled()
    expect(await call(port)).toMatchObject({ status: 504, text: 'too late' })
    expect(await call(port)).toMatchObject({ status: 504 })
    expect(problems).toEqual([])
  })
})

describe('a guard in a context of', () => {
  const guard = (options = {}) => verifyToken(createVerifier(poolOf()), options)
  const contextOf = (type: string, args: unknown[]) => {
    const context = new ExecutionContextHost(args, Orders, Orders.prototype.list)
    context.setType(type)
    return context
  }
  const request = (token?: string) => ({
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    rawHeaders: undefined,
    auth: undefined,
  })

  it('GraphQL takes the request of its context', async () => {
    const [good, none] = [request(poolOf().minter.accessToken({ sub: 'jane' })), request()]
    expect(await guard().canActivate(contextOf('graphql', [{}, {}, { req: good }, {}]))).toBe(true)
    expect(good.auth).toMatchObject({ sub: 'jane' })
    await expect(guard().canActivate(contextOf('graphql', [{}, {}, { req: none }, {}]))).rejects.toThrow(
      CognitoAuthException,
    )
  })

  it.each([
    ['graphql without a request', 'graphql', [{}, {}, {}, {}]],
    ['graphql without a context', 'graphql', [{}, {}]],
    ['graphql with something else as a request', 'graphql', [{}, {}, { req: 'x' }, {}]],
    ['ws', 'ws', [{ handshake: request() }, {}]],
    ['rpc', 'rpc', [{}, {}]],
    ['something new', 'queue', [request(), {}]],
  ])('%s refuses, and says what to do', async (_, type, args) => {
    const refused = guard().canActivate(contextOf(type, args)) as Promise<boolean>
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(/getRequest/)
  })

  const getRequest = (context: ExecutionContext) => context.switchToWs().getClient().request

  it('a gateway takes the request that getRequest finds, message after message', async () => {
    const [good, bad] = [request(poolOf().minter.accessToken()), request('token')]
    const ofGood = contextOf('ws', [{ request: good }, {}])
    expect(await guard({ getRequest }).canActivate(ofGood)).toBe(true)
    expect(good.auth).toHaveProperty('sub')
    expect(await guard({ getRequest }).canActivate(ofGood)).toBe(true)
    const refused = guard({ getRequest }).canActivate(contextOf('ws', [{ request: bad }, {}]))
    await expect(refused).rejects.toMatchObject({ status: 401, headers: { 'Cache-Control': 'no-store' } })
    await expect(guard({ getRequest }).canActivate(contextOf('ws', [{}, {}]))).rejects.toThrow(TypeError)
  })

  it.each([
    ['as a Socket.IO handshake has it', {}],
    ['that looks like claims', { sub: 'jane' }],
  ])('a gateway refuses a request with an auth from elsewhere, %s', async (_, auth) => {
    const handshake = { ...request(poolOf().minter.accessToken()), auth }
    const refused = guard({ getRequest }).canActivate(contextOf('ws', [{ request: handshake }, {}]))
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(/getRequest .* auth/)
    expect(handshake.auth).toBe(auth)
  })

  it('http writes over an auth from elsewhere, with getRequest too', async () => {
    const mine = { ...request(poolOf().minter.accessToken({ sub: 'jane' })), auth: { user: 'admin' } }
    const ofHttp = { getRequest: (context: ExecutionContext) => context.switchToHttp().getRequest() }
    expect(await guard(ofHttp).canActivate(contextOf('http', [mine, {}]))).toBe(true)
    expect(mine.auth).toMatchObject({ sub: 'jane' })
    expect(mine.auth).not.toHaveProperty('user')
  })
})

describe('under Fastify', () => {
  it('hooks see the answer with its type', async () => {
    const seen: unknown[] = []
    const handler = await onFastify(appOf(Orders), (app) => {
      const fastify = (app as NestFastifyApplication).getHttpAdapter().getInstance()
      fastify.addHook('onSend', async (_request, reply, payload) => {
        seen.push([reply.getHeader('content-type'), payload])
      })
    })
    await call(await serve(handler))
    expect(seen).toEqual([['application/problem+json', JSON.stringify(NO_TOKEN.body)]])
  })

  it('an own extractor may be typed by its request', async () => {
    const options: CognitoRevocationModuleOptions<FastifyRequest> = {
      verifier: createVerifier(poolOf()),
      extractToken: (request) => (request.query as { token?: string }).token,
    }
    @Module({ imports: [CognitoRevocationModule.forRoot(options)], controllers: [Orders] })
    class App {}
    const port = await serve(await onFastify(App))
    expect(await call(port, { path: `/?token=${poolOf().minter.accessToken()}` })).toMatchObject({
      status: 200,
    })
  })
})

/** Answers as filters do, on either platform. */
function answerWith(host: ArgumentsHost, status: number, body: unknown): void {
  const response = host.switchToHttp().getResponse()
  response.status(status)
  if (response.json) response.json(body)
  else response.send(body)
}
