import { withDeadline } from '../../deadline.js'
import {
  CognitoRevocationError,
  ForbiddenError,
  NotARefreshTokenError,
  type PartialOutcome,
  RefreshTokenInvalidError,
  RefreshTokenRevokedError,
  RevocationIncompleteError,
  SessionUnknownError,
} from '../../errors.js'
import { notify } from '../../observer.js'
import { parseCompactJws } from '../../tokens/compact-jws.js'
import type { CheckedRevokeSessionOptions, SessionClient } from './revoke-session-options.js'

/** What a session is ended by. */
export interface SessionToEnd {
  readonly refreshToken: string
  /** What the caller says is the session's access token. */
  readonly accessToken: string | undefined
}

const REASON = 'logout'
/** How long a store may take for one write. */
const STORE_TIMEOUT_MS = 5_000
/** Stands where a refresh token must be and there is none: Cognito knows none like it. */
const NO_REFRESH_TOKEN = 'none'

/** Ends sessions at Cognito and in the store. */
export class SessionEnder {
  readonly #client: SessionClient
  readonly #options: Pick<CheckedRevokeSessionOptions, 'revoker' | 'storeRetriesMs' | 'observer'>

  constructor(
    client: SessionClient,
    options: Pick<CheckedRevokeSessionOptions, 'revoker' | 'storeRetriesMs' | 'observer'>,
  ) {
    this.#client = client
    this.#options = options
  }

  /**
   * Resolves when no verifier takes the session's tokens and Cognito does not refresh it; throws otherwise. What the
   * access token is of is over then, too.
   */
  async end({ refreshToken, accessToken }: SessionToEnd): Promise<void> {
    let outcome: PartialOutcome
    try {
      // The refresh token comes from outside: Cognito itself is to say which session it is of.
      outcome = await this.#revoke({ refreshToken, confirmPairing: true })
    } catch (error) {
      if (accessToken === undefined || !isUntold(error)) throw error
      return this.#endByAccessToken({ refreshToken, accessToken }, error)
    }
    if (accessToken !== undefined && isOfAnother(accessToken, outcome)) await this.#endAnother(accessToken)
  }

  /**
   * Where Cognito no longer says which session it was (the store was down at the first try, say, so that only Cognito
   * has ended it), the access token does: whoever holds it may end its session, as RFC 7009, section 2.1, has it.
   */
  async #endByAccessToken(session: SessionToEnd, failure: unknown): Promise<void> {
    try {
      const outcome = await this.#revoke(session)
      // That the two belong together is the caller's word. If they do not, Cognito goes on refreshing this session, and
      // without a revoker it is shut for the life of its access token only.
      const { revoker, storeRetriesMs } = this.#options
      if (revoker === undefined) throw failure
      if (!(await this.#record(outcome, [0, ...storeRetriesMs]))) {
        const message = 'The store has the session for the life of its access token only'
        throw new RevocationIncompleteError(message, { ...outcome, store: 'failed' })
      }
      this.#tell('unknown', outcome)
    } catch (error) {
      // Recorded or not, the refresh token is of no use to Cognito, and trying again would not change that.
      throw isOver(failure) && (isDead(error) || isFinal(error)) ? failure : error
    }
  }

  /**
   * Ends the session of an access token that is not the refresh token's: that was planted, or is stale. Without its own
   * refresh token, which Cognito refuses to revoke, the client shuts it for as long as any refresh token can live.
   */
  async #endAnother(accessToken: string): Promise<void> {
    try {
      this.#tell('another', await this.#revoke({ refreshToken: NO_REFRESH_TOKEN, accessToken }))
    } catch (error) {
      if (error instanceof RevocationIncompleteError) {
        if (error.outcome.store !== 'recorded') throw error
        this.#tell('another', error.outcome)
        return
      }
      // The client ignores an access token that is not good: then it knows of no session.
      if (isDead(error)) return
      // It may be good all the same, or the fault is not the token's.
      if (!(error instanceof CognitoRevocationError) || isTransient(error) || isTransient(error.cause))
        throw error
      const outcome = error instanceof SessionUnknownError ? { outcome: error.outcome } : {}
      notify(this.#options.observer, { type: 'session_revocation_failed', error, ...outcome })
    }
  }

  #tell(refreshTokenOf: 'another' | 'unknown', outcome: PartialOutcome): void {
    notify(this.#options.observer, {
      type: 'session_pairing_unconfirmed',
      refreshTokenOf,
      // What is known of Cognito is of the refresh token.
      outcome: { ...outcome, cognito: 'unknown' },
    })
  }

  async #revoke(input: Parameters<SessionClient['revokeRefreshToken']>[0]): Promise<PartialOutcome> {
    try {
      const outcome = await this.#client.revokeRefreshToken({ ...input, reason: REASON })
      if (outcome.store === 'skipped')
        throw new TypeError('revokeSessionHandler: the client needs a store, or verifiers go on as before')
      return outcome
    } catch (error) {
      if (!(error instanceof RevocationIncompleteError) || error.outcome.store !== 'failed') throw error
      const isRecorded = await this.#record(error.outcome, this.#options.storeRetriesMs)
      // What Cognito has not revoked is not over.
      if (!isRecorded || error.outcome.cognito !== 'revoked') throw error
      return { ...error.outcome, store: 'recorded' }
    }
  }

  async #record(
    { originJtis = [] }: PartialOutcome,
    waitsMs: CheckedRevokeSessionOptions['storeRetriesMs'],
  ): Promise<boolean> {
    const { revoker } = this.#options
    if (revoker === undefined || originJtis.length === 0) return false
    for (const waitMs of waitsMs) {
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      // For the refresh token's life: whether it had successors elsewhere is not known here.
      const writes = Promise.all(
        originJtis.map(async (origin_jti) => revoker.revokeSession({ origin_jti }, { reason: REASON })),
      )
      const done = await withDeadline('The revocation store', STORE_TIMEOUT_MS, writes).then(
        () => true,
        () => false,
      )
      if (done) return true
    }
    return false
  }
}

/** Whether it is a refresh token of no session that Cognito would still tell of or end. */
export function isDead(error: unknown): error is CognitoRevocationError {
  const classes = [RefreshTokenRevokedError, RefreshTokenInvalidError, NotARefreshTokenError]
  return classes.some((Class) => error instanceof Class)
}

/** Whether the refresh token can do no more, be it that Cognito has ended its session without saying which it was. */
export function isOver(error: unknown): boolean {
  return isDead(error) || (error instanceof SessionUnknownError && error.outcome.cognito === 'revoked')
}

/** Whether Cognito does not say which session it is, and never will. */
function isUntold(error: unknown): boolean {
  return isDead(error) || (error instanceof SessionUnknownError && error.outcome.cognito !== 'skipped')
}

/** Whether all that can be done by the refresh token is done, though that is not all. */
function isFinal(error: unknown): boolean {
  const isPartial = error instanceof RevocationIncompleteError || error instanceof SessionUnknownError
  return isPartial && error.outcome.store !== 'failed' && !isTransient(error.cause)
}

/** Whether Cognito could not be asked, or wants to be asked less often, which may be the word of AWS WAF, too. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ForbiddenError) return true
  return error instanceof CognitoRevocationError && (error.status === 503 || error.status === 429)
}

/** Whether an access token says that it is of another session: unverified, and good for nothing but to ask the client. */
function isOfAnother(accessToken: string, { originJtis = [] }: PartialOutcome): boolean {
  try {
    const { origin_jti: originJti } = parseCompactJws(accessToken).payload
    return typeof originJti === 'string' && !originJtis.includes(originJti)
  } catch {
    return false
  }
}
