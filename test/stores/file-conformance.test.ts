import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { FileRevocationStore } from '../../src/stores/file/index.js'
import { storeConformanceTests } from '../../src/testing/index.js'
import { layerConformanceTests } from '../support/layer-conformance.js'
import { readingOnly } from '../support/mirror-reader.js'

const folder = mkdtempSync(join(tmpdir(), 'file-conformance-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const freshPath = () => join(folder, `${files++}.db`)

function open(path: string): FileRevocationStore {
  // What is right is tested here, on however busy a machine; what comes too late, elsewhere.
  return new FileRevocationStore({ path, heartbeatMs: 10, pollIntervalMs: 10, busyTimeoutMs: 15_000 })
}

describe('A FileRevocationStore', () => {
  const create = async () => {
    const path = freshPath()
    return { store: open(path), another: async () => open(path) }
  }
  for (const { name, run } of storeConformanceTests(create)) it.concurrent(name, run)
})

const LAYERS: Record<string, (mirror: RevocationMirror, store: RevocationStore) => RevocationStore> = {
  'A mirror': (mirror) => mirror,
  'A mirror that is only read from': readingOnly,
  'A cache over a mirror': (mirror) => new CachedRevocationStore(mirror),
}

describe.each(Object.entries(LAYERS))('%s of a FileRevocationStore', (_, layer) => {
  const create = async () => {
    const file = open(freshPath())
    const mirror = new RevocationMirror(file)
    const close = async () => {
      await mirror.close()
      await file.close()
    }
    return { store: layer(mirror, file), close }
  }
  for (const { name, run } of layerConformanceTests(create)) it.concurrent(name, run)
})
