import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatUuid, hashUuid, parseUuid } from '../../src/revocation/table/uuid.js'

const uuid = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'
const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function wordsOf(text: string): Int32Array | undefined {
  const words = new Int32Array(4)
  return parseUuid(text, words) ? words : undefined
}

function withCodeUnit(place: number, code: number): string {
  return uuid.slice(0, place) + String.fromCharCode(code) + uuid.slice(place + 1)
}

describe('parseUuid', () => {
  it('reads four words, the first digits first', () => {
    expect(wordsOf(uuid)).toEqual(Int32Array.of(0x0f1e2d3c, 0x4b5a6978, 0x8796a5b4, 0xc3d2e1f0))
  })

  it('gives what formatUuid turns into the same text', () => {
    for (const text of [uuid, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])
      expect(formatUuid(wordsOf(text) as Int32Array)).toBe(text)
    fc.assert(
      fc.property(fc.int32Array({ minLength: 4, maxLength: 4 }), (words) => {
        expect(wordsOf(formatUuid(words))).toEqual(words)
      }),
    )
  })

  it('takes any UUID in lower case, of whatever version', () => {
    for (let time = 0; time < 1_000; time++) expect(wordsOf(randomUUID())).toBeDefined()
    fc.assert(fc.property(fc.uuid(), (text) => wordsOf(text) !== undefined))
  })

  it('refuses upper case: it would be read as the id in lower case, which is another one', () => {
    expect(wordsOf(uuid.toUpperCase())).toBeUndefined()
    expect(wordsOf(uuid.replace('f', 'F'))).toBeUndefined()
  })

  it.each([
    '',
    'a',
    uuid.slice(1),
    `${uuid}0`,
    `{${uuid}}`,
    uuid.replaceAll('-', ''),
    uuid.replaceAll('-', '0'),
    uuid.replaceAll('-', '_'),
    ` ${uuid.slice(1)}`,
    '-'.repeat(36),
    '0'.repeat(36),
  ])('refuses %o', (text) => {
    expect(wordsOf(text)).toBeUndefined()
  })

  it('refuses every other code unit in every place, also one that is a digit in its low bits', () => {
    const digit = (code: number) => /[0-9a-f]/.test(String.fromCharCode(code))
    for (let place = 0; place < 36; place++) {
      for (let code = 0; code < 1_024; code++) {
        const isIn = uuid[place] === '-' ? code === 0x2d : digit(code)
        if ((wordsOf(withCodeUnit(place, code)) !== undefined) !== isIn) expect.fail(`${place}: ${code}`)
      }
      for (const low of [0x30, 0x61, 0x2d]) {
        for (let high = 1; high < 256; high++) {
          if (wordsOf(withCodeUnit(place, high * 256 + low)) !== undefined) expect.fail(`${place}: ${high}`)
        }
      }
    }
  })

  it('decides as the regular expression does', () => {
    const unit = fc.constantFrom(...'0123456789abcdefABCDEFg-', '\u0130', '\u0161', '\uff10')
    fc.assert(
      fc.property(fc.nat(35), fc.nat(35), unit, unit, (one, other, a, b) => {
        const units = [...uuid]
        units[one] = a
        units[other] = b
        const text = units.join('')
        return canonical.test(text) === (wordsOf(text) !== undefined)
      }),
      { numRuns: 1_000 },
    )
  })

  it('leaves the words as they were where it refuses', () => {
    const words = Int32Array.of(1, 2, 3, 4)
    parseUuid(withCodeUnit(35, 0x67), words)
    expect(words).toEqual(Int32Array.of(1, 2, 3, 4))
  })

  it('reads strings that the engine keeps in other ways', () => {
    const concatenated = [...uuid].reduce((text, unit) => text + unit, '')
    const sliced = `\u20ac${uuid}\u20ac`.slice(1, -1)
    for (const text of [concatenated, sliced]) expect(wordsOf(text)).toEqual(wordsOf(uuid))
  })
})

describe('formatUuid', () => {
  it('begins at an index', () => {
    expect(formatUuid(Int32Array.of(-1, 0, 1, 2, 3), 1)).toBe('00000000-0000-0001-0000-000200000003')
  })
})

describe('hashUuid', () => {
  it('tells all ids apart that differ in one word only', () => {
    for (let index = 0; index < 4; index++) {
      const hashes = new Set<number>()
      for (let value = 0; value < 10_000; value++) {
        const words = wordsOf(uuid) as Int32Array
        words[index] = value % 2 === 0 ? value : value << 16
        hashes.add(hashUuid(words))
      }
      expect(hashes.size).toBe(10_000)
    }
  })

  it.each([0, 1, 2, 3])('spreads ids that count up in word %i over all its bits', (index) => {
    const first = new Uint32Array(256)
    const last = new Uint32Array(256)
    for (let value = 0; value < 65_536; value++) {
      const words = new Int32Array(4)
      words[index] = value
      const hash = hashUuid(words)
      first[hash >>> 24] = (first[hash >>> 24] as number) + 1
      last[hash & 255] = (last[hash & 255] as number) + 1
    }
    // 256 each on average, with a deviation of 16: six deviations off is no chance.
    for (const count of [...first, ...last]) expect(Math.abs(count - 256)).toBeLessThan(96)
  })
})
