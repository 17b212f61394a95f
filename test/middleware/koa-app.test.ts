import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent } from 'node:http'
import { Readable } from 'node:stream'
import Koa, { type Context, type Middleware } from 'koa'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { TokenRevokedError } from '../../src/index.js'
import { type VerifyTokenOptions, verifyToken } from '../../src/middleware/koa/index.js'
import { call } from '../support/http.js'
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

const protect = (options?: VerifyTokenOptions<Context>) => verifyToken(createVerifier(poolOf()), options)

/** Serves an app with these middlewares; `errors` is what its `error` event told. */
async function start(...middlewares: readonly Middleware[]) {
  const app = new Koa()
  const errors: unknown[] = []
  app.on('error', (error) => errors.push(error))
  for (const middleware of middlewares) app.use(middleware)
  return { port: await serve(app.callback()), errors }
}

describe("a refusal by Koa's verifyToken", () => {
  it('is no error to the application', async () => {
    const caught: unknown[] = []
    const { port, errors } = await start(async (_ctx, next) => {
      await next().catch((error) => caught.push(error))
    }, protect())
    expect(replyOf(await call(port, { headers: bearer('token') }))).toEqual(INVALID_TOKEN)
    expect(replyOf(await call(port))).toEqual(NO_TOKEN)
    expect([...caught, ...errors]).toEqual([])
  })

  it('reaches no later middleware', async () => {
    const later = vi.fn()
    const { port } = await start(protect(), later)
    await call(port, { headers: bearer('token') })
    expect(later).not.toHaveBeenCalled()
  })

  it('can be seen, and added to, by earlier middlewares', async () => {
    const { port } = await start(async (ctx, next) => {
      ctx.set('X-Before', 'a')
      await next()
      ctx.set('X-After', `${ctx.status}`)
    }, protect())
    const { headers, ...rest } = replyOf(await call(port))
    const added = { 'x-before': 'a', 'x-after': '401' }
    expect({ ...rest, headers }).toEqual({ ...NO_TOKEN, headers: { ...NO_TOKEN.headers, ...added } })
  })

  it('replaces a body and a type that were set before', async () => {
    const stream = Readable.from(['secret'])
    const { port } = await start((ctx, next) => {
      ctx.type = 'text/html'
      ctx.body = stream
      return next()
    }, protect())
    expect(replyOf(await call(port))).toEqual(NO_TOKEN)
    expect(stream.destroyed).toBe(true)
  })

  it('comes too late where somebody has begun an answer', async () => {
    const patient = new PatientStore()
    const verifier = createVerifier(poolOf(), { revocation: patient.store, revocationTimeoutMs: 60_000 })
    const problems = watchForUnhandled()
    const { port, errors } = await start((ctx, next) => {
      patient.asked.then(() => {
        ctx.res.writeHead(504).write('too ')
        patient.answer(REVOKED)
        setImmediate(() => ctx.res.end('late'))
      })
      return next()
    }, verifyToken(verifier))
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 504, text: 'too late' })
    expect([...problems, ...errors]).toEqual([])
  })

  it('leaves the connection to the next request, though its body was not read', async () => {
    const { port } = await start(protect(), (ctx) => {
      ctx.body = 'done'
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const sockets = vi.spyOn(agent, 'createConnection' as never)
    const body = 'x'.repeat(300_000)
    const refused = await call(port, { method: 'POST', headers: bearer('token'), body, agent })
    expect(replyOf(refused)).toEqual(INVALID_TOKEN)
    expect(await call(port, { headers: bearer(), agent })).toMatchObject({ status: 200 })
    expect(sockets).toHaveBeenCalledTimes(1)
  })
})

