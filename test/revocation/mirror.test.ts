import { afterEach, describe, expect, it, vi } from 'vitest'
import { NotReadyError, RevocationUnavailableError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import { ScriptedFeed, sessionOf, tokenOf } from './mirror-scene.js'

const mirrors: RevocationMirror[] = []
const idle = (...args: ConstructorParameters<typeof RevocationMirror>) => {
  const mirror = new RevocationMirror(...args)
  mirrors.push(mirror)
  return mirror
}
/** One whose feed has been started. */
const mirrorOf = (...args: ConstructorParameters<typeof RevocationMirror>) => {
  const mirror = idle(...args)
  mirror.ready().catch(() => {})
  return mirror
}

afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await Promise.all(mirrors.splice(0).map((mirror) => mirror.close()))
})

describe('The options of a RevocationMirror', () => {
  it.each([
    ['maxStalenessMs', { maxStalenessMs: 0 }],
    ['maxEntries', { maxEntries: 1.5 }],
    ['writeBack', { writeBack: 'yes' as never }],
    ['readyTimeoutMs', { readyTimeoutMs: Number.NaN }],
    ['observer', { observer: 'console' as never }],
    ['maxStaleness', { maxStaleness: 5 } as never],
  ])('are refused by name: %s', (option, options) => {
    expect(() => new RevocationMirror(new MemoryRevocationStore(), options)).toThrow(
      new RegExp(`RevocationMirror: .*"${option}"`),
    )
  })

  it('need a store that has a change feed', () => {
    const store: RevocationStore = { add: async () => {}, find: async () => undefined }
    expect(() => new RevocationMirror(store)).toThrow(/"store".*change feed/)
    expect(() => new RevocationMirror(undefined as never)).toThrow(TypeError)
    const cache = new CachedRevocationStore(new MemoryRevocationStore())
    expect(() => new RevocationMirror(cache)).toThrow(/"store".*cache over the mirror/)
  })
})

describe('A look-up in a RevocationMirror', () => {
  it('is answered from memory once the mirror has caught up, and asks nobody', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ revocations: [sessionOf('a')] }, { caughtUp: true })
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(mirror.findSync(tokenOf('b'))).toBeUndefined()
    expect(await mirror.find(tokenOf('b'))).toBeUndefined()
    expect(feed.asked).toEqual([])
  })

  it('asks the store before the mirror has caught up', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    feed.answer = async () => sessionOf('a')
    expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError)
    expect(await mirror.find(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(feed.asked).toHaveLength(1)
  })

  it('asks the store while a reading of everything has not come to its end', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ revocations: [sessionOf('b')], caughtUp: false })
    await mirror.find(tokenOf('a'))
    expect(feed.asked).toHaveLength(1)
  })

  it('finds what is known however old that knowledge is', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxStalenessMs: 50 })
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true, ageMs: 3_600_000 })
    feed.answer = () => Promise.reject(new Error('down'))
    expect(await mirror.find(tokenOf('a'))).toEqual(sessionOf('a'))
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
  })

  it('fails where the mirror is too old and the store cannot be asked', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxStalenessMs: 50 })
    await feed.deliver({ caughtUp: true, ageMs: 51 })
    const down = new Error('down')
    feed.answer = () => Promise.reject(down)
    const error = await mirror.find(tokenOf('a')).catch((cause) => cause)
    expect(error).toBeInstanceOf(RevocationUnavailableError)
    expect(error.cause).toBe(down)
    expect(error.message).toMatch(/\d+ ms old/)
    expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError)
  })

  it('takes nothing for an answer of the store that is none', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    feed.answer = async () => null as never
    await expect(mirror.find(tokenOf('a'))).rejects.toThrow(RevocationUnavailableError)
  })

  it('keeps what the store said is revoked', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    feed.answer = async () => sessionOf('a')
    await mirror.find(tokenOf('a'))
    feed.answer = () => Promise.reject(new Error('down'))
    expect(await mirror.find(tokenOf('a'))).toEqual(sessionOf('a'))
  })
})

