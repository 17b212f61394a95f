import { Agent, request } from 'node:http'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  InsufficientScopeError,
  ThrottledError,
  TokenRevokedError,
  type TokenVerifier,
} from '../../src/index.js'
import { call, callRaw } from '../support/http.js'
import type { Adapter } from './adapters/adapter.js'
import {
  Api,
  type ApiOptions,
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

/** What holds for requests in every framework, whatever they carry. */
export function testAnyRequests(adapter: Adapter): void {
  describe(`a request under ${adapter.name}`, () => {
    const start = (options: ApiOptions = {}) => Api.start(adapter, poolOf(), options)
    const serveWith = async (verify: () => Promise<never>) =>
      serve(await adapter.listener({ verify } as unknown as TokenVerifier))

    it('gets its own claims, however many come at once', async () => {
      const api = await start()
      const subs = Array.from({ length: 40 }, (_, index) => `user-${index}`)
      const answers = await Promise.all(
        subs.map((sub) => api.call({ headers: bearer(poolOf().minter.accessToken({ sub })) })),
      )
      expect(answers.map(({ text }) => JSON.parse(text).auth.sub)).toEqual(subs)
    })

    it('goes to the application with the error if the verifier itself is broken', async () => {
      const port = await serveWith(() => Promise.reject(new RangeError('a bug')))
      const reply = replyOf(await call(port, { headers: bearer() }))
      expect(reply).toMatchObject({ status: 500, body: { handedOn: 'RangeError: a bug' } })
      expect(reply.headers).not.toHaveProperty('www-authenticate')
    })

    it('goes to the application with the error if the verifier throws instead of rejecting', async () => {
      const port = await serveWith(() => {
        throw new RangeError('a bug')
      })
      const answer = await call(port, { headers: bearer() })
      expect(answer).toMatchObject({ status: 500, text: '{"handedOn":"RangeError: a bug"}' })
    })

    it.each([undefined, null, {}, 5, 'jane', Promise.resolve('jane')])(
      'is not let through by a verifier that gives no claims: %j',
      async (given) => {
        const port = await serve(
          await adapter.listener({ verify: async () => given, recall: () => given } as never),
        )
        expect(await call(port, { headers: bearer() })).toMatchObject({ status: 500 })
      },
    )

    it('is judged each time by a wrapper that asks for more than the verifier in it', async () => {
      const wrapper = new Proxy(createVerifier(poolOf()), {
        get(verifier, name) {
          const value = Reflect.get(verifier, name)
          if (name !== 'verify') return typeof value === 'function' ? value.bind(verifier) : value
          return async (token: string) => {
            await verifier.verify(token)
            throw new TokenRevokedError('blocked', 'user')
          }
        },
      })
      const port = await serve(await adapter.listener(wrapper))
      const headers = bearer()
      expect(replyOf(await call(port, { headers }))).toEqual(INVALID_TOKEN)
      expect(replyOf(await call(port, { headers }))).toEqual(INVALID_TOKEN)
    })

    it('goes to the application with the error of a wrapper that breaks the verifier', async () => {
      const port = await serve(await adapter.listener(new Proxy(createVerifier(poolOf()), {})))
      expect(await call(port, { headers: bearer() })).toMatchObject({ status: 500 })
    })

    it('is judged each time by a verifier that asks for more than the usual one', async () => {
      const verifier = createVerifier(poolOf())
      const usual = verifier.verify.bind(verifier)
      verifier.verify = async (token) => {
        await usual(token)
        throw new TokenRevokedError('blocked', 'user')
      }
      const port = await serve(await adapter.listener(verifier))
      const headers = bearer()
      expect(replyOf(await call(port, { headers }))).toEqual(INVALID_TOKEN)
      expect(replyOf(await call(port, { headers }))).toEqual(INVALID_TOKEN)
    })

    // Some frameworks take undefined, and Express 'route', for "go on", not for an error.
    it.each([undefined, null, 0, '', 'route', 'router'])(
      'is not let through by a verifier that rejects with no error: %j',
      async (thrown) => {
        const port = await serveWith(() => Promise.reject(thrown))
        expect(await call(port, { headers: bearer() })).toMatchObject({ status: 500 })
      },
    )

    it('can follow a refused one on the same connection', async () => {
      const api = await start()
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      const sockets = vi.spyOn(agent, 'createConnection' as never)
      const statuses = []
      for (const headers of [bearer('token'), {}, bearer(), bearer('token'), bearer()]) {
        statuses.push((await api.call({ headers, agent })).status)
      }
      expect(statuses).toEqual([401, 401, 200, 401, 200])
      expect(sockets).toHaveBeenCalledTimes(1)
    })

    it('is answered without a body if it is a HEAD', async () => {
      const api = await start()
      const reply = replyOf(await api.call({ method: 'HEAD', headers: bearer('token') }))
      expect(reply).toEqual({ ...INVALID_TOKEN, body: undefined })
    })

    it('is answered in HTTP/1.0, too', async () => {
      const api = await start()
      expect(replyOf(await callRaw(api.port, [], '1.0'))).toEqual(NO_TOKEN)
    })

    it('is refused with the headers that were set before, so that a browser may read the answer', async () => {
      const listener = await adapter.listener(createVerifier(poolOf()))
      const port = await serve((incoming, response) => {
        response.setHeader('Access-Control-Allow-Origin', 'https://app.example.com')
        listener(incoming, response)
      })
      const { status, headers } = await call(port)
      expect(status).toBe(401)
      expect(headers['access-control-allow-origin']).toBe('https://app.example.com')
    })

    it.each([
      ['good', undefined],
      ['revoked', REVOKED],
    ])('may go away while its token is being checked, which turns out %s', async (_, match) => {
      const patient = new PatientStore()
      const api = await start({ store: patient.store, verifier: { revocationTimeoutMs: 60_000 } })
      const problems = watchForUnhandled()
      const sent = request({ host: '127.0.0.1', port: api.port, agent: false, headers: bearer() }).end()
      sent.on('error', () => {})
      await patient.asked
      sent.destroy()
      patient.answer(match)
      const { status } = await api.call({ headers: bearer() })
      expect(status).toBe(match === undefined ? 200 : 401)
      expect(problems).toEqual([])
    })

    describe("with the verifier's customJwtCheck", () => {
      const startWith = (thrown: unknown) =>
        start({
          verifier: {
            customJwtCheck: () => {
              throw thrown
            },
          },
        })
      const send = async (thrown: unknown) => (await startWith(thrown)).send(bearer().Authorization)

      it('is refused in the same words as any other', async () => {
        expect(await send(new Error('The tenant is suspended'))).toEqual(INVALID_TOKEN)
      })

      it('can be asked for a scope', async () => {
        const reply = await send(new InsufficientScopeError('Payment is needed', ['orders/pay']))
        expect(reply).toEqual(insufficientScope('orders/pay'))
      })

      it.each(['a\r\nSet-Cookie: b=c', '…', '\0'])(
        'cannot be answered with a scope that no header can hold: %j',
        async (scope) => {
          const reply = await send(new InsufficientScopeError('', [scope]))
          expect(reply).toMatchObject({ status: 403 })
          expect(reply.headers).not.toHaveProperty('set-cookie')
        },
      )

      it('is handed on to the application if the error is about no token', async () => {
        const reply = await send(new ThrottledError('slower'))
        expect(reply).toMatchObject({ status: 500, body: { handedOn: 'ThrottledError: slower' } })
      })
    })
  })

  function bearer(token = poolOf().minter.accessToken()): { Authorization: string } {
    return { Authorization: `Bearer ${token}` }
  }
}
