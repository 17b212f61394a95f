import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { eventually, replicate, type State, sessionOf, verdictOn } from './replica-scene.js'

type Step =
  | { readonly type: 'add' }
  | { readonly type: 'become'; readonly member: number; readonly state: State }
  | { readonly type: 'lose'; readonly member: number }
  | { readonly type: 'wait'; readonly ms: number }

const member = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ type: 'add' }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('become' as const),
      member,
      state: fc.constantFrom<State>('up', 'up', 'up', 'down', 'hanging', 'late'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('lose' as const), member }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(40) }) },
)

const quorums = fc.constantFrom<[number, number]>([2, 2], [2, 1], [3, 2], [3, 3])

describe('A ReplicatedRevocationStore whose stores are up, down, hang, are late, and lose their data', () => {
  it('never says of what was acknowledged that it is not revoked, and mends itself', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    await fc.assert(
      fc.asyncProperty(quorums, fc.array(step, { maxLength: 14 }), async ([count, writeQuorum], steps) => {
        const { store, members, eventsOf } = replicate(count, { writeQuorum, timeoutMs: 15 })
        const mirror = new RevocationMirror(store, { maxStalenessMs: 60 })
        const acknowledged = new Set<string>()
        const tried = new Set<string>()
        const states: State[] = members.map(() => 'up')
        let losses = 0
        let adding: Promise<unknown> = Promise.resolve()

        const add = async (id: string) => {
          tried.add(id)
          await mirror.add([sessionOf(id)]).then(
            () => acknowledged.add(id),
            () => {},
          )
        }
        const become = (index: number, state: State) => {
          states[index] = state
          members[index]?.become(state)
        }
        const allUp = () => {
          for (const index of members.keys()) become(index, 'up')
        }
        /** Nothing that was acknowledged passes; nobody is refused without a reason. */
        const check = async () => {
          const known = [...acknowledged]
          const verdicts = await Promise.all(
            [store, mirror].flatMap((each) => known.map((id) => verdictOn(each, id))),
          )
          expect(verdicts).not.toContain('good')
          for (const each of [store, mirror]) expect(await verdictOn(each, 'good')).not.toBe('revoked')
        }
        /** What holds once all are there again. */
        const mended = async () => {
          allUp()
          await eventually(() => expect(eventsOf('replica_refilled').length).toBeGreaterThanOrEqual(losses))
          await eventually(async () => {
            for (const each of [store, mirror]) expect(await verdictOn(each, 'good')).toBe('good')
          })
          await eventually(() => {
            for (const each of members) for (const id of acknowledged) expect(each.holds(id)).toBe(true)
          })
        }

        try {
          await add('first')
          await mended()
          for (const [index, each] of steps.entries()) {
            if (each.type === 'add') adding = Promise.all([adding, add(`${index}`)])
            else if (each.type === 'wait') await sleep(each.ms)
            else if (each.member >= count) continue
            else if (each.type === 'become') become(each.member, each.state)
            // What one store alone has recorded is lost with it; and of two that lose data, one is refilled first.
            else if (writeQuorum > 1) {
              await adding
              await mended()
              const failures = eventsOf('replica_feed_failed').length
              become(each.member, 'down')
              await eventually(() => expect(eventsOf('replica_feed_failed').length).toBeGreaterThan(failures))
              members[each.member]?.loseData()
              become(each.member, 'up')
              losses = eventsOf('replica_refilled').length + 1
            }
            await check()
          }
          await adding
          await check()
          await mended()
          await check()
        } finally {
          allUp()
          await mirror.close()
          await store.close()
        }
      }),
      { numRuns: 40, endOnFailure: true },
    )
  }, 60_000)
})