describe('An answer of the store that comes late', () => {
  const late = async (maxStalenessMs: number) => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxStalenessMs })
    let answer = () => {}
    feed.answer = () => new Promise((resolve) => (answer = () => resolve(undefined)))
    const found = mirror.find(tokenOf('a'))
    found.catch(() => {})
    return { mirror, found, answer: () => answer() }
  }

  it('does not hide what was added through the mirror meanwhile', async () => {
    const { mirror, found, answer } = await late(5_000)
    await mirror.add([sessionOf('a')])
    answer()
    expect(await found).toEqual(sessionOf('a'))
  })

  it('is not believed past maxStalenessMs', async () => {
    const { found, answer } = await late(20)
    await new Promise((resolve) => setTimeout(resolve, 40))
    answer()
    await expect(found).rejects.toThrow(RevocationUnavailableError)
  })
})

describe('A record that is none', () => {
  it.each([
    ['a cutoff of null', { scope: 'user', cutoff: null }],
    ['no expiresAt', { expiresAt: undefined }],
    ['an expiresAt that is no number', { expiresAt: Number.NaN }],
    ['an unknown scope', { scope: 'everything' }],
  ])('is not taken for one: %s', async (_, wrong) => {
    const events: ObserverEvent[] = []
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { observer: (event) => events.push(event) })
    void feed.deliver({ revocations: [sessionOf('a', wrong as never)], caughtUp: true })
    await vi.waitFor(() =>
      expect(events).toContainEqual(
        expect.objectContaining({ error: expect.objectContaining({ code: 'store_protocol' }) }),
      ),
    )
    expect(mirror.staleness()).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('The age of a RevocationMirror', () => {
  const caughtUp = async (maxStalenessMs: number, ageMs = 0) => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxStalenessMs })
    await feed.deliver({ caughtUp: true, ageMs })
    return { feed, mirror }
  }

  it('is infinite before it has caught up', () => {
    expect(mirrorOf(new ScriptedFeed()).staleness()).toBe(Number.POSITIVE_INFINITY)
  })

  it('begins with the age of the batch', async () => {
    const { mirror } = await caughtUp(10_000, 4_000)
    expect(mirror.staleness()).toBeGreaterThanOrEqual(4_000)
    expect(mirror.findSync(tokenOf('a'))).toBeUndefined()
  })

  it('grows with the monotonic clock, whatever becomes of the wall clock', async () => {
    const { mirror } = await caughtUp(10_000)
    const [wall, monotonic] = [Date.now(), performance.now()]
    vi.spyOn(Date, 'now').mockReturnValue(wall - 120_000)
    expect(mirror.findSync(tokenOf('a'))).toBeUndefined()
    vi.spyOn(performance, 'now').mockReturnValue(monotonic + 10_001)
    expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError)
  })

  it('grows with the wall clock, where the monotonic one slept with the machine', async () => {
    const { mirror } = await caughtUp(10_000)
    const [wall, monotonic] = [Date.now(), performance.now()]
    vi.spyOn(performance, 'now').mockReturnValue(monotonic)
    vi.spyOn(Date, 'now').mockReturnValue(wall + 10_001)
    expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError)
  })

  it.each([Number.NaN, 'no number', Number.POSITIVE_INFINITY])(
    'is too much where a batch tells %s',
    async (ageMs) => {
      const { mirror } = await caughtUp(10_000, ageMs as number)
      expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError)
    },
  )

  it('is not made less by a batch from the future', async () => {
    const { mirror } = await caughtUp(10_000, -60_000)
    expect(mirror.staleness()).toBeGreaterThanOrEqual(0)
  })

  it('stays what it was when a batch comes that is not caught up', async () => {
    const { feed, mirror } = await caughtUp(10_000, 9_000)
    await feed.deliver({ caughtUp: false, revocations: [sessionOf('b')] })
    expect(mirror.staleness()).toBeGreaterThanOrEqual(9_000)
    expect(mirror.size).toBe(1)
  })

  it('counts from when the batch came, not from when all of it was taken in', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxStalenessMs: 1_000 })
    let stoppedMs = 0
    const clock = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + stoppedMs)
    const revocations = [sessionOf('b'), sessionOf('c')]
    Object.defineProperty(revocations, 1, {
      get() {
        stoppedMs = 60_000
        return sessionOf('c')
      },
    })
    await feed.deliver({ caughtUp: true, ageMs: 0, revocations })
    expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError)
  })

  it('counts on where the process is stopped between the batch and its use', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxStalenessMs: 1_000 })
    let stoppedMs = 0
    const clock = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + stoppedMs)
    const readAt = performance.now()
    await feed.deliver({
      caughtUp: true,
      get ageMs() {
        stoppedMs = 60_000
        return performance.now() - readAt
      },
    })
    expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError)
  })
})

