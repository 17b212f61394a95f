import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { assertRevocation, purgeableAt, type Revocation } from '../../revocation/revocation.js'
import { decodeRecordKey, encodeRecordKey, mayHaveCutoff } from '../record-key.js'
import { unexpected } from './dynamodb-errors.js'
import type { Item } from './layout.js'

/** Written as the cutoff where there is none: larger than any, so that the larger one is always the right one. */
const NO_CUTOFF = 1e15

/** A record as it is written. Taken at once: the caller may change his own. */
export interface EncodedRecord {
  readonly key: string
  readonly expiresAt: string
  /** From when on DynamoDB may delete it. */
  readonly purgeAt: string
  /** Undefined in the scopes that have none. */
  readonly cutoff: string | undefined
  /** As it is announced. */
  readonly announcement: string
}

export function encodeRecord({ poolId, scope, id, cutoff, expiresAt, audit }: Revocation): EncodedRecord {
  const key = encodeRecordKey(poolId, scope, id)
  const fields: unknown[] = [key, expiresAt, cutoff ?? null]
  if (audit !== undefined) {
    const { revokedAt, reason, actor } = audit
    fields.push({ revokedAt, reason, actor })
  }
  return {
    key,
    expiresAt: String(expiresAt),
    purgeAt: String(Math.ceil(purgeableAt({ expiresAt }))),
    cutoff: mayHaveCutoff(key) ? String(cutoff ?? NO_CUTOFF) : undefined,
    announcement: JSON.stringify(fields),
  }
}

/** A record out of its item. @throws StoreProtocolError */
export function readRecord({ pk, sk, expiresAt, cutoff }: Item): Revocation {
  const key = readString(pk)
  if (readSequence(sk) !== 0) throw unexpected()
  const time = mayHaveCutoff(key) ? readNumber(cutoff) : NO_CUTOFF
  return recordOf(key, readNumber(expiresAt), time === NO_CUTOFF ? undefined : time)
}

/** The records of an announcement. @throws StoreProtocolError */
export function readAnnouncement({ records }: Item): Revocation[] {
  const list = parse(readString(records))
  if (!Array.isArray(list)) throw unexpected()
  return list.map((fields) => {
    if (!Array.isArray(fields) || typeof fields[0] !== 'string') throw unexpected()
    const [key, expiresAt, cutoff, audit] = fields
    return recordOf(key, expiresAt, cutoff ?? undefined, audit)
  })
}

function recordOf(
  key: string,
  expiresAt: Revocation['expiresAt'],
  cutoff: Revocation['cutoff'],
  audit?: Revocation['audit'],
): Revocation {
  const identity = decodeRecordKey(key)
  if (identity === undefined) throw unexpected()
  const record: Revocation = {
    ...identity,
    expiresAt,
    ...(cutoff === undefined ? {} : { cutoff }),
    ...(audit === undefined ? {} : { audit }),
  }
  try {
    // Whoever wrote it has looked at his clock.
    assertRevocation(record, Number.POSITIVE_INFINITY)
  } catch {
    throw unexpected()
  }
  return record
}

export function readString(value: AttributeValue | undefined): string {
  if (typeof value?.S !== 'string') throw unexpected()
  return value.S
}

function readNumber(value: AttributeValue | undefined): number {
  const number = Number(value?.N)
  if (typeof value?.N !== 'string' || value.N === '' || !(number >= 0)) throw unexpected()
  return number
}

/** A number of the feed's sequence. */
export function readSequence(value: AttributeValue | undefined): number {
  const number = readNumber(value)
  if (!Number.isSafeInteger(number)) throw unexpected()
  return number
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unexpected()
  }
}
