import { describe, expect, it } from 'vitest'
import * as errors from '../../src/errors.js'
import { thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()

describe('createAppClient', () => {
  it('makes one whose sessions can be revoked', async () => {
    const scene = createScene()
    const made = await scene.client.createAppClient({ clientName: 'web' })
    expect(made).toEqual({ clientId: expect.stringMatching(/^[a-z0-9]{26}$/) })
    const client = scene.createClient(made)
    expect(await client.describeTokenSettings()).toMatchObject({ tokenRevocation: true })
    const session = await scene.signIn(scene.user, client)
    expect(await client.revokeRefreshToken(session)).toMatchObject({ cognito: 'revoked' })
  })

  it('gives it a secret where that is wanted, which then is needed', async () => {
    const scene = createScene()
    const made = await scene.client.createAppClient({ clientName: 'web', generateSecret: true })
    expect(made.clientSecret).toMatch(/^\S{24,}$/)
    const session = await scene.signIn(scene.user, scene.createClient(made))
    expect(session.status).toBe('authenticated')
    const without = scene.createClient({ clientId: made.clientId })
    await expect(scene.signIn(scene.user, without)).rejects.toBeInstanceOf(errors.SecretHashMismatchError)
  })

  it('hides who has an account', async () => {
    const scene = createScene()
    const made = await scene.client.createAppClient({ clientName: 'web' })
    const error = await thrownBy(() => scene.createClient(made).signIn({ username: 'nobody', password: 'x' }))
    expect(error).toBeInstanceOf(errors.NotAuthorizedError)
  })

  it('takes other settings by their names at Cognito, in place of its own', async () => {
    const scene = createScene()
    const settings = {
      AccessTokenValidity: 5,
      TokenValidityUnits: { AccessToken: 'minutes' },
      PreventUserExistenceErrors: 'LEGACY',
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'],
      CallbackURLs: ['https://app.example/'],
    } as const
    await scene.client.createAppClient({
      clientName: 'web',
      settings: {
        ...settings,
        ExplicitAuthFlows: [...settings.ExplicitAuthFlows],
        CallbackURLs: [...settings.CallbackURLs],
      },
    })
    expect(scene.cognito.calls.at(-1)?.parameters).toEqual({
      ...settings,
      UserPoolId: scene.cognito.userPoolId,
      ClientName: 'web',
      GenerateSecret: false,
      EnableTokenRevocation: true,
    })
  })

  it('allows no REFRESH_TOKEN_AUTH where tokens rotate', async () => {
    const scene = createScene()
    const made = await scene.client.createAppClient({
      clientName: 'web',
      settings: { RefreshTokenRotation: { Feature: 'ENABLED' }, ExplicitAuthFlows: undefined },
    })
    const client = scene.createClient(made)
    const { refreshToken } = await scene.signIn(scene.user, client)
    expect(await client.refresh({ refreshToken })).toMatchObject({ rotated: true })
  })

  it.each([
    ['clientName', {}],
    ['clientName', { clientName: '' }],
    ['generateSecret', { clientName: 'web', generateSecret: 'yes' }],
    ['settings', { clientName: 'web', settings: 'all' }],
    ['generatesecret', { clientName: 'web', generatesecret: true }],
    ['CallbackUrls', { clientName: 'web', settings: { CallbackUrls: [] } }],
    ['EnableTokenRevocation', { clientName: 'web', settings: { EnableTokenRevocation: false } }],
    ['ClientSecret', { clientName: 'web', settings: { ClientSecret: 'sekrit' } }],
  ])('refuses a wrong %s before anything is asked', async (name, input) => {
    const scene = createScene()
    const error = await thrownBy(() => scene.client.createAppClient(input as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
    expect(scene.takeCalls()).toEqual([])
  })

  it.each([
    [errors.CognitoError, {}],
    [errors.CognitoError, undefined],
    [errors.CognitoConfigurationError, { ClientId: 'abc' }],
    [errors.CognitoConfigurationError, { ClientId: 'abc', EnableTokenRevocation: false }],
    [errors.CognitoError, { ClientId: 'abc', EnableTokenRevocation: true }],
  ])('throws %o of an answer %o, which lacks what was asked for', async (Class, UserPoolClient) => {
    const sdk = {
      middlewareStack: { add: () => {}, remove: () => {} },
      send: async () => ({ UserPoolClient }),
    }
    const client = createScene().createClient({ sdk: sdk as never })
    const error = await thrownBy(() => client.createAppClient({ clientName: 'web', generateSecret: true }))
    expect(error).toBeInstanceOf(Class)
    if (Class === errors.CognitoConfigurationError) expect(error.message).toContain('app client abc')
  })
})
