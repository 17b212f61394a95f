import { afterEach, describe, expect, it } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import { RevocationService, type RevocationServiceOptions } from '../../src/server/index.js'
import {
  ALL,
  eventsOf,
  hasCaughtUp,
  KEY,
  OTHER,
  type ServedOptions,
  type StreamEvent,
  send,
  serve,
  session,
} from '../support/http-service.js'
import { assertSchema } from '../support/openapi.js'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function served(options: ServedOptions = {}) {
  const scene = await serve(options)
  ends.push(scene.close)
  return scene
}

const idsIn = (batches: readonly { readonly revocations?: readonly Revocation[] }[]) =>
  batches.flatMap(({ revocations = [] }) => revocations.map(({ id }) => id))
const seenIn = (events: readonly StreamEvent[]) => idsIn(events.map(({ data }) => data))
const cursorOf = (events: readonly StreamEvent[]) => events.at(-1)?.id ?? ''
const resume = (url: string, cursor: string, key = KEY) =>
  send(url, '/v1/changes', { key, headers: { 'last-event-id': cursor } })
const many = (count: number, prefix = 's') =>
  Array.from({ length: count }, (_, index) => session(`${prefix}${index}`))

/** A store in memory that counts how often its feed is read, and by whom at once. */
class CountingStore extends MemoryRevocationStore {
  opened = 0
  open = 0

  override async *changes(options: ChangesOptions): AsyncGenerator<ChangeBatch, void, undefined> {
    this.opened += 1
    this.open += 1
    try {
      yield* super.changes(options)
    } finally {
      this.open -= 1
    }
  }
}

