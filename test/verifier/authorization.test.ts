import { beforeAll, describe, expect, it, vi } from 'vitest'
import {
  InsufficientScopeError,
  TokenClaimError,
  TokenExpiredError,
  TokenNotRevocableError,
} from '../../src/errors.js'
import { TokenVerifier } from '../../src/verifier.js'
import type { CustomJwtCheck } from '../../src/verifier-options.js'
import { type Claims, NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { SpyMemoryStore } from '../support/spy-store.js'
import { createVerifier, judge, judgeSync, refusalOf } from '../support/verdicts.js'

let signer: RawSigner

beforeAll(async () => {
  signer = await RawSigner.create()
})

describe('scope', () => {
  it.each([
    ['orders/read', 'orders/read', 'accepted'],
    ['orders/read', 'openid orders/read email', 'accepted'],
    [['orders/read', 'orders/write'], 'orders/write', 'accepted'],
    [['orders/read', 'orders/write'], 'openid', 'insufficient_scope'],
    ['orders/read', 'orders/readwrite', 'insufficient_scope'],
    ['orders/read', 'my-orders/read', 'insufficient_scope'],
    ['orders/read', 'ORDERS/READ', 'insufficient_scope'],
    ['orders/read', '', 'insufficient_scope'],
    ['orders/read', undefined, 'insufficient_scope'],
    ['orders/read', 'a,orders/read', 'insufficient_scope'],
    [null, undefined, 'accepted'],
    [undefined, undefined, 'accepted'],
  ])('%j is met by %j: %s', (scope, granted, verdict) => {
    const verifier = createVerifier(signer, scope === undefined ? {} : { scope })
    expect(judgeSync(verifier, signer.accessToken({ scope: granted }))).toBe(verdict)
  })

  it('is met by no ID token, which has none', () => {
    expect(judgeSync(createVerifier(signer, { scope: 'openid' }), signer.idToken())).toBe(
      'insufficient_scope',
    )
  })

  it('is told in the error: 403, and which scopes would do', async () => {
    const verifier = createVerifier(signer, { scope: ['orders/read', 'orders/write'] })
    const error = await refusalOf(verifier.verify(signer.accessToken()))
    expect(error).toBeInstanceOf(InsufficientScopeError)
    expect(error).toMatchObject({ status: 403, requiredScopes: ['orders/read', 'orders/write'] })
  })

  it('stays asked for whatever is done to what an error says', async () => {
    const verifier = createVerifier(signer, { scope: ['orders/read'] })
    const error = (await refusalOf(verifier.verify(signer.accessToken()))) as InsufficientScopeError
    try {
      ;(error.requiredScopes as string[]).length = 0
    } catch (forbidden) {
      expect(forbidden).toBeInstanceOf(TypeError)
    }
    expect(judgeSync(verifier, signer.accessToken())).toBe('insufficient_scope')
  })
})

describe('groups', () => {
  it.each([
    ['admin', ['admin'], 'accepted'],
    ['admin', ['reader', 'admin'], 'accepted'],
    [['admin', 'owner'], ['owner'], 'accepted'],
    [['admin', 'owner'], ['reader'], 'insufficient_scope'],
    ['admin', [], 'insufficient_scope'],
    ['admin', undefined, 'insufficient_scope'],
    ['admin', ['administrator'], 'insufficient_scope'],
    ['admin', ['Admin'], 'insufficient_scope'],
    [null, undefined, 'accepted'],
  ])('%j is met by %j: %s', (groups, memberOf, verdict) => {
    const verifier = createVerifier(signer, { groups })
    expect(judgeSync(verifier, signer.accessToken({ 'cognito:groups': memberOf }))).toBe(verdict)
    expect(judgeSync(verifier, signer.idToken({ 'cognito:groups': memberOf }))).toBe(verdict)
  })

  it('are told in the error, which names no scope', async () => {
    const error = await refusalOf(createVerifier(signer, { groups: 'admin' }).verify(signer.accessToken()))
    expect(error).toMatchObject({ code: 'insufficient_scope', status: 403, requiredScopes: [] })
    expect(error.message).toContain('admin')
  })

  it('are asked for beside the scope: both must be met', () => {
    const verifier = createVerifier(signer, { groups: 'admin', scope: 'orders/read' })
    const verdict = (claims: Claims) => judgeSync(verifier, signer.accessToken(claims))
    expect(verdict({ scope: 'orders/read', 'cognito:groups': ['admin'] })).toBe('accepted')
    expect(verdict({ scope: 'orders/read' })).toBe('insufficient_scope')
    expect(verdict({ 'cognito:groups': ['admin'] })).toBe('insufficient_scope')
  })
})

describe('requiredClaims', () => {
  it.each([
    ['there', { 'custom:tenant': 'one' }, 'accepted'],
    ['there and null', { 'custom:tenant': null }, 'accepted'],
    ['there and false', { 'custom:tenant': false }, 'accepted'],
    ['not there', {}, 'token_claim_invalid'],
  ])('must be there, whatever their value: %s', (_what, claims, verdict) => {
    const verifier = createVerifier(signer, { requiredClaims: ['sub', 'custom:tenant'] })
    expect(judgeSync(verifier, signer.accessToken(claims))).toBe(verdict)
  })

  it('are not met by what every object has', async () => {
    const verifier = createVerifier(signer, { requiredClaims: ['toString'] })
    const error = await refusalOf(verifier.verify(signer.accessToken()))
    expect(error).toMatchObject({ claim: 'toString', expected: 'to be present' })
  })
})

describe('customJwtCheck', () => {
  const token = () => signer.accessToken({ 'custom:tenant': 'one' })

  it.each<[string, CustomJwtCheck]>([
    ['synchronous', () => {}],
    ['asynchronous', async () => {}],
  ])('lets a token through: %s', async (_how, customJwtCheck) => {
    expect(await judge(createVerifier(signer, { customJwtCheck }), token())).toBe('accepted')
  })

  it.each<[string, (thrown: unknown) => CustomJwtCheck]>([
    [
      'throws',
      (thrown) => () => {
        throw thrown
      },
    ],
    ['rejects', (thrown) => () => Promise.reject(thrown)],
  ])('refuses a token when it %s: an error of its own becomes the cause', async (_how, refuse) => {
    for (const thrown of [new Error('not this tenant'), 'text', undefined, null, { status: 418 }]) {
      const verifier = createVerifier(signer, { customJwtCheck: refuse(thrown) })
      const error = await refusalOf(verifier.verify(token()))
      expect(error).toBeInstanceOf(TokenClaimError)
      expect(error).toMatchObject({ claim: 'customJwtCheck', status: 401 })
      expect(error.cause).toBe(thrown)
    }
  })

  it.each<[string, (thrown: unknown) => CustomJwtCheck]>([
    [
      'throws',
      (thrown) => () => {
        throw thrown
      },
    ],
    ['rejects', (thrown) => () => Promise.reject(thrown)],
  ])('refuses a token when it %s: an error of the library goes on as it is', async (_how, refuse) => {
    for (const thrown of [
      new InsufficientScopeError('not this tenant'),
      new TokenExpiredError('not today'),
    ]) {
      const verifier = createVerifier(signer, { customJwtCheck: refuse(thrown) })
      expect(await refusalOf(verifier.verify(token()))).toBe(thrown)
    }
  })

  it('is handed the header, the claims, and the public key that signed', async () => {
    const check = vi.fn<CustomJwtCheck>()
    await createVerifier(signer, { customJwtCheck: check }).verify(token())
    expect(check).toHaveBeenCalledExactlyOnceWith({
      header: signer.header,
      payload: signer.accessClaims({ 'custom:tenant': 'one' }),
      jwk: signer.jwk,
    })
  })

  it('is handed no private part of a key, even where the pool publishes one', async () => {
    const check = vi.fn<CustomJwtCheck>()
    const pool = { userPoolId: signer.userPoolId, jwks: { keys: [signer.privateJwk] } }
    await createVerifier(pool, { customJwtCheck: check }).verify(token())
    expect(check.mock.calls[0]?.[0].jwk).toEqual(signer.jwk)
  })

  it('is asked on every call, also when the signature is remembered', async () => {
    const check = vi.fn<CustomJwtCheck>()
    const verifier = createVerifier(signer, { customJwtCheck: check })
    const same = token()
    await verifier.verify(same)
    await verifier.verify(same)
    verifier.verifySync(same)
    expect(check).toHaveBeenCalledTimes(3)
  })

  it('is not asked about a token that fails before', async () => {
    const check = vi.fn<CustomJwtCheck>()
    const verifier = createVerifier(signer, { customJwtCheck: check, scope: 'orders/read' })
    await refusalOf(verifier.verify(token()))
    await refusalOf(verifier.verify(signer.accessToken({ scope: 'orders/read', exp: 1 })))
    expect(check).not.toHaveBeenCalled()
  })

  it.each<[string, string, () => unknown]>([
    ['true', 'accepted', () => true],
    ['false', 'token_claim_invalid', () => false],
    ['a promise of false', 'token_claim_invalid', async () => false],
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about
    ['a thenable', 'accepted', () => ({ then: (resolve: () => void) => resolve() })],
    [
      'a thenable that rejects',
      'token_claim_invalid',
      // biome-ignore lint/suspicious/noThenProperty: the same
      () => ({ then: (_: unknown, reject: () => void) => reject() }),
    ],
  ])('that gives %s has the token %s', async (_, verdict, check) => {
    const verifier = createVerifier(signer, { customJwtCheck: check as never })
    expect(await judge(verifier, signer.accessToken())).toBe(verdict)
  })

  it('cannot change what the next call is handed', async () => {
    const seen: unknown[] = []
    const customJwtCheck: CustomJwtCheck = ({ header, jwk }) => {
      seen.push(structuredClone({ header, jwk }))
      for (const shared of [header, jwk]) {
        try {
          Object.assign(shared, { kid: 'tampered' })
        } catch {
          // Frozen is as good.
        }
      }
    }
    const verifier = createVerifier(signer, { customJwtCheck })
    const same = token()
    await verifier.verify(same)
    await verifier.verify(same)
    expect(seen[1]).toEqual(seen[0])
  })

  it('is the one of the pool that the token is of', async () => {
    const [ours, theirs] = [vi.fn<CustomJwtCheck>(), vi.fn<CustomJwtCheck>()]
    const pool = { userPoolId: signer.userPoolId, clientId: null, tokenUse: null }
    const verifier = new TokenVerifier({
      pools: [
        { ...pool, userPoolId: 'us-east-1_Another1', customJwtCheck: theirs },
        { ...pool, customJwtCheck: ours },
      ],
      revocation: false,
      clock: () => NOW_SECONDS * 1000,
    })
    verifier.cacheJwks(signer.jwks, signer.userPoolId)
    await verifier.verify(token())
    expect([ours.mock.calls.length, theirs.mock.calls.length]).toEqual([1, 0])
  })
})

describe('a token without origin_jti', () => {
  const left = { origin_jti: undefined }

  it.each([
    ['an access token', () => signer.accessToken(left)],
    ['an ID token', () => signer.idToken(left)],
    ['without any jti', () => signer.accessToken({ ...left, jti: undefined })],
    ["a user's whose sub is the client's id", () => signer.machineToken({ username: 'jane' })],
    ["an ID token whose sub is the client's id", () => signer.idToken({ ...left, sub: signer.clientId })],
  ])('is refused, with the remedy in the message: %s', async (_what, mint) => {
    const verifier = createVerifier(signer, { revocation: new SpyMemoryStore() })
    const error = await refusalOf(verifier.verify(mint()))
    expect(error).toBeInstanceOf(TokenNotRevocableError)
    expect(error).toMatchObject({ code: 'token_not_revocable', status: 401 })
    expect(error.message).toMatch(/EnableTokenRevocation.*allowUnrevocable/)
    expect(() => verifier.verifySync(mint())).toThrow(TokenNotRevocableError)
  })

  it('is accepted with allowUnrevocable, and looked up by what it has', async () => {
    const store = new SpyMemoryStore()
    const verifier = createVerifier(signer, { revocation: store, allowUnrevocable: true })
    expect(await judge(verifier, signer.accessToken(left))).toBe('accepted')
    expect(store.lookUps[0]?.token).toMatchObject({ originJti: undefined, sub: signer.accessClaims().sub })
  })

  it("is accepted where it is a machine's, and looked up by what it has", async () => {
    const store = new SpyMemoryStore()
    const verifier = createVerifier(signer, { revocation: store })
    expect(await judge(verifier, signer.machineToken())).toBe('accepted')
    expect(judgeSync(verifier, signer.machineToken())).toBe('accepted')
    expect(store.lookUps.map(({ token }) => [token.sub, token.clientId])).toEqual([
      [signer.clientId, signer.clientId],
      [signer.clientId, signer.clientId],
    ])
  })

  it('is accepted where revocation is done without', async () => {
    const verifier = createVerifier(signer, { revocation: false })
    expect(await judge(verifier, signer.accessToken(left))).toBe('accepted')
    expect(judgeSync(verifier, signer.accessToken(left))).toBe('accepted')
  })
})
