/**
 * What verifyToken costs a server whose clients come with the same tokens again and again: against the same node:http
 * server without authentication, and on Fastify against @fastify/jwt with its cache, which knows of no revocation.
 * `node --expose-gc --import tsx bench/verify-throughput.ts [--quick]`
 */
import autocannon from 'autocannon'
import { heading, isQuick, median, reportRatio } from './measure.js'
import { Helper } from './redis/processes.js'
import { takeTurns } from './redis/turns.js'
import type { Kind, Ready } from './verify/server.js'

type Server = { start(kind: Kind): Promise<Ready>; cpu(_: null): Promise<number> }

const KINDS: readonly Kind[] = [
  'node:http',
  'node:http, verifyToken',
  'Fastify',
  'Fastify, verifyToken',
  'Fastify, @fastify/jwt',
]
const rounds = isQuick ? 3 : 9
const seconds = isQuick ? 1 : 2
const connections = 64

interface Measured {
  /** By the clock, and of the server's own computing: the client has a core of its own at best. */
  readonly wallUs: number
  readonly cpuUs: number
}

const servers = new Map<Kind, Helper<Server>>()
try {
  const runs = {} as Record<Kind, () => Promise<Measured>>
  for (const kind of KINDS) {
    const server = new Helper<Server>(new URL('./verify/server.ts', import.meta.url))
    servers.set(kind, server)
    const ready = await server.ask('start', kind)
    runs[kind] = () => load(server, ready)
  }
  const of = await takeTurns(runs, { rounds, warmUps: 2 })

  const compare = (what: keyof Measured, name: string, limits: readonly [number?, number?]) => {
    const of1 = (kind: Kind) => median(of[kind].map((each) => each[what]))
    heading(`${name} for each request, ${connections} connections, 100 tokens`)
    const [http, fastify] = limits
    reportRatio(
      'node:http: verifyToken of none',
      [of1('node:http, verifyToken'), of1('node:http')],
      'µs',
      http,
    )
    reportRatio('Fastify: verifyToken of none', [of1('Fastify, verifyToken'), of1('Fastify')], 'µs')
    reportRatio(
      'Fastify: verifyToken of @fastify/jwt',
      [of1('Fastify, verifyToken'), of1('Fastify, @fastify/jwt')],
      'µs',
      fastify,
    )
  }
  // 0.8 of the throughput is 1.25 of the time; 1.15 of it is 0.87.
  compare('wallUs', 'Time', [1.25, 0.87])
  compare('cpuUs', "The server's CPU time", [])
} finally {
  for (const server of servers.values()) server.end()
}

async function load(server: Helper<Server>, { port, tokens }: Ready): Promise<Measured> {
  const before = await server.ask('cpu', null)
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections,
    duration: seconds,
    requests: tokens.map((token) => ({ path: '/', headers: { authorization: `Bearer ${token}` } })),
  })
  const cpu = (await server.ask('cpu', null)) - before
  const done = result['2xx']
  if (done === 0 || result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} requests were refused, ${result.errors} failed`)
  }
  return { wallUs: (result.duration * 1e6) / done, cpuUs: cpu / done }
}
