import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { CognitoTokenClientOptions } from '../../src/client/index.js'
import {
  ChallengeSessionExpiredError,
  CognitoUnavailableError,
  NotAuthorizedError,
  RevocationIncompleteError,
  ThrottledError,
} from '../../src/errors.js'
import { type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const times = Number.POSITIVE_INFINITY

/** A client whose AWS SDK client is the library's own, with its retries. */
function createRetryingClient(scene: Scene, options: Partial<CognitoTokenClientOptions> = {}) {
  const client = scene.createClient({
    sdk: undefined as never,
    endpoint: scene.cognito.url,
    credentials: { accessKeyId: 'fake', secretAccessKey: 'fake' },
    ...options,
  })
  onTestFinished(() => client.close())
  scene.takeCalls()
  return client
}

type Act = (client: Scene['client'], scene: Scene, session: Session) => Promise<unknown>

const ACTIONS: Record<string, Act> = {
  InitiateAuth: (client, { user }) => client.signIn(user),
  RevokeToken: (client, _, session) => client.revokeRefreshToken(session),
  GlobalSignOut: (client, _, session) => client.globalSignOut(session),
}

describe.each(Object.entries(ACTIONS))('%s', (operation, act) => {
  it.each(['InternalErrorException', 'socket hang up'])(
    'is repeated after %s, and succeeds at the third attempt',
    async (exception) => {
      const scene = createScene()
      const session = await scene.signIn()
      const client = createRetryingClient(scene)
      scene.cognito.failNext(operation, exception, { times: 2 })
      await act(client, scene, session)
      expect(scene.takeCalls()).toEqual([operation, operation, operation])
    },
  )
})

describe('A call that Cognito throttles', () => {
  it('is repeated, and succeeds where there is room again', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    scene.cognito.failNext('InitiateAuth', 'TooManyRequestsException')
    expect(await client.signIn(scene.user)).toMatchObject({ status: 'authenticated' })
    expect(scene.takeCalls()).toEqual(['InitiateAuth', 'InitiateAuth'])
  })

  it('for ever ends as such after three attempts', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    scene.cognito.failNext('InitiateAuth', 'TooManyRequestsException', { times })
    await expect(client.signIn(scene.user)).rejects.toThrow(ThrottledError)
    expect(scene.takeCalls()).toHaveLength(3)
  })

  it('leaves the session shut where it was to revoke it', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const client = createRetryingClient(scene)
    scene.cognito.failNext('RevokeToken', 'TooManyRequestsException', { times })
    const error = await thrownBy(() => client.revokeRefreshToken(session))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.cause).toBeInstanceOf(ThrottledError)
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('ends at once, with the reason of its signal, while it waits for another attempt', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    scene.cognito.failNext('InitiateAuth', 'TooManyRequestsException', { times })
    // The longest wait that the jitter of the AWS SDK can give.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.999)
    onTestFinished(() => random.mockRestore())
    const controller = new AbortController()
    const thrown = thrownBy(() => client.signIn({ ...scene.user, signal: controller.signal }))
    await expect.poll(() => scene.cognito.calls.at(-1)?.operation).toBe('InitiateAuth')
    const reason = new Error('the user has gone')
    controller.abort(reason)
    expect(await thrown).toBe(reason)
  })
})

describe('A call that is never answered', () => {
  it('is given up, request by request, and then as a whole', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene, { requestTimeoutMs: 40 })
    scene.cognito.setConditions({ latencyMs: { InitiateAuth: 60_000 } })
    onTestFinished(() => scene.cognito.setConditions({}))
    await expect(client.signIn(scene.user)).rejects.toThrow(CognitoUnavailableError)
    const attempts = scene.takeCalls().length
    expect(attempts).toBeGreaterThanOrEqual(1)
    expect(attempts).toBeLessThanOrEqual(3)
  })
})

describe('What waiting does not mend', () => {
  it.each([
    'NotAuthorizedException',
    'InvalidParameterException',
    'ForbiddenException',
    'ResourceNotFoundException',
  ])('is not repeated: %s', async (exception) => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    scene.cognito.failNext('InitiateAuth', exception, { times })
    await thrownBy(() => client.signIn(scene.user))
    expect(scene.takeCalls()).toEqual(['InitiateAuth'])
  })

  it('is not repeated: a wrong password', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    const input = { username: scene.user.username, password: 'wrong' }
    await expect(client.signIn(input)).rejects.toThrow(NotAuthorizedError)
    expect(scene.takeCalls()).toEqual(['InitiateAuth'])
  })
})

