import {
  CreateUserPoolClientCommand,
  type CreateUserPoolClientCommandInput,
  DescribeUserPoolClientCommand,
  UpdateUserPoolClientCommand,
  type UpdateUserPoolClientCommandInput,
  type UserPoolClientType,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { claimsOf, createSdk, type Harness, refusal, useHarness } from './harness.js'

const harness = useHarness()

type Update = Omit<UpdateUserPoolClientCommandInput, 'UserPoolId' | 'ClientId'>
type Create = Omit<CreateUserPoolClientCommandInput, 'UserPoolId'>

const poolOf = ({ cognito }: Harness) => ({ UserPoolId: cognito.userPoolId })

async function describeClient(ClientId: string): Promise<UserPoolClientType> {
  const command = new DescribeUserPoolClientCommand({ ...poolOf(harness()), ClientId })
  return (await harness().sdk.send(command)).UserPoolClient ?? {}
}

async function update(ClientId: string, settings: Update): Promise<UserPoolClientType> {
  const command = new UpdateUserPoolClientCommand({ ...poolOf(harness()), ClientId, ...settings })
  return (await harness().sdk.send(command)).UserPoolClient ?? {}
}

async function create(settings: Create): Promise<UserPoolClientType & { ClientId: string }> {
  const command = new CreateUserPoolClientCommand({ ...poolOf(harness()), ...settings })
  const { UserPoolClient } = await harness().sdk.send(command)
  return { ...UserPoolClient, ClientId: UserPoolClient?.ClientId ?? '' }
}

/** What goes over the wire, newer fields and all. */
async function ask(operation: string, parameters: object): Promise<Record<string, Record<string, unknown>>> {
  const response = await fetch(harness().cognito.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      authorization: 'AWS4-HMAC-SHA256 fake',
    },
    body: JSON.stringify({ ...poolOf(harness()), ...parameters }),
  })
  return (await response.json()) as Record<string, Record<string, unknown>>
}

describe('DescribeUserPoolClient', () => {
  it('tells what a test has set', async () => {
    const { clientId } = harness().cognito.createClient({
      clientName: 'web',
      accessTokenValiditySeconds: 5,
      enableTokenRevocation: false,
      refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 9 },
    })
    const { CreationDate, LastModifiedDate, ...described } = await describeClient(clientId)
    expect(described).toEqual({
      UserPoolId: harness().cognito.userPoolId,
      ClientId: clientId,
      ClientName: 'web',
      ClientType: 'REGULAR',
      AccessTokenValidity: 5,
      IdTokenValidity: 3_600,
      RefreshTokenValidity: 2_592_000,
      TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'seconds', RefreshToken: 'seconds' },
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_ADMIN_USER_PASSWORD_AUTH'],
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 9 },
      EnableTokenRevocation: false,
      PreventUserExistenceErrors: 'LEGACY',
      AllowedOAuthFlowsUserPoolClient: false,
      EnablePropagateAdditionalUserContextData: false,
      AuthSessionValidity: 3,
    })
    expect([CreationDate, LastModifiedDate]).toEqual([expect.any(Date), expect.any(Date)])
  })

  it('tells the secret, if there is one', async () => {
    const { clientId, clientSecret } = harness().cognito.createClient({ generateSecret: true })
    expect(await describeClient(clientId)).toMatchObject({ ClientSecret: clientSecret })
  })

  it('tells when the client was made and when it was changed', async () => {
    const { cognito } = harness()
    cognito.clock.set(1_700_000_000_000)
    const { clientId } = cognito.createClient()
    cognito.clock.set(1_700_000_100_000)
    await update(clientId, {})
    const { CreationDate, LastModifiedDate } = await describeClient(clientId)
    expect(CreationDate?.getTime()).toBeGreaterThanOrEqual(1_700_000_000_000)
    expect(CreationDate?.getTime()).toBeLessThan(1_700_000_100_000)
    expect(LastModifiedDate?.getTime()).toBeGreaterThanOrEqual(1_700_000_100_000)
  })

  it('tells settings as a newer Cognito would have them', async () => {
    const newerSettings = { Newer: ['x'], RefreshTokenRotation: { Newer: 1 } }
    const { clientId } = harness().cognito.createClient({ newerSettings })
    const { UserPoolClient } = await ask('DescribeUserPoolClient', { ClientId: clientId })
    expect(UserPoolClient).toMatchObject({
      Newer: ['x'],
      RefreshTokenRotation: { Feature: 'DISABLED', Newer: 1 },
    })
  })

  it.each(['DescribeUserPoolClient', 'UpdateUserPoolClient', 'CreateUserPoolClient'])(
    'and its like ask for credentials, the right pool and the right client: %s',
    async (operation) => {
      const { cognito } = harness()
      const { clientId: ClientId } = cognito.createClient()
      const right = { ClientId, ClientName: 'web' }
      const other = await ask(operation, { ...right, UserPoolId: 'us-east-1_Other' })
      expect(other).toMatchObject({ __type: 'ResourceNotFoundException' })
      const nameless = await ask(operation, { ClientId: undefined })
      expect(nameless).toMatchObject({ __type: 'InvalidParameterException' })
      const unsigned = await fetch(cognito.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
        },
        body: JSON.stringify({ ...poolOf(harness()), ...right }),
      })
      expect(await unsigned.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' })
      if (operation === 'CreateUserPoolClient') return
      const unknown = await ask(operation, { ...right, ClientId: 'nosuchclient' })
      expect(unknown).toMatchObject({ __type: 'ResourceNotFoundException' })
    },
  )
})

