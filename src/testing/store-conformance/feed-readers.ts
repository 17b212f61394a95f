import { equal } from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { assertNothingMissing, openFeed, type Reading, reading } from './feed-reading.js'
import type { StoreTest } from './fixture.js'

/** Several readers of one feed. */
export const READERS: Record<string, StoreTest> = {
  'gives everything to each of its readers, fast or slow': async (store, fixture) => {
    const other = await fixture.another()
    const held = fixture.sessions(1_500)
    const news = fixture.sessions(600)
    await store.add(held)
    await Promise.all([
      ...[0, 3, 12].map((pauseMs) =>
        reading(store, fixture, undefined, async (feed) => {
          await readSlowly(feed, pauseMs, () => feed.missing(news).length === 0)
          assertNothingMissing(feed.missing(held), `to a reader that pauses for ${pauseMs} ms`)
        }),
      ),
      addInParts(news, 20, (part) => other.add(part)),
    ])
  },
  'goes on for its other readers when some stop, however they do': async (store, fixture) => {
    const held = fixture.sessions(2_500)
    const news = fixture.sessions(10)
    await store.add(held)
    await reading(store, fixture, undefined, async (feed) => {
      await feed.next()
      // In the midst of everything.
      await reading(store, fixture, undefined, async (early) => {
        await early.next()
        await early.stop()
      })
      const controller = new AbortController()
      const waiting = openFeed(store, fixture, { signal: controller.signal })
      await waiting.next()
      const last = waiting.next()
      await feed.everything()
      controller.abort()
      await last
      await store.add(news)
      await feed.upToDate()
      assertNothingMissing(feed.missing([...held, ...news]), 'to a reader that went on')
    })
  },
  'stops for a reader that has had enough, also without its signal': async (store, fixture) => {
    await store.add(fixture.sessions(2_500))
    const feed = openFeed(store, fixture, { signal: new AbortController().signal })
    equal((await feed.next()).done, false)
    if (feed.return === undefined) return
    await feed.return()
    equal((await feed.next()).done, true)
  },
  'loses nothing for a reader that pauses while 3,000 are added': async (store, fixture) => {
    const other = await fixture.another()
    const news = fixture.sessions(3_000)
    await reading(store, fixture, undefined, async (feed) => {
      await feed.upToDate()
      await addInParts(news, 500, (part) => other.add(part))
      await pause(60)
      await feed.upToDate()
      assertNothingMissing(feed.missing(news), 'to a reader that paused')
    })
  },
}

/** Reads on until there is enough, with a pause before every batch. */
async function readSlowly(feed: Reading, pauseMs: number, isEnough: () => boolean): Promise<void> {
  while (!isEnough()) {
    if (pauseMs > 0) await pause(pauseMs)
    await feed.until(({ revocations }) => revocations.length > 0)
  }
}

async function addInParts<T>(
  all: readonly T[],
  length: number,
  add: (part: readonly T[]) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < all.length; start += length) {
    await add(all.slice(start, start + length))
    await pause(1)
  }
}
