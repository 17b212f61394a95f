import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TokenVerifier } from '../../src/verifier.js'
import { createOracle, type Oracle } from '../support/oracle.js'
import { encode, partsOf, RawSigner } from '../support/raw-signer.js'
import { createVerifier, judge, judgeSync, type Verdict } from '../support/verdicts.js'

let signer: RawSigner
let other: RawSigner
let oracle: Oracle
/** Has accepted many tokens with the very header that the tests begin with. */
let warm: TokenVerifier
/** That header, written without unused bits, so that what is written behind it goes on where it ends. */
let header: string
let payload: string
let signature: string

beforeAll(async () => {
  ;[signer, other] = await Promise.all([RawSigner.create(), RawSigner.create()])
  oracle = createOracle(signer.jwks, signer.issuer)
  header = encode(toThrees(JSON.stringify(signer.header)))
  const tokens = ['one', 'two', 'three'].map((jti) => signed(header, encode(signer.accessClaims({ jti }))))
  ;[, payload, signature] = partsOf(tokens[0] ?? '')
  warm = createVerifier(signer)
  for (const token of tokens) expect(judgeSync(warm, token)).toBe('accepted')
  await Promise.all(tokens.map((token) => warm.verify(token)))
})

function toThrees(text: string): string {
  return text.padEnd(Math.ceil(text.length / 3) * 3)
}

function signed(header: string, payload: string): string {
  return signer.signParts(header, payload)
}

/** What a verifier says that has seen nothing yet; the warm one must say the same, waiting or not. */
async function judgeAlike(token: string): Promise<Verdict> {
  const cold = judgeSync(createVerifier(signer), token)
  expect(judgeSync(warm, token)).toBe(cold)
  // Who can wait tries to fetch the key.
  expect(await judge(warm, token)).toBe(cold === 'not_ready' ? 'jwks_unavailable' : cold)
  return cold
}

/** The same, and jose agrees. */
async function expectVerdict(token: string, expected: Verdict): Promise<void> {
  expect(await judgeAlike(token)).toBe(expected)
  expect(await oracle.accepts(token)).toBe(expected === 'accepted')
}

describe('A token with a header that is known already', () => {
  it('is accepted where it is good', async () => {
    await expectVerdict(signed(header, encode(signer.accessClaims({ jti: 'another' }))), 'accepted')
    await expectVerdict(signed(header, encode(signer.idClaims())), 'accepted')
  })

  it('is refused with the signature of another key', async () => {
    await expectVerdict(other.signParts(header, payload), 'token_signature_invalid')
  })

  it('is refused with the signature of another token', async () => {
    const changed = encode(signer.accessClaims({ jti: 'one', username: 'root' }))
    await expectVerdict(`${header}.${changed}.${signature}`, 'token_signature_invalid')
  })

  it('is refused for its payload as ever', async () => {
    for (const text of ['', '[]', '{', 'null', '{"__proto__":{}}', Buffer.from([0xff, 0xfe])]) {
      expect(await judgeAlike(signed(header, encode(text)))).toBe('token_malformed')
    }
    expect(await judgeAlike(signed(header, encode({})))).toBe('token_claim_invalid')
  })

  it.each<[string, (head: string, rest: string) => string]>([
    ['nothing behind it', (head) => head],
    ['a dot behind it', (head) => `${head}.`],
    ['two dots behind it', (head) => `${head}..`],
    ['three dots behind it', (head) => `${head}...`],
    ['no dot behind it', (head, rest) => head + rest],
    ['no dot behind it, and one more at the end', (head, rest) => `${head + rest}.`],
    ['another character for the dot', (head, rest) => `${head}:${rest}`],
    ['a two-byte character for the dot, whose low byte is one', (head, rest) => `${head}\u012e${rest}`],
    ['a character before the dot', (head, rest) => `${head}A.${rest}`],
    ['four characters before the dot', (head, rest) => `${head}AAAA.${rest}`],
    ['an empty part behind it', (head, rest) => `${head}..${rest}`],
    ['itself behind it', (head, rest) => `${head}.${head}.${rest}`],
    ['one part fewer', (head, rest) => `${head}.${rest.slice(0, rest.indexOf('.'))}`],
    ['one part more', (head, rest) => `${head}.${rest}.AAAA`],
    ['a dot before it', (head, rest) => `.${head}.${rest}`],
    ['"Bearer " before it', (head, rest) => `Bearer ${head}.${rest}`],
    ['white space before it', (head, rest) => ` ${head}.${rest}`],
  ])('is refused as malformed with %s', async (_what, write) => {
    await expectVerdict(write(header, `${payload}.${signature}`), 'token_malformed')
  })

  it('is refused as malformed where the header stands for the payload', async () => {
    expect(await judgeAlike(signed(header, header))).toBe('token_claim_invalid')
  })
})

