import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TokenClaimError, TokenExpiredError } from '../../src/errors.js'
import { TokenVerifier } from '../../src/verifier.js'
import { type Claims, NOW_SECONDS, RawSigner, TestClock } from '../support/raw-signer.js'
import { createVerifier, judge, judgeSync } from '../support/verdicts.js'

let signer: RawSigner
let clock: TestClock

beforeAll(async () => {
  signer = await RawSigner.create()
})

beforeEach(() => {
  clock = new TestClock()
})

interface Case {
  readonly claims: Claims
  readonly options?: { graceSeconds?: number; maxTokenAgeSeconds?: number }
  readonly verdict: 'accepted' | 'token_expired' | 'token_claim_invalid'
}

const from = (seconds: number) => NOW_SECONDS + seconds

describe('the time of a token', () => {
  it.each<[string, Case]>([
    ['a second before exp', { claims: { exp: from(1) }, verdict: 'accepted' }],
    ['half a second before exp', { claims: { exp: from(0.5) }, verdict: 'accepted' }],
    ['at exp', { claims: { exp: from(0) }, verdict: 'token_expired' }],
    ['a second past exp', { claims: { exp: from(-1) }, verdict: 'token_expired' }],
    ['with exp in 1970', { claims: { exp: 0 }, verdict: 'token_expired' }],
    ['with a negative exp', { claims: { exp: -1 }, verdict: 'token_expired' }],
    [
      'a second before the grace is over',
      { claims: { exp: from(-9) }, options: { graceSeconds: 10 }, verdict: 'accepted' },
    ],
    [
      'when the grace is over',
      { claims: { exp: from(-10) }, options: { graceSeconds: 10 }, verdict: 'token_expired' },
    ],
    [
      '299 s past exp with the longest grace',
      { claims: { exp: from(-299) }, options: { graceSeconds: 300 }, verdict: 'accepted' },
    ],
    [
      '300 s past exp with the longest grace',
      { claims: { exp: from(-300) }, options: { graceSeconds: 300 }, verdict: 'token_expired' },
    ],
    ['with nbf 299 s ahead', { claims: { nbf: from(299) }, verdict: 'accepted' }],
    ['with nbf 300 s ahead', { claims: { nbf: from(300) }, verdict: 'accepted' }],
    ['with nbf 301 s ahead', { claims: { nbf: from(301) }, verdict: 'token_claim_invalid' }],
    ['with nbf in the past', { claims: { nbf: from(-1) }, verdict: 'accepted' }],
    ['with iat 299 s ahead', { claims: { iat: from(299) }, verdict: 'accepted' }],
    ['with iat 300 s ahead', { claims: { iat: from(300) }, verdict: 'accepted' }],
    ['with iat 301 s ahead', { claims: { iat: from(301) }, verdict: 'token_claim_invalid' }],
    ['with iat long ago', { claims: { iat: 1 }, verdict: 'accepted' }],
    ['with auth_time ahead', { claims: { auth_time: from(10_000) }, verdict: 'accepted' }],
    [
      'with nbf ahead and the longest grace: that is for exp',
      { claims: { nbf: from(301) }, options: { graceSeconds: 300 }, verdict: 'token_claim_invalid' },
    ],
    [
      'as old as maxTokenAgeSeconds',
      { claims: { iat: from(-60) }, options: { maxTokenAgeSeconds: 60 }, verdict: 'accepted' },
    ],
    [
      'older than maxTokenAgeSeconds',
      { claims: { iat: from(-61) }, options: { maxTokenAgeSeconds: 60 }, verdict: 'token_expired' },
    ],
    [
      'older than maxTokenAgeSeconds, whatever the grace: that is for exp',
      {
        claims: { iat: from(-61) },
        options: { maxTokenAgeSeconds: 60, graceSeconds: 300 },
        verdict: 'token_expired',
      },
    ],
    [
      'issued ahead of the clock, under maxTokenAgeSeconds',
      { claims: { iat: from(299) }, options: { maxTokenAgeSeconds: 60 }, verdict: 'accepted' },
    ],
  ])('decides %s', async (_when, { claims, options, verdict }) => {
    const verifier = createVerifier(signer, { clock: clock.now, ...options })
    expect(await judge(verifier, signer.accessToken(claims))).toBe(verdict)
    expect(judgeSync(verifier, signer.idToken(claims))).toBe(verdict)
  })

  it('is looked at on every call, also when the signature is remembered', async () => {
    const verifier = createVerifier(signer, { clock: clock.now, graceSeconds: 5 })
    const token = signer.accessToken({ exp: from(100) })
    expect(judgeSync(verifier, token)).toBe('accepted')
    clock.advance(104)
    expect(judgeSync(verifier, token)).toBe('accepted')
    clock.advance(1)
    expect(judgeSync(verifier, token)).toBe('token_expired')
    expect(await judge(verifier, token)).toBe('token_expired')
  })

  it('is looked at again when the clock is set back under a remembered token', async () => {
    const verifier = createVerifier(signer, { clock: clock.now })
    const token = signer.accessToken({ iat: from(0), nbf: from(0) })
    expect(judgeSync(verifier, token)).toBe('accepted')
    clock.advance(-301)
    expect(judgeSync(verifier, token)).toBe('token_claim_invalid')
    expect(await judge(verifier, token)).toBe('token_claim_invalid')
    clock.advance(301)
    expect(judgeSync(verifier, token)).toBe('accepted')
  })

  it('is looked at again when a remembered token grows older than maxTokenAgeSeconds', () => {
    const verifier = createVerifier(signer, { clock: clock.now, maxTokenAgeSeconds: 120 })
    const token = signer.accessToken({ iat: from(-60) })
    expect(judgeSync(verifier, token)).toBe('accepted')
    clock.advance(61)
    expect(judgeSync(verifier, token)).toBe('token_expired')
  })

  it('is not good by a clock that tells no time', () => {
    let now = NOW_SECONDS * 1000
    const verifier = createVerifier(signer, { clock: () => now })
    const token = signer.accessToken()
    expect(judgeSync(verifier, token)).toBe('accepted')
    now = Number.NaN
    expect(judgeSync(verifier, token)).not.toBe('accepted')
    expect(judgeSync(verifier, signer.accessToken({ jti: 'another' }))).not.toBe('accepted')
  })

  it('is told by the system where no clock is given', async () => {
    const verifier = new TokenVerifier({
      userPoolId: signer.userPoolId,
      clientId: null,
      tokenUse: null,
      revocation: false,
    })
    verifier.cacheJwks(signer.jwks)
    const nowSeconds = Math.floor(Date.now() / 1000)
    const good = signer.accessToken({ iat: nowSeconds, exp: nowSeconds + 3_600 })
    expect(await judge(verifier, good)).toBe('accepted')
    expect(await judge(verifier, signer.accessToken())).toBe('token_claim_invalid')
  })
})

describe('the error', () => {
  it('tells that a token has expired', async () => {
    const verifier = createVerifier(signer)
    await expect(verifier.verify(signer.accessToken({ exp: 5 }))).rejects.toBeInstanceOf(TokenExpiredError)
  })

  it('tells that a token is too old, and by which option', async () => {
    const verifier = createVerifier(signer, { maxTokenAgeSeconds: 30 })
    await expect(verifier.verify(signer.accessToken())).rejects.toThrow(/30 s \(maxTokenAgeSeconds\)/)
  })

  it.each(['nbf', 'iat'])('tells that %s is ahead, and by how much it may be', async (claim) => {
    const verifier = createVerifier(signer)
    const refused = verifier.verify(signer.accessToken({ [claim]: from(1_000) }))
    await expect(refused).rejects.toBeInstanceOf(TokenClaimError)
    await expect(refused).rejects.toMatchObject({ claim, actual: from(1_000) })
    await expect(refused).rejects.toThrow(/300 s/)
  })
})