describe('A stream of changes', () => {
  it('is server-sent events in the protocol, which nothing on the way may keep', async () => {
    const { url, store } = await served()
    await store.add(many(3))
    const stream = await send(url, '/v1/changes?request=abc')
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    expect(stream.headers.get('cache-control')).toBe('no-store, no-transform')
    expect(stream.headers.get('x-accel-buffering')).toBe('no')
    const [open, ...changes] = await eventsOf(stream, hasCaughtUp)
    assertSchema('Open', open?.data)
    expect(open?.data).toEqual({ request: 'abc' })
    for (const { data } of changes) assertSchema('Changes', data)
    expect(seenIn(changes)).toEqual(['s0', 's1', 's2'])
  })

  it('goes on after the last event with what is new, and only that', async () => {
    const { url, store } = await served()
    await store.add(many(1_200))
    const first = await eventsOf(await send(url, '/v1/changes'), hasCaughtUp)
    expect(seenIn(first)).toHaveLength(1_200)
    await store.add([session('new')])
    const second = await eventsOf(await resume(url, cursorOf(first)), hasCaughtUp)
    expect(seenIn(second)).toEqual(['new'])
    expect(second.some(({ data }) => data.restarted)).toBe(false)
  })

  it('is split into events of at most 500 records, of which only the last has an id', async () => {
    const { url, store } = await served()
    await store.add(many(1_000))
    const events = await eventsOf(await send(url, '/v1/changes'), hasCaughtUp)
    const parts = events.filter(({ data }) => (data.revocations?.length ?? 0) > 0)
    expect(parts.map(({ data }) => data.revocations?.length)).toEqual([500, 500])
    expect(parts.map(({ id }) => id !== undefined)).toEqual([false, true])
    expect(parts.map(({ data }) => [data.restarted, data.caughtUp])).toEqual([
      [true, false],
      [false, true],
    ])
  })

  it('holds few of the largest records in an event', async () => {
    const { url, store } = await served()
    const text = '\u0001'.repeat(1_024)
    const audit = { revokedAt: 5, reason: text, actor: text }
    const largest = many(60, '日'.repeat(200)).map((record) => ({ ...record, audit }))
    let adding: Promise<void> | undefined
    const events = await eventsOf(await send(url, '/v1/changes'), (events) => {
      // What is added comes with its audit; what is held may not.
      if (hasCaughtUp(events)) adding ??= store.add(largest)
      return seenIn(events).length === 60
    })
    await adding
    const lengths = events.map(({ data }) => JSON.stringify(data).length)
    expect(Math.max(...lengths)).toBeGreaterThan(100_000)
    expect(Math.max(...lengths)).toBeLessThan(250_000)
  })

  it.each([
    ['altered', (cursor: string) => `A${cursor}`],
    ['altered at its end', (cursor: string) => `${cursor.slice(0, -3)}AAA`],
    ['cut off', (cursor: string) => cursor.slice(0, -4)],
    ['without its second part', (cursor: string) => cursor.split('.')[0] ?? ''],
    [
      'of another text',
      (cursor: string) => `${cursor.split('.')[0]}.${Buffer.from('0:0').toString('base64url')}`,
    ],
    ['nonsense', () => 'nonsense'],
    ['empty', () => '.'],
    ['too long', () => `${'x'.repeat(5_000)}.x`],
  ])('is refused to a cursor that is %s, with a 400', async (_, forge) => {
    const { url } = await served()
    const cursor = cursorOf(await eventsOf(await send(url, '/v1/changes'), hasCaughtUp))
    const answer = await resume(url, forge(cursor))
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'cursor_invalid' })
  })

  it('is refused to a cursor of another key, though that may see the same', async () => {
    const other = `${KEY}-other`
    const { url } = await served({ keys: [ALL, { ...ALL, id: 'other', key: other }] })
    const cursor = cursorOf(await eventsOf(await send(url, '/v1/changes'), hasCaughtUp))
    expect((await resume(url, cursor, other)).status).toBe(400)
  })

  it('is refused to a cursor of before the keys were replaced: no key alone can tell what is in it', async () => {
    const store = new MemoryRevocationStore({ heartbeatMs: 20 })
    const other = { ...ALL, id: 'other', key: OTHER }
    const { url, service } = await served({ store, keys: [ALL, other] })
    const cursor = cursorOf(await eventsOf(await send(url, '/v1/changes'), hasCaughtUp))
    expect((await resume(url, cursor)).status).toBe(200)
    service.replaceKeys([ALL, { ...other, key: `${OTHER}2` }])
    expect((await resume(url, cursor)).status).toBe(400)
  })

  it('goes on at another service of the same store and keys, and after a restart', async () => {
    const store = new MemoryRevocationStore({ heartbeatMs: 20 })
    const [one, two] = [await served({ store }), await served({ store })]
    await store.add(many(5))
    const cursor = cursorOf(await eventsOf(await send(one.url, '/v1/changes'), hasCaughtUp))
    await one.service.close()
    await store.add([session('new')])
    expect(seenIn(await eventsOf(await resume(two.url, cursor), hasCaughtUp))).toEqual(['new'])
  })

  it('ends by itself after a time, as announced', async () => {
    const { url } = await served({ maxStreamMs: 150 })
    const events = await eventsOf(await send(url, '/v1/changes'))
    expect(events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'lifetime' } })
    assertSchema('End', events.at(-1)?.data)
  })

  it('is ended where its host does not read it, whatever the host is', async () => {
    const told: ObserverEvent[] = []
    const store = new MemoryRevocationStore({ heartbeatMs: 20 })
    const options = { store, keys: [ALL], stalledStreamMs: 60 }
    const service = new RevocationService({ ...options, observer: (event) => told.push(event) })
    const headers = { authorization: `Bearer ${KEY}` }
    const answer = await service.fetch(new Request('http://localhost/v1/changes', { headers }))
    await expect.poll(() => told.length, { timeout: 10_000 }).toBe(1)
    expect(told).toMatchObject([{ type: 'service_stream_ended', reason: 'not_reading', keyId: 'all' }])
    await expect(answer.text()).rejects.toThrow('does not read')
    await service.close()
  })

  it('tells of a store that fails, and ends', async () => {
    const told: ObserverEvent[] = []
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      async *changes() {
        yield { revocations: [], cursor: 'a', caughtUp: false, ageMs: 0 }
        throw new Error('secret')
      },
    }
    const { url } = await served({ store, observer: (event) => told.push(event) })
    const events = await eventsOf(await send(url, '/v1/changes'))
    expect(events.at(-1)).toMatchObject({ event: 'problem', data: { code: 'store_unavailable' } })
    assertSchema('Problem', events.at(-1)?.data)
    expect(JSON.stringify(events)).not.toContain('secret')
    const error = { message: 'secret' }
    expect(told).toMatchObject([
      { type: 'service_stream_ended', reason: 'store_failed', keyId: 'all', error },
    ])
  })

  it('tells of a store whose feed falls silent', async () => {
    const store = new MemoryRevocationStore({ heartbeatMs: 3_600_000 })
    const { url } = await served({ store, feedSilenceMs: 60 })
    const events = await eventsOf(await send(url, '/v1/changes'))
    expect(events.at(-1)).toMatchObject({ event: 'problem', data: { code: 'store_unavailable' } })
  })

  it('is not older than its store says, nor younger', async () => {
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      async *changes() {
        for (;;) {
          yield { revocations: [], cursor: 'a', caughtUp: true, ageMs: 60_000 }
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      },
    }
    const { client } = await served({ store })
    let batches = 0
    for await (const { ageMs } of client().changes({ signal: AbortSignal.timeout(15_000) })) {
      expect(ageMs).toBeGreaterThanOrEqual(60_000)
      if (++batches === 5) break
    }
  })
})