describe('A header that is known already', () => {
  it('does not stand for any that is shorter', async () => {
    for (let length = 0; length < header.length; length += 1) {
      expect(await judgeAlike(`${header.slice(0, length)}.${payload}.${signature}`)).not.toBe('accepted')
    }
  })

  it.each<[string, (head: string) => string]>([
    ['padding', (head) => `${head}=`],
    ['padding of four', (head) => `${head}====`],
    ['a space behind it', (head) => `${head} `],
    ['a line feed in it', (head) => `${head.slice(0, 8)}\n${head.slice(8)}`],
    ['a NUL behind it', (head) => `${head}\0`],
    ['a byte order mark before it', (head) => `\ufeff${head}`],
    ['a letter of two bytes, whose low byte is that letter', (head) => head.replace('e', '\u0165')],
    ['all letters of two bytes', (head) => widened(head, 0x100)],
    ['all letters of a plane of their own', (head) => widened(head, 0xff00)],
    ['the standard alphabet', (head) => `${head}-_`.replaceAll('-', '+').replaceAll('_', '/')],
    ['unused bits that are set', (head) => `${head}AB`],
    ['one character more than bytes have', (head) => `${head}A`],
    ['bytes behind it that are no white space', (head) => head + encode('x  ')],
    ['another object behind it', (head) => head + encode('{} ')],
  ])(
    'does not stand for the same with %s, also where the right key has signed that',
    async (_what, respell) => {
      const respelt = respell(header)
      expect(await judgeAlike(`${respelt}.${payload}.${signature}`)).toBe('token_malformed')
      expect(await judgeAlike(signed(respelt, payload))).toBe('token_malformed')
    },
  )

  it('does not stand for one that begins with it and is another: white space counts for the signature', async () => {
    const longer = header + encode('   ')
    await expectVerdict(signed(longer, payload), 'accepted')
    await expectVerdict(`${longer}.${payload}.${signature}`, 'token_signature_invalid')
    await expectVerdict(
      `${header}.${payload}.${partsOf(signed(longer, payload))[2]}`,
      'token_signature_invalid',
    )
    await expectVerdict(`${header}.${payload}.${signature}`, 'accepted')
  })

  it.each<[string, string | object, Verdict]>([
    ['alg none', { alg: 'none' }, 'token_malformed'],
    ['alg in small letters', { alg: 'rs256' }, 'token_malformed'],
    ['alg HS256', { alg: 'HS256' }, 'token_malformed'],
    ['no alg', { alg: undefined }, 'token_malformed'],
    ['crit', { crit: ['exp'] }, 'token_malformed'],
    ['b64', { b64: false }, 'token_malformed'],
    ['no kid', { kid: undefined }, 'token_malformed'],
    ['another kid', { kid: 'another' }, 'not_ready'],
    ['alg twice', '"alg":"RS256","alg":"none"', 'token_malformed'],
  ])('does not stand for one with %s, however often that comes', async (_what, changes, expected) => {
    const text = JSON.stringify({ ...signer.header, ...(typeof changes === 'object' && changes) })
    const changed = typeof changes === 'string' ? text.replace('"alg":"RS256"', changes) : text
    for (const _ of [1, 2, 3]) expect(judgeSync(warm, signed(encode(changed), payload))).toBe(expected)
    const again = signed(header, payload)
    expect(judgeSync(warm, again)).toBe('accepted')
  })

  it('may be written in another way, with escapes or more members, as long as it says the same', async () => {
    const { kid } = signer
    const escaped = `{"\\u006bid":${JSON.stringify(kid)},"\\u0061lg":"\\u0052S256"}`
    for (const text of [escaped, JSON.stringify({ typ: 'JWT', alg: 'RS256', kid }, null, 1)]) {
      await expectVerdict(signed(encode(text), payload), 'accepted')
    }
  })

  it('is told to the own check as it is in each token, frozen, however many others there are', () => {
    const headers: unknown[] = []
    const verifier = createVerifier(signer, {
      customJwtCheck: ({ header }) => {
        expect([header, header.list].every(Object.isFrozen)).toBe(true)
        headers.push(header)
      },
    })
    const own = Array.from({ length: 12 }, (_, number) => ({ ...signer.header, number, list: [number] }))
    const tokens = own.map((each) => signer.accessToken({}, each))
    for (const token of [...tokens, ...tokens, ...tokens.toReversed()]) verifier.verifySync(token)
    expect(headers).toEqual([...own, ...own, ...own.toReversed()])
  })
})

