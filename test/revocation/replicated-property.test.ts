import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { eventually, FeedLog, replicate, type State, sessionOf, verdictOn } from './replica-scene.js'

type Step =
  | { readonly type: 'add' }
  | { readonly type: 'become'; readonly member: number; readonly state: State }
  | { readonly type: 'lose'; readonly member: number; readonly isWhileLooking: boolean }
  | { readonly type: 'read'; readonly isResumed: boolean }
  | { readonly type: 'leave' }
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
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('lose' as const), member, isWhileLooking: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('read' as const), isResumed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Step>({ type: 'leave' }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(40) }) },
)

const quorums = fc.constantFrom<[number, number]>([2, 2], [2, 1], [3, 2], [3, 3])

describe('A ReplicatedRevocationStore whose stores are up, down, hang, are late, and lose their data', () => {
  it('never says of what was acknowledged that it is not revoked, and mends itself', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    await fc.assert(
      fc.asyncProperty(quorums, fc.array(step, { maxLength: 14 }), async ([count, writeQuorum], steps) => {
        const { store, members, events, eventsOf } = replicate(count, { writeQuorum, timeoutMs: 15 })
        // There is always somebody who reads the feed; others come and go, with cursors that may be old.
        const mirror = new RevocationMirror(store, { maxStalenessMs: 60 })
        const readers: FeedLog[] = []
        let cursor: string | undefined
        const acknowledged = new Set<string>()
        const states: State[] = members.map(() => 'up')
        const underWay: Promise<unknown>[] = []

        const add = async (id: string) => {
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
        /** Nothing that was acknowledged before passes; nobody is refused without a reason. */
        const check = async () => {
          const known = [...acknowledged]
          const verdicts = await Promise.all(
            [store, mirror].flatMap((each) => known.map((id) => verdictOn(each, id))),
          )
          expect(verdicts).not.toContain('good')
          for (const each of [store, mirror]) expect(await verdictOn(each, 'good')).not.toBe('revoked')
        }
        /** Of two that lose data, one is refilled first. */
        const refilled = () =>
          eventually(() => {
            const lost = new Set<number>()
            for (const event of events) {
              if (event.type === 'replica_lost_data') lost.add(event.replica)
              if (event.type === 'replica_refilled') lost.delete(event.replica)
            }
            expect(lost.size).toBe(0)
          })
        /** What holds once all are there again. */
        const mended = async () => {
          allUp()
          await refilled()
          await eventually(async () => {
            for (const each of [store, mirror]) expect(await verdictOn(each, 'good')).toBe('good')
          })
          await eventually(() => {
            for (const each of members) for (const id of acknowledged) expect(each.holds(id)).toBe(true)
          })
        }
        const leave = async () => {
          const reader = readers.shift()
          if (reader === undefined) return
          cursor = reader.last?.cursor || cursor
          await reader.end()
        }

        try {
          await add('first')
          await mended()
          // What the mirror has not read yet, nobody would miss.
          const first = new FeedLog(store)
          await first.whole()
          readers.push(first)
          for (const [index, each] of steps.entries()) {
            if (each.type === 'add') underWay.push(add(`${index}`))
            else if (each.type === 'wait') await sleep(each.ms)
            else if (each.type === 'leave') await leave()
            else if (each.type === 'read')
              readers.push(new FeedLog(store, each.isResumed ? cursor : undefined))
            else if (each.member >= count) continue
            else if (each.type === 'become') become(each.member, each.state)
            // What one store alone has recorded is lost with it.
            else if (writeQuorum > 1) {
              allUp()
              await refilled()
              await eventually(() => expect(members[each.member]?.open).toBeGreaterThan(readers.length))
              underWay.push(add(`before ${index}`))
              await sleep(0)
              const failures = eventsOf('replica_feed_failed').length
              if (each.isWhileLooking) underWay.push(check())
              become(each.member, 'down')
              await eventually(() => expect(eventsOf('replica_feed_failed').length).toBeGreaterThan(failures))
              members[each.member]?.loseData()
              become(each.member, 'up')
              underWay.push(add(`after ${index}`))
            }
            underWay.push(check())
            await check()
          }
          await Promise.all(underWay)
          await check()
          await mended()
          await check()
        } finally {
          allUp()
          for (const reader of readers) await reader.end()
          await mirror.close()
          await store.close()
          await Promise.allSettled(underWay)
        }
      }),
      { numRuns: 40, endOnFailure: true },
    )
  }, 60_000)
})
