import { afterEach, describe, expect, it } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import { RevocationService } from '../../src/server/index.js'
import {
  ALL,
  eventsOf,
  hasCaughtUp,
  KEY,
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
    ['altered in its signature', (cursor: string) => `${cursor.slice(0, -2)}AA`],
    ['without its signature', (cursor: string) => cursor.split('.')[0] ?? ''],
    [
      'of another text',
      (cursor: string) => `${Buffer.from('0:0').toString('base64url')}.${cursor.split('.')[1]}`,
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
    expect(told).toMatchObject([{ type: 'service_stream_ended', reason: 'store_failed', keyId: 'all' }])
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
