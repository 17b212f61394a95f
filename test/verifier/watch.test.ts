import { randomUUID } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { TokenClaimError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import type { CognitoAccessTokenClaims } from '../../src/tokens/claims.js'
import type { TokenVerifier } from '../../src/verifier.js'
import type { SharedVerifierOptions } from '../../src/verifier-options.js'
import { ScriptedFeed } from '../revocation/mirror-scene.js'
import { NOW_SECONDS, RawSigner } from '../support/raw-signer.js'
import { SpyStore } from '../support/spy-store.js'
import { createVerifier as createVerifierOf } from '../support/verdicts.js'

/** In the past by any clock, as a cutoff must be. */
const SIGNED_IN_AT = 1_700_000_000

let signer: RawSigner
const closing: { close(): Promise<void> }[] = []

beforeAll(async () => {
  signer = await RawSigner.create()
})

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  for (const closable of closing.splice(0)) await closable.close()
})

function createVerifier(
  revocation: RevocationStore | false,
  options: Partial<SharedVerifierOptions> = {},
): TokenVerifier {
  const verifier = createVerifierOf(signer, { revocation, ...options })
  closing.push(verifier)
  return verifier
}

function mint(more: object = {}): string {
  const ids = { jti: randomUUID(), origin_jti: randomUUID(), auth_time: SIGNED_IN_AT }
  return signer.accessToken({ ...ids, ...more })
}

async function claimsOf(verifier: TokenVerifier, token = mint()): Promise<CognitoAccessTokenClaims> {
  return (await verifier.verify(token)) as CognitoAccessTokenClaims
}

/** One after the other: thousands at once hold the event loop up for longer than a look-up may take. */
async function claimsOfMany(verifier: TokenVerifier, count: number): Promise<CognitoAccessTokenClaims[]> {
  const all: CognitoAccessTokenClaims[] = []
  while (all.length < count) all.push(await claimsOf(verifier))
  return all
}

const expiresAt = Math.floor(Date.now() / 1000) + 3_600
const record = (more: Pick<Revocation, 'scope' | 'id'> & Partial<Revocation>): Revocation => ({
  poolId: signer.userPoolId,
  expiresAt,
  ...more,
})
const sessionOf = ({ origin_jti: id = '' }: CognitoAccessTokenClaims) => record({ scope: 'session', id })

/** What a watch has come to, after a little while. */
function outcomeOf(watch: Promise<unknown>, ms = 60): Promise<unknown> {
  return Promise.race([watch, pause(ms, 'still watching')])
}

describe.each([
  ['a store with a feed', () => new MemoryRevocationStore({ heartbeatMs: 20 })],
  [
    'a mirror',
    () => {
      const mirror = new RevocationMirror(new MemoryRevocationStore({ heartbeatMs: 20 }))
      closing.push(mirror)
      return mirror
    },
  ],
  [
    'a cache over a mirror',
    () => {
      const mirror = new RevocationMirror(new MemoryRevocationStore({ heartbeatMs: 20 }))
      closing.push(mirror)
      return new CachedRevocationStore(mirror)
    },
  ],
])('A watch over %s', (_what, createStore: () => RevocationStore) => {
  it('ends with "revoked" when its session is revoked, and not when another is', async () => {
    const store = createStore()
    const verifier = createVerifier(store)
    const [mine, other] = [await claimsOf(verifier), await claimsOf(verifier)]
    const watch = verifier.watch(mine)
    await store.add([sessionOf(other)])
    expect(await outcomeOf(watch)).toBe('still watching')
    await store.add([sessionOf(mine)])
    expect(await watch).toBe('revoked')
  })

  it.each(['token', 'session', 'user', 'client', 'pool'] as const)('hears of its %s', async (scope) => {
    const store = createStore()
    const verifier = createVerifier(store)
    const claims = await claimsOf(verifier)
    const ids = {
      token: claims.jti ?? '',
      session: claims.origin_jti ?? '',
      user: claims.sub,
      client: claims.client_id,
      pool: signer.userPoolId,
    }
    const watch = verifier.watch(claims)
    await pause(5)
    await store.add([record({ scope, id: ids[scope] })])
    expect(await watch).toBe('revoked')
  })

  it('goes on at a cutoff from before the token', async () => {
    const store = createStore()
    const verifier = createVerifier(store)
    const claims = await claimsOf(verifier)
    const watch = verifier.watch(claims)
    await store.add([record({ scope: 'user', id: claims.sub, cutoff: SIGNED_IN_AT - 1 })])
    expect(await outcomeOf(watch)).toBe('still watching')
    await store.add([record({ scope: 'user', id: claims.sub, cutoff: SIGNED_IN_AT })])
    expect(await watch).toBe('revoked')
  })

  it('ends at once where the token was revoked before', async () => {
    const store = createStore()
    const verifier = createVerifier(store)
    const claims = await claimsOf(verifier)
    await store.add([sessionOf(claims)])
    expect(await verifier.watch(claims)).toBe('revoked')
  })

  it('tells every watch of a user, and leaves those of others', async () => {
    const store = createStore()
    const verifier = createVerifier(store)
    const [jane, joe] = [randomUUID(), randomUUID()]
    const hers = await Promise.all([1, 2, 3].map(() => claimsOf(verifier, mint({ sub: jane }))))
    const his = await claimsOf(verifier, mint({ sub: joe }))
    const watches = hers.map((claims) => verifier.watch(claims))
    const other = verifier.watch(his)
    await store.add([record({ scope: 'user', id: jane, cutoff: SIGNED_IN_AT })])
    expect(await Promise.all(watches)).toEqual(['revoked', 'revoked', 'revoked'])
    expect(await outcomeOf(other)).toBe('still watching')
  })
})

