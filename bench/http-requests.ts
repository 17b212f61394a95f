/**
 * What looking at tokens costs a server: the throughput of a node:http server that does, as a share of the same
 * server's that does not, for clients that come with the same tokens again and again, and with new ones; and on Fastify
 * against @fastify/jwt with its cache. Only ours knows of revocations.
 * `node --expose-gc --import tsx bench/http-requests.ts [--quick]`
 */
import { heading, isQuick, median, reportSpeed } from './measure.js'
import { Helper } from './redis/processes.js'
import { takeTurns } from './redis/turns.js'
import { REVOCATIONS } from './requests/guards.js'
import { CONNECTIONS, load } from './requests/load.js'
import type { Kind } from './requests/server.js'
import type { PublicKeys } from './verifiers/candidates.js'
import { createMinter, mintTokens, type Tokens } from './verifiers/tokens.js'

type Server = {
  start(options: { kind: Kind; keys: PublicKeys }): Promise<number>
  forget(_: null): void
  cpu(_: null): number
}

interface Measured {
  /** By the clock, and of the server's own computing: the client has a core of its own at best. */
  readonly wallUs: number
  readonly cpuUs: number
}

/** A kind of server, another to compare it with, and how many times as fast it is to be. */
type Row = readonly [kind: Kind, reference: Kind, atLeast?: number]

interface Requests {
  readonly title: string
  readonly tokens: Tokens
  /** How often each is sent. */
  readonly times: number
  /** By the clock. */
  readonly rows: readonly Row[]
}

const rounds = isQuick ? 3 : 9
const minter = await createMinter()
const [one, other] = [minter.accessToken(), minter.accessToken()]
const forged = one.slice(0, one.lastIndexOf('.')) + other.slice(other.lastIndexOf('.'))
const keys = { issuer: minter.issuer, jwks: minter.jwks }

/** Lets nobody in without a token, or with one under another one's signature. */
async function assertGuarded(kind: Kind, port: number): Promise<void> {
  const isOpen = kind === 'unprotected' || kind === 'Fastify'
  for (const headers of [{}, { authorization: `Bearer ${forged}` }]) {
    const { status } = await fetch(`http://127.0.0.1:${port}/`, { headers })
    if (status !== (isOpen ? 200 : 401)) throw new Error(`${kind} answered ${status}`)
  }
}

async function compare({ title, tokens, times, rows }: Requests): Promise<void> {
  const servers: Helper<Server>[] = []
  try {
    const runs = {} as Record<Kind, () => Promise<Measured>>
    for (const kind of new Set(rows.flatMap(([kind, reference]) => [reference, kind]))) {
      const server = new Helper<Server>(new URL('./requests/server.ts', import.meta.url))
      servers.push(server)
      const port = await server.ask('start', { kind, keys })
      await assertGuarded(kind, port)
      runs[kind] = async () => {
        // A token that is sent once is new to it also in the next round.
        if (times === 1) await server.ask('forget', null)
        const before = await server.ask('cpu', null)
        const wallUs = await load(port, tokens, times)
        const cpuUs = ((await server.ask('cpu', null)) - before) / (tokens.length * times)
        return { wallUs, cpuUs }
      }
    }
    const of = await takeTurns(runs, { rounds, warmUps: 2 })
    const medianOf = (what: keyof Measured, kind: Kind) => median(of[kind].map((each) => each[what]))
    heading(`${title}, ${CONNECTIONS} connections: time for each request`)
    for (const [kind, reference, atLeast] of rows) {
      const values = [medianOf('wallUs', kind), medianOf('wallUs', reference)] as const
      reportSpeed(`${kind}: of ${reference}`, values, 'µs', atLeast)
    }
    heading(`${title}: the server's CPU time for each request`)
    for (const [kind, reference] of rows) {
      const values = [medianOf('cpuUs', kind), medianOf('cpuUs', reference)] as const
      reportSpeed(`${kind}: of ${reference}`, values, 'µs')
    }
    for (const kind of Object.keys(of) as Kind[]) {
      const busy = medianOf('cpuUs', kind) / medianOf('wallUs', kind)
      if (busy < 0.9) {
        const percent = Math.round(busy * 100)
        console.log(
          `  ${kind}: it computed ${percent} % of the time, else held back by its client or other programs`,
        )
      }
    }
  } finally {
    for (const server of servers) server.end()
  }
}

const revocations = REVOCATIONS.toLocaleString('en')
const again = mintTokens(minter, 1_000)
const often = isQuick ? 8 : 40
await compare({
  title: `node:http, 1,000 tokens again and again, a mirror of ${revocations} revocations`,
  tokens: again,
  times: often,
  rows: [
    ['verifyToken, mirror', 'unprotected', 0.8],
    ['verifyToken, memory store', 'unprotected', 0.8],
    ['fast-jwt, cache', 'unprotected'],
    ['aws-jwt-verify', 'unprotected'],
    ['jose', 'unprotected'],
    ['verifyToken, mirror', 'fast-jwt, cache', 1.15],
    ['verifyToken, memory store', 'fast-jwt, cache', 1.15],
  ],
})
await compare({
  title: `node:http, every token new, a mirror of ${revocations} revocations`,
  // As many for each connection: it sends each of its own once.
  tokens: mintTokens(minter, CONNECTIONS * (isQuick ? 64 : 320)),
  times: 1,
  rows: [
    ['verifyToken, mirror', 'unprotected'],
    ['verifyToken, memory store', 'unprotected'],
    ['fast-jwt', 'unprotected'],
    ['aws-jwt-verify', 'unprotected'],
    ['jose', 'unprotected'],
    ['verifyToken, mirror', 'aws-jwt-verify', 1.8],
    ['verifyToken, memory store', 'aws-jwt-verify', 1.8],
  ],
})
await compare({
  title: `Fastify, 1,000 tokens again and again, a mirror of ${revocations} revocations`,
  tokens: again,
  times: often,
  rows: [
    ['Fastify, verifyToken', 'Fastify'],
    ['Fastify, @fastify/jwt', 'Fastify'],
    ['Fastify, verifyToken', 'Fastify, @fastify/jwt', 1.15],
  ],
})
