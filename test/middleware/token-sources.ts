import { describe, expect, it } from 'vitest'
import type { TokenSource } from '../../src/middleware/token-source.js'
import type { Adapter, CommonOptions } from './adapters/adapter.js'
import { Api, INVALID_REQUEST, INVALID_TOKEN, NO_TOKEN, type Reply, replyOf, usePool } from './harness.js'

const poolOf = usePool()

const CROSS_ORIGIN: Reply = {
  status: 403,
  headers: { 'cache-control': 'no-store', 'content-type': 'application/problem+json' },
  body: {
    title: 'Forbidden',
    status: 403,
    detail: 'A request with a cookie must come from the same origin',
  },
}

/** Header lines, name and value in turn, given a good token. */
type Lines = (token: string) => readonly string[]

/** Where else than in the Authorization header a token may be, which is the same in every framework. */
export function testTokenSources(adapter: Adapter): void {
  describe(`tokenFrom under ${adapter.name}`, () => {
    /** The answer to a request with these header lines. */
    async function send(options: CommonOptions, lines: Lines, method = 'GET'): Promise<Reply> {
      const api = await Api.start(adapter, poolOf(), { options })
      const headers = ['Host', '127.0.0.1', ...lines(poolOf().minter.accessToken())]
      return replyOf(await api.call({ method, headers }))
    }

    const sources: readonly (readonly [string, TokenSource, Lines])[] = [
      ['a cookie', { cookie: '__Host-token' }, (token) => ['Cookie', `theme=dark; __Host-token=${token}`]],
      ['a cookie in quotes', { cookie: 'token' }, (token) => ['Cookie', `token="${token}"`]],
      [
        'a header of its own',
        { header: 'X-Amzn-Oidc-Accesstoken' },
        (token) => ['x-amzn-oidc-accesstoken', token],
      ],
      [
        'a WebSocket subprotocol',
        { webSocketProtocol: 'bearer.' },
        (token) => ['Sec-WebSocket-Protocol', `chat, bearer.${token}`],
      ],
    ]

    it.each(sources)('finds the token in %s', async (_, tokenFrom, lines) => {
      expect(await send({ tokenFrom }, lines)).toMatchObject({
        status: 200,
        body: { auth: { token_use: 'access' } },
      })
    })

    it.each(sources)(
      'refuses a bad token in %s, also where authentication is optional',
      async (_, tokenFrom, lines) => {
        expect(await send({ tokenFrom, optional: true }, (token) => lines(`${token}x`))).toEqual(
          INVALID_TOKEN,
        )
      },
    )

    it.each(sources)('does not look into %s where it was not told to', async (_, _source, lines) => {
      expect(await send({}, lines)).toEqual(NO_TOKEN)
    })

    it.each(sources)('does not look into the Authorization header besides %s', async (_, tokenFrom) => {
      expect(await send({ tokenFrom }, (token) => ['Authorization', `Bearer ${token}`])).toEqual(NO_TOKEN)
    })

    const twice: readonly (readonly [string, TokenSource | readonly TokenSource[], Lines])[] = [
      ['two cookies', { cookie: 'token' }, (token) => ['Cookie', `token=${token}; token=x`]],
      [
        'a good cookie behind a bad one',
        { cookie: 'token' },
        (token) => ['Cookie', `token=x; token=${token}`],
      ],
      [
        'an empty cookie and a good one',
        { cookie: 'token' },
        (token) => ['Cookie', `token=; token=${token}`],
      ],
      [
        'two subprotocols',
        { webSocketProtocol: 'bearer.' },
        (token) => ['Sec-WebSocket-Protocol', `bearer.${token}, bearer.x`],
      ],
      [
        'a header and a cookie, where both may have it',
        ['authorization', { cookie: 'token' }],
        (token) => ['Authorization', `Bearer ${token}`, 'Cookie', `token=${token}`],
      ],
      [
        'a header that is malformed and a good cookie',
        ['authorization', { cookie: 'token' }],
        (token) => ['Authorization', 'Bearer', 'Cookie', `token=${token}`],
      ],
    ]

    it.each(twice)('refuses a request with %s', async (_, tokenFrom, lines) => {
      expect(await send({ tokenFrom }, lines)).toEqual(INVALID_REQUEST)
    })

    it('lets no request through with two lines of a header of its own', async () => {
      const lines: Lines = (token) => ['x-token', token, 'x-token', token]
      expect((await send({ tokenFrom: { header: 'x-token' }, optional: true }, lines)).status).toBeOneOf([
        400, 401,
      ])
    })

    it('lets no request through with two lines of cookies', async () => {
      const lines: Lines = (token) => ['Cookie', `token=${token}`, 'Cookie', `token=${token}`]
      expect((await send({ tokenFrom: { cookie: 'token' }, optional: true }, lines)).status).toBeOneOf([
        400, 401,
      ])
    })

    it('takes either of two sources', async () => {
      const tokenFrom = ['authorization', { cookie: 'token' }] as const
      expect(await send({ tokenFrom }, (token) => ['Authorization', `Bearer ${token}`])).toMatchObject({
        status: 200,
      })
      expect(await send({ tokenFrom }, (token) => ['Cookie', `token=${token}`])).toMatchObject({
        status: 200,
      })
      expect(await send({ tokenFrom }, () => [])).toEqual(NO_TOKEN)
    })

    describe('a cookie, in a request that may change something,', () => {
      const allowedOrigins = ['https://app.example.com']
      const post = (...more: readonly string[]) =>
        send(
          { tokenFrom: { cookie: 'token' }, allowedOrigins },
          (token) => ['Cookie', `token=${token}`, ...more],
          'POST',
        )

      it.each([
        [['Sec-Fetch-Site', 'same-origin']],
        [['Origin', 'https://app.example.com']],
        [['Sec-Fetch-Site', 'same-site', 'Origin', 'https://app.example.com']],
      ])('counts when it comes from the same origin or one that is allowed: %j', async (lines) => {
        expect(await post(...lines)).toMatchObject({ status: 200, body: { auth: { token_use: 'access' } } })
      })

      it.each([
        [[]],
        [['Sec-Fetch-Site', 'cross-site']],
        [['Sec-Fetch-Site', 'same-site']],
        [['Sec-Fetch-Site', 'none']],
        [['Sec-Fetch-Site', 'Same-Origin']],
        [['Sec-Fetch-Site', 'same-origin', 'Sec-Fetch-Site', 'cross-site']],
        [['Origin', 'null']],
        [['Origin', 'https://evil.example']],
        [['Origin', 'https://app.example.com.evil.example']],
        [['Origin', 'http://app.example.com']],
        [['Origin', 'https://app.example.com', 'Origin', 'https://evil.example']],
        [['Referer', 'https://app.example.com/']],
      ])('is refused otherwise: %j', async (lines) => {
        expect(await post(...lines)).toEqual(CROSS_ORIGIN)
      })

      it('is told nothing about its token by that refusal', async () => {
        const options = { tokenFrom: { cookie: 'token' } }
        expect(await send(options, () => ['Cookie', 'token=x'], 'DELETE')).toEqual(CROSS_ORIGIN)
      })
    })

    it('refuses a cookie from elsewhere where it would open a WebSocket', async () => {
      const lines: Lines = (token) => [
        'Cookie',
        `token=${token}`,
        'Upgrade',
        'websocket',
        'Origin',
        'https://a.example',
      ]
      expect(await send({ tokenFrom: { cookie: 'token' } }, lines)).toEqual(CROSS_ORIGIN)
    })

    it('asks nothing of the origin where the token is in a header', async () => {
      const lines: Lines = (token) => ['Authorization', `Bearer ${token}`, 'Sec-Fetch-Site', 'cross-site']
      expect(await send({}, lines, 'POST')).toMatchObject({ status: 200 })
    })
  })
}
