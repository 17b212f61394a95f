import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { CognitoRevocationError } from '../../src/errors.js'
import type { TokenVerifier } from '../../src/verifier.js'
import { createOracle, type Oracle } from '../support/oracle.js'
import { type JwsText, RawSigner } from '../support/raw-signer.js'
import { createVerifier, judge, judgeSync } from '../support/verdicts.js'

let signer: RawSigner
let oracle: Oracle
let verifier: TokenVerifier

beforeAll(async () => {
  signer = await RawSigner.create()
  oracle = createOracle(signer.jwks, signer.issuer)
  verifier = createVerifier(signer)
})

/** Refused everywhere, each time with an error of the library's. */
async function expectRefused(token: unknown): Promise<void> {
  expect(judgeSync(verifier, token)).not.toBe('accepted')
  expect(await judge(verifier, token)).not.toBe('accepted')
  const { accepted, error } = await verifier.explain(token)
  expect(accepted).toBe(false)
  expect(error).toBeInstanceOf(CognitoRevocationError)
}

const part = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  fc.jsonValue({ maxDepth: 2 }).map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  fc.string({ unit: fc.constantFrom(...'ABCabc012-_=+/ '), maxLength: 20 }),
)

describe('what is no token at all', () => {
  it('is refused with a typed error: any value', async () => {
    await fc.assert(fc.asyncProperty(fc.anything(), expectRefused), { numRuns: 200 })
  })

  it('is refused with a typed error: any string', async () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String())
    await fc.assert(fc.asyncProperty(text, expectRefused), { numRuns: 200 })
  })

  it('is refused with a typed error: any parts with dots between', async () => {
    const parts = fc.array(part, { minLength: 1, maxLength: 6 }).map((list) => list.join('.'))
    await fc.assert(fc.asyncProperty(parts, expectRefused), { numRuns: 200 })
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty string', ''],
    ['a String object', Object('a.b.c')],
    ['an array of a string', ['a.b.c']],
    ['something with a toString', { toString: () => 'a.b.c' }],
    ['a Buffer', Buffer.from('a.b.c')],
    ['a symbol', Symbol('token')],
    ['a bigint', 1n],
    ['dots', '..'],
    ['many dots', '.'.repeat(10_000)],
    ['a megabyte', 'A'.repeat(1_000_000)],
  ])('is refused as malformed: %s', async (_what, token) => {
    expect(judgeSync(verifier, token)).toBe('token_malformed')
    expect(await judge(verifier, token)).toBe('token_malformed')
    await expectRefused(token)
  })

  it('is refused as malformed, though it is a good token in another wrapping', () => {
    const token = signer.accessToken()
    expect(judgeSync(verifier, token)).toBe('accepted')
    for (const wrapped of [Object(token), [token], { toString: () => token }, Buffer.from(token)]) {
      expect(judgeSync(verifier, wrapped)).toBe('token_malformed')
    }
  })
})

/** Whatever is signed: what we accept, jose accepts. It has no tolerance for nbf by itself, we have 300 s. */
async function expectAsStrictAsJose(token: string): Promise<void> {
  if (judgeSync(verifier, token) !== 'accepted') return expectRefused(token)
  expect(await judge(verifier, token)).toBe('accepted')
  expect(await oracle.accepts(token, 300)).toBe(true)
}

