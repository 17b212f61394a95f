import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock } from '../clock.js'
import { StoreProtocolError } from '../errors.js'
import type { Revocation, RevocationMatch } from './revocation.js'
import { inSlices } from './slices.js'
import type { RevocationTable } from './table/revocation-table.js'

/** A part of what `RevocationMirror.snapshot()` gives: plain JSON, with some thousand revocations at most. */
export interface MirrorSnapshotPart {
  /** Of this form. */
  readonly version: 1
  /** Of this snapshot: its parts are not to be mixed with another's. */
  readonly snapshotId: string
  /** When the snapshot was begun, in epoch milliseconds. */
  readonly takenAt: number
  readonly revocations: readonly RevocationMatch[]
  /** In the last part, and in no other: what is cut off has none. */
  readonly end?: MirrorSnapshotEnd
}

/** What the last part of a snapshot says of all of it. */
export interface MirrorSnapshotEnd {
  /** How many revocations there are in all parts. */
  readonly size: number
  /** Where in the store's feed to go on from. Absent where the mirror did not know all up to there. */
  readonly cursor?: string
  /** The user pools that all was known of up to there. Absent for all. */
  readonly pools?: readonly string[]
}

/** All of the table, in parts. `resume` was right before any was read: entries leave a table by time only. */
export function* writeSnapshot(
  table: RevocationTable,
  resume: Omit<MirrorSnapshotEnd, 'size'>,
): Generator<MirrorSnapshotPart, void, undefined> {
  const head = { version: 1, snapshotId: randomUUID(), takenAt: systemClock() } as const
  let size = 0
  for (const revocations of table.entries()) {
    size += revocations.length
    if (revocations.length > 0) yield { ...head, revocations }
  }
  yield { ...head, revocations: [], end: { size, ...resume } }
}

/**
 * Enters what a snapshot holds, and gives its end; undefined where there is no part, and once it is over, since there
 * is no room, say.
 *
 * @throws StoreProtocolError where it is no whole snapshot; what came before is entered
 */
export async function readSnapshot(
  parts: Iterable<MirrorSnapshotPart>,
  enter: (revocation: Revocation) => void,
  isOver: () => boolean,
): Promise<MirrorSnapshotEnd | undefined> {
  let size = 0
  let id: string | undefined
  let end: MirrorSnapshotEnd | undefined
  for (const part of parts) {
    if (part?.version !== 1 || !Array.isArray(part.revocations) || end !== undefined) throw unexpected()
    id ??= part.snapshotId
    if (typeof id !== 'string' || part.snapshotId !== id) throw unexpected()
    await inSlices(part.revocations, enter)
    await nextTurn()
    if (isOver()) return undefined
    size += part.revocations.length
    end = part.end
  }
  if (id === undefined) return undefined
  const { cursor, pools } = end ?? {}
  const isWhole =
    end?.size === size &&
    (cursor === undefined || typeof cursor === 'string') &&
    (pools === undefined || (Array.isArray(pools) && pools.every((pool) => typeof pool === 'string')))
  if (!isWhole) throw unexpected()
  return end
}

function unexpected(): StoreProtocolError {
  return new StoreProtocolError('The snapshot of the mirror is not whole, or no snapshot')
}
