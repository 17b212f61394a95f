import type { TokenMinter } from '../token-minter.js'
import type { AppClients } from './app-clients.js'
import { resourceNotFound } from './exceptions.js'
import type { FakeClock } from './fake-clock.js'
import type { HostedState } from './hosted/hosted-state.js'
import type { Issuers } from './issuers.js'
import type { RefreshTokens } from './refresh-tokens.js'
import type { Sessions } from './sessions.js'
import type { SignIns } from './sign-ins.js'
import type { Users } from './users.js'

/** A user pool: everything that operations read and change. */
export interface Pool {
  readonly userPoolId: string
  /** The addresses under which it publishes its keys; they are known once it listens. */
  readonly issuers: Issuers
  /** Whether this is a secondary Region's view of it. */
  readonly isReplica: boolean
  readonly clock: FakeClock
  readonly minter: TokenMinter
  readonly clients: AppClients
  readonly users: Users
  readonly signIns: SignIns
  readonly sessions: Sessions
  readonly refreshTokens: RefreshTokens
  readonly hosted: HostedState
}

/** Refuses an operation on a user pool that is not here. */
export function assertPool(pool: Pool, userPoolId: string): void {
  if (userPoolId !== pool.userPoolId) throw resourceNotFound(`User pool ${userPoolId} does not exist.`)
}
