import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { verifySignature, verifySignatureSync } from '../../src/tokens/signature.js'
import { NOW_SECONDS, partsOf, RawSigner, TestClock } from '../support/raw-signer.js'
import { createVerifier, judge, judgeSync } from '../support/verdicts.js'

vi.mock(import('../../src/tokens/signature.js'), { spy: true })

let signer: RawSigner
let other: RawSigner

beforeAll(async () => {
  ;[signer, other] = await Promise.all([RawSigner.create(), RawSigner.create()])
})

beforeEach(() => {
  vi.clearAllMocks()
})

/** How many signatures were verified. `verifySignature` hands some on to `verifySignatureSync` by itself. */
const verified = () =>
  vi.mocked(verifySignature).mock.calls.length + vi.mocked(verifySignatureSync).mock.calls.length

/** Another signature over the same, with the last so many characters of the first. */
function spliceEnd(length: number) {
  return ([header, payload, signature = '']: string[], [, , foreign = '']: string[]) => [
    header,
    payload,
    foreign.slice(0, -length) + signature.slice(-length),
  ]
}

describe('a token that was accepted before', () => {
  it('costs no signature, be it asked about by verify or by verifySync', async () => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken()
    expect(await judge(verifier, token)).toBe('accepted')
    expect(verified()).toBe(1)
    for (const _ of [1, 2, 3]) {
      expect(await judge(verifier, token)).toBe('accepted')
      expect(judgeSync(verifier, token)).toBe('accepted')
    }
    expect(verified()).toBe(1)
  })

  it.each<[string, (token: string) => string]>([
    ['read from bytes', (token) => Buffer.from(token).toString('latin1')],
    ['put together', (token) => [...token].reduce((text, letter) => text + letter, '')],
    ['cut out of a header', (token) => `Bearer ${token}`.slice(7)],
    ['cut out of a text of two-byte characters', (token) => `\u0141${token}\ud83d`.slice(1, -1)],
    ['read from UTF-16', (token) => Buffer.from(token, 'utf16le').toString('utf16le')],
  ])('is the same one %s: accepted when it is new, and known again', async (_what, make) => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken()
    for (const each of [make(token), token, make(token)]) {
      expect(judgeSync(verifier, each)).toBe('accepted')
      expect(await judge(verifier, each)).toBe('accepted')
    }
    expect(verified()).toBe(1)
    expect(await judge(createVerifier(signer), make(token))).toBe('accepted')
  })

  it('excuses no other token', () => {
    const verifier = createVerifier(signer)
    for (const jti of ['one', 'two', 'three']) judgeSync(verifier, signer.accessToken({ jti }))
    expect(verified()).toBe(3)
  })

  it.each<[string, (parts: string[], other: string[]) => (string | undefined)[]]>([
    ['its whole signature', ([header, , signature], [, payload]) => [header, payload, signature]],
    ['its header and payload, and the end of its signature', spliceEnd(43)],
    ['its header and payload, and half of its signature', spliceEnd(171)],
    ['its header and payload, and all but the beginning of its signature', spliceEnd(341)],
    ['its signature, and its payload in another spelling', ([h, p, s]) => [h, `${p}=`, s]],
    ['its signature, and its header in another spelling', ([h, p, s]) => [`${h}=`, p, s]],
  ])('excuses none that has %s', async (_what, forge) => {
    const verifier = createVerifier(signer)
    const [good, foreign] = [
      signer.accessToken(),
      other.sign(signer.header, signer.accessClaims({ sub: 'root' })),
    ]
    const forged = forge(partsOf(good), partsOf(foreign)).join('.')
    for (const _ of [1, 2]) {
      expect(judgeSync(verifier, good)).toBe('accepted')
      expect(verifier.recall(forged)).toBeUndefined()
      expect(judgeSync(verifier, forged)).not.toBe('accepted')
      expect(await judge(verifier, forged)).not.toBe('accepted')
      expect(verifier.recall(good)).toBeDefined()
    }
  })

  it('is verified anew where nothing is to be remembered', () => {
    const verifier = createVerifier(signer, { maxCachedTokens: 0 })
    const token = signer.accessToken()
    for (const _ of [1, 2, 3]) expect(judgeSync(verifier, token)).toBe('accepted')
    expect(verified()).toBe(3)
  })

  it('is verified anew where it had to make room', () => {
    const verifier = createVerifier(signer, { maxCachedTokens: 2 })
    const [one = '', two = '', three = ''] = ['1', '2', '3'].map((jti) => signer.accessToken({ jti }))
    for (const token of [one, two, three]) judgeSync(verifier, token)
    expect(judgeSync(verifier, three)).toBe('accepted')
    expect(verified()).toBe(3)
    expect(judgeSync(verifier, one)).toBe('accepted')
    expect(verified()).toBe(4)
  })

  it('is verified anew where its key had gone in between', () => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken()
    judgeSync(verifier, token)
    verifier.cacheJwks(other.jwks)
    expect(judgeSync(verifier, token)).toBe('not_ready')
    verifier.cacheJwks(signer.jwks)
    expect(judgeSync(verifier, token)).toBe('accepted')
    expect(verified()).toBe(2)
  })

  it('is refused where another key has come under the kid of its own', () => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken()
    judgeSync(verifier, token)
    verifier.cacheJwks({ keys: [{ ...other.jwk, kid: signer.kid }] })
    expect(judgeSync(verifier, token)).toBe('token_signature_invalid')
  })

  it('costs no signature where the same key has been published anew', () => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken()
    judgeSync(verifier, token)
    verifier.cacheJwks({ keys: [other.jwk, { ...signer.jwk }] })
    expect(judgeSync(verifier, token)).toBe('accepted')
    expect(verified()).toBe(1)
  })

  it('is refused when its time is over, and costs no signature then', () => {
    const clock = new TestClock()
    const verifier = createVerifier(signer, { clock: clock.now })
    const token = signer.accessToken({ exp: NOW_SECONDS + 60 })
    judgeSync(verifier, token)
    clock.advance(59)
    expect(judgeSync(verifier, token)).toBe('accepted')
    clock.advance(1)
    expect(judgeSync(verifier, token)).toBe('token_expired')
    expect(verified()).toBe(1)
  })
})

