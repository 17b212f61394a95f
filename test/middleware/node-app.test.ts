import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { TokenVerifier } from '../../src/index.js'
import {
  type Listener,
  type Middleware,
  type RequestWithAuth,
  verifyToken,
  withToken,
} from '../../src/middleware/node/index.js'
import { call } from '../support/http.js'
import { http2StatusOf } from '../support/http2.js'
import {
  createVerifier,
  INVALID_REQUEST,
  INVALID_TOKEN,
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

describe('verifyToken for node:http', () => {
  it('puts claims that nobody can change on the request, and goes on once', async () => {
    const middleware = verifyToken(createVerifier(poolOf()))
    const seen: unknown[] = []
    const port = await serve((request: RequestWithAuth, response) =>
      middleware(request, response, (error) => {
        seen.push(error, request.auth?.token_use, Object.isFrozen(request.auth))
        response.end()
      }),
    )
    await call(port, { headers: bearer() })
    expect(seen).toEqual([undefined, 'access', true])
  })

  it('goes on to nobody when it refuses', async () => {
    const middleware = verifyToken(createVerifier(poolOf()))
    let calls = 0
    const port = await serve((request, response) =>
      middleware(request, response, () => {
        calls += 1
      }),
    )
    expect(replyOf(await call(port, { headers: bearer('x') }))).toEqual(INVALID_TOKEN)
    expect(calls).toBe(0)
  })
})

describe('a handler of node:http withToken', () => {
  it('is given the request, the response and the claims', async () => {
    const handle = withToken(createVerifier(poolOf()), (request, response, claims) => {
      response.end(JSON.stringify([request.url, claims.token_use]))
    })
    const port = await serve(handle)
    expect((await call(port, { path: '/me', headers: bearer() })).text).toBe('["/me","access"]')
  })

  it('is not called for a request that is refused', async () => {
    let calls = 0
    const port = await serve(
      withToken(createVerifier(poolOf()), (_, response) => {
        calls += 1
        response.end('in')
      }),
    )
    const twice = ['Host', 'x', ...Object.entries(bearer()).flat(), 'Authorization', 'Bearer x']
    expect(replyOf(await call(port))).toEqual(NO_TOKEN)
    expect(replyOf(await call(port, { headers: bearer('x') }))).toEqual(INVALID_TOKEN)
    expect(replyOf(await call(port, { headers: twice }))).toEqual(INVALID_REQUEST)
    expect(calls).toBe(0)
  })

  it('is called without claims where they are optional, or skipped', async () => {
    const handle = withToken(
      createVerifier(poolOf()),
      (_, response, claims) => response.end(String(claims?.token_use)),
      { optional: true, skip: ({ url }) => url === '/health' },
    )
    const port = await serve(handle)
    expect(await call(port)).toMatchObject({ text: 'undefined' })
    expect(await call(port, { path: '/health', headers: bearer('x') })).toMatchObject({ text: 'undefined' })
    expect(await call(port, { headers: bearer() })).toMatchObject({ text: 'access' })
    expect(await call(port, { headers: bearer('x') })).toMatchObject({ status: 401 })
  })

  /** Serves a handler, and keeps what it rejects with. */
  async function startWatched(handle: Listener) {
    const errors: unknown[] = []
    const port = await serve((request, response) => {
      handle(request, response).catch((error) => {
        errors.push(error)
        response.writeHead(500).end()
      })
    })
    return { port, errors }
  }

  it.each([
    [
      'throws',
      () => {
        throw new Error('out of stock')
      },
    ],
    ['rejects', () => Promise.reject(new Error('out of stock'))],
  ])('is not answered for when it %s', async (_, handler) => {
    const { port, errors } = await startWatched(withToken(createVerifier(poolOf()), handler))
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 500, text: '' })
    expect(errors).toEqual([new Error('out of stock')])
  })

  it('is not called where the verifier is broken, or a function of the options', async () => {
    const broken = { verify: () => Promise.reject(new RangeError('a bug')) } as unknown as TokenVerifier
    const extractToken = () => {
      throw new RangeError('a bug')
    }
    for (const handle of [
      withToken(broken, (_, response) => response.end('in')),
      withToken(createVerifier(poolOf()), (_, response) => response.end('in'), {
        extractToken,
        optional: true,
      }),
    ]) {
      const { port, errors } = await startWatched(handle)
      expect(await call(port, { headers: bearer() })).toMatchObject({ status: 500, text: '' })
      expect(errors).toEqual([new RangeError('a bug')])
    }
  })

  it('may have been answered for already, by a time limit for example, when the token is refused', async () => {
    const patient = new PatientStore()
    const verifier = createVerifier(poolOf(), { revocation: patient.store, revocationTimeoutMs: 60_000 })
    const problems = watchForUnhandled()
    const handle = withToken(verifier, (_, response) => response.end('in'))
    const port = await serve((request, response) => {
      void handle(request, response)
      void patient.asked.then(() => {
        response.writeHead(504).end('too late')
        patient.answer(REVOKED)
      })
    })
    expect(await call(port, { headers: bearer() })).toMatchObject({ status: 504, text: 'too late' })
    await nextTurn()
    await nextTurn()
    expect(problems).toEqual([])
  })

  it('is refused if it is none, as are wrong options, by a TypeError', () => {
    const verifier = createVerifier(poolOf())
    expect(() => withToken(verifier, {} as never)).toThrow(/^withToken: the second argument/)
    expect(() => withToken(verifier, () => {}, { scopes: 'x' } as never)).toThrow(
      /^withToken: unknown option "scopes"/,
    )
  })
})

describe("a request of Node's HTTP/2 compatibility API", () => {
  const listeners = {
    verifyToken: () => {
      const middleware: Middleware<Http2ServerRequest, Http2ServerResponse> = verifyToken(
        createVerifier(poolOf()),
      )
      return (request, response) => middleware(request, response, () => response.end())
    },
    withToken: () => withToken(createVerifier(poolOf()), (_, response) => response.end()),
  } satisfies Record<string, () => Parameters<typeof http2StatusOf>[0]>

  describe.each(Object.entries(listeners))('under %s', (_, createListener) => {
    const statusOf = (...values: readonly string[]) =>
      http2StatusOf(
        createListener(),
        values.map((value) => ['authorization', value]),
      )

    it('is let through with a good token', async () => {
      expect(await statusOf(bearer().Authorization)).toBe(200)
    })

    it('is refused with a bad token', async () => {
      expect(await statusOf('Bearer token')).toBe(401)
    })

    it('is refused with two authorization fields, of which Node shows one', async () => {
      expect(await statusOf(bearer().Authorization, 'Bearer token')).toBe(400)
    })
  })
})
