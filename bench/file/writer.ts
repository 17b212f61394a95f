/** A process of `file-propagation`: it adds what it is told to, and says when. */
import { FileRevocationStore } from '../../src/stores/file/index.js'
import { sharedClock } from '../redis/arrivals.js'

let store: FileRevocationStore
let pool = ''

process.on('message', async ({ path, poolId, id }: { path?: string; poolId?: string; id?: string }) => {
  if (path !== undefined && poolId !== undefined) {
    store = new FileRevocationStore({ path })
    pool = poolId
    await store.ready()
    process.send?.('ready')
  }
  if (id === undefined) return
  const sentAt = sharedClock()
  await store.add([{ poolId: pool, scope: 'session', id, expiresAt: Math.floor(Date.now() / 1000) + 3_600 }])
  process.send?.({ sentAt, acknowledgedAt: sharedClock() })
})
process.once('disconnect', () => process.exit())
