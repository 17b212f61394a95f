import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import type { JsonWebKey } from '../../src/tokens/signing-key.js'
import { TokenVerifier } from '../../src/verifier.js'
import { NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { judgeSync } from '../support/verdicts.js'

let signer: RawSigner
let odd: RawSigner
let weak: RawSigner
let events: ObserverEvent[]

beforeAll(async () => {
  ;[signer, odd, weak] = await Promise.all([
    RawSigner.create(),
    RawSigner.create({ kid: 'odd' }),
    RawSigner.create({ kid: 'weak', modulusLength: 1024 }),
  ])
})

beforeEach(() => {
  events = []
})

function createVerifier(...keys: readonly unknown[]): TokenVerifier {
  const verifier = new TokenVerifier({
    userPoolId: signer.userPoolId,
    clientId: null,
    tokenUse: null,
    revocation: false,
    clock: () => NOW_SECONDS * 1000,
    observer: (event) => events.push(event),
  })
  // A pool has two issuers, and each its keys: what is ignored is told for both.
  verifier.cacheJwks({ keys: keys as JsonWebKey[] })
  return verifier
}

const ignored = () =>
  events.flatMap((event) =>
    event.type === 'jwks_key_ignored' ? [{ kid: event.kid, reason: event.reason }] : [],
  )

const oddToken = (from = odd) => from.sign(from.header, signer.accessClaims())

describe('a key in the JWKS', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const ed = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })

  it.each<[string, () => Record<string, unknown>, RegExp]>([
    ['an EC key', () => ({ ...ec, kid: 'odd', alg: 'ES256', use: 'sig' }), /RSA/],
    ['an Ed25519 key', () => ({ ...ed, kid: 'odd' }), /RSA/],
    ['a shared secret', () => ({ kty: 'oct', k: 'c2VjcmV0', kid: 'odd' }), /RSA/],
    ['of use enc', () => ({ ...odd.jwk, use: 'enc' }), /use/],
    ['of no use that there is', () => ({ ...odd.jwk, use: 5 }), /use/],
    ['for RS512', () => ({ ...odd.jwk, alg: 'RS512' }), /alg/],
    ['for PS256', () => ({ ...odd.jwk, alg: 'PS256' }), /alg/],
    ['for encryption', () => ({ ...odd.jwk, alg: 'RSA-OAEP-256' }), /alg/],
    ['without a modulus', () => ({ ...odd.jwk, n: undefined }), /RSA/],
    ['with an exponent that is a number', () => ({ ...odd.jwk, e: 65537 }), /RSA/],
    ['with a modulus of nothing', () => ({ ...odd.jwk, n: '' }), /./],
    ['with a modulus that is no base64url', () => ({ ...odd.jwk, n: '!!!' }), /./],
  ])('is not used, and the observer is told: %s', (_what, jwk, reason) => {
    const verifier = createVerifier(jwk(), signer.jwk)
    expect(judgeSync(verifier, signer.accessToken())).toBe('accepted')
    expect(judgeSync(verifier, oddToken())).toBe('not_ready')
    expect(new Set(ignored().map(({ kid }) => kid))).toEqual(new Set(['odd']))
    for (const told of ignored()) expect(told.reason).toMatch(reason)
  })

  it.each([[['encrypt']], [[]], [null], [5], ['verify']])(
    'is not used, and the others are, with the key_ops %j',
    (key_ops) => {
      const jwk = { ...odd.jwk, use: undefined, key_ops } as never
      const verifier = createVerifier(jwk, signer.jwk)
      expect(judgeSync(verifier, oddToken())).toBe('not_ready')
      expect(judgeSync(verifier, signer.accessToken())).toBe('accepted')
    },
  )

  it('is not used under 2048 bits', () => {
    const verifier = createVerifier(weak.jwk, signer.jwk)
    expect(judgeSync(verifier, oddToken(weak))).toBe('not_ready')
    expect(ignored()[0]).toEqual({ kid: 'weak', reason: 'its modulus has 1024 bits, under 2048' })
  })

  it.each([[undefined], [null], [''], [5], [['odd']]])('is not used with the kid %j', (kid) => {
    const verifier = createVerifier({ ...odd.jwk, kid }, signer.jwk)
    expect(judgeSync(verifier, oddToken())).toBe('not_ready')
    expect(ignored()[0]).toMatchObject({ reason: 'it has no kid' })
  })

  it('is not used where its kid is there already: the first one stays', () => {
    const verifier = createVerifier(signer.jwk, { ...odd.jwk, kid: signer.kid })
    expect(judgeSync(verifier, signer.accessToken())).toBe('accepted')
    expect(judgeSync(verifier, odd.sign(signer.header, signer.accessClaims()))).toBe(
      'token_signature_invalid',
    )
    expect(ignored()[0]).toEqual({ kid: signer.kid, reason: 'its kid is there twice' })
  })

  it.each<[string, () => Record<string, unknown>]>([
    ['without alg', () => ({ ...odd.jwk, alg: undefined })],
    ['without use', () => ({ ...odd.jwk, use: undefined })],
    [
      'with members of other standards',
      () => ({ ...odd.jwk, x5c: ['MII'], x5t: 'a', issuer: 'b', ext: true }),
    ],
    ['with key_ops verify', () => ({ ...odd.jwk, key_ops: ['verify'] })],
    ['with its private part', () => ({ ...odd.privateJwk })],
  ])('is used %s', (_what, jwk) => {
    const verifier = createVerifier(signer.jwk, jwk())
    expect(judgeSync(verifier, oddToken())).toBe('accepted')
    expect(ignored()).toEqual([])
  })

  it('is never shown to the observer beyond its kid', () => {
    createVerifier({ ...odd.privateJwk, use: 'enc' }, signer.jwk)
    expect(ignored()).not.toEqual([])
    expect(JSON.stringify(events)).not.toContain(String(odd.privateJwk.d))
    expect(JSON.stringify(events)).not.toContain(String(odd.jwk.n))
  })
})

