import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  InsufficientScopeError,
  TokenClaimError,
  TokenExpiredError,
  TokenKeyUnknownError,
  TokenMalformedError,
  TokenNotRevocableError,
  TokenRevokedError,
  TokenSignatureError,
} from '../../src/errors.js'
import { TokenVerifier } from '../../src/verifier.js'
import { JwksServer } from '../support/jwks-server.js'
import { NOW_SECONDS, partsOf, RawSigner } from '../support/raw-signer.js'
import { SpyMemoryStore, SpyStore } from '../support/spy-store.js'
import { refusalOf } from '../support/verdicts.js'

/** A token in the making. */
interface Draft {
  header: Record<string, unknown>
  claims: Record<string, unknown>
  forged: boolean
  finish: (token: string) => string
}

interface Fault {
  readonly what: string
  readonly spoil: (draft: Draft) => void
  readonly error: new (...args: never[]) => Error
  readonly says: { readonly code: string; readonly status: number; readonly claim?: string }
}

/** Each thing that can be wrong with a token, in the order in which it is to be found out. */
const FAULTS: readonly Fault[] = [
  {
    what: 'is over 16,384 characters',
    spoil: (draft) => {
      draft.claims.padding = 'x'.repeat(16_384)
    },
    error: TokenMalformedError,
    says: { code: 'token_malformed', status: 401 },
  },
  {
    what: 'has four parts',
    spoil: (draft) => {
      draft.finish = (token) => `${token}.AAAA`
    },
    error: TokenMalformedError,
    says: { code: 'token_malformed', status: 401 },
  },
  {
    what: 'has alg none',
    spoil: ({ header }) => {
      header.alg = 'none'
    },
    error: TokenMalformedError,
    says: { code: 'token_malformed', status: 401 },
  },
  {
    what: 'has crit',
    spoil: ({ header }) => {
      header.crit = ['exp']
    },
    error: TokenMalformedError,
    says: { code: 'token_malformed', status: 401 },
  },
  {
    what: 'has a foreign issuer',
    spoil: ({ claims }) => {
      claims.iss = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Another1'
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'iss' },
  },
  {
    what: 'has expired',
    spoil: ({ claims }) => {
      claims.exp = NOW_SECONDS
    },
    error: TokenExpiredError,
    says: { code: 'token_expired', status: 401 },
  },
  {
    what: 'has an unknown kid',
    spoil: ({ header }) => {
      header.kid = 'unknown'
    },
    error: TokenKeyUnknownError,
    says: { code: 'token_key_unknown', status: 401 },
  },
  {
    what: 'has a wrong signature',
    spoil: (draft) => {
      draft.forged = true
    },
    error: TokenSignatureError,
    says: { code: 'token_signature_invalid', status: 401 },
  },
  {
    what: 'has a claim of the wrong type',
    spoil: ({ claims }) => {
      claims['cognito:groups'] = 'admin'
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'cognito:groups' },
  },
  {
    what: 'is of the wrong use',
    spoil: ({ claims }) => {
      claims.token_use = 'id'
      claims.aud ??= claims.client_id
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'token_use' },
  },
  {
    what: "is another client's",
    spoil: ({ claims }) => {
      claims.client_id = 'another-client'
      claims.aud = 'another-client'
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'client_id' },
  },
  {
    what: 'lacks a required claim',
    spoil: ({ claims }) => {
      claims['custom:tenant'] = undefined
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'custom:tenant' },
  },
  {
    what: 'is not valid before 301 s from now',
    spoil: ({ claims }) => {
      claims.nbf = NOW_SECONDS + 301
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'nbf' },
  },
  {
    what: 'was issued 301 s from now',
    spoil: ({ claims }) => {
      claims.iat = NOW_SECONDS + 301
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'iat' },
  },
  {
    what: 'has none of the scopes',
    spoil: ({ claims }) => {
      claims.scope = 'orders/write'
    },
    error: InsufficientScopeError,
    says: { code: 'insufficient_scope', status: 403 },
  },
  {
    what: 'is refused by the custom check',
    spoil: ({ claims }) => {
      claims['custom:blocked'] = true
    },
    error: TokenClaimError,
    says: { code: 'token_claim_invalid', status: 401, claim: 'customJwtCheck' },
  },
  {
    what: 'has no origin_jti',
    spoil: ({ claims }) => {
      claims.origin_jti = undefined
    },
    error: TokenNotRevocableError,
    says: { code: 'token_not_revocable', status: 401 },
  },
]

const pairs = FAULTS.flatMap((first, index) => FAULTS.slice(index + 1).map((second) => ({ first, second })))

let signer: RawSigner
let server: JwksServer
let store: SpyMemoryStore
let verifier: TokenVerifier

beforeAll(async () => {
  signer = await RawSigner.create()
  server = await JwksServer.start(signer.jwks)
  return () => server.close()
})

beforeEach(() => {
  store = new SpyMemoryStore()
  verifier = createVerifier(store)
})

