import { CutoffInFutureError } from '../errors.js'
import { CLOCK_TOLERANCE_SECONDS, isIdentifier, MAX_ID_LENGTH } from '../tokens/claims.js'
import { ownMember } from '../tokens/own-member.js'
import type { TokenIdentity } from '../tokens/token-identity.js'

/** How long after `expiresAt` a record is kept, in seconds: no clock can make one vanish early. */
const PURGE_DELAY_SECONDS = 3_600

/** Epoch seconds beyond this (the year 5138) are milliseconds by mistake. */
const MAX_EPOCH_SECONDS = 1e11

/** What a revocation ends: one token, one session, or all tokens of a user, an app client, a user pool. */
export type RevocationScope = 'token' | 'session' | 'user' | 'client' | 'pool'

/** The scopes, from the narrowest to the widest. */
export const REVOCATION_SCOPES = ['token', 'session', 'user', 'client', 'pool'] as const

const SCOPE_INDEXES = new Map<unknown, number>(REVOCATION_SCOPES.map((scope, index) => [scope, index]))

/** Who revoked, when and why. Travels in the feed, is never merged, decides nothing. */
export interface RevocationAudit {
  /** Epoch seconds. */
  readonly revokedAt: number
  readonly reason?: string
  readonly actor?: string
}

/** A revocation, as it is recorded in a store. */
export interface Revocation {
  /** The user pool's id; never the issuer, since one pool can have two issuers. */
  readonly poolId: string
  readonly scope: RevocationScope
  /** jti, origin_jti, sub, client_id or pool id, by the scope; at most 256 characters. */
  readonly id: string
  /**
   * Epoch seconds, in Cognito's clock; for the scopes user, client and pool only. Tokens authenticated or
   * issued at or before it are revoked. Without it, all are.
   */
  readonly cutoff?: number
  /** Epoch seconds. From here on the record may be forgotten; until it is, it matches. */
  readonly expiresAt: number
  readonly audit?: RevocationAudit
}

/** The record that a token matched. */
export type RevocationMatch = Omit<Revocation, 'audit'>

/** Its place among {@link REVOCATION_SCOPES}; undefined for what is no scope. */
export function scopeIndex(scope: unknown): number | undefined {
  return SCOPE_INDEXES.get(scope)
}

/** The id under which a token would be revoked by this scope; undefined if it cannot be. */
export function idInScope(token: TokenIdentity, scope: RevocationScope): string | undefined {
  switch (scope) {
    case 'token':
      return token.jti
    case 'session':
      return token.originJti
    case 'user':
      return token.sub
    case 'client':
      return token.clientId
    case 'pool':
      return token.poolId
  }
}

/** Whether a token is at or before a cutoff; no cutoff is before none. */
export function isBeforeCutoff(token: TokenIdentity, cutoff: number | undefined): boolean {
  // Null as well, which some databases and JSON have for it.
  if (cutoff === undefined || cutoff === null) return true
  const { iat, authTime = iat } = token
  // Whatever is not a number must not pass for "after".
  return !(Math.min(authTime, iat) > cutoff)
}

/** The part of a record that grows when two are merged. */
export type RevocationExtent = Pick<Revocation, 'cutoff' | 'expiresAt'>

/**
 * Merges two records of the same pool, scope and id: the larger cutoff (none is the largest), the larger
 * expiresAt. Commutative, associative, idempotent; nothing it does shortens or removes a revocation.
 */
export function mergeExtents(a: RevocationExtent, b: RevocationExtent): RevocationExtent {
  const expiresAt = Math.max(a.expiresAt, b.expiresAt)
  const [one, other] = [ownMember(a, 'cutoff'), ownMember(b, 'cutoff')]
  if (one === undefined || other === undefined) return { expiresAt }
  return { cutoff: Math.max(one, other), expiresAt }
}

/** From when on a store may forget the record, in epoch seconds. */
export function purgeableAt({ expiresAt }: RevocationExtent): number {
  return expiresAt + PURGE_DELAY_SECONDS
}

/** A record of one's own: the other one is its owner's, who may change it. */
export function copyOf(revocation: Revocation): Revocation {
  const { audit } = revocation
  return audit === undefined ? { ...revocation } : { ...revocation, audit: { ...audit } }
}

/**
 * Checks a record before it is stored: what a store holds, it holds until it is over.
 *
 * @param nowSeconds the store's clock, epoch seconds
 * @throws TypeError naming the field
 * @throws CutoffInFutureError if the cutoff is over 300 s ahead: max-merge could never undo it
 */
export function assertRevocation(revocation: Revocation, nowSeconds: number): void {
  if (typeof revocation !== 'object' || revocation === null) throw invalid('it', 'an object')
  const { poolId, scope, id, cutoff, expiresAt, audit } = revocation
  if (!isIdentifier(poolId)) throw invalid('poolId', `a string of 1 to ${MAX_ID_LENGTH} characters`)
  if (!REVOCATION_SCOPES.includes(scope)) throw invalid('scope', `one of ${REVOCATION_SCOPES.join(', ')}`)
  if (!isIdentifier(id)) throw invalid('id', `a string of 1 to ${MAX_ID_LENGTH} characters`)
  if (scope === 'pool' && id !== poolId) throw invalid('id', 'the pool id, in the scope pool')
  if (!isEpochSeconds(expiresAt)) throw invalid('expiresAt', 'in epoch seconds')
  if (audit !== undefined) assertAudit(audit)
  if (cutoff === undefined) return
  if (scope === 'token' || scope === 'session') throw invalid('cutoff', `absent in the scope ${scope}`)
  if (!isEpochSeconds(cutoff)) throw invalid('cutoff', 'in epoch seconds')
  if (cutoff > nowSeconds + CLOCK_TOLERANCE_SECONDS) {
    const ahead = Math.round(cutoff - nowSeconds)
    throw new CutoffInFutureError(
      `The cutoff is ${ahead} s in the future, over ${CLOCK_TOLERANCE_SECONDS}: check the clocks`,
    )
  }
}

/**
 * Whether what a store gives is a record, as far as it matters to who looks tokens up in it: what is not a number
 * would look like a cutoff of long ago, or like one that is over.
 */
export function isRecord(value: unknown): value is Revocation {
  if (typeof value !== 'object' || value === null) return false
  const record: Partial<Record<keyof Revocation, unknown>> = value
  const { poolId, scope, id, expiresAt } = record
  const cutoff = ownMember(record, 'cutoff')
  return (
    typeof poolId === 'string' &&
    SCOPE_INDEXES.has(scope) &&
    typeof id === 'string' &&
    isTime(expiresAt) &&
    (cutoff === undefined || isTime(cutoff))
  )
}

/** @throws TypeError naming the field */
export function assertAudit({ revokedAt, reason, actor }: RevocationAudit): void {
  if (!isEpochSeconds(revokedAt)) throw invalid('audit.revokedAt', 'in epoch seconds')
  if (reason !== undefined && !isText(reason))
    throw invalid('audit.reason', 'a string of at most 1024 characters')
  if (actor !== undefined && !isText(actor))
    throw invalid('audit.actor', 'a string of at most 1024 characters')
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 1024 && value.isWellFormed()
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0
}

function isEpochSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < MAX_EPOCH_SECONDS
}

function invalid(field: string, expected: string): TypeError {
  return new TypeError(`Invalid revocation: ${field} must be ${expected}`)
}
