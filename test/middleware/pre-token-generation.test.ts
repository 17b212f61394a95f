import type {
  Context,
  PreTokenGenerationTriggerEvent,
  PreTokenGenerationV2TriggerEvent,
  PreTokenGenerationV3TriggerEvent,
} from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { RevocationUnavailableError, TokenRevokedError } from '../../src/errors.js'
import {
  createPreTokenGenerationGuard,
  type PreTokenGenerationEvent,
  type PreTokenGenerationGuardOptions,
} from '../../src/middleware/lambda/index.js'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import { Revoker } from '../../src/revocation/revoker.js'
import { SpyStore } from '../support/spy-store.js'

const poolId = 'us-east-1_AbCdEfGhI'
const sub = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
const clientId = '1example23456789'
const DAY = 86_400
const nowSeconds = () => Math.floor(Date.now() / 1000)

/** As AWS documents it: versions 1 and 2 have the same parts, as far as they are read here. */
const refreshEvent = (changes: object = {}): PreTokenGenerationTriggerEvent => ({
  version: '1',
  triggerSource: 'TokenGeneration_RefreshTokens',
  region: 'us-east-1',
  userPoolId: poolId,
  userName: 'parent',
  callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId },
  request: {
    userAttributes: { sub, 'cognito:user_status': 'CONFIRMED', email: 'parent@example.com' },
    groupConfiguration: { groupsToOverride: ['parents'], iamRolesToOverride: [], preferredRole: '' },
  },
  response: { claimsOverrideDetails: {} },
  ...changes,
})
const context = {} as Context

const scene = (options: Partial<PreTokenGenerationGuardOptions> = {}) => {
  const store = new MemoryRevocationStore()
  const revoker = new Revoker({ store, poolId })
  return { store, revoker, guard: createPreTokenGenerationGuard({ store, ...options }) }
}
const record = (scope: Revocation['scope'], id: string, more: Partial<Revocation> = {}): Revocation => ({
  ...{ poolId, scope, id, expiresAt: nowSeconds() + DAY },
  ...more,
})

