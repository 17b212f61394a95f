import { describe, expect, it } from 'vitest'
import type { CognitoTokenClient } from '../../src/client/index.js'
import { type PartialOutcome, RefreshTokenRevokedError } from '../../src/errors.js'
import type { AppClientSettings } from '../../src/testing/index.js'
import { FAILURES, FailingSteps, type Plan } from '../support/failing-steps.js'
import { type Scene, type Session, useScene } from '../support/scene.js'

const createScene = useScene()

interface Scenario {
  readonly act: (client: CognitoTokenClient, session: Session, user: Scene['user']) => Promise<unknown>
  /** What it does, where nothing fails. */
  readonly steps: readonly string[]
  readonly settings?: AppClientSettings
  /** The process has had an answer of Cognito's before, and knows its clock. */
  readonly isWarm?: boolean
}

/** A step that only makes sure of something, and may fail. */
const DISPENSABLE: Record<string, string> = { 'adminGlobalSignOut with the sub': 'AdminGetUser' }

const SCENARIOS: Record<string, Scenario> = {
  'revokeRefreshToken with an access token': {
    act: (client, session) => client.revokeRefreshToken(session),
    steps: ['store', 'RevokeToken'],
  },
  'revokeRefreshToken by a refresh': {
    act: (client, { refreshToken }) => client.revokeRefreshToken({ refreshToken }),
    steps: ['GetTokensFromRefreshToken', 'store', 'RevokeToken'],
  },
  'revokeRefreshToken by a refresh, under rotation': {
    act: (client, { refreshToken }) => client.revokeRefreshToken({ refreshToken }),
    steps: ['GetTokensFromRefreshToken', 'store', 'RevokeToken', 'RevokeToken'],
    settings: { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 } },
  },
  globalSignOut: {
    act: (client, session) => client.globalSignOut(session),
    steps: ['store', 'GlobalSignOut', 'store'],
  },
  'adminGlobalSignOut with the sub': {
    act: (client, _, { username, sub }) => client.adminGlobalSignOut({ username, sub }),
    steps: ['AdminGetUser', 'store', 'AdminUserGlobalSignOut', 'store'],
  },
  'adminGlobalSignOut with the sub, later on': {
    act: (client, _, { username, sub }) => client.adminGlobalSignOut({ username, sub }),
    steps: ['store', 'AdminUserGlobalSignOut', 'store'],
    isWarm: true,
  },
  'adminGlobalSignOut without the sub': {
    act: (client, _, { username }) => client.adminGlobalSignOut({ username }),
    steps: ['AdminGetUser', 'store', 'AdminUserGlobalSignOut', 'store'],
  },
}

/** One for each scenario, to be quick; each play has a user of its own. */
const scenes = new Map<string, Scene>()

/** Plays a scenario in which steps fail, and holds what comes of it to what is promised. */
async function play(name: string, plan: Plan) {
  const { act, settings, isWarm } = SCENARIOS[name] as Scenario
  const scene = scenes.get(name) ?? createScene(settings)
  scenes.set(name, scene)
  const user = scene.createUser()
  const session = await scene.signIn(user)
  const steps = new FailingSteps(scene, plan)
  if (isWarm === true) await steps.client.describeTokenSettings()
  const { end, error } = await steps.play((client) => act(client, session, user))
  scene.cognito.clearFaults()
  const outcome = error?.outcome as PartialOutcome | undefined

  const isShut = (await scene.judge(session)) === 'token_revoked'
  if (end === 'resolved') await expectOver(scene, session)
  // What the error says has been done has been done.
  if (outcome?.store === 'recorded') await expectShut(scene, session)
  if (outcome?.cognito === 'revoked') await expectDeadAtCognito(scene, session)

  if (end !== 'resolved') await complete(name, scene, session, user, error)
  return { begun: steps.begun, end, isShut }
}

/** Calls again from a new process, or does what the error has said; then it is over. */
async function complete(
  name: string,
  scene: Scene,
  session: Session,
  user: Scene['user'],
  error: Error | undefined,
) {
  const { act } = SCENARIOS[name] as Scenario
  const client = scene.createClient()
  const again = name === 'globalSignOut' ? 'adminGlobalSignOut with the sub' : name
  const repeat = again === name ? act : (SCENARIOS[again] as Scenario).act
  await repeat(client, session, user).catch(async (second) => {
    // The session cannot be learned any more, as Cognito has revoked: either it is shut, or there was a word on it.
    expect(second).toBeInstanceOf(RefreshTokenRevokedError)
    if ((await scene.judge(session)) === 'token_revoked') return
    expect(error?.message).toContain('adminGlobalSignOut')
    await client.adminGlobalSignOut(user)
  })
  await expectOver(scene, session)
}

async function expectOver(scene: Scene, session: Session): Promise<void> {
  await expectShut(scene, session)
  await expectDeadAtCognito(scene, session)
}

/** Verifiers refuse the session's tokens, and those that can still be got for it. */
async function expectShut(scene: Scene, session: Session): Promise<void> {
  expect(await scene.judge(session)).toBe('token_revoked')
  const minted = await scene
    .createClient()
    .refresh(session)
    .catch(() => undefined)
  if (minted !== undefined) {
    expect(await scene.judge({ ...minted, idToken: minted.idToken ?? '' })).toBe('token_revoked')
  }
}

async function expectDeadAtCognito(scene: Scene, session: Session): Promise<void> {
  await expect(scene.client.refresh(session)).rejects.toBeInstanceOf(RefreshTokenRevokedError)
}

describe.each(Object.entries(SCENARIOS))('%s', (name, { steps }) => {
  it('has these steps, and then the session is over', async () => {
    const { begun, end } = await play(name, () => undefined)
    expect(begun).toEqual(steps)
    expect(end).toBe('resolved')
  })

  const single = steps.flatMap((step, i) => FAILURES.map((failure) => ({ at: i + 1, step, failure })))

  it.each(single)(
    'leaves the session shut or tells, and can be completed, where step $at ($step) is $failure',
    async ({ at, failure, step }) => {
      const { end, isShut } = await play(name, (_, number) => (number === at ? failure : undefined))
      if (failure.startsWith('gone')) {
        expect(end).toBe('gone')
        // Up to the first record nothing is done; from then on it is shut.
        const done = failure.endsWith('after effect') ? steps.slice(0, at) : steps.slice(0, at - 1)
        expect(isShut).toBe(done.includes('store'))
      } else {
        expect(isShut || end === 'rejected').toBe(true)
        // A store that fails once is tried once more.
        const isMended = step === 'store' || step === DISPENSABLE[name]
        expect(end).toBe(isMended ? 'resolved' : 'rejected')
      }
    },
  )

  const lasting = [...new Set(steps)].flatMap((step) =>
    (['refused', 'no answer, after effect'] as const).map((failure) => ({ step, failure })),
  )

  it.each(lasting)(
    'tells, and can be completed, where $step is $failure, for good',
    async ({ step, failure }) => {
      const { end } = await play(name, (each) => (each === step ? failure : undefined))
      expect(end).toBe(step === DISPENSABLE[name] ? 'resolved' : 'rejected')
    },
  )

  it.each(steps.map((step, i) => ({ at: i + 1, step })))(
    'can be completed where step $at ($step) is refused, and then the process is gone, wherever it is',
    async ({ at }) => {
      // How many steps follow depends on what fails.
      for (let later = at + 1; ; later += 1) {
        const { begun } = await play(name, (_, number) =>
          number === at ? 'refused' : number === later ? 'gone, before effect' : undefined,
        )
        if (begun.length < later) break
      }
    },
  )
})
