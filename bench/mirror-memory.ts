/**
 * What a mirror's table of millions costs besides the look-ups: memory, full collections of garbage, and the
 * longest time that adding one entry takes, against a Map of as many:
 * `node --expose-gc --import tsx bench/mirror-memory.ts [--quick]`
 */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Revocation } from '../src/revocation/revocation.js'
import { RevocationTable } from '../src/revocation/table/revocation-table.js'
import { collectGarbage, heading, isQuick, median, milliseconds, report, reportRatio } from './measure.js'

const most = isQuick ? 1_200_000 : 5_000_000
const from = 1_000_000
const step = 100_000

const poolId = 'us-east-1_AbCdEfGhI'
const now = 1_750_000_000

type Scope = 'session' | 'user'
/** What grows, in a process of its own: memory given back to the allocator is not always given back by it. */
const kinds = ['session', 'user', 'map'] as const
type Kind = (typeof kinds)[number]

interface Figures {
  /** The most at any size, in bytes an entry. */
  readonly heapBytes: number
  readonly residentBytes: number
  /** Full collections of garbage, in milliseconds. */
  readonly emptyGc: number
  readonly fullGc: number
  /** The longest time of one addition, in milliseconds: where others use the machine, the time they took. */
  readonly longestAdd: number
  /** The median of those that took over a tenth of one, by which a table moves entries. */
  readonly movingAdd: number
}

function record(scope: Scope): Revocation {
  // As one string, not as the parts that it was put together from: a Map would hold on to them.
  const id = Buffer.from(randomUUID()).toString('latin1')
  const expiresAt = now + 86_400
  return scope === 'user' ? { poolId, scope, id, cutoff: now, expiresAt } : { poolId, scope, id, expiresAt }
}

/** Something to add to. */
function empty(kind: Kind): (revocation: Revocation) => void {
  if (kind === 'map') {
    const map = new Map<string, Revocation>()
    return (revocation) => map.set(revocation.id, revocation)
  }
  const table = new RevocationTable({ maxEntries: most })
  return (revocation) => table.apply(revocation, 0, now)
}

function gcTime(): number {
  return median(Array.from({ length: 5 }, () => milliseconds(collectGarbage)))
}

function memory(): { heap: number; resident: number } {
  collectGarbage()
  const { arrayBuffers, heapUsed, rss } = process.memoryUsage()
  return { heap: arrayBuffers + heapUsed, resident: rss }
}

/** Lets the engine get its memory and compile its code, none of which is the table's. */
function warmUp(kind: Kind, scope: Scope): void {
  const add = empty(kind)
  for (let index = 0; index < step; index++) add(record(scope))
}

function measure(kind: Kind): Figures {
  const scope = kind === 'map' ? 'session' : kind
  warmUp(kind, scope)
  const emptyGc = gcTime()
  const before = memory()
  const add = empty(kind)
  const movingAdds: number[] = []
  let [heapBytes, residentBytes] = [0, 0]
  for (let size = 1; size <= most; size++) {
    const revocation = record(scope)
    const start = performance.now()
    add(revocation)
    const time = performance.now() - start
    if (time > 0.1) movingAdds.push(time)
    // A collection takes a Map of millions a second.
    if (size % step !== 0 || size < from || (kind === 'map' && size < most)) continue
    const { heap, resident } = memory()
    heapBytes = Math.max(heapBytes, (heap - before.heap) / size)
    residentBytes = Math.max(residentBytes, (resident - before.resident) / size)
  }
  const fullGc = gcTime()
  // Still in use, so that it was there to be collected.
  add(record(scope))
  const longestAdd = Math.max(...movingAdds)
  return { heapBytes, residentBytes, emptyGc, fullGc, longestAdd, movingAdd: median(movingAdds) }
}

const only = kinds.find((kind) => process.argv.includes(kind))
if (only === undefined) {
  const figures = Object.fromEntries(kinds.map((kind) => [kind, measureApart(kind)])) as Record<Kind, Figures>
  const range = `${from / 1e6} to ${most / 1e6} million entries`
  const { session, user, map } = figures
  heading(`Memory, the most at any of ${(most - from) / step + 1} sizes from ${range}`)
  report('sessions: heap and buffers', session.heapBytes, 'B each', 70)
  report('sessions: resident', session.residentBytes, 'B each', 70)
  report('users with cutoffs: heap and buffers', user.heapBytes, 'B each', 70)
  report('users with cutoffs: resident', user.residentBytes, 'B each', 70)
  report(`a Map of objects, of ${most / 1e6} million: heap`, map.heapBytes, 'B each')
  heading(`A full collection of garbage at ${most / 1e6} million entries, over one of an empty heap`)
  report('sessions', session.fullGc - session.emptyGc, 'ms', 15)
  report('users with cutoffs', user.fullGc - user.emptyGc, 'ms', 15)
  report('a Map of objects', map.fullGc - map.emptyGc, 'ms')
  heading(`One addition, growing to ${most / 1e6} million: when it moves entries, and the longest of all`)
  report('sessions: median of those that move entries', session.movingAdd, 'ms', 2)
  report('users with cutoffs: median of those', user.movingAdd, 'ms', 2)
  reportRatio('sessions: longest, against a Map', [session.longestAdd, map.longestAdd], 'ms')
  reportRatio('users with cutoffs: longest', [user.longestAdd, map.longestAdd], 'ms')
} else console.log(JSON.stringify(measure(only)))

function measureApart(kind: Kind): Figures {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), kind, ...process.argv.slice(2)]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
}
