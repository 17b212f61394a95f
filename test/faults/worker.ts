import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { CognitoRevocationError, TokenVerifier } from '../../src/index.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { sharedClock } from './history.js'
import type { FromWorker, ToWorker, WorkerSettings, WorkerStatus, WorkerTask } from './protocol.js'
import { setWallClock } from './wall-clock.js'
import { createLookUp, wrapStore } from './worker-stores.js'

/** One member of a fleet: verifies all tokens again and again, and does what it is told meanwhile. */

const TICK_MS = 20
const REPORT_EVERY_MS = 50
/** Of one token: enough to go on at the same pace while each call hangs until its deadline, half a second. */
const MAX_PENDING = 30
const STALL_MS = 500

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '')
const { maxStalenessMs, heartbeatMs, commandTimeoutMs, feedLength, tokens } = settings

const client = createRedisClient()
const redis = new RedisRevocationStore({
  ...{ client, namespace: settings.namespace, heartbeatMs, commandTimeoutMs },
  ...(feedLength !== undefined && { feedLength }),
})
const store = wrapStore(redis, settings.store)
const { mirror, lookUp } = createLookUp(store, settings.lookUp, maxStalenessMs)
const verifier = new TokenVerifier({
  userPoolId: settings.userPoolId,
  clientId: settings.clientId,
  tokenUse: 'access',
  revocation: lookUp,
  // No server is there: whatever happens, no keys are fetched.
  jwksUri: 'http://127.0.0.1:9/jwks.json',
})
verifier.cacheJwks({ keys: settings.jwks.keys.map((key) => ({ ...key })) })

function createRedisClient() {
  const address = { host: '127.0.0.1', port: settings.port }
  if (settings.client === 'ioredis') return new Redis(address).on('error', () => {})
  const nodeRedis = createClient({ socket: address }).on('error', () => {})
  void nodeRedis.connect()
  return nodeRedis
}

let calls: [number, number, number, string][] = []
let stalls: [number, number][] = []
const pending = tokens.map(() => 0)
let lastTick = sharedClock()

const load = setInterval(() => {
  const now = sharedClock()
  if (now - lastTick > STALL_MS) stalls.push([lastTick, now])
  lastTick = now
  for (const [index, token] of tokens.entries()) {
    if ((pending[index] as number) < MAX_PENDING) void judge(index, token)
  }
}, TICK_MS)

async function judge(index: number, token: string): Promise<void> {
  pending[index] = (pending[index] as number) + 1
  const start = sharedClock()
  let verdict = 'accepted'
  try {
    await verifier.verify(token)
  } catch (error) {
    verdict = error instanceof CognitoRevocationError ? error.code : String(error)
  }
  calls.push([index, start, sharedClock(), verdict])
  pending[index] = (pending[index] as number) - 1
}

function pendingCalls(): number {
  return pending.reduce((sum, count) => sum + count)
}

function send(message: FromWorker): void {
  process.send?.(message)
}

function report(): void {
  if (calls.length === 0 && stalls.length === 0) return
  send({ type: 'calls', calls, stalls })
  calls = []
  stalls = []
}

async function perform(task: WorkerTask): Promise<unknown> {
  switch (task.type) {
    case 'add': {
      await lookUp.add(task.records.map(([, record]) => record))
      const at = sharedClock()
      send({ type: 'acknowledged', tokens: task.records.map(([token]) => token), at })
      if (task.thenDie) process.kill(process.pid, 'SIGKILL')
      return undefined
    }
    case 'status': {
      const stalenessMs = mirror.staleness()
      const status: WorkerStatus = {
        size: mirror.size,
        stalenessMs: Number.isFinite(stalenessMs) ? stalenessMs : null,
        pendingCalls: pendingCalls(),
      }
      return status
    }
    case 'set wall clock':
      return setWallClock(task.msAhead)
    case 'stop load':
      clearInterval(load)
      while (pendingCalls() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      return report()
  }
}

setInterval(report, REPORT_EVERY_MS)
process.on('message', ({ id, task }: ToWorker) => {
  perform(task).then(
    (value) => send({ type: 'answer', id, value }),
    (error) => send({ type: 'answer', id, error: String(error) }),
  )
})
// The parent is gone.
process.on('disconnect', () => process.exit(0))
send({ type: 'started' })
