import { describe, expect, it } from 'vitest'
import { FakeCognito } from '../../src/testing/index.js'
import { claimsOf, Harness, useHarness } from './harness.js'

const harness = useHarness()

describe('the calls of FakeCognito', () => {
  it('tell what was asked, in order', async () => {
    const own = new Harness(await FakeCognito.start())
    try {
      const { client, tokens } = await own.begin()
      await fetch(own.cognito.jwksUri)
      await own.revoke(client, 'garbage').catch(() => undefined)
      expect(own.cognito.calls.map(({ operation }) => operation)).toEqual([
        'InitiateAuth',
        'JWKS',
        'RevokeToken',
      ])
      expect(own.cognito.calls[2]).toMatchObject({
        parameters: { Token: 'garbage', ClientId: client.clientId },
        headers: { 'x-amz-target': 'AWSCognitoIdentityProviderService.RevokeToken' },
      })
      expect(tokens).toBeDefined()
    } finally {
      await own.cognito.close()
    }
  })

  it('tell of those too that were made to fail', async () => {
    const cognito = await FakeCognito.create()
    cognito.failNext('JWKS', 'socket hang up')
    await cognito.fetch(new Request(cognito.jwksUri)).catch(() => undefined)
    expect(cognito.calls).toHaveLength(1)
  })
})

describe('FakeCognito.rotateKeys', () => {
  it('serves new keys and signs with them', async () => {
    const cognito = await FakeCognito.create()
    const before = cognito.minter.jwks
    await cognito.rotateKeys()
    const served = await (await cognito.fetch(new Request(cognito.jwksUri))).json()
    expect(served).toEqual(cognito.minter.jwks)
    expect(served).not.toEqual(before)
  })
})

describe('the settings of FakeCognito', () => {
  it('makes the pool it is told, in the region of its id', async () => {
    const cognito = await FakeCognito.create({ userPoolId: 'eu-west-1_AbCdEfGhI' })
    expect(cognito).toMatchObject({
      region: 'eu-west-1',
      url: 'https://cognito-idp.eu-west-1.amazonaws.com',
      issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
    })
  })

  it('makes up client ids and secrets', () => {
    const { cognito } = harness()
    expect(cognito.createClient()).toEqual({ clientId: expect.stringMatching(/^[a-z0-9]{26}$/) })
    expect(cognito.createClient({ generateSecret: true })).toEqual({
      clientId: expect.any(String),
      clientSecret: expect.stringMatching(/^[a-z0-9]{51}$/),
    })
  })

  it('takes client ids and secrets', () => {
    const keys = { clientId: 'given', clientSecret: 'sekrit' }
    expect(harness().cognito.createClient(keys)).toEqual(keys)
  })

  it('changes just the settings that are given', async () => {
    const { cognito, signIn, createPerson } = harness()
    const client = cognito.createClient({ accessTokenValiditySeconds: 300, idTokenValiditySeconds: 300 })
    cognito.updateClient(client.clientId, { accessTokenValiditySeconds: 600 })
    const tokens = await signIn(client, createPerson())
    const [access, id] = [claimsOf(tokens.AccessToken), claimsOf(tokens.IdToken)]
    expect((access.exp ?? 0) - (access.iat ?? 0)).toBe(600)
    expect((id.exp ?? 0) - (id.iat ?? 0)).toBe(300)
  })

  it('takes undefined for not given', async () => {
    const { cognito, signIn, createPerson } = harness()
    const settings: object = { enableTokenRevocation: undefined, clientSecret: undefined }
    const client = cognito.createClient(settings)
    const tokens = await signIn(client, createPerson({ groups: undefined } as object))
    expect(claimsOf(tokens.AccessToken)).toHaveProperty('origin_jti')
  })

  it.each([
    ['accessTokenValiditySeconds', { accessTokenValiditySeconds: 0 }],
    ['refreshTokenValiditySeconds', { refreshTokenValiditySeconds: 1.5 }],
    [
      'retryGracePeriodSeconds',
      { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 61 } as const },
    ],
    ['generateSecret', { generateSecret: true, clientSecret: 'sekrit' }],
    ['clientSecret', { clientSecret: '' }],
  ])('refuses a wrong %s by name', (name, settings) => {
    expect(() => harness().cognito.createClient(settings)).toThrow(name)
  })

  it('refuses names that are taken', () => {
    const { cognito, createPerson } = harness()
    const { username, email, sub } = createPerson()
    const { clientId } = cognito.createClient()
    const other = { username: 'other', password: 'pw' }
    expect(() => cognito.createClient({ clientId })).toThrow(/clientId/)
    expect(() => cognito.createUser({ ...other, username })).toThrow(/username/)
    expect(() => cognito.createUser({ ...other, email })).toThrow(/email/)
    expect(() => cognito.createUser({ ...other, sub })).toThrow(/sub/)
  })

  it('refuses to change what is not there', () => {
    const { cognito } = harness()
    expect(() => cognito.updateClient('nosuchclient', {})).toThrow(/nosuchclient/)
    expect(() => cognito.updateUser('nobody', {})).toThrow(/nobody/)
  })
})
