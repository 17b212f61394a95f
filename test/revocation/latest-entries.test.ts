import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Revocation } from '../../src/revocation/revocation.js'
import { RevocationTable } from '../../src/revocation/table/revocation-table.js'
import type { CognitoClaims } from '../../src/tokens/claims.js'
import { identityOf } from '../../src/tokens/token-identity.js'

const POOLS = ['us-east-1_One', 'us-east-1_Two']
const now = 1_750_000_000
/** As Cognito's are, and as others' may be. */
const idOf = (number: number) =>
  number % 2 === 0 ? `00000000-0000-4000-8000-00000000000${number}` : `id ${number}`

/** Tokens as a verifier keeps them: the same object each time. */
function identities() {
  return POOLS.flatMap((poolId) =>
    Array.from({ length: 6 }, (_, number) => {
      const claims = { sub: idOf(number), origin_jti: idOf(number % 3), jti: idOf(5 - number) }
      const more = { client_id: idOf(number % 2), token_use: 'access', iat: now + number, auth_time: now }
      return identityOf(poolId, { ...claims, ...more } as unknown as CognitoClaims)
    }),
  )
}

const revocation: fc.Arbitrary<Revocation> = fc
  .record({
    poolId: fc.constantFrom(...POOLS),
    scope: fc.constantFrom('token', 'session', 'user', 'client'),
    id: fc.nat({ max: 12 }).map(idOf),
    cutoff: fc.option(fc.integer({ min: now - 3, max: now + 6 }), { nil: undefined }),
  })
  .map(({ cutoff, ...record }) => {
    const hasCutoff = cutoff !== undefined && (record.scope === 'user' || record.scope === 'client')
    return { ...record, expiresAt: now + 3_600, ...(hasCutoff ? { cutoff } : {}) }
  })

describe('A token that is looked up again', () => {
  it('gets the answer of one that is looked up for the first time, whatever has come in between', () => {
    fc.assert(
      fc.property(fc.array(fc.array(revocation, { maxLength: 60 }), { maxLength: 8 }), (batches) => {
        const table = new RevocationTable({ maxEntries: 20 })
        const tokens = identities()
        for (const batch of batches) {
          for (const each of batch) table.apply(each, 0, now)
          for (const token of tokens) expect(table.find(token)).toEqual(table.find({ ...token }))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is found once it is revoked, after as many others as the table remembers, one less and one more', () => {
    for (const others of [0, 1, 30, 31, 32, 33, 64, 65]) {
      const table = new RevocationTable({ maxEntries: 1_000 })
      const [token] = identities()
      if (token === undefined) throw new Error('There is no token')
      expect(table.find(token)).toBeUndefined()
      const { poolId } = token
      const record = { poolId, scope: 'session', expiresAt: now } as const
      table.apply({ ...record, id: token.originJti ?? '' }, 0, now)
      for (let other = 0; other < others; other++) table.apply({ ...record, id: `other ${other}` }, 0, now)
      expect(table.find(token)).toMatchObject({ scope: 'session', id: token.originJti })
    }
  })
})
