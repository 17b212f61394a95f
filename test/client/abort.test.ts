import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { RevocationIncompleteError } from '../../src/errors.js'
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
  it.each(ACTIONS)('that is aborted before %s asks Cognito for nothing', async (_, __, act) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const reason = new Error('too late')
    expect(await thrownBy(() => act(scene, session, AbortSignal.abort(reason)))).toBe(reason)
    expect(scene.takeCalls()).toEqual([])
    expect(scene.store.added).toEqual([])
  })

  it.each(ACTIONS.slice(0, 2))('that is aborted ends %s with its reason', async (_, operation, act) => {
    const scene = createScene()
    const session = await scene.signIn()
    const { error } = await abortWhileAsked(scene, operation, (signal) => act(scene, session, signal))
    expect(error.message).toBe('the user has gone')
  })

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

  it.each(ACTIONS)('that is none is refused by %s', async (_, __, act) => {
    const scene = createScene()
    const session = await scene.signIn()
    const error = await thrownBy(() => act(scene, session, {} as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('"signal"')
  })
})
