import { describe, it } from 'vitest'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { storeConformanceTests } from '../../src/testing/index.js'
import { readingOnly } from '../support/mirror-reader.js'

const LAYERS: Record<string, (mirror: RevocationMirror, store: RevocationStore) => RevocationStore> = {
  'A mirror': (mirror) => mirror,
  'A mirror that is only read from': readingOnly,
  'A cache over a mirror': (mirror) => new CachedRevocationStore(mirror),
}

describe.each(Object.entries(LAYERS))('%s of a MemoryRevocationStore', (_, layer) => {
  const create = async () => {
    const memory = new MemoryRevocationStore({ heartbeatMs: 10 })
    const mirror = new RevocationMirror(memory)
    const close = async () => {
      await mirror.close()
      await memory.close()
    }
    return { store: layer(mirror, memory), close }
  }
  for (const { name, run } of storeConformanceTests(create)) it.concurrent(name, run)
})
