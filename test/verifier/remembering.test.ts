import fc from 'fast-check'
import { afterEach, beforeAll, describe, it, vi } from 'vitest'
import { REVOCATION_SCOPES, type Revocation } from '../../src/revocation/revocation.js'
import type { Delivery } from '../support/held-store.js'
import { NOW_SECONDS } from '../support/raw-signer.js'
import { createSamples, type Published, type Samples, World } from './remembering-scene.js'

let samples: Samples

beforeAll(async () => {
  samples = await createSamples()
})

afterEach(() => {
  vi.restoreAllMocks()
})

interface Revoking {
  readonly revoke: (typeof REVOCATION_SCOPES)[number]
  /** Of which token; one that there is not stands for somebody else. */
  readonly of: number
  readonly by: 'mirror' | 'store'
  /** Seconds from the beginning of time. */
  readonly cutoff: number | undefined
  /** Until the record is over, in seconds. */
  readonly life: number
}
interface Raising extends Pick<Revoking, 'of' | 'by'> {
  readonly raiseCutoffOf: 'user' | 'client' | 'pool'
}
type Happening =
  | Revoking
  | { readonly deliver: Delivery }
  | { readonly passMs: number; readonly isHeard: boolean }
  | { readonly publish: Published }
  | { readonly isDown: boolean }
  | Raising
  | { readonly whileAllAreAsked: Happening }
  | { readonly nothing: true }
const QUESTIONS = ['verify', 'verifySync', 'recall'] as const
type Question = readonly [how: (typeof QUESTIONS)[number] | 'explain', index: number]
/** What happens, and then who is asked about which tokens. */
type Step = readonly [happens: Happening, questions: readonly Question[]]

const revoking: fc.Arbitrary<Revoking> = fc.record({
  // The whole pool seldom: nothing is left to be seen then.
  revoke: fc.constantFrom(
    ...REVOCATION_SCOPES,
    ...REVOCATION_SCOPES.slice(0, 4),
    ...REVOCATION_SCOPES.slice(0, 4),
  ),
  of: fc.nat(8),
  by: fc.constantFrom('mirror', 'store'),
  cutoff: fc.option(fc.constantFrom(-5_001, -5_000, -100, -60, -6, -5, -1, 0, 1, 300), { nil: undefined }),
  life: fc.constantFrom(-7_200, 0, 60, 5_000, 80_000),
})
const delivering = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ deliver: {} }) },
  { weight: 1, arbitrary: fc.record({ deliver: fc.record({ half: fc.boolean(), afresh: fc.boolean() }) }) },
  { weight: 1, arbitrary: fc.constant({ deliver: { fails: true } }) },
)
const passing = fc.record({
  passMs: fc.constantFrom(1, 8, 9, 59_999, 60_000, 3_600_000, 9_000_000),
  isHeard: fc.boolean(),
})
const publishing = fc.record({
  publish: fc.constantFrom<Published>(
    'its key',
    'its key',
    'its key',
    'another key',
    'another under its kid',
  ),
})
const raising = fc.record({
  raiseCutoffOf: fc.constantFrom('user', 'client', 'pool'),
  of: fc.nat(7),
  by: fc.constantFrom('mirror', 'store'),
})
const happening = fc.oneof<fc.WeightedArbitrary<Happening>[]>(
  { weight: 3, arbitrary: fc.constant<Happening>({ nothing: true }) },
  { weight: 5, arbitrary: revoking },
  { weight: 5, arbitrary: delivering },
  { weight: 2, arbitrary: passing },
  { weight: 1, arbitrary: raising },
  { weight: 1, arbitrary: publishing },
  { weight: 1, arbitrary: fc.record({ isDown: fc.constantFrom(true, true, false) }) },
  { weight: 1, arbitrary: fc.record({ whileAllAreAsked: fc.oneof(revoking, delivering, publishing) }) },
)
// Some more often than others: they are remembered.
const index = fc.oneof(fc.nat(7), fc.constantFrom(1, 2, 3))
const question = fc.tuple(fc.constantFrom<Question[0]>(...QUESTIONS, ...QUESTIONS, 'explain'), index)
const step: fc.Arbitrary<Step> = fc.tuple(happening, fc.array(question, { minLength: 1, maxLength: 3 }))

function recordOf({ revoke: scope, of, cutoff, life }: Revoking, nowSeconds: number): Revocation {
  const { userPoolId: poolId } = samples.signer
  const { jti, originJti, sub, clientId } = samples.tokens[of]?.identity ?? {
    sub: 'nobody',
    clientId: 'none',
  }
  const id = { token: jti, session: originJti, user: sub, client: clientId, pool: poolId }[scope] ?? 'nothing'
  const hasCutoff = cutoff !== undefined && scope !== 'token' && scope !== 'session'
  return {
    poolId,
    scope,
    id,
    ...(hasCutoff && { cutoff: NOW_SECONDS + cutoff }),
    expiresAt: nowSeconds + life,
  }
}

async function happen(world: World, happens: Happening): Promise<void> {
  if ('revoke' in happens) await world.revoke(recordOf(happens, world.nowSeconds), happens.by)
  else if ('deliver' in happens) await world.deliver(happens.deliver)
  else if ('publish' in happens) world.publish(happens.publish)
  else if ('isDown' in happens) world.store.isDown = happens.isDown
  else if ('whileAllAreAsked' in happens) await world.expectAll(() => happen(world, happens.whileAllAreAsked))
  else if ('raiseCutoffOf' in happens) await raiseCutoff(world, happens)
  else if ('passMs' in happens) {
    world.advance(happens.passMs)
    if (happens.isHeard) await world.deliver()
  }
}

/** A token that passes by a cutoff does not when that cutoff is raised. */
async function raiseCutoff(world: World, { raiseCutoffOf, of, by }: Raising): Promise<void> {
  const { iat = 0, authTime = iat } = samples.tokens[of]?.identity ?? {}
  const issuedAt = Math.min(iat, authTime) - NOW_SECONDS
  for (const cutoff of [issuedAt - 1, issuedAt]) {
    await happen(world, { revoke: raiseCutoffOf, of, by, cutoff, life: 80_000 })
    if (by === 'store') await world.deliver()
    for (const how of QUESTIONS) await ask(world, [how, of])
  }
}

async function ask(world: World, [how, index]: Question): Promise<void> {
  const sample = samples.tokens[index]
  if (sample === undefined) throw new Error('there is no such token')
  if (how === 'verify') await world.expectOf(sample)
  else if (how === 'explain') await world.expectOfExplanation(sample)
  else if (how === 'verifySync') world.expectOfSync(sample)
  else world.expectOfRecall(sample)
}

describe('A verifier that remembers', () => {
  it('says at each step what one that remembers nothing would say', async () => {
    const life = fc.array(step, { maxLength: 30, size: 'max' })
    await fc.assert(
      fc.asyncProperty(life, async (steps) => {
        const world = new World(samples)
        try {
          await world.deliver()
          for (const [happens, questions] of steps) {
            await happen(world, happens)
            for (const each of questions) await ask(world, each)
          }
        } finally {
          await world.close()
          vi.restoreAllMocks()
        }
      }),
      { numRuns: 200 },
    )
  })
})
