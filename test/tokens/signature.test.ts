import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseCompactJws } from '../../src/tokens/compact-jws.js'
import { inTurn, type Place, verifySignature, verifySignatureSync } from '../../src/tokens/signature.js'
import { RawSigner } from '../support/raw-signer.js'

let signer: RawSigner

beforeAll(async () => {
  signer = await RawSigner.create()
})

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

beforeEach(async () => {
  await nextTurn()
  await nextTurn()
})

const jwsOf = (number: number) => parseCompactJws(signer.accessToken({ number }))

describe('a burst of signatures', () => {
  it('is told good from bad, on the calling thread and on the pool alike', async () => {
    const jws = Array.from({ length: 100 }, (_, number) => jwsOf(number))
    const forged = jws.map((one, index) => (index % 3 === 0 ? { ...one, signature: Buffer.alloc(256) } : one))
    const places = new Set<Place>()
    const results = await Promise.all(
      forged.map((one) =>
        inTurn((place) => {
          places.add(place)
          return verifySignature(signer.publicKey, one, place)
        }),
      ),
    )
    expect(places).toEqual(new Set(['here', 'pool']))
    expect(results).toEqual(forged.map((_, index) => index % 3 !== 0))
    expect(results).toEqual(forged.map((one) => verifySignatureSync(signer.publicKey, one)))
  })

  it('is begun at once with the first four of a turn, and goes on in those that follow', async () => {
    const one = jwsOf(1)
    const begin = (place: Place) => verifySignature(signer.publicKey, one, place)
    const burst = Array.from({ length: 10 }, () => inTurn(begin))
    expect(burst.slice(0, 4)).toEqual([true, true, true, true])
    for (const each of burst.slice(4)) expect(each).toBeInstanceOf(Promise)
    await Promise.all(burst)
    await nextTurn()
    expect(inTurn(begin)).toBe(true)
  })

  it('never has more than 32 on the pool at once', async () => {
    const one = jwsOf(1)
    let [onPool, most] = [0, 0]
    const begin = async (place: Place) => {
      if (place === 'pool') most = Math.max(most, ++onPool)
      await verifySignature(signer.publicKey, one, place)
      if (place === 'pool') onPool -= 1
    }
    await Promise.all(Array.from({ length: 300 }, () => inTurn(begin)))
    expect(most).toBeGreaterThan(4)
    expect(most).toBeLessThanOrEqual(33)
  })
})

describe('what waits for its turn', () => {
  it('is settled each for itself, also where its beginning throws', async () => {
    const one = jwsOf(1)
    const results = Array.from({ length: 40 }, (_, index) =>
      Promise.resolve()
        .then(() =>
          inTurn((place) => {
            if (index % 2 === 0) throw new Error(`no ${index}`)
            return verifySignature(signer.publicKey, one, place)
          }),
        )
        .catch((error: Error) => error.message),
    )
    expect(await Promise.all(results)).toEqual(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? `no ${index}` : true)),
    )
  })

  it('leaves the event loop its turns, however much of it never gets as far as a signature', async () => {
    const one = jwsOf(1)
    for (let index = 0; index < 4; index++) inTurn((place) => verifySignature(signer.publicKey, one, place))
    let begun = 0
    const all = Array.from({ length: 1_000 }, () => inTurn(() => ++begun))
    await nextTurn()
    await nextTurn()
    expect(begun).toBeGreaterThan(0)
    expect(begun).toBeLessThan(500)
    await Promise.all(all)
    expect(begun).toBe(1_000)
  })

  it('is not stranded by timers that are faked meanwhile', async () => {
    const one = jwsOf(1)
    const begin = (place: Place) => verifySignature(signer.publicKey, one, place)
    vi.useFakeTimers()
    const first = Array.from({ length: 4 }, () => inTurn(begin))
    vi.useRealTimers()
    const all = await Promise.all([...first, ...Array.from({ length: 8 }, () => inTurn(begin))])
    expect(all).toEqual(Array.from({ length: 12 }, () => true))
  })
})
