import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { notify, type ObserverEvent } from '../src/observer.js'
import { TokenVerifier } from '../src/verifier.js'
import type { SharedVerifierOptions, UserPoolOptions } from '../src/verifier-options.js'
import { JwksServer } from './support/jwks-server.js'
import { NOW_SECONDS, RawSigner } from './support/raw-signer.js'
import { SpyMemoryStore, SpyStore } from './support/spy-store.js'
import { createVerifier, judge, judgeSync, refusalOf } from './support/verdicts.js'

let signer: RawSigner
let events: ObserverEvent[]
const observer = (event: ObserverEvent) => events.push(event)

beforeAll(async () => {
  signer = await RawSigner.create()
})

beforeEach(() => {
  events = []
})

describe('the observer', () => {
  it('is told of each token that is refused: the code and the error itself', async () => {
    const verifier = createVerifier(signer, { observer })
    const error = await refusalOf(verifier.verify('no token'))
    expect(events).toEqual([{ type: 'token_refused', code: 'token_malformed', error }])
    expect(judgeSync(verifier, 'no token')).toBe('token_malformed')
    expect(events).toHaveLength(2)
  })

  it('is told nothing of a token that is accepted', async () => {
    const verifier = createVerifier(signer, { observer, revocation: new SpyMemoryStore() })
    await verifier.verify(signer.accessToken())
    await verifier.verify(signer.accessToken())
    expect(events).toEqual([])
  })

  it.each<[string, Record<string, unknown>, Partial<UserPoolOptions & SharedVerifierOptions>]>([
    ['too old', { iat: NOW_SECONDS - 100 }, { maxTokenAgeSeconds: 60 }],
    ["another client's", { client_id: 'another' }, { clientId: ['mine'] }],
    ['of the wrong use', {}, { tokenUse: 'id' }],
    ['without the scope', {}, { scope: 'orders/read' }],
    ['without a required claim', {}, { requiredClaims: ['custom:tenant'] }],
    ['not revocable', { origin_jti: undefined }, { revocation: new SpyMemoryStore() }],
    ['refused by the custom check', {}, { customJwtCheck: () => Promise.reject(new Error()) }],
    ['revoked', {}, { revocation: new SpyMemoryStore(() => ({ scope: 'user' })) }],
  ])(
    'is told whose token was refused, once its signature was verified: %s',
    async (_what, claims, options) => {
      const verifier = createVerifier(signer, { ...options, observer })
      await refusalOf(verifier.verify(signer.accessToken(claims)))
      const whose = { poolId: signer.userPoolId, sub: signer.accessClaims().sub }
      expect(events).toMatchObject([{ type: 'token_refused', ...whose }])
    },
  )

  it('is told whose token was refused, where that was remembered and its time is over', async () => {
    let now = NOW_SECONDS * 1000
    const verifier = createVerifier(signer, { observer, clock: () => now })
    const token = signer.accessToken({ exp: NOW_SECONDS + 60 })
    await verifier.verify(token)
    now += 60_000
    expect(judgeSync(verifier, token)).toBe('token_expired')
    const whose = { poolId: signer.userPoolId, sub: signer.accessClaims().sub }
    expect(events).toMatchObject([{ type: 'token_refused', code: 'token_expired', ...whose }])
  })

  it('is not told whose token was refused as long as anybody may have written it', async () => {
    const verifier = createVerifier(signer, { observer })
    for (const token of [
      signer.accessToken({ iss: 'https://issuer.example' }),
      signer.accessToken({}, { alg: 'none' }),
      signer.accessToken({ exp: NOW_SECONDS }),
      `${signer.accessToken().slice(0, -20)}${'A'.repeat(20)}`,
    ]) {
      await refusalOf(verifier.verify(token))
    }
    expect(events).toHaveLength(4)
    for (const event of events) expect(Object.keys(event).sort()).toEqual(['code', 'error', 'type'])
  })
})

describe('an observer that throws', () => {
  const throwing = () => {
    throw new Error('the log is full')
  }

  it.each<[string, () => string, Partial<SharedVerifierOptions>]>([
    ['a good token', () => signer.accessToken(), {}],
    ['a malformed one', () => 'no token', {}],
    ['an expired one', () => signer.accessToken({ exp: 1 }), {}],
    [
      'a revoked one',
      () => signer.accessToken(),
      { revocation: new SpyMemoryStore(() => ({ scope: 'user' })) },
    ],
    [
      'one of an unknown revocation',
      () => signer.accessToken(),
      { revocation: new SpyStore(async () => null) },
    ],
    [
      'one of an unknown revocation that is accepted',
      () => signer.accessToken(),
      { revocation: new SpyStore(async () => null), onRevocationUnavailable: 'accept' },
    ],
  ])('changes nothing: %s', async (_what, mint, options) => {
    const verdict = await judge(createVerifier(signer, options), mint())
    const verifier = createVerifier(signer, { ...options, observer: throwing })
    expect(await judge(verifier, mint())).toBe(verdict)
    expect(await judge(verifier, mint())).toBe(verdict)
  })

  it('may do so later: its rejection ends no process', async () => {
    const rejecting = () => Promise.reject(new Error('the log is full')) as unknown as undefined
    const verifier = createVerifier(signer, { observer: rejecting })
    expect(await judge(verifier, 'no token')).toBe('token_malformed')
    expect(await judge(verifier, signer.accessToken())).toBe('accepted')
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('changes nothing about the keys: fetched, ignored, not to be had', async () => {
    const server = await JwksServer.start({ keys: [{ kty: 'EC', kid: 'odd' }, signer.jwk] })
    const options = {
      userPoolId: signer.userPoolId,
      jwksUri: server.jwksUri,
      clientId: null,
      tokenUse: null,
      revocation: false,
      clock: () => NOW_SECONDS * 1000,
      observer: throwing,
    } as const
    expect(await judge(new TokenVerifier(options), signer.accessToken())).toBe('accepted')
    server.fail()
    expect(await judge(new TokenVerifier(options), signer.accessToken())).toBe('jwks_unavailable')
    await server.close()
  })

  it('is no reason for a verifier not to be made', () => {
    const options = { issuer: 'http://issuer.example', allowInsecureHttp: true, observer: throwing }
    expect(() => createVerifier(signer, options)).not.toThrow()
  })
})

describe('the diagnostics channel cognito-revocation', () => {
  const published: unknown[] = []
  const subscriber = (event: unknown) => published.push(event)

  beforeEach(() => {
    published.length = 0
    subscribe('cognito-revocation', subscriber)
  })
  afterEach(() => {
    unsubscribe('cognito-revocation', subscriber)
  })

  it('carries what the observer is told, and needs none', async () => {
    const error = await refusalOf(createVerifier(signer).verify('no token'))
    expect(published).toEqual([{ type: 'token_refused', code: 'token_malformed', error }])
  })

  it('carries it beside an observer, also one that throws', async () => {
    const watched = createVerifier(signer, { observer })
    await refusalOf(watched.verify('no token'))
    expect(published).toEqual(events)
    const broken = createVerifier(signer, {
      observer: () => {
        throw new Error('the log is full')
      },
    })
    await refusalOf(broken.verify('no token'))
    expect(published).toHaveLength(2)
  })

  it('carries nothing once nobody subscribes any more', async () => {
    unsubscribe('cognito-revocation', subscriber)
    notify(undefined, { type: 'insecure_http', url: 'http://example.com' })
    await refusalOf(createVerifier(signer).verify('no token'))
    expect(published).toEqual([])
  })
})