describe('A stream that is over', () => {
  /** A host that reads when the test says so. */
  async function opened(options: Partial<RevocationServiceOptions> = {}) {
    const store = new CountingStore({ heartbeatMs: 20 })
    const service = new RevocationService({ store, keys: [ALL], ...options })
    ends.push(() => service.close())
    const open = async (key = KEY) => {
      const headers = { authorization: `Bearer ${key}` }
      return service.fetch(new Request('http://localhost/v1/changes', { headers }))
    }
    return { store, service, open }
  }

  it('before anybody has read that it is open begins no reading, and has no place any longer', async () => {
    const { store, service, open } = await opened({ maxStreams: 2 })
    const stream = await open()
    service.replaceKeys([])
    service.replaceKeys([ALL])
    expect((await open()).status).toBe(503)
    const events = await eventsOf(stream)
    expect(events.map(({ event }) => event)).toEqual(['open', 'end'])
    expect(store.opened).toBe(0)
    expect((await open()).status).toBe(200)
  })

  it('before anybody has read that it is open does not wait for its turn either', async () => {
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      // Nobody catches up.
      async *changes() {
        await new Promise(() => {})
        yield { revocations: [], cursor: 'a', caughtUp: true, ageMs: 0 }
      },
    }
    const stays = [ALL, { ...ALL, id: 'other', key: OTHER }]
    const third = { ...ALL, id: 'third', key: `${OTHER}3` }
    const { service, open } = await opened({ store, keys: [...stays, third] })
    for (const { key } of stays) {
      for (let count = 0; count < 16; count++) await (await open(key)).body?.getReader().read()
    }
    const stream = await open(third.key)
    service.replaceKeys(stays)
    expect((await eventsOf(stream)).map(({ event }) => event)).toEqual(['open', 'end'])
  })

  it('and whose reader goes before he has read its end has no place any longer', async () => {
    const { store, service, open } = await opened({ maxStreams: 2 })
    const reader = (await open()).body?.getReader()
    await reader?.read()
    service.replaceKeys([])
    service.replaceKeys([ALL])
    await reader?.cancel()
    expect((await open()).status).toBe(200)
    await expect.poll(() => store.open).toBe(0)
  })

  it('ends as announced when the clock of the service is set', async () => {
    const { url } = await served()
    const now = Date.now
    ends.push(async () => {
      Date.now = now
    })
    const events = await eventsOf(await send(url, '/v1/changes'), (events) => {
      if (hasCaughtUp(events)) Date.now = () => now() + 60_000
      return false
    })
    expect(events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'lifetime' } })
  })
})