describe('An answer that was lost, although what was asked took effect', () => {
  it('is not told as the fault of a user who has chosen a new password', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    const { username } = scene.user
    scene.cognito.updateUser(username, { status: 'FORCE_CHANGE_PASSWORD' })
    const challenge = await client.signIn(scene.user)
    if (challenge.status !== 'challenge' || challenge.challengeName !== 'NEW_PASSWORD_REQUIRED')
      throw new Error('not asked')
    scene.cognito.failNext('RespondToAuthChallenge', 'socket hang up', { afterEffect: true })
    const newPassword = 'correct horse battery'
    const error = await thrownBy(() => client.respondToChallenge(challenge, { newPassword }))
    expect(error).toBeInstanceOf(CognitoUnavailableError)
    expect(error.message).toContain('may have taken effect')
    expect(error.cause).toMatchObject({ name: 'NotAuthorizedException', $metadata: { attempts: 2 } })
    expect(await client.signIn({ username, password: newPassword })).toMatchObject({
      status: 'authenticated',
    })
  })

  it('is told of a code of an authenticator app, whether session or code are said to be used', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    for (const [exception, message] of [
      ['NotAuthorizedException', 'Invalid session for the user, session can only be used once'],
      ['ExpiredCodeException', 'Your software token has already been used once.'],
    ] as const) {
      scene.cognito.challengeNext(scene.user.username, 'SOFTWARE_TOKEN_MFA')
      const challenge = await client.signIn(scene.user)
      if (challenge.status !== 'challenge' || challenge.challengeName !== 'SOFTWARE_TOKEN_MFA')
        throw new Error('not asked')
      scene.cognito.failNext('RespondToAuthChallenge', 'socket hang up')
      scene.cognito.failNext('RespondToAuthChallenge', exception, { message })
      const answer = () => client.respondToChallenge(challenge, { code: '123456' })
      await expect(answer()).rejects.toThrow(CognitoUnavailableError)
    }
  })

  it('is told where a device is confirmed already, with what helps', async () => {
    const scene = createScene()
    const { accessToken } = await scene.signIn()
    const client = createRetryingClient(scene)
    scene.cognito.failNext('ConfirmDevice', 'socket hang up')
    scene.cognito.failNext('ConfirmDevice', 'DeviceKeyExistsException')
    const newDevice = { deviceKey: 'us-east-1_key', deviceGroupKey: 'group' }
    const error = await thrownBy(() => client.confirmDevice({ accessToken, newDevice }))
    expect(error).toBeInstanceOf(CognitoUnavailableError)
    expect(error.message).toContain('forgetDevice')
  })

  it('is no excuse for what was refused at the first attempt', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    scene.cognito.updateUser(scene.user.username, { mfa: ['EMAIL_OTP'] })
    const challenge = await client.signIn(scene.user)
    if (challenge.status !== 'challenge' || challenge.challengeName !== 'EMAIL_OTP')
      throw new Error('not asked')
    const answer = { code: scene.cognito.codeFor(scene.user.username) }
    await client.respondToChallenge(challenge, answer)
    await expect(client.respondToChallenge(challenge, answer)).rejects.toThrow(ChallengeSessionExpiredError)
  })
})

describe('On a bad day', () => {
  it('everything that resolves has been done, and everything else is told', async () => {
    const scene = createScene()
    const client = createRetryingClient(scene)
    const sessions = []
    for (let i = 0; i < 15; i += 1) sessions.push(await scene.signIn())
    scene.cognito.setConditions({ faultRate: 0.4, seed: 5, latencyMs: [0, 5] })
    onTestFinished(() => scene.cognito.setConditions({}))
    const outcomes = await Promise.allSettled(sessions.map((session) => client.revokeRefreshToken(session)))
    scene.cognito.setConditions({})
    for (const [i, { status }] of outcomes.entries()) {
      const session = sessions[i] as Session
      expect(await scene.judge(session)).toBe('token_revoked')
      if (status === 'rejected') continue
      await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    }
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
  })
})
