import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TokenVerifier } from '../../src/verifier.js'
import { createOracle, type Oracle } from '../support/oracle.js'
import { partsOf, RawSigner } from '../support/raw-signer.js'
import { createVerifier, judge, judgeSync, type Verdict } from '../support/verdicts.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

let signer: RawSigner
let oracle: Oracle
let access: string
let id: string
/** Has never seen a token and never remembers one. */
let fresh: TokenVerifier
/** Has accepted the very tokens that are altered here. */
let warm: TokenVerifier

beforeAll(async () => {
  signer = await RawSigner.create()
  oracle = createOracle(signer.jwks, signer.issuer)
  access = signer.accessToken()
  id = signer.idToken()
  fresh = createVerifier(signer, { maxCachedTokens: 0 })
  warm = createVerifier(signer)
  for (const token of [access, id]) {
    expect([judgeSync(fresh, token), judgeSync(warm, token)]).toEqual(['accepted', 'accepted'])
    expect(await oracle.accepts(token)).toBe(true)
  }
})

/** Those that either verifier accepts. Every other one must have been refused with a typed error. */
function accepted(tokens: Iterable<string>): string[] {
  return [...tokens].filter((token) =>
    [fresh, warm].some((verifier) => judgeSync(verifier, token) === 'accepted'),
  )
}

function verdicts(token: string): Verdict[] {
  return [judgeSync(fresh, token), judgeSync(warm, token)]
}

/** Every character at every position but the one that is there. */
function* replacedCharacters(token: string, replacements: (character: string) => string[]) {
  for (const [index, character] of [...token].entries()) {
    for (const replacement of replacements(character)) {
      if (replacement !== character) yield token.slice(0, index) + replacement + token.slice(index + 1)
    }
  }
}

describe('a valid token with one character changed', () => {
  it('is refused at every position, for a neighbour and an opposite in the alphabet', () => {
    const flipped = (character: string) => {
      const value = ALPHABET.indexOf(character)
      return [1, 2, 4, 8, 16, 32].map((bit) => ALPHABET.charAt(value ^ bit))
    }
    const mutations = [...replacedCharacters(access, flipped)]
    expect(mutations.length).toBeGreaterThan(5_000)
    expect(accepted(mutations)).toEqual([])
  })

  it('is refused at every position, for characters that base64url does not have', () => {
    const foreign = () => ['.', '=', '+', '/', ' ', '\n', '\0', 'é', '\u200b']
    expect(accepted(replacedCharacters(access, foreign))).toEqual([])
  })

  it('is refused where the new character has the same low byte, so that the decoded bytes are the same', () => {
    const sameLowByte = (character: string) => [String.fromCharCode(character.charCodeAt(0) + 0x100)]
    const mutations = [...replacedCharacters(access, sameLowByte)]
    expect(Buffer.from(mutations[0] ?? '', 'latin1')).toEqual(Buffer.from(access, 'latin1'))
    expect(accepted(mutations)).toEqual([])
  })

  it('is refused at every position where a character is dropped, doubled, or swapped with the next', () => {
    const mutations = [...access].flatMap((character, index) => {
      const [before, after] = [access.slice(0, index), access.slice(index + 1)]
      return [
        before + after,
        before + character + character + after,
        before + after.charAt(0) + character + after.slice(1),
      ]
    })
    expect(accepted(mutations.filter((token) => token !== access))).toEqual([])
  })

  it('is refused by verify as by verifySync', async () => {
    const mutations = [...replacedCharacters(access, (character) => [character === 'A' ? 'B' : 'A'])]
    const burst = await Promise.all(mutations.map((token) => judge(warm, token)))
    expect(burst).not.toContain('accepted')
    expect(await judge(warm, access)).toBe('accepted')
  })

  it('leaves the token itself acceptable', () => {
    accepted(replacedCharacters(access, () => ['A']))
    expect(verdicts(access)).toEqual(['accepted', 'accepted'])
  })
})

