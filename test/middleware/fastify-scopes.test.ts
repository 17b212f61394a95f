import fastifyCors from '@fastify/cors'
import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type CognitoRevocationOptions, cognitoRevocation } from '../../src/middleware/fastify/index.js'
import { call, callRaw } from '../support/http.js'
import { listenerOf } from './adapters/fastify.js'
import { createVerifier, insufficientScope, NO_TOKEN, replyOf, serve, storeThat, usePool } from './harness.js'

const poolOf = usePool()

type Options = Partial<CognitoRevocationOptions>

function bearer(claims: Readonly<Record<string, unknown>> = {}) {
  return { Authorization: `Bearer ${poolOf().minter.accessToken(claims)}` }
}

const withVerifier = (options: Options = {}) => ({ verifier: createVerifier(poolOf()), ...options })

const start = async (app: FastifyInstance) => serve(await listenerOf(app))

/** The status of a GET of each path, without a token. */
async function statuses(port: number, ...paths: readonly string[]): Promise<readonly number[]> {
  return Promise.all(paths.map(async (path) => (await call(port, { path })).status))
}

/** Another verifier than the pool's usual one: it asks for a scope. */
const strictVerifier = () => createVerifier(poolOf(), { scope: 'strict' })

describe('the scope that cognitoRevocation is registered in', () => {
  it('has its routes protected, whether defined before, right after, or once it is loaded', async () => {
    const app = fastify()
    app.get('/before', async () => 'done')
    app.register(cognitoRevocation, withVerifier())
    app.get('/after', async () => 'done')
    await app.after()
    app.get('/later', async () => 'done')
    const port = await start(app)
    expect(await statuses(port, '/before', '/after', '/later')).toEqual([401, 401, 401])
    expect(await call(port, { path: '/before', headers: bearer() })).toMatchObject({ status: 200 })
  })

  it('has the routes of its children protected, whether registered before or after', async () => {
    const app = fastify()
    const child = (path: string) => async (scope: FastifyInstance) => {
      scope.get(path, async () => 'done')
      scope.register(async (inner) => {
        inner.get(`${path}/inner`, async () => 'done')
      })
    }
    await app.register(child('/before'))
    await app.register(cognitoRevocation, withVerifier())
    await app.register(child('/after'))
    const port = await start(app)
    const paths = ['/before', '/before/inner', '/after', '/after/inner']
    expect(await statuses(port, ...paths)).toEqual([401, 401, 401, 401])
  })

  it('protects neither its parent nor its siblings', async () => {
    const app = fastify()
    app.get('/parent', async () => 'done')
    app.register(async (sibling) => {
      sibling.get('/elder', async () => 'done')
    })
    app.register(async (scope) => {
      await scope.register(cognitoRevocation, withVerifier())
      scope.get('/protected', async () => 'done')
    })
    app.register(async (sibling) => {
      sibling.get('/younger', async () => 'done')
    })
    const port = await start(app)
    expect(await statuses(port, '/parent', '/elder', '/protected', '/younger')).toEqual([200, 200, 401, 200])
  })

  it('protects the HEAD routes that Fastify adds', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier())
    app.get('/', async () => 'done')
    app.get('/orders', { config: { auth: { scope: 'orders/read' } } }, async () => 'orders')
    const port = await start(app)
    const head = (path: string, headers = {}) => call(port, { method: 'HEAD', path, headers })
    expect(await head('/')).toMatchObject({ status: 401 })
    expect(await head('/', bearer())).toMatchObject({ status: 200 })
    expect(await head('/orders', bearer())).toMatchObject({ status: 403 })
  })

  it('tells nobody without a token which paths there are, where it is the root', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier())
    app.get('/', async () => 'done')
    const port = await start(app)
    expect(replyOf(await call(port, { path: '/nowhere' }))).toEqual(NO_TOKEN)
    expect(replyOf(await call(port, { method: 'DELETE' }))).toEqual(NO_TOKEN)
    expect(await call(port, { path: '/nowhere', headers: bearer() })).toMatchObject({ status: 404 })
  })

  it.each([
    ['with a notFoundHandler of its own', true, 401],
    ['without one', false, 404],
  ])('answers for unknown paths under its prefix: %s', async (_, own, status) => {
    const app = fastify()
    app.register(
      async (api) => {
        await api.register(cognitoRevocation, withVerifier())
        if (own) api.setNotFoundHandler((_request, reply) => reply.code(404).send('nothing here'))
        api.get('/me', async () => 'me')
      },
      { prefix: '/api' },
    )
    const port = await start(app)
    expect(await statuses(port, '/api/me', '/api/nowhere', '/nowhere')).toEqual([401, status, 404])
  })

  it('answers preflights where @fastify/cors was registered before, and lets pages read refusals', async () => {
    const app = fastify()
    await app.register(fastifyCors, { origin: 'https://app.example.com' })
    await app.register(cognitoRevocation, withVerifier())
    app.get('/', async () => 'done')
    const port = await start(app)
    const origin = { Origin: 'https://app.example.com' }
    const preflight = { ...origin, 'Access-Control-Request-Method': 'GET' }
    expect(await call(port, { method: 'OPTIONS', headers: preflight })).toMatchObject({ status: 204 })
    const refused = await call(port, { headers: origin })
    expect(refused.status).toBe(401)
    expect(refused.headers['access-control-allow-origin']).toBe('https://app.example.com')
  })

  it('leaves the claims of one request to no other', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ optional: true }))
    app.get('/', async (request) => [request.auth?.token_use, Object.hasOwn(request, 'auth')])
    const port = await start(app)
    expect(await call(port, { headers: bearer() })).toMatchObject({ text: '["access",true]' })
    expect(await call(port)).toMatchObject({ text: '[null,true]' })
  })
})

