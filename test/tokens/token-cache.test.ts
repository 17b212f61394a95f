import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { TokenCache } from '../../src/tokens/token-cache.js'

const TAIL = 't'.repeat(43)
const entry = (token: string) => ({ token })

describe('TokenCache', () => {
  it('gives back what was put in', () => {
    const cache = new TokenCache(2)
    const one = entry(`one${TAIL}`)
    cache.set(one)
    expect(cache.get(`one${TAIL}`)).toBe(one)
  })

  it('compares the whole token: the same end is not enough', () => {
    const cache = new TokenCache(2)
    cache.set(entry(`header.payload.${TAIL}`))
    expect(cache.get(`header.other-payload.${TAIL}`)).toBeUndefined()
    expect(cache.get(TAIL)).toBeUndefined()
    expect(cache.get(`header.payload.${TAIL.slice(1)}u`)).toBeUndefined()
  })

  it('holds as many as it may, and forgets the one that was asked for least lately', () => {
    const cache = new TokenCache(2)
    const tokens = ['a', 'b', 'c'].map((letter) => letter.repeat(60))
    for (const token of tokens.slice(0, 2)) cache.set(entry(token))
    cache.get(tokens[0] ?? '')
    cache.set(entry(tokens[2] ?? ''))
    expect(tokens.map((token) => cache.get(token) !== undefined)).toEqual([true, false, true])
  })

  it('forgets what it is told to', () => {
    const cache = new TokenCache(2)
    const one = entry(`one${TAIL}`)
    cache.set(one)
    cache.delete(one)
    expect(cache.get(one.token)).toBeUndefined()
  })

  it('keeps nothing where it may hold none', () => {
    const cache = new TokenCache(0)
    cache.set(entry(`one${TAIL}`))
    expect(cache.get(`one${TAIL}`)).toBeUndefined()
  })
})

describe('Tokens that end alike in a TokenCache', () => {
  const signature = `${'s'.repeat(299)}${TAIL}`

  it.each<[string, string, string]>([
    ['the whole signature', `h.one.${signature}`, `h.two.${signature}`],
    ['the whole signature and the payload', `h.p.${signature}`, `g.p.${signature}`],
    ['the last 43 characters', `h.p.${'a'.repeat(299)}${TAIL}`, `h.p.${'b'.repeat(299)}${TAIL}`],
    ['all but the first character', `h.p.${signature}`, `H.p.${signature}`],
    ['all of the shorter one', `h.p.${signature}`, `hh.p.${signature}`],
    ['all but the last character', `h.p.${signature}`, `h.p.${signature.slice(0, -1)}u`],
    ['all but a character of two bytes', `h.p.${signature}`, `h.p.${signature.replace('s', '\u0173')}`],
    ['nothing: one is empty', `h.p.${signature}`, ''],
  ])('are told apart with the same of %s', (_what, one, two) => {
    for (const [first, second] of [
      [one, two],
      [two, one],
    ] as const) {
      const cache = new TokenCache(4)
      const [entryOfFirst, entryOfSecond] = [entry(first), entry(second)]
      cache.set(entryOfFirst)
      expect(cache.get(second)).toBeUndefined()
      expect(cache.get(first)).toBe(entryOfFirst)
      cache.set(entryOfSecond)
      expect(cache.get(second)).toBe(entryOfSecond)
      // It may have had to make room: then it is gone, and not another one.
      expect([entryOfFirst, undefined]).toContain(cache.get(first))
      cache.delete(entryOfSecond)
      expect(cache.get(second)).toBeUndefined()
    }
  })

  it('never stand for each other, and never are more than there may be, whatever comes', () => {
    const ends = ['', TAIL, `u${TAIL.slice(1)}`, `${TAIL.slice(1)}u`, TAIL.toUpperCase()]
    const token = fc
      .tuple(
        fc.constantFrom('h.p.', 'h.q.', 'g.p.', `h.p.${'s'.repeat(299)}`, '\u0168.p.'),
        fc.constantFrom(...ends),
      )
      .map((parts) => parts.join(''))
    const step = fc.tuple(fc.constantFrom('set', 'get', 'delete'), token)
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5 }),
        fc.array(step, { maxLength: 60, size: 'max' }),
        (max, steps) => {
          const cache = new TokenCache(max)
          const last = new Map<string, { token: string }>()
          for (const [what, name] of steps) {
            const known = last.get(name)
            if (what === 'set') {
              const next = entry(name)
              cache.set(next)
              last.set(name, next)
            } else if (what === 'delete' && known !== undefined) {
              cache.delete(known)
              last.delete(name)
            }
            const given = cache.get(name)
            const isThere = what === 'set' && max > 0
            if (given !== last.get(name) && (given !== undefined || isThere)) {
              expect(given).toBe(last.get(name))
            }
          }
          expect([...last.keys()].filter((name) => cache.get(name) !== undefined).length).toBeLessThanOrEqual(
            max,
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  it.each([1, 2, 3, 7, 64, 500])('are at most %i, of three times as many', (max) => {
    const cache = new TokenCache(max)
    const tokens = Array.from({ length: 3 * max }, (_, number) => `h.p${number}.${number}${TAIL}${number}`)
    for (const token of tokens) cache.set(entry(token))
    const alive = tokens.filter((token) => cache.get(token) !== undefined)
    expect(alive.length).toBeLessThanOrEqual(max)
    expect(alive).toContain(tokens.at(-1))
  })
})
