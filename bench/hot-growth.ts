/**
 * How verifying tokens that were seen before goes with the number of sessions, against fast-jwt with a cache of the
 * same size and one look-up in a Map by the token; and what becomes of it when there are more sessions than the
 * cache has room for. With --save it draws a chart.
 * `node --expose-gc --import tsx bench/hot-growth.ts [--quick] [--save]`
 */
import { randomInt } from 'node:crypto'
import { TokenRevokedError } from '../src/errors.js'
import { RevocationMirror } from '../src/revocation/mirror.js'
import { TokenVerifier } from '../src/verifier.js'
import { mintMany } from './growth/minted-tokens.js'
import { GeneratedStore } from './growth/numbered-revocations.js'
import { saveChart } from './growth/saved-chart.js'
import {
  collectGarbage,
  collectYoung,
  heading,
  interleave,
  isQuick,
  nanosecondsEach,
  report,
  reportRatio,
  reportSpeed,
} from './measure.js'
import { createFastJwt, type VerifySync } from './verifiers/candidates.js'
import { pool } from './verifiers/tokens.js'

const sizes = isQuick ? [1, 10, 100, 1_000] : [1, 10, 100, 1_000, 10_000, 100_000]
const largest = sizes.at(-1) as number
const entries = isQuick ? 100_000 : 1_000_000
const verifications = 2_000
const rounds = isQuick ? 5 : 21
const warmUps = 10
/** From so many sessions on, their memory is more than what comes and goes. */
const memoryFrom = 1_000

/** The default. */
const cacheSize = isQuick ? 500 : 10_000
const overfull = [0.5, 1, 1.1, 1.5, 2, 5].map((times) => times * cacheSize)
const overfullVerifications = 1_000
const overfullRounds = isQuick ? 3 : 9

const inWords = (size: number) => size.toLocaleString('en')
const { issuer, tokens } = await mintMany(Math.max(largest, ...overfull))
const longestMs = 3_600_000
const store = new GeneratedStore(entries)
const mirror = new RevocationMirror(store, { maxStalenessMs: longestMs, readyTimeoutMs: longestMs })
await mirror.ready()

function createOurs(maxCachedTokens: number): TokenVerifier<'access'> {
  const verifier = new TokenVerifier({ ...pool, tokenUse: 'access', revocation: mirror, maxCachedTokens })
  verifier.cacheJwks(issuer.jwks)
  return verifier
}

/** Microseconds each, of strings that were never seen before; and that all of them were let in. */
function timed(indexes: readonly number[], verify: VerifySync): number {
  const strings = indexes.map((index) => tokens.at(index))
  // Out of the young generation, whose collection is not measured.
  collectYoung()
  collectYoung()
  let good = 0
  const time = nanosecondsEach(strings.length, () => {
    for (const token of strings) if (verify(token) !== undefined) good += 1
  })
  if (good !== strings.length) throw new Error(`${good} of ${strings.length} were let in`)
  return time / 1_000
}

