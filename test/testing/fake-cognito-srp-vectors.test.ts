import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { findTotp, totp } from '../../src/testing/fake-cognito/challenges/totp.js'
import { g, modPow, N, toBytes } from '../../src/testing/fake-cognito/srp/group.js'
import {
  createVerifier,
  publicValue,
  scramble,
  sessionKey,
  sharedSecret,
  signClaim,
} from '../../src/testing/fake-cognito/srp/srp.js'
import { readTimestamp } from '../../src/testing/fake-cognito/srp/timestamp.js'
import { dotNetClaim, dotNetKey, type Run, soto } from './srp-vectors.js'

// The server's own b is in no published run: they fix the verifier, k, u, the key and the signature, from the
// client's side. That a server comes to the client's secret is a test of its own.
describe('SRP at FakeCognito', () => {
  it('raises to the public value of Soto for AWS', () => {
    expect(modPow(g, number(soto.a), N)).toBe(number(soto.A))
  })

  it.each([
    ['Soto for AWS', soto],
    ["AWS's extension for .NET", dotNetKey],
  ])('derives the key of %s', (_, vector) => {
    expect(clientKey(vector).toString('hex')).toBe(vector.key)
  })

  it('signs the claim that worked at Cognito', () => {
    const { identity, secretBlock, timestamp, signature } = dotNetClaim
    expect(signClaim(clientKey(dotNetClaim), identity, secretBlock, timestamp)).toBe(signature)
  })

  it("comes to the client's secret on the server", () => {
    const { identity, password, salt, a, A } = soto
    const b = 0xb0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0n
    const verifier = createVerifier(identity, password, number(salt))
    const B = publicValue(verifier, b)
    const u = scramble(number(A), B)
    const key = sessionKey(sharedSecret(number(A), verifier, u, b), u)
    expect(key.equals(clientKey({ identity, password, salt, a, B: B.toString(16) }))).toBe(true)
  })
})

describe('the TIMESTAMP of a claim', () => {
  it('is read in the one form that there is', () => {
    expect(readTimestamp('Thu Jun 15 00:00:00 UTC 2017')).toBe(Date.UTC(2017, 5, 15))
    expect(readTimestamp('Sun Nov 8 09:07:05 UTC 2026')).toBe(Date.UTC(2026, 10, 8, 9, 7, 5))
  })

  it.each([
    'Sun Nov 08 09:07:05 UTC 2026',
    'Mon Nov 8 09:07:05 UTC 2026',
    'Sun Nov 8 9:07:05 UTC 2026',
    'Sun Nov 8 24:00:00 UTC 2026',
    'Sun Feb 31 09:07:05 UTC 2026',
    'So Nov 8 09:07:05 UTC 2026',
    'Sun Nov 8 09:07:05 GMT 2026',
    '2026-11-08T09:07:05Z',
  ])('is not %s', (text) => {
    expect(readTimestamp(text)).toBeUndefined()
  })
})

describe('the software token of FakeCognito', () => {
  /** `12345678901234567890` of RFC 6238, appendix B, whose codes have eight digits; an authenticator's are the last six. */
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

  it.each([
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ])('shows at second %i what RFC 6238 says', (seconds, code) => {
    expect(totp(secret, seconds * 1000)).toBe(code)
  })

  it('is one step late or early at most', () => {
    const at = (step: number) => totp(secret, step * 30_000)
    const taken = [-2, -1, 0, 1, 2].filter(
      (steps) => findTotp(secret, at(1000 + steps), 1000 * 30_000)?.step === 1000 + steps,
    )
    expect(taken).toEqual([-1, 0, 1])
  })
})

/** A client's side of a run: (B - k g^x)^(a + u x), with the server's own verifier, k, u and key. */
function clientKey({ identity, password, salt, a, B }: Run): Buffer {
  const { group, id } = identity
  const userHash = createHash('sha256').update(`${group}${id}:${password}`).digest()
  const hash = createHash('sha256')
    .update(toBytes(number(salt)))
    .update(userHash)
  const x = number(hash.digest('hex'))
  const k = publicValue(1n, 0n) - 1n
  const u = scramble(modPow(g, number(a), N), number(B))
  const base = (number(B) - k * createVerifier(identity, password, number(salt))) % N
  return sessionKey(modPow(base + N, number(a) + u * x, N), u)
}

function number(hex: string): bigint {
  return BigInt(`0x${hex}`)
}
