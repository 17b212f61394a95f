/**
 * How long it takes from a revocation through a service until a mirror refuses, against a bare POST to a server that
 * writes it to a bare stream of events: `node --expose-gc --import tsx bench/http-propagation.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { get } from 'node:http'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { RevocationMirror } from '../src/revocation/mirror.js'
import { HttpRevocationStore } from '../src/stores/http/index.js'
import { post } from './http/bare-client.js'
import { KEY, type Places, poolId } from './http/place.js'
import { heading, isQuick, median, reportRatio } from './measure.js'
import { Helper } from './redis/processes.js'
import { takeTurns } from './redis/turns.js'

const rounds = isQuick ? 3 : 11
const each = isQuick ? 30 : 150
const burst = 5_000
const now = Math.floor(Date.now() / 1000)

type Server = { start(sessions: readonly string[]): Promise<Places> }

const arrived = new Set<string>()

async function readBare(bareUrl: string): Promise<void> {
  const parser = createParser({
    onEvent: ({ data }) => {
      for (const id of JSON.parse(data) as string[]) arrived.add(id)
    },
  })
  await new Promise<void>((resolve) => {
    get(`${bareUrl}/events`, { agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => parser.feed(text))
      resolve()
    })
  })
}

const server = new Helper<Server>(new URL('./http/server.ts', import.meta.url))
try {
  const { url, bareUrl } = await server.ask('start', [])
  const writer = new HttpRevocationStore({ url, key: KEY, timeoutMs: 20_000 })
  const reader = new HttpRevocationStore({ url, key: KEY })
  const mirror = new RevocationMirror(reader)
  await mirror.ready()
  await readBare(bareUrl)

  const isRefused = (originJti: string) =>
    mirror.findSync({ poolId, originJti, sub: 'sub', clientId: 'client', iat: now }) !== undefined
  const revoke = (ids: readonly string[]) =>
    writer.add(ids.map((id) => ({ poolId, scope: 'session', id, expiresAt: now + 3_600 })))
  const append = (ids: readonly string[]) => post(`${bareUrl}/add`, { ids })

  /** Milliseconds from sending until all are there. */
  const time = async (
    ids: readonly string[],
    send: (ids: readonly string[]) => Promise<unknown>,
    isThere: (id: string) => boolean,
  ) => {
    const sentAt = performance.now()
    const sent = send(ids)
    const last = ids.at(-1) as string
    while (!isThere(last)) await nextTurn()
    const took = performance.now() - sentAt
    await sent
    if (!ids.every(isThere)) throw new Error('something is lost')
    return took
  }
  const series = async (send: typeof revoke | typeof append, isThere: (id: string) => boolean) => {
    const times: number[] = []
    for (let index = 0; index < each; index++) {
      await delay(Math.random() * 4)
      times.push(await time([randomUUID()], send, isThere))
    }
    times.sort((a, b) => a - b)
    return { p50: median(times), p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN }
  }
  const many = () => Array.from({ length: burst }, () => randomUUID())

  heading(
    'From a revocation through a service until a mirror refuses, against a bare POST and a bare stream of events',
  )
  const { ours, bare } = await takeTurns(
    { ours: () => series(revoke, isRefused), bare: () => series(append, (id) => arrived.has(id)) },
    { rounds, warmUps: 2 },
  )
  for (const [share, name, atMost] of [
    ['p50', 'half of them within', undefined],
    ['p99', '99 of 100 within', 3],
  ] as const) {
    const of = (list: readonly { p50: number; p99: number }[]) => median(list.map((round) => round[share]))
    reportRatio(name, [of(ours), of(bare)], 'ms', atMost)
  }
  const bursts = await takeTurns(
    {
      ours: () => time(many(), revoke, isRefused),
      bare: () => time(many(), append, (id) => arrived.has(id)),
    },
    { rounds: Math.ceil(rounds / 2), warmUps: 1 },
  )
  reportRatio(
    `${burst.toLocaleString('en')} in one call, all of them`,
    [median(bursts.ours), median(bursts.bare)],
    'ms',
  )
  await mirror.close()
  await Promise.all([writer.close(), reader.close()])
} finally {
  server.end()
}
process.exit()
