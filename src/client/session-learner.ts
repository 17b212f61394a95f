import * as errors from '../errors.js'
import { assertOptionalBoolean } from '../options.js'
import { type CognitoClaims, clientIdOf } from '../tokens/claims.js'
import type { ClientContext } from './context.js'
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
   * Learn the session from Cognito in any case. For callers that took the refresh token from a request body:
   * a token given along may then belong to another session than the refresh token. Default false.
   */
  readonly confirmPairing?: boolean
}

/** Where a session's origin_jti was learned from. */
export type LearnedFrom = NonNullable<errors.PartialOutcome['learnedFrom']>

/** What was learned of the session behind a refresh token. */
export interface LearnedSession {
  /** Claims of the session's tokens, each with an origin_jti; empty if it could not be learned. */
  readonly sessions: readonly CognitoClaims[]
  readonly learnedFrom: LearnedFrom
  /** The refresh tokens to revoke, the newest first; none where Cognito has revoked already. */
  readonly refreshTokens: readonly string[]
  /** Why it could not be learned. */
  readonly failure?: unknown
}

interface Hint {
  readonly from: 'accessToken' | 'idToken'
  readonly claims: CognitoClaims
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

/**
 * Learns which session a refresh token belongs to. The refresh token is opaque, so either a token given along
 * tells, if it verifies fully (an unsigned or stale one would let anyone end anyone's session), or one refresh.
 */
export class SessionLearner {
  readonly #context: Pick<ClientContext, 'api' | 'verifier' | 'refresher'>

  constructor(context: Pick<ClientContext, 'api' | 'verifier' | 'refresher'>) {
    this.#context = context
  }

  /** @throws what Cognito says of a refresh token that is not, or no longer, good for this app client */
  async learn(input: SessionHints & { readonly signal?: AbortSignal }): Promise<LearnedSession> {
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
      if (
        error instanceof errors.RefreshTokenRevokedError &&
        known !== undefined &&
        isOneSession(hints.revoked)
      ) {
        const { claims, from } = known
        return { sessions: [claims], learnedFrom: from, refreshTokens: [] }
      }
      if (FINAL.some((Class) => error instanceof Class)) throw error
      return { sessions: [], learnedFrom: 'refresh', refreshTokens: [], failure: error }
    }
  }

  /** The tokens given along that are good, and those that are good but for their session having been revoked. */
  async #readHints({ accessToken, idToken }: SessionHints): Promise<{ good: Hint[]; revoked: Hint[] }> {
    const good: Hint[] = []
    const revoked: Hint[] = []
    for (const [from, token, use] of [
      ['accessToken', accessToken, 'access'],
      ['idToken', idToken, 'id'],
    ] as const) {
      if (token === undefined) continue
      const { accepted, claims, error } = await this.#context.verifier.explain(token)
      if (claims?.token_use !== use || claims.origin_jti === undefined) continue
      if (accepted) good.push({ from, claims })
      else if (error instanceof errors.TokenRevokedError && error.scope === 'session')
        revoked.push({ from, claims })
    }
    return { good, revoked }
  }

  /** One refresh. Its tokens are neither given back nor kept; under rotation the successor is to be revoked too. */
  async #learnByRefresh(input: SessionHints & { readonly signal?: AbortSignal }): Promise<LearnedSession> {
    const { refreshToken, signal } = input
    const username = input.username ?? usernameIn(input.accessToken) ?? usernameIn(input.idToken)
    const minted = await this.#context.refresher.refresh({
      refreshToken,
      username,
      ...(signal && { signal }),
    })
    const sessions = new Map<string, CognitoClaims>()
    for (const token of [minted.accessToken, minted.idToken]) {
      const claims = token === undefined ? undefined : claimsFromCognito(token)
      if (claims?.origin_jti === undefined || clientIdOf(claims) !== this.#context.api.clientId) continue
      sessions.set(claims.origin_jti, claims)
    }
    return {
      sessions: [...sessions.values()],
      learnedFrom: 'refresh',
      refreshTokens: minted.rotated ? [minted.refreshToken, refreshToken] : [refreshToken],
    }
  }
}

function isOneSession(hints: readonly Hint[]): boolean {
  return new Set(hints.map(({ claims }) => `${claims.origin_jti} ${claims.sub}`)).size === 1
}

/** Unverified, and good for nothing but a hash: with a wrong one Cognito refuses the refresh. */
function usernameIn(token: string | undefined): string | undefined {
  const claims = token === undefined ? undefined : claimsFromCognito(token)
  const username = claims?.token_use === 'id' ? claims['cognito:username'] : claims?.username
  return typeof username === 'string' ? username : undefined
}
