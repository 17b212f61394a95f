import { describe, expect, it } from 'vitest'
import { type Rule, violationsOf } from './checker.js'
import { type Call, emptyHistory, type History, type Outage } from './history.js'

const BOUND = 1_000
/** Acknowledged by `revoker` at 100; the token 0 is never revoked. */
const REVOKED = 1

function historyOf(
  calls: readonly (Partial<Call> & Pick<Call, 'start' | 'verdict'>)[],
  more: Partial<History> = {},
): History {
  const history = { ...emptyHistory({ maxStalenessMs: BOUND, callsPerPhase: 2 }), ...more }
  history.calls.set(
    'verifier',
    calls.map((call) => ({ token: REVOKED, end: call.start + 1, ...call })),
  )
  history.revocations.set(REVOKED, { startedAt: 50, acknowledgements: [{ member: 'revoker', at: 100 }] })
  return history
}

function rulesOf(history: History): Rule[] {
  return violationsOf(history).map(({ rule }) => rule)
}

function outageOf(more: Partial<Outage> = {}): Outage {
  const times = { from: 2_000, silentFrom: 2_000, healing: 8_000, until: 8_000 }
  return { members: ['verifier'], ...times, recoveryMs: 500, ...more }
}

describe('violationsOf', () => {
  it('finds none where all promises were kept', () => {
    const calls = [
      { start: 10, verdict: 'accepted' },
      { start: 49, end: 60, verdict: 'token_revoked' },
    ]
    expect(rulesOf(historyOf([...calls, { token: 0, start: 5_000, verdict: 'accepted' }]))).toEqual([])
  })

  it.each<[string, Rule[], Partial<Call> & Pick<Call, 'start' | 'verdict'>]>([
    ['a revoked token accepted at the bound', [], { start: 1_100, verdict: 'accepted' }],
    ['and right after it', ['within the bound'], { start: 1_101, verdict: 'accepted' }],
    ['a call that began before', [], { start: 1_100, end: 9_000, verdict: 'accepted' }],
    [
      'a refusal before it was revoked',
      ['only what is revoked'],
      { start: 10, end: 49, verdict: 'token_revoked' },
    ],
    [
      'a refusal of what is valid',
      ['only what is revoked'],
      { token: 0, start: 500, verdict: 'token_revoked' },
    ],
    ['being unavailable', ['available again'], { token: 0, start: 10, verdict: 'revocation_unavailable' }],
    ['any other refusal', ['no other refusal'], { token: 0, start: 10, verdict: 'token_expired' }],
    ['any other error', ['no other refusal'], { token: 0, start: 10, verdict: 'TypeError: no' }],
  ])('judges %s', (_, rules, call) => {
    expect(rulesOf(historyOf([call]))).toEqual(rules)
  })

  it.each(['accepted', 'revocation_unavailable'])(
    'lets nobody answer %s who has refused it once',
    (verdict) => {
      const calls = [
        { start: 110, end: 200, verdict: 'token_revoked' },
        { start: 150, end: 300, verdict: 'accepted' },
        { start: 201, verdict },
      ]
      const excuse = outageOf({ from: 0 })
      expect(rulesOf(historyOf(calls.slice(0, 2), { outages: [excuse] }))).toEqual([])
      expect(rulesOf(historyOf(calls, { outages: [excuse] }))).toEqual(['never forgotten'])
    },
  )

  it('lets nobody accept what it has revoked itself', () => {
    const history = historyOf([])
    history.calls.set('revoker', [{ token: REVOKED, start: 101, end: 102, verdict: 'accepted' }])
    expect(rulesOf(history)).toEqual(['never forgotten'])
  })

  it('counts from the first acknowledgement', () => {
    const history = historyOf([{ start: 1_101, verdict: 'accepted' }])
    history.revocations.get(REVOKED)?.acknowledgements.push({ member: 'other', at: 900 })
    expect(rulesOf(history)).toEqual(['within the bound'])
  })

  it('excuses what the store had lost until a bound after it has it again, and not before the loss', () => {
    const calls = [
      { start: 2_500, verdict: 'accepted' },
      { start: 4_000, verdict: 'accepted' },
    ]
    const losses = [{ from: 2_000, wholeAt: 3_000 }]
    expect(rulesOf(historyOf(calls, { losses }))).toEqual([])
    expect(rulesOf(historyOf([{ start: 4_001, verdict: 'accepted' }], { losses }))).toEqual([
      'within the bound',
    ])
    expect(rulesOf(historyOf([{ start: 1_999, verdict: 'accepted' }], { losses }))).toEqual([
      'within the bound',
    ])
    expect(rulesOf(historyOf(calls, { losses: [{ from: 0, wholeAt: 99 }] }))).toEqual(['within the bound'])
  })

  it('wants no answer out of memory once a silence has lasted for the bound', () => {
    const answer = (start: number, end: number, outage = outageOf()) =>
      rulesOf(historyOf([{ token: 0, start, end, verdict: 'accepted' }], { outages: [outage] }))
    expect(answer(3_000, 3_001)).toEqual([])
    expect(answer(3_001, 3_002)).toEqual(['no stale answers'])
    expect(answer(7_999, 8_000)).toEqual([])
    expect(answer(3_001, 3_002, outageOf({ members: ['other'] }))).toEqual([])
    expect(answer(3_001, 3_002, outageOf({ members: undefined }))).toEqual(['no stale answers'])
    expect(answer(3_001, 3_002, outageOf({ silentFrom: undefined }))).toEqual([])
  })

  it('excuses being unavailable during an outage and its recovery, for its members', () => {
    const unavailable = (start: number, end: number, outage = outageOf()) =>
      rulesOf(historyOf([{ token: 0, start, end, verdict: 'revocation_unavailable' }], { outages: [outage] }))
    expect(unavailable(1_500, 1_999)).toEqual(['available again'])
    expect(unavailable(1_500, 2_000)).toEqual([])
    expect(unavailable(8_500, 8_900)).toEqual([])
    expect(unavailable(8_501, 8_900)).toEqual(['available again'])
    expect(unavailable(3_000, 3_001, outageOf({ members: ['other'] }))).toEqual(['available again'])
  })

  it('wants calls of each kind in each phase, of each member', () => {
    const phase = { name: 'test', members: ['verifier', 'revoker'], from: 1_000, to: 2_000 }
    const valid = { token: 0, start: 1_500, verdict: 'accepted' }
    const revoked = { start: 1_500, verdict: 'token_revoked' }
    const enough = [valid, valid, revoked, revoked]
    const history = historyOf(enough, { phases: [phase] })
    expect(violationsOf(history)).toEqual(
      ['valid', 'revoked'].map((kind) => ({
        rule: 'under load',
        member: 'revoker',
        message: `revoker: ${kind} tokens in phase "test" were in 0 calls only`,
      })),
    )
    for (const calls of [
      enough.slice(1),
      enough.slice(0, 3),
      enough.map((call) => ({ ...call, start: 999 })),
    ]) {
      const { length } = violationsOf(historyOf(calls, { phases: [{ ...phase, members: ['verifier'] }] }))
      expect(length).toBeGreaterThan(0)
    }
  })
})