describe('a valid token that is edited anywhere, in any way,', () => {
  it('is refused', () => {
    const edit = fc.record({
      start: fc.nat(access.length),
      deleted: fc.nat(8),
      inserted: fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.string({ unit: fc.constantFrom(...ALPHABET, '.', '='), maxLength: 8 }),
      ),
    })
    fc.assert(
      fc.property(edit, ({ start, deleted, inserted }) => {
        const edited = access.slice(0, start) + inserted + access.slice(start + deleted)
        fc.pre(edited !== access)
        expect(accepted([edited])).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

describe('the signature', () => {
  /** The same bytes, written with other unused bits in the last character. */
  function spellings(part: string): string[] {
    const bytes = Buffer.from(part, 'base64url')
    return [...ALPHABET]
      .map((last) => part.slice(0, -1) + last)
      .filter((spelling) => spelling !== part && Buffer.from(spelling, 'base64url').equals(bytes))
  }

  it('is taken in one spelling only: each of the other fifteen is refused as malformed', () => {
    const [header, payload, signature] = partsOf(access)
    const others = spellings(signature)
    expect(others).toHaveLength(15)
    for (const other of others) {
      expect(verdicts(`${header}.${payload}.${other}`)).toEqual(['token_malformed', 'token_malformed'])
    }
  })

  it.each([
    [1, 15],
    [2, 3],
  ])(
    'does not excuse another spelling of what it signs, %i bytes past a multiple of three',
    (rest, count) => {
      const padded = (text: string) => text + ' '.repeat((rest + 3 - (text.length % 3)) % 3)
      const header = Buffer.from(padded(JSON.stringify(signer.header))).toString('base64url')
      const payload = Buffer.from(padded(JSON.stringify(signer.accessClaims()))).toString('base64url')
      expect(judgeSync(fresh, signer.signParts(header, payload))).toBe('accepted')
      expect([spellings(header), spellings(payload)].map(({ length }) => length)).toEqual([count, count])
      const signed = [
        ...spellings(header).map((other) => signer.signParts(other, payload)),
        ...spellings(payload).map((other) => signer.signParts(header, other)),
      ]
      expect(signed.flatMap(verdicts)).toEqual(signed.flatMap(() => ['token_malformed', 'token_malformed']))
    },
  )

  it.each([
    ['padding', (part: string) => `${part}=`],
    [
      'all the padding that base64 would have',
      (part: string) => part + '='.repeat((4 - (part.length % 4)) % 4 || 1),
    ],
    ['padding that is too long', (part: string) => `${part}====`],
    ['the standard alphabet', (part: string) => `-_${part}`.replaceAll('-', '+').replaceAll('_', '/')],
    ['a space at the front', (part: string) => ` ${part}`],
    ['a line feed at the end', (part: string) => `${part}\n`],
    ['a line break inside', (part: string) => `${part.slice(0, 40)}\r\n${part.slice(40)}`],
    ['a tab inside', (part: string) => `${part.slice(0, 4)}\t${part.slice(4)}`],
    ['a no-break space', (part: string) => `${part}\u00a0`],
    ['a byte order mark', (part: string) => `\ufeff${part}`],
    ['a zero-width space', (part: string) => `${part.slice(0, 8)}\u200b${part.slice(8)}`],
    ['a NUL', (part: string) => `${part}\0`],
    ['a percent escape', (part: string) => `%41${part}`],
    ['nothing in it', () => ''],
  ])('does not excuse a part with %s', (_what, respell) => {
    const [header, payload, signature] = partsOf(access)
    const respelt = [
      signer.signParts(respell(header), payload),
      signer.signParts(header, respell(payload)),
      `${respell(header)}.${payload}.${signature}`,
      `${header}.${respell(payload)}.${signature}`,
      `${header}.${payload}.${respell(signature)}`,
    ]
    for (const token of respelt) expect(verdicts(token)).toEqual(['token_malformed', 'token_malformed'])
  })

  it('is of this token only: parts swapped between two tokens are refused', () => {
    const others = [id, signer.accessToken({ jti: 'another-one' }), signer.accessToken({}, { typ: 'JWT' })]
    const mixtures = others.flatMap((other) => {
      const [one, two] = [partsOf(access), partsOf(other)]
      return one.flatMap((header) =>
        [...one, ...two].flatMap((payload) =>
          [...one, ...two].map((signature) => `${header}.${payload}.${signature}`),
        ),
      )
    })
    const originals = new Set([access, ...others])
    const mixed = mixtures.filter((token) => !originals.has(token))
    expect(mixed.length).toBeGreaterThan(250)
    expect(accepted(mixed)).toEqual([])
  })

  it.each([
    ['no signature', (token: string) => token.slice(0, token.lastIndexOf('.') + 1)],
    ['no third part', (token: string) => token.slice(0, token.lastIndexOf('.'))],
    ['a dot more at the end', (token: string) => `${token}.`],
    ['a dot more at the front', (token: string) => `.${token}`],
    ['two dots for one', (token: string) => token.replace('.', '..')],
    ['a fourth part', (token: string) => `${token}.AAAA`],
    ['five parts, as a JWE has them', (token: string) => `${token}.AAAA.AAAA`],
    ['"Bearer " before it', (token: string) => `Bearer ${token}`],
    ['itself once more after it', (token: string) => `${token}${token}`],
    ['itself once more after a comma', (token: string) => `${token},${token}`],
    ['quotation marks', (token: string) => `"${token}"`],
    ['a space before it', (token: string) => ` ${token}`],
    ['a line feed after it', (token: string) => `${token}\n`],
    ['upper case for lower', (token: string) => token.toUpperCase()],
  ])('does not excuse a token with %s', (_what, alter) => {
    expect(verdicts(alter(access))).toEqual(['token_malformed', 'token_malformed'])
  })

  it.each([
    ['header', 0],
    ['payload', 1],
    ['signature', 2],
  ])(
    'does not excuse a %s that is cut or lengthened by up to four characters, at either end',
    (_name, index) => {
      const altered = [1, 2, 3, 4].flatMap((count) => {
        const extra = ['A', 'e', '_'].map((character) => character.repeat(count))
        const parts = partsOf(access)
        const part = parts[index] ?? ''
        const others = [
          part.slice(count),
          part.slice(0, -count),
          ...extra.flatMap((more) => [more + part, part + more]),
        ]
        return others.map((other) => parts.with(index, other).join('.'))
      })
      expect(accepted(altered)).toEqual([])
    },
  )

  it('must be as long as the key: none that is cut or lengthened is accepted', () => {
    const [header, payload, signature] = partsOf(access)
    const bytes = Buffer.from(signature, 'base64url')
    const altered = [
      ...Array.from({ length: bytes.length - 1 }, (_, index) => bytes.subarray(0, index + 1)),
      ...[1, 2, 16, 256].flatMap((length) => [
        Buffer.concat([bytes, Buffer.alloc(length)]),
        Buffer.concat([Buffer.alloc(length), bytes]),
      ]),
      Buffer.alloc(bytes.length),
      Buffer.alloc(bytes.length, 0xff),
    ].map((part) => `${header}.${payload}.${part.toString('base64url')}`)
    expect(new Set(altered.flatMap(verdicts))).toEqual(new Set(['token_signature_invalid']))
  })
})
