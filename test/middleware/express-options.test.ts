import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ObserverEvent } from '../../src/index.js'
import { type VerifyTokenOptions, verifyToken } from '../../src/middleware/express/index.js'
import { Express5 } from './adapters/express.js'
import {
  Api,
  createVerifier,
  INVALID_TOKEN,
  insufficientScope,
  NO_TOKEN,
  replyOf,
  storeThat,
  UNAVAILABLE,
  usePool,
  watchForUnhandled,
} from './harness.js'

const poolOf = usePool()

/** The cookie `token`, as a cookie parser would give it. */
function fromCookie(request: IncomingMessage): string | undefined {
  return /(?:^|; )token=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
}

describe('the options of verifyToken', () => {
  it.each([
    ['scope', ''],
    ['scope', []],
    ['scope', ['']],
    ['scope', 5],
    ['scope', null],
    ['scope', ['orders/read', 5]],
    ['groups', ''],
    ['groups', []],
    ['groups', 5],
    ['groups', null],
    ['groups', [null]],
    ['scope', {}],
    ['scope.all', []],
    ['scope.all', 'orders/read'],
    ['scope', { any: ['a'], all: ['b'] }],
    ['scope', { none: ['a'] }],
    ['groups.all', ['']],
    ['skip', true],
    ['skip', null],
    ['onRevocationUnavailable', 'acept'],
    ['onRevocationUnavailable', null],
    ['tokenFrom', 'cookie'],
    ['tokenFrom', null],
    ['tokenFrom', []],
    ['tokenFrom', {}],
    ['tokenFrom', { query: 'access_token' }],
    ['tokenFrom', { toString: 'x' }],
    ['tokenFrom', { cookie: 'a', header: 'b' }],
    ['tokenFrom', ['authorization', 'cookie']],
    ['tokenFrom.cookie', 'a b'],
    ['tokenFrom.cookie', ''],
    ['tokenFrom.header', 'a\r\nb'],
    ['tokenFrom.webSocketProtocol', 5],
    ['allowedOrigins', 'app.example.com'],
    ['allowedOrigins', ['https://app.example.com/']],
    ['allowedOrigins', ['null']],
    ['allowedOrigins', ['capacitor://']],
    ['allowedOrigins', ['HTTPS://app.example.com']],
    ['allowedOrigins', ['*']],
    ['allowedOrigins', []],
    ['optional', 'yes'],
    ['optional', 1],
    ['optional', null],
    ['extractToken', 'cookie'],
    ['extractToken', null],
    ['realm', ''],
    ['realm', 'müller'],
    ['realm', 'a\r\nSet-Cookie: b=c'],
    ['realm', 5],
    ['realm', null],
    ['retryAfterSeconds', -1],
    ['retryAfterSeconds', Number.NaN],
    ['retryAfterSeconds', Number.POSITIVE_INFINITY],
    ['retryAfterSeconds', '5'],
    ['retryAfterSeconds', null],
  ])('are refused with a TypeError that names %s: %j', (option, value) => {
    const verifier = createVerifier(poolOf())
    const [name = '', part] = option.split('.')
    const options = { [name]: part === undefined ? value : { [part]: value } }
    const create = () => verifyToken(verifier, options as VerifyTokenOptions)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(`option "${option}"`)
  })

  it.each([
    'read\nwrite',
    'read\r\nSet-Cookie: a=b',
    'lesen/äpfel',
    'say"read"',
    'read\\write',
    'read write',
  ])('are refused with a scope that no token can have (RFC 6749, section 3.3): %j', (scope) => {
    const verifier = createVerifier(poolOf())
    expect(() => verifyToken(verifier, { scope })).toThrow(/option "scope"/)
    expect(() => verifyToken(verifier, { scope: ['good', scope] })).toThrow(/option "scope"/)
  })

  it.each([1.5, 1e-7])('are refused with a retryAfterSeconds that Retry-After cannot say: %d', (value) => {
    const verifier = createVerifier(poolOf())
    expect(() => verifyToken(verifier, { retryAfterSeconds: value })).toThrow(/option "retryAfterSeconds"/)
  })

  it.each(['scopes', 'requireScope', 'credentialsRequired', 'verifier'])(
    'are refused with a TypeError that names an unknown one: %s',
    (option) => {
      const verifier = createVerifier(poolOf())
      const create = () => verifyToken(verifier, { [option]: 'x' } as VerifyTokenOptions)
      expect(create).toThrow(TypeError)
      expect(create).toThrow(`"${option}"`)
    },
  )

  it.each([null, 'orders/read', 5])('are refused if they are no object: %j', (options) => {
    const verifier = createVerifier(poolOf())
    expect(() => verifyToken(verifier, options as never)).toThrow(TypeError)
  })

  it.each([undefined, null, {}, 'verifier', { verify: true }])(
    'are refused without a verifier before them: %j',
    (verifier) => {
      expect(() => verifyToken(verifier as never)).toThrow(/^verifyToken: the first argument/)
    },
  )

  it('take an observer that is told of each request that is not let through, and why', async () => {
    const events: ObserverEvent[] = []
    const options: VerifyTokenOptions = { scope: 'orders/read', observer: (event) => events.push(event) }
    const api = await Api.start(Express5, poolOf(), { options })
    await api.send()
    await api.send('Bearer a', 'Bearer b')
    await api.send('Bearer x')
    await api.send(`Bearer ${poolOf().minter.accessToken()}`)
    await api.send(`Bearer ${poolOf().minter.accessToken({ scope: 'orders/read' })}`)
    expect(events).toEqual([
      { type: 'request_refused', status: 401 },
      { type: 'request_refused', status: 400 },
      { type: 'request_refused', status: 401, error: expect.objectContaining({ code: 'token_malformed' }) },
      {
        type: 'request_refused',
        status: 403,
        error: expect.objectContaining({ code: 'insufficient_scope' }),
      },
    ])
  })

  it('cannot be changed once the middleware is made', async () => {
    const [scope, groups] = [['orders/read'], ['admin']]
    const options: VerifyTokenOptions & { optional: boolean } = { scope, groups, optional: false }
    const api = await Api.start(Express5, poolOf(), { options })
    scope.splice(0)
    groups.splice(0)
    options.optional = true
    expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toEqual(
      insufficientScope('orders/read'),
    )
    expect(await api.send()).toEqual(NO_TOKEN)
  })
})

