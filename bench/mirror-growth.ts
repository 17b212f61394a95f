/**
 * How a mirror grows, from ten thousand revocations to ten million, against a Map of each scope: how long a look-up
 * takes, how much memory that needs, and how long a new mirror takes to catch up. With --save it draws a chart.
 * `node --expose-gc --import tsx bench/mirror-growth.ts [--quick] [--save]`
 */
import { freemem } from 'node:os'
import type { Series } from './chart/panel.js'
import { FilledRedis } from './growth/filled-redis.js'
import type { CatchUp, GrowthTasks, LookUps, Memory } from './growth/mirror.js'
import { saveChart } from './growth/saved-chart.js'
import { heading, isQuick, median, report, reportRatio } from './measure.js'
import { Helper } from './redis/processes.js'
import { withRedis } from './redis/server.js'

const sizes = isQuick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000, 10_000_000]
const rounds = isQuick ? 11 : 31
/** Below, the memory of the process as such, which comes and goes, is more than the mirror's. */
const residentFrom = 1_000_000
/** Of the largest size Maps and Redis need about 2 GB each: where that is not free, they end a size before. */
const largestSize = 10_000_000
const besideUpTo = freemem() > 8e9 ? largestSize : largestSize / 10
const fillWithinMs = 150_000
/** Ten million of anything may take longer on a machine that does much else. */
const withinMs = 240_000

interface Grown {
  readonly size: number
  readonly mirror: Memory
  readonly catchUp: CatchUp
  readonly maps: Memory | undefined
  readonly lookUps: LookUps
}

/** In a process of its own: memory given back to the allocator is not always given back by it. */
async function apart<T>(run: (helper: Helper<GrowthTasks>) => Promise<T>): Promise<T> {
  const helper = new Helper<GrowthTasks>(new URL('./growth/mirror.ts', import.meta.url), [
    '--max-old-space-size=6144',
  ])
  try {
    return await run(helper)
  } finally {
    helper.end()
  }
}

const generate = (size: number) => (helper: Helper<GrowthTasks>) => helper.ask('generate', size, withinMs)

async function grow(size: number): Promise<Grown> {
  const first = await apart(async (helper) => {
    const mirror = await generate(size)(helper)
    const maps = size <= besideUpTo ? await helper.ask('fillMaps', size, withinMs) : undefined
    return { mirror, maps, lookUps: await helper.ask('lookUp', { size, rounds }, withinMs) }
  })
  const catchUps: CatchUp[] = [first.mirror]
  while (catchUps.length < catchUpsOf(size)) catchUps.push(await apart(generate(size)))
  return { size, ...first, catchUp: summedUp(catchUps) }
}

/** One that does not count, to compile what will be compiled; but none of the largest, which takes so long. */
function load(redis: FilledRedis): Promise<CatchUp> {
  const { place } = redis
  return apart(async (helper) => {
    const ask = () => helper.ask('loadRedis', place, withinMs)
    if (place.size < largestSize) await ask()
    const catchUps: CatchUp[] = []
    while (catchUps.length < catchUpsOf(place.size)) catchUps.push(await ask())
    return summedUp(catchUps)
  })
}

function catchUpsOf(size: number): number {
  return size < largestSize ? 3 : 1
}

function summedUp(catchUps: readonly CatchUp[]): CatchUp {
  return {
    ms: median(catchUps.map(({ ms }) => ms)),
    longestBusyMs: Math.max(...catchUps.map(({ longestBusyMs }) => longestBusyMs)),
  }
}

function tellCatchUp(size: number, { ms, longestBusyMs }: CatchUp): void {
  report(`${inWords(size)} revocations`, ms, 'ms')
  report(`  loop held up by its own computing, longest, ${inWords(size)}`, longestBusyMs, 'ms')
}

const inWords = (size: number) => size.toLocaleString('en')
const grown: Grown[] = []
for (const size of sizes) grown.push(await grow(size))
if (besideUpTo < (sizes.at(-1) ?? 0))
  console.log(`\nToo little memory is free for a Map of more than ${inWords(besideUpTo)}`)

