import { describe, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { ReplicatedRevocationStore } from '../../src/revocation/replicated-store.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { storeConformanceTests } from '../../src/testing/index.js'
import { layerConformanceTests } from '../support/layer-conformance.js'
import { readingOnly } from '../support/mirror-reader.js'

/** What is right is tested here, on however busy a machine; what comes too late, elsewhere. */
const timeoutMs = 15_000

function memories(count: number): MemoryRevocationStore[] {
  return Array.from({ length: count }, () => new MemoryRevocationStore({ heartbeatMs: 20 }))
}

/** As two processes have it, over the same engines. */
function replicated(stores: readonly RevocationStore[], writeQuorum: number) {
  const store = new ReplicatedRevocationStore(stores, { writeQuorum, timeoutMs })
  const close = async () => {
    await store.close()
    for (const each of stores) await each.close?.()
  }
  return {
    store,
    another: async () => new ReplicatedRevocationStore(stores, { writeQuorum, timeoutMs }),
    close,
  }
}

describe.each([
  [2, 2],
  [2, 1],
  [3, 2],
  [3, 3],
])('A ReplicatedRevocationStore of %i stores in memory, of which %i record', (count, writeQuorum) => {
  const create = async () => replicated(memories(count), writeQuorum)
  for (const { name, run } of storeConformanceTests(create)) it.concurrent(name, run)
})

describe('A mirror that is only read from, of a ReplicatedRevocationStore of 3 stores', () => {
  const create = async () => {
    const { store, close } = replicated(memories(3), 2)
    const mirror = new RevocationMirror(store)
    return {
      store: readingOnly(mirror, store),
      close: async () => {
        await mirror.close()
        await close()
      },
    }
  }
  for (const { name, run } of layerConformanceTests(create)) it.concurrent(name, run)
})
