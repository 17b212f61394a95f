import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TokenVerifier, type TokenVerifierOptions } from '../src/index.js'
import { MemoryRevocationStore } from '../src/revocation/memory-store.js'
import type { Revocation, RevocationScope } from '../src/revocation/revocation.js'
import { Revoker } from '../src/revocation/revoker.js'
import type { RevocationStore } from '../src/revocation/store.js'
import { FakeCognito, TokenMinter } from '../src/testing/index.js'

// Every way in which a revoked token could come back, each shut.

let minter: TokenMinter
beforeAll(async () => {
  minter = await TokenMinter.create()
})

const HOUR = 3_600
const now = () => Math.floor(Date.now() / 1000)

function createVerifier(
  revocation: RevocationStore,
  options: Partial<TokenVerifierOptions> = {},
): TokenVerifier {
  const verifier = new TokenVerifier({
    userPoolId: minter.userPoolId,
    clientId: minter.clientId,
    tokenUse: null,
    revocation,
    ...options,
  } as TokenVerifierOptions)
  verifier.cacheJwks(minter.jwks)
  return verifier
}

const verdict = (verifier: TokenVerifier, token: string): Promise<string> =>
  verifier.verify(token).then(
    () => 'accepted',
    (error) => error.code,
  )

const record = (scope: RevocationScope, id: string, more: Partial<Revocation> = {}): Revocation => ({
  poolId: minter.userPoolId,
  scope,
  id,
  expiresAt: now() + HOUR,
  ...more,
})

describe('A revoked token does not come back', () => {
  it('by having been verified, and remembered, before it was revoked', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const token = minter.accessToken()
    for (let time = 0; time < 3; time++) expect(await verdict(verifier, token)).toBe('accepted')
    const claims = await verifier.verify(token)
    await new Revoker({ store, poolId: minter.userPoolId }).revokeSession(claims)
    for (let time = 0; time < 3; time++) expect(await verdict(verifier, token)).toBe('token_revoked')
    expect(() => verifier.verifySync(token)).toThrow(expect.objectContaining({ code: 'token_revoked' }))
  })

  it("as the session's other token, or as one that it is refreshed to", async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const session = { origin_jti: 'session-1' }
    await store.add([record('session', 'session-1')])
    expect(await verdict(verifier, minter.accessToken(session))).toBe('token_revoked')
    expect(await verdict(verifier, minter.idToken(session))).toBe('token_revoked')
    const later = { ...session, jti: 'another', iat: now() + 60, auth_time: now() + 60 }
    expect(await verdict(verifier, minter.accessToken(later))).toBe('token_revoked')
  })

  it.each<[RevocationScope, string]>([
    ['token', 'jti'],
    ['session', 'origin_jti'],
    ['user', 'sub'],
    ['client', 'client_id'],
    ['pool', 'iss'],
  ])('because another of its five keys is not revoked: by %s alone', async (scope, claim) => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const token = minter.accessToken()
    const claims = (await verifier.verify(token)) as Record<string, unknown>
    await store.add([record(scope, String(claims[claim]).split('/').at(-1) ?? '')])
    expect(await verdict(verifier, token)).toBe('token_revoked')
  })

  it('under the other of its pool’s two issuers', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    await store.add([record('session', 'session-1')])
    const region = 'us-east-1.amazonaws.com'
    for (const host of [`cognito-idp.${region}`, `issuer-cognito-idp.${region}`]) {
      const iss = `https://${host}/${minter.userPoolId}`
      expect(await verdict(verifier, minter.accessToken({ iss, origin_jti: 'good' }))).toBe('accepted')
      expect(await verdict(verifier, minter.accessToken({ iss, origin_jti: 'session-1' }))).toBe(
        'token_revoked',
      )
    }
  })

  it('when its record is over by the clock, for as long as the store has it', async () => {
    const store = new MemoryRevocationStore()
    const token = minter.accessToken({ origin_jti: 'session-1' })
    await store.add([record('session', 'session-1', { expiresAt: now() - 10 })])
    expect(await verdict(createVerifier(store), token)).toBe('token_revoked')
  })

  it.each([-300, -1, 0, 1, 300])('where the verifier’s clock is %i s off', async (seconds) => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store, { clock: () => Date.now() + seconds * 1000 })
    const revoker = new Revoker({ store, poolId: minter.userPoolId })
    const [byUser, bySession] = [minter.accessToken({ sub: 'u' }), minter.accessToken({ origin_jti: 's' })]
    expect(await verdict(verifier, byUser)).toBe('accepted')
    await revoker.revokeUser('u')
    await store.add([record('session', 's')])
    expect(await verdict(verifier, byUser)).toBe('token_revoked')
    expect(await verdict(verifier, bySession)).toBe('token_revoked')
  })

  it.each([-300, 300])(
    'where the revoker’s clock is %i s off: its record outlives the token',
    async (seconds) => {
      let clock = Date.now()
      const store = new MemoryRevocationStore({ clock: () => clock, maxEntries: 1 })
      const life = { accessTokenValiditySeconds: HOUR }
      const revoker = new Revoker({
        store,
        poolId: minter.userPoolId,
        clock: () => clock + seconds * 1000,
        ...life,
      })
      const claims = { iss: minter.issuer, origin_jti: 's' }
      await revoker.revokeSession(claims, { cognitoConfirmed: true })
      const verifier = createVerifier(store, { clock: () => clock })
      // The last token of the session was issued this second, and is good for its full hour.
      const token = minter.accessToken({ origin_jti: 's', exp: now() + HOUR })
      for (let minutes = 0; minutes < 60; minutes += 5) {
        expect(await verdict(verifier, token)).toBe('token_revoked')
        // Room is wanted all the time: nothing that is needed is given up for it.
        await expect(store.add([record('session', 'other')])).rejects.toThrow()
        clock += 5 * 60_000
      }
      expect(await verdict(verifier, token)).toBe('token_expired')
    },
  )

  it('by a shorter or earlier revocation that comes later', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const token = minter.accessToken({ sub: 'u', iat: now(), auth_time: now() })
    await store.add([record('user', 'u', { cutoff: now() })])
    await store.add([record('user', 'u', { cutoff: now() - HOUR, expiresAt: now() - HOUR })])
    expect(await verdict(verifier, token)).toBe('token_revoked')
  })

  it('in the second in which its user was signed out, whatever auth_time or iat is the later', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const cutoff = now()
    await store.add([record('user', 'u', { cutoff })])
    const issued = (auth_time: number | undefined, iat: number) =>
      verdict(verifier, minter.accessToken({ sub: 'u', auth_time, iat }))
    expect(await issued(cutoff, cutoff)).toBe('token_revoked')
    expect(await issued(cutoff - 500, cutoff + 5)).toBe('token_revoked')
    expect(await issued(cutoff + 5, cutoff)).toBe('token_revoked')
    expect(await issued(undefined, cutoff)).toBe('token_revoked')
    expect(await issued(cutoff + 1, cutoff + 1)).toBe('accepted')
    expect(await issued(undefined, cutoff + 1)).toBe('accepted')
  })

  it('because the store is full', async () => {
    const store = new MemoryRevocationStore({ maxEntries: 2 })
    await store.add([record('session', 'a'), record('session', 'b')])
    await expect(store.add([record('session', 'c')])).rejects.toMatchObject({ code: 'store_full' })
    const verifier = createVerifier(store)
    for (const origin_jti of ['a', 'b']) {
      expect(await verdict(verifier, minter.accessToken({ origin_jti }))).toBe('token_revoked')
    }
  })

  it('in another spelling of its signature', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store)
    const token = minter.accessToken({ origin_jti: 's' })
    await store.add([record('session', 's')])
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const signature = Buffer.from(token.split('.')[2] ?? '', 'base64url')
    const spellings = [...alphabet]
      .map((last) => token.slice(0, -1) + last)
      .filter((spelling) => Buffer.from(spelling.split('.')[2] ?? '', 'base64url').equals(signature))
    expect(spellings.length).toBeGreaterThan(1)
    for (const spelling of spellings) expect(await verdict(verifier, spelling)).not.toBe('accepted')
  })

  it('through a store that fails, hangs, or answers nonsense', async () => {
    const token = minter.accessToken()
    const answers: (() => unknown)[] = [
      () => {
        throw new Error('down')
      },
      () => Promise.reject(new Error('down')),
      () => new Promise(() => {}),
      () => null,
      () => false,
      () => ({}),
      () => 'not revoked',
      () => [],
    ]
    for (const find of answers) {
      const store = { add: async () => {}, find: find as RevocationStore['find'] }
      expect(await verdict(createVerifier(store, { revocationTimeoutMs: 50 }), token)).toBe(
        'revocation_unavailable',
      )
    }
  })

  it('where the owner accepts what cannot be known, if it is known after all', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(store, { onRevocationUnavailable: 'accept' })
    await store.add([record('session', 's')])
    expect(await verdict(verifier, minter.accessToken({ origin_jti: 's' }))).toBe('token_revoked')
  })
})

