import { withDeadline } from '../deadline.js'
import { assertAudit } from '../revocation/revocation.js'
import type { RevocationLookup } from '../revocation/revocation-lookup.js'
import type { Revoker } from '../revocation/revoker.js'
import type { TokenVerifier } from '../verifier.js'
import type { CognitoApi } from './cognito-api.js'
import type { HostedEndpoints } from './hosted-endpoints.js'
import type { KnownSessions } from './known-sessions.js'
import { type Attempt, attempt } from './outcome.js'
import type { RefreshTokenExchange } from './refresh-input.js'
import type { RevokeVia } from './revoke-via.js'
import type { Successors } from './successors.js'

/** The write side of the store. */
export interface Revokers {
  /** Sessions are of one app client, and live as its settings say. */
  readonly session: Revoker
  /** A user has tokens of every app client of the pool, whose settings are not known here: Cognito's maxima. */
  readonly user: Revoker
}

/** What the operations on sessions share. */
export interface SessionContext {
  readonly api: CognitoApi
  readonly verifier: TokenVerifier
  readonly hosted: HostedEndpoints
  /** How `revokeRefreshToken` revokes at Cognito where it is not told. */
  readonly revokeVia: RevokeVia
  /** Asks the store, of what no verifier has seen. Undefined where there is no store. */
  readonly lookup: RevocationLookup | undefined
  /** Undefined where there is no store. */
  readonly revokers: Revokers | undefined
  /** How long a write to the store may take before the next step is taken without it. */
  readonly storeTimeoutMs: number
  /** Which sessions this process has seen. */
  readonly sessions: KnownSessions
  /** What rotation has lately replaced refresh tokens by. */
  readonly successors: Successors
}

/** What the operations of a client share. */
export interface ClientContext extends SessionContext {
  readonly refresher: RefreshTokenExchange
}

/** Who does something to a session, and why, for the audit trail of the store. */
export interface Audit {
  /** At most 1,024 characters. */
  readonly reason?: string
  /** At most 1,024 characters. */
  readonly actor?: string
}

/** What every operation that ends sessions takes. */
export interface RevocationInput extends Audit {
  /**
   * Ends the calls to Cognito. What was begun is told: as the signal's reason where nothing was done yet, else as
   * a RevocationIncompleteError. Writes to the store are not ended.
   */
  readonly signal?: AbortSignal
}

/**
 * The audit alone, out of an operation's input.
 *
 * @throws TypeError, before anything is done, for what the store would refuse when half is done
 */
export function auditOf({ reason, actor }: Audit): Audit {
  const audit = { ...(reason === undefined ? {} : { reason }), ...(actor === undefined ? {} : { actor }) }
  assertAudit({ revokedAt: 0, ...audit })
  return audit
}

/** Writes to the store, if there is one; says how it went, within a time: Cognito must be asked all the same. */
export function record(
  { revokers, storeTimeoutMs }: SessionContext,
  write: (revokers: Revokers) => Promise<unknown>,
): Promise<Attempt<unknown>> {
  return attempt(
    async () => revokers && withDeadline('The revocation store', storeTimeoutMs, write(revokers)),
  )
}
