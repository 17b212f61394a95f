import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  type CreateUserPoolClientCommandInput,
  DescribeUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CognitoTokenClient } from '../../src/client/index.js'
import * as errors from '../../src/errors.js'
import { Revoker } from '../../src/revocation/revoker.js'
import { TokenVerifier } from '../../src/verifier.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()

const OFF = { enableTokenRevocation: false }
const WRITES = { operation: 'UpdateUserPoolClient' }

/** Every setting that UpdateUserPoolClient takes, none of them as it is by default. */
const EVERY_SETTING = {
  ClientName: 'every setting',
  RefreshTokenValidity: 0,
  AccessTokenValidity: 7,
  IdTokenValidity: 8,
  TokenValidityUnits: { AccessToken: 'minutes', IdToken: 'hours', RefreshToken: 'days' },
  ReadAttributes: ['email', 'name'],
  WriteAttributes: ['email'],
  ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
  SupportedIdentityProviders: ['COGNITO', 'Google'],
  CallbackURLs: ['https://app.example/callback', 'https://app.example/other'],
  LogoutURLs: ['https://app.example/bye'],
  DefaultRedirectURI: 'https://app.example/callback',
  AllowedOAuthFlows: ['code'],
  AllowedOAuthScopes: ['openid', 'orders/read'],
  AllowedOAuthFlowsUserPoolClient: true,
  AnalyticsConfiguration: { ApplicationId: 'abc', ExternalId: 'x', UserDataShared: false },
  PreventUserExistenceErrors: 'ENABLED',
  EnablePropagateAdditionalUserContextData: true,
  AuthSessionValidity: 15,
  RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
} as const

function adminSdk({ cognito }: Scene): CognitoIdentityProviderClient {
  const sdk = new CognitoIdentityProviderClient({
    region: cognito.region,
    endpoint: cognito.url,
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
  })
  onTestFinished(() => sdk.destroy())
  return sdk
}

/** Makes an app client of the given settings behind the library's back, and a CognitoTokenClient for it. */
async function createByApi(
  scene: Scene,
  settings: Partial<Record<keyof CreateUserPoolClientCommandInput, unknown>>,
) {
  const sdk = adminSdk(scene)
  const UserPoolId = scene.cognito.userPoolId
  const input = { ClientName: 'client', UserPoolId, ...settings } as CreateUserPoolClientCommandInput
  const { UserPoolClient } = await sdk.send(new CreateUserPoolClientCommand(input))
  const clientId = UserPoolClient?.ClientId ?? ''
  const describe = async () => {
    const output = await sdk.send(new DescribeUserPoolClientCommand({ UserPoolId, ClientId: clientId }))
    const { LastModifiedDate: _, ...described } = output.UserPoolClient ?? {}
    return described
  }
  return { describe, client: scene.createClient({ clientId }) }
}

/** A client whose Cognito answers every request with this JSON; and what it was asked. */
async function createAnswered(answers: readonly object[] | string) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    const answer =
      typeof answers === 'string' ? answers : JSON.stringify({ UserPoolClient: answers[asked.length] })
    asked.push(operation)
    request.resume()
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new CognitoTokenClient({
    userPoolId: 'us-east-1_AbCdEfGhI',
    clientId: 'abc',
    store: false,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
  })
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  return { client, asked }
}
const ABC = { UserPoolId: 'us-east-1_AbCdEfGhI', ClientId: 'abc', ClientName: 'name' }