describe('any JSON that the right key has signed', () => {
  const claim = fc.constantFrom(
    ...[
      'sub',
      'iss',
      'aud',
      'client_id',
      'token_use',
      'jti',
      'origin_jti',
      'scope',
      'username',
      'cognito:groups',
    ],
    ...['auth_time', 'nbf', 'exp', 'iat', 'version', 'constructor', 'toString', 'toJSON', 'then', 'length'],
  )
  const value = fc.oneof(
    fc.constant(undefined),
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom('access', 'id', -1, 0, 1e300, 1_900_000_000, 1_900_000_301, '1900000000'),
  )
  const changes = fc.dictionary(claim, value, { maxKeys: 3 })

  it('is accepted by both or refused by us with a typed error: an access token with any claims', async () => {
    const property = fc.asyncProperty(changes, (claims) => expectAsStrictAsJose(signer.accessToken(claims)))
    await fc.assert(property, { numRuns: 200 })
  })

  it('is accepted by both or refused by us with a typed error: an ID token with any claims', async () => {
    const property = fc.asyncProperty(changes, (claims) => expectAsStrictAsJose(signer.idToken(claims)))
    await fc.assert(property, { numRuns: 200 })
  })

  it('is refused with a typed error where it is not a payload', async () => {
    const payload = fc.jsonValue({ maxDepth: 4 }).map((json) => JSON.stringify(json))
    await fc.assert(
      fc.asyncProperty(payload, (json) => expectRefused(signer.sign(signer.header, json))),
      { numRuns: 200 },
    )
  })
})

