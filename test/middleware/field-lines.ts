import { describe, expect, it } from 'vitest'
import type { Adapter, CommonOptions } from './adapters/adapter.js'
import { Api, INVALID_REQUEST, type Reply, replyOf, usePool } from './harness.js'

type Lines = readonly (readonly [name: string, value: string])[]
/** Field lines of a request with a good token. */
type Row = readonly [name: string, lines: (token: string) => Lines]

const twoCookies: readonly Row[] = [
  ['in two lines', (token) => lines('Cookie', 'token=x', `token=${token}`)],
  ['in two lines, the good one first', (token) => lines('Cookie', `token=${token}`, 'token=x')],
  ['in two lines, and the same', (token) => lines('Cookie', `token=${token}`, `token=${token}`)],
  ['in two lines behind others', (token) => lines('Cookie', 'a=b; token=x', `c=d; token=${token}`)],
  ['in one line', (token) => lines('Cookie', `token=x; token=${token}`)],
  ['in lines joined by a comma', (token) => lines('Cookie', `token=x, token=${token}`)],
  ['in lines joined by a comma, the good one first', (token) => lines('Cookie', `token=${token}, token=x`)],
  [
    'in lines joined by a comma behind others',
    (token) => lines('Cookie', `a=b, token=x; token=${token}`, 'c=d'),
  ],
  ["or one that is part of another's value", (token) => lines('Cookie', `search=a, token=${token}`)],
]

const oneCookie: readonly Row[] = [
  ['in a line of its own', (token) => lines('Cookie', 'a=b', `token=${token}`, 'c=d')],
  ['behind a value with commas', (token) => lines('Cookie', `a=b,c, mytoken=d; token=${token}`)],
]

const unclearOrigins: readonly (readonly [string, Lines])[] = [
  ['Sec-Fetch-Site twice, first the same', lines('Sec-Fetch-Site', 'same-origin', 'cross-site')],
  ['Sec-Fetch-Site twice, then the same', lines('Sec-Fetch-Site', 'cross-site', 'same-origin')],
  ['Sec-Fetch-Site twice, both the same', lines('Sec-Fetch-Site', 'same-origin', 'same-origin')],
  ['an empty Sec-Fetch-Site before it', lines('Sec-Fetch-Site', '', 'same-origin')],
  ['Origin twice, first an allowed one', lines('Origin', 'https://app.example.com', 'https://evil.example')],
  ['Origin twice, then an allowed one', lines('Origin', 'https://evil.example', 'https://app.example.com')],
  [
    'an allowed Origin, and Sec-Fetch-Site twice',
    [...lines('Origin', 'https://app.example.com'), ...lines('Sec-Fetch-Site', 'same-origin', 'cross-site')],
  ],
  [
    'the same Sec-Fetch-Site, and Origin twice',
    [...lines('Sec-Fetch-Site', 'same-origin'), ...lines('Origin', 'https://app.example.com', 'null')],
  ],
]

const clearOrigins: readonly (readonly [string, Lines])[] = [
  ['the same Sec-Fetch-Site', lines('Sec-Fetch-Site', 'same-origin')],
  ['an allowed Origin', lines('Origin', 'https://app.example.com')],
]

const poolOf = usePool()

/** That no two field lines of one name are taken for one, wherever they were joined, and however. */
export function testFieldLines(adapter: Adapter): void {
  describe(`field lines under ${adapter.name}`, () => {
    const send = async (options: CommonOptions, method: string, toLines: Row[1]): Promise<Reply> => {
      const api = await Api.start(adapter, poolOf(), { options })
      const headers = [['Host', '127.0.0.1'], ...toLines(poolOf().minter.accessToken())].flat()
      return replyOf(await api.call({ method, headers }))
    }
    const fromCookie: CommonOptions = {
      tokenFrom: { cookie: 'token' },
      allowedOrigins: ['https://app.example.com'],
    }

    it.each(twoCookies)('are refused with two cookies: %s', async (_, toLines) => {
      expect(await send(fromCookie, 'GET', toLines)).toEqual(INVALID_REQUEST)
    })

    it.each(oneCookie)('are let through with one cookie: %s', async (_, toLines) => {
      expect(await send(fromCookie, 'GET', toLines)).toMatchObject({ status: 200 })
    })

    it.each(unclearOrigins)('are no same origin: %s', async (_, origin) => {
      const reply = await send(fromCookie, 'POST', (token) => [
        ...origin,
        ...lines('Cookie', `token=${token}`),
      ])
      expect(reply).toMatchObject({ status: 403 })
    })

    it.each(clearOrigins)('are a good origin: %s', async (_, origin) => {
      const reply = await send(fromCookie, 'POST', (token) => [
        ...origin,
        ...lines('Cookie', `token=${token}`),
      ])
      expect(reply).toMatchObject({ status: 200 })
    })

    it.each(['', 'x'])('are refused with two of a header that holds the token: %j', async (other) => {
      for (const optional of [false, true]) {
        const options: CommonOptions = { tokenFrom: { header: 'X-Token' }, optional }
        const reply = await send(options, 'GET', (token) => lines('X-Token', other, token))
        expect(reply).toEqual(INVALID_REQUEST)
      }
    })

    it('are refused with two subprotocols that hold a token', async () => {
      const options: CommonOptions = { tokenFrom: { webSocketProtocol: 'bearer.' } }
      const reply = await send(options, 'GET', (token) =>
        lines('Sec-WebSocket-Protocol', 'chat, bearer.x', `bearer.${token}`),
      )
      expect(reply).toEqual(INVALID_REQUEST)
    })
  })
}

function lines(name: string, ...values: readonly string[]): Lines {
  return values.map((value) => [name, value])
}