describe('describeTokenSettings', () => {
  it.each([
    ['nothing is said: the defaults', {}, [3_600, 3_600, 2_592_000]],
    [
      'no unit is said: hours and days',
      { AccessTokenValidity: 2, IdTokenValidity: 3, RefreshTokenValidity: 4 },
      [7_200, 10_800, 345_600],
    ],
    [
      'a unit each',
      {
        AccessTokenValidity: 300,
        IdTokenValidity: 5,
        RefreshTokenValidity: 6,
        TokenValidityUnits: { AccessToken: 'seconds', IdToken: 'minutes', RefreshToken: 'hours' },
      },
      [300, 300, 21_600],
    ],
    [
      'the largest there are',
      {
        AccessTokenValidity: 1,
        IdTokenValidity: 1,
        RefreshTokenValidity: 3_650,
        TokenValidityUnits: { AccessToken: 'days', IdToken: 'days' },
      },
      [86_400, 86_400, 315_360_000],
    ],
    ['zero: the default', { RefreshTokenValidity: 0 }, [3_600, 3_600, 2_592_000]],
  ])(
    'tells validities in seconds where %s',
    async (_, settings, [accessTokenSeconds, idTokenSeconds, refreshTokenSeconds]) => {
      const { client } = await createByApi(createScene(), settings)
      expect((await client.describeTokenSettings()).validity).toEqual({
        accessTokenSeconds,
        idTokenSeconds,
        refreshTokenSeconds,
      })
    },
  )

  it('tells whether revocation is on, rotation, and the flows', async () => {
    const { client } = await createByApi(createScene(), {
      ...EVERY_SETTING,
      GenerateSecret: true,
      EnableTokenRevocation: false,
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 30 },
    })
    expect(await client.describeTokenSettings()).toMatchObject({
      tokenRevocation: false,
      refreshTokenRotation: { enabled: true, retryGracePeriodSeconds: 30 },
      explicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      allowedOAuthFlows: ['code'],
    })
  })

  it('tells what holds by default of what Cognito does not mention', async () => {
    const { client } = await createAnswered([ABC])
    expect(await client.describeTokenSettings()).toEqual({
      tokenRevocation: false,
      accessTokenValiditySeconds: 3_600,
      refreshTokenValiditySeconds: 2_592_000,
      validity: { accessTokenSeconds: 3_600, idTokenSeconds: 3_600, refreshTokenSeconds: 2_592_000 },
      refreshTokenRotation: { enabled: false, retryGracePeriodSeconds: 0 },
      explicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH'],
      allowedOAuthFlows: [],
    })
  })

  it.each([
    ['access', 7_200, 300],
    ['ID', 300, 7_200],
  ])('gives the larger of both to the revoker: the %s token lives longer', async (_, access, id) => {
    const scene = createScene({ accessTokenValiditySeconds: access, idTokenValiditySeconds: id })
    const { accessTokenValiditySeconds, refreshTokenValiditySeconds } =
      await scene.client.describeTokenSettings()
    const { store, cognito } = scene
    const nowMs = cognito.clock.now()
    const revoker = new Revoker({
      store,
      poolId: cognito.userPoolId,
      accessTokenValiditySeconds,
      refreshTokenValiditySeconds,
      clock: () => nowMs,
    })
    await revoker.revokeUser('sub', { cognitoConfirmed: true })
    await revoker.revokeUser('other')
    const lives = store.added.map(({ expiresAt }) => expiresAt - Math.floor(nowMs / 1000))
    expect(lives).toEqual([7_200 + 300, 2_592_000 + 300])
  })

  it('gives a client and a verifier their options', async () => {
    const scene = createScene()
    const { accessTokenValiditySeconds, refreshTokenValiditySeconds } =
      await scene.client.describeTokenSettings()
    const client = scene.createClient({ accessTokenValiditySeconds, refreshTokenValiditySeconds })
    const { userPoolId, issuer } = scene.cognito
    const verifier = new TokenVerifier({
      userPoolId,
      issuer,
      clientId: scene.app.clientId,
      tokenUse: 'access',
      revocation: scene.store,
      clock: scene.cognito.clock.now,
      maxTokenAgeSeconds: accessTokenValiditySeconds,
    })
    const { accessToken } = await scene.signIn(scene.user, client)
    expect(await verifier.verify(accessToken)).toMatchObject({ sub: scene.user.sub })
    await client.globalSignOut({ accessToken })
    await expect(verifier.verify(accessToken)).rejects.toBeInstanceOf(errors.TokenRevokedError)
  })

  it.each([
    ['a unit that there is not', { AccessTokenValidity: 1, TokenValidityUnits: { AccessToken: 'weeks' } }],
    ['a negative validity', { IdTokenValidity: -1 }],
    ['a fraction of a second', { AccessTokenValidity: 0.5, TokenValidityUnits: { AccessToken: 'seconds' } }],
    ['more than Cognito has', { RefreshTokenValidity: 3_651 }],
    ['another app client', { ClientId: 'other' }],
    ['another pool', { UserPoolId: 'us-east-1_Other' }],
  ])('takes no answer of %s', async (_, settings) => {
    const { client } = await createAnswered([{ ...ABC, ...settings }])
    await expect(client.describeTokenSettings()).rejects.toBeInstanceOf(errors.CognitoError)
  })

  it('reads, and writes nothing', async () => {
    const scene = createScene(OFF)
    await scene.client.describeTokenSettings()
    expect(scene.takeCalls()).toEqual(['DescribeUserPoolClient'])
  })
})

