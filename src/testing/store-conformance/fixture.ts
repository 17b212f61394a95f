import { randomUUID } from 'node:crypto'
import type { Revocation, RevocationScope } from '../../revocation/revocation.js'
import type { RevocationStore } from '../../revocation/store.js'
import type { TokenIdentity } from '../../tokens/token-identity.js'

/** A test of the suite. */
export type StoreTest = (store: RevocationStore, fixture: Fixture) => Promise<void>
export type Fixture = ReturnType<typeof createFixture>

/** A user pool, a token of it, and records that revoke it. */
export function createFixture(feedDeadlineMs: number) {
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
  /** A token that can be revoked by this scope, or by its pool, and by no other record. */
  const tokenOf = (scope: RevocationScope): TokenIdentity => {
    const other = { poolId, sub: 'x', clientId: 'x', iat: token.iat }
    return {
      token: { ...other, jti: token.jti },
      session: { ...other, originJti: token.originJti },
      user: { ...other, sub: token.sub },
      client: { ...other, clientId: token.clientId },
      pool: other,
    }[scope]
  }
  return { poolId, now, token, tokenOf, record, feedDeadlineMs }
}