describe('What is added through a RevocationMirror', () => {
  it('goes to the store first, and shows at once', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await mirror.add([sessionOf('a')])
    expect(feed.added).toEqual([sessionOf('a')])
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
  })

  it('does not show where the store refused it', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    feed.add = () => Promise.reject(new Error('no'))
    await expect(mirror.add([sessionOf('a')])).rejects.toThrow('no')
    expect(mirror.size).toBe(0)
  })
})

describe('A RevocationMirror with too little room', () => {
  it('keeps what it has, asks the store for all else, and says so once', async () => {
    const events: ObserverEvent[] = []
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxEntries: 2, observer: (event) => events.push(event) })
    const all = ['a', 'b', 'c', 'd'].map((id) => sessionOf(id))
    await feed.deliver({ revocations: all, caughtUp: true })
    expect(mirror.size).toBe(2)
    expect(mirror.findSync(tokenOf('a'))).toBeDefined()
    expect(() => mirror.findSync(tokenOf('d'))).toThrow(/maxEntries/)
    feed.answer = async () => sessionOf('d')
    expect(await mirror.find(tokenOf('d'))).toEqual(sessionOf('d'))
    expect(events.filter(({ type }) => type === 'mirror_full')).toEqual([
      { type: 'mirror_full', maxEntries: 2 },
    ])
  })

  it('goes on asking until a whole reading of everything has found room', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxEntries: 2 })
    await feed.deliver({ revocations: ['a', 'b', 'c'].map((id) => sessionOf(id)), caughtUp: true })
    await feed.deliver({ caughtUp: false, restarted: true })
    expect(() => mirror.findSync(tokenOf('c'))).toThrow(NotReadyError)
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true })
    expect(mirror.findSync(tokenOf('c'))).toBeUndefined()
  })

  it('is not ready, and says why', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxEntries: 1 })
    const ready = mirror.ready()
    await feed.deliver({ revocations: [sessionOf('a'), sessionOf('b')], caughtUp: true })
    await expect(ready).rejects.toThrow(/raise maxEntries/)
  })

  it('reads everything again once enough is over', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed, { maxEntries: 2 })
    const over = { expiresAt: Math.floor(Date.now() / 1000) + 10 }
    await feed.deliver({
      revocations: [sessionOf('a', over), sessionOf('b', over), sessionOf('c')],
      caughtUp: true,
    })
    expect(mirror.size).toBe(2)
    vi.advanceTimersByTime(4_000_000)
    await feed.deliver({ caughtUp: true })
    await vi.waitFor(() => expect(feed.openings).toBe(2))
    expect(feed.lastOptions?.after).toBeUndefined()
    await feed.deliver({ revocations: [sessionOf('c')], caughtUp: true })
    expect(mirror.findSync(tokenOf('c'))).toBeDefined()
    expect(mirror.findSync(tokenOf('d'))).toBeUndefined()
  })
})

