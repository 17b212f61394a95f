import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { TokenRevokedError } from '../../src/index.js'
import { type VerifyTokenOptions, verifyToken } from '../../src/middleware/fastify/index.js'
import { call } from '../support/http.js'
import { listenerOf } from './adapters/fastify.js'
import {
  createVerifier,
  INVALID_TOKEN,
  insufficientScope,
  NO_TOKEN,
  PatientStore,
  REVOKED,
  replyOf,
  serve,
  usePool,
  watchForUnhandled,
} from './harness.js'

const poolOf = usePool()

function bearer(token = poolOf().minter.accessToken()) {
  return { Authorization: `Bearer ${token}` }
}

async function start(app: FastifyInstance): Promise<number> {
  return serve(await listenerOf(app))
}

const hook = (options?: VerifyTokenOptions<FastifyRequest>) => verifyToken(createVerifier(poolOf()), options)

describe("the hook of Fastify's verifyToken", () => {
  it('protects one route and not the next', async () => {
    const app = fastify()
    app.get('/me', { onRequest: hook() }, async (request) => request.auth?.token_use)
    app.get('/health', async () => 'well')
    const port = await start(app)
    expect(replyOf(await call(port, { path: '/me' }))).toEqual(NO_TOKEN)
    expect(await call(port, { path: '/me', headers: bearer() })).toMatchObject({
      status: 200,
      text: 'access',
    })
    expect(await call(port, { path: '/health' })).toMatchObject({ status: 200, text: 'well' })
  })

  it('is one of several, each of which may ask for more', async () => {
    const app = fastify()
    app.get('/', { onRequest: [hook(), hook({ groups: 'admin' })] }, async () => 'admin')
    const port = await start(app)
    const admin = poolOf().minter.accessToken({ 'cognito:groups': ['admin'] })
    expect(await call(port, { headers: bearer(admin) })).toMatchObject({ status: 200 })
    expect(replyOf(await call(port, { headers: bearer() }))).toEqual(insufficientScope())
  })

  it.each(['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const)(
    'stops a request without a token before the handler as %s',
    async (name) => {
      let handled = 0
      const app = fastify()
      const protect = hook()
      if (name === 'preParsing') {
        app.addHook('preParsing', (request, reply, _payload, done) => protect(request, reply, done))
      } else app.addHook(name as 'onRequest', protect)
      app.get('/', async () => {
        handled += 1
        return 'done'
      })
      const port = await start(app)
      expect(replyOf(await call(port))).toEqual(NO_TOKEN)
      expect(handled).toBe(0)
      expect(await call(port, { headers: bearer() })).toMatchObject({ status: 200 })
      expect(handled).toBe(1)
    },
  )

  it('insists on a token that was optional before', async () => {
    const app = fastify()
    app.addHook('onRequest', hook({ optional: true }))
    app.get('/', async (request) => request.auth ?? 'nobody')
    app.get('/me', { onRequest: hook() }, async () => 'me')
    const port = await start(app)
    expect(await call(port)).toMatchObject({ status: 200, text: 'nobody' })
    expect(replyOf(await call(port, { path: '/me' }))).toEqual(NO_TOKEN)
  })

  it('leaves its claims to no other request', async () => {
    const app = fastify()
    app.addHook('onRequest', hook({ optional: true }))
    app.get('/', async (request) => ({ auth: request.auth ?? null }))
    const port = await start(app)
    await call(port, { headers: bearer() })
    expect(await call(port)).toMatchObject({ text: '{"auth":null}' })
  })

  it('gives claims that nobody can change', async () => {
    const app = fastify()
    app.get('/', { onRequest: hook() }, async ({ auth }) => [
      Object.isFrozen(auth),
      Object.isFrozen(auth?.['cognito:groups']),
    ])
    const headers = bearer(poolOf().minter.accessToken({ 'cognito:groups': ['a'] }))
    expect(await call(await start(app), { headers })).toMatchObject({ text: '[true,true]' })
  })

  it('keeps the async context of the request', async () => {
    const context = new AsyncLocalStorage<string>()
    const app = fastify()
    app.addHook('onRequest', (request, _reply, done) => context.run(request.url, done))
    app.addHook('onRequest', hook())
    app.get('/*', async () => context.getStore())
    const port = await start(app)
    const paths = ['/1', '/2', '/3']
    const answers = await Promise.all(paths.map((path) => call(port, { path, headers: bearer() })))
    expect(answers.map(({ text }) => text)).toEqual(paths)
  })

  it('leaves the body to the handler', async () => {
    const app = fastify()
    app.post('/', { onRequest: hook() }, async (request) => request.body)
    const body = 'x'.repeat(300_000)
    const headers = { ...bearer(), 'Content-Type': 'text/plain' }
    const answer = await call(await start(app), { method: 'POST', headers, body })
    expect(answer).toMatchObject({ status: 200, text: body })
  })

  it('runs under inject, too', async () => {
    const app = fastify()
    app.get('/', { onRequest: hook() }, async () => 'done')
    onTestFinished(() => app.close())
    expect((await app.inject({ url: '/', headers: bearer() })).statusCode).toBe(200)
    expect((await app.inject({ url: '/', headers: bearer('token') })).statusCode).toBe(401)
    expect((await app.inject({ url: '/' })).statusCode).toBe(401)
  })

  it('runs on HTTP/2, too', async () => {
    const app = fastify({ http2: true })
    app.get('/', { onRequest: hook() }, async () => 'done')
    await app.listen({ host: '127.0.0.1', port: 0 })
    const client = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
    onTestFinished(async () => {
      client.destroy()
      await app.close()
    })
    const statusOf = async (headers: Record<string, string>) => {
      const [answer] = await once(client.request({ ':path': '/', ...headers }), 'response')
      return answer[':status']
    }
    expect(await statusOf(bearer())).toBe(200)
    expect(await statusOf(bearer('token'))).toBe(401)
    expect(await statusOf({})).toBe(401)
  })
})

describe("a refusal by Fastify's verifyToken", () => {
  it('goes through the onSend hooks, and keeps the headers that were set before', async () => {
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('X-Before', 'a')
    })
    app.addHook('onRequest', hook())
    app.addHook('onSend', async (_request, reply) => {
      reply.header('X-Send', 'b')
    })
    app.get('/', async () => 'done')
    const { headers, ...rest } = replyOf(await call(await start(app)))
    expect({ ...rest, headers }).toEqual({
      ...NO_TOKEN,
      headers: { ...NO_TOKEN.headers, 'x-before': 'a', 'x-send': 'b' },
    })
  })

  it("is not cut to the schema of the route's own answers, nor wrapped with them", async () => {
    const app = fastify()
    app.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload }))
    app.setReplySerializer(() => '"serialized"')
    const own = { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] }
    const schema = { response: { '4xx': own, default: own } }
    app.get('/', { schema, onRequest: hook() }, async () => ({ message: 'done' }))
    expect(replyOf(await call(await start(app)))).toEqual(NO_TOKEN)
  })

  it("is no error to the application's error handler", async () => {
    const app = fastify()
    const errors: unknown[] = []
    app.setErrorHandler((error, _request, reply) => {
      errors.push(error)
      reply.code(418).send('caught')
    })
    app.get('/', { onRequest: hook() }, async () => 'done')
    expect(replyOf(await call(await start(app), { headers: bearer('token') }))).toEqual(INVALID_TOKEN)
    expect(errors).toEqual([])
  })

  it('leaves the connection to the next request, though its body was not read', async () => {
    const app = fastify()
    app.all('/', { onRequest: hook() }, async () => 'done')
    const port = await start(app)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const sockets = vi.spyOn(agent, 'createConnection' as never)
    const body = 'x'.repeat(300_000)
    const refused = await call(port, { method: 'POST', headers: bearer('token'), body, agent })
    expect(replyOf(refused)).toEqual(INVALID_TOKEN)
    expect(await call(port, { headers: bearer(), agent })).toMatchObject({ status: 200 })
    expect(sockets).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['refused', REVOKED],
    ['accepted', undefined],
  ])('comes too late after a time limit has answered, and so does a token that is %s', async (_, match) => {
    const patient = new PatientStore()
    const verifier = createVerifier(poolOf(), { revocation: patient.store, revocationTimeoutMs: 60_000 })
    const problems = watchForUnhandled()
    const handled: string[] = []
    const app = fastify()
    const onRequest = verifyToken(verifier)
    for (const [path, limit] of [
      ['/limited', { handlerTimeout: 20 }],
      ['/unlimited', {}],
    ] as const) {
      app.get(path, { onRequest, ...limit }, async () => {
        handled.push(path)
        return 'done'
      })
    }
    const port = await start(app)
    expect(await call(port, { path: '/limited', headers: bearer() })).toMatchObject({ status: 503 })
    patient.answer(match)
    // Once this one is through, the first is, too.
    const { status } = await call(port, { path: '/unlimited', headers: bearer() })
    expect(status).toBe(match === undefined ? 200 : 401)
    expect(handled).toEqual(match === undefined ? ['/unlimited'] : [])
    expect(problems).toEqual([])
  })

  it('does not break into an answer that somebody has begun', async () => {
    const patient = new PatientStore()
    const verifier = createVerifier(poolOf(), { revocation: patient.store, revocationTimeoutMs: 60_000 })
    const app = fastify()
    const problems = watchForUnhandled()
    app.addHook('onRequest', (_request, reply, done) => {
      patient.asked.then(() => {
        reply.raw.writeHead(504).write('too ')
        patient.answer(REVOKED)
        setImmediate(() => reply.raw.end('late'))
      })
      done()
    })
    app.get('/', { onRequest: verifyToken(verifier) }, async () => 'done')
    expect(await call(await start(app), { headers: bearer() })).toMatchObject({
      status: 504,
      text: 'too late',
    })
    expect(problems).toEqual([])
  })
})

