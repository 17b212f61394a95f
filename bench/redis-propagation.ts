/**
 * How long it takes from a revocation in one process until three others refuse, against the entries of a bare
 * stream, which the same processes read with XREAD BLOCK:
 * `node --expose-gc --import tsx bench/redis-propagation.ts [--quick]`
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { RedisServer } from '../test/support/redis-server.js'
import { heading, isQuick, median, report, reportRatio } from './measure.js'
import type { Place } from './redis/place.js'
import { Helper } from './redis/processes.js'
import { withRedis } from './redis/server.js'
import { takeTurns } from './redis/turns.js'
import type { Series, Written } from './redis/writer.js'

const rounds = isQuick ? 3 : 15
const burstRounds = isQuick ? 2 : 9
/** The load that is there all the time: so many revocations, and look-ups in each reader, every 10 ms. */
const loadEvery10Ms = { revocations: 3, lookUps: 20 }
const series: Series = { count: 200, pauseMs: 5 }
const burst = 5_000

type WriterTask = 'revoke' | 'append'
type BurstTask = 'revokeAtOnce' | 'revokeConcurrently' | 'appendAtOnce' | 'appendConcurrently'
type Writer = {
  start(place: Place): Promise<void>
  load(count: number): void
} & Record<WriterTask, (options: Series) => Promise<Written>> &
  Record<BurstTask, (count: number) => Promise<Written>>
type Reader = {
  start(place: Place): Promise<void>
  lookUp(count: number): void
} & Record<'inMirror' | 'inStream', (ids: readonly string[]) => Promise<number[]>>

/** Milliseconds, from one moment to another, of each entry in each reader. */
interface Round {
  readonly sinceSent: { readonly p50: number; readonly p99: number }
  readonly sinceAcknowledged: { readonly p50: number; readonly p99: number }
}

class Scene {
  readonly #writer: Helper<Writer>
  readonly #readers: readonly Helper<Reader>[]

  constructor() {
    this.#writer = new Helper(new URL('./redis/writer.ts', import.meta.url))
    const reader = new URL('./redis/reader.ts', import.meta.url)
    this.#readers = [new Helper(reader), new Helper(reader), new Helper(reader)]
  }

  async start(server: RedisServer): Promise<void> {
    const place: Place = { port: server.port, namespace: 'propagation', stream: 'bare' }
    await this.#writer.ask('start', place)
    await Promise.all(this.#readers.map((reader) => reader.ask('start', place)))
    await this.#writer.ask('load', loadEvery10Ms.revocations)
    await Promise.all(this.#readers.map((reader) => reader.ask('lookUp', loadEvery10Ms.lookUps)))
    await delay(1_000)
  }

  /** One by one. */
  async series(write: WriterTask, read: 'inMirror' | 'inStream'): Promise<Round> {
    const written = await this.#writer.ask(write, series)
    const arrivals = await this.#arrivals(read, written)
    const since = (moments: readonly number[]) => {
      const times = arrivals.flatMap((at) => at.map((time, index) => (time - (moments[index] ?? 0)) / 1_000))
      return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
    }
    return { sinceSent: since(written.sentAt), sinceAcknowledged: since(written.acknowledgedAt) }
  }

  /** Many at once: milliseconds from sending them until the last one is in all readers. */
  async burst(write: BurstTask, read: 'inMirror' | 'inStream'): Promise<number> {
    const written = await this.#writer.ask(write, burst)
    const arrivals = await this.#arrivals(read, written)
    // What it leaves behind is not the next one's.
    await delay(200)
    return (Math.max(...arrivals.flat()) - (written.sentAt[0] ?? 0)) / 1_000
  }

  end(): void {
    for (const helper of [this.#writer, ...this.#readers]) helper.end()
  }

  /** When each arrived, in each reader. @throws if one is lost */
  #arrivals(read: 'inMirror' | 'inStream', { ids }: Written): Promise<number[][]> {
    return Promise.all(this.#readers.map((reader) => reader.ask(read, ids)))
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

async function oneByOne(scene: Scene): Promise<void> {
  const { revocations, lookUps } = loadEvery10Ms
  heading(
    `From a revocation in one process to its refusal in each of three others, against a bare XADD and XREAD BLOCK ` +
      `(with ${revocations * 100} other revocations, and ${lookUps * 100} look-ups in each process, a second)`,
  )
  const { ours, bare } = await takeTurns(
    {
      ours: () => scene.series('revoke', 'inMirror'),
      bare: () => scene.series('append', 'inStream'),
    },
    { rounds, warmUps: 2 },
  )
  const of = (list: readonly Round[], since: keyof Round, share: 'p50' | 'p99') =>
    median(list.map((round) => round[since][share]))
  const both = (since: keyof Round, share: 'p50' | 'p99') =>
    [of(ours, since, share), of(bare, since, share)] as const
  console.log('  Since it was sent: this is what is compared')
  reportRatio('half of them within', both('sinceSent', 'p50'), 'ms', 2)
  reportRatio('99 of 100 within', both('sinceSent', 'p99'), 'ms', 3)
  console.log('  Since it was acknowledged; negative where it arrived before that')
  for (const share of ['p50', 'p99'] as const) {
    const [own, reference] = both('sinceAcknowledged', share)
    const name = share === 'p50' ? 'half of them within' : '99 of 100 within'
    report(name, own, 'ms')
    report(`${name}, of the bare one`, reference, 'ms')
  }
}

async function atOnce(scene: Scene): Promise<void> {
  heading(`${burst.toLocaleString('en')} revocations at once, until three processes refuse all, none lost`)
  const of = await takeTurns(
    {
      revokeAtOnce: () => scene.burst('revokeAtOnce', 'inMirror'),
      appendAtOnce: () => scene.burst('appendAtOnce', 'inStream'),
      revokeConcurrently: () => scene.burst('revokeConcurrently', 'inMirror'),
      appendConcurrently: () => scene.burst('appendConcurrently', 'inStream'),
    },
    { rounds: burstRounds, warmUps: 2 },
  )
  reportRatio('in one call, against a pipeline', [median(of.revokeAtOnce), median(of.appendAtOnce)], 'ms', 3)
  reportRatio(
    'in as many calls, against as many XADDs',
    [median(of.revokeConcurrently), median(of.appendConcurrently)],
    'ms',
    3,
  )
}

await withRedis(async (server) => {
  const scene = new Scene()
  try {
    await scene.start(server)
    await oneByOne(scene)
    await atOnce(scene)
  } finally {
    scene.end()
  }
})
