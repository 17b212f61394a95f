import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { RevocationMatch } from '../../src/revocation/revocation.js'
import type { TokenVerifier } from '../../src/verifier.js'
import { NOW_SECONDS, partsOf, RawSigner } from '../support/raw-signer.js'
import { SpyStore } from '../support/spy-store.js'
import { codeOf, createVerifier, judgeSync, type Verdict } from '../support/verdicts.js'

const EACH = 6

let signer: RawSigner
/** Several of each kind, good and bad, and what is to be said of each. */
let tokens: readonly (readonly [token: string, verdict: Verdict])[]

beforeAll(async () => {
  const [own, other] = await Promise.all([RawSigner.create(), RawSigner.create()])
  signer = own
  const forged = (jti: string) => {
    const [header, payload] = partsOf(signer.accessToken({ jti }))
    return `${header}.${payload}.${partsOf(signer.idToken({ jti }))[2]}`
  }
  const kinds: readonly (readonly [Verdict, (jti: string) => string])[] = [
    ['accepted', (jti) => signer.accessToken({ jti })],
    ['accepted', (jti) => signer.idToken({ jti })],
    ['accepted', (jti) => signer.machineToken({ jti })],
    ['token_revoked', (jti) => signer.accessToken({ jti, origin_jti: 'revoked' })],
    ['token_signature_invalid', forged],
    ['token_signature_invalid', (jti) => other.sign(signer.header, signer.accessClaims({ jti }))],
    ['token_signature_invalid', (jti) => `${signer.accessToken({ jti }).slice(0, -8)}AAAAAAAA`],
    ['token_expired', (jti) => signer.accessToken({ jti, exp: NOW_SECONDS })],
    ['token_claim_invalid', (jti) => signer.accessToken({ jti, sub: 5 })],
    ['token_not_revocable', (jti) => signer.accessToken({ jti, origin_jti: undefined })],
    ['token_malformed', (jti) => `${signer.accessToken({ jti })}=`],
  ]
  tokens = kinds.flatMap(([verdict, mint], kind) =>
    Array.from({ length: EACH }, (_, number) => [mint(`${kind}-${number}`), verdict] as const),
  )
})

const isRevoked = ({ originJti }: { originJti?: string | undefined }): RevocationMatch | undefined =>
  originJti === 'revoked'
    ? { poolId: signer.userPoolId, scope: 'session', id: 'revoked', expiresAt: 9e9 }
    : undefined

/** A verifier by whose store, which answers at once, or has to be waited for, that session is revoked. */
async function verifierWith(answers: 'at once' | 'later', maxCachedTokens: number): Promise<TokenVerifier> {
  if (answers === 'later') {
    const store = new SpyStore(async (token) => {
      await nextTurn()
      return isRevoked(token)
    })
    return createVerifier(signer, { revocation: store, maxCachedTokens })
  }
  const store = new MemoryRevocationStore()
  await store.add([
    { poolId: signer.userPoolId, scope: 'session', id: 'revoked', expiresAt: NOW_SECONDS + 60 },
  ])
  return createVerifier(signer, { revocation: store, maxCachedTokens })
}

/** What is said of a token, with the id in the claims where they are given. */
async function outcomeOf(verifier: TokenVerifier, token: string): Promise<readonly [Verdict, unknown]> {
  try {
    const { jti } = await verifier.verify(token)
    return ['accepted', jti]
  } catch (error) {
    return [codeOf(error), undefined]
  }
}

function expected([token, verdict]: readonly [string, Verdict]): readonly [Verdict, unknown] {
  if (verdict !== 'accepted') return [verdict, undefined]
  const claims: { jti: string } = JSON.parse(Buffer.from(partsOf(token)[1], 'base64url').toString())
  return [verdict, claims.jti]
}

const burst = fc.array(fc.nat(11 * EACH - 1), { minLength: 1, maxLength: 40, size: 'max' })
const verifying = fc.tuple(
  fc.constantFrom<'at once' | 'later'>('at once', 'later'),
  fc.constantFrom(0, 3, 1_000),
)

describe('Tokens that are verified all at once', () => {
  it('each get the verdict that verifySync gives them alone', async () => {
    const verifier = await verifierWith('at once', 0)
    for (const [token, verdict] of tokens) expect(judgeSync(verifier, token)).toBe(verdict)
  })

  it('each get a verdict of their own, and claims of their own, in a burst of 1 to 40', async () => {
    await fc.assert(
      fc.asyncProperty(verifying, burst, async (how, indexes) => {
        const verifier = await verifierWith(...how)
        const chosen = indexes.flatMap((index) => tokens.slice(index, index + 1))
        const outcomes = await Promise.all(chosen.map(([token]) => outcomeOf(verifier, token)))
        expect(outcomes).toEqual(chosen.map(expected))
      }),
      { numRuns: 30 },
    )
  })

  it('get them too where bursts overlap, over turns of the event loop, with others that do not wait', async () => {
    const pause = fc.constantFrom('not at all', 'a microtask', 'a turn', 'two turns')
    const bursts = fc.array(fc.tuple(burst, pause), { minLength: 2, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(verifying, bursts, async (how, list) => {
        const verifier = await verifierWith(...how)
        const synchronous = await verifierWith('at once', how[1])
        const running: Promise<void>[] = []
        const expectOutcome = async (sample: readonly [string, Verdict]) => {
          expect(await outcomeOf(verifier, sample[0])).toEqual(expected(sample))
        }
        for (const [indexes, wait] of list) {
          const chosen = indexes.flatMap((index) => tokens.slice(index, index + 1))
          running.push(...chosen.map(expectOutcome))
          for (const [token, verdict] of chosen.slice(0, 3))
            expect(judgeSync(synchronous, token)).toBe(verdict)
          if (wait === 'a microtask') await undefined
          if (wait === 'a turn' || wait === 'two turns') await nextTurn()
          if (wait === 'two turns') await nextTurn()
        }
        await Promise.all(running)
      }),
      { numRuns: 15 },
    )
  })

  it('are told apart where they are all the same', async () => {
    const verifier = await verifierWith('later', 1_000)
    for (const [sample] of [tokens.slice(0), tokens.slice(3 * EACH), tokens.slice(4 * EACH)]) {
      if (sample === undefined) throw new Error('there is no such token')
      const outcomes = await Promise.all(Array.from({ length: 40 }, () => outcomeOf(verifier, sample[0])))
      expect(outcomes).toEqual(Array.from({ length: 40 }, () => expected(sample)))
    }
  })

  it('are refused if they are revoked while their signatures are verified', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(signer, { revocation: store })
    const good = tokens.slice(0, 3 * EACH)
    const outcomes = Promise.all(good.map(([token]) => outcomeOf(verifier, token)))
    const { userPoolId: id } = signer
    await store.add([{ poolId: id, scope: 'pool', id, expiresAt: NOW_SECONDS + 60 }])
    const verdicts = (await outcomes).map(([verdict]) => verdict)
    // The first of a turn may be done by then; whatever went to the thread pool is not.
    expect(verdicts.slice(-EACH)).toEqual(Array.from({ length: EACH }, () => 'token_revoked'))
    for (const [token] of good) expect(judgeSync(verifier, token)).toBe('token_revoked')
  })
})
