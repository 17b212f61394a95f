import * as errors from '../errors.js'
import { assertOptionalBoolean } from '../options.js'
import { clientIdOf } from '../tokens/claims.js'
import type { ClientContext } from './context.js'
import type { KnownSession } from './known-sessions.js'
import type { RevokeVia } from './revoke-via.js'
import { claimsFromCognito } from './session-tokens.js'

/** A refresh token, and what is at hand to learn its session from. */
export interface SessionHints {
  readonly refreshToken: string
  /** The session's access token, to learn its origin_jti from. Without a good one, the session is refreshed once. */
  readonly accessToken?: string | undefined
  /** The session's ID token, for the same. */
  readonly idToken?: string | undefined
  /** The user's real username; see `refresh`. */
  readonly username?: string | undefined
  /**
   * The key of the user's device; see `refresh`. Without it, where the user pool tracks devices, Cognito refuses the
   * refresh that would tell the session: "Invalid Refresh Token".
   */
  readonly deviceKey?: string | undefined
  /** See `refresh`. */
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
  /**
   * Learn the session from Cognito in any case. For callers that took the refresh token from a request body:
   * a token given along may then belong to another session than the refresh token. Default false.
   */
  readonly confirmPairing?: boolean
}

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
  /** Why it could not be learned, or only from memory. */
  readonly failure?: unknown
}

/**
 * Whether Cognito says that the refresh token was rotated away. Then it may have successors that nobody here knows,
 * and whether revoking it ends them is not documented.
 */
export function isReplaced({ failure }: LearnedSession): boolean {
  return failure instanceof errors.RefreshTokenReuseError
}

interface Hint {
  readonly from: 'accessToken' | 'idToken'
  readonly claims: SessionId
}

/** Refusals after which there is nothing to revoke, or no way to: the caller gets them as they are. */
const FINAL = [
  errors.RefreshTokenRevokedError,
  errors.RefreshTokenInvalidError,
  errors.SecretHashMismatchError,
  errors.WrongClientError,
  errors.InvalidParameterError,
  errors.ResourceNotFoundError,
  TypeError,
]

/** Refusals that say nothing against what this process remembers of the refresh token. */
const SPENT = [
  errors.RefreshTokenRevokedError,
  errors.RefreshTokenInvalidError,
  errors.RefreshTokenReuseError,
]

/**
 * Learns which session a refresh token belongs to. The refresh token is opaque, so either a token given along
 * tells, if it verifies fully (an unsigned or stale one would let anyone end anyone's session), or one refresh.
 */
export class SessionLearner {
  readonly #context: ClientContext
  readonly #via: RevokeVia

  /** @param via which way to refresh: by the endpoint, nothing else need be within reach */
  constructor(context: ClientContext, via: RevokeVia) {
    this.#context = context
    this.#via = via
  }

  /**
   * Learns the session, with all its ids and the newest refresh token that this process knows: what Cognito does
   * with one that was rotated away is not documented.
   *
   * @throws what Cognito says of a refresh token that is not, or no longer, good for this app client
   */
  async learn(input: SessionHints & { readonly signal?: AbortSignal }): Promise<LearnedSession> {
    const learned = await this.#learn(input)
    const [first] = learned.sessions
    const known = this.#context.sessions.find(input.refreshToken)
    if (first === undefined || known?.sub !== first.sub) return learned
    const sessions = uniqueById([...learned.sessions, ...idsOf(known)])
    const newest = this.#context.successors.newestOf(sessions.map(({ origin_jti }) => origin_jti))
    if (newest === undefined || learned.refreshTokens.length === 0) return { ...learned, sessions }
    return { ...learned, sessions, refreshTokens: [...new Set([newest, ...learned.refreshTokens])] }
  }

