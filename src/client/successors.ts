import { LRUCache } from 'lru-cache'
import { elapsedMs, type Moment } from '../clock.js'
import type { CognitoClaims } from '../tokens/claims.js'
import { keyOf, type RefreshedTokens, type RefreshInput } from './refresh-input.js'
import { claimsFromCognito } from './session-tokens.js'

/** Cognito's longest grace period. */
const MAX_GRACE_MS = 60_000
const MAX_SUCCESSORS = 5_000

/** What a refresh token was replaced by. */
interface Successor {
  readonly tokens: RefreshedTokens
  /** When they were asked for: Cognito has not replaced the refresh token earlier. */
  readonly askedAt: Moment
  /** When the refresh token was first replaced, as far as this process knows: the grace period counts from there. */
  readonly replacedAt: Moment
  readonly claims: CognitoClaims
}

/** What a caller with a replaced refresh token can be given. */
export interface NewestTokens {
  readonly tokens: RefreshedTokens
  readonly askedAt: Moment
  /** When the caller's own refresh token was replaced. */
  readonly replacedAt: Moment
}

/**
 * The tokens by which rotation has lately replaced refresh tokens, for callers that still come with the old
 * ones: they get what the first one got, rather than one more branch of the session. Kept for a minute, by a
 * digest of the old token.
 */
export class Successors {
  readonly #successors = new LRUCache<string, Successor>({
    max: MAX_SUCCESSORS,
    ttl: MAX_GRACE_MS,
    // Tokens are not kept longer than they are good for.
    ttlAutopurge: true,
  })

  /** Remembers what Cognito gave for a refresh token that it replaced. */
  add(input: RefreshInput, tokens: RefreshedTokens, askedAt: Moment): void {
    const claims = claimsFromCognito(tokens.accessToken)
    if (claims === undefined) return
    // The newest of all: nothing follows it, so that no chain is a circle.
    this.#successors.delete(keyOf({ ...input, refreshToken: tokens.refreshToken }))
    const key = keyOf(input)
    const replacedAt = this.#successors.get(key)?.replacedAt ?? askedAt
    this.#successors.set(key, { tokens, askedAt, replacedAt, claims })
  }

  /** The newest tokens that follow this refresh token. */
  newest(input: RefreshInput): NewestTokens | undefined {
    let found = this.#successors.get(keyOf(input))
    if (found === undefined) return undefined
    const { replacedAt } = found
    for (let next: Successor | undefined = found; next !== undefined; ) {
      found = next
      next = this.#successors.get(keyOf({ ...input, refreshToken: found.tokens.refreshToken }))
    }
    return { tokens: found.tokens, askedAt: found.askedAt, replacedAt }
  }

  /** The newest refresh token of a session, for who ends it. */
  newestOf(originJtis: readonly string[]): string | undefined {
    const [newest] = [...this.#successors.values()]
      .filter(({ claims }) => claims.origin_jti !== undefined && originJtis.includes(claims.origin_jti))
      .sort((a, b) => b.askedAt.monotonic - a.askedAt.monotonic)
    return newest?.tokens.refreshToken
  }

  /** Forgets the tokens of a session or user that was ended. */
  forget({
    sub,
    originJtis = [],
  }: {
    readonly sub?: string | undefined
    readonly originJtis?: readonly string[]
  }): void {
    for (const [key, { claims }] of [...this.#successors.entries()]) {
      const { origin_jti = '' } = claims
      if (claims.sub === sub || originJtis.includes(origin_jti)) this.#successors.delete(key)
    }
  }

  clear(): void {
    this.#successors.clear()
  }
}

/** The same tokens some time later; undefined once the access token is over. */
export function aged({ tokens, askedAt }: NewestTokens): RefreshedTokens | undefined {
  const expiresInSeconds = Math.floor(tokens.expiresInSeconds - elapsedMs(askedAt) / 1000)
  return expiresInSeconds > 0 ? { ...tokens, expiresInSeconds } : undefined
}
