import { describe, expect, it } from 'vitest'
import type { Device } from '../../src/client/index.js'
import { RefreshTokenInvalidError, SessionUnknownError } from '../../src/errors.js'
import { EVERY_FLOW, type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene({ deviceTracking: true })
const ROTATION = { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 10 } } as const

/** A session on a device that is confirmed. */
async function beginOnDevice(scene: Scene): Promise<{ session: Session; device: Device }> {
  const session = await scene.signIn()
  const { accessToken, newDevice } = session
  if (newDevice === undefined) throw new Error('no new device')
  return { session, device: (await scene.client.confirmDevice({ accessToken, newDevice })).device }
}

describe('The session of a confirmed device', () => {
  it.each([
    ['GetTokensFromRefreshToken', EVERY_FLOW],
    ['REFRESH_TOKEN_AUTH', EVERY_FLOW],
    ['GetTokensFromRefreshToken', ROTATION],
  ] as const)('is refreshed with its device key by %s, and not without', async (flow, settings) => {
    const scene = createScene({ ...settings, generateSecret: true })
    const { session, device } = await beginOnDevice(scene)
    const { deviceKey } = device
    const error = await thrownBy(() => scene.client.refresh({ ...session, flow }))
    expect(error).toBeInstanceOf(RefreshTokenInvalidError)
    expect(error.message).toContain('DEVICE_KEY')
    const fresh = await scene.client.refresh({ ...session, flow, deviceKey })
    expect(await scene.judge({ ...fresh, idToken: fresh.idToken ?? '' })).toBe('accepted')
  })

  it('is ended in the store too only with its device key, or a token given along, and else the error says so', async () => {
    const scene = createScene()
    const { session, device } = await beginOnDevice(scene)
    const { refreshToken } = session
    // Another process: this one remembers the session.
    const client = scene.createClient()
    const error = await thrownBy(() => client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error.outcome).toEqual({ store: 'skipped', cognito: 'revoked' })
    expect(error.message).toContain('DEVICE_KEY')
    expect(error.cause).toBeInstanceOf(RefreshTokenInvalidError)
    expect(await scene.judge(session)).toBe('accepted')
    const { deviceKey } = device
    await expect(scene.client.refresh({ refreshToken, deviceKey })).rejects.toThrow('has been revoked')
    const other = await beginOnDevice(scene)
    const input = { refreshToken: other.session.refreshToken, deviceKey: other.device.deviceKey }
    expect(await client.revokeRefreshToken(input)).toMatchObject({ store: 'recorded', cognito: 'revoked' })
    expect(await scene.judge(other.session)).toBe('token_revoked')
  })

  it.each([
    ['InternalErrorException', 'cognito_unavailable'],
    ['TooManyRequestsException', 'throttled'],
    ['socket hang up', 'cognito_unavailable'],
    ['ForbiddenException', 'forbidden'],
  ] as const)(
    'is not said to be dead where the revocation fails by %s, and can be ended after that',
    async (name, code) => {
      const scene = createScene()
      const { session, device } = await beginOnDevice(scene)
      const { refreshToken } = session
      const client = scene.createClient()
      scene.cognito.failNext('RevokeToken', name)
      const error = await thrownBy(() => client.revokeRefreshToken({ refreshToken }))
      expect(error.code).toBe(code)
      const { deviceKey } = device
      expect(await client.revokeRefreshToken({ refreshToken, deviceKey })).toMatchObject({
        cognito: 'revoked',
      })
      expect(await scene.judge(session)).toBe('token_revoked')
    },
  )

  it('is ended without its device key where a token tells which it is', async () => {
    const scene = createScene()
    const { session } = await beginOnDevice(scene)
    expect(await scene.createClient().revokeRefreshToken(session)).toMatchObject({ cognito: 'revoked' })
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})

describe('The session of a device that was never confirmed', () => {
  it('cannot be refreshed, and the error says what to do: confirmDevice', async () => {
    const scene = createScene(EVERY_FLOW)
    const { accessToken, newDevice, ...session } = await scene.signIn()
    if (newDevice === undefined) throw new Error('no new device')
    const { deviceKey } = newDevice
    for (const key of [{}, { deviceKey }]) {
      const error = await thrownBy(() => scene.client.refresh({ ...session, ...key }))
      expect(error).toBeInstanceOf(RefreshTokenInvalidError)
      expect(error.message).toContain('confirmDevice')
    }
    await scene.client.confirmDevice({ accessToken, newDevice })
    await expect(scene.client.refresh({ ...session, deviceKey })).resolves.toHaveProperty('accessToken')
  })
})
