import { inspect } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CognitoRevocationError, InsufficientScopeError } from '../../src/errors.js'
import type { Check, CheckResult, Explanation } from '../../src/explanation.js'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions, UserPoolOptions } from '../../src/verifier-options.js'
import { JwksServer } from '../support/jwks-server.js'
import { NOW_SECONDS, partsOf, RawSigner } from '../support/raw-signer.js'
import { SpyMemoryStore, SpyStore } from '../support/spy-store.js'
import { createVerifier, judge, refusalOf } from '../support/verdicts.js'

type Outcome = CheckResult['outcome']

/** In the order in which `verify` makes them. */
const CHECKS: readonly Check[] = [
  ...(['shape', 'header', 'issuer', 'expiry', 'key', 'signature', 'claims', 'time'] as const),
  ...(['scope', 'custom', 'revocable', 'revocation'] as const),
]

let signer: RawSigner

beforeAll(async () => {
  signer = await RawSigner.create()
})

const strict: Partial<SharedVerifierOptions & UserPoolOptions> = {
  clientId: '1example23456789',
  tokenUse: 'access',
  scope: 'orders/read',
  requiredClaims: ['jti'],
  customJwtCheck: ({ payload }) => {
    if (payload['custom:blocked'] === true) throw new Error('blocked')
  },
}

const mint = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  signer.accessToken({ scope: 'orders/read', ...claims }, header)

function outcomes({ checks }: Explanation): Partial<Record<Check, Outcome>> {
  return Object.fromEntries(checks.map(({ check, outcome }) => [check, outcome]))
}

/** All passed but those that are given. */
function allPassedBut(others: Partial<Record<Check, Outcome>>): Partial<Record<Check, Outcome>> {
  return { ...Object.fromEntries(CHECKS.map((check) => [check, 'passed'])), ...others }
}

/** Passed up to this one, which failed; what comes after was not reached. */
function failedAt(failed: Check): Partial<Record<Check, Outcome>> {
  const at = CHECKS.indexOf(failed)
  const outcome = (index: number) => (index < at ? 'passed' : index === at ? 'failed' : 'skipped')
  return Object.fromEntries(CHECKS.map((check, index) => [check, outcome(index)]))
}

function forged(): string {
  const [header, payload] = partsOf(mint())
  return `${header}.${payload}.${partsOf(signer.idToken())[2]}`
}

describe('explain of a token that is not its issuer’s', () => {
  it.each<[string, Check, string, () => unknown]>([
    ['no string', 'shape', 'token_malformed', () => 5],
    ['no token', 'shape', 'token_malformed', () => 'a.b.c'],
    ['too long', 'shape', 'token_malformed', () => mint({ x: 'x'.repeat(20_000) })],
    ['with a payload that is no object', 'shape', 'token_malformed', () => signer.sign(signer.header, '[]')],
    ['signed with nothing', 'header', 'token_malformed', () => mint({}, { alg: 'none' })],
    ['with crit', 'header', 'token_malformed', () => mint({}, { crit: ['exp'] })],
    ['without kid', 'header', 'token_malformed', () => mint({}, { kid: undefined })],
    ['of another issuer', 'issuer', 'token_claim_invalid', () => mint({ iss: 'https://issuer.example' })],
    ['of no issuer', 'issuer', 'token_claim_invalid', () => mint({ iss: undefined })],
    ['with a signature of another token', 'signature', 'token_signature_invalid', forged],
  ])('says which check failed and skips the rest: %s', async (_what, check, code, token) => {
    const store = new SpyMemoryStore()
    const explanation = await createVerifier(signer, { ...strict, revocation: store }).explain(token())
    expect(explanation.accepted).toBe(false)
    expect(explanation.error).toBeInstanceOf(CognitoRevocationError)
    expect(explanation.error).toMatchObject({ code })
    expect(outcomes(explanation)).toEqual(failedAt(check))
    expect(explanation.checks.find((result) => result.check === check)?.error).toBe(explanation.error)
    expect(explanation).not.toHaveProperty('claims')
    expect(explanation).not.toHaveProperty('revocation')
    expect(store.lookUps).toEqual([])
  })

  it('says that its claims are of the wrong type, and skips the rest', async () => {
    const store = new SpyMemoryStore()
    const verifier = createVerifier(signer, { ...strict, revocation: store })
    const explanation = await verifier.explain(mint({ sub: 5 }))
    expect(outcomes(explanation)).toEqual(failedAt('claims'))
    expect(explanation.error).toMatchObject({ code: 'token_claim_invalid', claim: 'sub' })
    expect(store.lookUps).toEqual([])
  })
})

