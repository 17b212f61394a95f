import { withDeadline } from '../deadline.js'
import { RefreshTokenRevokedError } from '../errors.js'
import type { CognitoClaims } from '../tokens/claims.js'
import { identityOf, type TokenIdentity } from '../tokens/token-identity.js'
import { record, type SessionContext } from './context.js'
import { attempt, cognitoOutcomeOf } from './outcome.js'
import type { RefreshedTokens, RefreshInput } from './refresh-input.js'
import { revokeAll } from './revoke.js'
import { claimsFromCognito } from './session-tokens.js'
import { claimsOfHints } from './verified-hints.js'

/** For how long tokens wait for the keys that verify what was given along: as long as for the store. */
const HINTS_TIMEOUT_MS = 500

/** What the store says of a session: `unknown` where it cannot say. */
export type Verdict = 'alive' | 'revoked' | 'unknown'

/**
 * Stands between Cognito's new tokens and their owner: a session that was ended, of which Cognito does not know,
 * must not go on, least of all under a new `origin_jti`.
 */
export class RefreshGate {
  readonly #context: SessionContext

  constructor(context: SessionContext) {
    this.#context = context
  }

  /** Whether these tokens, or any that their session had before, are revoked. */
  async judge(tokens: RefreshedTokens): Promise<Verdict> {
    const { lookup } = this.#context
    if (lookup === undefined) return 'alive'
    const identities = this.#identitiesOf(tokens)
    const found = await Promise.all(identities.map((identity) => attempt(async () => lookup.find(identity))))
    if (found.some((each) => each.ok && each.value !== undefined)) return 'revoked'
    return found.length > 0 && found.every(({ ok }) => ok) ? 'alive' : 'unknown'
  }

  /**
   * Lets tokens through unless the store says that their session was ended. Then Cognito is told, which evidently
   * has not got it, and the session's ids are recorded, the new ones too. Where the store cannot say, they pass:
   * verifiers decide.
   *
   * @throws RefreshTokenRevokedError
   */
  async pass(tokens: RefreshedTokens, input: RefreshInput): Promise<RefreshedTokens> {
    await this.#heed(tokens, input)
    if ((await this.judge(tokens)) !== 'revoked') return tokens
    const { successors, sessions } = this.#context
    const known = sessions.find(tokens.refreshToken)
    const originJtis = known?.originJtis ?? []
    successors.forget({ originJtis })
    const revoked = await revokeAll(
      this.#context,
      [...new Set([tokens.refreshToken, input.refreshToken])],
      { via: this.#context.revokeVia },
      undefined,
    )
    const audit = { reason: 'refreshed after its session was revoked', cognitoConfirmed: revoked.ok }
    await record(this.#context, ({ session }) =>
      Promise.all(originJtis.map((origin_jti) => session.revokeSession({ origin_jti }, audit))),
    )
    const cognito = revoked.ok ? 'revoked now' : cognitoOutcomeOf(revoked.error, undefined)
    throw new RefreshTokenRevokedError(
      `refresh: The session was ended, as the store has it, though Cognito still refreshed it; at Cognito: ${cognito}. The user must sign in again`,
      revoked.ok ? {} : { cause: revoked.error },
    )
  }

  /** Takes note of what the tokens given along say of the session, where that is not known. */
  async #heed(tokens: RefreshedTokens, input: RefreshInput): Promise<void> {
    const known = this.#context.sessions.find(tokens.refreshToken)
    // What was issued before the session began is of another one: of the user's last, say, in another tab.
    const start = Math.max(known?.startedAt ?? 0, authenticatedAt(tokens))
    const isNews = ({ sub, origin_jti, auth_time, iat }: CognitoClaims) =>
      sub === known?.sub &&
      iat >= start &&
      (Math.min(auth_time ?? iat, iat) < known.beganAt ||
        (origin_jti !== undefined && !known.originJtis.includes(origin_jti)))
    const said = claimsFrom(input.accessToken, input.idToken)
    if (known === undefined || !said.some(isNews)) return
    const reading = claimsOfHints(this.#context.verifier, input)
    // Without keys there is no hint, and tokens that were rotated must not be held back.
    const read = await attempt(() => withDeadline('The JWKS', HINTS_TIMEOUT_MS, reading))
    if (!read.ok) return
    for (const claims of read.value) {
      if (isNews(claims)) known.add(claims)
    }
  }

  /** The tokens themselves, and what else of their session can have been revoked. */
  #identitiesOf({ accessToken, idToken, refreshToken }: RefreshedTokens): TokenIdentity[] {
    const { api, sessions } = this.#context
    const own = claimsFrom(accessToken, idToken).map((claims) => identityOf(api.userPoolId, claims))
    const [first] = own
    const known = sessions.find(refreshToken)
    if (first === undefined || known === undefined) return own
    const { beganAt } = known
    const isOlder = beganAt < Math.min(first.authTime ?? first.iat, first.iat)
    const ids = known.originJtis.length > 0 ? known.originJtis : [undefined]
    const earlier = ids.filter((id) => isOlder || id !== first.originJti)
    return [
      ...own,
      ...earlier.map((originJti) => ({
        ...first,
        jti: undefined,
        originJti,
        authTime: beganAt,
        iat: beganAt,
      })),
    ]
  }
}

/** When the session's user authenticated; 0 where a refresh seems to tell its own time instead. */
function authenticatedAt({ accessToken }: RefreshedTokens): number {
  const [claims] = claimsFrom(accessToken)
  const { auth_time = 0, iat = 0 } = claims ?? {}
  return auth_time < iat ? auth_time : 0
}

function claimsFrom(...tokens: readonly (string | undefined)[]): CognitoClaims[] {
  return tokens.flatMap((token) => (token && claimsFromCognito(token)) || [])
}
