import { LRUCache } from 'lru-cache'
import { CLOCK_TOLERANCE_SECONDS, type CognitoClaims, clientIdOf } from '../tokens/claims.js'
import { digestOf } from './refresh-input.js'
import { claimsFromCognito } from './session-tokens.js'

/** Refresh tokens whose session is remembered. */
const MAX_TOKENS = 10_000
/** Ids of one session above which those are dropped whose tokens are over: a refresh may give another each time. */
const MAX_IDS = 50
/** Ids of one session that are remembered at all, the newest. */
const MAX_LIVE_IDS = 1_000

/** Tokens of a session, as Cognito has just given them. */
export interface GivenTokens {
  readonly accessToken: string
  readonly idToken?: string | undefined
  readonly refreshToken?: string | undefined
}

/** What is known of the session behind a refresh token: ids, and no token. */
export class KnownSession {
  readonly sub: string
  /** Each with the `exp` of its latest token. */
  readonly #originJtis = new Map<string, number>()
  /**
   * Epoch seconds: no token of the session was issued earlier. 0 where this process has not seen it begin.
   */
  startedAt = 0
  #beganAt = Number.POSITIVE_INFINITY

  constructor(sub: string) {
    this.sub = sub
  }

  /** Every `origin_jti` that its tokens had, the newest last: a refresh may have given it another. */
  get originJtis(): readonly string[] {
    return [...this.#originJtis.keys()]
  }

  /** The earliest time in its tokens, in epoch seconds: whatever was ended until then or later includes it. */
  get beganAt(): number {
    return this.#beganAt
  }

  add({ origin_jti, auth_time, iat, exp }: CognitoClaims): void {
    this.#beganAt = Math.min(this.#beganAt, auth_time ?? iat, iat)
    if (origin_jti === undefined) return
    const lastsUntil = Math.max(exp, this.#originJtis.get(origin_jti) ?? 0)
    this.#originJtis.delete(origin_jti)
    this.#originJtis.set(origin_jti, lastsUntil)
    if (this.#originJtis.size <= MAX_IDS) return
    // By Cognito's own clock: an id whose tokens are over need not be ended.
    for (const [id, until] of this.#originJtis) {
      if (until + CLOCK_TOLERANCE_SECONDS < iat) this.#originJtis.delete(id)
    }
    const [oldest] = this.#originJtis.keys()
    if (this.#originJtis.size > MAX_LIVE_IDS && oldest !== undefined) this.#originJtis.delete(oldest)
  }
}

/** What is known of a refresh token. */
interface KnownToken {
  readonly session: KnownSession
  /** Whether rotation has replaced it. */
  readonly isReplaced: boolean
}

/**
 * Which session the refresh tokens belong to that this process has seen. A refresh token tells nothing itself,
 * and whether a session keeps its `origin_jti` over a rotation Cognito does not say: so all are remembered.
 */
export class KnownSessions {
  readonly #clientId: string
  readonly #tokens = new LRUCache<string, KnownToken>({ max: MAX_TOKENS })
  #rotates = false

  constructor(clientId: string) {
    this.#clientId = clientId
  }

  /** Whether Cognito was seen to rotate a refresh token. */
  get rotates(): boolean {
    return this.#rotates
  }

  /** Remembers what a sign-in gives, where it gives tokens, and passes it on. */
  async learning<Result extends object>(result: Promise<Result>): Promise<Result> {
    const given: Partial<GivenTokens> = await result
    if (given.accessToken !== undefined) this.learn({ ...given, accessToken: given.accessToken })
    return result
  }

  /**
   * Remembers the session of tokens that Cognito itself has just given.
   *
   * @param exchanged the refresh token for which it gave them; undefined for a sign-in
   */
  learn({ accessToken, idToken, refreshToken }: GivenTokens, exchanged?: string): void {
    const predecessor = exchanged ?? refreshToken
    const claims = [accessToken, idToken].flatMap((token) => (token && claimsFromCognito(token)) || [])
    const [first] = claims
    if (first === undefined || predecessor === undefined) return
    const known = this.find(predecessor)
    const session = known?.sub === first.sub ? known : new KnownSession(first.sub)
    for (const each of claims) {
      if (each.sub === first.sub && clientIdOf(each) === this.#clientId) session.add(each)
    }
    if (exchanged === undefined) session.startedAt = session.beganAt
    const rotated = refreshToken !== undefined && refreshToken !== predecessor
    const isReplaced = rotated || this.isReplaced(predecessor)
    this.#tokens.set(digestOf(predecessor), { session, isReplaced })
    if (!rotated) return
    this.#rotates = true
    this.#tokens.set(digestOf(refreshToken), { session, isReplaced: false })
  }

  /** The session of a refresh token, with what its predecessors and successors had. */
  find(refreshToken: string): KnownSession | undefined {
    return this.#tokens.get(digestOf(refreshToken))?.session
  }

  /** Whether this refresh token is known to have been replaced. */
  isReplaced(refreshToken: string): boolean {
    return this.#tokens.get(digestOf(refreshToken))?.isReplaced === true
  }

  clear(): void {
    this.#tokens.clear()
  }
}
