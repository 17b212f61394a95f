import {
  AdminUserGlobalSignOutCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Conditions, FakeCognito, type QuotaCategory } from '../../src/testing/index.js'
import { useHarness } from './harness.js'

const harness = useHarness()

function setConditions(conditions: Conditions): void {
  harness().cognito.setConditions(conditions)
  onTestFinished(() => harness().cognito.setConditions({}))
}

/** Stops the time, but for what a test moves it by. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

const signOut = (username: string) =>
  harness().sdk.send(
    new AdminUserGlobalSignOutCommand({ UserPoolId: harness().cognito.userPoolId, Username: username }),
  )

/** How each of so many requests ended, one after the other. */
async function outcomesOf(count: number, act: () => Promise<unknown>): Promise<string[]> {
  const outcomes: string[] = []
  for (let i = 0; i < count; i += 1) {
    outcomes.push(
      await act().then(
        () => 'answered',
        (error: Error) => `${error.name}: ${error.message}`,
      ),
    )
  }
  return outcomes
}

/** Of a form that is posted to a hosted endpoint; 0 where the connection breaks. */
async function statusOf(path: string, form: Readonly<Record<string, string>>): Promise<number> {
  const { domain } = harness().cognito
  const asked = fetch(`${domain}${path}`, { method: 'POST', body: new URLSearchParams(form) })
  return asked.then(
    ({ status }) => status,
    () => 0,
  )
}

const throttled = 'TooManyRequestsException: Rate exceeded'

describe('The quotas of FakeCognito', () => {
  it('throttle what is over them, until a second has passed', async () => {
    stopTime()
    const { username } = harness().createPerson()
    setConditions({ quotas: { UserUpdate: 2 } })
    expect(await outcomesOf(3, () => signOut(username))).toEqual(['answered', 'answered', throttled])
    harness().cognito.clock.advance(0.999)
    expect(await outcomesOf(1, () => signOut(username))).toEqual([throttled])
    harness().cognito.clock.advance(0.001)
    expect(await outcomesOf(3, () => signOut(username))).toEqual(['answered', 'answered', throttled])
  })

  it('slide: what a second has passed since makes room, and no more', async () => {
    stopTime()
    const { username } = harness().createPerson()
    setConditions({ quotas: { UserUpdate: 2 } })
    await signOut(username)
    harness().cognito.clock.advance(0.6)
    await signOut(username)
    harness().cognito.clock.advance(0.6)
    expect(await outcomesOf(2, () => signOut(username))).toEqual(['answered', throttled])
  })

  it('are shared by the operations of one category, and by no others', async () => {
    stopTime()
    const { tokens } = await harness().begin()
    const { username } = harness().createPerson()
    setConditions({ quotas: { UserUpdate: 1 } })
    await signOut(username)
    expect(await outcomesOf(1, () => signOut(username))).toEqual([throttled])
    expect(await outcomesOf(5, () => harness().getUser(tokens.AccessToken))).not.toContain(throttled)
  })

  it.each<[string, QuotaCategory, string, Readonly<Record<string, string>>]>([
    ['refreshes', 'UserAuthentication', '/oauth2/token', { grant_type: 'refresh_token', refresh_token: 'x' }],
    ['machine tokens', 'ClientAuthentication', '/oauth2/token', { grant_type: 'client_credentials' }],
    ['revocations', 'UserToken', '/oauth2/revoke', { token: 'x' }],
  ])('count %s at the hosted endpoints by %s, with status 429', async (_, category, path, form) => {
    stopTime()
    setConditions({ quotas: { [category]: 1 } })
    expect(await statusOf(path, form)).not.toBe(429)
    expect(await statusOf(path, form)).toBe(429)
    // Of another category, or of none.
    expect(await statusOf('/oauth2/token', { grant_type: 'authorization_code', code: 'x' })).not.toBe(429)
  })

  it('let three challenges be answered for each sign-in, unless told otherwise', async () => {
    stopTime()
    const answer = () =>
      harness().sdk.send(
        new RespondToAuthChallengeCommand({
          ClientId: 'x',
          ChallengeName: 'SMS_MFA',
          Session: 'x'.repeat(20),
        }),
      )
    const throttledOf = async () => (await outcomesOf(4, answer)).map((outcome) => outcome === throttled)
    setConditions({ quotas: { UserAuthentication: 1 } })
    expect(await throttledOf()).toEqual([false, false, false, true])
    setConditions({ quotas: { UserAuthentication: 1, ChallengeResponse: 2 } })
    expect(await throttledOf()).toEqual([false, false, true, true])
  })

  it('have no request take effect that they throttle', async () => {
    stopTime()
    const { client, tokens } = await harness().begin()
    setConditions({ quotas: { UserToken: 1 } })
    await harness().revoke(client, tokens.RefreshToken)
    const other = await harness().begin()
    await expect(harness().revoke(other.client, other.tokens.RefreshToken)).rejects.toThrow('Rate exceeded')
    await expect(harness().getUser(other.tokens.AccessToken)).resolves.toBeDefined()
  })

  it('hold nobody up whose clock is set back', async () => {
    stopTime()
    const { username } = harness().createPerson()
    setConditions({ quotas: { UserUpdate: 1 } })
    await signOut(username)
    harness().cognito.clock.advance(-3_600)
    expect(await outcomesOf(2, () => signOut(username))).toEqual(['answered', throttled])
  })
})

