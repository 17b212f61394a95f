/**
 * How long it takes from a revocation in one process until a mirror in another refuses, by one file:
 * `node --import tsx bench/file-propagation.ts [--quick]`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { RevocationMirror } from '../src/revocation/mirror.js'
import { FileRevocationStore } from '../src/stores/file/index.js'
import { heading, isQuick, median, report } from './measure.js'
import { sharedClock } from './redis/arrivals.js'

const count = isQuick ? 50 : 400
const pollIntervalMs = 50
const poolId = 'us-east-1_AbCdEfGhI'

const folder = mkdtempSync(join(tmpdir(), 'file-propagation-'))
const path = join(folder, 'revocations.db')
const store = new FileRevocationStore({ path, pollIntervalMs })
const mirror = new RevocationMirror(store)
await mirror.ready()
const writer = fork(new URL('./file/writer.ts', import.meta.url))
writer.send({ path, poolId })
await once(writer, 'message')
const sinceSent: number[] = []
const commits: number[] = []
for (let index = 0; index < count; index++) {
  const originJti = `session ${index}`
  writer.send({ id: originJti })
  while (mirror.findSync({ poolId, originJti, sub: 's', clientId: 'c', iat: 1 }) === undefined) await delay(1)
  const refusedAt = sharedClock()
  const [{ sentAt, acknowledgedAt }] = await once(writer, 'message')
  sinceSent.push((refusedAt - sentAt) / 1_000)
  commits.push((acknowledgedAt - sentAt) / 1_000)
  await delay(Math.random() * 20)
}
heading(
  `From the add in one process until the mirror in another refuses, which polls every ${pollIntervalMs} ms`,
)
report('add until it is acknowledged: median', median(commits), 'ms')
report('add until it is refused: median', median(sinceSent), 'ms', pollIntervalMs)
report('add until it is refused: longest', Math.max(...sinceSent), 'ms')
writer.kill()
await mirror.close()
await store.close()
rmSync(folder, { recursive: true })
