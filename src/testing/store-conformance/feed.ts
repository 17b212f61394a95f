import { deepEqual, equal, ok } from 'node:assert/strict'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../revocation/store.js'
import type { Fixture, StoreTest } from './fixture.js'

/** The change feed, of the stores that have one. */
export const FEED: Record<string, StoreTest> = {
  'begins its feed with everything it holds, and goes on with what is added': async (store, fixture) => {
    const { poolId, record } = fixture
    await store.add([record('session'), record('user')])
    await reading(store, fixture, undefined, async (next) => {
      const first = await next((seen) => seen.caughtUp)
      deepEqual(scopesOf(first, poolId), ['session', 'user'])
      await store.add([record('client')])
      deepEqual(scopesOf(await next((seen) => scopesOf(seen, poolId).length > 0), poolId), ['client'])
    })
  },
  'does not say that it is caught up before it has delivered what was added meanwhile': async (
    store,
    fixture,
  ) => {
    const { poolId, record } = fixture
    const ids = Array.from({ length: 2_500 }, (_, index) => `session ${index}`)
    await store.add(ids.map((id) => record('session', { id })))
    await reading(store, fixture, undefined, async (next) => {
      let added = false
      const seen = await next((batches) => {
        if (!batches.caughtUp && !added) {
          added = true
          void store.add([record('client')])
        }
        return batches.caughtUp
      })
      const delivered = new Set(seen.revocations.map(({ id }) => id))
      equal(ids.filter((id) => !delivered.has(id)).length, 0)
      if (added) ok(scopesOf(seen, poolId).includes('client'))
    })
  },
  'goes on from a cursor without a gap': async (store, fixture) => {
    const { poolId, record } = fixture
    let cursor = ''
    await reading(store, fixture, undefined, async (next) => {
      cursor = (await next((seen) => seen.caughtUp)).cursor
    })
    await store.add([record('session')])
    await reading(store, fixture, cursor, async (next) => {
      deepEqual(scopesOf(await next((seen) => scopesOf(seen, poolId).length > 0), poolId), ['session'])
    })
  },
  'starts over from everything at a cursor that it does not know': async (store, fixture) => {
    const { poolId, record } = fixture
    await store.add([record('session')])
    await reading(store, fixture, 'no such cursor', async (next) => {
      deepEqual(scopesOf(await next((seen) => seen.caughtUp), poolId), ['session'])
    })
  },
  'announces again what is added again': async (store, fixture) => {
    const { poolId, record } = fixture
    await store.add([record('session')])
    await reading(store, fixture, undefined, async (next) => {
      await next((seen) => seen.caughtUp)
      await store.add([record('session')])
      deepEqual(scopesOf(await next((seen) => scopesOf(seen, poolId).length > 0), poolId), ['session'])
    })
  },
  'gives a sign of life when nothing happens': async (store, fixture) => {
    await reading(store, fixture, undefined, async (next) => {
      await next((seen) => seen.caughtUp)
      const sign = await next(() => true)
      ok(sign.caughtUp)
      ok(sign.ageMs >= 0 && Number.isFinite(sign.ageMs))
    })
  },
  'ends its feed at the signal, without an error': async (store) => {
    const controller = new AbortController()
    const feed = openFeed(store, { signal: controller.signal })
    await feed.next()
    const last = feed.next()
    controller.abort()
    // One batch may have been on its way.
    const { done } = await last
    if (!done) equal((await feed.next()).done, true)
  },
}

function scopesOf(batch: ChangeBatch, poolId: string): string[] {
  return batch.revocations
    .filter((revocation) => revocation.poolId === poolId)
    .map(({ scope }) => scope)
    .sort()
}

function openFeed(store: RevocationStore, options: ChangesOptions): AsyncIterator<ChangeBatch> {
  ok(
    store.changes,
    'The store has no changes(); if it is to have none, leave these tests out: { feed: false }',
  )
  return store.changes(options)[Symbol.asyncIterator]()
}

/** Reads a feed; `next` collects batches until one satisfies, and gives them as one. */
async function reading(
  store: RevocationStore,
  { feedDeadlineMs }: Fixture,
  after: string | undefined,
  use: (next: (until: (seen: ChangeBatch) => boolean) => Promise<ChangeBatch>) => Promise<void>,
): Promise<void> {
  const controller = new AbortController()
  const deadline = setTimeout(() => controller.abort(), feedDeadlineMs)
  const options = after === undefined ? {} : { after }
  const feed = openFeed(store, { signal: controller.signal, ...options })
  try {
    await use(async (until) => {
      let seen: ChangeBatch | undefined
      do {
        const { value, done } = await feed.next()
        if (done) throw new Error(`The feed did not deliver within ${feedDeadlineMs} ms`)
        seen = { ...value, revocations: [...(seen?.revocations ?? []), ...value.revocations] }
      } while (!until(seen))
      return seen
    })
  } finally {
    clearTimeout(deadline)
    controller.abort()
    await feed.return?.()
  }
}
