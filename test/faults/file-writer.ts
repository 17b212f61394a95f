import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { FileRevocationStore } from '../../src/stores/file/index.js'

/** A process that adds as fast as it can, and tells of each id once it is acknowledged, until it is killed. */

const { path, poolId } = JSON.parse(process.argv[2] ?? '')
const store = new FileRevocationStore({ path, busyTimeoutMs: 20_000 })
const expiresAt = Math.floor(Date.now() / 1000) + 86_400

async function write(): Promise<never> {
  for (;;) {
    const ids = Array.from({ length: 1 + Math.floor(Math.random() * 4) }, () => randomUUID())
    await store.add(ids.map((id) => ({ poolId, scope: 'session', id, expiresAt })))
    // At once, past all buffers of this process.
    writeSync(1, ids.map((id) => `${id}\n`).join(''))
  }
}

// Several calls at a time, so that there are groups.
for (let index = 0; index < 3; index++) void write()