describe('The latency of FakeCognito', () => {
  it.each([[30], [[30, 40]], [{ JWKS: 30 }]] as const)('of %j makes its answers late', async (latencyMs) => {
    setConditions({ latencyMs })
    const started = performance.now()
    await fetch(harness().cognito.jwksUri)
    // Node's timers can be a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(28)
  })

  it('can be of one operation alone', async () => {
    setConditions({ latencyMs: { RevokeToken: 60_000 } })
    await expect(fetch(harness().cognito.jwksUri)).resolves.toHaveProperty('status', 200)
  })
})

/** The first statuses of the JWKS, or that the connection was cut. */
async function documentsOf(conditions: Conditions, count = 40): Promise<unknown[]> {
  const { cognito } = harness()
  setConditions(conditions)
  const statuses: unknown[] = []
  for (let i = 0; i < count; i += 1) {
    const { status } = await cognito.fetch(new Request(cognito.jwksUri)).catch(() => ({ status: 'cut' }))
    statuses.push(status)
  }
  return statuses
}

describe('The failures of FakeCognito at random', () => {
  it('are of OAuth at the hosted endpoints: status 429, server_error, or a broken connection', async () => {
    setConditions({ faultRate: 1, seed: 7 })
    const statuses = new Set<number>()
    for (let i = 0; i < 40; i += 1) statuses.add(await statusOf('/oauth2/token', { grant_type: 'x' }))
    expect([...statuses].sort()).toEqual([0, 429, 500])
  })

  it('are the same for the same seed, and others for another', async () => {
    const one = await documentsOf({ faultRate: 0.5, seed: 7 })
    const again = await documentsOf({ faultRate: 0.5, seed: 7 })
    const other = await documentsOf({ faultRate: 0.5, seed: 8 })
    expect(one).toEqual(again)
    expect(one).not.toEqual(other)
  })

  it('are of every kind', async () => {
    const statuses = await documentsOf({ faultRate: 0.5, seed: 7 })
    expect(new Set(statuses)).toEqual(new Set([200, 400, 500, 'cut']))
  })

  it.each([
    [0, false],
    [1, true],
  ])('at a rate of %i fail %j', async (faultRate, fails) => {
    const statuses = await documentsOf({ faultRate }, 10)
    expect(statuses.some((status) => status === 200)).toBe(!fails)
    expect(statuses.some((status) => status !== 200)).toBe(fails)
  })

  it('tell their seed', async () => {
    const { tokens } = await harness().begin()
    setConditions({ faultRate: 1, seed: 7 })
    const outcomes = await outcomesOf(5, () => harness().getUser(tokens.AccessToken))
    expect(outcomes.join()).toContain('of seed 7')
  })

  it('come after those that were asked for', async () => {
    setConditions({ faultRate: 1, seed: 7 })
    harness().cognito.failNext('GetUser', 'ForbiddenException')
    const outcomes = await outcomesOf(2, () => harness().getUser('token'))
    expect(outcomes[0]).toContain('ForbiddenException')
    expect(outcomes[1]).not.toContain('ForbiddenException')
  })
})

describe('The conditions of FakeCognito', () => {
  it('can be given to it at the start', async () => {
    const cognito = await FakeCognito.create({ faultRate: 1, seed: 7 })
    const { status } = await cognito.fetch(new Request(cognito.jwksUri)).catch(() => ({ status: 'cut' }))
    expect(status).not.toBe(200)
  })

  it('replace those that were said before', async () => {
    stopTime()
    const { username } = harness().createPerson()
    setConditions({ quotas: { UserUpdate: 1 } })
    setConditions({})
    expect(await outcomesOf(3, () => signOut(username))).not.toContain(throttled)
  })

  it.each([
    ['quotas', { quotas: { userUpdate: 25 } }],
    ['quotas.UserUpdate', { quotas: { UserUpdate: 0 } }],
    ['latencyMs', { latencyMs: -1 }],
    ['latencyMs', { latencyMs: [5, 1] }],
    ['latencyMs', { latencyMs: { JWKS: Number.NaN } }],
    ['operation', { latencyMs: { NoSuchThing: 1 } }],
    ['faultRate', { faultRate: 1.1 }],
    ['faultRate', { faultRate: -0.1 }],
  ])('refuse a wrong %s by name', (name, conditions) => {
    expect(() => harness().cognito.setConditions(conditions as never)).toThrow(name)
  })
})
