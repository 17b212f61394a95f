import { beforeAll, describe, expect, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions, UserPoolOptions } from '../../src/verifier-options.js'
import { type Claims, NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { createVerifier, judge, judgeSync, type Verdict } from '../support/verdicts.js'

let signer: RawSigner

beforeAll(async () => {
  signer = await RawSigner.create()
})

/** Has somebody put a member on Object.prototype for as long as something goes on. */
async function polluted(name: string, value: unknown, during: () => Promise<void>): Promise<void> {
  Object.defineProperty(Object.prototype, name, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  })
  try {
    await during()
  } finally {
    Reflect.deleteProperty(Object.prototype, name)
  }
}

/** What can be asked of a token, so that each claim matters somewhere. */
const OPTIONS: Readonly<Record<string, Partial<SharedVerifierOptions & UserPoolOptions>>> = {
  'anything goes': {},
  'one client only': { clientId: '1example23456789' },
  'a scope': { scope: ['aws.cognito.signin.user.admin', 'orders/read'] },
  'a group': { groups: 'admin' },
  'required claims': {
    requiredClaims: ['jti', 'origin_jti', 'auth_time', 'nbf', 'aud', 'username', 'cognito:groups'],
  },
  'a limited age': { maxTokenAgeSeconds: 3_600 },
}

/** Each claim that the library reads, and what would do for it. */
const CLAIMS: readonly (readonly [claim: string, value: unknown])[] = [
  ['sub', '1example23456789'],
  ['iss', 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_RawPool01'],
  ['exp', NOW_SECONDS + 3_000],
  ['iat', NOW_SECONDS - 60],
  ['nbf', NOW_SECONDS - 60],
  ['auth_time', NOW_SECONDS - 100],
  ['jti', 'polluted'],
  ['origin_jti', 'polluted'],
  ['client_id', '1example23456789'],
  ['aud', '1example23456789'],
  ['token_use', 'access'],
  ['token_use', 'id'],
  ['username', 'jane'],
  ['cognito:username', 'jane'],
  ['scope', 'aws.cognito.signin.user.admin'],
  ['cognito:groups', ['admin']],
]

/** Tokens that have everything but this one claim. */
function tokensWithout(claim: string): string[] {
  const times = { auth_time: NOW_SECONDS - 50, nbf: NOW_SECONDS - 60 }
  const left: Claims = { ...times, aud: signer.clientId, 'cognito:groups': ['admin'], [claim]: undefined }
  return [signer.accessToken(left), signer.idToken(left), signer.machineToken(left)]
}

/** A verifier by whose store nothing that these tokens have is revoked, but what somebody has made up. */
async function strict(options: Partial<SharedVerifierOptions & UserPoolOptions>): Promise<TokenVerifier> {
  const revocation = new MemoryRevocationStore({ clock: () => NOW_SECONDS * 1000 })
  const { userPoolId: poolId } = signer
  const expiresAt = NOW_SECONDS + 3_600
  await revocation.add([
    { poolId, scope: 'token', id: 'polluted', expiresAt },
    { poolId, scope: 'session', id: 'polluted', expiresAt },
    // After the sign-in that is on the prototype, and before the tokens were issued.
    { poolId, scope: 'user', id: String(signer.accessClaims().sub), cutoff: NOW_SECONDS - 80, expiresAt },
  ])
  return createVerifier(signer, { revocation, ...options })
}

describe('A claim that somebody has put on Object.prototype', () => {
  it.each(CLAIMS.flatMap(([claim, value]) => Object.keys(OPTIONS).map((asked) => ({ claim, value, asked }))))(
    'is not in a token that lacks $claim, where $asked is asked for',
    async ({ claim, value, asked }) => {
      const options = OPTIONS[asked] ?? {}
      const tokens = tokensWithout(claim)
      // Made before: what somebody puts there would be an option of theirs as well.
      const [cold, alsoCold, warm] = [await strict(options), await strict(options), await strict(options)]
      const before = tokens.map((token) => judgeSync(warm, token))
      const verdicts: Verdict[][] = []
      await polluted(claim, value, async () => {
        verdicts.push(tokens.map((token) => judgeSync(cold, token)))
        verdicts.push(tokens.map((token) => judgeSync(warm, token)))
        for (const verifier of [alsoCold, cold, warm]) {
          verdicts.push(await Promise.all(tokens.map((token) => judge(verifier, token))))
        }
      })
      expect(verdicts).toEqual(verdicts.map(() => before))
    },
  )

  it.each(CLAIMS)('is not among the claims that verify gives: %s', async (claim, value) => {
    const verifier = createVerifier(signer, { allowUnrevocable: true })
    const good = tokensWithout(claim).filter(
      (token) => judgeSync(createVerifier(signer), token) === 'accepted',
    )
    await polluted(claim, value, async () => {
      for (const token of good) {
        const claims = [verifier.verifySync(token), await verifier.verify(token), verifier.recall(token)]
        for (const each of claims) expect(Object.hasOwn(each ?? {}, claim)).toBe(false)
      }
    })
  })
})

describe('A member of the header that somebody has put on Object.prototype', () => {
  it.each([
    ['alg', 'RS256'],
    ['kid', 'the own'],
  ])('is not in a token that lacks %s', async (name, text) => {
    const token = signer.accessToken({}, { [name]: undefined })
    const warm = createVerifier(signer)
    expect(judgeSync(warm, signer.accessToken())).toBe('accepted')
    await polluted(name, name === 'kid' ? signer.kid : text, async () => {
      for (const verifier of [createVerifier(signer), warm]) {
        expect(judgeSync(verifier, token)).toBe('token_malformed')
        expect(await judge(verifier, token)).toBe('token_malformed')
      }
    })
  })
})

describe('A session that was revoked', () => {
  it('stays so while, and after, somebody has put a cutoff on Object.prototype', async () => {
    const revocation = new MemoryRevocationStore()
    const { userPoolId: poolId } = signer
    const id = 'session'
    await revocation.add([{ poolId, scope: 'session', id, expiresAt: NOW_SECONDS + 3_600 }])
    const verifier = createVerifier(signer, { revocation, maxCachedTokens: 10 })
    const token = signer.accessToken({ origin_jti: id })
    await polluted('cutoff', 5, async () => {
      expect(await judge(verifier, token)).toBe('token_revoked')
    })
    expect(await judge(verifier, token)).toBe('token_revoked')
  })
})
