import { setTimeout as pause } from 'node:timers/promises'
import type { Revocation } from '../../revocation/revocation.js'
import type { RevocationStore } from '../../revocation/store.js'
import type { Fixture } from './fixture.js'

/** A record whose `add` has resolved, and when, by `performance.now()`. */
export interface Acknowledged {
  readonly record: Revocation
  readonly at: number
}

/** Adds, one and several at a time, from three sides at once, for as long as `use` takes. Gives all of them. */
export async function whileAdding(
  stores: readonly [RevocationStore, RevocationStore],
  { sessions }: Fixture,
  use: (acknowledged: readonly Acknowledged[]) => Promise<void>,
): Promise<readonly Acknowledged[]> {
  const acknowledged: Acknowledged[] = []
  let stopped = false
  const addOn = async (store: RevocationStore) => {
    for (let turn = 0; !stopped; turn++) {
      const records = sessions(turn % 2 === 0 ? 4 : 1)
      await store.add(records)
      const at = performance.now()
      for (const record of records) acknowledged.push({ record, at })
      // A store in memory would leave nobody else a turn.
      await pause(1)
    }
  }
  const adding = Promise.all([addOn(stores[0]), addOn(stores[1]), addOn(stores[1])])
  try {
    // Where nothing can be added, nothing that is waited for comes.
    await Promise.race([use(acknowledged), adding])
  } finally {
    stopped = true
    await adding
  }
  return acknowledged
}