describe('cognitoRevocation, registered again', () => {
  it('in the same scope is an error at start', async () => {
    const app = fastify()
    onTestFinished(() => app.close())
    app.register(cognitoRevocation, withVerifier())
    app.register(cognitoRevocation, withVerifier())
    await expect(app.ready()).rejects.toMatchObject({ code: 'FST_ERR_DEC_ALREADY_PRESENT' })
  })

  it('in a child asks for both, whatever the order', async () => {
    const app = fastify()
    const child = (path: string) => async (scope: FastifyInstance) => {
      await scope.register(cognitoRevocation, { verifier: strictVerifier(), groups: 'admin' })
      scope.get(path, async () => 'done')
    }
    await app.register(child('/before'))
    await app.register(cognitoRevocation, withVerifier({ scope: 'orders/read' }))
    await app.register(child('/after'))
    const port = await start(app)
    for (const path of ['/before', '/after']) {
      const statusOf = async (scope: string) => {
        return (await call(port, { path, headers: bearer({ scope, 'cognito:groups': ['admin'] }) })).status
      }
      expect(await statusOf('orders/read')).toBe(403)
      expect(await statusOf('strict')).toBe(403)
      expect(await statusOf('orders/read strict')).toBe(200)
    }
  })

  it('in a child as optional, or with a skip, makes nothing weaker', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier())
    app.register(async (scope) => {
      await scope.register(cognitoRevocation, withVerifier({ optional: true }))
      scope.get('/optional', async () => 'done')
    })
    app.register(async (scope) => {
      await scope.register(cognitoRevocation, withVerifier({ skip: () => true }))
      scope.get('/skip', async () => 'done')
    })
    expect(await statuses(await start(app), '/optional', '/skip')).toEqual([401, 401])
  })

  it.each(['before', 'after'])(
    'in a child that is loaded %s it has the claims of the inner one in request.auth',
    async (when) => {
      const app = fastify()
      const inner = { tokenFrom: { header: 'x-inner' } } as const
      const child = async (scope: FastifyInstance) => {
        await scope.register(cognitoRevocation, withVerifier(inner))
        scope.get('/', async (request) => request.auth?.sub)
      }
      if (when === 'before') await app.register(child)
      await app.register(cognitoRevocation, withVerifier({ optional: true }))
      if (when === 'after') await app.register(child)
      const port = await start(app)
      const token = poolOf().minter.accessToken({ sub: 'jane' })
      const headers = { ...bearer({ sub: 'joe' }), 'x-inner': token }
      expect(await call(port, { headers })).toMatchObject({ text: 'jane' })
      expect(await call(port, { headers: { 'x-inner': token } })).toMatchObject({ text: 'jane' })
    },
  )

  it("in a child has that child's routes choose for the inner one only", async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ groups: 'admin' }))
    app.register(async (scope) => {
      await scope.register(cognitoRevocation, { verifier: strictVerifier() })
      scope.get('/public', { config: { auth: { public: true } } }, async () => 'done')
      scope.get('/optional', { config: { auth: { optional: true } } }, async () => 'done')
      scope.get('/groups', { config: { auth: { groups: 'staff' } } }, async () => 'done')
    })
    const port = await start(app)
    expect(await statuses(port, '/public', '/optional', '/groups')).toEqual([401, 401, 401])
    const staff = bearer({ scope: 'strict', 'cognito:groups': ['staff'] })
    expect(await call(port, { path: '/groups', headers: staff })).toMatchObject({ status: 403 })
    const admin = bearer({ 'cognito:groups': ['admin'] })
    expect(await call(port, { path: '/public', headers: admin })).toMatchObject({ status: 200 })
  })

  it('in siblings lets each have a verifier of its own', async () => {
    const app = fastify()
    app.register(async (scope) => {
      await scope.register(cognitoRevocation, withVerifier())
      scope.get('/usual', async () => 'done')
    })
    app.register(async (scope) => {
      await scope.register(cognitoRevocation, { verifier: strictVerifier() })
      scope.get('/strict', async () => 'done')
    })
    const port = await start(app)
    expect(await call(port, { path: '/usual', headers: bearer() })).toMatchObject({ status: 200 })
    expect(replyOf(await call(port, { path: '/strict', headers: bearer() }))).toEqual(
      insufficientScope('strict'),
    )
  })
})

