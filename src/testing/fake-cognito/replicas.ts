import { CognitoException } from './exceptions.js'
import type { IssuerType } from './issuers.js'
import type { Pool } from './pool.js'

/** What {@link FakeCognito.createReplica} takes. */
export interface ReplicaOptions {
  /** The secondary Region, such as `eu-west-1`. */
  readonly region: string
  /**
   * How long it takes until an end of sessions (RevokeToken, GlobalSignOut, AdminUserGlobalSignOut) is seen
   * there, or one that was brought about there is seen in the primary Region. Default 0.
   */
  readonly lagMs?: number
  /** Which issuer the tokens carry that it gives out. Default: the same as those of the primary Region. */
  readonly issuerType?: IssuerType
}

/** What users need to sign in, to refresh and to sign out, and no more: all else is of the primary Region. */
const playedByReplicas: ReadonlySet<string> = new Set([
  'InitiateAuth',
  'RespondToAuthChallenge',
  'GetTokensFromRefreshToken',
  'GlobalSignOut',
  ...['GET /oauth2/authorize', 'POST /oauth2/token', 'GET /oauth2/userInfo', 'GET /logout'],
])

/** Whether a secondary Region answers to this operation or hosted endpoint. */
export function isPlayedByReplicas(operation: string): boolean {
  return playedByReplicas.has(operation)
}

/** The pool as its secondary Region has it: with the same users, app clients, keys and sessions. */
export function replicaOf(pool: Pool, { region, lagMs = 0, issuerType }: ReplicaOptions): Pool {
  if (!/^[a-z]{2,}(-[a-z]+)+-\d$/.test(region)) throw new TypeError(`region is none: ${region}`)
  if (!(lagMs >= 0)) throw new TypeError(`lagMs must be 0 or more, but is ${lagMs}`)
  return {
    ...pool,
    isReplica: true,
    minter: issuerType === undefined ? pool.minter : pool.minter.withIssuer(pool.issuers[issuerType]),
    sessions: pool.sessions.seenFrom(region, lagMs),
  }
}

export function assertPlayedByReplicas(operation: string): void {
  if (isPlayedByReplicas(operation)) return
  throw new CognitoException(
    'OperationNotEnabledException',
    `${operation} is not enabled in this Region: it is of the primary one`,
  )
}
