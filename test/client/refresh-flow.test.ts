import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CognitoTokenClientOptions } from '../../src/client/index.js'
import { InvalidParameterError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { takeMonotonicClock } from '../support/monotonic.js'
import { thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
afterEach(() => {
  vi.restoreAllMocks()
})

const PREFERRED = { refreshFlow: 'REFRESH_TOKEN_AUTH' } as const
const ROTATION = { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 } } as const
const ALLOWED = {
  refreshTokenRotation: { enabled: false, retryGracePeriodSeconds: 0 },
  explicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
}
const [DESCRIBE, FLOW, GET] = ['DescribeUserPoolClient', 'InitiateAuth', 'GetTokensFromRefreshToken']

describe('REFRESH_TOKEN_AUTH by preference', () => {
  it('is taken where the settings allow it, which are read once, also by calls at once', async () => {
    const scene = createScene({}, PREFERRED)
    const [one, two] = [await scene.signIn(), await scene.signIn()]
    scene.takeCalls()
    await Promise.all([scene.client.refresh(one), scene.client.refresh(two)])
    expect(scene.takeCalls()).toEqual([DESCRIBE, FLOW, FLOW])
    await scene.client.refresh(one)
    expect(scene.takeCalls()).toEqual([FLOW])
  })

  it.each([
    ['rotation is on', ROTATION],
    ['ALLOW_REFRESH_TOKEN_AUTH is off', { explicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] }],
  ] as const)('gives way to GetTokensFromRefreshToken where %s', async (_, settings) => {
    const scene = createScene(settings, PREFERRED)
    const session = await scene.signIn()
    scene.takeCalls()
    const { refreshToken } = await scene.client.refresh(session)
    await scene.client.refresh({ refreshToken })
    expect(scene.takeCalls()).toEqual([DESCRIBE, GET, GET])
  })

  it('gives way where there is a secret and no username to hash with', async () => {
    const scene = createScene({ generateSecret: true }, { ...PREFERRED, tokenSettings: ALLOWED })
    const { refreshToken, username } = await scene.signIn()
    scene.takeCalls()
    await scene.client.refresh({ refreshToken })
    await scene.client.refresh({ refreshToken, username })
    expect(scene.takeCalls()).toEqual([GET, FLOW])
  })

  it('gives way while the settings cannot be read, which is told once, and tried again after a pause', async () => {
    const events: ObserverEvent[] = []
    const scene = createScene({}, { ...PREFERRED, observer: (event) => events.push(event) })
    const session = await scene.signIn()
    const advance = takeMonotonicClock()
    scene.cognito.failNext(DESCRIBE, 'AccessDeniedException', { times: 2 })
    scene.takeCalls()
    await scene.client.refresh(session)
    await scene.client.refresh(session)
    expect(scene.takeCalls()).toEqual([DESCRIBE, GET, GET])
    advance(60_000)
    await scene.client.refresh(session)
    expect(scene.takeCalls()).toEqual([DESCRIBE, GET])
    expect(events).toMatchObject([
      { type: 'token_settings_unavailable', error: { code: 'access_denied' }, retryAfterMs: 60_000 },
    ])
    advance(60_000)
    await scene.client.refresh(session)
    expect(scene.takeCalls()).toEqual([DESCRIBE, FLOW])
  })

  it('does not wait for settings longer than for one request', async () => {
    const scene = createScene()
    const client = scene.createClient({ ...PREFERRED, requestTimeoutMs: 300 })
    const session = await scene.signIn()
    scene.cognito.delayNext(DESCRIBE, 30_000)
    await client.refresh(session)
    expect(scene.takeCalls()).toContain(GET)
  })

  it('gives way in the same call where rotation was turned on meanwhile, and forgets the settings', async () => {
    const scene = createScene({}, PREFERRED)
    const [one, two] = [await scene.signIn(), await scene.signIn()]
    await scene.client.refresh(one)
    scene.cognito.updateClient(scene.app.clientId, ROTATION)
    scene.takeCalls()
    const { rotated } = await scene.client.refresh(one)
    expect(rotated).toBe(true)
    expect(scene.takeCalls()).toEqual([FLOW, GET])
    await scene.client.refresh(two)
    expect(scene.takeCalls()).toEqual([GET])
  })

  it('gives way too where Cognito calls it an unsupported operation', async () => {
    const scene = createScene({}, { ...PREFERRED, tokenSettings: ALLOWED })
    const session = await scene.signIn()
    scene.cognito.failNext(FLOW, 'UnsupportedOperationException')
    scene.takeCalls()
    await expect(scene.client.refresh(session)).resolves.toBeDefined()
    expect(scene.takeCalls()).toEqual([FLOW, GET])
  })

  it('passes on that the feature plan lacks something', async () => {
    const scene = createScene({}, { ...PREFERRED, tokenSettings: ALLOWED })
    const session = await scene.signIn()
    scene.cognito.failNext(FLOW, 'FeatureUnavailableInTierException')
    await expect(scene.client.refresh(session)).rejects.toMatchObject({ code: 'cognito_configuration' })
  })

  it('loses no session to callers at once where rotation without grace was turned on meanwhile', async () => {
    const scene = createScene({}, { ...PREFERRED, tokenSettings: ALLOWED })
    const { refreshToken, username } = await scene.signIn()
    scene.cognito.updateClient(scene.app.clientId, { refreshTokenRotation: { feature: 'ENABLED' } })
    const results = await Promise.all([
      scene.client.refresh({ refreshToken }),
      scene.client.refresh({ refreshToken, username }),
    ])
    expect(new Set(results.map((result) => result.refreshToken)).size).toBe(1)
  })

  it('passes on other refusals', async () => {
    const scene = createScene({}, { ...PREFERRED, tokenSettings: ALLOWED })
    const session = await scene.signIn()
    scene.cognito.failNext(FLOW, 'TooManyRequestsException')
    expect(await thrownBy(() => scene.client.refresh(session))).toMatchObject({ code: 'throttled' })
  })
})

