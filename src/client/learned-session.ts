import * as errors from '../errors.js'
import type { SessionContext } from './context.js'
import type { KnownSession } from './known-sessions.js'

/** Where a session's origin_jti was learned from. */
export type LearnedFrom = NonNullable<errors.PartialOutcome['learnedFrom']>

/** One id of a session. */
export interface SessionId {
  readonly origin_jti: string
  readonly sub: string
}

/** What was learned of the session behind a refresh token. */
export interface LearnedSession {
  /** Every id of the session that is known; empty if it could not be learned. */
  readonly sessions: readonly SessionId[]
  readonly learnedFrom: LearnedFrom
  /** The refresh tokens to revoke, the newest first; none where Cognito has revoked already. */
  readonly refreshTokens: readonly string[]
  /**
   * Whether nothing can come after these refresh tokens, as far as is known. Else the session may go on by a
   * successor that is not known here: whether Cognito ends it along is not documented.
   */
  readonly isNewest: boolean
  /** Why it could not be learned, or only from memory. */
  readonly failure?: unknown
}

/** Whether Cognito's word that it has revoked leaves open if the session has ended: there may be a successor. */
export function mayGoOn({ isNewest, failure }: LearnedSession): boolean {
  return !isNewest && failure !== undefined && !(failure instanceof errors.RefreshTokenRevokedError)
}

/**
 * What this process knows of a session besides what was learned: more ids, and the newest refresh token, from a refresh
 * that ended meanwhile, say. Undefined where there is nothing new.
 */
export function learnedSince(
  { sessions, successors }: Pick<SessionContext, 'sessions' | 'successors'>,
  refreshToken: string,
  learned: LearnedSession,
): { readonly all: LearnedSession; readonly refreshTokens: readonly string[] } | undefined {
  const known = sessions.find(refreshToken)
  if (learned.sessions[0] === undefined || known?.sub !== learned.sessions[0].sub) return undefined
  const all = uniqueById([...learned.sessions, ...idsOf(known)])
  const newest = successors.newestOf(all.map(({ origin_jti }) => origin_jti))
  const refreshTokens = newest === undefined || learned.refreshTokens.includes(newest) ? [] : [newest]
  if (refreshTokens.length === 0 && all.length === learned.sessions.length) return undefined
  return {
    all: { ...learned, sessions: all, refreshTokens: [...refreshTokens, ...learned.refreshTokens] },
    refreshTokens,
  }
}

/** Every id that this process remembers of a session. */
export function idsOf({ sub, originJtis }: KnownSession): SessionId[] {
  return originJtis.map((origin_jti) => ({ origin_jti, sub }))
}

/** The same without repetitions. */
export function uniqueById(sessions: readonly SessionId[]): SessionId[] {
  return [...new Map(sessions.map((session) => [session.origin_jti, session])).values()]
}
