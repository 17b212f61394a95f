import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent, IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { TokenRevokedError } from '../../src/index.js'
import { type Middleware, verifyToken } from '../../src/middleware/express/index.js'
import { call } from '../support/http.js'
import { Express5 } from './adapters/express.js'
import {
  Api,
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

describe('what the application does after verifyToken', () => {
  /** An app whose own errors get a status of their own. */
  async function startApp(route: (app: Express) => void): Promise<number> {
    const app = express()
    app.use(verifyToken(createVerifier(poolOf())))
    route(app)
    app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
      response.status(418).json({ caught: error.message })
    })
    return serve(app)
  }

  it.each([
    [
      'throws',
      () => {
        throw new Error('out of stock')
      },
    ],
    ['rejects', () => Promise.reject(new Error('out of stock'))],
    [
      'hands on',
      (_request: Request, _response: Response, next: NextFunction) => next(new Error('out of stock')),
    ],
  ])('reaches its own error handler when a handler %s', async (_, handler) => {
    const port = await startApp((app) => app.get('/', handler))
    const answer = await call(port, { headers: bearer() })
    expect(answer).toMatchObject({ status: 418, text: '{"caught":"out of stock"}' })
  })

  it("is not answered in its place, even if its error is one of this library's", async () => {
    const port = await startApp((app) =>
      app.get('/', () => {
        throw new TokenRevokedError('thrown by a handler')
      }),
    )
    const answer = await call(port, { headers: bearer() })
    expect(answer).toMatchObject({ status: 418, text: '{"caught":"thrown by a handler"}' })
  })

  it('is its own 404', async () => {
    const port = await startApp(() => {})
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 404 })
  })

  it('may be to ask for more on some routes', async () => {
    const verifier = createVerifier(poolOf())
    const port = await startApp((app) => {
      app.get('/orders', verifyToken(verifier, { scope: 'orders/read' }), (_, response) => {
        response.json('orders')
      })
      app.get('/admin', verifyToken(verifier, { groups: 'admin' }), (_, response) => {
        response.json('admin')
      })
    })
    const headers = bearer(poolOf().minter.accessToken({ scope: 'orders/read' }))
    expect(await call(port, { path: '/orders', headers })).toMatchObject({ status: 200, text: '"orders"' })
    expect(replyOf(await call(port, { path: '/admin', headers }))).toMatchObject(insufficientScope())
  })

  it('may be to insist on a token that was optional before', async () => {
    const verifier = createVerifier(poolOf())
    const app = express().disable('x-powered-by')
    app.use(verifyToken(verifier, { optional: true }))
    app.get('/me', verifyToken(verifier), (_, response) => {
      response.json('me')
    })
    expect(replyOf(await call(await serve(app), { path: '/me' }))).toEqual(NO_TOKEN)
  })

  it('has the claims of the verifier that was asked last, or none', async () => {
    const app = express()
    app.use(verifyToken(createVerifier(poolOf()), { optional: true }))
    const admins = createVerifier(poolOf())
    app.get(
      '/admin',
      verifyToken(admins, { optional: true, tokenFrom: { cookie: 'admin' } }),
      (request, response) => {
        response.json(request.auth ?? null)
      },
    )
    expect(await call(await serve(app), { path: '/admin', headers: bearer() })).toMatchObject({
      text: 'null',
    })
  })

  it('does not concern the routes before it', async () => {
    const app = express()
    app.get('/health', (_, response) => {
      response.json('well')
    })
    app.use(verifyToken(createVerifier(poolOf())))
    expect(await call(await serve(app), { path: '/health' })).toMatchObject({ status: 200 })
  })

  it('runs in the async context of the request', async () => {
    const context = new AsyncLocalStorage<string>()
    const app = express()
    app.use((incoming, _response, next) => context.run(String(incoming.query.id), next))
    app.use(verifyToken(createVerifier(poolOf())))
    app.use((_, response) => {
      response.json(context.getStore())
    })
    const port = await serve(app)
    const answers = await Promise.all(
      ['1', '2', '3'].map((id) => call(port, { path: `/?id=${id}`, headers: bearer() })),
    )
    expect(answers.map(({ text }) => text)).toEqual(['"1"', '"2"', '"3"'])
  })
})

