import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { TurnBatches, type TurnBatchesOptions, WaitingCalls } from '../../src/stores/turn-batches.js'

/** Requests that are answered when the test says so, each item by itself in capitals. */
function scene(options: Partial<TurnBatchesOptions<string, string, string>> = {}) {
  const sent: { key: string; items: readonly string[]; answer: () => void; fail: () => void }[] = []
  const batches = new TurnBatches<string, string, string>({
    waiting: new WaitingCalls(),
    maxWeight: 3,
    weigh: () => 1,
    send: (key, items) =>
      new Promise((resolve, reject) => {
        const answer = () => resolve(items.map((item) => item.toUpperCase()))
        sent.push({ key, items, answer, fail: () => reject(new Error('refused')) })
      }),
    ...options,
  })
  const requests = () => sent.map(({ key, items }) => `${key}: ${items.join(' ')}`)
  return { batches, sent, requests }
}

describe('Calls of one turn of the event loop', () => {
  it('go in one request for each key, and get each their own answer', async () => {
    const { batches, sent, requests } = scene()
    const calls = [batches.run('x', 'a'), batches.run('y', 'b'), batches.run('x', 'c')]
    await nextTurn()
    expect(requests()).toEqual(['x: a c', 'y: b'])
    for (const { answer } of sent) answer()
    expect(await Promise.all(calls)).toEqual(['A', 'B', 'C'])
  })

  it('go in several, where they weigh too much for one', async () => {
    const { batches, requests } = scene()
    for (const item of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) void batches.run('x', item)
    await nextTurn()
    expect(requests()).toEqual(['x: a b c', 'x: d e f', 'x: g'])
  })

  it('fail with the request that they were in, and no others', async () => {
    const { batches, sent } = scene()
    const calls = ['a', 'b', 'c', 'd'].map((item) => batches.run('x', item).catch((error) => error.message))
    await nextTurn()
    sent[0]?.fail()
    sent[1]?.answer()
    expect(await Promise.all(calls)).toEqual(['refused', 'refused', 'refused', 'D'])
  })
})

describe('Where only so many requests may be under way', () => {
  it('what comes meanwhile gathers, and goes when there is an answer', async () => {
    const { batches, sent, requests } = scene({ maxUnderWay: 1 })
    const calls: Promise<string>[] = []
    for (const item of ['a', 'b', 'c']) {
      calls.push(batches.run('x', item))
      await nextTurn()
    }
    expect(requests()).toEqual(['x: a'])
    sent[0]?.answer()
    await nextTurn()
    expect(requests()).toEqual(['x: a', 'x: b c'])
    sent[1]?.answer()
    expect(await Promise.all(calls)).toEqual(['A', 'B', 'C'])
  })

  it('a failure makes room as well', async () => {
    const { batches, sent, requests } = scene({ maxUnderWay: 1 })
    batches.run('x', 'a').catch(() => {})
    await nextTurn()
    void batches.run('x', 'b')
    await nextTurn()
    sent[0]?.fail()
    await nextTurn()
    expect(requests()).toEqual(['x: a', 'x: b'])
  })

  it('each key has its turn, and nothing is left behind', async () => {
    const { batches, sent, requests } = scene({ maxUnderWay: 1 })
    const items = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const calls = [...items.map((item) => batches.run('x', item)), batches.run('y', 'z')]
    for (let request = 0; request < 4; request++) {
      await nextTurn()
      sent[request]?.answer()
    }
    expect(await Promise.all(calls)).toEqual([...items, 'z'].map((item) => item.toUpperCase()))
    expect(requests()).toEqual(['x: a b c', 'y: z', 'x: d e f', 'x: g'])
  })

  it('what has waited for too long is rejected without being sent, and what has not is sent', async () => {
    const { batches, sent, requests } = scene({ maxUnderWay: 1, maxWaitMs: 30 })
    const first = batches.run('x', 'a')
    await nextTurn()
    const late = ['b', 'c', 'd', 'e'].map((item) => batches.run('x', item))
    for (const call of late) await expect(call).rejects.toMatchObject({ code: 'store_unavailable' })
    const last = batches.run('x', 'f')
    sent[0]?.answer()
    await nextTurn()
    sent[1]?.answer()
    expect(await Promise.all([first, last])).toEqual(['A', 'F'])
    expect(requests()).toEqual(['x: a', 'x: f'])
  })

  it('all that is held can be rejected at once, and makes room for others', async () => {
    const { batches, sent, requests } = scene({ maxUnderWay: 1 })
    const first = batches.run('x', 'a')
    await nextTurn()
    const held = ['b', 'c', 'd', 'e'].map((item) => batches.run('x', item))
    batches.reject(new Error('closed'))
    for (const call of held) await expect(call).rejects.toThrow('closed')
    const last = batches.run('x', 'f')
    sent[0]?.answer()
    await nextTurn()
    sent[1]?.answer()
    expect(await Promise.all([first, last])).toEqual(['A', 'F'])
    expect(requests()).toEqual(['x: a', 'x: f'])
  })

  it('what was rejected is not waiting any longer', async () => {
    const waiting = new WaitingCalls()
    const { batches, sent } = scene({ maxUnderWay: 1, waiting })
    const first = batches.run('x', 'a')
    await nextTurn()
    const held = Array.from({ length: 9_999 }, () => batches.run('x', 'b').catch(() => {}))
    expect(() => waiting.begin()).toThrow()
    batches.reject(new Error('closed'))
    await Promise.all(held)
    sent[0]?.answer()
    await first
    for (let count = 0; count < 10_000; count++) waiting.begin()
    expect(() => waiting.begin()).toThrow()
  })
})