describe('The pre token generation guard', () => {
  it('gives the event back as it came where nothing is revoked', async () => {
    const { guard } = scene()
    const event = refreshEvent()
    const copy = structuredClone(event)
    expect(await guard(event, context)).toBe(event)
    expect(event).toEqual(copy)
  })

  it.each<[Revocation['scope'], string]>([
    ['user', sub],
    ['client', clientId],
    ['pool', poolId],
  ])('refuses to refresh for a revoked %s', async (scope, id) => {
    const { guard, store } = scene()
    await store.add([record(scope, id)])
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it.each<[string, Revocation]>([
    ['another user', record('user', 'somebody-else')],
    ['another app client', record('client', 'another')],
    ['another user pool', { ...record('pool', 'us-east-1_Another00'), poolId: 'us-east-1_Another00' }],
    ['a session, of which Cognito says nothing', record('session', 'origin-jti')],
  ])('lets refresh where it is revoked: %s', async (_, revocation) => {
    const { guard, store } = scene()
    await store.add([revocation])
    await expect(guard(refreshEvent(), context)).resolves.toBeDefined()
  })

  it('takes events of versions 2 and 3', async () => {
    const { guard, store } = scene()
    await store.add([record('user', sub)])
    const response = { claimsAndScopeOverrideDetails: {} }
    const second = refreshEvent({ version: '2', response }) as unknown as PreTokenGenerationV2TriggerEvent
    await expect(guard(second, context)).rejects.toBeInstanceOf(TokenRevokedError)
    const third = refreshEvent({ version: '3', response }) as unknown as PreTokenGenerationV2TriggerEvent
    await expect(guard(third, context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it.each([
    'TokenGeneration_Authentication',
    'TokenGeneration_HostedAuth',
    'TokenGeneration_NewPasswordChallenge',
    'TokenGeneration_AuthenticateDevice',
  ])('asks nobody at a sign-in: %s', async (triggerSource) => {
    const store = new SpyStore()
    const guard = createPreTokenGenerationGuard({ store })
    await guard(refreshEvent({ triggerSource }), context)
    expect(store.lookUps).toEqual([])
  })

  it("lets a machine's tokens through, which no refresh token comes with", async () => {
    const { guard, store } = scene()
    await store.add([record('client', clientId)])
    const event = refreshEvent({
      version: '3',
      triggerSource: 'TokenGeneration_ClientCredentials',
      request: { userAttributes: {}, groupConfiguration: {} },
    }) as unknown as PreTokenGenerationV3TriggerEvent
    expect(await guard(event, context)).toBe(event)
  })

  it('heeds nothing that the caller of the refresh can write', async () => {
    const { guard, store } = scene()
    await store.add([record('user', sub)])
    const { request } = refreshEvent()
    const clientMetadata = { sub: 'somebody-else', cutoffs: 'none', origin_jti: 'another' }
    const event = refreshEvent({ request: { ...request, clientMetadata } })
    await expect(guard(event, context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it('says to who refreshes neither what was revoked nor why', async () => {
    const { guard, revoker } = scene()
    await revoker.revokeUser(sub, { reason: 'laptop stolen', actor: 'root' })
    await expect(guard(refreshEvent(), context)).rejects.toThrow(
      /^The session has been revoked: sign in again$/,
    )
  })
})

describe('A cutoff, of which the guard cannot tell whether the session began after it', () => {
  it('refuses by default where Cognito has not signed the user out', async () => {
    const { guard, revoker } = scene()
    await revoker.revokeUser(sub)
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it('lets those refresh by default whom Cognito has signed out: only new sessions come', async () => {
    const { guard, revoker } = scene()
    await revoker.revokeUser(sub, { cognitoConfirmed: true })
    await expect(guard(refreshEvent(), context)).resolves.toBeDefined()
  })

  it.each(['client', 'pool'] as const)(
    'refuses where the %s is revoked as well as a user whom Cognito has signed out',
    async (scope) => {
      const { guard, revoker } = scene()
      await revoker.revokeUser(sub, { cognitoConfirmed: true })
      if (scope === 'client') await revoker.revokeClient(clientId, { cognitoConfirmed: true })
      else await revoker.revokePool({ cognitoConfirmed: true })
      await expect(guard(refreshEvent(), context)).rejects.toMatchObject({ scope })
    },
  )

  it('refuses where a cutoff that was not confirmed came before one that is', async () => {
    const { guard, revoker } = scene()
    await revoker.revokeUser(sub)
    await revoker.revokeUser(sub, { cognitoConfirmed: true })
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it("always refuses with cutoffs: 'all'", async () => {
    const { guard, revoker } = scene({ cutoffs: 'all' })
    await revoker.revokeUser(sub, { cognitoConfirmed: true })
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it("never refuses with cutoffs: 'none', under which a record without one does", async () => {
    const { guard, revoker, store } = scene({ cutoffs: 'none' })
    await revoker.revokeUser(sub, { cutoff: nowSeconds() + 299 })
    await revoker.revokeClient(clientId)
    await revoker.revokePool()
    await expect(guard(refreshEvent(), context)).resolves.toBeDefined()
    await store.add([record('user', sub)])
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it('refuses nobody once every session from before it has ended', async () => {
    const refreshTokenValiditySeconds = 30 * DAY
    const { guard, revoker } = scene({ refreshTokenValiditySeconds })
    await revoker.revokeUser(sub, { cutoff: nowSeconds() - 31 * DAY })
    await expect(guard(refreshEvent(), context)).resolves.toBeDefined()
    await revoker.revokeUser(sub, { cutoff: nowSeconds() - 30 * DAY })
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
  })

  it.each([Number.POSITIVE_INFINITY, 1e15, Number.NaN])(
    'is no confirmed one where a store says %s',
    async (cutoff) => {
      const store = new SpyStore(async () => ({ ...record('user', sub), cutoff }))
      const guard = createPreTokenGenerationGuard({ store })
      await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
    },
  )
})

describe('While the store cannot say', () => {
  const failing = () =>
    new SpyStore(async () => {
      throw new Error('connect ECONNREFUSED 10.0.0.7:6379')
    })

  it('nobody can refresh, and nobody is told why', async () => {
    const events: ObserverEvent[] = []
    const guard = createPreTokenGenerationGuard({ store: failing(), observer: (event) => events.push(event) })
    const refusal = guard(refreshEvent(), context)
    await expect(refusal).rejects.toBeInstanceOf(RevocationUnavailableError)
    await expect(refusal).rejects.toThrow(/^It cannot be known now whether the session is revoked$/)
    expect(events).toMatchObject([{ type: 'revocation_unavailable', decision: 'rejected' }])
  })

  it("the owner may choose to let them, and is told each time: 'accept'", async () => {
    const events: ObserverEvent[] = []
    const observer = (event: ObserverEvent) => events.push(event)
    const options = { store: failing(), observer, onRevocationUnavailable: 'accept' } as const
    const event = refreshEvent()
    expect(await createPreTokenGenerationGuard(options)(event, context)).toBe(event)
    expect(events).toMatchObject([{ type: 'revocation_unavailable', decision: 'accepted' }])
  })

  it('a store that hangs is not waited for longer than the timeout', async () => {
    const store = new SpyStore(() => new Promise(() => {}))
    const guard = createPreTokenGenerationGuard({ store, revocationTimeoutMs: 5 })
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(RevocationUnavailableError)
  })

  it('a second look-up that fails refuses, too', async () => {
    let asked = 0
    const confirmed = { ...record('user', sub), cutoff: nowSeconds() }
    const store = new SpyStore(async () => {
      asked += 1
      if (asked > 1) throw new Error('gone')
      return confirmed
    })
    const guard = createPreTokenGenerationGuard({ store })
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(RevocationUnavailableError)
  })

  it.each([
    ['sub', { request: { userAttributes: {} } }],
    ['userAttributes', { request: {} }],
    ['request', { request: undefined }],
    ['client', { callerContext: undefined }],
    ['pool', { userPoolId: '' }],
  ])('an event that lacks the %s is refused, whatever the owner has chosen', async (_, changes) => {
    for (const onRevocationUnavailable of ['reject', 'accept'] as const) {
      const { guard } = scene({ onRevocationUnavailable })
      await expect(guard(refreshEvent(changes), context)).rejects.toThrow(/^The event lacks /)
    }
  })
})

describe("One's own trigger", () => {
  it('is called with every event that is not refused, and its answer is the answer', async () => {
    const answer = refreshEvent({ response: { claimsOverrideDetails: { claimsToSuppress: ['email'] } } })
    const given: unknown[] = []
    const handler = async (...args: unknown[]) => {
      given.push(...args)
      return answer
    }
    const { guard } = scene({ handler: handler as never })
    for (const event of [refreshEvent(), refreshEvent({ triggerSource: 'TokenGeneration_HostedAuth' })]) {
      expect(await guard(event, context)).toBe(answer)
      expect(given.splice(0)).toEqual([event, context])
    }
  })

  it('is not called with one that is', async () => {
    let calls = 0
    const handler = (event: PreTokenGenerationEvent) => {
      calls += 1
      return event
    }
    const { guard, store } = scene({ handler })
    await store.add([record('user', sub)])
    await expect(guard(refreshEvent(), context)).rejects.toBeInstanceOf(TokenRevokedError)
    expect(calls).toBe(0)
  })

  it('may fail in its own words', async () => {
    const error = new Error('no such tenant')
    const handler = () => {
      throw error
    }
    await expect(scene({ handler }).guard(refreshEvent(), context)).rejects.toBe(error)
  })
})

describe('The options of createPreTokenGenerationGuard', () => {
  it.each([
    ['store', { store: {} }],
    ['handler', { handler: 'index.handler' }],
    ['cutoffs', { cutoffs: 'some' }],
    ['refreshTokenValiditySeconds', { refreshTokenValiditySeconds: 30 }],
    ['onRevocationUnavailable', { onRevocationUnavailable: 'ignore' }],
    ['revocationTimeoutMs', { revocationTimeoutMs: 5_000 }],
    ['observer', { observer: 'console' }],
    ['clock', { clock: 0 }],
    ['cutoff', { cutoff: 'all' }],
  ])('are refused by name: %s', (option, options) => {
    const store = new MemoryRevocationStore()
    expect(() => createPreTokenGenerationGuard({ store, ...options } as never)).toThrow(
      new RegExp(`createPreTokenGenerationGuard: .*"${option}"`),
    )
  })
})
