import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import type { StoreUnderTest } from '../../src/testing/index.js'

/** The test that must notice it, what is wrong, and a store that is right but for that. */
export type Fault = readonly [test: string, fault: string, create: () => StoreUnderTest]

type Change = (batch: ChangeBatch, index: number) => Partial<ChangeBatch> | undefined

/** A good store with one thing wrong. */
export function fault(
  test: string,
  what: string,
  change: (store: MemoryRevocationStore) => Partial<RevocationStore>,
): Fault {
  return [test, what, () => ({ store: broken(change) })]
}

/** A store that is right but for what is changed; the feed gives a sign of life every 20 ms. */
export function broken(change: (store: MemoryRevocationStore) => Partial<RevocationStore>): RevocationStore {
  const store = new MemoryRevocationStore({ heartbeatMs: 20 })
  return {
    add: (revocations) => store.add(revocations),
    find: (token) => store.find(token),
    changes: (options) => store.changes(options),
    ...change(store),
  }
}

/** Changes each batch of the feed; what gives nothing is left out. */
export function changing(change: Change, whole = false) {
  return (store: RevocationStore): Partial<RevocationStore> => ({
    changes: async function* (options) {
      let index = 0
      for await (const batch of store.changes?.(options) ?? []) {
        const changed = change(batch, index++)
        if (changed !== undefined) yield whole ? (changed as ChangeBatch) : { ...batch, ...changed }
      }
    },
  })
}

export function changingRecords(change: (record: Revocation) => Revocation | false) {
  return changing(({ revocations }) => ({
    revocations: revocations.map(change).filter((record) => record !== false),
  }))
}

/** A feed that begins with what comes next. */
export async function* newOnly(
  store: RevocationStore,
  { signal }: ChangesOptions,
): AsyncGenerator<ChangeBatch> {
  let caughtUp = false
  for await (const batch of store.changes?.({ signal }) ?? []) {
    yield { ...batch, restarted: false, revocations: caughtUp ? batch.revocations : [] }
    caughtUp ||= batch.caughtUp
  }
}
