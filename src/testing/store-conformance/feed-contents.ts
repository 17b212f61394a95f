import { deepEqual, ok } from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import {
  mergeExtents,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationExtent,
} from '../../revocation/revocation.js'
import { type ReadBatch, reading } from './feed-reading.js'
import { extentOf, type Fixture, identityOf, keyOf, type StoreTest } from './fixture.js'
import { ODD_IDS } from './look-ups.js'

/** What a feed says of each revocation. */
export const CONTENTS: Record<string, StoreTest> = {
  'delivers every part of a record as it was given, when it is added and when all is read': async (
    store,
    fixture,
  ) => {
    const given = recordsOfAllKinds(fixture)
    const audit = { revokedAt: fixture.now }
    await reading(store, fixture, undefined, async (feed) => {
      await feed.upToDate()
      await store.add(given.map((record) => ({ ...record, audit })))
      assertDelivered(await feed.upToDate(), given)
    })
    await reading(store, fixture, undefined, async (feed) => {
      await feed.everything()
      assertDelivered(feed.batches, given)
    })
  },
  'delivers with what is added the audit that was given with it, and not another': async (store, fixture) => {
    const { now, record } = fixture
    const text = `"quoted"\n\ttab, comma; {a: 1} ä日本 \u{1f512} ${'x'.repeat(900)}`
    const audits = [
      { revokedAt: now },
      { revokedAt: now + 0.25, reason: text },
      undefined,
      { revokedAt: 0, reason: '', actor: text },
    ]
    await reading(store, fixture, undefined, async (feed) => {
      await feed.upToDate()
      for (const [index, audit] of audits.entries()) {
        await store.add([audit === undefined ? record('user') : { ...record('user'), audit }])
        const announced = (await feed.upToDate()).flatMap(({ revocations }) => revocations)
        const has = (one: unknown) => announced.some((record) => isDeepStrictEqual(record.audit, one))
        ok(has(audit), 'the audit must be delivered as it was given')
        // Of several engines as one, some tell once more what came before, or as everything, without its audit.
        const given = [undefined, ...audits.slice(0, index + 1)]
        const strange = announced.filter((one) => !given.some((each) => isDeepStrictEqual(one.audit, each)))
        deepEqual(strange, [], 'no audit must be delivered that was not given')
      }
    })
  },
  'delivers what, merged in any order, is what it finds': async (store, fixture) => {
    const other = await fixture.another()
    const { calls, keys } = manyCalls(fixture)
    const half = calls.length / 2
    await store.add(calls[0] ?? [])
    await reading(store, fixture, undefined, async (feed) => {
      const addAll = (part: readonly Revocation[][]) =>
        Promise.all(part.map((call, index) => (index % 2 === 0 ? store : other).add(call)))
      await Promise.all([addAll(calls.slice(1, half)), feed.upToDate()])
      await Promise.all([addAll(calls.slice(half)), feed.upToDate()])
      await feed.upToDate()
      await reading(store, fixture, undefined, async (late) => {
        await late.everything()
        for (const batches of [feed.batches, [...feed.batches].reverse(), late.batches]) {
          const merged = mergeAll(batches)
          for (const key of keys) {
            const found = await store.find(identityOf(key))
            deepEqual(merged.get(keyOf(key)), found && extentOf(found), `the extent of ${keyOf(key)}`)
          }
        }
      })
    })
  },
}

function recordsOfAllKinds({ poolId, now, record }: Fixture): Revocation[] {
  return [
    ...REVOCATION_SCOPES.map((scope, index) => record(scope, { expiresAt: now + 100 * index })),
    record('user', { id: 'with a cutoff', cutoff: now - 5 }),
    record('user', { id: 'in fractions', cutoff: now - 0.1, expiresAt: now + 0.3 }),
    record('client', { id: 'with the least cutoff', cutoff: 0 }),
    record('session', { id: 'over', expiresAt: now - 60 }),
    record('session', { id: 'late', expiresAt: 99_999_999_999 }),
    { ...record('pool'), poolId: `${poolId}:p`, id: `${poolId}:p`, cutoff: now },
    ...ODD_IDS.map((id) => record('session', { id })),
    ...ODD_IDS.map((id) => record('client', { id, cutoff: now - 7 })),
    ...ODD_IDS.slice(0, 5).map((name) => record('user', { poolId: `${poolId}${name}`, id: name })),
  ]
}

/** The extents of all records, and no others. Their audits may come or not, once they have been read. */
function assertDelivered(batches: readonly ReadBatch[], given: readonly Revocation[]): void {
  deepEqual(mergeAll(batches), new Map(given.map((record) => [keyOf(record), extentOf(record)])))
}

function mergeAll(batches: readonly ReadBatch[]): Map<string, RevocationExtent> {
  const merged = new Map<string, RevocationExtent>()
  for (const revocation of batches.flatMap(({ revocations }) => revocations)) {
    const key = keyOf(revocation)
    const extent = extentOf(revocation)
    merged.set(key, mergeExtents(merged.get(key) ?? extent, extent))
  }
  return merged
}

/** 200 calls that meet at few records; the same in every run, but for the pool and the time. */
function manyCalls({ poolId, now, record }: Fixture): { calls: Revocation[][]; keys: Revocation[] } {
  const keys = [
    ...['a', 'b', 'c'].map((id) => record('user', { id })),
    ...['a', 'b'].map((id) => record('client', { id })),
    ...['p', 'q'].map((name) => ({ ...record('pool'), poolId: poolId + name, id: poolId + name })),
    ...['a', 'b'].map((id) => record('session', { id })),
    record('token'),
  ]
  let seed = 20_260_101
  const below = (limit: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return (seed >> 8) % limit
  }
  const any = () => {
    const key = keys[below(keys.length)] as Revocation
    const isNarrow = key.scope === 'token' || key.scope === 'session'
    const cutoff = isNarrow || below(60) === 0 ? {} : { cutoff: now - below(100_000) }
    return { ...key, ...cutoff, expiresAt: now + below(100_000) }
  }
  const calls = Array.from({ length: 200 }, () => Array.from({ length: 1 + below(3) }, any))
  return { calls, keys }
}
