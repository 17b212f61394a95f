import type { Revoker } from '../revocation/revoker.js'
import type { TokenVerifier } from '../verifier.js'
import type { CognitoApi } from './cognito-api.js'
import type { Refresher } from './refresh.js'

/** What the operations of a client share. */
export interface ClientContext {
  readonly api: CognitoApi
  readonly verifier: TokenVerifier
  readonly refresher: Refresher
  /** Undefined where there is no store. */
  readonly revoker: Revoker | undefined
}

/** Who does something to a session, and why, for the audit trail of the store. */
export interface Audit {
  /** At most 1,024 characters. */
  readonly reason?: string
  /** At most 1,024 characters. */
  readonly actor?: string
}
