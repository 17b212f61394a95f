/**
 * A burst of new tokens that are handed over at once: for how long it blocks the event loop, and when all of them are
 * verified: `node --expose-gc --import tsx bench/cold-burst.ts [--quick]`
 */
import { heading, isQuick, median, reportRatio, reportSpeed } from './measure.js'
import { takeTurns } from './redis/turns.js'
import { longestBlockMs } from './verifiers/blocked.js'
import { createAwsJwtVerify, createJose, createOurs, type Verify } from './verifiers/candidates.js'
import { createRevocations } from './verifiers/revocations.js'
import { freshStrings, isAccepted } from './verifiers/timed.js'
import { createMinter, mintTokens } from './verifiers/tokens.js'

const entries = isQuick ? 50_000 : 1_000_000
const burst = 256
const rounds = isQuick ? 5 : 41
/** Both ways are taken in each: enough that the engine has compiled all of it. */
const warmUps = isQuick ? 5 : 10

interface Measured {
  readonly blockedMs: number
  readonly doneMs: number
}

const minter = await createMinter()
const tokens = mintTokens(minter, burst)
const revocations = await createRevocations(entries)

/** All of them at once. @throws Error where one is not accepted */
async function verifyAll(strings: readonly string[], verify: Verify): Promise<void> {
  const results = await Promise.all(strings.map(verify))
  const accepted = results.filter(isAccepted).length
  if (accepted !== burst) throw new Error(`${accepted} of ${burst} were accepted`)
}

/** Twice, by a verifier that has seen none of them: by the clock, and with an eye on the event loop. */
function measure(create: () => Verify): () => Promise<Measured> {
  return async () => {
    await revocations.refresh()
    const timedVerify = create()
    const timedStrings = freshStrings(tokens)
    const startedAt = performance.now()
    await verifyAll(timedStrings, timedVerify)
    const doneMs = performance.now() - startedAt

    const watchedVerify = create()
    const watchedStrings = freshStrings(tokens)
    const blockedMs = await longestBlockMs(() => verifyAll(watchedStrings, watchedVerify))
    return { blockedMs, doneMs }
  }
}

const awsJwtVerify = createAwsJwtVerify(minter)
const jose = createJose(minter)
const results = await takeTurns(
  {
    ours: measure(() => {
      const verifier = createOurs(minter, revocations.mirror)
      return (token) => verifier.verify(token)
    }),
    oursSync: measure(() => {
      const verifier = createOurs(minter, revocations.mirror)
      return async (token) => verifier.verifySync(token)
    }),
    awsJwtVerify: measure(() => awsJwtVerify.verify),
    jose: measure(() => jose),
  },
  { rounds, warmUps },
)
const blocked = (of: readonly Measured[]) => median(of.map(({ blockedMs }) => blockedMs))
const done = (of: readonly Measured[]) => median(of.map(({ doneMs }) => doneMs))

heading(`${burst} new tokens at once: the longest time that the event loop does not come round, against jose`)
reportRatio('verify', [blocked(results.ours), blocked(results.jose)], 'ms', 0.5)
reportRatio('verifySync', [blocked(results.oursSync), blocked(results.jose)], 'ms')
reportRatio('aws-jwt-verify verify', [blocked(results.awsJwtVerify), blocked(results.jose)], 'ms')
heading(`${burst} new tokens at once: when all are verified, as many times as soon as jose`)
reportSpeed('verify', [done(results.ours), done(results.jose)], 'ms', 1)
reportSpeed('verifySync', [done(results.oursSync), done(results.jose)], 'ms')
reportSpeed('aws-jwt-verify verify', [done(results.awsJwtVerify), done(results.jose)], 'ms')
await revocations.close()