heading("Look-ups by a token's five keys in a mirror, against five Map.gets")
for (const { size, lookUps } of grown) {
  const tell = (name: string, ours: number, theirs: number | undefined) => {
    if (theirs === undefined) report(`${name}, ${inWords(size)}`, ours, 'ns')
    else reportRatio(`${name}, ${inWords(size)}`, [ours, theirs], 'ns')
  }
  tell('not revoked', lookUps.mirrorMiss, lookUps.mapsMiss)
  tell('session revoked', lookUps.mirrorHit, lookUps.mapsHit)
}

heading("A mirror's memory, against Maps of objects")
for (const { size, mirror, maps } of grown) {
  const tell = (name: string, figure: keyof Memory) => {
    const label = `${name}, ${inWords(size)}`
    const [ours, theirs] = [mirror[figure], maps?.[figure]]
    if (theirs === undefined) report(label, ours / size, 'B each')
    else reportRatio(label, [ours / size, theirs / size], 'B each')
    report(`  ${name} in all, ${inWords(size)}`, ours / 1e6, 'MB')
  }
  tell('heap and buffers', 'heapBytes')
  if (size >= residentFrom) tell('resident', 'residentBytes')
}

heading("Until a new mirror is ready, without the store's own time")
for (const { size, catchUp } of grown) tellCatchUp(size, catchUp)

const loaded: { readonly size: number; readonly loading: CatchUp }[] = []
await withRedis(async (server) => {
  heading('Until a new mirror is ready, from Redis')
  const redis = new FilledRedis(server)
  for (const size of sizes.filter((each) => each <= besideUpTo)) {
    if (!(await redis.fill(size, fillWithinMs))) {
      console.log(`  Redis was not filled with ${inWords(size)} in time`)
      break
    }
    const loading = await load(redis)
    loaded.push({ size, loading })
    tellCatchUp(size, loading)
    report(`  Redis's own memory, resident, ${inWords(size)}`, (await redis.residentBytes()) / 1e6, 'MB')
  }
  if (besideUpTo < (sizes.at(-1) ?? 0))
    console.log(`  Too little memory is free for more than ${inWords(besideUpTo)}`)
})

/** What there is of it: without Redis, or a Map of ten million, there are no points. */
function series(name: string, of: (each: Grown) => number | undefined): Series {
  const points = grown.flatMap((each): [number, number][] => {
    const value = of(each)
    return value === undefined ? [] : [[each.size, value]]
  })
  return { name, points }
}

const revocations = { xLabel: 'revocations' }
saveChart('mirror-growth', 'How a mirror grows', [
  {
    ...revocations,
    title: "Look-up of a token's five keys",
    yLabel: 'nanoseconds',
    yScale: 'linear',
    series: [
      series('mirror, not revoked', ({ lookUps }) => lookUps.mirrorMiss),
      series('mirror, session revoked', ({ lookUps }) => lookUps.mirrorHit),
      series('five Maps, not revoked', ({ lookUps }) => lookUps.mapsMiss),
      series('five Maps, session revoked', ({ lookUps }) => lookUps.mapsHit),
    ],
  },
  {
    ...revocations,
    title: 'Memory of an entry',
    yLabel: 'bytes',
    yScale: 'linear',
    series: [
      series('mirror, heap and buffers', ({ size, mirror }) => mirror.heapBytes / size),
      series('mirror, resident', ({ size, mirror }) =>
        size < residentFrom ? undefined : Math.max(0, mirror.residentBytes / size),
      ),
      series('Maps of objects, heap', ({ size, maps }) => maps && maps.heapBytes / size),
    ],
  },
  {
    ...revocations,
    title: 'Memory in all',
    yLabel: 'MB',
    yScale: 'logarithmic',
    series: [
      series('mirror, heap and buffers', ({ mirror }) => mirror.heapBytes / 1e6),
      series('Maps of objects, heap', ({ maps }) => maps && maps.heapBytes / 1e6),
    ],
  },
  {
    ...revocations,
    title: 'Until a new mirror is ready',
    yLabel: 'milliseconds',
    yScale: 'logarithmic',
    series: [
      { name: 'from Redis', points: loaded.map(({ size, loading }) => [size, loading.ms]) },
      series("without the store's own time", ({ catchUp }) => catchUp.ms),
    ],
  },
])