function createVerifier(revocation: SpyStore): TokenVerifier {
  return new TokenVerifier({
    userPoolId: signer.userPoolId,
    jwksUri: server.jwksUri,
    clientId: signer.clientId,
    tokenUse: 'access',
    requiredClaims: ['custom:tenant'],
    scope: 'orders/read',
    groups: 'staff',
    customJwtCheck: ({ payload }) => {
      if (payload['custom:blocked'] === true) throw new Error('blocked')
    },
    clock: () => NOW_SECONDS * 1000,
    revocation,
  })
}

function mint(...faults: readonly Fault[]): string {
  const claims = signer.accessClaims({
    'custom:tenant': 'one',
    scope: 'orders/read',
    'cognito:groups': ['staff'],
  })
  const draft: Draft = { header: signer.header, claims, forged: false, finish: (token) => token }
  for (const { spoil } of faults) spoil(draft)
  const token = signer.sign(draft.header, draft.claims)
  if (!draft.forged) return draft.finish(token)
  const [header, payload] = partsOf(token)
  const [, , foreign] = partsOf(signer.sign(draft.header, {}))
  return draft.finish(`${header}.${payload}.${foreign}`)
}

describe('a token that', () => {
  it.each(FAULTS)('$what is refused by its own error', async ({ spoil, error, says, ...fault }) => {
    const refusal = await refusalOf(verifier.verify(mint({ spoil, error, says, ...fault })))
    expect(refusal).toBeInstanceOf(error)
    expect(refusal).toMatchObject(says)
  })

  it.each(FAULTS)('$what costs no look-up in the store', async (fault) => {
    const token = mint(fault)
    await refusalOf(verifier.verify(token))
    await refusalOf(verifier.verify(token))
    expect(() => verifier.verifySync(token)).toThrow()
    const asynchronous = new SpyStore()
    await refusalOf(createVerifier(asynchronous).verify(token))
    expect([...store.lookUps, ...asynchronous.lookUps]).toEqual([])
  })

  it.each(pairs)('$first.what and also $second.what is refused for the former', async ({ first, second }) => {
    const refusal = await refusalOf(verifier.verify(mint(first, second)))
    expect(refusal).toBeInstanceOf(first.error)
    expect(refusal).toMatchObject(claimMoved(first, second) ?? first.says)
    expect(store.lookUps).toEqual([])
  })

  it('has everything wrong with it is refused for its size', async () => {
    const refusal = await refusalOf(verifier.verify(mint(...FAULTS)))
    expect(refusal.message).toMatch(/longer than 16384/)
  })

  it.each(FAULTS)('$what is refused for that even if it has been revoked', async (fault) => {
    store.answerSync = () => ({
      poolId: signer.userPoolId,
      scope: 'pool',
      id: signer.userPoolId,
      expiresAt: 9e9,
    })
    const refusal = await refusalOf(verifier.verify(mint(fault)))
    expect(refusal).toBeInstanceOf(fault.error)
  })
})

/** An ID token names its client in `aud`. */
function claimMoved(first: Fault, second: Fault): object | undefined {
  const uses = [first, second].map(({ says }) => says.claim)
  return uses[0] === 'client_id' && uses[1] === 'token_use' ? { ...first.says, claim: 'aud' } : undefined
}

describe('a good token', () => {
  it('is looked up in the store exactly once, by what its claims say', async () => {
    const claims = await verifier.verify(mint())
    expect(store.lookUps).toEqual([
      {
        method: 'findSync',
        token: {
          poolId: signer.userPoolId,
          jti: claims.jti,
          originJti: claims.origin_jti,
          sub: claims.sub,
          clientId: signer.clientId,
          authTime: claims.auth_time,
          iat: claims.iat,
        },
      },
    ])
  })

  it('is looked up exactly once on every call, also when its signature is remembered', async () => {
    const token = mint()
    for (const calls of [1, 2, 3]) {
      await verifier.verify(token)
      expect(store.lookUps).toHaveLength(calls)
    }
    verifier.verifySync(token)
    expect(store.lookUps).toHaveLength(4)
  })

  it('is looked up exactly once on every call in a store that has to be asked', async () => {
    const asynchronous = new SpyStore()
    const asking = createVerifier(asynchronous)
    const token = mint()
    for (const calls of [1, 2, 3]) {
      await asking.verify(token)
      expect(asynchronous.lookUps).toHaveLength(calls)
    }
  })

  it('is refused as soon as it has been revoked, also when its signature is remembered', async () => {
    const token = mint()
    await verifier.verify(token)
    store.answerSync = ({ originJti: id = '' }) => ({
      poolId: signer.userPoolId,
      scope: 'session',
      id,
      expiresAt: 9e9,
    })
    const refusal = await refusalOf(verifier.verify(token))
    expect(refusal).toBeInstanceOf(TokenRevokedError)
    expect(refusal).toMatchObject({ code: 'token_revoked', status: 401, scope: 'session' })
    expect(() => verifier.verifySync(token)).toThrow(TokenRevokedError)
  })
})
