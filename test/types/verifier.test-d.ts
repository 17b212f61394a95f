import { describe, expectTypeOf, it } from 'vitest'
import {
  type CognitoAccessTokenClaims,
  type CognitoClaims,
  type CognitoIdTokenClaims,
  type Explanation,
  MemoryRevocationStore,
  type TokenUse,
  TokenVerifier,
} from '../../src/index.js'
import { FakeCognito, TokenMinter } from '../../src/testing/index.js'

const userPoolId = 'us-east-1_AbCdEfGhI'
const clientId = '1example23456789'
const revocation = new MemoryRevocationStore()
const pool = { userPoolId, clientId, tokenUse: 'access', revocation } as const

describe('the claims that verify gives', () => {
  it("are an access token's where tokenUse is 'access'", () => {
    const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation })
    expectTypeOf(verifier).toEqualTypeOf<TokenVerifier<'access'>>()
    expectTypeOf(verifier.verify).returns.resolves.toEqualTypeOf<CognitoAccessTokenClaims>()
    expectTypeOf(verifier.verifySync).returns.toEqualTypeOf<CognitoAccessTokenClaims>()
  })

  it("are an ID token's where tokenUse is 'id'", () => {
    const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: 'id', revocation })
    expectTypeOf(verifier.verify).returns.resolves.toEqualTypeOf<CognitoIdTokenClaims>()
    expectTypeOf(verifier.verifySync).returns.toEqualTypeOf<CognitoIdTokenClaims>()
  })

  it('are either where tokenUse is null, to be told apart by token_use', () => {
    const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: null, revocation })
    expectTypeOf(verifier.verify).returns.resolves.toEqualTypeOf<CognitoClaims>()
    const claims = verifier.verifySync('token')
    if (claims.token_use === 'access') {
      expectTypeOf(claims).toEqualTypeOf<CognitoAccessTokenClaims>()
      expectTypeOf(claims.client_id).toEqualTypeOf<string>()
    } else {
      expectTypeOf(claims).toEqualTypeOf<CognitoIdTokenClaims>()
      expectTypeOf(claims.aud).toEqualTypeOf<string>()
    }
  })

  it('are either where tokenUse is only known when it runs', () => {
    const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: 'id' as TokenUse, revocation })
    expectTypeOf(verifier.verify).returns.resolves.toEqualTypeOf<CognitoClaims>()
  })

  it('are those of all pools where there are several', () => {
    const second = 'us-east-1_Second'
    const both = new TokenVerifier({
      pools: [
        { userPoolId, clientId, tokenUse: 'access' },
        { userPoolId: second, clientId: null, tokenUse: 'id' },
      ],
      revocation,
    })
    expectTypeOf(both.verify).returns.resolves.toEqualTypeOf<CognitoClaims>()
    const access = new TokenVerifier({
      pools: [
        { userPoolId, clientId, tokenUse: 'access' },
        { userPoolId: second, clientId: null, tokenUse: 'access' },
      ],
      revocation,
    })
    expectTypeOf(access.verify).returns.resolves.toEqualTypeOf<CognitoAccessTokenClaims>()
  })

  it('are typed, where Cognito always or never gives them', () => {
    const claims = new TokenVerifier(pool).verifySync('token')
    expectTypeOf(claims.sub).toEqualTypeOf<string>()
    expectTypeOf(claims.iss).toEqualTypeOf<string>()
    expectTypeOf(claims.exp).toEqualTypeOf<number>()
    expectTypeOf(claims.token_use).toEqualTypeOf<'access'>()
    expectTypeOf(claims.client_id).toEqualTypeOf<string>()
    expectTypeOf(claims.scope).toEqualTypeOf<string | undefined>()
    expectTypeOf(claims.origin_jti).toEqualTypeOf<string | undefined>()
    expectTypeOf(claims['cognito:groups']).toEqualTypeOf<readonly string[] | undefined>()
  })

  it('are unknown where they are custom ones', () => {
    expectTypeOf(new TokenVerifier(pool).verifySync('token')['custom:tenant']).toEqualTypeOf<unknown>()
  })

  it('cannot be written', () => {
    const claims = new TokenVerifier(pool).verifySync('token')
    // @ts-expect-error: readonly
    claims.sub = 'somebody else'
    // @ts-expect-error: readonly
    claims.exp += 3_600
    // @ts-expect-error: readonly
    claims['custom:tenant'] = 'another'
    // @ts-expect-error: readonly, to the depth of the groups
    claims['cognito:groups']?.push('admin')
  })

  it('have no client_id where they are of an ID token', () => {
    const claims = new TokenVerifier({ ...pool, tokenUse: 'id' }).verifySync('token')
    // @ts-expect-error: it is in aud
    const id: string = claims.client_id
    expectTypeOf(id).toEqualTypeOf<string>()
  })
})

