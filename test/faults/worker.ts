import { CognitoRevocationError, TokenVerifier } from '../../src/index.js'
import { sharedClock } from './history.js'
import type { FromWorker, ToWorker, WorkerSettings, WorkerStatus, WorkerTask } from './protocol.js'
import { setWallClock } from './wall-clock.js'
import { createLookUp, createStore, wrapStore } from './worker-stores.js'

/** One member of a fleet: verifies all tokens again and again, and does what it is told meanwhile. */

const REPORT_EVERY_MS = 50
/** Of one token: enough to go on at the same pace while each call hangs until its deadline, half a second. */
const MAX_PENDING = 30
const STALL_MS = 500

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '')
const { maxStalenessMs, tokens } = settings

const store = wrapStore(createStore(settings), settings.store)
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
}, settings.tickMs)

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
