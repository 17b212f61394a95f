import { describe, expect, it } from 'vitest'
import { knownAtMs } from '../../src/server/feed-subscription.js'

const batch = { revocations: [], cursor: '', caughtUp: true, ageMs: 0 }
const since = { wall: 1_000_000, monotonic: 5_000 }
const at = (wallMs: number, monotonicMs: number) => ({
  wall: since.wall + wallMs,
  monotonic: since.monotonic + monotonicMs,
})

describe('What a service says of when it knew', () => {
  it('goes by the clock that says less, and a little less than that, for the clocks of two machines drift', () => {
    const known = (wallMs: number, monotonicMs: number) =>
      knownAtMs({ batch, receivedAt: at(wallMs, monotonicMs), ageMs: 0 }, since)
    expect(known(100_000, 100_000)).toBe(99_950)
    expect(known(3_700_000, 100_000)).toBe(99_950)
    expect(known(100_000, 3_700_000)).toBe(99_950)
  })

  it('is earlier by the age that the store tells, and may be before the request', () => {
    expect(knownAtMs({ batch, receivedAt: at(1_000, 1_000), ageMs: 400 }, since)).toBe(599.5)
    expect(knownAtMs({ batch, receivedAt: at(1_000, 1_000), ageMs: 60_000 }, since)).toBe(-59_000.5)
  })

  it('is never, where the wall clock was set back, later than it was', () => {
    expect(knownAtMs({ batch, receivedAt: at(-3_600_000, 1_000), ageMs: 0 }, since)).toBeLessThan(0)
  })
})
