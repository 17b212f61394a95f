import { describe, expect, it } from 'vitest'
import type { ClientSecretOption } from '../../src/client/client-secrets.js'
import type { CognitoTokenClient } from '../../src/client/index.js'
import {
  ClientSecretUnavailableError,
  NotAuthorizedError,
  SecretHashMismatchError,
  SessionUnknownError,
  WrongClientError,
} from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { EVERY_FLOW, type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const [NEWER, OLDER, STRANGE] = [
  'newer-secret-0123456789',
  'older-secret-0123456789',
  'strange-secret-0123456',
]

type Act = (scene: Scene, client: CognitoTokenClient, session: Session) => Promise<unknown>

/** Each operation that takes a secret: what it asks Cognito for, and how it is reached. */
const OPERATIONS: Record<string, readonly [string, Act]> = {
  signIn: ['InitiateAuth', ({ user }, client) => client.signIn(user)],
  'signIn as an administrator': [
    'AdminInitiateAuth',
    ({ user }, client) => client.signIn({ ...user, flow: 'ADMIN_USER_PASSWORD_AUTH' }),
  ],
  refresh: ['GetTokensFromRefreshToken', (_, client, session) => client.refresh(session)],
  'refresh by REFRESH_TOKEN_AUTH': [
    'InitiateAuth',
    (_, client, session) => client.refresh({ ...session, flow: 'REFRESH_TOKEN_AUTH' }),
  ],
  revokeRefreshToken: ['RevokeToken', (_, client, session) => client.revokeRefreshToken(session)],
}

/** An app client of which Cognito holds `held`, one of whose sessions is at hand, and a client that has `had`. */
async function begin(held: string | readonly [string, string], had: ClientSecretOption) {
  const scene = createScene({ clientSecret: held })
  const session = await scene.signIn()
  const events: ObserverEvent[] = []
  const client = scene.createClient({ clientSecret: had, observer: (event) => events.push(event) })
  scene.takeCalls()
  const refusals = () => events.filter(({ type }) => type === 'client_secret_refused').length
  return { scene, session, client, refusals }
}

describe.each(Object.entries(OPERATIONS))('%s', (_, [operation, act]) => {
  it.each([
    ['the first of two, where Cognito holds both', [NEWER, OLDER], [NEWER, OLDER], 1],
    ['the first of two, where Cognito holds both the other way round', [OLDER, NEWER], [NEWER, OLDER], 1],
    ['the first of two, once the other is deleted', NEWER, [NEWER, OLDER], 1],
    ['the second, while the first is not added yet', OLDER, [NEWER, OLDER], 2],
    ['the second, where the first is deleted already', NEWER, [OLDER, NEWER], 2],
    ['the second of what a function gives', OLDER, async () => [NEWER, OLDER] as const, 2],
    ['the only one of a list', NEWER, [NEWER], 1],
  ] as const)('is done with %s', async (_, held, had, calls) => {
    const { scene, session, client, refusals } = await begin(held, had)
    await act(scene, client, session)
    expect(scene.takeCalls()).toEqual(Array(calls).fill(operation))
    expect(refusals()).toBe(calls - 1)
  })

  it.each([
    ['both are wrong', [STRANGE, OLDER], 2],
    ['the only one is wrong', STRANGE, 1],
    ['both are the same, and wrong', [STRANGE, STRANGE], 1],
  ] as const)('is tried no more where %s', async (_, had, calls) => {
    const { scene, session, client } = await begin(NEWER, had)
    const thrown = await thrownBy(() => act(scene, client, session))
    expect([thrown, thrown.cause].some(isOfTheSecret)).toBe(true)
    expect(scene.takeCalls()).toEqual(Array(calls).fill(operation))
  })

  it.each(['TooManyRequestsException', 'InternalErrorException', 'ForbiddenException', 'socket hang up'])(
    'is not tried with the other secret after %s',
    async (exception) => {
      const { scene, session, client, refusals } = await begin([NEWER, OLDER], [NEWER, OLDER])
      scene.cognito.failNext(operation, exception)
      await thrownBy(() => act(scene, client, session))
      expect(scene.takeCalls()).toEqual([operation])
      expect(refusals()).toBe(0)
    },
  )
})

const isOfTheSecret = (error: unknown) =>
  error instanceof SecretHashMismatchError || error instanceof WrongClientError

describe('The other secret', () => {
  it.each([
    ['InitiateAuth', 'NotAuthorizedException', 'Unable to verify secret hash for client abc'],
    ['InitiateAuth', 'NotAuthorizedException', 'SecretHash does not match for the client: abc'],
    [
      'InitiateAuth',
      'NotAuthorizedException',
      'Client abc is configured with secret but SECRET_HASH was not received',
    ],
    ['RevokeToken', 'UnauthorizedException', 'Anything'],
    ['RevokeToken', 'NotAuthorizedException', 'Unable to verify secret for client abc'],
  ])('is tried once after what %s says of a secret: %s "%s"', async (operation, exception, message) => {
    const { scene, session, client, refusals } = await begin([NEWER, OLDER], [NEWER, OLDER])
    scene.cognito.failNext(operation, exception, { message })
    await (operation === 'RevokeToken' ? client.revokeRefreshToken(session) : client.signIn(scene.user))
    expect(scene.takeCalls()).toEqual([operation, operation])
    expect(refusals()).toBe(1)
  })

  it.each(['USER_PASSWORD_AUTH', 'ADMIN_USER_PASSWORD_AUTH'] as const)(
    'is never tried by %s on a wrong password, which would count twice against the user',
    async (flow) => {
      const { scene, client, refusals } = await begin([NEWER, OLDER], [NEWER, OLDER])
      const input = { username: scene.user.username, password: 'wrong', flow }
      await expect(client.signIn(input)).rejects.toThrow(NotAuthorizedError)
      expect(scene.takeCalls()).toHaveLength(1)
      expect(refusals()).toBe(0)
    },
  )

  it.each([
    'Incorrect username or password.',
    'Password attempts exceeded',
    'User is disabled.',
    'Invalid Refresh Token.',
  ])('is not tried after "%s"', async (message) => {
    const { scene, client } = await begin([NEWER, OLDER], [NEWER, OLDER])
    scene.cognito.failNext('InitiateAuth', 'NotAuthorizedException', { message })
    await thrownBy(() => client.signIn(scene.user))
    expect(scene.takeCalls()).toEqual(['InitiateAuth'])
  })

  it('has a wrong password tried with it alone, where Cognito did not take the first', async () => {
    const { scene, client } = await begin(OLDER, [NEWER, OLDER])
    const input = { username: scene.user.username, password: 'wrong' }
    await expect(client.signIn(input)).rejects.toThrow(NotAuthorizedError)
    expect(scene.takeCalls()).toEqual(['InitiateAuth', 'InitiateAuth'])
  })

  it('is tried once in a sign-in of several steps, which goes on with the one that was taken', async () => {
    const scene = createScene({ ...EVERY_FLOW, clientSecret: OLDER })
    const client = scene.createClient({ clientSecret: [NEWER, OLDER] })
    expect(await client.signIn({ ...scene.user, flow: 'USER_SRP_AUTH' })).toMatchObject({
      status: 'authenticated',
    })
    expect(scene.takeCalls()).toEqual(['InitiateAuth', 'InitiateAuth', 'RespondToAuthChallenge'])
  })

  it('is tried by revokeRefreshToken in each of its steps', async () => {
    const scene = createScene({
      clientSecret: OLDER,
      refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 },
    })
    const { refreshToken } = await scene.signIn()
    const client = scene.createClient({ clientSecret: [NEWER, OLDER] })
    scene.takeCalls()
    expect(await client.revokeRefreshToken({ refreshToken })).toMatchObject({ cognito: 'revoked' })
    expect(scene.takeCalls()).toEqual([
      ...['GetTokensFromRefreshToken', 'GetTokensFromRefreshToken'],
      ...['RevokeToken', 'RevokeToken', 'RevokeToken', 'RevokeToken'],
    ])
  })

  it('is asked of a function anew at every call', async () => {
    let secrets: readonly [string, string] = [STRANGE, OLDER]
    const { scene, client } = await begin(NEWER, () => secrets)
    await expect(client.signIn(scene.user)).rejects.toThrow(SecretHashMismatchError)
    secrets = [STRANGE, NEWER]
    await expect(client.signIn(scene.user)).resolves.toMatchObject({ status: 'authenticated' })
  })

  it.each([[[]], [['a', 'b', 'c']], [['a', '']], [[5]], [5], [''], [() => NEWER]])(
    'is refused where a function gives %j, before anything is sent',
    async (given) => {
      const { scene, client } = await begin(NEWER, (() => given) as never)
      const error = await thrownBy(() => client.signIn(scene.user))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain('"clientSecret"')
      expect(scene.takeCalls()).toEqual([])
    },
  )
})