describe('what a Koa app does after verifyToken', () => {
  it('has the claims in ctx.state.auth, beside what was there, and nobody can change them', async () => {
    const { port } = await start(
      (ctx, next) => {
        ctx.state.requestId = 'r1'
        return next()
      },
      protect(),
      (ctx) => {
        const { auth, requestId } = ctx.state
        ctx.body = [auth?.token_use, Object.isFrozen(auth), requestId]
      },
    )
    expect(await call(port, { headers: bearer() })).toMatchObject({ text: '["access",true,"r1"]' })
  })

  it('has no claims of another request', async () => {
    const { port } = await start(protect({ optional: true }), (ctx) => {
      ctx.body = { auth: ctx.state.auth ?? null }
    })
    await call(port, { headers: bearer() })
    expect(await call(port)).toMatchObject({ text: '{"auth":null}' })
  })

  it.each([
    ['an error', new Error('out of stock')],
    ["one of this library's", new TokenRevokedError('out of stock')],
  ])('throws its own error, even if it is %s', async (_, error) => {
    const caught: unknown[] = []
    const { port } = await start(
      (ctx, next) =>
        next().catch((thrown) => {
          caught.push(thrown)
          ctx.status = 418
        }),
      protect(),
      () => {
        throw error
      },
    )
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 418 })
    expect(caught).toEqual([error])
  })

  it("has its errors in the application's error event", async () => {
    const error = new Error('out of stock')
    const { port, errors } = await start(protect(), () => Promise.reject(error))
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 500 })
    expect(errors).toEqual([error])
  })

  it('is its own 404', async () => {
    const { port } = await start(protect())
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 404, text: 'Not Found' })
  })

  it('may stream, and is waited for by earlier middlewares', async () => {
    const order: string[] = []
    const { port } = await start(
      async (_ctx, next) => {
        await next()
        order.push('after')
      },
      protect(),
      async (ctx) => {
        await new Promise(setImmediate)
        order.push('handler')
        ctx.body = Readable.from(['a', 'b'])
      },
    )
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 200, text: 'ab' })
    expect(order).toEqual(['handler', 'after'])
  })

  it('may answer a HEAD', async () => {
    const { port } = await start(protect(), (ctx) => {
      ctx.body = 'done'
    })
    const answer = await call(port, { method: 'HEAD', headers: bearer() })
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'content-length': '4' } })
  })

  it('may answer by itself, with ctx.respond false', async () => {
    const { port } = await start(protect(), (ctx) => {
      ctx.respond = false
      ctx.res.end('by hand')
    })
    expect(await call(port, { headers: bearer() })).toMatchObject({ text: 'by hand' })
  })

  it('may be to ask for more, or to insist on a token that was optional before', async () => {
    const optional = protect({ optional: true })
    const admin = protect({ groups: 'admin' })
    const { port } = await start(
      optional,
      (ctx, next) => (ctx.path === '/admin' ? admin(ctx, next) : next()),
      (ctx) => {
        ctx.body = 'done'
      },
    )
    expect(await call(port)).toMatchObject({ status: 200 })
    expect(replyOf(await call(port, { path: '/admin' }))).toEqual(NO_TOKEN)
    expect(replyOf(await call(port, { path: '/admin', headers: bearer() }))).toEqual(insufficientScope())
    const headers = bearer(poolOf().minter.accessToken({ 'cognito:groups': ['admin'] }))
    expect(await call(port, { path: '/admin', headers })).toMatchObject({ status: 200 })
  })

  it('runs in the async context of the request', async () => {
    const context = new AsyncLocalStorage<string>()
    const { port } = await start(
      (ctx, next) => context.run(ctx.path, next),
      protect(),
      (ctx) => {
        ctx.body = context.getStore()
      },
    )
    const paths = ['/1', '/2', '/3']
    const answers = await Promise.all(paths.map((path) => call(port, { path, headers: bearer() })))
    expect(answers.map(({ text }) => text)).toEqual(paths)
  })

  it('has the body of the request to itself', async () => {
    const { port } = await start(protect(), (ctx) => {
      ctx.body = ctx.req
    })
    const body = 'x'.repeat(300_000)
    expect(await call(port, { method: 'POST', headers: bearer(), body })).toMatchObject({ text: body })
  })
})

describe("Koa's context", () => {
  it('is what extractToken gets', async () => {
    const { port } = await start(protect({ extractToken: (ctx) => ctx.cookies.get('token') }), (ctx) => {
      ctx.body = ctx.state.auth?.token_use
    })
    const headers = { Cookie: `theme=dark; token=${poolOf().minter.accessToken()}` }
    expect(await call(port, { headers })).toMatchObject({ status: 200, text: 'access' })
    expect(replyOf(await call(port, { headers: bearer() }))).toEqual(NO_TOKEN)
  })

  it('is what skip gets', async () => {
    const { port } = await start(protect({ skip: (ctx) => ctx.path === '/health' }), (ctx) => {
      ctx.body = { auth: ctx.state.auth ?? null }
    })
    const health = await call(port, { path: '/health?a=b', headers: bearer('token') })
    expect(health).toMatchObject({ status: 200, text: '{"auth":null}' })
    expect(replyOf(await call(port, { path: '/health/secret' }))).toEqual(NO_TOKEN)
  })

  // Without a handler of the application's: to a rejection with undefined, Koa itself gives no answer at all.
  it.each([undefined, null, 0, '', 'route'])(
    'is not let through, and is answered, if extractToken throws what is no error: %j',
    async (thrown) => {
      const extractToken = () => {
        throw thrown
      }
      const { port, errors } = await start(protect({ extractToken }), (ctx) => {
        ctx.body = 'done'
      })
      expect(await call(port)).toMatchObject({ status: 500, text: 'Internal Server Error' })
      expect(errors).toEqual([expect.objectContaining({ message: 'verifyToken failed', cause: thrown })])
    },
  )
})

describe("the options of Koa's verifyToken", () => {
  it.each([
    ['scopes', 'orders/read'],
    ['passthrough', true],
    ['optional', 'yes'],
  ])('are refused with a TypeError that names %s: %j', (option, value) => {
    expect(() => protect({ [option]: value })).toThrow(TypeError)
    expect(() => protect({ [option]: value })).toThrow(`"${option}"`)
  })
})