describe('A header, a payload and a signature that are edited anyhow', () => {
  const character = fc.constantFrom(...'Ae_-+/=. \n\0\u0141\u0165\u012e\uff41\ud83d')
  const edit = fc.option(fc.tuple(fc.nat(1_000), fc.nat(2), fc.string({ unit: character, maxLength: 2 })), {
    freq: 2,
  })
  const apply = (part: string, change: readonly [number, number, string] | null) => {
    if (change === null) return part
    const start = change[0] % (part.length + 1)
    return part.slice(0, start) + change[2] + part.slice(start + change[1])
  }
  const who = fc.constantFrom('nobody', 'the right key', 'another key')

  it('get the verdict that a verifier gives which has seen nothing, and none that jose would refuse', async () => {
    await fc.assert(
      fc.asyncProperty(edit, edit, edit, who, async (ofHeader, ofPayload, ofSignature, signedBy) => {
        const [one, two] = [apply(header, ofHeader), apply(payload, ofPayload)]
        const by = { nobody: undefined, 'the right key': signer, 'another key': other }[signedBy]
        const three = apply(
          by === undefined ? signature : partsOf(by.signParts(one, two))[2] || 'A',
          ofSignature,
        )
        const token = `${one}.${two}.${three}`
        const verdict = await judgeAlike(token)
        if (![one, two, three].every(isCanonical)) expect(verdict).toBe('token_malformed')
        if (verdict === 'accepted') expect(await oracle.accepts(token)).toBe(true)
        if (signedBy !== 'the right key' && token !== `${header}.${payload}.${signature}`) {
          expect(verdict).not.toBe('accepted')
        }
      }),
      { numRuns: 200 },
    )
  })

  it('are refused where a character has become one of two bytes with the same low byte, in any part', async () => {
    const token = `${header}.${payload}.${signature}`
    for (const plane of [0x100, 0x2000, 0xff00]) {
      const parts = partsOf(token)
      for (const [index, part] of parts.entries()) {
        expect(await judgeAlike(parts.with(index, widened(part, plane)).join('.'))).toBe('token_malformed')
      }
      expect(await judgeAlike(widened(token, plane))).toBe('token_malformed')
    }
    const long = [...token].map(
      (letter, index) => token.slice(0, index) + widened(letter, 0x100) + token.slice(index + 1),
    )
    expect(
      long.map((each) => judgeSync(warm, each)).filter((verdict) => verdict !== 'token_malformed'),
    ).toEqual([])
  })
})

function isCanonical(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part
}

/** The same low bytes, of characters of another plane. */
function widened(text: string, plane: number): string {
  return [...text].map((letter) => String.fromCharCode(letter.charCodeAt(0) + plane)).join('')
}
