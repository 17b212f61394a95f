import { setTimeout as pause } from 'node:timers/promises'
import { assertNothingMissing, type ReadBatch, type Reading, reading } from './feed-reading.js'
import type { StoreTest } from './fixture.js'
import { type Acknowledged, whileAdding } from './steady-adding.js'

/** Between two clocks that count whole milliseconds. */
const TOLERANCE_MS = 2

/** What a feed says of its own knowledge: `ageMs`, and whether it is caught up. */
export const AGE: Record<string, StoreTest> = {
  'tells with every batch how old it is: a finite number, not negative': async (store, fixture) => {
    const { record, sessions } = fixture
    await store.add(sessions(1_500))
    await reading(store, fixture, undefined, async (feed) => {
      // Every batch of every test is checked so; these are the first ones, a late one, and signs of life.
      await feed.upToDate()
      await store.add([record('user')])
      for (let time = 0; time < 3; time++) await feed.upToDate()
    })
  },
  'has delivered, where it is caught up, all that was acknowledged before the age it tells': async (
    store,
    fixture,
  ) => {
    await reading(store, fixture, undefined, async (feed) => {
      await feed.upToDate()
      await whileAdding([store, await fixture.another()], fixture, async (acknowledged) => {
        for (let caughtUps = 0; caughtUps < 10 || acknowledged.length < 200; ) {
          const batch = await feed.next()
          assertHonest(feed, batch, acknowledged)
          if (batch.caughtUp) caughtUps += 1
        }
      })
    })
  },
  'goes on counting the age of a batch that waits to be read': async (store, fixture) => {
    const other = await fixture.another()
    const acknowledged: Acknowledged[] = []
    await reading(store, fixture, undefined, async (feed) => {
      await feed.upToDate()
      for (let time = 0; time < 4; time++) {
        for (const record of fixture.sessions(20)) {
          await other.add([record])
          acknowledged.push({ record, at: performance.now() })
        }
        await pause(40)
        await feed.until((batch) => {
          assertHonest(feed, batch, acknowledged)
          return batch.caughtUp
        })
      }
    })
  },
  'catches up again and again while adds go on': async (store, fixture) => {
    await store.add(fixture.sessions(1_500))
    await reading(store, fixture, undefined, async (feed) => {
      await whileAdding([store, await fixture.another()], fixture, async () => {
        for (let time = 0; time < 4; time++) await feed.upToDate()
      })
    })
  },
}

/** Fails where a batch that is caught up has left out what it must know, by its own age. */
function assertHonest(
  feed: Reading,
  { caughtUp, knownAt }: ReadBatch,
  acknowledged: readonly Acknowledged[],
): void {
  if (!caughtUp) return
  const known = acknowledged.filter(({ at }) => at < knownAt - TOLERANCE_MS)
  const missing = feed.missing(known.map(({ record }) => record))
  assertNothingMissing(missing, 'by a batch that says it is caught up, and asked for after they were added')
}
