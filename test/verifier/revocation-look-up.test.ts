import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type CognitoRevocationError,
  NotReadyError,
  RevocationUnavailableError,
  StoreProtocolError,
  TokenRevokedError,
} from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import type { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions } from '../../src/verifier-options.js'
import { RawSigner } from '../support/raw-signer.js'
import { type Answer, SpyMemoryStore, SpyStore } from '../support/spy-store.js'
import { createVerifier as createVerifierOf, judge, refusalOf } from '../support/verdicts.js'

let signer: RawSigner
let events: ObserverEvent[]

beforeAll(async () => {
  signer = await RawSigner.create()
})

beforeEach(() => {
  events = []
})

afterEach(() => {
  vi.useRealTimers()
})

function createVerifier(revocation: SpyStore, options: Partial<SharedVerifierOptions> = {}): TokenVerifier {
  const observer = (event: ObserverEvent) => events.push(event)
  return createVerifierOf(signer, { revocation, observer, revocationTimeoutMs: 10_000, ...options })
}

const match = () => ({ poolId: signer.userPoolId, scope: 'user', id: 'jane', expiresAt: 9e9 })
const fail = (thrown: unknown): Answer => {
  return () => {
    throw thrown
  }
}

async function expectUnavailable(verifier: TokenVerifier): Promise<CognitoRevocationError> {
  const error = await refusalOf(verifier.verify(signer.accessToken()))
  expect(error).toBeInstanceOf(RevocationUnavailableError)
  expect(error).toMatchObject({ code: 'revocation_unavailable', status: 503 })
  return error
}

describe('a store that answers', () => {
  it.each([
    ['at once', (): Answer => match],
    ['later', (): Answer => async () => match()],
    ['much later', (): Answer => () => new Promise((resolve) => setImmediate(() => resolve(match())))],
  ])('%s with a record has the token refused, by its scope', async (_when, answer) => {
    const error = await refusalOf(createVerifier(new SpyStore(answer())).verify(signer.accessToken()))
    expect(error).toBeInstanceOf(TokenRevokedError)
    expect(error).toMatchObject({ scope: 'user', status: 401 })
  })

  it.each<[string, Answer]>([
    ['at once', () => undefined],
    ['later', async () => undefined],
  ])('%s with undefined lets the token through', async (_when, answer) => {
    expect(await judge(createVerifier(new SpyStore(answer)), signer.accessToken())).toBe('accepted')
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['false', false],
    ['true', true],
    ['0', 0],
    ['an empty string', ''],
    ['a string', 'not revoked'],
    ['an empty object', {}],
    ['an empty array', []],
    ['an array of records', [{ scope: 'user' }]],
    ['an object of another kind', { revoked: false }],
    ['a scope that there is not', { scope: 'everything' }],
    ['a scope of null', { scope: null }],
    ['a function', () => undefined],
    ['an error', new Error('down')],
    ['NaN', Number.NaN],
  ])('%s has the token refused: it is not known', async (_what, answer) => {
    for (const store of [new SpyStore(async () => answer), new SpyMemoryStore(() => answer)]) {
      const error = await expectUnavailable(createVerifier(store))
      expect(error.cause).toBeInstanceOf(StoreProtocolError)
    }
  })
})

describe('a store that fails', () => {
  const broken = new Error('the connection is broken')

  it.each<[string, Answer]>([
    ['throws', fail(broken)],
    ['rejects', () => Promise.reject(broken)],
    ['rejects later', () => new Promise((_, reject) => setImmediate(() => reject(broken)))],
  ])('has the token refused with 503, and the cause kept: it %s', async (_how, answer) => {
    expect((await expectUnavailable(createVerifier(new SpyStore(answer)))).cause).toBe(broken)
  })

  it('has the token refused with 503 when its findSync throws, without being asked once more', async () => {
    const store = new SpyMemoryStore(fail(broken))
    expect((await expectUnavailable(createVerifier(store))).cause).toBe(broken)
    expect(store.lookUps.map(({ method }) => method)).toEqual(['findSync'])
  })

  it.each([['text'], [undefined], [null], [5]])('has the token refused when it throws %j', async (thrown) => {
    for (const store of [new SpyStore(fail(thrown)), new SpyMemoryStore(fail(thrown))]) {
      await expectUnavailable(createVerifier(store))
    }
  })

  it('may say itself that it is not known', async () => {
    const own = new RevocationUnavailableError('too stale')
    for (const store of [new SpyStore(fail(own)), new SpyMemoryStore(fail(own))]) {
      expect(await expectUnavailable(createVerifier(store))).toBe(own)
    }
  })

  it('fails no token for not telling its age, and explain agrees', async () => {
    const staleness = fail(broken)
    const verifier = createVerifier(Object.assign(new SpyMemoryStore(), { staleness } as object))
    const verdict = await judge(verifier, signer.accessToken())
    const { accepted, error } = await verifier.explain(signer.accessToken())
    expect(accepted ? 'accepted' : (error as Partial<CognitoRevocationError>).code).toBe(verdict)
  })

  it('fails that token only: the next look-up is made afresh', async () => {
    const store = new SpyStore(fail(broken))
    const verifier = createVerifier(store)
    await expectUnavailable(verifier)
    store.answer = () => undefined
    expect(await judge(verifier, signer.accessToken())).toBe('accepted')
  })
})

