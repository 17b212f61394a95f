import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { verifySignature, verifySignatureSync } from '../../src/tokens/signature.js'
import { NOW_SECONDS, RawSigner, TestClock } from '../support/raw-signer.js'
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

  it('excuses no other token', () => {
    const verifier = createVerifier(signer)
    for (const jti of ['one', 'two', 'three']) judgeSync(verifier, signer.accessToken({ jti }))
    expect(verified()).toBe(3)
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
    ['expired', { exp: 1 }],
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
})
