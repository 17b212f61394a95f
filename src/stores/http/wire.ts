import { StoreProtocolError } from '../../errors.js'
import {
  assertRevocation,
  idInScope,
  isBeforeCutoff,
  type Revocation,
  type RevocationAudit,
  type RevocationMatch,
} from '../../revocation/revocation.js'
import { isIdentifier } from '../../tokens/claims.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'

/** Of the protocol between `HttpRevocationStore` and `RevocationService`, docs/openapi.yaml. */
export const PATHS = {
  revocations: '/v1/revocations',
  find: '/v1/find',
  changes: '/v1/changes',
  health: '/v1/health',
  readiness: '/v1/readiness',
} as const

/** What the client puts into one request, and the service into one event, at most; the service takes more. */
export const MAX_PART = { records: 500, characters: 200_000 } as const
/** Tokens in one look-up of the client. */
export const MAX_TOKENS = 100
/** Characters of a cursor, for proxies take no long headers. A longer one is not sent: who comes back reads more. */
export const MAX_CURSOR_LENGTH = 4_096
/** A cursor, and whatever else goes into a header or a URL. */
export const CURSOR = /^[\w-]+\.[\w-]+$/
/** What a client gives to be told again in the answer, or in the first event of its stream. */
export const REQUEST_ID = /^[\w-]{1,64}$/
/** API keys: what can be sent in a header, from 32 bytes on. */
export const API_KEY = /^[\x21-\x7e]{32,1024}$/

/** The user pools that a stream tells of. */
export type ToldPools = 'all' | readonly string[]

/** The `data` of an event `changes`. */
export interface ChangesEvent {
  readonly revocations: readonly Revocation[]
  readonly caughtUp: boolean
  readonly restarted: boolean
  /** How long after it had received the request of this stream the service's knowledge was current, in milliseconds. */
  readonly knownAtMs: number
  /** The user pools that the stream tells of. In its first event, and wherever they change; then it begins anew. */
  readonly pools: ToldPools | undefined
}

type JsonObject = Record<string, unknown>

/** @throws TypeError naming the field */
export function asObject(what: string, value: unknown, fields: readonly string[]): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${what} must be an object`)
  }
  const unknown = Object.keys(value).find((field) => !fields.includes(field))
  if (unknown !== undefined) throw new TypeError(`${what} has the unknown field ${quoted(unknown)}`)
  return value as JsonObject
}

/** @throws TypeError naming the field */
export function asArray(what: string, value: unknown, maxLength: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} must be an array`)
  if (value.length > maxLength) throw new TypeError(`${what} must have at most ${maxLength} entries`)
  return value
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 40).toWellFormed())
}

const RECORD_FIELDS = ['poolId', 'scope', 'id', 'cutoff', 'expiresAt', 'audit']

/** A record as it is sent: its own fields, and no others. */
function encodeRecord({ poolId, scope, id, cutoff, expiresAt, audit }: Revocation): Revocation {
  return {
    poolId,
    scope,
    id,
    ...(cutoff === undefined ? {} : { cutoff }),
    expiresAt,
    ...(audit === undefined ? {} : { audit: encodeAudit(audit) }),
  }
}

function encodeAudit({ revokedAt, reason, actor }: RevocationAudit): RevocationAudit {
  return {
    revokedAt,
    ...(reason === undefined ? {} : { reason }),
    ...(actor === undefined ? {} : { actor }),
  }
}

/**
 * Reads a record, strictly.
 *
 * @param nowSeconds what a cutoff is checked by; Infinity for one that was checked when it was added
 * @throws TypeError naming the field
 * @throws CutoffInFutureError
 */
export function decodeRecord(value: unknown, nowSeconds: number): Revocation {
  const record = asObject('Invalid revocation: it', value, RECORD_FIELDS)
  if (record.audit !== undefined) {
    asObject('Invalid revocation: audit', record.audit, ['revokedAt', 'reason', 'actor'])
  }
  assertRevocation(record as unknown as Revocation, nowSeconds)
  return encodeRecord(record as unknown as Revocation)
}

const TOKEN_FIELDS = ['poolId', 'jti', 'originJti', 'sub', 'clientId', 'authTime', 'iat']

