import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import {
  CognitoError,
  CognitoUnavailableError,
  InvalidParameterError,
  NotAuthorizedError,
  SecretHashMismatchError,
} from '../../src/errors.js'
import type { AppClientSettings } from '../../src/testing/index.js'
import { EVERY_FLOW, type Scene, thrownBy, useScene } from '../support/scene.js'

const useAny = useScene()
const createScene = (settings: AppClientSettings = {}) => useAny({ ...EVERY_FLOW, ...settings })

/** The requests of a scene that carry any of these, anywhere. */
function sent(scene: Scene, ...texts: string[]): string[] {
  return scene.cognito.calls
    .filter(({ parameters }) => texts.some((text) => JSON.stringify(parameters).includes(text)))
    .map(({ operation }) => operation)
}

function lastParameters(scene: Scene): Record<string, unknown> {
  return scene.cognito.calls.at(-1)?.parameters as Record<string, unknown>
}

describe('USER_SRP_AUTH', () => {
  it.each([
    ['a user', false, ['InitiateAuth', 'RespondToAuthChallenge']],
    ['an admin', true, ['AdminInitiateAuth', 'AdminRespondToAuthChallenge']],
  ] as const)(
    'signs in in one call, as %s, by an alias, with a client secret',
    async (_, admin, operations) => {
      const scene = createScene({ generateSecret: true })
      const { username, password } = scene.user
      scene.takeCalls()
      const input = { flow: 'USER_SRP_AUTH', username: `${username}@example.com`, password, admin } as const
      expect(await scene.client.signIn(input)).toMatchObject({ status: 'authenticated', username })
      expect(scene.takeCalls()).toEqual(operations)
      expect(sent(scene, password)).toEqual([])
    },
  )

  it('tells a wrong password, and does not send it', async () => {
    const scene = createScene()
    const input = { flow: 'USER_SRP_AUTH', username: scene.user.username, password: 'a wrong one' } as const
    await expect(scene.client.signIn(input)).rejects.toThrow(NotAuthorizedError)
    expect(sent(scene, 'a wrong one')).toEqual([])
  })

  it('names the clock as a cause of a refusal', async () => {
    const scene = createScene()
    const input = { flow: 'USER_SRP_AUTH', username: scene.user.username, password: 'a wrong one' } as const
    const error = await thrownBy(() => scene.client.signIn(input))
    expect(error.message).toContain("this machine's clock")
    expect(error.cause).toMatchObject({ name: 'NotAuthorizedException' })
  })

  it('goes by the clock of the options, not by that of the machine', async () => {
    const scene = createScene()
    scene.cognito.clock.advance(3_600)
    const result = await scene.client.signIn({ ...scene.user, flow: 'USER_SRP_AUTH' })
    expect(result).toMatchObject({ status: 'authenticated' })
  })

  it('is stamped with the time of Cognito, as its answer has told it', async () => {
    const scene = createScene()
    scene.cognito.clock.advance(3_600)
    const { now } = scene.cognito.clock
    const client = scene.createClient({ clock: () => now() - 250_000 })
    const before = Math.floor(now() / 1000)
    await client.signIn({ ...scene.user, flow: 'USER_SRP_AUTH' })
    const { ChallengeResponses } = lastParameters(scene) as { ChallengeResponses: { TIMESTAMP: string } }
    const stamp = Date.parse(ChallengeResponses.TIMESTAMP) / 1000
    expect(stamp).toBeGreaterThanOrEqual(before)
  })

  it('hands out what Cognito asks after the password, with the name that Cognito has for the user', async () => {
    const scene = createScene({ generateSecret: true })
    const { username, password } = scene.user
    scene.cognito.updateUser(username, { mfa: ['EMAIL_OTP'] })
    const result = await scene.client.signIn({
      flow: 'USER_SRP_AUTH',
      username: `${username}@example.com`,
      password,
    })
    expect(result).toMatchObject({ status: 'challenge', challengeName: 'EMAIL_OTP', username, admin: false })
    expect(inspect(result, { depth: 9 })).not.toContain(password)
  })

  it('is not brought by Cognito to send the password after all', async () => {
    const scene = createScene()
    scene.cognito.challengeNext(scene.user.username, 'PASSWORD')
    const { username, password } = scene.user
    const result = await scene.client.signIn({ flow: 'USER_SRP_AUTH', username, password })
    expect(result).toMatchObject({ status: 'challenge', challengeName: 'PASSWORD' })
    expect(sent(scene, password)).toEqual([])
  })

  it('proves a password once in a call, however often Cognito asks', async () => {
    const scene = createScene()
    scene.cognito.challengeNext(scene.user.username, 'PASSWORD_VERIFIER', { SALT: 'ab' })
    const { username, password } = scene.user
    scene.takeCalls()
    const error = await thrownBy(() => scene.client.signIn({ flow: 'USER_SRP_AUTH', username, password }))
    expect(error).toBeInstanceOf(CognitoError)
    expect(scene.takeCalls()).toEqual(['InitiateAuth', 'RespondToAuthChallenge'])
  })
})

