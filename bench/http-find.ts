/**
 * How fast `HttpRevocationStore.find` is through a service, against a bare POST for each look-up to a server that
 * looks into a Set: `node --expose-gc --import tsx bench/http-find.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { HttpRevocationStore } from '../src/stores/http/index.js'
import type { TokenIdentity } from '../src/tokens/token-identity.js'
import { post } from './http/bare-client.js'
import { KEY, type Places, poolId } from './http/place.js'
import { heading, isQuick, median, reportRatio } from './measure.js'
import { Helper } from './redis/processes.js'
import { takeTurns } from './redis/turns.js'
import { timed } from './timed.js'

const entries = 100_000
const rounds = isQuick ? 3 : 11
const now = Math.floor(Date.now() / 1000)

type Server = { start(sessions: readonly string[]): Promise<Places> }

function tokens(count: number, originJti: () => string): TokenIdentity[] {
  return Array.from({ length: count }, () => ({
    ...{ poolId, jti: randomUUID(), originJti: originJti(), sub: randomUUID() },
    ...{ clientId: '1example23456789abcdefghij', iat: now, authTime: now - 60 },
  }))
}

const server = new Helper<Server>(new URL('./http/server.ts', import.meta.url))
try {
  const sessions = Array.from({ length: entries }, () => randomUUID())
  const { url, bareUrl } = await server.ask('start', sessions)
  const store = new HttpRevocationStore({ url, key: KEY, timeoutMs: 20_000 })
  const isRevoked = async (token: TokenIdentity) => (await store.find(token)) !== undefined
  const isThere = async ({ jti, originJti, sub, clientId }: TokenIdentity) =>
    JSON.parse(await post(`${bareUrl}/find`, { ids: [jti, originJti, sub, clientId, poolId] })).found === true
  const chance = () => sessions[Math.floor(Math.random() * sessions.length)] as string

  heading(
    `Look-ups among ${entries.toLocaleString('en')} revocations, against a bare POST for each: time for each`,
  )
  for (const [concurrency, count, atMost] of [
    [64, isQuick ? 2_000 : 10_000, 1.25],
    [1, isQuick ? 300 : 1_000, undefined],
  ] as const) {
    const of = await takeTurns(
      {
        bareMiss: () => timed(tokens(count, randomUUID), { concurrency, areThere: false }, isThere),
        findMiss: () => timed(tokens(count, randomUUID), { concurrency, areThere: false }, isRevoked),
        bareHit: () => timed(tokens(count, chance), { concurrency, areThere: true }, isThere),
        findHit: () => timed(tokens(count, chance), { concurrency, areThere: true }, isRevoked),
      },
      { rounds, warmUps: 2 },
    )
    const name = concurrency === 1 ? 'one at a time' : `${concurrency} at a time`
    reportRatio(`${name}: not revoked`, [median(of.findMiss), median(of.bareMiss)], 'µs', atMost)
    reportRatio(`${name}: session revoked`, [median(of.findHit), median(of.bareHit)], 'µs', atMost)
  }
  await store.close()
} finally {
  server.end()
}
