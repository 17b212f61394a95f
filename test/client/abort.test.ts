import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createTimedSignal } from '../../src/deadline.js'
import { RevocationIncompleteError } from '../../src/errors.js'
import { MACHINE } from '../support/hosted.js'
import { type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()

type Act = (scene: Scene, session: Session, signal: AbortSignal) => Promise<unknown>

const ACTIONS: readonly (readonly [string, string, Act])[] = [
  ['signIn', 'InitiateAuth', ({ client, user }, _, signal) => client.signIn({ ...user, signal })],
  [
    'refresh',
    'GetTokensFromRefreshToken',
    ({ client }, session, signal) => client.refresh({ ...session, signal }),
  ],
  [
    'revokeRefreshToken',
    'RevokeToken',
    ({ client }, session, signal) => client.revokeRefreshToken({ ...session, signal }),
  ],
  [
    'globalSignOut',
    'GlobalSignOut',
    ({ client }, session, signal) => client.globalSignOut({ ...session, signal }),
  ],
  [
    'adminGlobalSignOut',
    'AdminUserGlobalSignOut',
    ({ client, user }, _, signal) => client.adminGlobalSignOut({ ...user, signal }),
  ],
]
const SETTING_UP: readonly (readonly [string, string, Act])[] = [
  [
    'describeTokenSettings',
    'DescribeUserPoolClient',
    ({ client }, _, signal) => client.describeTokenSettings({ signal }),
  ],
  [
    'enableTokenRevocation',
    'DescribeUserPoolClient',
    ({ client }, _, signal) => client.enableTokenRevocation({ signal }),
  ],
  [
    'createAppClient',
    'CreateUserPoolClient',
    ({ client }, _, signal) => client.createAppClient({ clientName: 'another', signal }),
  ],
]
const REVOKING = ACTIONS.slice(2)

/** Starts an action whose call to Cognito hangs, and aborts it once Cognito has been asked. */
async function abortWhileAsked(
  scene: Scene,
  operation: string,
  act: (signal: AbortSignal) => Promise<unknown>,
) {
  const controller = new AbortController()
  scene.takeCalls()
  scene.cognito.delayNext(operation, 30_000)
  const thrown = thrownBy(() => act(controller.signal))
  await expect.poll(() => scene.takeCalls()).toContain(operation)
  controller.abort(new Error('the user has gone'))
  return { error: await thrown, signal: controller.signal }
}

describe('A signal', () => {
  it.each([...ACTIONS, ...SETTING_UP])(
    'that is aborted before %s asks Cognito for nothing',
    async (_, __, act) => {
      const scene = createScene()
      const session = await scene.signIn()
      scene.takeCalls()
      const reason = new Error('too late')
      expect(await thrownBy(() => act(scene, session, AbortSignal.abort(reason)))).toBe(reason)
      expect(scene.takeCalls()).toEqual([])
      expect(scene.store.added).toEqual([])
    },
  )

  it.each([...ACTIONS.slice(0, 2), ...SETTING_UP])(
    'that is aborted ends %s with its reason',
    async (_, operation, act) => {
      const scene = createScene()
      const session = await scene.signIn()
      const { error } = await abortWhileAsked(scene, operation, (signal) => act(scene, session, signal))
      expect(error.message).toBe('the user has gone')
    },
  )

  it.each(REVOKING)(
    'that is aborted during %s leaves the sessions shut, and it is told',
    async (_, operation, act) => {
      const scene = createScene()
      const session = await scene.signIn()
      const { error } = await abortWhileAsked(scene, operation, (signal) => act(scene, session, signal))
      expect(error).toBeInstanceOf(RevocationIncompleteError)
      expect(error).toMatchObject({
        outcome: { store: 'recorded', cognito: 'unknown' },
        cause: { message: 'the user has gone' },
      })
      expect(await scene.judge(session)).toBe('token_revoked')
    },
  )

  it('that is aborted while a session is being learned ends revokeRefreshToken before anything is done', async () => {
    const scene = createScene()
    const { refreshToken } = await scene.signIn()
    const { error } = await abortWhileAsked(scene, 'GetTokensFromRefreshToken', (signal) =>
      scene.client.revokeRefreshToken({ refreshToken, signal }),
    )
    expect(error.message).toBe('the user has gone')
    expect(scene.store.added).toEqual([])
  })

  it('of one caller leaves the refresh to the others that share it', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.delayNext('GetTokensFromRefreshToken', 100)
    const controller = new AbortController()
    const one = thrownBy(() => scene.client.refresh({ ...session, signal: controller.signal }))
    const other = scene.client.refresh(session)
    controller.abort(new Error('the user has gone'))
    expect((await one).message).toBe('the user has gone')
    expect(await other).toMatchObject({ refreshToken: session.refreshToken })
  })

  it('is left with no listener of this library', async () => {
    const scene = createScene()
    const { signal } = new AbortController()
    const session = await scene.signIn()
    for (const [, , act] of ACTIONS.slice(0, 2)) await act(scene, session, signal)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it.each<[string, Act]>([
    ['signIn', ({ client, user }, _, signal) => client.signIn({ ...user, signal })],
    ['refresh', ({ client }, session, signal) => client.refresh({ ...session, signal })],
    ['oauth.clientCredentials', ({ client }, _, signal) => client.oauth.clientCredentials({ signal })],
    [
      'revokeRefreshToken',
      ({ client }, { refreshToken }, signal) => client.revokeRefreshToken({ refreshToken, signal }),
    ],
  ])('ends %s while the app client’s secret is waited for', async (_, act) => {
    const hanging = () => new Promise<never>(() => {})
    const scene = createScene({ oauth: MACHINE, generateSecret: true }, { clientSecret: hanging })
    const session = await scene.signIn(scene.user, scene.createClient())
    scene.takeCalls()
    const controller = new AbortController()
    const thrown = thrownBy(() => act(scene, session, controller.signal))
    await Promise.resolve()
    controller.abort(new Error('the user has gone'))
    expect((await thrown).message).toBe('the user has gone')
    expect(scene.takeCalls()).toEqual([])
  })

  it('ends revokeRefreshToken while the secret is waited for, with the session shut here', async () => {
    const scene = createScene({ generateSecret: true })
    const session = await scene.signIn()
    const controller = new AbortController()
    const client = scene.createClient({
      clientSecret: () => {
        controller.abort(new Error('the user has gone'))
        return new Promise<never>(() => {})
      },
    })
    scene.takeCalls()
    const { signal } = controller
    const error = await thrownBy(() => client.revokeRefreshToken({ ...session, signal }))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.cause).toMatchObject({ message: 'the user has gone' })
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(scene.takeCalls()).toEqual([])
  })

  it.each([...ACTIONS, ...SETTING_UP])('that is none is refused by %s', async (_, __, act) => {
    const scene = createScene()
    const session = await scene.signIn()
    const error = await thrownBy(() => act(scene, session, {} as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('"signal"')
  })
})

describe('A signal that is aborted when a time is over', () => {
  it('says that it was the time', async () => {
    const { signal } = createTimedSignal(1)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
  })

  it('is aborted as any of the others is, and leaves no listener at them', () => {
    const [one, other] = [new AbortController(), new AbortController()]
    const { signal, release } = createTimedSignal(60_000, one.signal, undefined, other.signal)
    other.abort(new Error('enough'))
    expect(signal.reason).toMatchObject({ message: 'enough' })
    release()
    expect(getEventListeners(one.signal, 'abort')).toEqual([])
    const late = createTimedSignal(60_000, other.signal)
    late.release()
    expect(late.signal.aborted).toBe(true)
  })
})
