import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { claimsOf, useHarness } from './harness.js'

const harness = useHarness()

describe('signing in to FakeCognito', () => {
  it.each(['ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH'])(
    'gives an administrator tokens by %s',
    async (flow) => {
      const { cognito, adminInitiateAuth } = harness()
      const { clientId } = cognito.createClient()
      const { username, password, sub } = harness().createPerson()
      const { AuthenticationResult } = await adminInitiateAuth(flow, clientId, {
        USERNAME: username,
        PASSWORD: password,
      })
      expect(claimsOf(AuthenticationResult?.AccessToken)).toMatchObject({ sub, client_id: clientId })
    },
  )

  it('gives tokens that jose verifies against the JWKS it serves', async () => {
    const { cognito, begin } = harness()
    const { client, person, tokens } = await begin()
    const keys = createRemoteJWKSet(new URL(cognito.jwksUri))
    const access = await jwtVerify(tokens.AccessToken, keys, { issuer: cognito.issuer })
    const id = await jwtVerify(tokens.IdToken, keys, { issuer: cognito.issuer, audience: client.clientId })
    expect(access.payload).toMatchObject({
      sub: person.sub,
      username: person.username,
      client_id: client.clientId,
      token_use: 'access',
      scope: 'aws.cognito.signin.user.admin',
      version: 2,
    })
    expect(id.payload).toMatchObject({
      sub: person.sub,
      'cognito:username': person.username,
      email: person.email,
      email_verified: true,
      token_use: 'id',
    })
  })

  it('gives access and ID token one origin_jti, and each a jti', async () => {
    const { tokens } = await harness().begin()
    const [access, id] = [claimsOf(tokens.AccessToken), claimsOf(tokens.IdToken)]
    expect(access.origin_jti).toEqual(expect.any(String))
    expect(id.origin_jti).toBe(access.origin_jti)
    expect(id.event_id).toBe(access.event_id)
    expect(id.jti).not.toBe(access.jti)
  })

  it('gives two sign-ins of one user two sessions', async () => {
    const { client, person, tokens } = await harness().begin()
    const other = await harness().signIn(client, person)
    expect(claimsOf(other.AccessToken).origin_jti).not.toBe(claimsOf(tokens.AccessToken).origin_jti)
  })

  it('gives neither origin_jti nor jti while token revocation is off', async () => {
    const { tokens } = await harness().begin({ enableTokenRevocation: false })
    for (const token of [tokens.AccessToken, tokens.IdToken]) {
      expect(claimsOf(token)).not.toHaveProperty('origin_jti')
      expect(claimsOf(token)).not.toHaveProperty('jti')
    }
  })

  it('gives refresh tokens as JWEs of five parts that tell nothing', async () => {
    const { tokens } = await harness().begin()
    const parts = tokens.RefreshToken.split('.')
    expect(parts).toHaveLength(5)
    expect(JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString())).toEqual({
      cty: 'JWT',
      enc: 'A256GCM',
      alg: 'RSA-OAEP',
    })
    const originJti = String(claimsOf(tokens.AccessToken).origin_jti)
    expect(parts.map((part) => Buffer.from(part, 'base64url').toString()).join()).not.toContain(originJti)
  })

  it('gives tokens the lives that the client is set to', async () => {
    const { tokens } = await harness().begin({ accessTokenValiditySeconds: 300, idTokenValiditySeconds: 600 })
    const [access, id] = [claimsOf(tokens.AccessToken), claimsOf(tokens.IdToken)]
    expect(tokens.ExpiresIn).toBe(300)
    expect(access.exp).toBe((access.iat ?? 0) + 300)
    expect(id.exp).toBe((id.iat ?? 0) + 600)
  })

  it('names the groups of a user, and leaves the claim out for a user of none', async () => {
    const { cognito, createPerson, signIn } = harness()
    const client = cognito.createClient()
    const member = await signIn(client, createPerson({ groups: ['admin', 'staff'] }))
    const other = await signIn(client, createPerson())
    expect(claimsOf(member.AccessToken)['cognito:groups']).toEqual(['admin', 'staff'])
    expect(claimsOf(member.IdToken)['cognito:groups']).toEqual(['admin', 'staff'])
    expect(claimsOf(other.AccessToken)).not.toHaveProperty('cognito:groups')
  })

  it('takes an email as an alias, and puts the real username in the tokens', async () => {
    const { cognito, createPerson, initiateAuth } = harness()
    const { clientId } = cognito.createClient()
    const { username, email, password } = createPerson()
    const { AuthenticationResult } = await initiateAuth('USER_PASSWORD_AUTH', clientId, {
      USERNAME: email,
      PASSWORD: password,
    })
    expect(claimsOf(AuthenticationResult?.AccessToken).username).toBe(username)
  })

  it('challenges a user who must change the password, and gives no tokens', async () => {
    const { cognito, createPerson, initiateAuth } = harness()
    const { clientId } = cognito.createClient()
    const { username, email, password } = createPerson({ status: 'FORCE_CHANGE_PASSWORD' })
    const result = await initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME: email, PASSWORD: password })
    expect(result).toMatchObject({
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session: expect.stringMatching(/^.{20,2048}$/),
      ChallengeParameters: { USER_ID_FOR_SRP: username },
    })
    expect(JSON.parse(result.ChallengeParameters?.userAttributes ?? '')).toEqual({
      email,
      email_verified: 'true',
    })
    expect(result.AuthenticationResult).toBeUndefined()
  })
})