describe('explain of a token past a good signature', () => {
  it.each<[string, Check, string, Record<string, unknown>]>([
    ['of the wrong use', 'claims', 'token_claim_invalid', { token_use: 'id', aud: '1example23456789' }],
    ["another client's", 'claims', 'token_claim_invalid', { client_id: 'another' }],
    ['without a required claim', 'claims', 'token_claim_invalid', { jti: undefined }],
    ['expired', 'expiry', 'token_expired', { exp: NOW_SECONDS }],
    ['not valid yet', 'time', 'token_claim_invalid', { nbf: NOW_SECONDS + 1_000 }],
    ['without the scope', 'scope', 'insufficient_scope', { scope: 'openid' }],
    ['refused by the custom check', 'custom', 'token_claim_invalid', { 'custom:blocked': true }],
    ['without origin_jti', 'revocable', 'token_not_revocable', { origin_jti: undefined }],
  ])('shows the one check that failed among the others: %s', async (_what, check, code, claims) => {
    const verifier = createVerifier(signer, { ...strict, revocation: new SpyMemoryStore() })
    const explanation = await verifier.explain(mint(claims))
    expect(explanation.accepted).toBe(false)
    expect(explanation.error).toMatchObject({ code })
    expect(outcomes(explanation)).toEqual(allPassedBut({ [check]: 'failed' }))
    expect(explanation.claims).toEqual(signer.accessClaims({ scope: 'orders/read', ...claims }))
  })

  it('shows all that failed, and gives as the error what verify would throw', async () => {
    const match = { poolId: signer.userPoolId, scope: 'user', id: 'jane', expiresAt: 9e9 }
    const verifier = createVerifier(signer, { ...strict, revocation: new SpyMemoryStore(() => match) })
    const token = mint({
      ...{ client_id: 'another', nbf: NOW_SECONDS + 1_000, scope: 'openid', 'custom:blocked': true },
      origin_jti: undefined,
    })
    const explanation = await verifier.explain(token)
    expect(outcomes(explanation)).toEqual(
      allPassedBut({
        ...{ claims: 'failed', time: 'failed', scope: 'failed', custom: 'failed' },
        ...{ revocable: 'failed', revocation: 'failed' },
      }),
    )
    expect(explanation.error).toEqual(await refusalOf(verifier.verify(token)))
    expect(explanation.error).toMatchObject({ claim: 'client_id' })
    expect(explanation.revocation?.match).toEqual(match)
  })
})

