import {
  AdminGetUserCommand,
  AdminUserGlobalSignOutCommand,
  GetTokensFromRefreshTokenCommand,
  GlobalSignOutCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FakeCognito, type ReplicaOptions } from '../../src/testing/index.js'
import { claimsOf, createSdk, Harness, refusal, useHarness } from './harness.js'

const harness = useHarness()

/** A replica of the pool of this file, to be talked to like the pool. */
async function createReplica(options: Partial<ReplicaOptions> = {}) {
  const { cognito } = harness()
  const replica = await cognito.createReplica({ region: 'eu-west-1', lagMs: 60_000, ...options })
  onTestFinished(() => replica.close())
  return { replica, elsewhere: new Harness(cognito, createSdk(replica.url, { maxAttempts: 1 })) }
}

describe('A replica of FakeCognito', () => {
  it('has the same users, app clients and sessions', async () => {
    const { client, person, tokens } = await harness().begin({ generateSecret: true })
    const { replica, elsewhere } = await createReplica()
    expect(replica).toMatchObject({ region: 'eu-west-1', userPoolId: harness().cognito.userPoolId })
    await expect(elsewhere.signIn(client, person)).resolves.toBeDefined()
    const refreshed = await elsewhere.refresh(client, tokens.RefreshToken)
    expect(claimsOf(refreshed.AccessToken).origin_jti).toBe(claimsOf(tokens.AccessToken).origin_jti)
    await expect(harness().getUser(refreshed.AccessToken)).resolves.toBeDefined()
  })

  it('sees late that a session was revoked', async () => {
    const { client, tokens } = await harness().begin()
    const { elsewhere } = await createReplica()
    await harness().revoke(client, tokens.RefreshToken)
    await expect(harness().refresh(client, tokens.RefreshToken)).rejects.toThrow('revoked')
    harness().cognito.clock.advance(58)
    await expect(elsewhere.refresh(client, tokens.RefreshToken)).resolves.toBeDefined()
    harness().cognito.clock.advance(2)
    await expect(elsewhere.refresh(client, tokens.RefreshToken)).rejects.toThrow('revoked')
  })

  it('is seen late in the primary Region to have signed out a user', async () => {
    const { client, tokens } = await harness().begin({ enableTokenRevocation: false })
    const { elsewhere } = await createReplica()
    await elsewhere.sdk.send(new GlobalSignOutCommand({ AccessToken: tokens.AccessToken }))
    await expect(elsewhere.refresh(client, tokens.RefreshToken)).rejects.toThrow('revoked')
    await expect(harness().refresh(client, tokens.RefreshToken)).resolves.toBeDefined()
    await expect(harness().getUser(tokens.AccessToken)).resolves.toBeDefined()
    harness().cognito.clock.advance(60)
    await expect(harness().refresh(client, tokens.RefreshToken)).rejects.toThrow('revoked')
    await expect(harness().getUser(tokens.AccessToken)).rejects.toThrow('revoked')
  })

  it('goes by the sign-outs that it has seen while a newer one is still on its way', async () => {
    const { person, client, tokens } = await harness().begin()
    const { elsewhere } = await createReplica()
    const { cognito, sdk } = harness()
    const user = { UserPoolId: cognito.userPoolId, Username: person.username }
    await sdk.send(new AdminUserGlobalSignOutCommand(user))
    cognito.clock.advance(60)
    await sdk.send(new AdminUserGlobalSignOutCommand(user))
    await expect(elsewhere.refresh(client, tokens.RefreshToken)).rejects.toThrow('revoked')
  })

  it('leaves POST /oauth2/revoke to the primary Region, and plays the other hosted endpoints', async () => {
    const oauth = { flows: ['client_credentials'], scopes: ['orders/read'] } as const
    const { clientId, clientSecret } = harness().cognito.createClient({ oauth, generateSecret: true })
    const { replica } = await createReplica()
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
    const post = (path: string, form: Record<string, string>) =>
      fetch(`${replica.url}${path}`, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { authorization },
      })
    expect((await post('/oauth2/token', { grant_type: 'client_credentials' })).status).toBe(200)
    const refused = await post('/oauth2/revoke', { token: 'x' })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: 'operation_not_enabled' })
  })

  it('leaves to the primary Region what is of administrators, and RevokeToken', async () => {
    const { person, client, tokens } = await harness().begin()
    const { elsewhere } = await createReplica()
    const user = { UserPoolId: harness().cognito.userPoolId, Username: person.username }
    const askings = [
      () => elsewhere.sdk.send(new AdminGetUserCommand(user)),
      () => elsewhere.sdk.send(new AdminUserGlobalSignOutCommand(user)),
      () => elsewhere.revoke(client, tokens.RefreshToken),
      () => elsewhere.adminInitiateAuth('ADMIN_USER_PASSWORD_AUTH', client.clientId, {}),
    ]
    for (const ask of askings) {
      await expect(ask()).rejects.toMatchObject(refusal('OperationNotEnabledException'))
    }
  })

  it('fails by itself, and counts its own calls', async () => {
    const { client, tokens } = await harness().begin()
    const { replica, elsewhere } = await createReplica()
    replica.failNext('GetTokensFromRefreshToken', 'InternalErrorException')
    await expect(harness().refresh(client, tokens.RefreshToken)).resolves.toBeDefined()
    await expect(elsewhere.refresh(client, tokens.RefreshToken)).rejects.toThrow()
    expect(replica.calls).toHaveLength(1)
  })

  it('is there without a listener too', async () => {
    const cognito = await FakeCognito.create()
    const replica = await cognito.createReplica({ region: 'eu-west-1' })
    expect(replica.url).toBe('https://cognito-idp.eu-west-1.amazonaws.com')
    const response = await replica.fetch(new Request(replica.jwksUri))
    expect(await response.json()).toEqual(cognito.minter.jwks)
  })

  it('is closed with its pool', async () => {
    const cognito = await FakeCognito.start()
    const replica = await cognito.createReplica({ region: 'eu-west-1' })
    const sdk = createSdk(replica.url, { maxAttempts: 1 })
    await cognito.close()
    const refresh = new GetTokensFromRefreshTokenCommand({ RefreshToken: 'x', ClientId: 'y' })
    await expect(sdk.send(refresh)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it.each([
    ['region', { region: 'us-east-1' }],
    ['region', { region: 'Ireland' }],
    ['lagMs', { region: 'eu-west-1', lagMs: -1 }],
  ])('refuses a wrong %s by name', async (name, options) => {
    await expect(harness().cognito.createReplica(options)).rejects.toThrow(name)
  })
})

describe('The issuers of FakeCognito', () => {
  it('are those of Cognito, where it does not listen', async () => {
    const { issuers, issuer } = await FakeCognito.create({ issuerType: 'UPDATED' })
    expect(issuers).toEqual({
      ORIGINAL: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_FakePool1',
      UPDATED: 'https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_FakePool1',
    })
    expect(issuer).toBe(issuers.UPDATED)
  })

  it.each(['ORIGINAL', 'UPDATED'] as const)('have their documents: %s', async (type) => {
    const own = await FakeCognito.start({ issuerType: type })
    onTestFinished(() => own.close())
    for (const cognito of [own, harness().cognito]) {
      const issuer = cognito.issuers[type]
      const keys = await fetch(`${issuer}/.well-known/jwks.json`)
      expect(await keys.json()).toEqual(cognito.minter.jwks)
      const configuration = await fetch(`${issuer}/.well-known/openid-configuration`)
      expect(await configuration.json()).toMatchObject({
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
      })
    }
    expect(own.issuer).toBe(own.issuers[type])
  })

  it('can differ between the Regions, and are good in both, also after the keys were rotated', async () => {
    const { client, tokens } = await harness().begin()
    const { elsewhere, replica } = await createReplica({ issuerType: 'UPDATED' })
    const { cognito } = harness()
    expect(replica.issuer).toBe(cognito.issuers.UPDATED)
    await cognito.rotateKeys()
    const refreshed = await elsewhere.refresh(client, tokens.RefreshToken)
    expect(claimsOf(refreshed.AccessToken).iss).toBe(cognito.issuers.UPDATED)
    await expect(harness().getUser(refreshed.AccessToken)).resolves.toBeDefined()
  })
})