describe('cacheJwks', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an array', []],
    ['no keys', {}],
    ['keys that are no array', { keys: {} }],
    ['an empty JWKS', { keys: [] }],
    ['a JWKS of null', { keys: [null] }],
    ['a JWKS of text', { keys: ['key'] }],
  ])('throws a TypeError for %s, and keeps the keys it had', (_what, jwks) => {
    const verifier = createVerifier(signer.jwk)
    expect(() => verifier.cacheJwks(jwks as { keys: [] })).toThrow(TypeError)
    expect(judgeSync(verifier, signer.accessToken())).toBe('accepted')
  })

  it('throws a TypeError for a JWKS of which no key can be used', () => {
    expect(() => createVerifier(weak.jwk, { ...odd.jwk, use: 'enc' })).toThrow(/2048/)
  })

  it('replaces the keys that were there', () => {
    const verifier = createVerifier(signer.jwk)
    verifier.cacheJwks(odd.jwks)
    expect(judgeSync(verifier, oddToken())).toBe('accepted')
    expect(judgeSync(verifier, signer.accessToken())).toBe('not_ready')
  })

  it('is not changed by what is done later to the JWKS that was handed over', () => {
    const jwk = { ...signer.jwk }
    const verifier = createVerifier(jwk)
    Object.assign(jwk, odd.jwk)
    expect(judgeSync(verifier, signer.accessToken())).toBe('accepted')
  })

  it('takes the pool by its name, also where there is only one', () => {
    const verifier = createVerifier(signer.jwk)
    expect(() => verifier.cacheJwks(odd.jwks, signer.userPoolId)).not.toThrow()
    expect(() => verifier.cacheJwks(odd.jwks, 'us-east-1_Another1')).toThrow(/no such user pool/)
  })
})