describe('a request', () => {
  /** Serves the middleware and keeps what it puts in the requests. */
  async function startWatched(middleware: Middleware) {
    const seen: unknown[] = []
    const port = await serve(
      express().use((incoming, response, next) =>
        middleware(incoming, response, (error) => {
          seen.push(incoming.auth)
          next(error)
        }),
      ),
    )
    return { port, seen }
  }

  it('goes on with claims that nobody can change', async () => {
    const { port, seen } = await startWatched(verifyToken(createVerifier(poolOf())))
    const token = poolOf().minter.accessToken({ 'cognito:groups': ['a'], address: { city: 'Rome' } })
    await call(port, { headers: bearer(token) })
    const [claims] = seen as Record<string, unknown>[]
    expect(Object.isFrozen(claims)).toBe(true)
    expect(Object.isFrozen(claims?.['cognito:groups'])).toBe(true)
    expect(Object.isFrozen(claims?.address)).toBe(true)
  })

  it('is refused with as many bytes as it says, whatever length was set before', async () => {
    const app = express().use((_, response, next) => {
      response.setHeader('Content-Length', '3')
      next()
    })
    const port = await serve(app.use(verifyToken(createVerifier(poolOf()))))
    expect(JSON.parse((await call(port)).text)).toMatchObject({ status: 401 })
  })

  it('goes on once only', async () => {
    const { port, seen } = await startWatched(verifyToken(createVerifier(poolOf())))
    await call(port, { headers: bearer() })
    expect(seen).toHaveLength(1)
  })

  it('goes on to nobody when it is refused', async () => {
    const { port, seen } = await startWatched(verifyToken(createVerifier(poolOf())))
    await call(port, { headers: bearer('token') })
    expect(seen).toEqual([])
  })

  it('keeps its body for the handlers after the check', async () => {
    const middleware = verifyToken(createVerifier(poolOf()))
    const echo: RequestListener = (incoming, response) => incoming.pipe(response)
    const listener = express().use(middleware, echo)
    const body = 'x'.repeat(300_000)
    const answer = await call(await serve(listener), { method: 'POST', headers: bearer(), body })
    expect(answer).toMatchObject({ status: 200, text: body })
  })

  it('can follow one on the same connection whose body was refused unread', async () => {
    const api = await Api.start(Express5, poolOf())
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const sockets = vi.spyOn(agent, 'createConnection' as never)
    const body = 'x'.repeat(300_000)
    const refused = await api.call({ method: 'POST', headers: bearer('token'), body, agent })
    expect(replyOf(refused)).toEqual(INVALID_TOKEN)
    expect(await api.call({ headers: bearer(), agent })).toMatchObject({ status: 200 })
    expect(sockets).toHaveBeenCalledTimes(1)
  })

  it('may have been answered already, by a time limit for example, when its token is refused', async () => {
    const patient = new PatientStore()
    const verifier = createVerifier(poolOf(), { revocation: patient.store, revocationTimeoutMs: 60_000 })
    const handler = express().use(verifyToken(verifier))
    const problems = watchForUnhandled()
    const answered: ServerResponse[] = []
    const port = await serve((incoming, response) => {
      answered.push(response)
      handler(incoming, response)
    })
    const answer = call(port, { headers: bearer() })
    await patient.asked
    answered[0]?.writeHead(504).end('too late')
    patient.answer(REVOKED)
    expect(await answer).toMatchObject({ status: 504, text: 'too late' })
    await nextTurn()
    await nextTurn()
    expect(problems).toEqual([])
  })
})

describe('a request that an adapter made up, with headers and no rawHeaders', () => {
  it.each([
    ['accepted', () => `Bearer ${poolOf().minter.accessToken()}`],
    ['refused', () => 'Bearer x'],
    ['refused', () => ['Bearer a', 'Bearer b']],
  ])('is %s by its token', async (verdict, authorization) => {
    const request = new IncomingMessage(new Socket())
    Object.assign(request.headers, { authorization: authorization() })
    const response = new ServerResponse(request)
    const middleware = verifyToken(createVerifier(poolOf()), { optional: true })
    const done = new Promise((resolve) => {
      vi.spyOn(response, 'end').mockImplementation(() => {
        resolve('refused')
        return response
      })
      middleware(request, response, () =>
        resolve((request as { auth?: unknown }).auth ? 'accepted' : 'let through'),
      )
    })
    expect(await done).toBe(verdict)
  })
})
