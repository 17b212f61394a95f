import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { REVOCATION_SCOPES, type Revocation } from '../../revocation/revocation.js'
import type { StoreTest } from './fixture.js'

/** How what is added meets what is there. */
export const MERGES: Record<string, StoreTest> = {
  'keeps the larger cutoff and the larger expiresAt, in any order': async (store, { token, record, now }) => {
    await store.add([record('user', { cutoff: now - 10, expiresAt: now + 9_000 })])
    await store.add([
      record('user', { cutoff: now, expiresAt: now + 10 }),
      record('user', { cutoff: now - 90 }),
    ])
    const found = await store.find({ ...token, authTime: now, iat: now })
    deepEqual({ ...found }, record('user', { cutoff: now, expiresAt: now + 9_000 }))
  },
  'keeps a record without a cutoff, whatever cutoff comes later': async (store, { token, record, now }) => {
    await store.add([record('user')])
    await store.add([record('user', { cutoff: now - 500 })])
    ok(await store.find(token))
  },
  'lets a record without a cutoff win over one that was there': async (store, { token, record, now }) => {
    await store.add([record('client', { cutoff: now - 500 })])
    equal(await store.find(token), undefined)
    await store.add([record('client')])
    ok(await store.find(token))
  },
  'merges what is added at the same time without losing any': async (store, { token, record, now }) => {
    const cutoffs = Array.from({ length: 40 }, (_, index) => now - index)
    await Promise.all(
      cutoffs.map((cutoff) => store.add([record('user', { cutoff, expiresAt: cutoff + 3_600 })])),
    )
    const found = await store.find({ ...token, authTime: now, iat: now })
    deepEqual({ ...found }, record('user', { cutoff: now, expiresAt: now + 3_600 }))
  },
  'never shortens a record, of whatever scope, by one that is over sooner': async (
    store,
    { tokenOf, record, now },
  ) => {
    for (const scope of REVOCATION_SCOPES) {
      const long = record(scope, { expiresAt: now + 90_000 })
      await store.add([long])
      await store.add([record(scope, { expiresAt: now + 60 }), record(scope, { expiresAt: now - 60 })])
      deepEqual({ ...(await store.find(tokenOf(scope))) }, long)
    }
  },
  'takes the same record again': async (store, { token, record }) => {
    for (let time = 0; time < 3; time++) await store.add([record('session')])
    deepEqual({ ...(await store.find(token)) }, record('session'))
  },
  'takes an empty list': async (store, { token, record }) => {
    await store.add([])
    equal(await store.find(token), undefined)
    await store.add([record('session')])
    await store.add([])
    ok(await store.find(token))
  },
}

/** What is not taken. */
export const REFUSALS: Record<string, StoreTest> = {
  'refuses a cutoff over 300 s in the future': async (store, { token, record, now }) => {
    await rejects(store.add([record('user', { cutoff: now + 400 })]), { code: 'cutoff_in_future' })
    equal(await store.find(token), undefined)
    await store.add([record('user', { cutoff: now + 200 })])
    ok(await store.find(token))
  },
  'refuses records that are not valid': async (store, { record, now }) => {
    const invalid: Partial<Record<keyof Revocation, unknown>>[] = [
      { id: '' },
      { id: 'x'.repeat(257) },
      { id: 1 },
      { id: '\ud800' },
      { poolId: '' },
      { scope: 'everything' },
      { expiresAt: Number.NaN },
      { expiresAt: -1 },
      { expiresAt: Date.now() },
      { cutoff: now },
    ]
    for (const more of invalid) {
      await rejects(
        store.add([record('session', more as Partial<Revocation>)]),
        TypeError,
        JSON.stringify(more),
      )
    }
    await rejects(store.add([record('pool', { id: 'another' })]), TypeError)
  },
  'records nothing of a call that has a record in it which it refuses': async (
    store,
    { token, record, now },
  ) => {
    const refused: [Revocation, object][] = [
      [record('token', { id: '' }), { name: 'TypeError' }],
      [record('user', { cutoff: now + 400 }), { code: 'cutoff_in_future' }],
      [null as never, { name: 'TypeError' }],
    ]
    for (const [each, error] of refused) {
      const others = Array.from({ length: 300 }, (_, index) => record('session', { id: `session ${index}` }))
      const call = [record('session'), ...others, each, record('client')]
      await rejects(store.add(call), error, JSON.stringify(each))
      equal(await store.find(token), undefined)
    }
  },
}
