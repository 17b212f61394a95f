import { RevocationMirror } from '../../src/revocation/mirror.js'
import { HttpRevocationStore } from '../../src/stores/http/index.js'

/** A script that follows a service's feed, asks once, and closes nothing. */

export interface HttpIdleSettings {
  readonly url: string
  readonly key: string
}

const settings: HttpIdleSettings = JSON.parse(process.argv[2] ?? '')

void main()

async function main(): Promise<void> {
  const store = new HttpRevocationStore({ ...settings, timeoutMs: 5_000 })
  const mirror = new RevocationMirror(store)
  await mirror.ready()
  const token = { poolId: 'us-east-1_A', sub: 'sub', clientId: 'client', iat: 1 }
  if ((await store.find(token)) === undefined) process.send?.('ready')
  // As long as the test takes to do something to the network.
  await new Promise((resolve) => process.once('message', resolve))
}
