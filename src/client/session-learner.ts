import * as errors from '../errors.js'
import { assertOptionalBoolean } from '../options.js'
import { clientIdOf } from '../tokens/claims.js'
import type { ClientContext } from './context.js'
import { idsOf, type LearnedSession, learnedSince, type SessionId, uniqueById } from './learned-session.js'
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

interface Hint {
  readonly from: 'accessToken' | 'idToken'
  readonly claims: SessionId
}

/** What the tokens given along tell. */
interface Hints {
  /** Those that are good, as far as can be known now. */
  readonly good: readonly Hint[]
  /** Those that are good but for their session having been revoked. */
  readonly revoked: readonly Hint[]
  /** Why one could not be judged at all: its key is not to be had now. */
  readonly unjudged?: Error | undefined
}

/** Refusals that are not of the session: the caller gets them as they are. */
const FINAL = [
  errors.SecretHashMismatchError,
  errors.WrongClientError,
  errors.InvalidParameterError,
  errors.ResourceNotFoundError,
  TypeError,
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
   * @throws SessionUnknownError where only a token given along would tell, and its key is not to be had now
   */
  async learn(input: SessionHints & { readonly signal?: AbortSignal }): Promise<LearnedSession> {
    const { sessions, successors } = this.#context
    // A refresh to learn by gives one branch more, and forgets this one.
    const newest = successors.newestOf(sessions.find(input.refreshToken)?.originJtis ?? [])
    const learned = await this.#learn(input)
    const refreshTokens = learned.refreshTokens.filter((token) => token !== input.refreshToken)
    const isOther = newest !== undefined && newest !== input.refreshToken
    if (isOther && !refreshTokens.includes(newest)) refreshTokens.push(newest)
    if (learned.refreshTokens.includes(input.refreshToken)) refreshTokens.push(input.refreshToken)
    const all = { ...learned, refreshTokens }
    return learnedSince(this.#context, input.refreshToken, all)?.all ?? all
  }

  /** @throws what `learn` throws */
  async #learn(input: SessionHints & { readonly signal?: AbortSignal }): Promise<LearnedSession> {
    const { refreshToken } = input
    const { sessions, refresher } = this.#context
    assertOptionalBoolean('revokeRefreshToken', 'confirmPairing', input.confirmPairing)
    const hints: Hints =
      input.confirmPairing === true ? { good: [], revoked: [] } : await this.#readHints(input)
    const hint = isOneSession(hints.good) ? hints.good[0] : undefined
    const known = sessions.find(refreshToken)
    // Rotated away by whoever came first, the refresh token would be the wrong one to revoke: only Cognito can tell.
    const isEnough = refresher.rotates !== true && (known === undefined || hasId(known.originJtis, hint))
    if (hint !== undefined && isEnough) {
      return {
        sessions: [hint.claims],
        learnedFrom: hint.from,
        refreshTokens: [refreshToken],
        isNewest: true,
      }
    }
    const wasReplaced = sessions.isReplaced(refreshToken)
    try {
      const learned = await this.#learnByRefresh(input)
      const ids = learned.sessions.map(({ origin_jti }) => origin_jti)
      if (hint === undefined || hasId(ids, hint) || learned.sessions[0]?.sub !== hint.claims.sub) {
        return { ...learned, isNewest: !wasReplaced }
      }
      // An id that the session had elsewhere, or another session of the user's, of which Cognito is not told.
      return { ...learned, sessions: [...learned.sessions, hint.claims], isNewest: false }
    } catch (error) {
      // Nothing has been done yet.
      input.signal?.throwIfAborted()
      const isRevoked = error instanceof errors.RefreshTokenRevokedError
      // The token endpoint has one refusal for all: one that is revoked looks like one that was rotated away.
      const isAtEndpoint = this.#via === 'endpoint'
      const isRefused = isRevoked || (isAtEndpoint && error instanceof errors.RefreshTokenInvalidError)
      const refreshTokens = isRevoked ? [] : [refreshToken]
      const isNewest = !wasReplaced && !mayHaveRotated(error, refresher.rotates)
      const rest = { refreshTokens, isNewest, failure: error }
      const said = hint ?? (isRefused && isOneSession(hints.revoked) ? hints.revoked[0] : undefined)
      if (said !== undefined) return { sessions: [said.claims], learnedFrom: said.from, ...rest }
      // Neither bad nor good: to take it for none would leave a session for good that the next call may name.
      if (hints.unjudged !== undefined && known === undefined) throw unjudged(hints.unjudged)
      // It may also refuse an app client for which RevokeToken does.
      const isFinal = FINAL.some((Class) => error instanceof Class) && !(isAtEndpoint && known !== undefined)
      if (isFinal) throw error
      if (known !== undefined) return { sessions: idsOf(known), learnedFrom: 'memory', ...rest }
      if (isRevoked) throw error
      return { sessions: [], learnedFrom: 'refresh', ...rest }
    }
  }

  async #readHints({ refreshToken, accessToken, idToken }: SessionHints): Promise<Hints> {
    const known = this.#context.sessions.find(refreshToken)
    const good: Hint[] = []
    const revoked: Hint[] = []
    let unjudged: Error | undefined
    for (const [from, token, use] of [
      ['accessToken', accessToken, 'access'],
      ['idToken', idToken, 'id'],
    ] as const) {
      if (token === undefined) continue
      const { accepted, claims, error } = await this.#context.verifier.explain(token)
      if (claims === undefined && isUnavailable(error)) unjudged ??= error
      if (claims?.token_use !== use || claims.origin_jti === undefined) continue
      // Another user's: this process knows better.
      if (known !== undefined && known.sub !== claims.sub) continue
      const hint = { from, claims: { origin_jti: claims.origin_jti, sub: claims.sub } }
      // Revocation is looked for last: all else is good. Where the store cannot say, to end a session twice is harmless.
      if (accepted || error instanceof errors.RevocationUnavailableError) good.push(hint)
      else if (error instanceof errors.TokenRevokedError && error.scope === 'session') revoked.push(hint)
    }
    return { good, revoked, unjudged }
  }

  /** One refresh. Its tokens are neither given back nor kept; under rotation the successor is to be revoked too. */
  async #learnByRefresh(
    input: SessionHints & { readonly signal?: AbortSignal },
  ): Promise<Omit<LearnedSession, 'isNewest'>> {
    const { refreshToken, username, deviceKey, clientMetadata, signal } = input
    // Never by a name out of a token given along: unverified, it could make Cognito refuse somebody's logout.
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

/** Whether there may be a successor after a refresh that failed so. */
function mayHaveRotated(failure: unknown, rotates: boolean | undefined): boolean {
  if (failure instanceof errors.RefreshTokenReuseError) return true
  return rotates ?? failure instanceof errors.CognitoUnavailableError
}

function isUnavailable(error: unknown): error is Error {
  return error instanceof errors.CognitoRevocationError && error.status === 503
}

function unjudged(cause: Error): errors.SessionUnknownError {
  return new errors.SessionUnknownError(
    'revokeRefreshToken: the token given along, which would tell the session, could not be verified now. Nothing was done; call it again',
    { store: 'skipped', cognito: 'skipped' },
    { cause },
  )
}

function hasId(originJtis: readonly string[], hint: Hint | undefined): boolean {
  return hint !== undefined && originJtis.includes(hint.claims.origin_jti)
}

function isOneSession(hints: readonly Hint[]): boolean {
  return new Set(hints.map(({ claims }) => `${claims.origin_jti} ${claims.sub}`)).size === 1
}
