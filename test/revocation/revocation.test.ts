import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CutoffInFutureError } from '../../src/errors.js'
import {
  assertRevocation,
  isPurgeable,
  matches,
  mergeExtents,
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
        const record = { poolId: identity.poolId, scope: 'user', id: identity.sub } as const
        const revoked = matches({ ...record, ...a }, identity) || matches({ ...record, ...b }, identity)
        expect(matches({ ...record, ...merged }, identity)).toBe(revoked)
      }),
    )
  })
})

describe('A revocation matches a token', () => {
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
  const record = (more: Partial<Revocation>): Revocation => ({
    poolId: 'p',
    scope: 'session',
    id: 'o',
    expiresAt: now,
    ...more,
  })

  it.each([
    ['token', 'j'],
    ['session', 'o'],
    ['user', 's'],
    ['client', 'c'],
    ['pool', 'p'],
  ] as const)('in the scope %s by that id alone', (scope, id) => {
    expect(matches(record({ scope, id }), identity)).toBe(true)
    expect(matches(record({ scope, id: `${id}x` }), identity)).toBe(false)
  })

  it('in its own user pool only', () => {
    expect(matches(record({ poolId: 'q' }), identity)).toBe(false)
  })

  it('whatever its expiresAt says', () => {
    expect(matches(record({ expiresAt: 0 }), identity)).toBe(true)
  })

  it('never by an id that the token does not have', () => {
    const { jti: _, originJti: __, ...without } = identity
    expect(matches(record({ id: 'undefined' }), without)).toBe(false)
    expect(matches(record({ scope: 'token', id: 'undefined' }), without)).toBe(false)
  })

  it('if the smaller of auth_time and iat is at or before the cutoff', () => {
    const user = (cutoff: number) => record({ scope: 'user', id: 's', cutoff })
    expect(matches(user(now - 60), identity)).toBe(true)
    expect(matches(user(now - 61), identity)).toBe(false)
    expect(matches(user(now - 1), { ...identity, authTime: now + 60, iat: now - 1 })).toBe(true)
    expect(matches(user(now), { ...identity, authTime: undefined })).toBe(true)
    expect(matches(user(now - 1), { ...identity, authTime: undefined })).toBe(false)
  })

  it('rather than not, where a time is no number', () => {
    expect(matches(record({ scope: 'user', id: 's', cutoff: 1 }), { ...identity, iat: Number.NaN })).toBe(
      true,
    )
  })
})

describe('A record', () => {
  const now = 1_800_000_000
  const valid: Revocation = { poolId: 'p', scope: 'user', id: 's', cutoff: now, expiresAt: now + 60 }

  it('may be forgotten an hour after its expiresAt, not before', () => {
    expect(isPurgeable({ expiresAt: now }, now + 3_599)).toBe(false)
    expect(isPurgeable({ expiresAt: now }, now + 3_600)).toBe(true)
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
