import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Revocation, RevocationScope } from '../../revocation/revocation.js'
import type { RevocationStore } from '../../revocation/store.js'
import { identityOf, type StoreTest } from './fixture.js'

const WITH_CUTOFF: readonly RevocationScope[] = ['user', 'client', 'pool']

/** Two processes that write at the same time, where the test is given two store objects on one engine. */
export const CONCURRENCY: Record<string, StoreTest> = {
  'finds at once what another process has added': async (store, { record, another }) => {
    const other = await another()
    for (const scope of ['session', 'user', 'client'] as const) {
      const token = identityOf(record(scope))
      equal(await store.find(token), undefined)
      await other.add([record(scope)])
      deepEqual({ ...(await store.find(token)) }, record(scope))
    }
  },
  'keeps the larger cutoff and the larger expiresAt, whoever adds them at the same time': async (
    store,
    { record, now, another },
  ) => {
    const other = await another()
    for (const scope of WITH_CUTOFF) {
      const size = 40
      const cutoffs = Array.from({ length: size }, (_, index) => now - ((index * 7) % size))
      const calls = cutoffs.map((cutoff, index) => {
        const expiresAt = now + ((index * 11) % size)
        return () => (index % 2 === 0 ? store : other).add([record(scope, { cutoff, expiresAt })])
      })
      await Promise.all(calls.map((call) => call()))
      const merged = record(scope, { cutoff: now, expiresAt: now + size - 1 })
      for (const side of [store, other]) deepEqual({ ...(await side.find(identityOf(merged))) }, merged)
    }
  },
  'loses none of the records that are added at the same time': async (store, { record, another }) => {
    const other = await another()
    // Of one user and one session after the other, as sign-outs are.
    const pairs = Array.from({ length: 60 }, () => [
      record('user', { id: randomUUID() }),
      record('session', { id: randomUUID() }),
    ])
    await Promise.all(pairs.map((pair, index) => (index % 2 === 0 ? store : other).add(pair)))
    for (const [index, each] of pairs.flat().entries()) {
      const side = index % 4 < 2 ? other : store
      deepEqual({ ...(await side.find(identityOf(each))) }, each)
    }
  },
  'never lets a cutoff overtake a record without one that is added at the same time': async (
    store,
    { record, now, another },
  ) => {
    const other = await another()
    for (let time = 0; time < 10; time++) {
      const whole = record('user', { id: randomUUID() })
      const partly = Array.from({ length: 6 }, (_, index) => ({ ...whole, cutoff: now - index }))
      const calls: [RevocationStore, Revocation][] = partly.map((each, index) => [
        index % 2 === 0 ? store : other,
        each,
      ])
      calls.splice(time % calls.length, 0, [time % 2 === 0 ? other : store, whole])
      await Promise.all(calls.map(([side, each]) => side.add([each])))
      for (const side of [store, other]) ok(await side.find(identityOf(whole, now + 200)))
    }
  },
}
