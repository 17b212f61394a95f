import { setImmediate as nextTurn } from 'node:timers/promises'
import { elapsedMs, takeMoment } from '../../clock.js'
import { pause } from '../../pause.js'
import type { Revocation } from '../../revocation/revocation.js'
import type { ChangeBatch, ChangesOptions } from '../../revocation/store.js'
import type { NewsBell } from './news-bell.js'
import { BEFORE_ALL, type Position } from './revocation-database.js'
import type { SharedFile } from './shared-file.js'

/** Between two readings of everything by one reader, in milliseconds. */
const RESTART_PAUSE_MS = 250

/** What the feed of a file needs. */
export interface FileFeedOptions extends ChangesOptions {
  readonly file: SharedFile
  /** Rings when this process has added something. */
  readonly bell: NewsBell
  readonly heartbeatMs: number
  readonly pollIntervalMs: number
}

/** The change feed: everything, then what is added, looked for again and again. */
export async function* readFeed(options: FileFeedOptions): AsyncGenerator<ChangeBatch, void, undefined> {
  const { signal } = options
  let position = parseCursor(options.after)
  try {
    for (let round = 0; !signal.aborted; round++) {
      if (round > 1) await pause(RESTART_PAUSE_MS, signal)
      position ??= yield* readEverything(options)
      if (position !== undefined) yield* follow(options, position)
      position = undefined
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** @returns from where to go on; undefined at the signal */
async function* readEverything({
  file,
  signal,
}: FileFeedOptions): AsyncGenerator<ChangeBatch, Position | undefined, undefined> {
  const restartedAt = { restarted: true }
  // The head first: what is added while the rest is read follows it.
  const head = await file.ask((database) => database.head(), { signal })
  let key = BEFORE_ALL
  for (;;) {
    const knownAt = takeMoment()
    const page = await file.ask((database) => database.revocationsAfter(key), { signal })
    if (signal.aborted) return undefined
    // There is no place to go on from in the midst of it.
    yield {
      ...restartedAt,
      revocations: page.revocations,
      cursor: '',
      caughtUp: false,
      get ageMs() {
        return elapsedMs(knownAt)
      },
    }
    restartedAt.restarted = false
    if (page.isLast) return head
    key = page.next
    await nextTurn()
  }
}

/** Goes on from a position. Ends at the signal, or where there is a gap. */
async function* follow(
  { file, bell, signal, heartbeatMs, pollIntervalMs }: FileFeedOptions,
  from: Position,
): AsyncGenerator<ChangeBatch, void, undefined> {
  let position = from
  let toldAt = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const knownAt = takeMoment()
    const rung = bell.rung
    const since = position
    const page = await file.ask((database) => database.changesAfter(since), { signal })
    if (page === undefined) return
    position = page.next
    const { revocations, isLast } = page
    if (revocations.length > 0 || !isLast || performance.now() - toldAt >= heartbeatMs) {
      if (signal.aborted) return
      toldAt = performance.now()
      yield batchOf(revocations, position, isLast, () => elapsedMs(knownAt))
    }
    if (isLast) await bell.wait(rung, Math.min(pollIntervalMs, heartbeatMs), signal)
    else await nextTurn()
  }
}

function batchOf(
  revocations: readonly Revocation[],
  position: Position,
  caughtUp: boolean,
  age: () => number,
): ChangeBatch {
  return {
    revocations,
    cursor: `${position.sequence}:${position.nonce}`,
    caughtUp,
    // It goes on counting: much can be added before the reader gets to see the batch.
    get ageMs() {
      return age()
    },
  }
}

/** A place in the feed; undefined for what is no cursor of this store. */
function parseCursor(cursor: string | undefined): Position | undefined {
  const [, sequence, nonce] = /^(\d{1,15}):([\w-]{16})$/.exec(cursor ?? '') ?? []
  return sequence === undefined || nonce === undefined ? undefined : { sequence: Number(sequence), nonce }
}
