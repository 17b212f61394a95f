import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import {
  InvalidParameterError,
  NotAuthorizedError,
  SecretHashMismatchError,
  UserDisabledError,
  UserNotFoundError,
} from '../../src/errors.js'
import { thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()

describe('signIn', () => {
  it.each([
    ['USER_PASSWORD_AUTH', 'InitiateAuth', 'USER_PASSWORD_AUTH'],
    ['ADMIN_USER_PASSWORD_AUTH', 'AdminInitiateAuth', 'ADMIN_USER_PASSWORD_AUTH'],
    ['ADMIN_NO_SRP_AUTH', 'AdminInitiateAuth', 'ADMIN_USER_PASSWORD_AUTH'],
  ] as const)('signs in by %s, with and without a client secret', async (flow, operation, AuthFlow) => {
    for (const generateSecret of [false, true]) {
      const { client, user, verifier, cognito, app } = createScene({ generateSecret })
      const result = await client.signIn({ ...user, flow })
      if (result.status !== 'authenticated') throw new Error(result.status)
      expect(result).toMatchObject({ username: user.username, expiresInSeconds: 3_600, tokenType: 'Bearer' })
      expect(await verifier.verify(result.accessToken)).toMatchObject({
        sub: user.sub,
        client_id: app.clientId,
      })
      expect(await verifier.verify(result.idToken ?? '')).toMatchObject({ sub: user.sub, aud: app.clientId })
      expect(result.refreshToken?.split('.')).toHaveLength(5)
      const call = cognito.calls.findLast((each) => each.operation === operation)
      expect(call?.parameters).toMatchObject({ AuthFlow, ClientId: app.clientId })
    }
  })

  it('signs in by an alias, and tells the real username', async () => {
    const { client, user } = createScene({ generateSecret: true })
    const result = await client.signIn({ username: `${user.username}@example.com`, password: user.password })
    expect(result).toMatchObject({ status: 'authenticated', username: user.username })
  })

  it('uses USER_PASSWORD_AUTH unless told otherwise', async () => {
    const scene = createScene()
    scene.takeCalls()
    await scene.client.signIn(scene.user)
    expect(scene.takeCalls()).toEqual(['InitiateAuth'])
  })

  it('gives a challenge as a result, with what its answer needs', async () => {
    const { client, user, cognito } = createScene()
    cognito.updateUser(user.username, { status: 'FORCE_CHANGE_PASSWORD' })
    const result = await client.signIn(user)
    expect(result).toMatchObject({ status: 'challenge', challengeName: 'NEW_PASSWORD_REQUIRED' })
    if (result.status === 'challenge') {
      expect(result.session).toMatch(/.{20,}/)
      expect(result.parameters).toHaveProperty('USER_ID_FOR_SRP')
    }
  })

  it('asks a secret that is a function at every call', async () => {
    let secret = 'wrong secret'
    const scene = createScene({ clientSecret: 'right-secret-0123456789ab' })
    const client = scene.createClient({ clientSecret: async () => secret })
    await expect(client.signIn(scene.user)).rejects.toThrow(SecretHashMismatchError)
    secret = 'right-secret-0123456789ab'
    expect((await client.signIn(scene.user)).status).toBe('authenticated')
  })

  it('tells a wrong password, an unknown and a disabled user apart', async () => {
    const { client, user, cognito } = createScene()
    await expect(client.signIn({ ...user, password: 'wrong' })).rejects.toThrow(NotAuthorizedError)
    await expect(client.signIn({ ...user, username: 'nobody' })).rejects.toThrow(UserNotFoundError)
    cognito.updateUser(user.username, { enabled: false })
    await expect(client.signIn(user)).rejects.toThrow(UserDisabledError)
  })

  it.each([
    ['wrong', { clientSecret: 'secret-that-is-wrong-1234' }],
    ['missing', { clientSecret: undefined }],
  ])('tells a client secret that is %s', async (_, options) => {
    const scene = createScene({ generateSecret: true })
    const { clientSecret: __, ...app } = scene.app
    const client = scene.createClient(
      options.clientSecret === undefined
        ? { ...app, clientSecret: (() => undefined) as never }
        : { clientSecret: options.clientSecret },
    )
    await expect(client.signIn(scene.user)).rejects.toThrow(SecretHashMismatchError)
  })

  it('tells that the app client does not allow the flow', async () => {
    const { client, user } = createScene({ explicitAuthFlows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH'] })
    const error = await thrownBy(() => client.signIn(user))
    expect(error).toBeInstanceOf(InvalidParameterError)
    expect(error.message).toContain('ExplicitAuthFlows')
  })

  it.each([
    ['username', { username: '' }],
    ['password', { password: undefined }],
    ['flow', { flow: 'REFRESH_TOKEN_AUTH' }],
  ])('names a wrong input: %s', async (name, wrong) => {
    const { client, user } = createScene()
    const error = await thrownBy(() => client.signIn({ ...user, ...wrong } as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
  })

  it('repeats a request that Cognito does not answer within requestTimeoutMs', async () => {
    const scene = createScene()
    const { cognito, app, user } = scene
    const own = { sdk: undefined as never, endpoint: cognito.url, requestTimeoutMs: 250 }
    const client = scene.createClient({ ...own, ...app })
    cognito.delayNext('InitiateAuth', 30_000)
    expect((await client.signIn(user)).status).toBe('authenticated')
    await client.close()
  })

  it('repeats what Cognito throttles', async () => {
    const scene = createScene()
    const { cognito, app, user } = scene
    const client = scene.createClient({ sdk: undefined as never, endpoint: cognito.url, ...app })
    cognito.failNext('InitiateAuth', 'TooManyRequestsException', { times: 2 })
    expect((await client.signIn(user)).status).toBe('authenticated')
    await client.close()
  })
})

describe('CognitoTokenClient', () => {
  it('leaves an SDK client that was handed in as it was', async () => {
    const scene = createScene()
    const sdk = new CognitoIdentityProviderClient({
      region: 'us-east-1',
      endpoint: scene.cognito.url,
      credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    })
    const before = sdk.middlewareStack.identify()
    const client = scene.createClient({ sdk })
    await scene.signIn(scene.user, client)
    await client.close()
    expect(sdk.middlewareStack.identify()).toEqual(before)
    expect(await scene.signIn(scene.user, scene.createClient({ sdk }))).toBeDefined()
    sdk.destroy()
  })

  it.each([
    ['userPoolId', { userPoolId: 'pool' }],
    ['clientId', { clientId: '' }],
    ['clientSecret', { clientSecret: '' }],
    ['clientSecret', { clientSecret: 5 }],
    ['store', { store: undefined }],
    ['store', { store: {} }],
    ['refreshFlow', { refreshFlow: 'REFRESH' }],
    ['accessTokenValiditySeconds', { accessTokenValiditySeconds: 1e9 }],
    ['endpoint', { endpoint: 'http://cognito.example' }],
    ['endpoint', { endpoint: 'cognito' }],
    ['issuer', { issuer: 'http://cognito.example/pool' }],
    ['clock', { clock: 5 }],
    ['observer', { observer: {} }],
    ['storee', { storee: false }],
  ])('names a wrong option: %s', (name, wrong) => {
    const scene = createScene()
    const make = () => scene.createClient(wrong as never)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(`"${name}"`)
  })
})