describe('Streams that catch up', () => {
  it('wait for their turn where there are many, say that they do, and come to it', async () => {
    let open = 0
    const release: (() => void)[] = []
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      async *changes() {
        open += 1
        await new Promise<void>((resolve) => release.push(resolve))
        for (;;) {
          yield { revocations: [session('a')], cursor: 'a', caughtUp: true, ageMs: 0 }
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      },
    }
    const keys = [KEY, OTHER, `${OTHER}3`].map((key) => ({ ...ALL, id: key, key }))
    const { url } = await served({ store, keys })
    const controller = new AbortController()
    const { signal } = controller
    const start = (key: string) => send(url, '/v1/changes', { key, signal })
    const before = [
      ...(await Promise.all(Array.from({ length: 17 }, () => start(KEY)))),
      ...(await Promise.all(Array.from({ length: 16 }, () => start(OTHER)))),
    ]
    // One key has half of the turns, and two have all.
    await expect.poll(() => open).toBe(32)
    const stream = await start(`${OTHER}3`)
    let isWaiting = false
    const reading = eventsOf(stream, (events) => {
      isWaiting ||= events.at(-1)?.event === 'waiting'
      return hasCaughtUp(events)
    })
    await expect.poll(() => isWaiting, { timeout: 10_000 }).toBe(true)
    expect(open).toBe(32)
    const releasing = setInterval(() => {
      for (const each of release.splice(0)) each()
    }, 5)
    expect(seenIn(await reading)).toContain('a')
    clearInterval(releasing)
    controller.abort()
    for (const each of before) await each.body?.cancel().catch(() => {})
  })

  it('are ended where the shared reading stands alone from some time on', async () => {
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      async *changes({ signal }) {
        yield { revocations: [], cursor: 'a', caughtUp: true, ageMs: 0 }
        while (!signal.aborted) {
          await new Promise((resolve) => setTimeout(resolve, 10))
          yield { revocations: [session('a')], cursor: 'a', caughtUp: true, isolated: true, ageMs: 0 }
        }
      },
    }
    const { url } = await served({ store })
    const events = await eventsOf(await send(url, '/v1/changes'))
    expect(events.map(({ event }) => event)).toEqual(['open', 'changes', 'end'])
  })

  it('by readings that stand alone go on by them, and by no other', async () => {
    const readings: { deliver: (id: string) => void }[] = []
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      async *changes({ signal }) {
        const waiting = [`${readings.length}`]
        readings.push({ deliver: (id) => waiting.push(id) })
        while (!signal.aborted) {
          const revocations = waiting.splice(0).map((id) => session(id))
          yield { revocations, cursor: 'a', caughtUp: true, isolated: true, ageMs: 0 }
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      },
    }
    const { url } = await served({ store })
    const follow = async () => {
      const seen: string[] = []
      const reading = eventsOf(await send(url, '/v1/changes'), (events) => {
        seen.splice(0, seen.length, ...seenIn(events))
        return seen.includes('last')
      })
      return { seen, reading }
    }
    const one = await follow()
    await expect.poll(() => one.seen).toEqual(['0'])
    const two = await follow()
    await expect.poll(() => two.seen).toEqual(['1'])
    // What the first reading alone delivers.
    readings[0]?.deliver('early')
    await expect.poll(() => one.seen).toContain('early')
    const three = await follow()
    await expect.poll(() => three.seen).toEqual(['2'])
    for (const { deliver } of readings) deliver('last')
    await Promise.all([one.reading, two.reading, three.reading])
    expect([one.seen, two.seen, three.seen]).toEqual([
      ['0', 'early', 'last'],
      ['1', 'last'],
      ['2', 'last'],
    ])
  })
})