describe('scope and groups', () => {
  const send = async (options: VerifyTokenOptions, claims: Record<string, unknown>) => {
    const api = await Api.start(Express5, poolOf(), { options })
    return api.send(`Bearer ${poolOf().minter.accessToken(claims)}`)
  }

  it.each([{ scope: { any: ['a/read', 'a/write'] } }, { scope: ['a/read', 'a/write'] }])(
    'are had with one of any: %j',
    async (options) => {
      expect(await send(options, { scope: 'openid a/write' })).toMatchObject({ status: 200 })
      expect(await send(options, { scope: 'openid' })).toEqual(insufficientScope('a/read a/write'))
    },
  )

  it('are had with all of all only', async () => {
    const options = { scope: { all: ['a/read', 'a/write'] } }
    expect(await send(options, { scope: 'a/write a/read' })).toMatchObject({ status: 200 })
    expect(await send(options, { scope: 'a/write' })).toEqual(insufficientScope('a/read a/write'))
  })

  it('are had with the membership in all groups only', async () => {
    const options = { groups: { all: ['admin', 'staff'] } }
    expect(await send(options, { 'cognito:groups': ['staff', 'admin'] })).toMatchObject({ status: 200 })
    expect(await send(options, { 'cognito:groups': ['admin'] })).toEqual(insufficientScope())
  })
})

describe('allowedOrigins', () => {
  it.each([
    'https://app.example.com',
    'http://127.0.0.1:3000',
    'capacitor://localhost',
    'chrome-extension://abc',
  ])('takes what a browser sends: %s', async (origin) => {
    const options = { tokenFrom: { cookie: 'token' }, allowedOrigins: [origin] }
    const api = await Api.start(Express5, poolOf(), { options })
    const headers = { Cookie: `token=${poolOf().minter.accessToken()}`, Origin: origin }
    expect(await api.call({ method: 'POST', headers })).toMatchObject({ status: 200 })
  })
})

