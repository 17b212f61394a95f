import { describe, expect, it } from 'vitest'
import type { Device, SignedIn } from '../../src/client/index.js'
import {
  InvalidParameterError,
  NotAuthorizedError,
  RefreshTokenInvalidError,
  ResourceNotFoundError,
} from '../../src/errors.js'
import { EVERY_FLOW, type Scene, thrownBy, useScene } from '../support/scene.js'

const createAny = useScene({ deviceTracking: true })
const createScene = () => createAny({ ...EVERY_FLOW, generateSecret: true })

async function confirmedDevice(scene: Scene): Promise<{ device: Device; session: SignedIn }> {
  const session = await scene.signIn()
  if (session.newDevice === undefined) throw new Error('no new device')
  const { newDevice, accessToken } = session
  const { device } = await scene.client.confirmDevice({ newDevice, accessToken, deviceName: 'telephone' })
  return { device, session }
}

describe('A device', () => {
  it('is told of as new, can be confirmed once, and is not new then', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const { newDevice, accessToken } = session
    if (newDevice === undefined) throw new Error('no new device')
    const confirmed = await scene.client.confirmDevice({ newDevice, accessToken, deviceName: 'telephone' })
    expect(confirmed).toEqual({
      device: { ...newDevice, devicePassword: expect.stringMatching(/^[\w+/]{54}==$/) },
      userConfirmationNecessary: false,
    })
    const { devicePassword } = confirmed.device
    expect(scene.cognito.calls.some((call) => JSON.stringify(call).includes(devicePassword))).toBe(false)
    expect(scene.cognito.calls.at(-1)?.parameters).toMatchObject({ DeviceName: 'telephone' })
    await expect(scene.client.confirmDevice({ newDevice, accessToken })).rejects.toThrow(
      InvalidParameterError,
    )
    const again = await scene.client.signIn({ ...scene.user, device: confirmed.device })
    expect(again).toMatchObject({ status: 'authenticated' })
    expect(again).not.toHaveProperty('newDevice')
  })

  it.each(['USER_PASSWORD_AUTH', 'USER_SRP_AUTH', 'ADMIN_USER_PASSWORD_AUTH'] as const)(
    'is proved within the call: %s',
    async (flow) => {
      const scene = createScene()
      const { device } = await confirmedDevice(scene)
      scene.takeCalls()
      const result = await scene.client.signIn({ ...scene.user, flow, device })
      expect(result).toMatchObject({ status: 'authenticated', username: scene.user.username })
      const [admin, rounds] = [flow.startsWith('ADMIN'), flow === 'USER_SRP_AUTH' ? 3 : 2]
      const answer = admin ? 'AdminRespondToAuthChallenge' : 'RespondToAuthChallenge'
      expect(scene.takeCalls()).toEqual([
        admin ? 'AdminInitiateAuth' : 'InitiateAuth',
        ...Array.from({ length: rounds }, () => answer),
      ])
    },
  )

  it.each(['along with the answer', 'when it is asked for'])(
    'is proved after a second factor, given %s',
    async (when) => {
      const scene = createScene()
      const { device } = await confirmedDevice(scene)
      scene.cognito.updateUser(scene.user.username, { mfa: ['EMAIL_OTP'] })
      const result = await scene.client.signIn({ ...scene.user, device })
      if (result.status !== 'challenge' || result.challengeName !== 'EMAIL_OTP')
        throw new Error('no EMAIL_OTP')
      expect(JSON.stringify(result)).not.toContain(device.devicePassword)
      const code = scene.cognito.codeFor(scene.user.username)
      if (when === 'along with the answer') {
        const done = await scene.client.respondToChallenge(result, { code, device })
        expect(done).toMatchObject({ status: 'authenticated' })
        return
      }
      const asked = await scene.client.respondToChallenge(result, { code })
      if (asked.status !== 'challenge' || asked.challengeName !== 'DEVICE_SRP_AUTH')
        throw new Error('not asked')
      expect(await scene.client.respondToChallenge(asked, { device })).toMatchObject({
        status: 'authenticated',
      })
    },
  )

  it('with another password than its own is refused', async () => {
    const scene = createScene()
    const { device } = await confirmedDevice(scene)
    const stolen = { ...device, devicePassword: 'guessed' }
    await expect(scene.client.signIn({ ...scene.user, device: stolen })).rejects.toThrow(NotAuthorizedError)
  })

  it('that Cognito does not know is told as that', async () => {
    const scene = createScene()
    const device = { deviceKey: 'us-east-1_none', deviceGroupKey: 'group', devicePassword: 'password' }
    const error = await thrownBy(() => scene.client.signIn({ ...scene.user, device }))
    expect(error).toBeInstanceOf(ResourceNotFoundError)
    expect(error.message).toContain('device')
  })

  it('is forgotten by its key, and can neither sign in nor refresh then', async () => {
    const scene = createScene()
    const { device, session } = await confirmedDevice(scene)
    const { deviceKey } = device
    const { accessToken } = session
    await scene.client.forgetDevice({ accessToken, deviceKey })
    await expect(scene.client.signIn({ ...scene.user, device })).rejects.toThrow(ResourceNotFoundError)
    await expect(scene.client.refresh({ ...session, deviceKey })).rejects.toThrow(RefreshTokenInvalidError)
    await expect(scene.client.forgetDevice({ accessToken, deviceKey })).rejects.toThrow(ResourceNotFoundError)
  })

  it.each([
    ['accessToken', { deviceKey: 'a' }],
    ['deviceKey', { accessToken: 'token' }],
    ['signal', { accessToken: 'token', deviceKey: 'a', signal: 5 }],
  ])('is not forgotten by a wrong input: %s', async (name, input) => {
    const error = await thrownBy(() => createScene().client.forgetDevice(input as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
  })

  it.each([
    ['accessToken', { newDevice: { deviceKey: 'a', deviceGroupKey: 'b' } }],
    ['newDevice', { accessToken: 'token' }],
    ['newDevice.deviceGroupKey', { accessToken: 'token', newDevice: { deviceKey: 'a' } }],
    ['deviceName', { accessToken: 'a', newDevice: { deviceKey: 'a', deviceGroupKey: 'b' }, deviceName: '' }],
  ])('is not confirmed by a wrong input: %s', async (name, input) => {
    const scene = createScene()
    const error = await thrownBy(() => scene.client.confirmDevice(input as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
  })
})