describe('the bytes of a header and of a payload', () => {
  const bom = Buffer.from([0xef, 0xbb, 0xbf])
  const json = (claims: object) => Buffer.from(JSON.stringify(claims))

  /** Lets a test write header and payload in the same way, one after the other. */
  function bothWays(write: (claims: Record<string, unknown>) => JwsText): string[] {
    return [
      signer.sign(write(signer.header), signer.accessClaims()),
      signer.sign(signer.header, write(signer.accessClaims())),
    ]
  }

  it.each<[string, (claims: Record<string, unknown>) => JwsText]>([
    ['an array', (claims) => JSON.stringify([claims])],
    ['an empty array', () => '[]'],
    ['a string', () => '"text"'],
    ['a number', () => '1'],
    ['true', () => 'true'],
    ['null', () => 'null'],
    ['nothing', () => ' '],
    ['no JSON', () => '{'],
    ['JSON with a comma too many', (claims) => JSON.stringify(claims).replace(/}$/, ',}')],
    ['JSON with a comment', (claims) => `${JSON.stringify(claims)}//`],
    ['JSON and then more', (claims) => `${JSON.stringify(claims)}{}`],
    ['JSON in single quotes', (claims) => JSON.stringify(claims).replaceAll('"', "'")],
    ['JSON and then a NUL', (claims) => `${JSON.stringify(claims)}\0`],
    ['NaN in it', (claims) => JSON.stringify({ ...claims, x: 0 }).replace('"x":0', '"x":NaN')],
    ['a byte order mark', (claims) => Buffer.concat([bom, json(claims)])],
    ['UTF-16', (claims) => Buffer.from(JSON.stringify(claims), 'utf16le')],
    ['a byte that is not UTF-8', (claims) => Buffer.from(JSON.stringify({ ...claims, x: 'é' }), 'latin1')],
    ['an overlong UTF-8 sequence', (claims) => withBytes(claims, [0xc1, 0xa1])],
    ['a surrogate in UTF-8', (claims) => withBytes(claims, [0xed, 0xa0, 0x80])],
    ['UTF-8 that is cut off', (claims) => withBytes(claims, [0xe2, 0x82])],
    ['__proto__', (claims) => JSON.stringify(claims).replace('{', '{"__proto__":{"a":1},')],
    ['__proto__ as null', (claims) => JSON.stringify(claims).replace('{', '{"__proto__":null,')],
    ['__proto__ in escapes', (claims) => JSON.stringify(claims).replace('{', '{"\\u005f_proto__":{},')],
    [
      '__proto__ all in escapes',
      (claims) => JSON.stringify(claims).replace('{', `{"${escaped('__proto__')}":1,`),
    ],
  ])('are refused as malformed with %s', (_what, write) => {
    for (const token of bothWays(write)) expect(judgeSync(verifier, token)).toBe('token_malformed')
  })

  it('may have white space, and text beyond ASCII', async () => {
    const spaced = (claims: object) => ` ${JSON.stringify({ ...claims, x: 'é€😀' }, null, 2)}\n`
    for (const token of bothWays(spaced)) {
      expect(judgeSync(verifier, token)).toBe('accepted')
      expect(await oracle.accepts(token)).toBe(true)
    }
  })

  it('may have a claim twice: then the last one counts, as it does for jose', async () => {
    const sub = (...subs: string[]) => {
      const doubled = subs.map((value) => `"sub":${JSON.stringify(value)}`).join(',')
      const rest = JSON.stringify(signer.accessClaims({ sub: undefined }))
      return signer.sign(signer.header, rest.replace('{', `{${doubled},`))
    }
    expect((await verifier.verify(sub('first', 'last'))).sub).toBe('last')
    expect(await oracle.accepts(sub('first', 'last'))).toBe(true)
  })

  it('may have alg twice: then the last one counts', async () => {
    const header = (first: string, last: string) =>
      `{"alg":"${first}","kid":${JSON.stringify(signer.kid)},"alg":"${last}"}`
    const good = signer.sign(header('none', 'RS256'), signer.accessClaims())
    const bad = signer.sign(header('RS256', 'none'), signer.accessClaims())
    expect([judgeSync(verifier, good), judgeSync(verifier, bad)]).toEqual(['accepted', 'token_malformed'])
    expect([await oracle.accepts(good), await oracle.accepts(bad)]).toEqual([true, false])
  })

  it.each(['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'toJSON'])(
    'may have a member called %s, which stands for nothing else',
    async (name) => {
      for (const token of bothWays((claims) => ({ ...claims, [name]: { a: 1 } }))) {
        expect(judgeSync(verifier, token)).toBe('accepted')
        expect(await judge(verifier, token)).toBe('accepted')
      }
      expect((await verifier.verify(signer.accessToken({ [name]: 'text' })))[name]).toBe('text')
    },
  )

  it.each([
    ['arrays', '['.repeat(5_000) + ']'.repeat(5_000)],
    ['objects', `${'{"a":'.repeat(1_900)}1${'}'.repeat(1_900)}`],
  ])('may be nested as deep as fits: %s', async (_what, nested) => {
    const token = signer.sign(
      signer.header,
      JSON.stringify(signer.accessClaims()).replace('{', `{"x":${nested},`),
    )
    expect(token.length).toBeGreaterThan(10_000)
    expect(judgeSync(verifier, token)).toBe('accepted')
    expect(await judge(verifier, token)).toBe('accepted')
    expect((await verifier.explain(token)).accepted).toBe(true)
  })
})

describe('the length of a token', () => {
  /** An access token of about this many characters: as near as base64 comes to it, from below. */
  function tokenOf(length: number): string {
    const empty = signer.accessToken({ x: '' }).length
    return signer.accessToken({ x: 'x'.repeat(Math.floor(((length - empty) * 3) / 4)) })
  }

  it('may be 16,384 characters', () => {
    const longest = [0, 1, 2].map((less) => tokenOf(16_384 - less)).filter(({ length }) => length <= 16_384)
    expect(Math.max(...longest.map(({ length }) => length))).toBeGreaterThan(16_380)
    for (const token of longest) expect(judgeSync(verifier, token)).toBe('accepted')
  })

  it('may not be more, though all else is right', async () => {
    const token = tokenOf(16_390)
    expect(token.length).toBeGreaterThan(16_384)
    expect(await oracle.accepts(token)).toBe(true)
    expect(judgeSync(verifier, token)).toBe('token_malformed')
    expect(() => verifier.verifySync(token)).toThrow(/longer than 16384/)
  })
})

function withBytes(claims: object, bytes: number[]): Buffer {
  const [before = '', after = ''] = JSON.stringify({ ...claims, x: '\u0001' }).split('\\u0001')
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
}

function escaped(text: string): string {
  return [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}
