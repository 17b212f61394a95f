import { randomUUID } from 'node:crypto'
import type { Revocation } from '../../src/revocation/revocation.js'
import { TokenMinter } from '../../src/testing/token-minter.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

const TOKENS = 12
/** So many of them are never revoked. */
export const VALID_TOKENS = 4
/** Old enough for a user's cutoff, however far off the clock of whoever tells it. */
const ISSUED_SECONDS_AGO = 600

/** One for all scenarios of a file: its keys take their time. */
let sharedMinter: Promise<TokenMinter> | undefined

/** The tokens of a scenario, and what revokes them. */
export interface TokenSet {
  readonly minter: TokenMinter
  readonly tokens: readonly string[]
  readonly identities: readonly TokenIdentity[]
}

export async function mintTokens(): Promise<TokenSet> {
  sharedMinter ??= TokenMinter.create()
  const minter = await sharedMinter
  const { userPoolId: poolId, clientId } = minter
  const iat = Math.floor(Date.now() / 1000) - ISSUED_SECONDS_AGO
  const identities = Array.from({ length: TOKENS }, () => ({
    ...{ poolId, clientId, iat, authTime: iat },
    ...{ jti: randomUUID(), originJti: randomUUID(), sub: randomUUID() },
  }))
  const tokens = identities.map(({ jti, originJti, sub }) =>
    minter.accessToken({ jti, origin_jti: originJti, sub, iat }),
  )
  return { minter, tokens, identities }
}

/** What revokes a token: itself, its session or its user, by turns. */
export function revocationOf({ identities }: TokenSet, token: number): Revocation {
  const { poolId, jti, originJti, sub } = identities[token] as Required<TokenIdentity>
  const nowSeconds = Math.floor(Date.now() / 1000)
  const expiresAt = nowSeconds + 3_600
  switch (token % 3) {
    case 0:
      return { poolId, scope: 'token', id: jti as string, expiresAt }
    case 1:
      return { poolId, scope: 'session', id: originJti as string, expiresAt }
    default:
      return { poolId, scope: 'user', id: sub, cutoff: nowSeconds, expiresAt }
  }
}

/** An older record of the same: shorter, and with a cutoff that leaves the token alone. */
export function olderRevocationOf({ identities }: TokenSet, token: number): Revocation {
  const { iat } = identities[token] as TokenIdentity
  const { cutoff, ...record } = revocationOf({ identities } as TokenSet, token)
  const expiresAt = record.expiresAt - 1_800
  return { ...record, expiresAt, ...(cutoff !== undefined && { cutoff: iat - 60 }) }
}

/** Revocations of tokens that nobody has. */
export function otherRevocations({ minter: { userPoolId: poolId } }: TokenSet, count: number): Revocation[] {
  const expiresAt = Math.floor(Date.now() / 1000) + 3_600
  return Array.from({ length: count }, () => ({
    ...{ poolId, scope: 'session' as const, id: randomUUID(), expiresAt },
  }))
}
