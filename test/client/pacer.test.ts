import { describe, expect, it } from 'vitest'
import { Pacer } from '../../src/client/pacer.js'

/** A pacer in a time that passes by waiting only; `late` is how much too late, or early, its timers are. */
function begin(ratePerSecond: number, late = 0) {
  const time = { ms: 5_000 }
  const pacer = new Pacer(ratePerSecond, {
    now: () => time.ms,
    sleep: async (ms) => {
      time.ms += Math.max(0.5, ms + late)
    },
  })
  const startsOf = async (count: number) => {
    const starts: number[] = []
    for (let i = 0; i < count; i += 1) {
      await pacer.turn(undefined)
      starts.push(time.ms)
    }
    return starts
  }
  return { time, pacer, startsOf }
}

const gapsOf = (starts: readonly number[]) => starts.slice(1).map((at, i) => at - (starts[i] as number))

describe('A Pacer', () => {
  it('lets the first begin at once, and the others as far apart as the rate says', async () => {
    const { startsOf } = begin(20)
    const starts = await startsOf(4)
    expect(starts).toEqual([5_000, 5_050, 5_100, 5_150])
  })

  it.each([
    [3, 'late'],
    [200, 'late'],
    [-1, 'early'],
  ])('never lets two begin closer together where timers are %i ms %s', async (late) => {
    for (const gap of gapsOf(await begin(20, late).startsOf(20))) expect(gap).toBeGreaterThanOrEqual(50)
  })

  it('does not catch up with what was missed', async () => {
    const { time, startsOf } = begin(20)
    await startsOf(1)
    time.ms += 10_000
    expect(gapsOf(await startsOf(3))).toEqual([50, 50])
  })

  it('keeps those apart who wait at the same time', async () => {
    const { startsOf } = begin(20)
    const starts = (await Promise.all([startsOf(2), startsOf(2), startsOf(2)])).flat()
    for (const gap of gapsOf(starts.sort((a, b) => a - b))) expect(gap).toBeGreaterThanOrEqual(0)
    expect(Math.max(...starts)).toBeGreaterThanOrEqual(5_250)
  })

  it('halves its rate, once a second however often it is told', async () => {
    const { time, pacer, startsOf } = begin(20)
    await startsOf(1)
    for (let i = 0; i < 5; i += 1) pacer.slowDown()
    expect(gapsOf(await startsOf(4)).slice(1)).toEqual([100, 100])
    time.ms += 1_000
    pacer.slowDown()
    await startsOf(1)
    expect(gapsOf(await startsOf(3))).toEqual([200, 200])
  })

  it('goes no slower than one a second, and no slower than it was told where that is less', async () => {
    for (const [rate, slowest] of [
      [20, 1_000],
      [0.5, 2_000],
    ] as const) {
      const { time, pacer, startsOf } = begin(rate)
      for (let i = 0; i < 20; i += 1) {
        pacer.slowDown()
        time.ms += 1_000
      }
      await startsOf(1)
      expect(gapsOf(await startsOf(3))).toEqual([slowest, slowest])
    }
  })

  it('comes back to its rate by small steps, and no further', async () => {
    const { pacer, startsOf } = begin(20)
    pacer.slowDown()
    pacer.speedUp()
    await startsOf(1)
    const [gap = 0] = gapsOf(await startsOf(2))
    expect(gap).toBeLessThan(100)
    expect(gap).toBeGreaterThan(90)
    for (let i = 0; i < 100; i += 1) pacer.speedUp()
    await startsOf(1)
    expect(gapsOf(await startsOf(3))).toEqual([50, 50])
  })
})