describe('a store that hangs', () => {
  const never: Answer = () => new Promise(() => {})

  it('has the token refused with 503 after revocationTimeoutMs', async () => {
    const error = await expectUnavailable(createVerifier(new SpyStore(never), { revocationTimeoutMs: 20 }))
    expect((error.cause as Error).message).toMatch(/20 ms/)
  })

  it('has the token refused with 503 after half a second where nothing is said', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const store = new SpyStore(never)
    let verdict = 'none yet'
    const judged = judge(createVerifierOf(signer, { revocation: store }), signer.accessToken())
    const settled = judged.then((value) => {
      verdict = value
    })
    while (store.lookUps.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await vi.advanceTimersByTimeAsync(499)
    expect(verdict).toBe('none yet')
    await vi.advanceTimersByTimeAsync(1)
    await settled
    expect(verdict).toBe('revocation_unavailable')
  })

  it('holds up no other token', async () => {
    const store = new SpyStore(({ jti }) => (jti === 'slow' ? never({} as never) : undefined))
    const verifier = createVerifier(store, { revocationTimeoutMs: 50 })
    const settled: string[] = []
    const slow = judge(verifier, signer.accessToken({ jti: 'slow' })).then((verdict) => settled.push(verdict))
    expect(await judge(verifier, signer.accessToken())).toBe('accepted')
    expect(settled).toEqual([])
    await slow
    expect(settled).toEqual(['revocation_unavailable'])
  })

  it.each<[string, (resolve: (found: unknown) => void, reject: (error: Error) => void) => void]>([
    ['rejects', (_, reject) => reject(new Error('too late'))],
    ['says that the token is not revoked', (resolve) => resolve(undefined)],
  ])('changes nothing any more when it %s after the timeout', async (_what, settle) => {
    let late = () => {}
    const store = new SpyStore(
      () =>
        new Promise((resolve, reject) => {
          late = () => settle(resolve, reject)
        }),
    )
    await expectUnavailable(createVerifier(store, { revocationTimeoutMs: 5 }))
    late()
    await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('a store that answers from memory', () => {
  it('is not asked beyond that', async () => {
    const store = new SpyMemoryStore()
    expect(await judge(createVerifier(store), signer.accessToken())).toBe('accepted')
    expect(store.lookUps.map(({ method }) => method)).toEqual(['findSync'])
  })

  it('is asked when its memory does not suffice: not revoked', async () => {
    const store = new SpyMemoryStore(fail(new NotReadyError('too stale')))
    expect(await judge(createVerifier(store), signer.accessToken())).toBe('accepted')
    expect(store.lookUps.map(({ method }) => method)).toEqual(['findSync', 'find'])
    expect(store.lookUps[1]?.token).toEqual(store.lookUps[0]?.token)
  })

  it('is asked when its memory does not suffice: revoked', async () => {
    const store = new SpyMemoryStore(fail(new NotReadyError('too stale')), match)
    expect(await judge(createVerifier(store), signer.accessToken())).toBe('token_revoked')
  })

  it('is asked when its memory does not suffice: it fails', async () => {
    const store = new SpyMemoryStore(fail(new NotReadyError('too stale')), fail(new Error('down')))
    await expectUnavailable(createVerifier(store))
  })
})

describe('a store whose findSync is asynchronous by mistake', () => {
  it.each([
    ['resolves', async () => undefined],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('has every token refused, and ends nothing, where it %s', async (_, findSync) => {
    const store = Object.assign(new SpyStore(), { findSync: findSync as never })
    const error = await expectUnavailable(createVerifier(store))
    expect(error.cause).toBeInstanceOf(StoreProtocolError)
  })
})

describe('the observer', () => {
  it('is told that it could not be known, and that the token was refused', async () => {
    const error = await expectUnavailable(createVerifier(new SpyStore(fail(new Error('down')))))
    expect(events).toEqual([
      { type: 'revocation_unavailable', decision: 'rejected', error },
      {
        type: 'token_refused',
        code: 'revocation_unavailable',
        error,
        poolId: signer.userPoolId,
        sub: signer.accessClaims().sub,
      },
    ])
  })
})

describe("onRevocationUnavailable: 'accept'", () => {
  const accept = { onRevocationUnavailable: 'accept' } as const

  it.each<[string, () => SpyStore]>([
    ['throws', () => new SpyStore(fail(new Error('down')))],
    ['rejects', () => new SpyStore(() => Promise.reject(new Error('down')))],
    ['hangs', () => new SpyStore(() => new Promise(() => {}))],
    ['answers nonsense', () => new SpyStore(async () => null)],
    ['throws in memory', () => new SpyMemoryStore(fail(new Error('down')))],
    ['is not ready, then throws', () => new SpyMemoryStore(fail(new NotReadyError('')), fail(new Error('')))],
  ])(
    'lets a good token through where the store %s, and tells the observer each time',
    async (_how, store) => {
      const verifier = createVerifier(store(), { ...accept, revocationTimeoutMs: 10 })
      const token = signer.accessToken()
      for (const times of [1, 2, 3]) {
        expect(await judge(verifier, token)).toBe('accepted')
        expect(events).toHaveLength(times)
        expect(events.at(-1)).toMatchObject({
          type: 'revocation_unavailable',
          decision: 'accepted',
          error: { code: 'revocation_unavailable' },
        })
      }
    },
  )

  it('refuses what is known to be revoked', async () => {
    for (const store of [new SpyStore(async () => match()), new SpyMemoryStore(match)]) {
      expect(await judge(createVerifier(store, accept), signer.accessToken())).toBe('token_revoked')
    }
    const failing = new SpyMemoryStore(fail(new NotReadyError('too stale')), match)
    expect(await judge(createVerifier(failing, accept), signer.accessToken())).toBe('token_revoked')
  })

  it('lets no other fault pass', async () => {
    const verifier = createVerifier(new SpyStore(fail(new Error('down'))), accept)
    expect(await judge(verifier, 'no token')).toBe('token_malformed')
    expect(await judge(verifier, signer.accessToken({ exp: 1 }))).toBe('token_expired')
    expect(await judge(verifier, signer.accessToken({ origin_jti: undefined }))).toBe('token_not_revocable')
    expect(events.filter(({ type }) => type === 'revocation_unavailable')).toEqual([])
  })

  it('is not the default', async () => {
    await expectUnavailable(createVerifier(new SpyStore(fail(new Error('down')))))
  })
})

describe('onRevocationUnavailable of one call', () => {
  const down = () => new SpyStore(fail(new Error('down')))

  it("lets a token through where the verifier's own would not, and tells the observer", async () => {
    const verifier = createVerifier(down())
    const claims = await verifier.verify(signer.accessToken(), { onRevocationUnavailable: 'accept' })
    expect(claims.token_use).toBe('access')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'revocation_unavailable', decision: 'accepted' }),
    )
    await expectUnavailable(verifier)
  })

  it.each(['reject', 'acept', null])(
    "refuses a token where the verifier's own would not, unless it is 'accept': %j",
    async (onRevocationUnavailable) => {
      const verifier = createVerifier(down(), { onRevocationUnavailable: 'accept' })
      const options = { onRevocationUnavailable } as { onRevocationUnavailable: 'reject' }
      expect(await refusalOf(verifier.verify(signer.accessToken(), options))).toMatchObject({
        code: 'revocation_unavailable',
      })
    },
  )

  it("is the call's own only: nobody chooses for all by way of Object.prototype", async () => {
    Object.defineProperty(Object.prototype, 'onRevocationUnavailable', {
      value: 'accept',
      configurable: true,
    })
    try {
      const verifier = createVerifier(down(), { onRevocationUnavailable: 'reject' })
      expect(await refusalOf(verifier.verify(signer.accessToken(), {}))).toMatchObject({
        code: 'revocation_unavailable',
      })
    } finally {
      Reflect.deleteProperty(Object.prototype, 'onRevocationUnavailable')
    }
  })

  it('lets no revoked token through', async () => {
    const verifier = createVerifier(new SpyStore(match))
    const refused = verifier.verify(signer.accessToken(), { onRevocationUnavailable: 'accept' })
    expect(await refusalOf(refused)).toBeInstanceOf(TokenRevokedError)
  })
})

describe('a Promise that somebody has replaced', () => {
  it('makes no difference to a store that has to be asked', async () => {
    const verifier = createVerifier(new SpyStore())
    const revoking = createVerifier(new SpyStore(match))
    const own = globalThis.Promise
    globalThis.Promise = class Zone<T> extends Promise<T> {} as PromiseConstructor
    try {
      for (const _ of [1, 2]) {
        expect(await judge(verifier, signer.accessToken())).toBe('accepted')
        expect(await judge(revoking, signer.accessToken())).toBe('token_revoked')
      }
    } finally {
      globalThis.Promise = own
    }
  })
})
