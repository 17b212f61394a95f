import { randomUUID } from 'node:crypto'
import type { Moment } from '../../clock.js'

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

/** A cursor of this process: its monotonic clock is the one that was looked at. */
const PROCESS_ID = randomUUID()

export function serializePosition({ generation, sequence, gaps, knownAt }: FeedPosition): string {
  const moment = knownAt === undefined ? [] : [PROCESS_ID, knownAt.wall, knownAt.monotonic]
  return JSON.stringify([generation, sequence, [...gaps.keys()], ...moment])
}

/** Undefined for what is no cursor of this store. */
export function parsePosition(text: string | undefined): FeedPosition | undefined {
  const fields = parse(text)
  if (!Array.isArray(fields)) return undefined
  const [generation, sequence, gaps, processId, wall, monotonic] = fields
  if (typeof generation !== 'string' || !isSequence(sequence) || !Array.isArray(gaps)) return undefined
  if (gaps.length > MAX_GAPS || !gaps.every((gap) => isSequence(gap) && gap > 0 && gap <= sequence)) {
    return undefined
  }
  const isOwn = processId === PROCESS_ID && Number.isFinite(wall) && Number.isFinite(monotonic)
  const now = performance.now()
  return {
    generation,
    sequence,
    gaps: new Map(gaps.map((gap) => [gap, now])),
    knownAt: isOwn ? { wall, monotonic } : undefined,
  }
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
