import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { TokenMinter } from '../../src/testing/index.js'

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/

describe('TokenMinter', () => {
  let minter: TokenMinter
  beforeAll(async () => {
    minter = await TokenMinter.create()
  })

  it('signs access and ID tokens that jose verifies with the keys it publishes', async () => {
    const keys = createLocalJWKSet(minter.jwks)
    for (const token of [minter.accessToken(), minter.idToken()]) {
      const { payload } = await jwtVerify(token, keys, { issuer: minter.issuer, algorithms: ['RS256'] })
      expect(payload.sub).toBe('aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee')
    }
  })

  it('gives access tokens the claims that Cognito gives them', () => {
    const claims = decodeJwt(minter.accessToken())
    expect(claims).toEqual({
      sub: expect.stringMatching(uuid),
      iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_FakePool1',
      version: 2,
      client_id: '1example23456789',
      origin_jti: expect.stringMatching(uuid),
      event_id: expect.stringMatching(uuid),
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin',
      auth_time: claims.iat,
      iat: expect.any(Number),
      exp: (claims.iat ?? 0) + 3600,
      jti: expect.stringMatching(uuid),
      username: 'my-test-user',
    })
  })

  it('gives ID tokens the claims that Cognito gives them', () => {
    const claims = decodeJwt(minter.idToken())
    expect(claims).toEqual({
      sub: expect.stringMatching(uuid),
      iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_FakePool1',
      aud: '1example23456789',
      origin_jti: expect.stringMatching(uuid),
      event_id: expect.stringMatching(uuid),
      token_use: 'id',
      'cognito:username': 'my-test-user',
      email: 'my-test-user@example.com',
      email_verified: true,
      auth_time: claims.iat,
      iat: expect.any(Number),
      exp: (claims.iat ?? 0) + 3600,
      jti: expect.stringMatching(uuid),
    })
  })

  it('writes only kid and alg in the header, as Cognito does', () => {
    expect(decodeProtectedHeader(minter.accessToken())).toEqual({
      kid: minter.jwks.keys[0]?.kid,
      alg: 'RS256',
    })
  })

  it('signs access and ID tokens with different keys', () => {
    const [access, id] = minter.jwks.keys
    expect(decodeProtectedHeader(minter.accessToken()).kid).toBe(access?.kid)
    expect(decodeProtectedHeader(minter.idToken()).kid).toBe(id?.kid)
    expect(access?.n).not.toBe(id?.n)
  })

  it('publishes the public parts of its keys and no others', () => {
    for (const key of minter.jwks.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
      expect(Buffer.from(key.n, 'base64url')).toHaveLength(256)
    }
  })

  it('gives every token a jti and an origin_jti of its own', () => {
    const [one, other] = [decodeJwt(minter.accessToken()), decodeJwt(minter.accessToken())]
    expect(one.jti).not.toBe(other.jti)
    expect(one.origin_jti).not.toBe(other.origin_jti)
  })

  it('lets any claim be overridden', () => {
    const claims = decodeJwt(minter.accessToken({ sub: 'somebody', 'cognito:groups': ['admin'], exp: 1 }))
    expect(claims).toMatchObject({ sub: 'somebody', 'cognito:groups': ['admin'], exp: 1 })
  })

  it.each(['origin_jti', 'exp', 'sub', 'token_use'])('leaves out %s where it is undefined', (claim) => {
    expect(decodeJwt(minter.accessToken({ [claim]: undefined }))).not.toHaveProperty(claim)
    expect(decodeJwt(minter.idToken({ [claim]: undefined }))).not.toHaveProperty(claim)
  })

  it('lets auth_time and exp follow an iat that was given', () => {
    expect(decodeJwt(minter.accessToken({ iat: 1000 }))).toMatchObject({
      iat: 1000,
      auth_time: 1000,
      exp: 4600,
    })
  })

  it('lays a header that was given over its own', () => {
    const token = minter.sign({ any: 'thing' }, { header: { alg: 'none', kid: undefined, typ: 'JWT' } })
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'none', typ: 'JWT' })
  })

  it('signs exactly the payload it is given, with the key that was asked for', () => {
    const token = minter.sign({ token_use: 'access' }, { use: 'id' })
    expect(decodeJwt(token)).toEqual({ token_use: 'access' })
    expect(decodeProtectedHeader(token).kid).toBe(minter.jwks.keys[1]?.kid)
  })

  it('chooses the key by token_use where none was asked for', () => {
    expect(decodeProtectedHeader(minter.sign({ token_use: 'id' })).kid).toBe(minter.jwks.keys[1]?.kid)
    expect(decodeProtectedHeader(minter.sign({ token_use: 'access' })).kid).toBe(minter.jwks.keys[0]?.kid)
  })
})

describe('TokenMinter.create', () => {
  it('takes pool, client and clock, and derives the issuer from the pool', async () => {
    const minter = await TokenMinter.create({
      userPoolId: 'eu-central-1_AbCdEfGhI',
      clientId: 'my-client',
      clock: () => 1_700_000_000_999,
    })
    expect(decodeJwt(minter.accessToken())).toMatchObject({
      iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
      client_id: 'my-client',
      iat: 1_700_000_000,
    })
  })

  it('takes an issuer of any other form', async () => {
    const issuer = 'https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_FakePool1'
    const minter = await TokenMinter.create({ issuer })
    expect(decodeJwt(minter.idToken()).iss).toBe(issuer)
  })

  it('makes keys of its own for each minter', async () => {
    const [one, other] = await Promise.all([TokenMinter.create(), TokenMinter.create()])
    await expect(jwtVerify(one.accessToken(), createLocalJWKSet(other.jwks))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    })
  })

  it.each(['', 'us-east-1', 'us-east-1_', '_x', 'us-east-1_a/b'])(
    'refuses the user pool id %j by name',
    async (userPoolId) => {
      await expect(TokenMinter.create({ userPoolId })).rejects.toThrow(/userPoolId/)
    },
  )
})

describe('TokenMinter.rotateKeys', () => {
  it('takes the old keys out of the JWKS and signs with new ones', async () => {
    const minter = await TokenMinter.create()
    const before = minter.accessToken()
    const oldKids = minter.jwks.keys.map(({ kid }) => kid)
    await minter.rotateKeys()
    const newKids = minter.jwks.keys.map(({ kid }) => kid)
    expect(new Set([...oldKids, ...newKids]).size).toBe(4)
    const keys = createLocalJWKSet(minter.jwks)
    await expect(jwtVerify(before, keys)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' })
    await expect(jwtVerify(minter.accessToken(), keys)).resolves.toBeDefined()
    await expect(jwtVerify(minter.idToken(), keys)).resolves.toBeDefined()
  })
})