describe('what a Fastify app does after verifyToken', () => {
  async function startApp(handler: () => unknown): Promise<number> {
    const app = fastify()
    app.addHook('onRequest', hook())
    app.setErrorHandler<Error>((error, _request, reply) => reply.code(418).send({ caught: error.message }))
    app.get('/', async () => handler())
    return start(app)
  }

  it.each([
    ['throws', new Error('out of stock')],
    ["throws one of this library's", new TokenRevokedError('out of stock')],
  ])('reaches its own error handler when a handler %s', async (_, error) => {
    const port = await startApp(() => {
      throw error
    })
    expect(await call(port, { headers: bearer() })).toMatchObject({
      status: 418,
      text: '{"caught":"out of stock"}',
    })
  })

  it('reaches its own error handler when a later hook throws', async () => {
    const app = fastify()
    const problems = watchForUnhandled()
    app.addHook('onRequest', hook())
    app.addHook('onRequest', () => {
      throw new Error('a bug')
    })
    app.setErrorHandler<Error>((error, _request, reply) => reply.code(418).send({ caught: error.message }))
    app.get('/', async () => 'done')
    const answer = await call(await start(app), { headers: bearer() })
    expect(answer).toMatchObject({ status: 418, text: '{"caught":"a bug"}' })
    expect(problems).toEqual([])
  })

  it('is its own 404', async () => {
    const port = await startApp(() => 'done')
    expect(await call(port, { path: '/nowhere', headers: bearer() })).toMatchObject({ status: 404 })
  })
})

