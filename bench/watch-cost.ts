/**
 * What it costs a request, and the feed, that 10,000 connections are watched, against a verifier that watches none:
 * `node --expose-gc --import tsx bench/watch-cost.ts [--quick]`
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RevocationMirror } from '../src/revocation/mirror.js'
import type { Revocation } from '../src/revocation/revocation.js'
import type { ChangeBatch, RevocationStore } from '../src/revocation/store.js'
import { TokenMinter } from '../src/testing/index.js'
import { TokenVerifier } from '../src/verifier.js'
import {
  collectGarbage,
  heading,
  interleave,
  isQuick,
  median,
  nanosecondsEach,
  report,
  reportRatio,
} from './measure.js'
import { takeTurns } from './redis/turns.js'

const watches = isQuick ? 1_000 : 10_000
const verifications = 2_000
const added = 5_000
const rounds = isQuick ? 5 : 41
const expiresAt = Math.floor(Date.now() / 1000) + 86_400

/** A store that holds nothing, and is always fresh: only the mirror is measured. */
const empty: RevocationStore = {
  add: async () => {},
  find: async () => undefined,
  async *changes({ signal }): AsyncGenerator<ChangeBatch> {
    while (!signal.aborted) {
      yield { revocations: [], cursor: '', caughtUp: true, ageMs: 0 }
      await delay(500, undefined, { ref: false })
    }
  },
}

const minter = await TokenMinter.create()

async function createVerifier() {
  const mirror = new RevocationMirror(empty)
  const verifier = new TokenVerifier({
    userPoolId: minter.userPoolId,
    issuer: minter.issuer,
    clientId: null,
    tokenUse: 'access',
    revocation: mirror,
  })
  verifier.cacheJwks(minter.jwks)
  await verifier.ready()
  return { mirror, verifier }
}

const watching = await createVerifier()
const idle = await createVerifier()

const tokens = await Promise.all(Array.from({ length: 1_000 }, () => minter.accessToken()))
const claims = await Promise.all(tokens.map((token) => watching.verifier.verify(token)))
for (const token of tokens) await idle.verifier.verify(token)

collectGarbage()
const heapBefore = process.memoryUsage().heapUsed
const done = new AbortController()
const ended = Array.from({ length: watches }, (_, index) => {
  const own = { ...(claims[index % claims.length] as (typeof claims)[0]), jti: randomUUID() }
  return watching.verifier
    .watch({ ...own, origin_jti: randomUUID(), sub: randomUUID() }, { signal: done.signal })
    .catch(() => 'aborted')
})
await delay(100)
collectGarbage()
const bytesEach = (process.memoryUsage().heapUsed - heapBefore) / watches

const verify = (verifier: TokenVerifier) => () =>
  nanosecondsEach(verifications, () => {
    for (let index = 0; index < verifications; index++) {
      verifier.verifySync(tokens[index % tokens.length] as string)
    }
  })
const sessions = (): Revocation[] =>
  Array.from({ length: added }, () => ({
    poolId: minter.userPoolId,
    scope: 'session',
    id: randomUUID(),
    expiresAt,
  }))

heading(`With ${watches.toLocaleString('en')} watches, against none`)
const cost = interleave({ watching: verify(watching.verifier), idle: verify(idle.verifier) }, { rounds })
reportRatio('a verification of a token seen before', [cost.watching, cost.idle], 'ns', 1.1)

const takeOver = (mirror: RevocationMirror) => async () => {
  const records = sessions()
  const start = performance.now()
  await mirror.add(records)
  return ((performance.now() - start) * 1e6) / added
}
const taken = await takeTurns(
  { watching: takeOver(watching.mirror), idle: takeOver(idle.mirror) },
  { rounds },
)
reportRatio('a revocation taken over by the mirror', [median(taken.watching), median(taken.idle)], 'ns')
report('memory for each watch', bytesEach, 'bytes')
done.abort()
await Promise.all(ended)
await Promise.all([watching, idle].map(({ verifier }) => verifier.close()))
process.exit()
