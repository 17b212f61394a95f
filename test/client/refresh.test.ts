import { describe, expect, it } from 'vitest'
import {
  NotARefreshTokenError,
  RefreshTokenInvalidError,
  RefreshTokenRevokedError,
  SecretHashMismatchError,
  WrongClientError,
} from '../../src/errors.js'
import { thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()

describe('refresh', () => {
  it.each(['GetTokensFromRefreshToken', 'REFRESH_TOKEN_AUTH'] as const)(
    'gives new tokens of the same session by %s, with and without a client secret',
    async (flow) => {
      for (const generateSecret of [false, true]) {
        const scene = createScene({ generateSecret })
        const session = await scene.signIn()
        const fresh = await scene.client.refresh({ ...session, flow })
        const [before, after] = await Promise.all(
          [session, fresh].map(({ accessToken }) => scene.verifier.verify(accessToken)),
        )
        expect(after?.origin_jti).toBe(before?.origin_jti)
        expect(after?.jti).not.toBe(before?.jti)
        expect(fresh).toMatchObject({ refreshToken: session.refreshToken, rotated: false })
      }
    },
  )

  it('hashes with the real username where one signed in by an alias', async () => {
    const scene = createScene({ generateSecret: true })
    const { username, password } = scene.user
    const session = await scene.signIn({ ...scene.user, username: `${username}@example.com`, password })
    const { refreshToken } = session
    const flow = 'REFRESH_TOKEN_AUTH'
    await expect(
      scene.client.refresh({ refreshToken, flow, username: session.username }),
    ).resolves.toBeDefined()
    const byAlias = () => scene.client.refresh({ refreshToken, flow, username: `${username}@example.com` })
    expect((await thrownBy(byAlias)).message).toContain('the username is not the real one')
    await expect(byAlias()).rejects.toThrow(SecretHashMismatchError)
  })

  it.each(['accessToken', 'idToken'] as const)('refuses the %s without asking Cognito', async (kind) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const refreshToken = session[kind] ?? ''
    await expect(scene.client.refresh({ refreshToken })).rejects.toThrow(NotARefreshTokenError)
    await expect(scene.client.oauth.refresh({ refreshToken })).rejects.toThrow(
      'oauth.refresh: this is an access or ID token',
    )
    expect(scene.takeCalls()).toEqual([])
  })

  it('says that the secret is missing, or that it is wrong, as Cognito does', async () => {
    const scene = createScene({ generateSecret: true })
    const [without, wrong] = [undefined, 'wrong'].map((clientSecret) => scene.createClient({ clientSecret }))
    const missing = await thrownBy(() => scene.signIn(scene.user, without))
    expect(missing).toBeInstanceOf(SecretHashMismatchError)
    expect(missing.message).toContain('The app client has a secret: give it as clientSecret')
    const mismatch = await thrownBy(() => scene.signIn(scene.user, wrong))
    expect(mismatch).toBeInstanceOf(SecretHashMismatchError)
    expect(mismatch.message).toContain('The client secret is wrong')
  })

  it('demands the username where a hash must be made of it', async () => {
    const scene = createScene({ generateSecret: true })
    const { refreshToken } = await scene.signIn()
    const error = await thrownBy(() => scene.client.refresh({ refreshToken, flow: 'REFRESH_TOKEN_AUTH' }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('"username"')
  })

  it('exchanges once for callers that come with the same refresh token at once', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const results = await Promise.all(Array.from({ length: 5 }, () => scene.client.refresh(session)))
    expect(new Set(results.map(({ accessToken }) => accessToken)).size).toBe(1)
    expect(scene.takeCalls()).toEqual(['GetTokensFromRefreshToken'])
    await scene.client.refresh(session)
    expect(scene.takeCalls()).toEqual(['GetTokensFromRefreshToken'])
  })

  it('exchanges once under rotation without grace, whether or not a caller brings the username', async () => {
    const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 0 } })
    const session = await scene.signIn()
    const { refreshToken } = session
    const results = await Promise.all([scene.client.refresh(session), scene.client.refresh({ refreshToken })])
    expect(new Set(results.map((result) => result.refreshToken)).size).toBe(1)
  })

  it('gives the successor of a rotated refresh token', async () => {
    const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 10 } })
    const session = await scene.signIn()
    const { refreshToken, rotated } = await scene.client.refresh(session)
    expect(rotated).toBe(true)
    expect(refreshToken).not.toBe(session.refreshToken)
    await expect(scene.client.refresh({ refreshToken })).resolves.toBeDefined()
  })

  it.each(['GetTokensFromRefreshToken', 'REFRESH_TOKEN_AUTH'] as const)(
    'hands the device key and the metadata for triggers on by %s',
    async (flow) => {
      const scene = createScene()
      const { refreshToken } = await scene.signIn()
      const clientMetadata = { tenant: 'blue' }
      await scene.client.refresh({ refreshToken, flow, deviceKey: 'us-east-1_device', clientMetadata })
      const sent = scene.cognito.calls.at(-1)?.parameters
      expect(sent).toMatchObject({ ClientMetadata: clientMetadata })
      expect(sent).toMatchObject(
        flow === 'REFRESH_TOKEN_AUTH'
          ? { AuthParameters: { DEVICE_KEY: 'us-east-1_device' } }
          : { DeviceKey: 'us-east-1_device' },
      )
    },
  )

  it('exchanges apart for callers of whom one brings another device key or other metadata', async () => {
    const scene = createScene()
    const { refreshToken } = await scene.signIn()
    scene.takeCalls()
    await Promise.all([
      scene.client.refresh({ refreshToken }),
      scene.client.refresh({ refreshToken, deviceKey: 'us-east-1_device' }),
      scene.client.refresh({ refreshToken, clientMetadata: { a: '1', b: '2' } }),
      scene.client.refresh({ refreshToken, clientMetadata: { b: '2', a: '1' } }),
    ])
    expect(scene.takeCalls()).toHaveLength(3)
  })

  it('tells what makes a refresh token invalid, the device key among it', async () => {
    const scene = createScene()
    for (const act of ['refresh', 'revokeRefreshToken'] as const) {
      const { message } = await thrownBy(() => scene.client[act]({ refreshToken: 'garbage' }))
      for (const cause of ['expired', 'another app client', 'DEVICE_KEY', 'ADMIN_NO_SRP_AUTH']) {
        expect(message).toContain(cause)
      }
    }
  })

  it('tells a revoked, a foreign, an expired and a garbled refresh token', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const other = await createScene().signIn()
    await expect(scene.client.refresh(other)).rejects.toThrow(RefreshTokenInvalidError)
    await expect(scene.client.refresh({ refreshToken: 'garbage' })).rejects.toThrow(RefreshTokenInvalidError)
    const revoked = await scene.signIn()
    await scene.client.revokeRefreshToken(revoked)
    await expect(scene.client.refresh(revoked)).rejects.toThrow(RefreshTokenRevokedError)
    scene.cognito.clock.advance(31 * 86_400)
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenInvalidError)
  })

  it('tells a wrong client secret', async () => {
    const scene = createScene({ generateSecret: true })
    const session = await scene.signIn()
    const client = scene.createClient({ clientSecret: 'secret-that-is-wrong-1234' })
    const error = await thrownBy(() => client.refresh(session))
    expect([SecretHashMismatchError, WrongClientError].some((Class) => error instanceof Class)).toBe(true)
  })

  it.each([
    ['refreshToken', { refreshToken: '' }],
    ['refreshToken', { refreshToken: 5 }],
    ['flow', { flow: 'REFRESH' }],
    ['deviceKey', { deviceKey: '' }],
    ['clientMetadata', { clientMetadata: { tenant: 5 } }],
    ['clientMetadata', { clientMetadata: null }],
  ])('names a wrong input: %s', async (name, wrong) => {
    const { client } = createScene()
    const error = await thrownBy(() => client.refresh({ refreshToken: 'x', ...wrong } as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
  })
})