describe('a token that was refused before', () => {
  it.each([
    ['not valid yet', { nbf: NOW_SECONDS + 1_000 }],
    ['with a claim of the wrong type', { sub: 5 }],
    ["another client's", { client_id: 'another' }],
    ['without the scope', { scope: 'openid' }],
    ['without a required claim', { jti: undefined }],
  ])('is not remembered: %s', async (_what, claims) => {
    const scope = 'aws.cognito.signin.user.admin'
    const options = { clientId: signer.clientId, scope, requiredClaims: ['jti'] }
    const verifier = createVerifier(signer, options)
    const token = signer.accessToken(claims)
    const verdict = await judge(verifier, token)
    expect(verdict).not.toBe('accepted')
    expect(judgeSync(verifier, token)).toBe(verdict)
    expect(verified()).toBe(2)
  })

  it('for it had expired costs no signature', async () => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken({ exp: NOW_SECONDS })
    expect(await judge(verifier, token)).toBe('token_expired')
    expect(judgeSync(verifier, token)).toBe('token_expired')
    expect(verified()).toBe(0)
  })
})

describe('a new token that many requests come with at once', () => {
  it('costs a few signatures, not one for each', async () => {
    const verifier = createVerifier(signer)
    const token = signer.accessToken()
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => judge(verifier, token)))
    expect(new Set(verdicts)).toEqual(new Set(['accepted']))
    expect(vi.mocked(verifySignature).mock.calls.length).toBeLessThan(100)
  })
})
