import { randomUUID } from 'node:crypto'
import type { Revocation, RevocationExtent, RevocationScope } from '../../revocation/revocation.js'
import type { RevocationStore } from '../../revocation/store.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'

/** A test of the suite. */
export type StoreTest = (store: RevocationStore, fixture: Fixture) => Promise<void>
export type Fixture = ReturnType<typeof createFixture>

/** What the suite gives to all tests. */
export interface FixtureOptions {
  readonly feedDeadlineMs: number
  /** Another store object on the same engine, or the same object, where there is no other. */
  readonly another: () => Promise<RevocationStore>
}

/** A user pool, a token of it, and records that revoke it. */
export function createFixture({ feedDeadlineMs, another }: FixtureOptions) {
  const poolId = `us-east-1_${randomUUID().replaceAll('-', '')}`
  const now = Math.floor(Date.now() / 1000)
  const token = {
    poolId,
    jti: randomUUID(),
    originJti: randomUUID(),
    sub: randomUUID(),
    clientId: 'client1',
    authTime: now - 100,
    iat: now - 50,
  } satisfies TokenIdentity
  const ids = {
    token: token.jti,
    session: token.originJti,
    user: token.sub,
    client: token.clientId,
    pool: poolId,
  }
  const record = (scope: RevocationScope, more: Partial<Revocation> = {}): Revocation => ({
    poolId,
    scope,
    id: ids[scope],
    expiresAt: now + 3_600,
    ...more,
  })
  /** Sessions to be revoked, of four pools in turn; their ids are UUIDs, as Cognito's are, and others. */
  const sessions = (count: number): Revocation[] =>
    Array.from({ length: count }, (_, index) => {
      const id = randomUUID()
      const pool = ['', 'a', 'b', 'c'][index % 4]
      return record('session', { poolId: `${poolId}${pool}`, id: index % 3 === 0 ? `session ${id}` : id })
    })
  /** A token that can be revoked by this scope, or by its pool, and by no other record. */
  const tokenOf = (scope: RevocationScope): TokenIdentity => identityOf(record(scope), token.iat)
  return { poolId, now, token, tokenOf, record, sessions, feedDeadlineMs, another }
}

/** A token that is revoked by this record and, but for records of its pool, by no other; by default at any cutoff. */
export function identityOf({ poolId, scope, id }: Revocation, iat = 0): TokenIdentity {
  const other = { poolId, sub: 'x', clientId: 'x', iat }
  return {
    token: { ...other, jti: id },
    session: { ...other, originJti: id },
    user: { ...other, sub: id },
    client: { ...other, clientId: id },
    pool: other,
  }[scope]
}

/** What is the same in all records that are merged into one. */
export function keyOf({ poolId, scope, id }: Revocation): string {
  return JSON.stringify([poolId, scope, id])
}

/** The part of a record that merges. */
export function extentOf({ cutoff, expiresAt }: RevocationExtent): RevocationExtent {
  return cutoff === undefined ? { expiresAt } : { cutoff, expiresAt }
}