function heap(): number {
  collectGarbage()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

const byChance = (size: number) => Array.from({ length: verifications }, () => randomInt(size))
const perSecond = (microseconds: number) => 1e6 / microseconds

interface Hot {
  readonly size: number
  readonly ours: number
  readonly fastJwt: number
  readonly map: number
  readonly heapBytes: number
}

/** They fill their caches with more and more. */
function measureHot(): Hot[] {
  const verifier = createOurs(largest)
  const fastJwt = createFastJwt(issuer, { cache: largest })
  const map = new Map<string, unknown>()
  const verify: VerifySync = (token) => verifier.verifySync(token)
  const inMap: VerifySync = (token) => map.get(token)
  const measured: Hot[] = []
  let [seen, heapBytes] = [0, 0]
  for (const size of sizes) {
    const before = heap()
    for (let index = seen; index < size; index++) verify(tokens.at(index))
    heapBytes += heap() - before
    for (let index = seen; index < size; index++) map.set(tokens.at(index), fastJwt(tokens.at(index)))
    seen = size
    const runs = {
      ours: () => timed(byChance(size), verify),
      fastJwt: () => timed(byChance(size), fastJwt),
      map: () => timed(byChance(size), inMap),
    }
    // The engine compiles what runs often: that is not the first size's.
    if (size === sizes[0]) interleave(runs, { rounds: warmUps })
    const times = interleave(runs, { rounds })
    measured.push({ size, ...times, heapBytes })
  }
  return measured
}

interface Overfull {
  readonly size: number
  readonly cyclic: number
  readonly chance: number
  readonly without: number
}

function measureOverfull(size: number): Overfull {
  const [cyclic, chance, without] = [createOurs(cacheSize), createOurs(cacheSize), createOurs(0)]
  let next = 0
  const inTurn = () => Array.from({ length: overfullVerifications }, () => next++ % size)
  const random = () => Array.from({ length: overfullVerifications }, () => randomInt(size))
  for (let index = 0; index < size; index++) {
    cyclic.verifySync(tokens.at(index))
    chance.verifySync(tokens.at(index))
  }
  const times = interleave(
    {
      cyclic: () => timed(inTurn(), (token) => cyclic.verifySync(token)),
      chance: () => timed(random(), (token) => chance.verifySync(token)),
      without: () => timed(random(), (token) => without.verifySync(token)),
    },
    { rounds: overfullRounds },
  )
  return { size, ...times }
}

/** What was measured asked the mirror each time: it refuses a session from its revocation on. */
async function assertRevocable(): Promise<void> {
  const verifier = createOurs(1)
  const { origin_jti: id, exp: expiresAt } = verifier.verifySync(tokens.at(0))
  await mirror.add([{ poolId: pool.userPoolId, scope: 'session', id: String(id), expiresAt }])
  try {
    verifier.verifySync(tokens.at(0))
  } catch (error) {
    if (error instanceof TokenRevokedError) return
    throw error
  }
  throw new Error('A token whose session is revoked was let in')
}

const hot = measureHot()
heading(`Tokens seen before, of so many sessions by chance, with a mirror of ${inWords(entries)}`)
for (const { size, ours, fastJwt, map } of hot) {
  reportRatio(`${inWords(size)}, of one Map.get by the token`, [ours, map], 'µs')
  reportSpeed(`${inWords(size)}, against fast-jwt's cache`, [ours, fastJwt], 'µs')
  report(`  ${inWords(size)}, verified each second`, perSecond(ours), '/s')
}
heading('Memory of the token cache')
for (const { size, heapBytes } of hot) {
  if (size >= memoryFrom) report(`${inWords(size)} sessions`, heapBytes / size, 'B each')
}

const overfullTimes = overfull.map(measureOverfull)
heading(`More sessions than the cache has room for, which is ${inWords(cacheSize)}, against no cache`)
for (const { size, cyclic, chance, without } of overfullTimes) {
  reportRatio(`${inWords(size)} sessions by chance`, [chance, without], 'µs')
  reportRatio(`${inWords(size)} sessions, one after the other`, [cyclic, without], 'µs')
}
await assertRevocable()
await mirror.close()

const sessions = { xLabel: 'sessions', yLabel: 'verified each second' }
const throughput = <T extends { readonly size: number }>(list: readonly T[], of: (each: T) => number) =>
  list.map((each): [number, number] => [each.size, perSecond(of(each))])
saveChart('hot-growth', 'Verifying tokens that were seen before, by the number of sessions', [
  {
    ...sessions,
    title: 'All sessions in the cache',
    yScale: 'linear',
    series: [
      { name: `verifySync, a mirror of ${inWords(entries)}`, points: throughput(hot, (each) => each.ours) },
      { name: 'one Map.get by the token', points: throughput(hot, (each) => each.map) },
      { name: "fast-jwt's cache", points: throughput(hot, (each) => each.fastJwt) },
    ],
  },
  {
    ...sessions,
    title: `A cache with room for ${inWords(cacheSize)}`,
    yScale: 'logarithmic',
    series: [
      { name: 'verifySync, sessions by chance', points: throughput(overfullTimes, (each) => each.chance) },
      { name: 'one after the other', points: throughput(overfullTimes, (each) => each.cyclic) },
      { name: 'without a cache', points: throughput(overfullTimes, (each) => each.without) },
    ],
  },
])