describe('ready() of a RevocationMirror', () => {
  it('resolves when it has caught up', async () => {
    const mirror = mirrorOf(new MemoryRevocationStore())
    await mirror.ready()
    expect(mirror.findSync(tokenOf('a'))).toBeUndefined()
    await mirror.ready()
  })

  it('rejects when that takes too long, with what went wrong', async () => {
    const store = new MemoryRevocationStore()
    const failing: RevocationStore = {
      add: (revocations) => store.add(revocations),
      find: (token) => store.find(token),
      // biome-ignore lint/correctness/useYield: it fails before
      async *changes(): AsyncGenerator<ChangeBatch> {
        throw new Error('no route to the store')
      },
    }
    const error = await mirrorOf(failing, { readyTimeoutMs: 50 })
      .ready()
      .catch((cause) => cause)
    expect(error).toBeInstanceOf(RevocationUnavailableError)
    expect(error.cause?.message).toBe('no route to the store')
  })

  it('rejects when the mirror is closed, then and later', async () => {
    const mirror = mirrorOf(new ScriptedFeed())
    const ready = mirror.ready()
    await mirror.close()
    await expect(ready).rejects.toThrow(RevocationUnavailableError)
    await expect(mirror.ready()).rejects.toThrow(RevocationUnavailableError)
  })
})

describe('The feed of a RevocationMirror', () => {
  it.each([
    [
      'findSync',
      (mirror: RevocationMirror) => expect(() => mirror.findSync(tokenOf('a'))).toThrow(NotReadyError),
    ],
    ['find', (mirror: RevocationMirror) => mirror.find(tokenOf('a'))],
    ['add', (mirror: RevocationMirror) => mirror.add([sessionOf('a')])],
  ])('starts on first use, by %s, and once', async (_, use) => {
    const feed = new ScriptedFeed()
    const mirror = idle(feed)
    expect(feed.openings).toBe(0)
    await use(mirror)
    await use(mirror)
    expect(feed.openings).toBe(1)
  })

  it('goes on from the last cursor after a failure, and tells the observer', async () => {
    const events: ObserverEvent[] = []
    const feed = new ScriptedFeed()
    const _mirror = mirrorOf(feed, { observer: (event) => events.push(event) })
    await feed.deliver({ caughtUp: true, cursor: 'here' })
    feed.fail(new Error('cut'))
    await vi.waitFor(() => expect(feed.openings).toBe(2))
    expect(feed.lastOptions?.after).toBe('here')
    expect(events).toContainEqual(expect.objectContaining({ type: 'feed_failed', error: new Error('cut') }))
  })

  it('is opened again when it ends by itself', async () => {
    const feed = new ScriptedFeed()
    mirrorOf(feed)
    await feed.deliver({ caughtUp: true })
    feed.end()
    await vi.waitFor(() => expect(feed.openings).toBe(2))
  })

  it('is given up and opened again when it falls silent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const feed = new ScriptedFeed()
    mirrorOf(feed, { maxStalenessMs: 1_000 })
    await feed.deliver({ caughtUp: true })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(feed.lastOptions?.signal.aborted).toBe(true)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(feed.openings).toBe(2)
  })

  it('ends at close, and the store stays open', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ caughtUp: true, revocations: [sessionOf('a')] })
    await mirror.close()
    expect(feed.lastOptions?.signal.aborted).toBe(true)
    expect(feed.closed).toBe(false)
    expect(mirror.findSync(tokenOf('a'))).toBeDefined()
    await mirror.find(tokenOf('b'))
    expect(feed.asked).toHaveLength(1)
    expect(feed.openings).toBe(1)
  })

  it('leaves the event loop its turns, however much it brings', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    let turns = 0
    const count = () => {
      turns += 1
      if (!done) setImmediate(count)
    }
    let done = false
    setImmediate(count)
    await feed.deliver({
      caughtUp: true,
      revocations: Array.from({ length: 100_000 }, (_, index) => sessionOf(`session ${index}`)),
    })
    done = true
    expect(mirror.size).toBe(100_000)
    expect(turns).toBeGreaterThan(2)
  })

  it("is the store's own for others", async () => {
    const store = new MemoryRevocationStore({ heartbeatMs: 10 })
    await store.add([sessionOf('a')])
    const options: ChangesOptions = { signal: new AbortController().signal }
    for await (const batch of mirrorOf(store).changes(options)) {
      expect(batch.revocations).toEqual([sessionOf('a')])
      break
    }
  })
})

