import {
  assertRevocation,
  idInScope,
  isBeforeCutoff,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationMatch,
} from '../../revocation/revocation.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'
import { unexpected } from './file-errors.js'
import type { SqliteValue } from './sqlite.js'

/** What is the same in all records that are one, and the extent: parameters of statements, in this order. */
type RecordParameters = readonly [
  poolId: string,
  scope: string,
  id: string,
  cutoff: number,
  expiresAt: number,
]

/** A record as it is written. */
export interface EncodedRecord {
  readonly parameters: RecordParameters
  readonly audit: string | null
}

/** No cutoff is the largest, so that a merge is a plain maximum. */
const NO_CUTOFF = Number.POSITIVE_INFINITY

export function encodeRecord({ poolId, scope, id, cutoff, expiresAt, audit }: Revocation): EncodedRecord {
  const { revokedAt, reason, actor } = audit ?? {}
  return {
    parameters: [encodeText(poolId), scope, encodeText(id), cutoff ?? NO_CUTOFF, expiresAt],
    audit: audit === undefined ? null : JSON.stringify({ revokedAt, reason, actor }),
  }
}

/** For each scope the pool and the id to look for: null, which nothing is equal to, where the token has none. */
export function lookUpParameters(token: TokenIdentity): SqliteValue[] {
  const poolId = encodeText(token.poolId)
  return REVOCATION_SCOPES.flatMap((scope) => {
    const id = idInScope(token, scope)
    return [poolId, id === undefined ? null : encodeText(id)]
  })
}

/** The first of the rows that revokes the token. @throws StoreProtocolError */
export function matchIn(rows: readonly unknown[], token: TokenIdentity): RevocationMatch | undefined {
  for (const row of rows) {
    const { scope: name, cutoff, expires_at: expiresAt } = fieldsOf(row)
    const scope = REVOCATION_SCOPES.find((known) => known === name)
    const id = scope && idInScope(token, scope)
    if (scope === undefined || id === undefined) throw unexpected()
    if (typeof cutoff !== 'number' || typeof expiresAt !== 'number') throw unexpected()
    const match = { poolId: token.poolId, scope, id, expiresAt }
    if (cutoff === NO_CUTOFF) return match
    if (isBeforeCutoff(token, cutoff)) return { ...match, cutoff }
  }
  return undefined
}

/** A record out of a row. @throws StoreProtocolError */
export function readRecord(row: unknown): Revocation {
  const { pool_id: poolId, scope, id, cutoff, expires_at: expiresAt, audit } = fieldsOf(row)
  try {
    const record = {
      poolId: decodeText(poolId),
      scope,
      id: decodeText(id),
      ...(cutoff === NO_CUTOFF ? {} : { cutoff }),
      expiresAt,
      ...(typeof audit === 'string' ? { audit: JSON.parse(audit) } : {}),
    } as Revocation
    // However far ahead its cutoff is: it was looked at when it was added.
    assertRevocation(record, Number.POSITIVE_INFINITY)
    return record
  } catch (cause) {
    throw unexpected(cause)
  }
}

/** A row by its columns. @throws StoreProtocolError */
export function fieldsOf(row: unknown): Readonly<Record<string, unknown>> {
  if (typeof row !== 'object' || row === null) throw unexpected()
  return row as Readonly<Record<string, unknown>>
}

// Some versions of SQLite's bindings end a text at U+0000, and would take two ids for one.
function encodeText(text: string): string {
  if (!text.includes('\u0000') && !text.includes('\u0001')) return text
  return text.replaceAll('\u0001', '\u0001b').replaceAll('\u0000', '\u0001a')
}

function decodeText(text: unknown): string {
  if (typeof text !== 'string') throw unexpected()
  if (!text.includes('\u0001')) return text
  return text.replaceAll('\u0001a', '\u0000').replaceAll('\u0001b', '\u0001')
}
