import { setTimeout as delay } from 'node:timers/promises'
import {
  type PartialOutcome,
  RevocationIncompleteError,
  type Revoker,
  SessionUnknownError,
} from 'cognito-revocation'
import type { CognitoTokenClient } from 'cognito-revocation/client'
import { isDead } from './answers.js'

/** What a session is ended by: the cookie's refresh token, and the access token that the page sends along. */
export interface SessionToEnd {
  readonly refreshToken: string
  readonly accessToken?: string | undefined
  readonly reason: string
}

/** Ends sessions, at Cognito and in the store. */
export class SessionEnder {
  readonly #client: CognitoTokenClient
  readonly #revoker: Revoker
  readonly #storeRetriesMs: readonly number[]

  constructor(client: CognitoTokenClient, revoker: Revoker, storeRetriesMs: readonly number[]) {
    this.#client = client
    this.#revoker = revoker
    this.#storeRetriesMs = storeRetriesMs
  }

  /** Resolves when no verifier takes the session's tokens and Cognito does not refresh it; throws otherwise. */
  async end({ refreshToken, accessToken, reason }: SessionToEnd): Promise<void> {
    try {
      // The cookie comes from outside: Cognito itself is to say which session it is of.
      await this.#revoke({ refreshToken, reason, confirmPairing: true })
    } catch (error) {
      // If it no longer does (the store was down at the first try, say, so that only Cognito has ended it), then the
      // access token does, which is refused from here on.
      if (!isUntold(error) || accessToken === undefined) throw error
      await this.#revoke({ refreshToken, reason, accessToken })
    }
  }

  async #revoke(input: Parameters<CognitoTokenClient['revokeRefreshToken']>[0]): Promise<void> {
    try {
      await this.#client.revokeRefreshToken(input)
    } catch (error) {
      if (!(error instanceof RevocationIncompleteError) || error.outcome.store !== 'failed') throw error
      const isRecorded = await this.#record(error.outcome, input.reason)
      // What Cognito has not revoked is not over.
      if (!isRecorded || error.outcome.cognito !== 'revoked') throw error
    }
  }

  /**
   * Once Cognito has revoked, it tells nobody any more which session it was: only this process knows, and only now.
   * So the store gets some more tries.
   */
  async #record({ originJtis = [] }: PartialOutcome, reason = 'logout'): Promise<boolean> {
    for (const waitMs of this.#storeRetriesMs) {
      await delay(waitMs)
      // For the refresh token's life: whether it had successors elsewhere is not known here.
      const writes = originJtis.map((origin_jti) => this.#revoker.revokeSession({ origin_jti }, { reason }))
      const done = await Promise.allSettled(writes)
      if (done.length > 0 && done.every(({ status }) => status === 'fulfilled')) return true
    }
    return false
  }
}

/** Whether Cognito does not say which session it is, and never will. */
function isUntold(error: unknown): boolean {
  return isDead(error) || (error instanceof SessionUnknownError && error.outcome.cognito !== 'skipped')
}
