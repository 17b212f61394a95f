import {
  isBeforeCutoff,
  type Revocation,
  type RevocationAudit,
  type RevocationMatch,
} from '../../revocation/revocation.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { decodeMember, encodeMember, mayHaveCutoff } from './layout.js'
import type { Found } from './look-ups.js'
import { lostError, unexpected } from './redis-errors.js'

/** A record as the script takes it, and where it belongs. */
export interface EncodedRecord {
  readonly poolId: string
  readonly args: readonly string[]
}

/** A record as the script takes it. */
export function encodeRecord({ poolId, scope, id, cutoff, expiresAt, audit }: Revocation): string[] {
  const member = encodeMember(poolId, scope, id)
  const noCutoff = mayHaveCutoff(member) ? '+inf' : ''
  return [
    member,
    String(expiresAt),
    cutoff === undefined ? noCutoff : String(cutoff),
    audit === undefined ? '' : encodeAudit(audit),
  ]
}

function encodeAudit({ revokedAt, reason, actor }: RevocationAudit): string {
  return JSON.stringify({ revokedAt, reason, actor })
}

/** The first of a token's records that revokes it. @throws StoreProtocolError where that depends on a lost cutoff */
export function matchIn(found: readonly Found[], token: TokenIdentity): RevocationMatch | undefined {
  let isLost = false
  for (const { member, expires, cutoff } of found) {
    const record = readRecord(member, expires, cutoff)
    if (record === undefined) isLost = true
    else if (isBeforeCutoff(token, record.cutoff)) return record
  }
  if (isLost) throw lostError()
  return undefined
}

/**
 * A record out of what Redis keeps of it; undefined where its cutoff is gone, for which even "none" is written
 * down. To take that for none would end every session of a user for good, since mirrors would write it back.
 *
 * @throws StoreProtocolError
 */
export function readRecord(member: string, expires: unknown, cutoff: unknown): Revocation | undefined {
  const { poolId, scope, id } = decodeMember(member)
  const record = { poolId, scope, id, expiresAt: readScore(expires) }
  if (!mayHaveCutoff(member)) return record
  if (cutoff === undefined || cutoff === null || cutoff === '') return undefined
  const score = readScore(cutoff)
  return score === Number.POSITIVE_INFINITY ? record : { ...record, cutoff: score }
}

function readScore(value: unknown): number {
  const score = value === 'inf' || value === '+inf' ? Number.POSITIVE_INFINITY : Number(value)
  if (typeof value !== 'string' || value === '' || Number.isNaN(score)) throw unexpected()
  return score
}