describe('explain of a good token', () => {
  it('says that every check passed, gives the claims, and where the answer came from', async () => {
    const verifier = createVerifier(signer, { ...strict, revocation: new SpyMemoryStore() })
    const explanation = await verifier.explain(mint())
    expect(explanation.accepted).toBe(true)
    expect(explanation).not.toHaveProperty('error')
    expect(outcomes(explanation)).toEqual(allPassedBut({}))
    expect(explanation.claims).toEqual(signer.accessClaims({ scope: 'orders/read' }))
    expect(explanation.revocation).toEqual({ match: undefined, source: 'memory', ageMs: 0 })
  })

  it('has the checks in the order in which verify makes them', async () => {
    const { checks } = await createVerifier(signer).explain(mint())
    expect(checks.map(({ check }) => check)).toEqual(CHECKS)
  })

  it('skips revocation where it is done without', async () => {
    const explanation = await createVerifier(signer, { revocation: false }).explain(mint())
    expect(explanation.accepted).toBe(true)
    expect(outcomes(explanation)).toEqual(allPassedBut({ revocable: 'skipped', revocation: 'skipped' }))
  })

  it('waits for a custom check that is asynchronous', async () => {
    const customJwtCheck = async () => {
      throw new InsufficientScopeError('not today')
    }
    const explanation = await createVerifier(signer, { customJwtCheck }).explain(mint())
    expect(explanation.error).toBeInstanceOf(InsufficientScopeError)
    expect(outcomes(explanation)).toMatchObject({ scope: 'passed', custom: 'failed' })
  })

  it('makes the checks afresh, also of a token that verify remembers', async () => {
    const verifier = createVerifier(signer, { revocation: new SpyMemoryStore() })
    const token = mint()
    await verifier.verify(token)
    expect(outcomes(await verifier.explain(token))).toEqual(allPassedBut({}))
  })

  it('tells nothing to the observer of tokens refused', async () => {
    const events: ObserverEvent[] = []
    const verifier = createVerifier(signer, { observer: (event) => events.push(event) })
    await verifier.explain('no token')
    expect(events).toEqual([])
  })
})

describe('explain of a revoked token', () => {
  it('shows the record that matched, out of memory', async () => {
    const store = new MemoryRevocationStore()
    const claims = signer.accessClaims()
    const revocation = {
      poolId: signer.userPoolId,
      scope: 'session' as const,
      id: String(claims.origin_jti),
      expiresAt: NOW_SECONDS + 1,
    }
    await store.add([revocation])
    const explanation = await createVerifier(signer, { revocation: store }).explain(mint())
    expect(explanation.accepted).toBe(false)
    expect(explanation.error).toMatchObject({ code: 'token_revoked', scope: 'session' })
    expect(outcomes(explanation)).toEqual(allPassedBut({ revocation: 'failed' }))
    expect(explanation.revocation).toEqual({ match: revocation, source: 'memory', ageMs: 0 })
  })

  it('shows how old a memory is at most', async () => {
    const store = Object.assign(new SpyMemoryStore(), { staleness: () => 1_234 })
    const { revocation } = await createVerifier(signer, { revocation: store }).explain(mint())
    expect(revocation).toEqual({ match: undefined, source: 'memory', ageMs: 1_234 })
  })

  it('shows the record that matched, where the store was asked, and how long that took', async () => {
    const match = { poolId: signer.userPoolId, scope: 'user', id: 'jane', cutoff: 5, expiresAt: 9e9 }
    const store = new SpyStore(async () => match)
    const { revocation, error } = await createVerifier(signer, { revocation: store }).explain(mint())
    expect(revocation).toEqual({ match, source: 'store', ageMs: expect.any(Number) })
    expect(revocation?.ageMs).toBeGreaterThanOrEqual(0)
    expect(error).toMatchObject({ code: 'token_revoked', scope: 'user' })
  })
})

