import { afterEach, describe, expect, it, vi } from 'vitest'
import { FeedReader } from '../../src/revocation/feed-reader.js'
import { ScriptedFeed } from './mirror-scene.js'

const SILENCE_MS = 1_000

function readerOf(feed: ScriptedFeed, apply: () => Promise<boolean>) {
  const failures: Error[] = []
  const reader = new FeedReader({
    open: (options) => feed.changes(options),
    apply,
    silenceMs: SILENCE_MS,
    longestRetryMs: 100,
    failed: (error) => failures.push(error),
  })
  reader.start()
  return { reader, failures }
}

describe('The silence of a feed', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is counted anew from each batch on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const feed = new ScriptedFeed()
    const { reader, failures } = readerOf(feed, async () => false)
    for (let batch = 0; batch < 5; batch++) {
      await feed.deliver({ caughtUp: true })
      await vi.advanceTimersByTimeAsync(SILENCE_MS - 1)
    }
    expect(failures).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(failures).toEqual([new Error(`The change feed was silent for ${SILENCE_MS} ms`)])
    await reader.close()
  })

  it('does not begin before a batch has been taken over, however long that takes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const feed = new ScriptedFeed()
    let takeOver = () => {}
    const takenOver = new Promise<void>((resolve) => {
      takeOver = resolve
    })
    const { reader, failures } = readerOf(feed, async () => {
      await takenOver
      return false
    })
    const delivered = feed.deliver({ caughtUp: true })
    await vi.advanceTimersByTimeAsync(10 * SILENCE_MS)
    takeOver()
    await delivered
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1)
    expect(failures).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(failures).toHaveLength(1)
    await reader.close()
  })

  it('is not waited for where the end comes while a batch is taken over, and the feed does not heed it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let takeOver = () => {}
    const batch = { revocations: [], cursor: '1', caughtUp: true, ageMs: 0 }
    const deaf = {
      async *changes() {
        yield batch
        await new Promise(() => {})
      },
    }
    const reader = new FeedReader({
      open: () => deaf.changes(),
      apply: () =>
        new Promise<boolean>((resolve) => {
          takeOver = () => resolve(false)
        }),
      silenceMs: SILENCE_MS,
      longestRetryMs: 100,
      failed: () => {},
    })
    reader.start()
    await vi.advanceTimersByTimeAsync(0)
    const closed = reader.close()
    takeOver()
    // No time goes by.
    await closed
  })

  it('is not waited for at the end', async () => {
    const feed = new ScriptedFeed()
    const { reader, failures } = readerOf(feed, async () => false)
    await feed.deliver({ caughtUp: true })
    await reader.close()
    expect(failures).toEqual([])
  })
})