describe('A token signed with a key that was withdrawn from the JWKS does not come back', () => {
  let cognito: FakeCognito
  beforeAll(async () => {
    cognito = await FakeCognito.start()
  })
  afterAll(() => cognito.close())

  it('by having been verified, and remembered, before', async () => {
    let clock = Date.now()
    const verifier = new TokenVerifier({
      userPoolId: cognito.userPoolId,
      issuer: cognito.issuer,
      clientId: null,
      tokenUse: null,
      revocation: new MemoryRevocationStore(),
      jwks: { cooldownMs: 1, refreshAfterMs: 60_000 },
      clock: () => clock,
    })
    const token = cognito.minter.accessToken()
    expect(await verdict(verifier, token)).toBe('accepted')
    await cognito.rotateKeys()
    clock += 61_000
    // The first call after the refresh is due sets it off; from when it is done the key is gone.
    await expect.poll(() => verdict(verifier, token)).toBe('token_key_unknown')
    expect(await verdict(verifier, cognito.minter.accessToken())).toBe('accepted')
    await verifier.close()
  })

  it.each([
    ['an hour, as the owner chose', HOUR, { maxAgeMs: HOUR * 1000 }],
    ['six hours, by default', 6 * HOUR, {}],
  ])('while the JWKS cannot be had, past %s', async (_, maxAge, age) => {
    let clock = Date.now()
    const verifier = new TokenVerifier({
      userPoolId: cognito.userPoolId,
      issuer: cognito.issuer,
      clientId: null,
      tokenUse: null,
      revocation: false,
      jwks: { cooldownMs: 1, ...age },
      clock: () => clock,
    })
    const token = cognito.minter.accessToken({ exp: now() + 24 * HOUR })
    expect(await verdict(verifier, token)).toBe('accepted')
    cognito.failNext('JWKS', 'socket hang up', { times: Number.POSITIVE_INFINITY })
    clock += (maxAge - 60) * 1000
    expect(await verdict(verifier, token)).toBe('accepted')
    clock += 120 * 1000
    expect(await verdict(verifier, token)).toBe('jwks_unavailable')
    cognito.clearFaults()
    await expect.poll(() => verdict(verifier, token)).toBe('accepted')
    await verifier.close()
  })
})
