import { elapsedMs, type Moment, takeMoment } from '../../clock.js'
import { pause } from '../../pause.js'
import type { Revocation } from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions } from '../../revocation/store.js'
import type { OwnGenerations } from '../own-generations.js'
import { isTransient, storeError } from './dynamodb-errors.js'
import { type FeedCursor, parseCursor, type Reconciliation, serializeCursor } from './feed-position.js'
import { FeedGap, readHead, readTail, type TailOptions } from './feed-tail.js'
import { type ScanPage, scanRecords } from './scan.js'

/** Between two readings of everything by one reader, in milliseconds. */
const RESTART_PAUSE_MS = 250
/** For so long a first reading goes on though the feed cannot be polled, in milliseconds: to begin anew costs more. */
const RIDE_OUT_MS = 60_000

/** What the feed of a store over DynamoDB needs. */
export interface FeedOptions extends TailOptions, ChangesOptions {
  readonly pollIntervalMs: number
  readonly reconcileIntervalMs: number
  readonly ownGenerations: OwnGenerations
}

/** The change feed: by polling, from a cursor on or from everything. */
export async function* readFeed(options: FeedOptions): AsyncGenerator<ChangeBatch, void, undefined> {
  const { signal } = options
  try {
    let cursor = parseCursor(options.after)
    while (!signal.aborted) {
      try {
        for await (const batch of follow(options, cursor)) {
          if (signal.aborted) return
          yield batch
        }
      } catch (error) {
        if (!(error instanceof FeedGap)) throw error
        if (cursor === undefined) await pause(RESTART_PAUSE_MS, signal)
        cursor = undefined
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
  after: FeedCursor | undefined,
): AsyncGenerator<ChangeBatch, void> {
  const { signal, pollIntervalMs, reconcileIntervalMs, ownGenerations } = options
  const ownBefore = ownGenerations.count
  // The end of the feed first: what is added while the rest is read follows it.
  let position = after?.position ?? (await readHead(options))
  let isWhole = after !== undefined
  let restarted = !isWhole
  // Not all readers at the same time.
  const firstAfterMs = reconcileIntervalMs * (0.5 + Math.random() / 2)
  let reconciliation: Reconciliation = after?.reconciliation ?? { since: takeMoment(), afterMs: firstAfterMs }
  const batchOf = (revocations: readonly Revocation[], knownAt: Moment, caughtUp = false): ChangeBatch => {
    const first = restarted
    restarted = false
    return {
      revocations,
      restarted: first,
      // In the midst of everything, there is nowhere to go on from.
      cursor: isWhole ? serializeCursor(position, reconciliation) : '',
      caughtUp,
      // It goes on counting, also where this process is stopped before anybody has read it.
      get ageMs() {
        return elapsedMs(knownAt)
      },
    }
  }
  let scan = isWhole ? undefined : scanRecords({ ...options, isConsistent: true })
  let page: Promise<IteratorResult<ScanPage, void>> | undefined
  let heardAt = takeMoment()
  while (!signal.aborted) {
    const polledAt = takeMoment()
    while (scan !== undefined) {
      page ??= scan.next()
      // The feed must not be left behind while much is read, nor its polls wait for what is read beside it.
      const result = await within(page, isWhole ? 0 : pollIntervalMs - elapsedMs(polledAt))
      if (result === undefined) break
      page = undefined
      if (result.done) {
        scan = undefined
        if (isWhole) reconciliation = { since: takeMoment(), afterMs: reconcileIntervalMs }
        isWhole = true
        break
      }
      if (isWhole) reconciliation = { ...reconciliation, place: result.value.place }
      yield batchOf(result.value.revocations, position.knownAt ?? polledAt)
      if (isWhole || elapsedMs(polledAt) >= pollIntervalMs) break
    }
    const askedAt = takeMoment()
    const own = ownGenerations.since(ownBefore)
    try {
      for await (const step of readTail(options, position)) {
        // A counter by which this store has announced since is gone, and what was added as well: also where no poll
        // has ever seen it.
        if (own.some((generation) => generation !== step.position.generation)) throw new FeedGap()
        if (position.generation !== step.position.generation) {
          // The table may have been restored since, and hold what no announcement of this counter tells.
          isWhole = false
          scan = scanRecords({ ...options, isConsistent: true })
          page = undefined
        }
        position = step.position
        yield batchOf(step.revocations, askedAt, isWhole && step.isLast)
      }
      heardAt = askedAt
    } catch (error) {
      if (isWhole || !isTransient(error) || elapsedMs(heardAt) > RIDE_OUT_MS) throw error
      yield batchOf([], askedAt)
    }
    if (!isWhole) continue
    const { since, afterMs, place } = reconciliation
    if (scan === undefined && elapsedMs(since) >= afterMs) {
      scan = scanRecords({ ...options, isConsistent: false, from: place })
    }
    await pause(pollIntervalMs - elapsedMs(askedAt), signal)
  }
}

/** What the promise resolves to, if it does within the time; else undefined. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms).unref()
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
