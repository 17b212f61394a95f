import { describe, expect, it } from 'vitest'
import { InvalidParameterError } from '../../src/errors.js'
import { totp } from '../../src/testing/fake-cognito/challenges/totp.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const createStrict = useScene({ mfa: 'ON' })

/** A user who is signed in and has set up an authenticator app. */
async function begin(scene: Scene): Promise<string> {
  const { client, cognito, user } = scene
  const { accessToken } = await scene.signIn()
  const { secretCode } = await client.associateSoftwareToken({ accessToken })
  await client.verifySoftwareToken({ accessToken, code: totp(secretCode, cognito.clock.now()) })
  expect(await client.signIn(user)).toMatchObject({ status: 'authenticated' })
  return accessToken
}

describe('setMfaPreference', () => {
  it('has an authenticator app asked for that was set up, and turns it off', async () => {
    const scene = createScene()
    const { client, user } = scene
    const accessToken = await begin(scene)
    await client.setMfaPreference({ accessToken, softwareToken: 'preferred' })
    expect(await client.signIn(user)).toMatchObject({ challengeName: 'SOFTWARE_TOKEN_MFA' })
    await client.setMfaPreference({ accessToken, softwareToken: 'disabled' })
    expect(await client.signIn(user)).toMatchObject({ status: 'authenticated' })
  })

  it('leaves the choice to the user where several are enabled and none is preferred', async () => {
    const scene = createScene()
    const { client, user } = scene
    const accessToken = await begin(scene)
    await client.setMfaPreference({ accessToken, softwareToken: 'enabled', email: 'enabled' })
    expect(await client.signIn(user)).toMatchObject({ challengeName: 'SELECT_MFA_TYPE' })
    await client.setMfaPreference({ accessToken, email: 'preferred' })
    expect(await client.signIn(user)).toMatchObject({ challengeName: 'EMAIL_OTP' })
    await client.setMfaPreference({ accessToken, email: 'enabled' })
    expect(await client.signIn(user)).toMatchObject({ challengeName: 'SELECT_MFA_TYPE' })
  })

  it('is refused for a factor that is not set up', async () => {
    const scene = createScene()
    const { accessToken } = await scene.signIn()
    for (const factor of ['softwareToken', 'sms']) {
      const input = { accessToken, [factor]: 'enabled' }
      await expect(scene.client.setMfaPreference(input)).rejects.toThrow(InvalidParameterError)
    }
  })

  it('is refused where it would turn off the only factor, and the user pool requires one', async () => {
    const scene = createStrict()
    const { client, cognito, user } = scene
    cognito.updateUser(user.username, { mfa: ['EMAIL_OTP'] })
    const asked = await client.signIn(user)
    if (asked.status !== 'challenge' || asked.challengeName !== 'EMAIL_OTP') throw new Error('no EMAIL_OTP')
    const result = await client.respondToChallenge(asked, { code: cognito.codeFor(user.username) })
    if (result.status !== 'authenticated') throw new Error(result.status)
    const { accessToken } = result
    await expect(client.setMfaPreference({ accessToken, email: 'disabled' })).rejects.toThrow(
      InvalidParameterError,
    )
  })

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    const input = { accessToken: 'token', email: 'enabled', signal } as const
    await expect(createScene().client.setMfaPreference(input)).rejects.toThrow('enough')
  })

  it.each([
    ['accessToken', { email: 'enabled' }],
    ['softwareToken', { accessToken: 'token' }],
    ['sms', { accessToken: 'token', sms: true }],
    ['email', { accessToken: 'token', sms: 'preferred', email: 'preferred' }],
    ['signal', { accessToken: 'token', email: 'enabled', signal: 5 }],
  ])('names a wrong input: %s', async (name, input) => {
    const scene = createScene()
    const error = await thrownBy(() => scene.client.setMfaPreference(input as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
    expect(scene.takeCalls()).toEqual([])
  })
})