describe('A refresh flow', () => {
  it('is known without asking from what describeTokenSettings gave', async () => {
    const scene = createScene()
    const tokenSettings = await scene.client.describeTokenSettings()
    const client = scene.createClient({ ...PREFERRED, tokenSettings })
    const session = await scene.signIn()
    scene.takeCalls()
    await client.refresh(session)
    expect(scene.takeCalls()).toEqual([FLOW])
  })

  it('that is named at a call is obeyed, and the settings not read', async () => {
    const scene = createScene(ROTATION, { ...PREFERRED, tokenSettings: ALLOWED })
    const session = await scene.signIn()
    scene.takeCalls()
    const refreshing = scene.client.refresh({ ...session, flow: 'REFRESH_TOKEN_AUTH' })
    const error = await thrownBy(() => refreshing)
    expect(error).toBeInstanceOf(InvalidParameterError)
    expect(error.message).toContain('rotation must be off: else use GetTokensFromRefreshToken')
    expect(scene.takeCalls()).toEqual([FLOW])
    await scene.client.refresh({ ...session, flow: 'GetTokensFromRefreshToken' })
    expect(scene.takeCalls()).toEqual([GET])
  })

  it.each([
    ['"tokenSettings"', { tokenSettings: 5 }],
    ['"tokenSettings.refreshTokenRotation"', { tokenSettings: { explicitAuthFlows: [] } }],
    [
      '"tokenSettings.refreshTokenRotation.enabled"',
      { tokenSettings: { ...ALLOWED, refreshTokenRotation: { retryGracePeriodSeconds: 0 } } },
    ],
    [
      '"tokenSettings.refreshTokenRotation.retryGracePeriodSeconds"',
      { tokenSettings: { ...ALLOWED, refreshTokenRotation: { enabled: true, retryGracePeriodSeconds: 61 } } },
    ],
    [
      '"tokenSettings.explicitAuthFlows"',
      { tokenSettings: { ...ALLOWED, explicitAuthFlows: 'ALLOW_REFRESH_TOKEN_AUTH' } },
    ],
    ['"onRefreshTokenReuse"', { onRefreshTokenReuse: true }],
  ])('is not looked for in wrong settings: %s', async (name, wrong) => {
    const options = wrong as unknown as Partial<CognitoTokenClientOptions>
    expect(() => createScene({}, options)).toThrow(TypeError)
    expect(() => createScene({}, options)).toThrow(name)
  })
})