  /** @throws what Cognito says of a refresh token that is not, or no longer, good for this app client */
  async #learn(input: SessionHints & { readonly signal?: AbortSignal }): Promise<LearnedSession> {
    const { refreshToken } = input
    assertOptionalBoolean('revokeRefreshToken', 'confirmPairing', input.confirmPairing)
    const hints = input.confirmPairing === true ? { good: [], revoked: [] } : await this.#readHints(input)
    const [hint] = hints.good
    if (hint !== undefined && isOneSession(hints.good)) {
      return { sessions: [hint.claims], learnedFrom: hint.from, refreshTokens: [refreshToken] }
    }
    try {
      return await this.#learnByRefresh(input)
    } catch (error) {
      // Nothing has been done yet.
      input.signal?.throwIfAborted()
      const [known] = hints.revoked
      const isRevoked = error instanceof errors.RefreshTokenRevokedError
      // The token endpoint does not tell one that is revoked from one that was rotated away.
      const isRefused = this.#via === 'endpoint' && error instanceof errors.RefreshTokenInvalidError
      if ((isRevoked || isRefused) && known !== undefined && isOneSession(hints.revoked)) {
        const learned = { sessions: [known.claims], learnedFrom: known.from }
        if (isRevoked) return { ...learned, refreshTokens: [] }
        return { ...learned, refreshTokens: [refreshToken], failure: error }
      }
      const remembered = this.#context.sessions.find(refreshToken)
      // The token endpoint has one refusal for all, and may refuse an app client for which the other one does.
      const isSpent = this.#via === 'endpoint' || SPENT.some((Class) => error instanceof Class)
      if (remembered !== undefined && isSpent) {
        const refreshTokens = error instanceof errors.RefreshTokenRevokedError ? [] : [refreshToken]
        return { sessions: idsOf(remembered), learnedFrom: 'memory', refreshTokens, failure: error }
      }
      if (FINAL.some((Class) => error instanceof Class)) throw error
      return { sessions: [], learnedFrom: 'refresh', refreshTokens: [], failure: error }
    }
  }

  /** The tokens given along that are good, and those that are good but for their session having been revoked. */
  async #readHints({
    refreshToken,
    accessToken,
    idToken,
  }: SessionHints): Promise<{ good: Hint[]; revoked: Hint[] }> {
    const known = this.#context.sessions.find(refreshToken)
    const good: Hint[] = []
    const revoked: Hint[] = []
    for (const [from, token, use] of [
      ['accessToken', accessToken, 'access'],
      ['idToken', idToken, 'id'],
    ] as const) {
      if (token === undefined) continue
      const { accepted, claims, error } = await this.#context.verifier.explain(token)
      if (claims?.token_use !== use || claims.origin_jti === undefined) continue
      // Another user's: this process knows better.
      if (known !== undefined && known.sub !== claims.sub) continue
      const hint = { from, claims: { origin_jti: claims.origin_jti, sub: claims.sub } }
      if (accepted) good.push(hint)
      else if (error instanceof errors.TokenRevokedError && error.scope === 'session') revoked.push(hint)
    }
    return { good, revoked }
  }

  /** One refresh. Its tokens are neither given back nor kept; under rotation the successor is to be revoked too. */
  async #learnByRefresh(input: SessionHints & { readonly signal?: AbortSignal }): Promise<LearnedSession> {
    const { refreshToken, deviceKey, clientMetadata, signal } = input
    const username = input.username ?? usernameIn(input.accessToken) ?? usernameIn(input.idToken)
    const minted = await this.#context.refresher.exchange(
      { refreshToken, username, deviceKey, clientMetadata, ...(signal && { signal }) },
      this.#via,
    )
    const sessions: SessionId[] = []
    for (const token of [minted.accessToken, minted.idToken]) {
      const claims = token === undefined ? undefined : claimsFromCognito(token)
      if (claims?.origin_jti === undefined || clientIdOf(claims) !== this.#context.api.clientId) continue
      sessions.push({ origin_jti: claims.origin_jti, sub: claims.sub })
    }
    return {
      sessions: uniqueById(sessions),
      learnedFrom: 'refresh',
      refreshTokens: minted.rotated ? [minted.refreshToken, refreshToken] : [refreshToken],
    }
  }
}

function isOneSession(hints: readonly Hint[]): boolean {
  return new Set(hints.map(({ claims }) => `${claims.origin_jti} ${claims.sub}`)).size === 1
}

function idsOf({ sub, originJtis }: KnownSession): SessionId[] {
  return originJtis.map((origin_jti) => ({ origin_jti, sub }))
}

function uniqueById(sessions: readonly SessionId[]): SessionId[] {
  return [...new Map(sessions.map((session) => [session.origin_jti, session])).values()]
}

/** Unverified, and good for nothing but a hash: with a wrong one Cognito refuses the refresh. */
function usernameIn(token: string | undefined): string | undefined {
  const claims = token === undefined ? undefined : claimsFromCognito(token)
  const username = claims?.token_use === 'id' ? claims['cognito:username'] : claims?.username
  return typeof username === 'string' ? username : undefined
}
