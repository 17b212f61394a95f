import { deepEqual, equal, ok } from 'node:assert/strict'
import { assertNothingMissing, openFeed, type ReadBatch, reading } from './feed-reading.js'
import type { StoreTest } from './fixture.js'

/** The change feed, of the stores that have one: how it begins, goes on and ends. */
export const FEED: Record<string, StoreTest> = {
  'begins its feed with everything it holds, and goes on with what is added': async (store, fixture) => {
    const { record } = fixture
    await store.add([record('session'), record('user')])
    await reading(store, fixture, undefined, async (feed) => {
      deepEqual(scopesOf(await feed.upToDate()), ['session', 'user'])
      await store.add([record('client')])
      ok(scopesOf(await feed.upToDate()).includes('client'), 'what is added must be delivered')
    })
  },
  'does not say that it is caught up before it has delivered what was added meanwhile': async (
    store,
    fixture,
  ) => {
    const { record, sessions } = fixture
    const held = sessions(2_500)
    await store.add(held)
    await reading(store, fixture, undefined, async (feed) => {
      const { caughtUp } = await feed.next()
      if (caughtUp) assertNothingMissing(feed.missing(held), 'by a first batch that is caught up')
      await store.add([record('client')])
      await feed.upToDate()
      assertNothingMissing(feed.missing([...held, record('client')]), 'once it was caught up')
    })
  },
  'announces again what is added again': async (store, fixture) => {
    const { record } = fixture
    await store.add([record('session')])
    await reading(store, fixture, undefined, async (feed) => {
      await feed.upToDate()
      await store.add([record('session')])
      ok(scopesOf(await feed.upToDate()).includes('session'), 'what is added again must be delivered again')
    })
  },
  'delivers all of a big add': async (store, fixture) => {
    const held = fixture.sessions(5_000)
    await reading(store, fixture, undefined, async (feed) => {
      await feed.upToDate()
      await store.add(held)
      await feed.upToDate()
      assertNothingMissing(feed.missing(held), 'of a big add')
    })
  },
  'gives a sign of life when nothing happens': async (store, fixture) => {
    await reading(store, fixture, undefined, async (feed) => {
      const [first] = (await feed.upToDate()).slice(-1) as [ReadBatch]
      const [sign] = (await feed.upToDate()).slice(-1) as [ReadBatch]
      ok(sign.knownAt > first.knownAt, 'a sign of life must be newer than what came before')
    })
  },
  'ends its feed at the signal, without an error': async (store, fixture) => {
    const controller = new AbortController()
    const feed = openFeed(store, fixture, { signal: controller.signal })
    await feed.next()
    const last = feed.next()
    controller.abort()
    // One batch may have been on its way.
    const { done } = await last
    if (!done) equal((await feed.next()).done, true)
  },
  'ends its feed at once at a signal that was given before': async (store, fixture) => {
    equal((await openFeed(store, fixture, { signal: AbortSignal.abort() }).next()).done, true)
  },
}

function scopesOf(batches: readonly ReadBatch[]): string[] {
  const scopes = batches.flatMap(({ revocations }) => revocations.map(({ scope }) => scope))
  // More than once is not wrong.
  return [...new Set(scopes)].sort()
}