describe('UpdateUserPoolClient', () => {
  it('resets what is left out to its default, and says so', async () => {
    const { ClientId } = await create({
      ClientName: 'web',
      AccessTokenValidity: 5,
      TokenValidityUnits: { AccessToken: 'minutes' },
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      ReadAttributes: ['email'],
      CallbackURLs: ['https://app.example/'],
      PreventUserExistenceErrors: 'ENABLED',
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 5 },
      AuthSessionValidity: 10,
      EnableTokenRevocation: false,
    })
    const { LastModifiedDate: _, CreationDate: __, ...left } = await update(ClientId, {})
    expect(left).toEqual({
      ...poolOf(harness()),
      ClientId,
      ClientName: 'web',
      ClientType: 'REGULAR',
      RefreshTokenValidity: 30,
      TokenValidityUnits: {},
      ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH'],
      PreventUserExistenceErrors: 'LEGACY',
      EnableTokenRevocation: true,
      AllowedOAuthFlowsUserPoolClient: false,
      EnablePropagateAdditionalUserContextData: false,
      AuthSessionValidity: 3,
    })
  })

  it('takes effect: a flow that was left out is no longer allowed', async () => {
    const { client, person } = await harness().begin()
    await update(client.clientId, { AccessTokenValidity: 5 })
    await expect(harness().signIn(client, person)).rejects.toMatchObject(refusal('InvalidParameterException'))
  })

  it('takes effect: tokens live as long as it says, in the unit that it says', async () => {
    const { client, person } = await harness().begin()
    await update(client.clientId, {
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      AccessTokenValidity: 7,
      TokenValidityUnits: { AccessToken: 'minutes' },
    })
    const { AccessToken, IdToken } = await harness().signIn(client, person)
    const lives = [AccessToken, IdToken].map(claimsOf).map(({ exp = 0, iat = 0 }) => exp - iat)
    expect(lives).toEqual([420, 3_600])
  })

  it('takes effect: token revocation off leaves new tokens without origin_jti', async () => {
    const { client, person, tokens } = await harness().begin()
    await update(client.clientId, {
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      EnableTokenRevocation: false,
    })
    expect(claimsOf(tokens.AccessToken)).toHaveProperty('origin_jti')
    expect(claimsOf((await harness().signIn(client, person)).AccessToken)).not.toHaveProperty('origin_jti')
  })

  it('keeps the id and the secret', async () => {
    const { clientId, clientSecret } = harness().cognito.createClient({ generateSecret: true })
    expect(await update(clientId, {})).toMatchObject({ ClientId: clientId, ClientSecret: clientSecret })
  })

  it('resets newer settings that are not sent along, and keeps those that are', async () => {
    const newerSettings = { Kept: 'x', Lost: 'y', TokenValidityUnits: { Kept: 'days', Lost: 'days' } }
    const { clientId: ClientId } = harness().cognito.createClient({ newerSettings })
    const { UserPoolClient } = await ask('UpdateUserPoolClient', {
      ClientId,
      Kept: 'z',
      TokenValidityUnits: { AccessToken: 'hours', Kept: 'days' },
    })
    expect(UserPoolClient).toMatchObject({
      Kept: 'z',
      TokenValidityUnits: { AccessToken: 'hours', Kept: 'days' },
    })
    expect(JSON.stringify(UserPoolClient)).not.toContain('Lost')
  })

  it('leaves what FakeCognito.updateClient does not name as it was sent', async () => {
    const { ClientId } = await create({
      ClientName: 'web',
      AccessTokenValidity: 5,
      TokenValidityUnits: { AccessToken: 'minutes' },
      ExplicitAuthFlows: ['ADMIN_NO_SRP_AUTH'],
      ReadAttributes: ['email'],
    })
    const { LastModifiedDate: _, ...before } = await describeClient(ClientId)
    harness().cognito.updateClient(ClientId, { enableTokenRevocation: false })
    const { LastModifiedDate: __, ...after } = await describeClient(ClientId)
    expect(after).toEqual({ ...before, EnableTokenRevocation: false })
    harness().cognito.updateClient(ClientId, { idTokenValiditySeconds: 600 })
    expect(await describeClient(ClientId)).toMatchObject({
      AccessTokenValidity: 300,
      IdTokenValidity: 600,
      TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'seconds' },
      ReadAttributes: ['email'],
    })
  })

  it('is not repeated by the AWS SDK where it meets another change', async () => {
    const { cognito } = harness()
    const { clientId: ClientId } = cognito.createClient()
    const patient = createSdk(cognito.url, { maxAttempts: 3 })
    cognito.failNext('UpdateUserPoolClient', 'ConcurrentModificationException')
    const updating = patient.send(new UpdateUserPoolClientCommand({ ...poolOf(harness()), ClientId }))
    await expect(updating).rejects.toMatchObject(refusal('ConcurrentModificationException'))
  })
})

