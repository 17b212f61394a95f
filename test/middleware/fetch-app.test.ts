import { describe, expect, it } from 'vitest'
import type { TokenVerifier } from '../../src/index.js'
import { verifyToken, withToken } from '../../src/middleware/fetch/index.js'
import { createVerifier, INVALID_REQUEST, INVALID_TOKEN, NO_TOKEN, usePool } from './harness.js'

const poolOf = usePool()
const url = 'https://api.example.com/orders'

function bearer(token = poolOf().minter.accessToken()): [string, string] {
  return ['Authorization', `Bearer ${token}`]
}

function withBearer(init: RequestInit = {}): Request {
  return new Request(url, { ...init, headers: [bearer()] })
}

async function replyOf(response: Response | undefined) {
  if (response === undefined) return undefined
  const { status, headers } = response
  return { status, headers: Object.fromEntries(headers), body: await response.json() }
}

describe('verifyToken for a fetch request', () => {
  it('gives claims that nobody can change, and no response', async () => {
    const { claims, response } = await verifyToken(createVerifier(poolOf()))(withBearer())
    expect(claims).toMatchObject({ token_use: 'access', client_id: poolOf().minter.clientId })
    expect(Object.isFrozen(claims)).toBe(true)
    expect(response).toBeUndefined()
  })

  it('gives the response to a request that is refused, and no claims', async () => {
    const authenticate = verifyToken(createVerifier(poolOf()))
    for (const [headers, expected] of [
      [[], NO_TOKEN],
      [[bearer('x')], INVALID_TOKEN],
      [[bearer(), bearer()], INVALID_REQUEST],
      [[bearer(), bearer('x')], INVALID_REQUEST],
    ] as const) {
      const { claims, response } = await authenticate(new Request(url, { headers: [...headers] }))
      expect(claims).toBeUndefined()
      expect(await replyOf(response)).toEqual(expected)
    }
  })

  it('gives neither to a request without a token where it is optional', async () => {
    const authenticate = verifyToken(createVerifier(poolOf()), { optional: true })
    expect(await authenticate(new Request(url))).toEqual({ claims: undefined })
  })

  it('gives a response that headers can be added to', async () => {
    const { response } = await verifyToken(createVerifier(poolOf()))(new Request(url))
    response?.headers.set('Access-Control-Allow-Origin', 'https://app.example.com')
    expect(response?.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example.com')
  })

  it('leaves the body unread', async () => {
    const request = withBearer({ method: 'POST', body: 'two books' })
    await verifyToken(createVerifier(poolOf()))(request)
    expect(await request.text()).toBe('two books')
  })

  it('gives extractToken and skip the request', async () => {
    const token = poolOf().minter.accessToken()
    const authenticate = verifyToken(createVerifier(poolOf()), {
      extractToken: (request) => request.headers.get('X-Token'),
      skip: (request) => new URL(request.url).pathname === '/health',
    })
    expect(await authenticate(new Request(url, { headers: { 'X-Token': token } }))).toMatchObject({
      claims: { token_use: 'access' },
    })
    expect(await authenticate(new Request('https://api.example.com/health'))).toEqual({ claims: undefined })
  })

  it.each([new Error('not signed'), undefined, 'route'])(
    'rejects with what extractToken throws: %s',
    async (thrown) => {
      const authenticate = verifyToken(createVerifier(poolOf()), {
        optional: true,
        extractToken: () => {
          throw thrown
        },
      })
      await expect(authenticate(new Request(url))).rejects.toBe(thrown)
    },
  )

  it('refuses an option with a TypeError that names it', () => {
    const verifier = createVerifier(poolOf())
    expect(() => verifyToken(verifier, { scopes: 'x' } as never)).toThrow(/^verifyToken: unknown option/)
    expect(() => verifyToken(undefined as never)).toThrow(/^verifyToken: the first argument/)
  })
})

describe('a fetch handler withToken', () => {
  it('is given the request, the claims and what the runtime gives besides', async () => {
    const handle = withToken(
      createVerifier(poolOf()),
      (request, claims, context: { id: string }, more: number) =>
        Response.json([request.url, claims.token_use, context.id, more]),
    )
    const response = await handle(withBearer(), { id: 'order-1' }, 5)
    expect(await response.json()).toEqual([url, 'access', 'order-1', 5])
  })

  it('is not called for a request that is refused', async () => {
    let calls = 0
    const handle = withToken(createVerifier(poolOf()), () => {
      calls += 1
      return new Response()
    })
    expect(await replyOf(await handle(new Request(url)))).toEqual(NO_TOKEN)
    expect(calls).toBe(0)
  })

  it('is called without claims where they are optional', async () => {
    const options = { optional: true }
    const handle = withToken(
      createVerifier(poolOf()),
      (_, claims) => Response.json(claims?.sub ?? null),
      options,
    )
    expect(await (await handle(new Request(url))).json()).toBeNull()
    expect((await handle(new Request(url, { headers: [bearer('x')] }))).status).toBe(401)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('out of stock')
      },
    ],
    ['rejects', () => Promise.reject(new Error('out of stock'))],
  ])('is not answered for when it %s', async (_, handler: () => Promise<Response>) => {
    const handle = withToken(createVerifier(poolOf()), handler)
    await expect(handle(withBearer())).rejects.toThrow('out of stock')
  })

  it('is not called where the verifier is broken', async () => {
    const broken = { verify: () => Promise.reject(new RangeError('a bug')) } as unknown as TokenVerifier
    const handle = withToken(broken, () => new Response('in'))
    await expect(handle(withBearer())).rejects.toThrow(RangeError)
  })

  it('is refused if it is none, as are wrong options, by a TypeError', () => {
    const verifier = createVerifier(poolOf())
    expect(() => withToken(verifier, {} as never)).toThrow(/^withToken: the second argument/)
    expect(() => withToken(verifier, () => new Response(), { scopes: 'x' } as never)).toThrow(
      /^withToken: unknown option "scopes"/,
    )
  })
})
