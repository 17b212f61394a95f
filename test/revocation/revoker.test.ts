import { describe, expect, it } from 'vitest'
import { StoreFullError, TokenNotRevocableError } from '../../src/errors.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import { Revoker } from '../../src/revocation/revoker.js'

const poolId = 'us-east-1_Pool1'
const iss = `https://cognito-idp.us-east-1.amazonaws.com/${poolId}`
const nowSeconds = 1_800_000_000
const claims = { iss, origin_jti: 'session1', jti: 'token1', exp: nowSeconds + 600 }
const DAY = 86_400
const TEN_YEARS = 315_360_000

function setUp(options = {}) {
  const recorded: Revocation[] = []
  const store = {
    add: async (revocations: readonly Revocation[]) => void recorded.push(...revocations),
    find: async () => undefined,
  }
  const revoker = new Revoker({ store, poolId, clock: () => nowSeconds * 1000 + 999, ...options })
  return { revoker, recorded }
}

describe('Revoker', () => {
  it('records a session by its origin_jti, and gives what it recorded', async () => {
    const { revoker, recorded } = setUp()
    const revocation = await revoker.revokeSession(claims, { reason: 'lost', actor: 'ops' })
    expect(recorded).toEqual([revocation])
    expect(revocation).toEqual({
      poolId,
      scope: 'session',
      id: 'session1',
      expiresAt: nowSeconds + TEN_YEARS + 300,
      audit: { revokedAt: nowSeconds, reason: 'lost', actor: 'ops' },
    })
  })

  it('keeps a session that Cognito has revoked for the life of an access token, plus 300 s', async () => {
    const { expiresAt } = await setUp().revoker.revokeSession(claims, { cognitoConfirmed: true })
    expect(expiresAt).toBe(nowSeconds + DAY + 300)
  })

  it('goes by the validities it is told', async () => {
    const { revoker } = setUp({ accessTokenValiditySeconds: 3_600, refreshTokenValiditySeconds: 7_200 })
    expect((await revoker.revokeUser('s')).expiresAt).toBe(nowSeconds + 7_200 + 300)
    expect((await revoker.revokeUser('s', { cognitoConfirmed: true })).expiresAt).toBe(nowSeconds + 3_900)
  })

  it('records a token by its jti until its exp, plus 300 s', async () => {
    const { scope, id, expiresAt, cutoff } = await setUp().revoker.revokeToken(claims)
    expect({ scope, id, expiresAt, cutoff }).toEqual({
      scope: 'token',
      id: 'token1',
      expiresAt: nowSeconds + 900,
      cutoff: undefined,
    })
  })

  it('records users, clients and pools with a cutoff of now, in whole seconds', async () => {
    const { revoker } = setUp()
    expect(await revoker.revokeUser('sub1')).toMatchObject({ scope: 'user', id: 'sub1', cutoff: nowSeconds })
    expect(await revoker.revokeClient('c1')).toMatchObject({ scope: 'client', id: 'c1', cutoff: nowSeconds })
    expect(await revoker.revokePool()).toMatchObject({ scope: 'pool', id: poolId, cutoff: nowSeconds })
  })

  it('takes a cutoff that is given', async () => {
    expect((await setUp().revoker.revokeUser('s', { cutoff: nowSeconds - 5 })).cutoff).toBe(nowSeconds - 5)
  })

  it('refuses tokens that have no id to revoke them by', async () => {
    const { revoker, recorded } = setUp()
    await expect(revoker.revokeSession({ iss })).rejects.toThrow(TokenNotRevocableError)
    await expect(revoker.revokeToken({ iss, exp: nowSeconds })).rejects.toThrow(TokenNotRevocableError)
    expect(recorded).toEqual([])
  })

  it("refuses another user pool's claims, which it would record where nobody looks", async () => {
    const { revoker, recorded } = setUp()
    const foreign = { ...claims, iss: iss.replace('Pool1', 'Pool2') }
    await expect(revoker.revokeSession(foreign)).rejects.toThrow('us-east-1_Pool2')
    await expect(revoker.revokeToken(foreign)).rejects.toThrow(TypeError)
    expect(recorded).toEqual([])
  })

  it('takes the claims of an emulator, whatever its issuer ends in', async () => {
    const { revoker, recorded } = setUp()
    await revoker.revokeSession({ ...claims, iss: 'https://login.example/tenant_a' })
    expect(recorded).toHaveLength(1)
  })

  it('refuses a cutoff for a session, which is ended as a whole', async () => {
    const options = { cutoff: nowSeconds } as never
    await expect(setUp().revoker.revokeSession(claims, options)).rejects.toThrow('"cutoff"')
  })

  it('rejects with the error of the store', async () => {
    const revoker = new Revoker({ store: new MemoryRevocationStore({ maxEntries: 1 }), poolId })
    await revoker.revokeUser('one')
    await expect(revoker.revokeUser('two')).rejects.toThrow(StoreFullError)
  })

  it.each([
    ['store', { store: undefined }],
    ['store', { store: false }],
    ['poolId', { poolId: '' }],
    ['accessTokenValiditySeconds', { accessTokenValiditySeconds: 100_000 }],
    ['accessTokenValiditySeconds', { accessTokenValiditySeconds: 299 }],
    ['refreshTokenValiditySeconds', { refreshTokenValiditySeconds: 60 }],
    ['clock', { clock: 1 }],
    ['pool', { pool: 'x' }],
  ])('names a wrong option: %s', (name, wrong) => {
    const options = { store: new MemoryRevocationStore(), poolId, ...wrong } as never
    expect(() => new Revoker(options)).toThrow(TypeError)
    expect(() => new Revoker(options)).toThrow(`"${name}"`)
  })
})