describe('A watch', () => {
  it('ends with "expired" when the token does, grace included', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    let now = NOW_SECONDS
    const verifier = createVerifier(new MemoryRevocationStore(), {
      clock: () => now * 1000,
      ...{ graceSeconds: 10 },
    })
    const claims = await claimsOf(verifier, mint({ exp: NOW_SECONDS + 100 }))
    const watch = verifier.watch(claims)
    now = claims.exp + 9
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await outcomeOf(watch)).toBe('still watching')
    now = claims.exp + 10
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await watch).toBe('expired')
    expect(await verifier.watch(claims)).toBe('expired')
  })

  it('ends with "expired" where maxTokenAgeSeconds ends the token sooner', async () => {
    let now = NOW_SECONDS
    const verifier = createVerifier(new MemoryRevocationStore(), {
      clock: () => now * 1000,
      ...{ maxTokenAgeSeconds: 60 },
    })
    const claims = await claimsOf(verifier, mint({ iat: NOW_SECONDS, exp: NOW_SECONDS + 600 }))
    now = NOW_SECONDS + 60
    expect(await verifier.watch(claims)).toBe('expired')
  })

  it('rejects with the reason of its signal, and leaves nothing behind on it', async () => {
    const verifier = createVerifier(new MemoryRevocationStore())
    const controller = new AbortController()
    const { signal } = controller
    const watch = verifier.watch(await claimsOf(verifier), { signal })
    await pause(1)
    controller.abort(new Error('the socket is closed'))
    await expect(watch).rejects.toThrow('the socket is closed')
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await expect(verifier.watch(await claimsOf(verifier), { signal })).rejects.toThrow('the socket is closed')
  })

  it('may share its signal with many, which all end with it, and nobody is warned', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const verifier = createVerifier(new MemoryRevocationStore())
    const controller = new AbortController()
    const { signal } = controller
    const all = await claimsOfMany(verifier, 50)
    const watches = all.map((claims) => verifier.watch(claims, { signal }).catch((error) => error.message))
    controller.abort(new Error('the server shuts down'))
    expect(new Set(await Promise.all(watches))).toEqual(new Set(['the server shuts down']))
    expect(warned).not.toHaveBeenCalled()
  })

  it('leaves nothing behind on its signal when it ends by itself', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const claims = await claimsOf(verifier)
    const { signal } = new AbortController()
    const watch = verifier.watch(claims, { signal })
    await store.add([sessionOf(claims)])
    await watch
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('ends with "unavailable" when the verifier is closed', async () => {
    const verifier = createVerifier(new MemoryRevocationStore())
    const claims = await claimsOf(verifier)
    const watch = verifier.watch(claims)
    await verifier.close()
    expect(await watch).toBe('unavailable')
    await expect(verifier.watch(claims)).rejects.toThrow('closed')
  })

  it('needs a store with a change feed', async () => {
    const withoutFeed = createVerifier(new SpyStore())
    await expect(withoutFeed.watch(await claimsOf(withoutFeed))).rejects.toThrow(TypeError)
    const without = createVerifier(false)
    await expect(without.watch(await claimsOf(without))).rejects.toThrow(TypeError)
  })

  it.each([
    ['of another issuer', { iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Somebody1' }],
    ['without a sub', { sub: undefined }],
    ['with an exp that is no number', { exp: 'tomorrow' }],
  ])('refuses claims %s', async (_what, more) => {
    const verifier = createVerifier(new MemoryRevocationStore())
    const claims = { ...(await claimsOf(verifier)), ...more }
    await expect(verifier.watch(claims as never)).rejects.toThrow(TokenClaimError)
  })

  it('takes claims that went through JSON, and leaves them as they are', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const claims = JSON.parse(JSON.stringify(await claimsOf(verifier, mint({ 'cognito:groups': ['a'] }))))
    const watch = verifier.watch(claims)
    expect(Object.isFrozen(claims['cognito:groups'])).toBe(false)
    await store.add([sessionOf(claims)])
    expect(await watch).toBe('revoked')
  })

  it('is one of thousands that share a feed, which a verification does not ask', async () => {
    const feed = new ScriptedFeed()
    const verifier = createVerifier(feed)
    const all = await claimsOfMany(verifier, 3_000)
    const watches = all.map((claims) => verifier.watch(claims))
    await feed.deliver({ caughtUp: true })
    expect(feed.openings).toBe(1)
    await feed.deliver({ revocations: all.slice(0, 2_999).map(sessionOf), caughtUp: true })
    expect(new Set(await Promise.all(watches.slice(0, 2_999)))).toEqual(new Set(['revoked']))
    expect(await outcomeOf(watches[2_999] as Promise<unknown>)).toBe('still watching')
  })

  it('follows a mirror without a feed of its own', async () => {
    const feed = new ScriptedFeed()
    const mirror = new RevocationMirror(feed)
    closing.push(mirror)
    const verifier = createVerifier(mirror)
    const claims = await claimsOf(verifier)
    const watch = verifier.watch(claims)
    await feed.deliver({ caughtUp: true }, { revocations: [sessionOf(claims)], caughtUp: true })
    expect(await watch).toBe('revoked')
    expect(feed.openings).toBe(1)
  })
})