describe('skip', () => {
  const start = (options: VerifyTokenOptions) => Api.start(Express5, poolOf(), { options })

  it('lets a request through without claims, whatever it carries', async () => {
    const api = await start({ skip: (request) => request.url === '/health' })
    const headers = { Authorization: 'Bearer x' }
    expect(replyOf(await api.call({ path: '/health', headers }))).toMatchObject({
      status: 200,
      body: { auth: null },
    })
    expect(replyOf(await api.call({ path: '/', headers }))).toEqual(INVALID_TOKEN)
  })

  it.each([undefined, null, 1, 'yes', Promise.resolve(true), Promise.resolve(false)])(
    'lets nothing through by what is neither true nor false: %j',
    async (answer) => {
      const api = await start({ skip: () => answer as never })
      expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toMatchObject({ status: 500 })
    },
  )

  it('lets nothing through by a promise, and leaves its rejection to nobody', async () => {
    const problems = watchForUnhandled()
    const api = await start({ skip: () => Promise.reject(new Error('no route')) as never })
    expect(await api.send()).toMatchObject({ status: 500 })
    expect(problems).toEqual([])
  })

  it('lets nothing through by throwing', async () => {
    const api = await start({
      skip: () => {
        throw new Error('no route')
      },
    })
    expect(await api.send()).toMatchObject({ status: 500, body: { handedOn: 'Error: no route' } })
  })
})

describe("a route's onRevocationUnavailable", () => {
  const down = storeThat(() => Promise.reject(new Error('down')))
  const send = async (route: 'accept' | 'reject', verifier: 'accept' | 'reject') => {
    const api = await Api.start(Express5, poolOf(), {
      store: down,
      options: { onRevocationUnavailable: route },
      verifier: { onRevocationUnavailable: verifier },
    })
    return api.send(`Bearer ${poolOf().minter.accessToken()}`)
  }

  it('lets a token through where the verifier would not', async () => {
    expect(await send('accept', 'reject')).toMatchObject({ status: 200 })
  })

  it('refuses it where the verifier would let it through', async () => {
    expect(await send('reject', 'accept')).toEqual(UNAVAILABLE)
  })
})

describe('extractToken', () => {
  const start = (options: VerifyTokenOptions) => Api.start(Express5, poolOf(), { options })

  it('takes the token from where it finds it, such as a cookie', async () => {
    const api = await start({ extractToken: fromCookie })
    const headers = { Cookie: `theme=dark; token=${poolOf().minter.accessToken()}` }
    expect(await api.call({ headers })).toMatchObject({ status: 200 })
  })

  it('refuses a bad token from there as any other', async () => {
    const api = await start({ extractToken: () => 'token' })
    expect(await api.send()).toEqual(INVALID_TOKEN)
  })

  it('refuses a revoked token from there as any other', async () => {
    const token = poolOf().minter.accessToken()
    const api = await start({ extractToken: () => token })
    await api.revoker.revokeSession(await api.verifier.verify(token))
    expect(await api.send()).toEqual(INVALID_TOKEN)
  })

  it('leaves the Authorization header out of account', async () => {
    const api = await start({ extractToken: fromCookie })
    expect(await api.send(`Bearer ${poolOf().minter.accessToken()}`)).toEqual(NO_TOKEN)
  })

  it.each([undefined, ''])('says that there is no token by %j', async (token) => {
    const api = await start({ extractToken: () => token })
    expect(await api.send()).toEqual(NO_TOKEN)
  })

  it.each([undefined, ''])(
    'lets nobody in as somebody by %j under optional authentication',
    async (token) => {
      const api = await start({ extractToken: () => token, optional: true })
      expect(await api.send()).toMatchObject({ status: 200, body: { auth: null } })
    },
  )

  it.each([[5], [true], [['token']], [{}]])(
    'lets nothing through by giving something else: %j',
    async (token) => {
      const api = await start({ extractToken: () => token as never, optional: true })
      expect(await api.send()).toEqual(INVALID_TOKEN)
    },
  )

  it.each([() => Promise.resolve('token'), () => Promise.reject(new Error('no session'))])(
    'hands an error on to the application for a promise, which it would not wait for: %s',
    async (extractToken) => {
      const problems = watchForUnhandled()
      const api = await start({ extractToken: extractToken as never, optional: true })
      expect(await api.send()).toMatchObject({
        status: 500,
        body: { handedOn: expect.stringContaining('promise') },
      })
      expect(problems).toEqual([])
    },
  )

  it('hands its error on to the application', async () => {
    const api = await start({
      extractToken: () => {
        throw new Error('the cookie is not signed')
      },
    })
    expect(await api.send()).toMatchObject({
      status: 500,
      body: { handedOn: 'Error: the cookie is not signed' },
    })
  })

  // Express takes next() and next('route') for "go on", not for an error.
  it.each([undefined, null, 0, '', 'route', 'router'])(
    'lets nothing through by throwing what is no error: %j',
    async (thrown) => {
      const api = await start({
        extractToken: () => {
          throw thrown
        },
      })
      expect(await api.send()).toMatchObject({ status: 500 })
    },
  )
})