/** What of a token is sent. */
export function encodeToken({ poolId, jti, originJti, sub, clientId, authTime, iat }: TokenIdentity): object {
  return { poolId, jti, originJti, sub, clientId, authTime, iat }
}

/** @throws TypeError naming the field */
export function decodeToken(value: unknown): TokenIdentity {
  const token = asObject('it', value, TOKEN_FIELDS)
  for (const field of ['poolId', 'sub', 'clientId', 'jti', 'originJti']) {
    const isOptional = field === 'jti' || field === 'originJti'
    if (!(isOptional && token[field] === undefined) && !isIdentifier(token[field])) {
      throw new TypeError(`${field} must be a string of 1 to 256 characters`)
    }
  }
  for (const field of ['iat', 'authTime']) {
    const isOptional = field === 'authTime'
    if (!(isOptional && token[field] === undefined) && !Number.isFinite(token[field])) {
      throw new TypeError(`${field} must be in epoch seconds`)
    }
  }
  return token as unknown as TokenIdentity
}

/** A match as it is sent; null for none. */
export function encodeMatch(match: RevocationMatch | undefined): RevocationMatch | null {
  if (match === undefined) return null
  const { poolId, scope, id, cutoff, expiresAt } = match
  return encodeRecord({ poolId, scope, id, expiresAt, ...(cutoff === undefined ? {} : { cutoff }) })
}

/**
 * Reads an answer: a record that revokes this very token, or nothing.
 *
 * @throws StoreProtocolError
 */
export function decodeMatch(value: unknown, token: TokenIdentity): RevocationMatch | undefined {
  if (value === null) return undefined
  const match = asAnswer(() => decodeRecord(value, Number.POSITIVE_INFINITY))
  assertMatches(match, token)
  return match
}

/** @throws StoreProtocolError where a record does not revoke the token it was found for */
export function assertMatches(match: RevocationMatch, token: TokenIdentity): void {
  const isOurs = match.poolId === token.poolId && idInScope(token, match.scope) === match.id
  if (!isOurs || !isBeforeCutoff(token, match.cutoff)) {
    throw new StoreProtocolError('The answer is a revocation of another token')
  }
}

/** Reads what a service wrote. @throws StoreProtocolError without what was wrong, which may quote the answer */
export function asAnswer<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof StoreProtocolError) throw error
    throw new StoreProtocolError('The service did not answer in its protocol')
  }
}

const EVENT_FIELDS = ['revocations', 'caughtUp', 'restarted', 'knownAtMs', 'pools']

function decodePools(pools: unknown): ToldPools | undefined {
  if (pools === undefined || pools === 'all') return pools
  const poolIds = asArray('pools', pools, Number.MAX_SAFE_INTEGER)
  if (!poolIds.every(isIdentifier)) throw new TypeError('pools must be of user pool ids')
  return poolIds
}

/** @throws StoreProtocolError */
export function decodeChanges(text: string): ChangesEvent {
  return asAnswer(() => {
    const event = asObject('event', JSON.parse(text), EVENT_FIELDS)
    const { caughtUp, restarted, knownAtMs } = event
    if (typeof caughtUp !== 'boolean' || typeof restarted !== 'boolean') throw new TypeError('not boolean')
    if (typeof knownAtMs !== 'number') throw new TypeError('knownAtMs must be a number')
    const records = asArray('revocations', event.revocations, MAX_PART.records)
    const revocations = records.map((record) => decodeRecord(record, Number.POSITIVE_INFINITY))
    return { revocations, caughtUp, restarted, knownAtMs, pools: decodePools(event.pools) }
  })
}

/** Records that fit into one request or event, as JSON. */
export interface RecordsPart {
  readonly text: string
  readonly count: number
}

/** Parts that each fit into one request or event; one empty part for no records. */
export function splitRecords(records: readonly Revocation[]): RecordsPart[] {
  const parts: string[][] = [[]]
  let characters = 0
  for (const record of records) {
    const text = JSON.stringify(encodeRecord(record))
    let part = parts.at(-1) as string[]
    const isFull = part.length === MAX_PART.records || characters + text.length > MAX_PART.characters
    if (isFull && part.length > 0) {
      part = []
      parts.push(part)
      characters = 0
    }
    part.push(text)
    characters += text.length
  }
  return parts.map((part) => ({ text: `[${part.join(',')}]`, count: part.length }))
}
