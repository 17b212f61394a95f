import { randomUUID } from 'node:crypto'
import type { Moment } from '../../clock.js'
import type { ItemKey } from './layout.js'

/** Numbers that a reader waits for at most; where more are missing, it reads everything. */
export const MAX_GAPS = 1_000

/** Where a reader of the feed is. */
export interface FeedPosition {
  /** Of the counter; empty while there is none. */
  readonly generation: string
  /** All announcements up to this number were read, but for the gaps. */
  readonly sequence: number
  /** Numbers that had been taken, but not announced yet, and since when that is known, by `performance.now()`. */
  readonly gaps: ReadonlyMap<number, number>
  /** Every greater number was taken after this moment. Undefined where another process has looked. */
  readonly knownAt: Moment | undefined
}

/** A reader's next reading of the whole table beside the feed. */
export interface Reconciliation {
  /** When it read all last, or began. */
  readonly since: Moment
  readonly afterMs: number
  /** Where to go on from, where it is under way. */
  readonly place?: ItemKey | undefined
}

/** What a cursor holds. */
export interface FeedCursor {
  readonly position: FeedPosition
  /** Undefined where another process has given it. */
  readonly reconciliation: Reconciliation | undefined
}

/** A cursor of this process: its monotonic clock is the one that was looked at. */
const PROCESS_ID = randomUUID()

export function serializeCursor(position: FeedPosition, { since, afterMs, place }: Reconciliation): string {
  const { generation, sequence, gaps, knownAt } = position
  const known = [PROCESS_ID, knownAt?.wall, knownAt?.monotonic]
  const reconciled = [since.wall, since.monotonic, afterMs, place]
  return JSON.stringify([generation, sequence, [...gaps.keys()], ...known, ...reconciled])
}

/** Undefined for what is no cursor of this store, or of a table without a counter: nobody knows it again. */
export function parseCursor(text: string | undefined): FeedCursor | undefined {
  const fields = parse(text)
  if (!Array.isArray(fields)) return undefined
  const [generation, sequence, gaps, processId, ...moments] = fields
  if (typeof generation !== 'string' || generation === '') return undefined
  if (!isSequence(sequence) || !Array.isArray(gaps)) return undefined
  if (gaps.length > MAX_GAPS || !gaps.every((gap) => isSequence(gap) && gap > 0 && gap <= sequence)) {
    return undefined
  }
  const isOwn = processId === PROCESS_ID
  const now = performance.now()
  return {
    position: {
      generation,
      sequence,
      gaps: new Map(gaps.map((gap) => [gap, now])),
      knownAt: isOwn ? momentOf(moments[0], moments[1]) : undefined,
    },
    reconciliation: isOwn ? reconciliationOf(moments.slice(2)) : undefined,
  }
}

function reconciliationOf([wall, monotonic, afterMs, place]: readonly unknown[]): Reconciliation | undefined {
  const since = momentOf(wall, monotonic)
  if (since === undefined || typeof afterMs !== 'number') return undefined
  return { since, afterMs, place: placeOf(place) }
}

function momentOf(wall: unknown, monotonic: unknown): Moment | undefined {
  return typeof wall === 'number' && typeof monotonic === 'number' ? { wall, monotonic } : undefined
}

function placeOf(value: unknown): ItemKey | undefined {
  const { pk, sk } = (value ?? {}) as Partial<ItemKey>
  return typeof pk?.S === 'string' && typeof sk?.N === 'string'
    ? { pk: { S: pk.S }, sk: { N: sk.N } }
    : undefined
}

function isSequence(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function parse(text: string | undefined): unknown {
  // As long as a cursor of this store is at most.
  if (text === undefined || text.length > 50_000) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