describe('config.auth of a route', () => {
  const down = () =>
    createVerifier(poolOf(), { revocation: storeThat(() => Promise.reject(new Error('down'))) })

  it.each(['before', 'after'])(
    'asks for a scope or a group, on a route defined %s the plugin',
    async (when) => {
      const app = fastify()
      const define = () => {
        app.get('/orders', { config: { auth: { scope: 'orders/read' } } }, async () => 'orders')
        app.get('/admin', { config: { auth: { groups: { all: ['admin', 'eu'] } } } }, async () => 'admin')
        app.get('/', async () => 'done')
      }
      if (when === 'before') define()
      await app.register(cognitoRevocation, withVerifier())
      if (when === 'after') define()
      const port = await start(app)
      const send = async (path: string, headers = bearer()) => replyOf(await call(port, { path, headers }))
      const statusOf = async (path: string, headers: { Authorization: string }) =>
        (await call(port, { path, headers })).status
      expect(await send('/orders')).toEqual(insufficientScope('orders/read'))
      expect(await send('/admin')).toEqual(insufficientScope())
      expect(await statusOf('/', bearer())).toBe(200)
      expect(await statusOf('/orders', bearer({ scope: 'orders/read' }))).toBe(200)
      expect(await statusOf('/admin', bearer({ 'cognito:groups': ['admin'] }))).toBe(403)
      expect(await statusOf('/admin', bearer({ 'cognito:groups': ['admin', 'eu'] }))).toBe(200)
      expect(await statuses(port, '/orders', '/admin', '/')).toEqual([401, 401, 401])
    },
  )

  it("takes the place of the plugin's option, and leaves the others", async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ scope: 'orders/read', groups: 'admin' }))
    app.get('/', { config: { auth: { scope: 'orders/write' } } }, async () => 'done')
    const port = await start(app)
    const admin = { 'cognito:groups': ['admin'] }
    const statusOf = async (claims: Readonly<Record<string, unknown>>) =>
      (await call(port, { headers: bearer(claims) })).status
    expect(await statusOf({ scope: 'orders/read', ...admin })).toBe(403)
    expect(await statusOf({ scope: 'orders/write', ...admin })).toBe(200)
    expect(await statusOf({ scope: 'orders/write' })).toBe(403)
  })

  it("leaves the plugin's option where its own is undefined", async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ scope: 'orders/read' }))
    app.get('/', { config: { auth: { scope: undefined } as never } }, async () => 'done')
    expect(await call(await start(app), { headers: bearer() })).toMatchObject({ status: 403 })
  })

  it('opens a route to everybody, without looking at the token', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier())
    app.get('/', { config: { auth: { public: true } } }, async (request) => ({ auth: request.auth ?? null }))
    const port = await start(app)
    expect(await call(port)).toMatchObject({ status: 200, text: '{"auth":null}' })
    expect(await call(port, { headers: { Authorization: 'Bearer x' } })).toMatchObject({ status: 200 })
  })

  it('is its own only: nobody opens all routes by way of Object.prototype', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier())
    app.get('/', async () => 'done')
    const port = await start(app)
    onTestFinished(() => void Reflect.deleteProperty(Object.prototype, 'auth'))
    Object.defineProperty(Object.prototype, 'auth', {
      ...{ value: { public: true }, configurable: true, writable: true, enumerable: false },
    })
    expect(await callRaw(port, [])).toMatchObject({ status: 401 })
  })

  it('makes the token optional, but no bad one good', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier())
    app.get('/', { config: { auth: { optional: true } } }, async () => 'done')
    const port = await start(app)
    expect(await call(port)).toMatchObject({ status: 200 })
    expect(await call(port, { headers: { Authorization: 'Bearer x' } })).toMatchObject({ status: 401 })
  })

  it('insists on a token where the plugin does not', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ optional: true }))
    app.get('/', { config: { auth: { optional: false } } }, async () => 'done')
    expect(await statuses(await start(app), '/')).toEqual([401])
  })

  it('chooses what happens while revocation cannot be known', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, { verifier: down() })
    app.get('/', async () => 'done')
    app.get('/accept', { config: { auth: { onRevocationUnavailable: 'accept' } } }, async () => 'done')
    const port = await start(app)
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 503 })
    expect(await call(port, { path: '/accept', headers: bearer() })).toMatchObject({ status: 200 })
  })

  const wrong: readonly (readonly [name: string, auth: unknown])[] = [
    ['scopes', { scopes: 'orders/read' }],
    ['verifier', { verifier: {} }],
    ['skip', { skip: () => true }],
    ['scope', { scope: '' }],
    ['optional', { optional: 'yes' }],
    ['public', { public: false }],
    ['public', { public: 'yes' }],
    ['public', { public: true, scope: 'orders/read' }],
    ['options', 'orders/read'],
    ['options', true],
    ['options', null],
  ]

  it.each(wrong)('is a TypeError when the route is defined, that names %s: %j', async (option, auth) => {
    const app = fastify()
    onTestFinished(() => app.close())
    await app.register(cognitoRevocation, withVerifier())
    const define = () => app.get('/', { config: { auth: auth as never } }, async () => 'done')
    expect(define).toThrow(TypeError)
    expect(define).toThrow(option)
  })

  it.each(wrong)(
    'lets nobody in to a route defined before the plugin, if it is wrong: %s: %j',
    async (_, auth) => {
      const app = fastify()
      app.get('/', { config: { auth: auth as never } }, async () => 'done')
      await app.register(cognitoRevocation, withVerifier())
      const port = await start(app)
      expect(await call(port, { headers: bearer() })).toMatchObject({ status: 500 })
      expect(await call(port)).toMatchObject({ status: 500 })
    },
  )
})

