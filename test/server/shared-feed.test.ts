import { describe, expect, it } from 'vitest'
import type { ChangeBatch, RevocationStore } from '../../src/revocation/store.js'
import { SharedFeed } from '../../src/server/shared-feed.js'
import { session } from '../support/http-service.js'

interface Feed {
  push(...ids: string[]): void
  fail(error: Error): void
}

/** A store whose feeds bring what the test says. */
function scriptedStore() {
  const feeds: Feed[] = []
  const store: RevocationStore = {
    add: async () => {},
    find: async () => undefined,
    async *changes() {
      const waiting: (ChangeBatch | Error)[] = []
      let wake = () => {}
      const put = (item: ChangeBatch | Error) => {
        waiting.push(item)
        wake()
      }
      feeds.push({
        push: (...ids) =>
          put({ revocations: ids.map((id) => session(id)), cursor: ids.join(), caughtUp: true, ageMs: 0 }),
        fail: put,
      })
      for (;;) {
        const item = waiting.shift()
        if (item instanceof Error) throw item
        if (item !== undefined) yield item
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    },
  }
  const shared = new SharedFeed({ store, silenceMs: 10_000, maxQueuedRecords: 100, observer: undefined })
  /** A reading that has begun. */
  const open = () => {
    const reading = shared.open(undefined)
    void reading.next()
    return { reading, feed: feeds.at(-1) as Feed }
  }
  return { shared, open }
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('A shared feed', () => {
  it('never gives to a stream of one reading what a later reading brings: between the two, something is missing', async () => {
    const { shared, open } = scriptedStore()
    const first = open()
    const slow = shared.adopt(first.reading)
    first.feed.push('0')
    first.feed.push('1')
    await turns()
    first.feed.fail(new Error('away'))
    await turns()
    const second = open()
    const late = shared.adopt(second.reading)
    second.feed.push('8')
    second.feed.push('9')
    await turns()
    const seen: string[] = []
    const read = async () => {
      for (;;) {
        const known = await slow?.next()
        if (known === undefined || known === 'overflow') return
        seen.push(known.batch.cursor)
      }
    }
    await expect(read()).rejects.toThrow('away')
    expect(seen).toEqual(['1'])
    expect(await late?.next()).toMatchObject({ batch: { cursor: '9' } })
    shared.close()
  })

  it('gives a stream all that comes after it subscribed, and nothing of what was before', async () => {
    const { shared, open } = scriptedStore()
    const first = open()
    first.feed.push('0')
    shared.adopt(first.reading)
    first.feed.push('1')
    await turns()
    const late = shared.subscribe()
    first.feed.push('2')
    first.feed.push('3')
    await turns()
    expect([await late?.next(), await late?.next()]).toMatchObject([
      { batch: { cursor: '2' } },
      { batch: { cursor: '3' } },
    ])
    shared.close()
  })

  it('takes over one reading only, and lets nobody subscribe to none', async () => {
    const { shared, open } = scriptedStore()
    expect(shared.subscribe()).toBeUndefined()
    expect(shared.adopt(open().reading)).toBeDefined()
    expect(shared.adopt(open().reading)).toBeUndefined()
    shared.close()
    expect(shared.subscribe()).toBeUndefined()
  })

  it('ends a stream that has more waiting than it may', async () => {
    const { shared, open } = scriptedStore()
    const { reading, feed } = open()
    feed.push('first')
    const slow = shared.adopt(reading)
    feed.push(...Array.from({ length: 101 }, (_, index) => `${index}`))
    await turns()
    expect(await slow?.next()).toBe('overflow')
    shared.close()
  })

  it('keeps one sign of life for a stream that does not read, not all', async () => {
    const { shared, open } = scriptedStore()
    const { reading, feed } = open()
    feed.push('first')
    const slow = shared.adopt(reading)
    for (let time = 0; time < 1_000; time++) feed.push()
    feed.push('last')
    await turns()
    expect(await slow?.next()).toMatchObject({ batch: { cursor: 'last' } })
    shared.close()
  })
})