describe('A key that is for some user pools', () => {
  const A = 'us-east-1_A'
  const own = { ...ALL, pools: [A] }

  it('is told in the first event which they are, and not again', async () => {
    const { url, store } = await served({ keys: [own] })
    const events = await eventsOf(await send(url, '/v1/changes'), (events) => {
      if (hasCaughtUp(events) && events.length === 2) void store.add([session('a', A)])
      return seenIn(events).length > 0
    })
    expect(events.slice(1).map(({ data }) => data.pools)).toEqual([
      [A],
      ...Array(events.length - 2).fill(undefined),
    ])
  })

  it('is told of all where it is for all', async () => {
    const { url } = await served()
    const events = await eventsOf(await send(url, '/v1/changes'), hasCaughtUp)
    expect(events.at(1)?.data.pools).toBe('all')
  })

  it('gets no stream where there are none: it would say nothing', async () => {
    const { url } = await served({ keys: [{ ...ALL, pools: [] }] })
    const answer = await send(url, '/v1/changes')
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ code: 'pool_not_allowed' })
  })

  it('is told of those that the store behind the service tells of, too', async () => {
    const first = await served({ keys: [{ ...ALL, pools: [A, 'us-east-1_B'] }] })
    const second = await served({
      store: first.client(),
      keys: [ALL, { ...ALL, id: 'other', key: OTHER, pools: ['us-east-1_B', 'us-east-1_C'] }],
    })
    const poolsOf = async (key: string) =>
      (await eventsOf(await send(second.url, '/v1/changes', { key }), hasCaughtUp)).at(1)?.data.pools
    expect(await poolsOf(KEY)).toEqual([A, 'us-east-1_B'])
    expect(await poolsOf(OTHER)).toEqual(['us-east-1_B'])
  })

  it('has its streams ended where a shared feed tells of other pools than their own reading did', async () => {
    let reading = 0
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      async *changes({ signal }) {
        const pools = reading++ === 0 ? [A] : [A, 'us-east-1_B']
        while (!signal.aborted) {
          yield { revocations: [], cursor: 'a', caughtUp: true, ageMs: 0, pools }
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      },
    }
    const { url } = await served({ store })
    const one = await send(url, '/v1/changes')
    const events = eventsOf(one, (events) => events.length > 500)
    await expect.poll(() => reading).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const other = await eventsOf(await send(url, '/v1/changes'))
    expect(other.at(-1)).toMatchObject({ event: 'end', data: { reason: 'lifetime' } })
    expect(other.at(1)?.data.pools).toEqual([A, 'us-east-1_B'])
    await one.body?.cancel().catch(() => {})
    void events.catch(() => {})
  })

  it('does not see in the stream when others are busy', async () => {
    const { url, store } = await served({
      store: new MemoryRevocationStore({ heartbeatMs: 3_600_000 }),
      keys: [own],
    })
    const controller = new AbortController()
    const stream = await send(url, '/v1/changes', { signal: controller.signal })
    const events = await eventsOf(stream, (events) => {
      if (!hasCaughtUp(events)) return false
      if (events.length > 2) return true
      void (async () => {
        for (let index = 0; index < 20; index++) await store.add([session(`b${index}`, 'us-east-1_B')])
        await store.add([session('mine', A)])
      })()
      return false
    })
    controller.abort()
    expect(events.slice(1).map(({ data }) => data.revocations?.map(({ id }) => id))).toEqual([[], ['mine']])
  })

  it('is told all the same that time goes on', async () => {
    const { url } = await served({ keys: [own] })
    const events = await eventsOf(await send(url, '/v1/changes'), (events) => events.length > 4)
    const times = events.slice(1).map(({ data }) => data.knownAtMs ?? 0)
    for (const [index, at] of times.slice(1).entries()) expect(at).toBeGreaterThan(times[index] ?? at)
  })

  it('cannot read its cursors, though it may know everything of itself', async () => {
    const { url, store } = await served({ keys: [own] })
    await store.add([session('a', A)])
    const cursor = cursorOf(await eventsOf(await send(url, '/v1/changes'), hasCaughtUp))
    const inner: string[] = []
    for await (const batch of store.changes?.({ signal: AbortSignal.timeout(15_000) }) ?? []) {
      inner.push(batch.cursor)
      break
    }
    const texts = cursor.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
    expect(inner[0]?.length).toBeGreaterThan(1)
    for (const text of texts) expect(text).not.toContain(inner[0])
    const again = cursorOf(await eventsOf(await send(url, '/v1/changes'), hasCaughtUp))
    expect(again).not.toBe(cursor)
  })
})