describe('A feed that tells of some user pools only', () => {
  const inPool = (poolId: string) => ({ ...tokenOf('a'), poolId })

  it('lets the others be asked of the store, however fresh it is', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ caughtUp: true, pools: ['pool'] })
    expect(mirror.findSync(inPool('pool'))).toBeUndefined()
    expect(() => mirror.findSync(inPool('other'))).toThrow(/not of this user pool/)
    feed.answer = async () => sessionOf('a', { poolId: 'other' })
    expect(await mirror.find(inPool('other'))).toMatchObject({ poolId: 'other' })
    expect(feed.asked).toHaveLength(1)
  })

  it('is refused where the store refuses to answer for them', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ caughtUp: true, pools: [] })
    feed.answer = () => Promise.reject(new Error('not your pool'))
    await expect(mirror.find(inPool('pool'))).rejects.toThrow(RevocationUnavailableError)
  })

  it('still has found what is known', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    await feed.deliver({ revocations: [sessionOf('a')], caughtUp: true })
    await feed.deliver({ caughtUp: true, pools: [], restarted: true })
    expect(mirror.findSync(tokenOf('a'))).toEqual(sessionOf('a'))
  })

  it('narrows what is known at once, and widens it only by a reading of everything', async () => {
    const feed = new ScriptedFeed()
    const mirror = mirrorOf(feed)
    const isKnown = (poolId: string) => {
      try {
        return mirror.findSync(inPool(poolId)) === undefined
      } catch {
        return false
      }
    }
    await feed.deliver({ caughtUp: true, pools: ['a', 'b'] }, { caughtUp: true, pools: ['b', 'c'] })
    expect(['a', 'b', 'c'].map(isKnown)).toEqual([false, true, false])
    await feed.deliver({ caughtUp: false, restarted: true, pools: ['b', 'c'] })
    expect(['a', 'b', 'c'].map(isKnown)).toEqual([false, true, false])
    await feed.deliver({ caughtUp: true, pools: ['b', 'c'] })
    expect(['a', 'b', 'c'].map(isKnown)).toEqual([false, true, true])
    await feed.deliver({ caughtUp: true, restarted: true })
    expect(['a', 'b', 'c', 'd'].map(isKnown)).toEqual([true, true, true, true])
  })

  it('has nothing written back of the others: they are not lost', async () => {
    const feed = new ScriptedFeed()
    const mirror = new RevocationMirror(feed, { maxStalenessMs: 50 })
    mirrors.push(mirror)
    mirror.ready().catch(() => {})
    const known = [sessionOf('a', { poolId: 'a' }), sessionOf('b', { poolId: 'b' })]
    await feed.deliver({ revocations: known, caughtUp: true })
    await feed.deliver({ caughtUp: true, restarted: true, pools: ['b'] })
    await vi.waitFor(() => expect(feed.added).toEqual([known[1]]))
  })

  it('is given up where it names its pools in some other way', async () => {
    const feed = new ScriptedFeed()
    const errors: string[] = []
    mirrorOf(feed, {
      observer: (event) => void (event.type === 'feed_failed' && errors.push(String(event.error))),
    })
    void feed.deliver({ caughtUp: true, pools: 'all' as never })
    await vi.waitFor(() => expect(errors.join()).toContain('StoreProtocolError'))
  })
})
