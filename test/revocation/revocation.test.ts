import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CutoffInFutureError } from '../../src/errors.js'
import {
  assertRevocation,
  idInScope,
  isBeforeCutoff,
  mergeExtents,
  purgeableAt,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationExtent,
} from '../../src/revocation/revocation.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

const seconds = fc.integer({ min: 0, max: 4_000_000_000 })
const extent: fc.Arbitrary<RevocationExtent> = fc.oneof(
  fc.record({ expiresAt: seconds }),
  fc.record({ expiresAt: seconds, cutoff: seconds }),
)
const token: fc.Arbitrary<TokenIdentity> = fc.record(
  {
    poolId: fc.constantFrom('p1', 'p2'),
    jti: fc.constantFrom('a', 'b'),
    originJti: fc.constantFrom('a', 'b'),
    sub: fc.constantFrom('a', 'b'),
    clientId: fc.constantFrom('a', 'b'),
    authTime: seconds,
    iat: seconds,
  },
  { requiredKeys: ['poolId', 'sub', 'clientId', 'iat'] },
)

describe('Merging two records of one pool, scope and id', () => {
  it('commutes', () => {
    const law = fc.property(extent, extent, (a, b) => {
      expect(mergeExtents(a, b)).toEqual(mergeExtents(b, a))
    })
    fc.assert(law)
  })

  it('associates', () => {
    const law = fc.property(extent, extent, extent, (a, b, c) => {
      expect(mergeExtents(mergeExtents(a, b), c)).toEqual(mergeExtents(a, mergeExtents(b, c)))
    })
    fc.assert(law)
  })

  it('has no effect when repeated', () => {
    const law = fc.property(extent, extent, (a, b) => {
      expect(mergeExtents(a, a)).toEqual(a)
      expect(mergeExtents(mergeExtents(a, b), b)).toEqual(mergeExtents(a, b))
    })
    fc.assert(law)
  })

  it('never shortens a life, and never lets a token through that either record revokes', () => {
    fc.assert(
      fc.property(extent, extent, token, (a, b, identity) => {
        const merged = mergeExtents(a, b)
        expect(merged.expiresAt).toBeGreaterThanOrEqual(Math.max(a.expiresAt, b.expiresAt))
        const revoked = isBeforeCutoff(identity, a.cutoff) || isBeforeCutoff(identity, b.cutoff)
        expect(isBeforeCutoff(identity, merged.cutoff)).toBe(revoked)
      }),
    )
  })
})

describe('A token', () => {
  const now = 1_800_000_000
  const identity: TokenIdentity = {
    poolId: 'p',
    jti: 'j',
    originJti: 'o',
    sub: 's',
    clientId: 'c',
    authTime: now - 60,
    iat: now,
  }

  it('is revoked by its jti, origin_jti, sub, client and user pool', () => {
    expect(REVOCATION_SCOPES.map((scope) => idInScope(identity, scope))).toEqual(['j', 'o', 's', 'c', 'p'])
  })

  it('is not revoked by an id that it does not have', () => {
    const { jti: _, originJti: __, ...without } = identity
    expect(idInScope(without, 'token')).toBeUndefined()
    expect(idInScope(without, 'session')).toBeUndefined()
  })

  it('is before a cutoff if the smaller of auth_time and iat is at or before it', () => {
    expect(isBeforeCutoff(identity, now - 60)).toBe(true)
    expect(isBeforeCutoff(identity, now - 61)).toBe(false)
    expect(isBeforeCutoff({ ...identity, authTime: now + 60, iat: now - 1 }, now - 1)).toBe(true)
    expect(isBeforeCutoff({ ...identity, authTime: undefined }, now)).toBe(true)
    expect(isBeforeCutoff({ ...identity, authTime: undefined }, now - 1)).toBe(false)
  })

  it('is before no cutoff at all', () => {
    expect(isBeforeCutoff({ ...identity, authTime: now + 9e9, iat: now + 9e9 }, undefined)).toBe(true)
  })

  it('is before a cutoff rather than not, where a time is no number', () => {
    expect(isBeforeCutoff({ ...identity, iat: Number.NaN }, 1)).toBe(true)
  })
})

describe('A record', () => {
  const now = 1_800_000_000
  const valid: Revocation = { poolId: 'p', scope: 'user', id: 's', cutoff: now, expiresAt: now + 60 }

  it('may be forgotten an hour after its expiresAt, not before', () => {
    expect(purgeableAt({ expiresAt: now })).toBe(now + 3_600)
  })

  it.each(REVOCATION_SCOPES)('is taken in the scope %s', (scope) => {
    const { cutoff: _, ...record } = { ...valid, scope, id: scope === 'pool' ? 'p' : 's' }
    expect(() => assertRevocation(record, now)).not.toThrow()
  })

  it('is taken with its audit', () => {
    const audit = { revokedAt: now, reason: 'stolen', actor: 'security' }
    expect(() => assertRevocation({ ...valid, audit }, now)).not.toThrow()
  })

  it.each<[string, object]>([
    ['poolId', { poolId: '' }],
    ['scope', { scope: 'device' }],
    ['scope', { scope: 'toString' }],
    ['id', { id: '' }],
    ['id', { id: 'x'.repeat(257) }],
    ['id', { id: 42 }],
    ['id', { id: '\ud800' }],
    ['id', { scope: 'pool', id: 'q', cutoff: undefined }],
    ['expiresAt', { expiresAt: Number.POSITIVE_INFINITY }],
    ['expiresAt', { expiresAt: Number.NaN }],
    ['expiresAt', { expiresAt: '1' }],
    ['expiresAt', { expiresAt: now * 1000 }],
    ['cutoff', { cutoff: Number.NaN }],
    ['cutoff', { cutoff: -1 }],
    ['cutoff', { scope: 'session' }],
    ['cutoff', { scope: 'token' }],
    ['audit.revokedAt', { audit: {} }],
    ['audit.reason', { audit: { revokedAt: now, reason: 'x'.repeat(1_025) } }],
    ['audit.actor', { audit: { revokedAt: now, actor: 1 } }],
  ])('is refused for its %s: %j', (field, more) => {
    const record = { ...valid, ...more } as Revocation
    expect(() => assertRevocation(record, now)).toThrow(new RegExp(`Invalid revocation: ${field} must be`))
    expect(() => assertRevocation(record, now)).toThrow(TypeError)
  })

  it('is refused when it is none', () => {
    for (const nothing of [null, undefined, 'record', 1]) {
      expect(() => assertRevocation(nothing as never, now)).toThrow(TypeError)
    }
  })

  it('is refused if its cutoff is over 300 s in the future, which no merge could undo', () => {
    expect(() => assertRevocation({ ...valid, cutoff: now + 300 }, now)).not.toThrow()
    expect(() => assertRevocation({ ...valid, cutoff: now + 301 }, now)).toThrow(CutoffInFutureError)
  })
})
