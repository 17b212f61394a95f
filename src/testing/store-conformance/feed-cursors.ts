import { ok } from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { MemoryRevocationStore } from '../../revocation/memory-store.js'
import type { Revocation } from '../../revocation/revocation.js'
import { assertNothingMissing, type ReadBatch, reading } from './feed-reading.js'
import { keyOf, type StoreTest } from './fixture.js'
import { whileAdding } from './steady-adding.js'

/** Going on from where a reader was, and starting over where that can't be. */
export const CURSORS: Record<string, StoreTest> = {
  'goes on from a cursor without a gap': async (store, fixture) => {
    const { record } = fixture
    const [last] = await reading(store, fixture, undefined, async (feed) => {
      await feed.everything()
      return feed.batches.slice(-1)
    })
    await store.add([record('session')])
    await reading(store, fixture, last?.cursor, async (feed) => {
      await feed.everything()
      assertNothingMissing(feed.missing([record('session')]), 'after a cursor')
    })
  },
  'goes on without a gap from the cursor of any batch, also in the midst of its first reading': async (
    store,
    fixture,
  ) => {
    const other = await fixture.another()
    const held = fixture.sessions(2_500)
    await store.add(held)
    let batches: readonly ReadBatch[] = []
    const acknowledged = await whileAdding([store, other], fixture, async (added) => {
      batches = await reading(store, fixture, undefined, async (feed) => {
        while (feed.batches.length < 20 || added.length < 60) {
          // Slower than what is added: what is read ahead must not be counted as delivered.
          if (feed.batches.length % 2 === 1) await pause(8)
          await feed.next()
        }
        return feed.batches
      })
    })
    const all = [...held, ...acknowledged.map(({ record }) => record)]
    for (const index of pick(batches.length)) {
      const before = new Set(batches.slice(0, index + 1).flatMap(keysIn))
      // Another process may know nothing of the cursor: then it has to start over.
      await reading(index % 2 === 0 ? store : other, fixture, batches[index]?.cursor, async (feed) => {
        await feed.everything()
        const missing = feed.missing(all).filter((record) => !before.has(keyOf(record)))
        assertNothingMissing(missing, `before or after the cursor of batch ${index + 1} of ${batches.length}`)
        assertWhole(feed.batches, all)
      })
    }
  },
  'starts over from everything at a cursor that it does not know': async (store, fixture) => {
    const held = fixture.sessions(20)
    await store.add(held)
    const own = await reading(store, fixture, undefined, async (feed) => {
      await feed.everything()
      return feed.batches.at(-1)?.cursor ?? ''
    })
    const foreign = [...STRANGE_CURSORS, await cursorOfAnotherStore()]
    for (const cursor of [...foreign, ...forged(own)]) {
      const name = JSON.stringify(cursor.slice(0, 100))
      await reading(store, fixture, cursor, async (feed) => {
        // One of a future that was lost may fit in part: then it is enough that it shows in time.
        await feed.until(({ restarted, caughtUp }) => restarted || caughtUp || foreign.includes(cursor))
        ok(feed.batches.at(-1)?.restarted, `After the cursor ${name} the feed must say that it restarted`)
        await feed.everything()
        assertNothingMissing(feed.missing(held), `after the cursor ${name}`)
        assertWhole(feed.batches, held)
      })
    }
  },
  'says restarted in the first batch of a reading that begins with everything': async (store, fixture) => {
    for (const count of [0, 1_500]) {
      if (count > 0) await store.add(fixture.sessions(count))
      await reading(store, fixture, undefined, async (feed) => {
        ok((await feed.next()).restarted, `the first batch, of ${count} records, must say restarted`)
      })
    }
  },
  'has delivered everything between a batch that says restarted and the next that is caught up': async (
    store,
    fixture,
  ) => {
    const { record, sessions, now } = fixture
    // Long there, and over by now: what is held is delivered.
    const held = [...sessions(1_500), record('user', { cutoff: now - 9 }), record('pool')]
    const over = [record('client', { expiresAt: now - 3_000 }), record('token', { expiresAt: now - 1 })]
    await store.add([...over, ...held])
    const read = async (after: string | undefined) => {
      return reading(store, fixture, after, async (feed) => {
        await feed.everything()
        // Signs of life, each of which might say it again.
        for (let time = 0; time < 2; time++) await feed.upToDate()
        assertWhole(feed.batches, [...held, ...over])
        return feed.batches
      })
    }
    const batches = await read(undefined)
    await pause(5)
    for (const index of [0, batches.length - 1]) await read(batches[index]?.cursor)
  },
}

const STRANGE_CURSORS = [
  '',
  ' ',
  '0',
  '-1',
  '0-0',
  'no such cursor',
  'a\nb',
  '\u0000',
  'ä日本',
  '__proto__',
  'null',
  '{}',
  '[]',
  '[null]',
  '[[null,null,null]]',
  '{"cursor":"0"}',
  '1'.repeat(400),
  'x'.repeat(100_000),
  '['.repeat(10_000),
]

async function cursorOfAnotherStore(): Promise<string> {
  const other = new MemoryRevocationStore()
  const [poolId, expiresAt] = ['us-east-1_another', Date.now() / 1000 + 60]
  await other.add([{ poolId, scope: 'session', id: 'another', expiresAt }])
  const { value } = await other.changes({ signal: new AbortController().signal }).next()
  return value?.cursor ?? ''
}

/** A store that has lost its latest changes finds cursors from the future: those with larger numbers. */
function forged(cursor: string): string[] {
  const numbers = /(?<![\w-])\d+(?!\w)/g
  return ['$&0', '9$&', '9999999$&']
    .map((larger) => cursor.replace(numbers, larger))
    .filter((other) => other !== cursor)
}

/** The first three, the last, and some between. */
function pick(length: number): number[] {
  const between = Array.from({ length: 7 }, (_, index) => Math.floor((length * index) / 7))
  return [...new Set([0, 1, 2, ...between, length - 1])].filter((index) => index < length)
}

function keysIn({ revocations }: ReadBatch): string[] {
  return revocations.map(keyOf)
}

/** Fails where `held`, which was there before the reading, was not delivered after a batch that says restarted. */
function assertWhole(batches: readonly ReadBatch[], held: readonly Revocation[]): void {
  let delivered: Set<string> | undefined
  for (const batch of batches) {
    if (batch.restarted) delivered = new Set()
    for (const key of keysIn(batch)) delivered?.add(key)
    if (!batch.caughtUp) continue
    if (delivered !== undefined) {
      const missing = held.filter((record) => !delivered?.has(keyOf(record)))
      assertNothingMissing(missing, 'between a batch that says restarted and the next that is caught up')
    }
    delivered = undefined
  }
}
