import { AsyncLocalStorage } from 'node:async_hooks'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { requestId } from 'hono/request-id'
import { describe, expect, it } from 'vitest'
import { TokenRevokedError } from '../../src/index.js'
import { type VerifyTokenOptions, verifyToken } from '../../src/middleware/hono/index.js'
import { call } from '../support/http.js'
import { http2StatusOf } from '../support/http2.js'
import { createVerifier, INVALID_REQUEST, INVALID_TOKEN, NO_TOKEN, serve, usePool } from './harness.js'

const poolOf = usePool()

function bearer(token = poolOf().minter.accessToken()) {
  return { Authorization: `Bearer ${token}` }
}

function verify(options: VerifyTokenOptions<Context> = {}) {
  return verifyToken(createVerifier(poolOf()), options)
}

describe('what a Hono app does after verifyToken', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('out of stock')
      },
    ],
    ['rejects', () => Promise.reject(new Error('out of stock'))],
    [
      "throws one of this library's errors",
      () => {
        throw new TokenRevokedError('out of stock')
      },
    ],
  ])('reaches app.onError when a handler %s', async (_, handler: () => Promise<Response>) => {
    const app = new Hono().use(verify())
    app.get('/', handler)
    app.onError((error, c) => c.json({ caught: error.message }, 418))
    const answer = await app.request('/', { headers: bearer() })
    expect(answer.status).toBe(418)
    expect(await answer.json()).toEqual({ caught: 'out of stock' })
  })

  it('answers as its HTTPException says', async () => {
    const app = new Hono().use(verify())
    app.get('/', () => {
      throw new HTTPException(402, { message: 'pay first' })
    })
    const answer = await app.request('/', { headers: bearer() })
    expect([answer.status, await answer.text()]).toEqual([402, 'pay first'])
  })

  it('is not swallowed if it throws what is no error', async () => {
    const app = new Hono().use(verify())
    app.get('/', () => Promise.reject('out of stock'))
    await expect(app.request('/', { headers: bearer() })).rejects.toBe('out of stock')
  })

  it('is its own 404', async () => {
    const app = new Hono().use(verify()).notFound((c) => c.text('nothing here', 404))
    const answer = await app.request('/', { headers: bearer() })
    expect(await answer.text()).toBe('nothing here')
  })

  it('may be to ask for more on some routes, and for nothing on others', async () => {
    const app = new Hono().get('/health', (c) => c.text('well'))
    app.use(verify())
    app.get('/orders', verify({ scope: 'orders/read' }), (c) => c.text('orders'))
    app.route(
      '/admin',
      new Hono().use(verify({ groups: 'admin' })).get('/', (c) => c.text('admin')),
    )
    const headers = bearer(poolOf().minter.accessToken({ scope: 'orders/read' }))
    const statuses = ['/health', '/orders', '/admin'].map(
      async (path) => (await app.request(path, { headers })).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 200, 403])
    expect((await app.request('/health')).status).toBe(200)
  })

  it('may be to insist on a token that was optional before', async () => {
    const app = new Hono().use(verify({ optional: true })).get('/me', verify(), (c) => c.text('me'))
    expect((await app.request('/me')).status).toBe(401)
  })

  it('runs in the async context of the request', async () => {
    const context = new AsyncLocalStorage<string>()
    const app = new Hono().use((c, next) => context.run(c.req.query('id') ?? '', next))
    app.use(verify())
    app.get('/', (c) => c.text(context.getStore() ?? ''))
    const answers = ['1', '2', '3'].map(async (id) =>
      (await app.request(`/?id=${id}`, { headers: bearer() })).text(),
    )
    expect(await Promise.all(answers)).toEqual(['1', '2', '3'])
  })

  it('does not run for a request that is refused', async () => {
    let calls = 0
    const app = new Hono().use(verify())
    app.get('/', (c) => {
      calls += 1
      return c.text('')
    })
    await app.request('/', { headers: bearer('token') })
    expect(calls).toBe(0)
    await app.request('/', { headers: bearer() })
    expect(calls).toBe(1)
  })

  it('gets claims that nobody can change, in c.get and in c.var', async () => {
    const app = new Hono().use(verifyToken(createVerifier(poolOf()))).get('/', (c) => {
      const same = c.get('auth') === c.var.auth
      return c.json([same, Object.isFrozen(c.var.auth), c.var.auth.token_use])
    })
    const answer = await app.request('/', { headers: bearer() })
    expect(await answer.json()).toEqual([true, true, 'access'])
  })

  it('can read the body', async () => {
    const app = new Hono().use(verify()).post('/', async (c) => c.text(await c.req.text()))
    const body = 'x'.repeat(300_000)
    const answer = await call(await serve(getRequestListener(app.fetch)), {
      method: 'POST',
      headers: bearer(),
      body,
    })
    expect(answer).toMatchObject({ status: 200, text: body })
  })
})