describe('explain while something is out of reach', () => {
  const down = () =>
    new SpyStore(() => {
      throw new Error('down')
    })

  let server: JwksServer
  let verifier: TokenVerifier

  beforeEach(async () => {
    server = await JwksServer.start(signer.jwks)
    verifier = new TokenVerifier({
      userPoolId: signer.userPoolId,
      jwksUri: server.jwksUri,
      clientId: null,
      tokenUse: null,
      revocation: false,
      clock: () => NOW_SECONDS * 1000,
    })
  })

  afterEach(async () => {
    await verifier.close()
    await server.close()
  })

  it('says that revocation is unknown: the store is down', async () => {
    const explanation = await createVerifier(signer, { revocation: down() }).explain(mint())
    expect(explanation.accepted).toBe(false)
    expect(explanation.error).toMatchObject({ code: 'revocation_unavailable', status: 503 })
    expect(outcomes(explanation)).toEqual(allPassedBut({ revocation: 'unknown' }))
    expect(explanation).not.toHaveProperty('revocation')
  })

  it('says that revocation is unknown and the token accepted: the owner chose so', async () => {
    const options = { revocation: down(), onRevocationUnavailable: 'accept' } as const
    const verifier = createVerifier(signer, options)
    const explanation = await verifier.explain(mint())
    expect(explanation.accepted).toBe(true)
    expect(explanation).not.toHaveProperty('error')
    expect(outcomes(explanation)).toEqual(allPassedBut({ revocation: 'unknown' }))
    expect(explanation.checks.at(-1)?.error).toMatchObject({ code: 'revocation_unavailable' })
    expect(await judge(verifier, mint())).toBe('accepted')
  })

  it('does not excuse what else is wrong because the owner accepts an unknown revocation', async () => {
    const options = { revocation: down(), onRevocationUnavailable: 'accept' } as const
    const explanation = await createVerifier(signer, options).explain(mint({ exp: 1 }))
    expect(explanation.accepted).toBe(false)
    expect(explanation.error).toMatchObject({ code: 'token_expired' })
  })

  it('does not excuse what is known to be revoked', async () => {
    const store = new SpyStore(async () => ({ scope: 'user' }))
    const options = { revocation: store, onRevocationUnavailable: 'accept' } as const
    const explanation = await createVerifier(signer, options).explain(mint())
    expect(explanation.accepted).toBe(false)
    expect(outcomes(explanation)).toEqual(allPassedBut({ revocation: 'failed' }))
  })

  it('says that the key is unknown: the JWKS is down', async () => {
    server.fail()
    const explanation = await verifier.explain(mint())
    expect(explanation.accepted).toBe(false)
    expect(explanation.error).toMatchObject({ code: 'jwks_unavailable' })
    expect(outcomes(explanation)).toEqual({ ...failedAt('key'), key: 'unknown' })
  })

  it('says that the key check failed: the JWKS has no such key', async () => {
    const explanation = await verifier.explain(mint({}, { kid: 'unknown' }))
    expect(explanation.error).toMatchObject({ code: 'token_key_unknown' })
    expect(outcomes(explanation)).toEqual(failedAt('key'))
  })
})

describe('what explain gives', () => {
  it('contains no token, of whatever kind it is', async () => {
    const verifier = createVerifier(signer, { ...strict, revocation: new SpyMemoryStore() })
    const tokens = [
      ...[mint(), forged(), mint({ sub: 5 }), mint({ exp: 1 }), mint({ iss: 'https://issuer.example' })],
      ...[mint({}, { alg: 'none' }), `${mint()}.`, `${mint()}=`, mint({ x: 'x'.repeat(20_000) })],
    ]
    for (const token of tokens) {
      const shown = inspect(await verifier.explain(token), { depth: 20, showHidden: true })
      for (const part of partsOf(token)) expect(shown).not.toContain(part)
      expect(shown).not.toContain(partsOf(token)[2].slice(0, 40))
    }
  })

  it('agrees with verify on whether the token is acceptable, and why not', async () => {
    const verifier = createVerifier(signer, { ...strict, revocation: new SpyMemoryStore() })
    const tokens = [
      ...[mint(), 'no token', forged(), mint({ sub: 5 }), mint({ exp: 1 }), mint({ scope: '' })],
      ...[mint({ origin_jti: undefined }), mint({ 'custom:blocked': true }), mint({}, { alg: 'HS256' })],
      signer.machineToken(),
    ]
    for (const token of tokens) {
      const { accepted, error } = await verifier.explain(token)
      const verdict = accepted ? 'accepted' : (error as CognitoRevocationError).code
      expect(verdict).toBe(await judge(verifier, token))
    }
  })
})