describe('USER_AUTH', () => {
  it('asks the user to choose, and signs in by the choice', async () => {
    const scene = createScene({ generateSecret: true })
    const { client, user } = scene
    const { username, password } = user
    const result = await client.signIn({ flow: 'USER_AUTH', username })
    if (result.status !== 'challenge' || result.challengeName !== 'SELECT_CHALLENGE')
      throw new Error('no choice')
    expect(result.availableChallenges).toEqual(['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP'])
    expect(await client.respondToChallenge(result, { challenge: 'PASSWORD', password })).toMatchObject({
      status: 'authenticated',
      username,
    })
  })

  it.each(['PASSWORD', 'PASSWORD_SRP'] as const)(
    'signs in by %s at once, where it is preferred',
    async (preferred) => {
      const scene = createScene({ generateSecret: true })
      const { username, password } = scene.user
      const input = { flow: 'USER_AUTH', username, password, preferredChallenge: preferred } as const
      expect(await scene.client.signIn(input)).toMatchObject({ status: 'authenticated' })
      expect(sent(scene, password)).toEqual(preferred === 'PASSWORD' ? ['InitiateAuth'] : [])
    },
  )

  it.each(['PASSWORD', 'PASSWORD_SRP'] as const)(
    'asks for the password later, where none is given along with %s',
    async (preferredChallenge) => {
      const scene = createScene({ generateSecret: true })
      const { username, password } = scene.user
      const result = await scene.client.signIn({ flow: 'USER_AUTH', username, preferredChallenge })
      if (result.status !== 'challenge') throw new Error(result.status)
      expect(result.challengeName).toBe(preferredChallenge)
      if (result.challengeName !== 'PASSWORD' && result.challengeName !== 'PASSWORD_SRP') return
      const next = await scene.client.respondToChallenge(result, { password })
      expect(next).toMatchObject({ status: 'authenticated', username })
      expect(sent(scene, password).length).toBe(preferredChallenge === 'PASSWORD' ? 1 : 0)
    },
  )

  it('answers PASSWORD at once where the password was given, and once only', async () => {
    const scene = createScene()
    const { username, password } = scene.user
    for (let round = 0; round < 2; round += 1) scene.cognito.challengeNext(username, 'PASSWORD')
    const input = { flow: 'USER_AUTH', username, password, preferredChallenge: 'PASSWORD' } as const
    expect(await scene.client.signIn(input)).toMatchObject({ challengeName: 'PASSWORD' })
    expect(sent(scene, password)).toEqual(['InitiateAuth', 'RespondToAuthChallenge'])
  })

  it('does not send the password where SRP is preferred, whatever Cognito asks', async () => {
    const scene = createScene()
    const { username, password } = scene.user
    scene.cognito.challengeNext(username, 'PASSWORD')
    const input = { flow: 'USER_AUTH', username, password, preferredChallenge: 'PASSWORD_SRP' } as const
    expect(await scene.client.signIn(input)).toMatchObject({ challengeName: 'PASSWORD' })
    expect(sent(scene, password)).toEqual([])
  })

  it('steps up with an access token', async () => {
    const scene = createScene()
    const { accessToken } = await scene.signIn()
    await scene.client.signIn({
      flow: 'USER_AUTH',
      username: scene.user.username,
      accessToken,
      targetAcrValues: ['urn:two', 'urn:one'],
      maxAgeSeconds: 300,
    })
    expect(lastParameters(scene)).toMatchObject({
      AuthParameters: { ACCESS_TOKEN: accessToken, TARGET_ACR_VALUES: 'urn:two urn:one', MAX_AGE: '300' },
    })
  })

  it('goes on from a sign-up, by its session', async () => {
    const scene = createScene()
    const session = 'session-of-a-sign-up'.repeat(3)
    await scene.client.signIn({ flow: 'USER_AUTH', username: scene.user.username, session })
    expect(lastParameters(scene)).toMatchObject({ Session: session })
  })
})

describe('CUSTOM_AUTH', () => {
  const challenges = [
    { parameters: { question: 'What is your favourite colour?' }, answer: 'blue' },
    { parameters: { question: 'And your second?' }, answer: 'green' },
  ]

  it.each([false, true])('asks what the triggers ask, one after the other: by an admin %s', async (admin) => {
    const scene = createScene({ generateSecret: true })
    scene.cognito.customChallenges(challenges)
    const { username } = scene.user
    let result = await scene.client.signIn({ flow: 'CUSTOM_AUTH', username, admin })
    for (const { parameters, answer } of challenges) {
      if (result.status !== 'challenge' || result.challengeName !== 'CUSTOM_CHALLENGE')
        throw new Error('none')
      expect(result.publicParameters).toEqual(parameters)
      result = await scene.client.respondToChallenge(result, { answer })
    }
    expect(result).toMatchObject({ status: 'authenticated', username })
  })

  it('proves the password by SRP first, where one is given', async () => {
    const scene = createScene({ generateSecret: true })
    scene.cognito.customChallenges(challenges.slice(0, 1))
    const { username, password } = scene.user
    const result = await scene.client.signIn({ flow: 'CUSTOM_AUTH', username, password })
    expect(result).toMatchObject({ challengeName: 'CUSTOM_CHALLENGE', username })
    expect(sent(scene, password)).toEqual([])
    const input = { flow: 'CUSTOM_AUTH', username, password: 'a wrong one' } as const
    await expect(scene.client.signIn(input)).rejects.toThrow(NotAuthorizedError)
  })
})