describe('A function that should give the secret', () => {
  const failing = {
    rejects: () => Promise.reject(new Error('no such path: /vault/web')),
    throws: () => {
      throw new Error('no such path: /vault/web')
    },
    'does not answer in time': () => new Promise<never>(() => {}),
  }

  it.each(Object.entries(failing))('and %s is told as such, and Cognito is not asked', async (_, had) => {
    const { scene } = await begin(NEWER, had)
    const client = scene.createClient({ clientSecret: had, requestTimeoutMs: 5 })
    const error = await thrownBy(() => client.signIn(scene.user))
    expect(error).toBeInstanceOf(ClientSecretUnavailableError)
    expect(error).toMatchObject({ code: 'client_secret_unavailable', status: 503 })
    expect(error.message).not.toContain('vault')
    expect(error.cause).toBeInstanceOf(Error)
    expect(scene.takeCalls()).toEqual([])
  })

  it('and fails leaves the session shut here, and nobody is told that Cognito refused', async () => {
    let fails = true
    const { scene, session, client } = await begin(NEWER, () => (fails ? failing.rejects() : NEWER))
    const error = await thrownBy(() => client.revokeRefreshToken(session))
    expect(error).toMatchObject({
      code: 'revocation_incomplete',
      outcome: { store: 'recorded', cognito: 'failed' },
    })
    expect(error.cause).toBeInstanceOf(ClientSecretUnavailableError)
    expect(error.message).toContain('could not be asked')
    expect(error.message).not.toMatch(/refused|Mend/)
    expect(await scene.judge(session)).toBe('token_revoked')
    fails = false
    await expect(client.revokeRefreshToken(session)).resolves.toMatchObject({ cognito: 'revoked' })
  })

  it('and fails passes: a session that is not known yet can be revoked later', async () => {
    let fails = true
    const { scene, session, client } = await begin(NEWER, () => (fails ? failing.rejects() : NEWER))
    const { refreshToken } = session
    const error = await thrownBy(() => client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error.outcome).toEqual({ store: 'skipped', cognito: 'skipped' })
    expect(scene.takeCalls()).toEqual([])
    fails = false
    await expect(client.revokeRefreshToken({ refreshToken })).resolves.toMatchObject({ cognito: 'revoked' })
  })
})