describe("Fastify's request", () => {
  it('is what extractToken gets, with what plugins before put on it', async () => {
    const app = fastify()
    await app.register(fastifyCookie)
    const extractToken = (request: FastifyRequest) => request.cookies.token
    app.get('/:id', { onRequest: hook({ extractToken }) }, async (request) => request.auth?.token_use)
    const port = await start(app)
    const headers = { Cookie: `theme=dark; token=${poolOf().minter.accessToken()}` }
    expect(await call(port, { path: '/1', headers })).toMatchObject({ status: 200, text: 'access' })
    expect(replyOf(await call(port, { path: '/1', headers: bearer() }))).toEqual(NO_TOKEN)
  })

  it('is what skip gets, with its route', async () => {
    const app = fastify()
    app.addHook('onRequest', hook({ skip: (request) => request.routeOptions.url === '/health' }))
    app.get('/health', async (request) => ({ auth: request.auth ?? null }))
    app.get('/health/:secret', async () => 'secret')
    const port = await start(app)
    expect(await call(port, { path: '/health?a=b', headers: bearer('token') })).toMatchObject({
      text: '{"auth":null}',
    })
    expect(replyOf(await call(port, { path: '/health/1' }))).toEqual(NO_TOKEN)
  })

  it.each([undefined, null, 0, '', 'route'])(
    'is not let through by an extractToken that throws what is no error: %j',
    async (thrown) => {
      const app = fastify()
      const extractToken = () => {
        throw thrown
      }
      app.get('/', { onRequest: hook({ extractToken }) }, async () => 'done')
      expect(await call(await start(app))).toMatchObject({ status: 500 })
    },
  )
})

describe("the options of Fastify's verifyToken", () => {
  it.each([
    ['scopes', 'orders/read'],
    ['verifier', {}],
    ['optional', 'yes'],
    ['public', true],
  ])('are refused with a TypeError that names %s: %j', (option, value) => {
    expect(() => hook({ [option]: value })).toThrow(TypeError)
    expect(() => hook({ [option]: value })).toThrow(`"${option}"`)
  })
})