describe('app.verifyToken', () => {
  it("makes a hook with the plugin's options, for the routes of a child", async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ realm: 'orders' }))
    app.register(async (admin) => {
      admin.addHook('onRequest', admin.verifyToken({ groups: 'admin' }))
      admin.get('/admin', async () => 'admin')
    })
    app.get('/', async () => 'done')
    const port = await start(app)
    const refused = await call(port, { path: '/admin', headers: bearer() })
    expect(refused.status).toBe(403)
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer realm="orders", /)
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 200 })
    const admin = bearer({ 'cognito:groups': ['admin'] })
    expect(await call(port, { path: '/admin', headers: admin })).toMatchObject({ status: 200 })
  })

  it('insists on what the scope asks for besides its own', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ scope: 'orders/read' }))
    app.get(
      '/',
      { onRequest: app.verifyToken({ scope: 'orders/write', optional: true }) },
      async () => 'done',
    )
    const port = await start(app)
    const statusOf = async (scope: string) => (await call(port, { headers: bearer({ scope }) })).status
    expect(await statusOf('orders/write')).toBe(403)
    expect(await statusOf('orders/read')).toBe(403)
    expect(await statusOf('orders/read orders/write')).toBe(200)
    expect(await statuses(port, '/')).toEqual([401])
  })

  it('belongs to the innermost plugin', async () => {
    const app = fastify()
    await app.register(cognitoRevocation, withVerifier({ optional: true }))
    app.register(async (scope) => {
      await scope.register(cognitoRevocation, { verifier: strictVerifier(), optional: true })
      scope.get('/inner', { onRequest: scope.verifyToken() }, async () => 'done')
    })
    app.get('/outer', { onRequest: app.verifyToken() }, async () => 'done')
    const port = await start(app)
    expect(await call(port, { path: '/outer', headers: bearer() })).toMatchObject({ status: 200 })
    expect(await call(port, { path: '/inner', headers: bearer() })).toMatchObject({ status: 403 })
  })

  it('refuses wrong rules with a TypeError that names the option', async () => {
    const app = fastify()
    onTestFinished(() => app.close())
    await app.register(cognitoRevocation, withVerifier())
    expect(() => app.verifyToken({ scopes: 'a' } as never)).toThrow('verifyToken: unknown option "scopes"')
    expect(() => app.verifyToken({ groups: [] })).toThrow('option "groups"')
  })
})

