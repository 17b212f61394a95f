import { deepEqual, equal, ok } from 'node:assert/strict'
import type { ChangeBatch, RevocationStore } from '../../revocation/store.js'
import type { StoreTest } from './fixture.js'

/** How long a feed may take to deliver what was added, in milliseconds. */
const FEED_DEADLINE_MS = 10_000

/** The change feed, of the stores that have one. */
export const FEED: Record<string, StoreTest> = {
  'begins its feed with everything it holds, and goes on with what is added': async (
    store,
    { poolId, record },
  ) => {
    if (store.changes === undefined) return
    await store.add([record('session'), record('user')])
    await reading(store, undefined, async (next) => {
      const first = await next((seen) => seen.caughtUp)
      deepEqual(scopesOf(first, poolId), ['session', 'user'])
      await store.add([record('client')])
      deepEqual(scopesOf(await next((seen) => scopesOf(seen, poolId).length > 0), poolId), ['client'])
    })
  },
  'does not say that it is caught up before it has delivered what was added meanwhile': async (
    store,
    { poolId, record },
  ) => {
    if (store.changes === undefined) return
    await store.add(
      Array.from({ length: 2_500 }, (_, index) => record('session', { id: `session ${index}` })),
    )
    await reading(store, undefined, async (next) => {
      const first = await next(() => true)
      if (first.caughtUp) return
      await store.add([record('client')])
      ok(scopesOf(await next((seen) => seen.caughtUp), poolId).includes('client'))
    })
  },
  'goes on from a cursor without a gap': async (store, { poolId, record }) => {
    if (store.changes === undefined) return
    let cursor = ''
    await reading(store, undefined, async (next) => {
      cursor = (await next((seen) => seen.caughtUp)).cursor
    })
    await store.add([record('session')])
    await reading(store, cursor, async (next) => {
      deepEqual(scopesOf(await next((seen) => scopesOf(seen, poolId).length > 0), poolId), ['session'])
    })
  },
  'starts over from everything at a cursor that it does not know': async (store, { poolId, record }) => {
    if (store.changes === undefined) return
    await store.add([record('session')])
    await reading(store, 'no such cursor', async (next) => {
      deepEqual(scopesOf(await next((seen) => seen.caughtUp), poolId), ['session'])
    })
  },
  'announces again what is added again': async (store, { poolId, record }) => {
    if (store.changes === undefined) return
    await store.add([record('session')])
    await reading(store, undefined, async (next) => {
      await next((seen) => seen.caughtUp)
      await store.add([record('session')])
      deepEqual(scopesOf(await next((seen) => scopesOf(seen, poolId).length > 0), poolId), ['session'])
    })
  },
  'gives a sign of life when nothing happens': async (store) => {
    if (store.changes === undefined) return
    await reading(store, undefined, async (next) => {
      await next((seen) => seen.caughtUp)
      const sign = await next(() => true)
      ok(sign.caughtUp)
      ok(sign.ageMs >= 0 && Number.isFinite(sign.ageMs))
    })
  },
  'ends its feed at the signal, without an error': async (store) => {
    if (store.changes === undefined) return
    const controller = new AbortController()
    const feed = store.changes({ signal: controller.signal })[Symbol.asyncIterator]()
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

/** Reads a feed; `next` collects batches until one satisfies, and gives them as one. */
async function reading(
  store: RevocationStore,
  after: string | undefined,
  use: (next: (until: (seen: ChangeBatch) => boolean) => Promise<ChangeBatch>) => Promise<void>,
): Promise<void> {
  const controller = new AbortController()
  const deadline = setTimeout(() => controller.abort(), FEED_DEADLINE_MS)
  const options = after === undefined ? {} : { after }
  const feed = store.changes?.({ signal: controller.signal, ...options })[Symbol.asyncIterator]()
  try {
    await use(async (until) => {
      let seen: ChangeBatch | undefined
      do {
        const { value, done } = (await feed?.next()) ?? { done: true, value: undefined }
        if (done) throw new Error(`The feed did not deliver within ${FEED_DEADLINE_MS} ms`)
        seen = { ...value, revocations: [...(seen?.revocations ?? []), ...value.revocations] }
      } while (!until(seen))
      return seen
    })
  } finally {
    clearTimeout(deadline)
    controller.abort()
    await feed?.return?.()
  }
}
