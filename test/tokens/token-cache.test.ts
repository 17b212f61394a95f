import { beforeAll, describe, expect, it } from 'vitest'
import { parseCompactJws } from '../../src/tokens/compact-jws.js'
import { verifySignature, verifySignatureSync } from '../../src/tokens/signature.js'
import { TokenCache } from '../../src/tokens/token-cache.js'
import { RawSigner } from '../support/raw-signer.js'

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

describe('verifySignature', () => {
  let signer: RawSigner
  beforeAll(async () => {
    signer = await RawSigner.create()
  })

  const jwsOf = (number: number) => parseCompactJws(signer.accessToken({ number }))

  it('tells good from bad in a burst, on the calling thread and on the pool alike', async () => {
    const jws = Array.from({ length: 24 }, (_, number) => jwsOf(number))
    const forged = jws.map((one, index) => (index % 3 === 0 ? { ...one, signature: Buffer.alloc(256) } : one))
    const results = await Promise.all(forged.map((one) => verifySignature(signer.publicKey, one)))
    expect(results).toEqual(forged.map((_, index) => index % 3 !== 0))
    expect(results).toEqual(forged.map((one) => verifySignatureSync(signer.publicKey, one)))
  })

  it('answers the first of a turn at once and leaves the rest of a burst to the thread pool', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    const one = jwsOf(1)
    const burst = Array.from({ length: 10 }, () => verifySignature(signer.publicKey, one))
    expect(burst[0]).toBe(true)
    expect(burst.at(-1)).toBeInstanceOf(Promise)
    await Promise.all(burst)
    await new Promise((resolve) => setImmediate(resolve))
    expect(verifySignature(signer.publicKey, one)).toBe(true)
  })
})