describe('the options of cognitoRevocation', () => {
  const startWith = async (options: object) => {
    const app = fastify()
    onTestFinished(() => app.close())
    app.register(cognitoRevocation, options as CognitoRevocationOptions)
    await app.ready()
    return app
  }

  it.each([
    ['prefix', '/api'],
    ['scopes', 'orders/read'],
    ['public', true],
    ['optional', 'yes'],
  ])('keep the application from starting with %s: %j', async (option, value) => {
    await expect(startWith(withVerifier({ [option]: value }))).rejects.toThrow(`"${option}"`)
  })

  it('keep it from starting without a verifier', async () => {
    await expect(startWith({})).rejects.toThrow(
      /^cognitoRevocation: option "verifier" must be a TokenVerifier/,
    )
  })

  it('go with the name by which other plugins may depend on it', async () => {
    expect((await startWith(withVerifier())).hasPlugin('cognito-revocation')).toBe(true)
  })

  it('cannot be had where somebody else has decorated requests with auth', async () => {
    const app = fastify()
    onTestFinished(() => app.close())
    app.decorateRequest('auth', undefined)
    app.register(cognitoRevocation, withVerifier())
    await expect(app.ready()).rejects.toMatchObject({ code: 'FST_ERR_DEC_ALREADY_PRESENT' })
  })
})