describe('enableTokenRevocation', () => {
  const CHANGE = { field: 'EnableTokenRevocation', from: false, to: true }

  it('turns it on, and says so', async () => {
    const scene = createScene(OFF)
    expect(await scene.client.enableTokenRevocation()).toEqual({ changed: true, changes: [CHANGE] })
    expect(await scene.client.describeTokenSettings()).toMatchObject({ tokenRevocation: true })
  })

  it('makes new sessions ones that can be revoked', async () => {
    const scene = createScene(OFF)
    const before = await scene.signIn()
    expect(await scene.judge(before)).toBe('token_not_revocable')
    await scene.client.enableTokenRevocation()
    const after = await scene.signIn()
    expect(await scene.judge(after)).toBe('accepted')
    await scene.client.revokeRefreshToken(after)
    expect(await scene.judge(after)).toBe('token_revoked')
  })

  it('changes nothing else: every setting is carried over', async () => {
    const settings = { ...EVERY_SETTING, GenerateSecret: true, EnableTokenRevocation: false }
    const { client, describe } = await createByApi(createScene(), settings)
    const before = await describe()
    await client.enableTokenRevocation()
    expect(await describe()).toEqual({ ...before, EnableTokenRevocation: true })
  })

  it('sends all that Cognito takes, and nothing else', async () => {
    const scene = createScene()
    const { client } = await createByApi(scene, {
      ...EVERY_SETTING,
      RefreshTokenValidity: 9,
      GenerateSecret: true,
      EnableTokenRevocation: false,
    })
    await client.enableTokenRevocation()
    const { RefreshTokenValidity: _, ...settings } = EVERY_SETTING
    expect(scene.cognito.calls.at(-1)).toMatchObject(WRITES)
    const sent = scene.cognito.calls.at(-1)?.parameters as object
    expect(sent).toEqual({
      ...settings,
      RefreshTokenValidity: 9,
      EnableTokenRevocation: true,
      UserPoolId: scene.cognito.userPoolId,
      ClientId: expect.any(String),
    })
    expect(Object.keys(sent)).toHaveLength(23)
  })

  it('only tells on a dry run', async () => {
    const scene = createScene(OFF)
    expect(await scene.client.enableTokenRevocation({ dryRun: true })).toEqual({
      changed: false,
      changes: [CHANGE],
    })
    expect(scene.takeCalls()).toEqual(['DescribeUserPoolClient'])
  })

  it.each([false, true])('does nothing where it is on: dry run %s', async (dryRun) => {
    const scene = createScene({ newerSettings: { Newer: 1 } })
    expect(await scene.client.enableTokenRevocation({ dryRun })).toEqual({ changed: false, changes: [] })
    expect(scene.takeCalls()).toEqual(['DescribeUserPoolClient'])
  })

  it('tells that it was not mentioned', async () => {
    const { client } = await createAnswered([ABC])
    const { changes } = await client.enableTokenRevocation({ dryRun: true })
    expect(changes).toEqual([{ ...CHANGE, from: undefined }])
  })

  it.each([
    ['NewerSetting', { NewerSetting: 'x' }],
    ['NewerSetting', { NewerSetting: null }],
    ['NewerSetting', { NewerSetting: {} }],
    ['__proto__', JSON.parse('{"__proto__":{"NewerSetting":1}}')],
    ['RefreshTokenRotation.Newer', { RefreshTokenRotation: { Newer: 1 } }],
    ['TokenValidityUnits.DeviceToken', { TokenValidityUnits: { DeviceToken: 'days' } }],
    ['AnalyticsConfiguration.Newer', { AnalyticsConfiguration: { Newer: { deep: true } } }],
  ])('refuses, rather than reset it, a setting that it does not know: %s', async (field, newerSettings) => {
    for (const dryRun of [true, false]) {
      const scene = createScene({ ...OFF, newerSettings })
      const error = await thrownBy(() => scene.client.enableTokenRevocation({ dryRun }))
      expect(error).toBeInstanceOf(errors.CognitoConfigurationError)
      expect(error.message).toContain(`reset: ${field}. Nothing was changed`)
      expect(scene.takeCalls()).toEqual(['DescribeUserPoolClient'])
    }
  })

  it('carries values over that this version does not know', async () => {
    const settings = { ...ABC, ExplicitAuthFlows: ['ALLOW_TELEPATHY'], PreventUserExistenceErrors: 'MAYBE' }
    const { client } = await createAnswered([settings, { ...settings, EnableTokenRevocation: true }])
    expect(await client.enableTokenRevocation()).toMatchObject({ changed: true })
  })

  it('refuses to write where it cannot see the answer itself', async () => {
    const sent: string[] = []
    const sdk = {
      middlewareStack: { add: () => {}, remove: () => {} },
      send: async (command: object) => {
        sent.push(command.constructor.name)
        return { UserPoolClient: ABC }
      },
    }
    const client = new CognitoTokenClient({
      userPoolId: 'us-east-1_AbCdEfGhI',
      clientId: 'abc',
      store: false,
      sdk: sdk as never,
    })
    await expect(client.enableTokenRevocation()).rejects.toBeInstanceOf(errors.CognitoConfigurationError)
    expect(sent).toEqual(['DescribeUserPoolClientCommand'])
  })

  it('refuses an answer of more than a mebibyte', async () => {
    const { client, asked } = await createAnswered(
      JSON.stringify({ UserPoolClient: { ...ABC, ClientName: 'x'.repeat(1024 * 1024) } }),
    )
    await expect(client.enableTokenRevocation()).rejects.toBeInstanceOf(errors.CognitoUnavailableError)
    expect(asked).not.toContain('UpdateUserPoolClient')
  })

  it.each([
    ['ReadAttributes', { ReadAttributes: ['email'] }],
    ['CallbackURLs', { CallbackURLs: undefined }],
    [
      'RefreshTokenRotation.RetryGracePeriodSeconds',
      { RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 1 } },
    ],
    ['AccessTokenValidity', { AccessTokenValidity: 2 }],
    ['EnableTokenRevocation', { EnableTokenRevocation: false }],
    ['NewerSetting', { NewerSetting: true }],
  ])('says so where afterwards %s is not what was sent', async (field, settings) => {
    const before = {
      ...ABC,
      CallbackURLs: ['https://app.example/'],
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 0 },
    }
    const after = { ...before, EnableTokenRevocation: true, ...settings }
    const { client } = await createAnswered([before, after])
    const error = await thrownBy(() => client.enableTokenRevocation())
    expect(error).toBeInstanceOf(errors.CognitoConfigurationError)
    expect(error.message).toContain(`not what was sent: ${field}. `)
    expect(error.message).toContain(`is ${field === 'EnableTokenRevocation' ? 'not on' : 'on'} now`)
  })

  it('is content with another order, filled-in units, and a default for zero', async () => {
    const before = {
      ...ABC,
      RefreshTokenValidity: 0,
      ReadAttributes: ['email', 'name'],
      TokenValidityUnits: {},
    }
    const after = {
      ...before,
      ReadAttributes: ['name', 'email'],
      RefreshTokenValidity: 30,
      TokenValidityUnits: { AccessToken: 'hours', RefreshToken: 'days' },
      EnableTokenRevocation: true,
    }
    const { client } = await createAnswered([before, after])
    expect(await client.enableTokenRevocation()).toMatchObject({ changed: true })
  })

  it('begins again with a fresh look where somebody else changes the app client', async () => {
    const scene = createScene(OFF)
    const sdk = adminSdk(scene)
    sdk.middlewareStack.add(
      (next) => (args) =>
        next(args).catch((error: Error) => {
          scene.cognito.updateClient(scene.app.clientId, { clientName: 'renamed' })
          throw error
        }),
      { step: 'initialize' },
    )
    scene.cognito.failNext('UpdateUserPoolClient', 'ConcurrentModificationException')
    expect(await scene.createClient({ sdk }).enableTokenRevocation()).toEqual({
      changed: true,
      changes: [CHANGE],
    })
    expect(scene.takeCalls()).toEqual([
      ...['DescribeUserPoolClient', 'UpdateUserPoolClient'],
      ...['DescribeUserPoolClient', 'UpdateUserPoolClient'],
    ])
    expect(scene.cognito.calls.at(-1)?.parameters).toMatchObject({ ClientName: 'renamed' })
  })

  it('leaves it at that where somebody else has turned it on meanwhile', async () => {
    const scene = createScene(OFF)
    scene.cognito.failNext('UpdateUserPoolClient', 'ConcurrentModificationException', { afterEffect: true })
    expect(await scene.client.enableTokenRevocation()).toEqual({ changed: false, changes: [] })
  })

  it('gives up after five attempts, with the reason', async () => {
    const scene = createScene(OFF)
    scene.cognito.failNext('UpdateUserPoolClient', 'ConcurrentModificationException', { times: 9 })
    const error = await thrownBy(() => scene.client.enableTokenRevocation())
    expect(error).toBeInstanceOf(errors.ConcurrentModificationError)
    expect(error.cause).toMatchObject({ name: 'ConcurrentModificationException' })
    expect(scene.takeCalls().filter((operation) => operation === 'UpdateUserPoolClient')).toHaveLength(5)
  })

  it.each([
    ['dryrun', { dryrun: true }],
    ['dryRun', { dryRun: 'yes' }],
    ['options', null],
  ])('refuses a wrong %s before anything is asked', async (name, input) => {
    const scene = createScene(OFF)
    const error = await thrownBy(() => scene.client.enableTokenRevocation(input as object))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(name)
    expect(scene.takeCalls()).toEqual([])
  })
})
