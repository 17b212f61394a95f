import { elapsedMs, type Moment, takeMoment } from '../../clock.js'
import { pause } from '../../pause.js'
import type { Revocation } from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions } from '../../revocation/store.js'
import { storeError } from './dynamodb-errors.js'
import { type FeedPosition, parsePosition, serializePosition } from './feed-position.js'
import { FeedGap, readHead, readTail, type TailOptions } from './feed-tail.js'
import { scanRecords } from './scan.js'

/** Between two readings of everything by one reader, in milliseconds. */
const RESTART_PAUSE_MS = 250

/** What the feed of a store over DynamoDB needs. */
export interface FeedOptions extends TailOptions, ChangesOptions {
  readonly pollIntervalMs: number
  readonly reconcileIntervalMs: number
}

/** The change feed: by polling, from a cursor on or from everything. */
export async function* readFeed(options: FeedOptions): AsyncGenerator<ChangeBatch, void, undefined> {
  const { signal } = options
  try {
    let position = parsePosition(options.after)
    while (!signal.aborted) {
      try {
        for await (const batch of follow(options, position)) {
          if (signal.aborted) return
          yield batch
        }
      } catch (error) {
        if (!(error instanceof FeedGap)) throw error
        if (position === undefined) await pause(RESTART_PAUSE_MS, signal)
        position = undefined
      }
    }
  } catch (error) {
    if (!signal.aborted) throw storeError(error)
  }
}

/**
 * Polls the tail of the feed, and reads everything meanwhile: first, where there is no position to go on from;
 * then from time to time, a batch a poll, in case that something went past the feed.
 *
 * @throws FeedGap where the feed does not go on
 */
async function* follow(
  options: FeedOptions,
  after: FeedPosition | undefined,
): AsyncGenerator<ChangeBatch, void> {
  const { signal, pollIntervalMs, reconcileIntervalMs } = options
  // The end of the feed first: what is added while the rest is read follows it.
  let position = after ?? (await readHead(options))
  let isWhole = after !== undefined
  let restarted = !isWhole
  const batchOf = (revocations: readonly Revocation[], knownAt: Moment, caughtUp = false): ChangeBatch => {
    const first = restarted
    restarted = false
    return {
      revocations,
      restarted: first,
      // In the midst of everything, there is nowhere to go on from.
      cursor: isWhole ? serializePosition(position) : '',
      caughtUp,
      // It goes on counting, also where this process is stopped before anybody has read it.
      get ageMs() {
        return elapsedMs(knownAt)
      },
    }
  }
  let scan = isWhole ? undefined : scanRecords({ ...options, isConsistent: true })
  // Not all readers at the same time.
  let reconciledAt = takeMoment()
  let reconcileAfterMs = reconcileIntervalMs * (0.5 + Math.random() / 2)
  while (!signal.aborted) {
    const polledAt = takeMoment()
    while (scan !== undefined) {
      const { value, done } = await scan.next()
      if (done) {
        scan = undefined
        isWhole = true
        break
      }
      yield batchOf(value, position.knownAt ?? polledAt)
      // The feed must not be left behind while much is read.
      if (isWhole || elapsedMs(polledAt) >= pollIntervalMs) break
    }
    const askedAt = takeMoment()
    for await (const step of readTail(options, position)) {
      position = step.position
      yield batchOf(step.revocations, askedAt, isWhole && step.isLast)
    }
    if (!isWhole) continue
    if (scan === undefined && elapsedMs(reconciledAt) >= reconcileAfterMs) {
      reconciledAt = takeMoment()
      reconcileAfterMs = reconcileIntervalMs
      scan = scanRecords({ ...options, isConsistent: false })
    }
    await pause(pollIntervalMs - elapsedMs(askedAt), signal)
  }
}