describe('Every sign-in', () => {
  it('takes what the triggers and threat protection want to know', async () => {
    const scene = createScene()
    const clientMetadata = { tenant: 'acme' }
    const userContextData = { IpAddress: '192.0.2.1', EncodedData: 'fingerprint' }
    await scene.client.signIn({ ...scene.user, clientMetadata, userContextData })
    expect(lastParameters(scene)).toMatchObject({
      ClientMetadata: clientMetadata,
      UserContextData: userContextData,
    })
    const contextData = { IpAddress: '192.0.2.1', ServerName: 'a', ServerPath: '/', HttpHeaders: [] }
    await scene.client.signIn({
      ...scene.user,
      flow: 'ADMIN_USER_PASSWORD_AUTH',
      clientMetadata,
      contextData,
    })
    expect(lastParameters(scene)).toMatchObject({ ClientMetadata: clientMetadata, ContextData: contextData })
  })

  it('uses the second client secret where Cognito does not take the first, in every step', async () => {
    const scene = createScene({ clientSecret: 'right-secret-0123456789ab' })
    const client = scene.createClient({
      clientSecret: ['secret-that-is-wrong-1234', 'right-secret-0123456789ab'],
    })
    const { username, password } = scene.user
    const input = { flow: 'USER_SRP_AUTH', username, password } as const
    expect(await client.signIn(input)).toMatchObject({ status: 'authenticated' })
    const wrong = scene.createClient({ clientSecret: 'secret-that-is-wrong-1234' })
    await expect(wrong.signIn(input)).rejects.toThrow(SecretHashMismatchError)
  })

  it.each(['USER_SRP_AUTH', 'USER_AUTH', 'CUSTOM_AUTH'] as const)(
    'tells that the app client does not allow the flow: %s',
    async (flow) => {
      const scene = createScene({ explicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] })
      const error = await thrownBy(() => scene.client.signIn({ ...scene.user, flow }))
      expect(error).toBeInstanceOf(InvalidParameterError)
    },
  )

  it('ends when it is told to, also between two steps', async () => {
    const scene = createScene()
    const ended = new AbortController()
    scene.cognito.delayNext('RespondToAuthChallenge', 30_000)
    const { username, password } = scene.user
    const signing = scene.client.signIn({ flow: 'USER_SRP_AUTH', username, password, signal: ended.signal })
    const reason = new Error('the user went away')
    await vi.waitFor(
      () => expect(scene.cognito.calls.at(-1)?.operation).toBe('RespondToAuthChallenge'),
      10_000,
    )
    ended.abort(reason)
    await expect(signing).rejects.toBe(reason)
  })

  it('that is lost between two steps is told as lost', async () => {
    const scene = createScene()
    scene.cognito.failNext('RespondToAuthChallenge', 'socket hang up')
    const { username, password } = scene.user
    await expect(scene.client.signIn({ flow: 'USER_SRP_AUTH', username, password })).rejects.toThrow(
      CognitoUnavailableError,
    )
  })

  it.each([
    ['flow', { flow: 'NO_SUCH_AUTH' }],
    ['flow', { flow: 'USER_PASSWORD_AUTH', admin: true }],
    ['admin', { flow: 'ADMIN_USER_PASSWORD_AUTH', admin: false }],
    ['admin', { flow: 'USER_SRP_AUTH', admin: 'yes' }],
    ['password', { flow: 'USER_SRP_AUTH', password: undefined }],
    ['password', { flow: 'CUSTOM_AUTH', password: '' }],
    ['preferredChallenge', { flow: 'USER_AUTH', preferredChallenge: 'SELECT_CHALLENGE' }],
    ['targetAcrValues', { flow: 'USER_AUTH', accessToken: 'token' }],
    ['targetAcrValues', { flow: 'USER_AUTH', targetAcrValues: ['two words'] }],
    ['maxAgeSeconds', { flow: 'USER_AUTH', maxAgeSeconds: 0.5 }],
    ['session', { flow: 'USER_AUTH', session: 5 }],
    ['clientMetadata', { clientMetadata: { a: 5 } }],
    ['userContextData', { userContextData: 'ip' }],
    ['contextData', { contextData: {} }],
    ['userContextData', { flow: 'ADMIN_USER_PASSWORD_AUTH', userContextData: {} }],
    ['device', { device: 'key' }],
    ['device.devicePassword', { device: { deviceKey: 'a', deviceGroupKey: 'b' } }],
    ['signal', { signal: {} }],
  ])('names a wrong input: %s %j', async (name, wrong) => {
    const scene = createScene()
    const error = await thrownBy(() => scene.client.signIn({ ...scene.user, ...wrong } as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
    expect(scene.takeCalls()).toEqual([])
  })
})