describe('the options of a TokenVerifier', () => {
  it('must say where revocations are looked up, or that they are not', () => {
    // @ts-expect-error: revocation is missing
    new TokenVerifier({ userPoolId, clientId, tokenUse: 'access' })
    // @ts-expect-error: undefined is no way to say that there are none
    new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation: undefined })
    // @ts-expect-error: nor is null
    new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation: null })
    // @ts-expect-error: nor is true
    new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation: true })
    // @ts-expect-error: missing with several pools, too
    new TokenVerifier({ pools: [{ userPoolId, clientId, tokenUse: 'access' }] })
    new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation: false })
  })

  it('must say the pool, the app client and the token use', () => {
    // @ts-expect-error: userPoolId is missing
    new TokenVerifier({ clientId, tokenUse: 'access', revocation })
    // @ts-expect-error: clientId is missing
    new TokenVerifier({ userPoolId, tokenUse: 'access', revocation })
    // @ts-expect-error: tokenUse is missing
    new TokenVerifier({ userPoolId, clientId, revocation })
    // @ts-expect-error: clientId is missing in one of several pools
    new TokenVerifier({ pools: [{ userPoolId, tokenUse: 'access' }], revocation })
  })

  it('cannot be misspelt', () => {
    // @ts-expect-error: allowUnrevocable
    new TokenVerifier({ ...pool, allowUnrevokable: true })
    // @ts-expect-error: scope
    new TokenVerifier({ ...pool, scopes: 'openid' })
    // @ts-expect-error: graceSeconds
    new TokenVerifier({ ...pool, graceSecs: 5 })
    // @ts-expect-error: onRevocationUnavailable
    new TokenVerifier({ ...pool, onRevocationUnavailble: 'accept' })
    // @ts-expect-error: jwks.cooldownMs
    new TokenVerifier({ ...pool, jwks: { cooldown: 5 } })
    new TokenVerifier({
      // @ts-expect-error: graceSeconds, in one of several pools
      pools: [{ userPoolId, clientId, tokenUse: 'access', graceSecs: 5 }],
      revocation,
    })
  })

  it('have no other values than are meant', () => {
    // @ts-expect-error: no such token use
    new TokenVerifier({ ...pool, tokenUse: 'refresh' })
    // @ts-expect-error: 'reject' or 'accept'
    new TokenVerifier({ ...pool, onRevocationUnavailable: 'ignore' })
    // @ts-expect-error: a number
    new TokenVerifier({ ...pool, graceSeconds: '5' })
    // @ts-expect-error: an empty object is no store
    new TokenVerifier({ ...pool, revocation: {} })
  })

  it('are of one pool or of several, not of both', () => {
    // @ts-expect-error: clientId belongs into the pools
    new TokenVerifier({ pools: [{ userPoolId, clientId, tokenUse: 'access' }], revocation, clientId })
  })

  it('take a list of app clients, or null for any', () => {
    new TokenVerifier({ ...pool, clientId: [clientId, 'another'] as const })
    new TokenVerifier({ ...pool, clientId: null })
  })
})

describe('a TokenVerifier', () => {
  it('takes the keys of the testing kit', async () => {
    const verifier = new TokenVerifier(pool)
    verifier.cacheJwks((await TokenMinter.create()).jwks)
    verifier.cacheJwks((await FakeCognito.create()).minter.jwks, userPoolId)
  })

  it('verifies strings and nothing else, and explains anything', () => {
    const verifier = new TokenVerifier(pool)
    // @ts-expect-error: there may be no header
    verifier.verify(undefined as string | undefined)
    expectTypeOf(verifier.explain).parameter(0).toEqualTypeOf<unknown>()
    expectTypeOf(verifier.explain).returns.resolves.toEqualTypeOf<Explanation>()
  })
})