describe("Hono's answer to a refused request", () => {
  it('is the same without a server', async () => {
    const app = new Hono().use(verify())
    const twice = new Headers(bearer())
    twice.append('Authorization', bearer().Authorization)
    for (const [headers, expected] of [
      [{}, NO_TOKEN],
      [twice, INVALID_REQUEST],
      [bearer('token'), INVALID_TOKEN],
    ] as const) {
      const answer = await app.request('/', { headers })
      expect({
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: await answer.json(),
      }).toEqual(expected)
    }
  })

  it('keeps the headers that other middlewares set before and after', async () => {
    const app = new Hono()
    app.use(cors({ origin: 'https://app.example.com', credentials: true }), requestId())
    app.use(async (c, next) => {
      c.header('Set-Cookie', 'a=b', { append: true })
      c.header('Set-Cookie', 'c=d', { append: true })
      await next()
      c.header('Server-Timing', 'auth')
    })
    app.use(verify())
    const { status, headers } = await app.request('/', {
      headers: { Origin: 'https://app.example.com', 'X-Request-Id': 'request-1' },
    })
    expect(status).toBe(401)
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example.com')
    expect(headers.get('access-control-allow-credentials')).toBe('true')
    expect(headers.get('x-request-id')).toBe('request-1')
    expect(headers.get('server-timing')).toBe('auth')
    expect(headers.getSetCookie()).toEqual(['a=b', 'c=d'])
    expect(headers.get('www-authenticate')).toBe('Bearer')
  })

  it.each([
    ['on the context', (c: Context, name: string, value: string) => c.header(name, value)],
    ['on the response', (c: Context, name: string, value: string) => c.res.headers.set(name, value)],
  ])('cannot be cached, whatever was set before: %s', async (_, set) => {
    const app = new Hono().use((c, next) => {
      set(c, 'Cache-Control', 'public, max-age=600')
      set(c, 'Content-Type', 'text/html')
      return next()
    })
    app.use(verify())
    const { headers } = await app.request('/')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-type')).toBe('application/problem+json')
  })

  it('takes the place of a response that was there before', async () => {
    const app = new Hono().use(async (c, next) => {
      c.res = new Response('a fallback', { headers: { 'X-Fallback': 'yes' } })
      await next()
    })
    app.use(verify())
    const answer = await app.request('/')
    expect([answer.status, await answer.json()]).toEqual([401, NO_TOKEN.body])
  })

  it('is there where the middleware is all there is', async () => {
    const app = new Hono().get('/', verify())
    expect((await app.request('/')).status).toBe(401)
    expect((await app.request('/', { headers: bearer() })).status).toBe(404)
  })

  it('is given to two authorization fields of HTTP/2', async () => {
    const app = new Hono().use(verify()).get('/', (c) => c.text('in'))
    const listener = getRequestListener(app.fetch)
    const good = ['authorization', bearer().Authorization] as const
    expect(await http2StatusOf(listener, [good])).toBe(200)
    expect(await http2StatusOf(listener, [good, ['authorization', 'Bearer token']])).toBe(400)
  })
})

describe("the options of Hono's verifyToken", () => {
  it('give extractToken the context', async () => {
    const app = new Hono().use(verify({ extractToken: (c) => getCookie(c, 'session') }))
    app.get('/', (c) => c.text(c.get('auth')?.sub ?? 'nobody'))
    const answer = await app.request('/', {
      headers: { Cookie: `session=${poolOf().minter.accessToken({ sub: 'jane' })}` },
    })
    expect(await answer.text()).toBe('jane')
    expect((await app.request('/', { headers: bearer() })).status).toBe(401)
  })

  it('give skip the context', async () => {
    const app = new Hono().use(verify({ skip: (c) => c.req.path === '/health' }))
    app.get('*', (c) => c.json(c.get('auth') ?? null))
    expect(await (await app.request('/health', { headers: bearer() })).json()).toBeNull()
    expect((await app.request('/other')).status).toBe(401)
  })

  it.each([
    ['an error', new Error('not signed'), 'not signed'],
    ['nothing', undefined, 'verifyToken failed'],
    ['a word', 'next', 'verifyToken failed'],
  ])('hand what extractToken throws to app.onError: %s', async (_, thrown, message) => {
    const app = new Hono()
    app.use(
      verify({
        optional: true,
        extractToken: () => {
          throw thrown
        },
      }),
    )
    app.get('/', (c) => c.text('in'))
    app.onError((error, c) => c.text(error.message, 500))
    const answer = await app.request('/')
    expect([answer.status, await answer.text()]).toEqual([500, message])
  })

  it('are refused with a TypeError that names them', () => {
    expect(() => verify({ scopes: 'x' } as never)).toThrow(/^verifyToken: unknown option "scopes"/)
    expect(() => verifyToken(undefined as never)).toThrow(/^verifyToken: the first argument/)
  })
})
