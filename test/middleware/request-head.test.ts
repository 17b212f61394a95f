import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bearerToken } from '../../src/middleware/bearer.js'
import { fetchHeadOf, trimSpaces } from '../../src/middleware/request-head.js'
import { type TokenSource, tokenFinder } from '../../src/middleware/token-source.js'

const GOOD = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl'

/** Lines that a client may send besides, above all such as look like what is looked for. */
const piece = fc.constantFrom(
  ...[
    '',
    ' ',
    ',',
    ';',
    '"',
    '=',
    '\t',
    'Bearer',
    'bearer ',
    'Basic eDp5',
    'token',
    'token=',
    'x',
    'ä',
    GOOD,
  ],
)
const otherLine = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))

/** A request of these lines, by Node's own Headers, which join cookies by semicolons. */
function requestOf(name: string, values: readonly string[]): Request {
  return new Request('http://127.0.0.1/', { headers: values.map((value): [string, string] => [name, value]) })
}

/** The same as other runtimes have it, which join cookies, too, by commas: Deno's Headers, and Workers. */
function requestJoinedByCommas(name: string, values: readonly string[]): Request {
  return requestOf(name, [values.map((value) => value.trim()).join(', ')])
}

describe.each([
  ["Node's Headers", requestOf],
  ['Headers that join by commas only', requestJoinedByCommas],
])('the head of a fetch request, with %s', (_, toRequest) => {
  it('never has a token of two Authorization lines of which one has a good token', () => {
    fc.assert(
      fc.property(fc.array(otherLine), otherLine, fc.array(otherLine), (before, other, after) => {
        const good = `Bearer ${GOOD}`
        for (const lines of [
          [...before, other, good, ...after],
          [...before, good, other, ...after],
        ]) {
          expect(bearerToken(fetchHeadOf(toRequest('Authorization', lines))).kind).toBe('malformed')
        }
      }),
    )
  })

  it('never has a token of two cookies of its name', () => {
    const find = tokenFinder('test', { cookie: 'token' }, [])
    const another = otherLine.filter((text) => !text.includes('token='))
    const line = fc.array(another, { maxLength: 3 })
    fc.assert(
      fc.property(line, line, line, fc.boolean(), (before, between, after, inOneLine) => {
        const first = [...before, `token=${GOOD}`, ...between].join('; ')
        const second = [...between, `token=${GOOD}`, ...after].join('; ')
        const lines = inOneLine ? [`${first}; ${second}`] : [first, second]
        expect(find(fetchHeadOf(toRequest('Cookie', lines))).kind).toBe('malformed')
      }),
    )
  })

  it('parts the lines of every other header', () => {
    const head = fetchHeadOf(toRequest('Origin', ['https://a.example', 'https://b.example', '']))
    expect(head.values('origin')).toEqual(['https://a.example', 'https://b.example', ''])
  })

  it('has no line of a header that is not there', () => {
    expect(fetchHeadOf(toRequest('Origin', ['null'])).values('cookie')).toEqual([])
  })
})

describe('a character that only Unicode takes for a space', () => {
  const find = (source: TokenSource, name: string, value: string) =>
    tokenFinder('test', source, [])({ method: 'GET', values: (asked) => (asked === name ? [value] : []) })

  it.each(['\xa0', '\v', '\f', '\ufeff'])('is part of the name: %j', (space) => {
    const ofProtocol = { webSocketProtocol: 'bearer.' }
    expect(find({ cookie: 'token' }, 'cookie', `a=b; ${space}token=${GOOD}`)).toEqual({ kind: 'none' })
    expect(find(ofProtocol, 'sec-websocket-protocol', `chat, ${space}bearer.${GOOD}`)).toEqual({
      kind: 'none',
    })
    expect(trimSpaces(` \t${space} \t`)).toBe(space)
  })

  it('is not a space or a tab: those are around it', () => {
    const found = { kind: 'token', token: GOOD }
    expect(find({ cookie: 'token' }, 'cookie', `a=b;\t token=${GOOD} \t; c=d`)).toEqual(found)
    expect(trimSpaces(' \t ')).toBe('')
  })
})