describe('The shared feed', () => {
  it('is read once for many streams, and no more once they are gone', async () => {
    const store = new CountingStore({ heartbeatMs: 20 })
    const { client } = await served({ store })
    await store.add(many(10))
    const controller = new AbortController()
    const clients = Array.from({ length: 12 }, () => client())
    const seen = clients.map((): string[] => [])
    const reading = clients.map(async (each, index) => {
      for await (const { revocations } of each.changes({ signal: controller.signal })) {
        seen[index]?.push(...revocations.map(({ id }) => id))
      }
    })
    await expect.poll(() => seen.every((ids) => ids.length >= 10), { timeout: 10_000 }).toBe(true)
    await store.add([session('new')])
    await expect.poll(() => seen.every((ids) => ids.includes('new')), { timeout: 10_000 }).toBe(true)
    await expect.poll(() => store.open, { timeout: 10_000 }).toBe(1)
    controller.abort()
    await Promise.all(reading)
    await expect.poll(() => store.open, { timeout: 15_000 }).toBe(0)
  })

  it('leaves nothing out when streams come and go while records are added', async () => {
    const store = new CountingStore({ heartbeatMs: 20 })
    const { client } = await served({ store, maxStreamMs: 200 })
    const added: string[] = []
    let isOver = false
    const adding = (async () => {
      while (!isOver) {
        const batch = many(3, `${added.length}-`)
        await store.add(batch)
        added.push(...batch.map(({ id }) => id))
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    const read = async (delayMs: number) => {
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      const seen = new Set<string>()
      for await (const { revocations, caughtUp } of client().changes({
        signal: AbortSignal.timeout(15_000),
      })) {
        for (const { id } of revocations) seen.add(id)
        if (caughtUp && isOver && added.every((id) => seen.has(id))) return seen.size
      }
      return seen.size
    }
    const readers = Array.from({ length: 10 }, (_, index) => read(index * 37))
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    isOver = true
    await adding
    expect(new Set(await Promise.all(readers))).toEqual(new Set([added.length]))
  })

  it('that fails ends its streams, is told of once, and begins anew for who comes back', async () => {
    const told: ObserverEvent[] = []
    const memory = new MemoryRevocationStore({ heartbeatMs: 20 })
    let fail = (_: Error) => {}
    const store: RevocationStore = {
      add: (records) => memory.add(records),
      find: (token) => memory.find(token),
      async *changes(options) {
        const failing = new Promise<never>((_, reject) => {
          fail = reject
        })
        failing.catch(() => {})
        const feed = memory.changes(options)
        for (;;) {
          const { value, done } = await Promise.race([feed.next(), failing])
          if (done) return
          yield value
        }
      },
    }
    const { url } = await served({ store, observer: (event) => told.push(event) })
    const one = await send(url, '/v1/changes')
    let isCaughtUp = false
    const reading = eventsOf(one, (events) => {
      // Two: then it goes by the shared feed.
      isCaughtUp ||= events.filter(({ data }) => data.caughtUp).length > 2
      return false
    })
    await expect.poll(() => isCaughtUp, { timeout: 10_000 }).toBe(true)
    fail(new Error('away'))
    expect((await reading).at(-1)).toMatchObject({ event: 'problem' })
    expect(told).toMatchObject([{ type: 'service_feed_failed' }])
    const again = await eventsOf(await send(url, '/v1/changes'), hasCaughtUp)
    expect(again.at(-1)?.data.caughtUp).toBe(true)
  })

  it('ends the stream of a reader that is too slow for it, who comes back and has missed nothing', async () => {
    const told: ObserverEvent[] = []
    const { client, store } = await served({ maxQueuedRecords: 50, observer: (event) => told.push(event) })
    const seen: string[] = []
    let rounds = 0
    for await (const { revocations, caughtUp } of client().changes({ signal: AbortSignal.timeout(15_000) })) {
      seen.push(...revocations.map(({ id }) => id))
      if (caughtUp && rounds++ === 2) await store.add(many(5_000))
      if (new Set(seen).size === 5_000) break
    }
    expect(new Set(seen).size).toBe(5_000)
    expect(told).toMatchObject([{ type: 'service_stream_ended', reason: 'too_slow' }])
  })

  it('passes on that its store has begun with everything again', async () => {
    let restart = false
    const store: RevocationStore = {
      add: async () => {},
      find: async () => undefined,
      async *changes({ signal }) {
        yield { revocations: [session('a')], cursor: '1', caughtUp: true, restarted: true, ageMs: 0 }
        while (!signal.aborted) {
          await new Promise((resolve) => setTimeout(resolve, 10))
          const revocations = restart ? [session('a'), session('b')] : []
          yield { revocations, cursor: '2', caughtUp: true, restarted: restart, ageMs: 0 }
          restart = false
        }
      },
    }
    const { client } = await served({ store })
    const batches: ChangeBatch[] = []
    for await (const batch of client().changes({ signal: AbortSignal.timeout(15_000) })) {
      batches.push(batch)
      if (batches.length === 3) restart = true
      if (batches.length > 3 && batch.restarted) break
    }
    expect(batches.at(-1)?.restarted).toBe(true)
    expect(idsIn(batches.slice(-1))).toEqual(['a', 'b'])
  })
})