describe('CreateUserPoolClient', () => {
  it('makes a client with token revocation on and without a password flow, unless told otherwise', async () => {
    expect(await create({ ClientName: 'web' })).toMatchObject({
      EnableTokenRevocation: true,
      ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH'],
    })
  })

  it('allows the legacy flows, by which users can refresh too', async () => {
    const { cognito, createPerson, signIn, refreshByFlow } = harness()
    const { ClientId: clientId } = await create({
      ClientName: 'web',
      ExplicitAuthFlows: ['USER_PASSWORD_AUTH'],
    })
    const tokens = await signIn({ clientId }, createPerson())
    expect(await refreshByFlow({ clientId }, tokens.RefreshToken)).toHaveProperty('AccessToken')
    expect(cognito.calls.length).toBeGreaterThan(0)
  })

  it('takes undefined and null for left out', async () => {
    const { UserPoolClient } = await ask('CreateUserPoolClient', {
      ClientName: 'web',
      AccessTokenValidity: null,
    })
    expect(UserPoolClient).not.toHaveProperty('AccessTokenValidity')
  })
})

describe('both CreateUserPoolClient and UpdateUserPoolClient', () => {
  const bad = 'InvalidParameterException'
  const unit = (AccessToken: string) => ({ TokenValidityUnits: { AccessToken } })
  const oauth = { AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthScopes: ['openid'] }
  const rows: readonly (readonly [string, object])[] = [
    [bad, { ClientName: 'a/b' }],
    [bad, { ClientName: 'x'.repeat(129) }],
    [bad, { AccessTokenValidity: 299, ...unit('seconds') }],
    [bad, { AccessTokenValidity: 25 }],
    [bad, { IdTokenValidity: 86_401, TokenValidityUnits: { IdToken: 'seconds' } }],
    [bad, { RefreshTokenValidity: 59, TokenValidityUnits: { RefreshToken: 'minutes' } }],
    [bad, { RefreshTokenValidity: 3_651 }],
    [bad, { AccessTokenValidity: -1 }],
    [bad, { AccessTokenValidity: 1, ...unit('weeks') }],
    [bad, { ExplicitAuthFlows: ['ALLOW_TELEPATHY'] }],
    [bad, { ExplicitAuthFlows: ['USER_PASSWORD_AUTH', 'ALLOW_USER_SRP_AUTH'] }],
    [bad, { ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'], RefreshTokenRotation: { Feature: 'ENABLED' } }],
    [bad, { RefreshTokenRotation: { RetryGracePeriodSeconds: 5 } }],
    [bad, { RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 61 } }],
    [bad, { PreventUserExistenceErrors: 'MAYBE' }],
    [bad, { AuthSessionValidity: 2 }],
    [bad, { AuthSessionValidity: 16 }],
    [bad, { EnablePropagateAdditionalUserContextData: true }],
    [bad, { CallbackURLs: ['http://app.example/'] }],
    [bad, { CallbackURLs: ['https://app.example/#fragment'] }],
    [bad, { LogoutURLs: ['nowhere'] }],
    [bad, { DefaultRedirectURI: 'https://app.example/' }],
    [bad, { AllowedOAuthFlows: ['password'] }],
    ['InvalidOAuthFlowException', { ...oauth }],
    ['InvalidOAuthFlowException', { ...oauth, AllowedOAuthFlows: ['client_credentials'] }],
    ['InvalidOAuthFlowException', { ...oauth, AllowedOAuthFlows: ['client_credentials', 'code'] }],
    ['ScopeDoesNotExistException', { AllowedOAuthScopes: ['nosuchscope'] }],
    ['SerializationException', { AccessTokenValidity: '5' }],
    ['SerializationException', { EnableTokenRevocation: 'true' }],
    ['SerializationException', { CallbackURLs: 'https://app.example/' }],
    ['SerializationException', { CallbackURLs: [5] }],
    ['SerializationException', { TokenValidityUnits: 'hours' }],
  ]

  it.each(rows)('refuse by %s, and change nothing: %j', async (exception, settings) => {
    const { clientId: ClientId } = harness().cognito.createClient()
    const before = await describeClient(ClientId)
    for (const operation of ['CreateUserPoolClient', 'UpdateUserPoolClient']) {
      const answer = await ask(operation, { ClientId, ClientName: 'web', ...settings })
      expect(answer, operation).toMatchObject({ __type: exception })
    }
    expect(await describeClient(ClientId)).toEqual(before)
  })

  it('take what is at the bounds', async () => {
    const settings: Create = {
      ClientName: 'x'.repeat(128),
      AccessTokenValidity: 300,
      IdTokenValidity: 1,
      RefreshTokenValidity: 60,
      TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'days', RefreshToken: 'minutes' },
      AuthSessionValidity: 15,
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 60 },
      ExplicitAuthFlows: ['ALLOW_USER_AUTH'],
      CallbackURLs: ['http://localhost:3000/', 'myapp://callback'],
      DefaultRedirectURI: 'myapp://callback',
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthScopes: ['orders/read'],
      EnablePropagateAdditionalUserContextData: true,
    }
    const { ClientId, ...made } = await create({ ...settings, GenerateSecret: true })
    expect(made).toMatchObject(settings)
    expect(await update(ClientId, settings)).toMatchObject(settings)
  })
})