describe('Where the feed is not to be had, a watch', () => {
  /** A watch over a feed that falls silent after its first batch. */
  async function whereTheFeedIsSilent(
    createStore: (feed: ScriptedFeed) => RevocationStore,
    options: Partial<SharedVerifierOptions> = {},
  ) {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const feed = new ScriptedFeed()
    const verifier = createVerifier(createStore(feed), options)
    const claims = await claimsOf(verifier)
    const watch = verifier.watch(claims)
    const ended = vi.fn()
    watch.then(ended, ended)
    await feed.deliver({ caughtUp: true })
    const pass = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms)
      await pause(5)
    }
    return { feed, claims, watch, ended, pass }
  }

  const layers: [string, (feed: ScriptedFeed) => RevocationStore][] = [
    ['over the store itself', (feed) => feed],
    [
      'over a mirror',
      (feed) => {
        const mirror = new RevocationMirror(feed, { writeBack: false })
        closing.push(mirror)
        return mirror
      },
    ],
  ]

  describe.each(layers)('%s', (_what, layer) => {
    it('asks the store once that is older than the bound, and goes on where it answers', async () => {
      const { feed, ended, pass } = await whereTheFeedIsSilent(layer)
      const before = feed.asked.length
      await pass(4_900)
      expect(feed.asked).toHaveLength(before)
      await pass(1_200)
      expect(feed.asked.length).toBeGreaterThan(before)
      await pass(20_000)
      expect(ended).not.toHaveBeenCalled()
    })

    it('ends with "revoked" where the store says so', async () => {
      const { feed, claims, watch, pass } = await whereTheFeedIsSilent(layer)
      feed.answer = async () => sessionOf(claims)
      await pass(6_200)
      expect(await watch).toBe('revoked')
    })

    it('ends with "unavailable" where the store does not answer either', async () => {
      const events: ObserverEvent[] = []
      const { feed, watch, pass } = await whereTheFeedIsSilent(layer, {
        observer: (event) => void events.push(event),
      })
      feed.answer = () => Promise.reject(new Error('the store is down'))
      await pass(4_000)
      expect(await outcomeOf(watch)).toBe('still watching')
      await pass(2_200)
      expect(await watch).toBe('unavailable')
      expect(events.filter(({ type }) => type === 'revocation_unavailable')).toMatchObject([
        { decision: 'rejected' },
      ])
    })

    it("goes on under 'accept', and tells the observer", async () => {
      const events: ObserverEvent[] = []
      const { feed, claims, ended, watch, pass } = await whereTheFeedIsSilent(layer, {
        onRevocationUnavailable: 'accept',
        observer: (event) => void events.push(event),
      })
      feed.answer = () => Promise.reject(new Error('the store is down'))
      await pass(6_200)
      expect(ended).not.toHaveBeenCalled()
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'revocation_unavailable', decision: 'accepted' }),
      )
      feed.answer = async () => sessionOf(claims)
      await pass(7_000)
      expect(await watch).toBe('revoked')
    })
  })

  it('asks the store about a user pool that the feed does not tell of', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const feed = new ScriptedFeed()
    const verifier = createVerifier(feed)
    const claims = await claimsOf(verifier)
    const watch = verifier.watch(claims)
    await feed.deliver({ caughtUp: true, pools: ['another'] })
    feed.answer = async () => sessionOf(claims)
    await vi.advanceTimersByTimeAsync(6_000)
    expect(await watch).toBe('revoked')
  })

  it('asks no more about tokens once it is closed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const feed = new ScriptedFeed()
    const verifier = createVerifier(feed, { revocationTimeoutMs: 60_000 })
    const all = await claimsOfMany(verifier, 1_000)
    const watches = all.map((claims) => verifier.watch(claims))
    await feed.deliver({ caughtUp: true })
    const answers: (() => void)[] = []
    feed.answer = () => new Promise((resolve) => answers.push(() => resolve(undefined)))
    const asked = feed.asked.length
    await vi.advanceTimersByTimeAsync(6_100)
    expect(feed.asked.length - asked).toBe(200)
    await verifier.close()
    for (const answer of answers) answer()
    await Promise.all(watches)
    await pause(5)
    expect(feed.asked.length - asked).toBe(200)
  })

  it('survives a store that throws whatever it likes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const feed = new ScriptedFeed()
    const store: RevocationStore = {
      add: (records) => feed.add(records),
      find: (token) => feed.find(token),
      changes: (options) => feed.changes(options),
      subscribe: () => () => {},
      findSync: () => {
        throw new Error('no idea')
      },
    }
    const claims = await claimsOf(createVerifier(feed))
    const watch = createVerifier(store, { onRevocationUnavailable: 'accept' }).watch(claims)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await outcomeOf(watch)).toBe('still watching')
  })

  it('ends with "unavailable" at once where nothing can be known at its beginning', async () => {
    const feed = new ScriptedFeed()
    feed.answer = () => Promise.reject(new Error('the store is down'))
    const verifier = createVerifier(feed, { onRevocationUnavailable: 'accept' })
    const claims = await claimsOf(verifier)
    const strict = createVerifier(feed)
    expect(await strict.watch(claims)).toBe('unavailable')
  })

  it('is one of many that are told at once, though the store hangs', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const feed = new ScriptedFeed()
    const verifier = createVerifier(feed, { revocationTimeoutMs: 50 })
    const all = await claimsOfMany(verifier, 1_000)
    const watches = all.map((claims) => verifier.watch(claims))
    await feed.deliver({ caughtUp: true })
    const asked = feed.asked.length
    feed.answer = () => new Promise(() => {})
    await vi.advanceTimersByTimeAsync(6_100)
    expect(new Set(await Promise.all(watches))).toEqual(new Set(['unavailable']))
    expect(feed.asked.length - asked).toBe(200)
  })
})
