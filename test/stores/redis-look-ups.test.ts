import { expect, it } from 'vitest'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import { describeWithRedis, sharedRedis } from '../support/redis-suites.js'
import { clientKinds } from './redis-client-kinds.js'
import { nowSeconds, openStore, poolsOf, session, storeOver, tokenOf, user } from './redis-harness.js'

describeWithRedis('Look-ups of a RedisRevocationStore that go together', () => {
  const redis = sharedRedis()

  it.each(Object.entries(clientKinds))('with %s each have an answer of their own', async (_, open) => {
    const shards = 3
    const store = storeOver(await open(redis()), { shards })
    const now = nowSeconds()
    const { records, lookUps } = muddle(poolsOf(shards), now)
    await store.add(records)
    const found = await Promise.all(lookUps.map(({ token }) => store.find(token)))
    expect(found.map((match) => match && [match.scope, match.id, match.cutoff])).toEqual(
      lookUps.map(({ expected }) => expected),
    )
  })

  it('fail together, and later ones do not', async () => {
    const store = await openStore(redis(), { commandTimeoutMs: 50 })
    await store.add([session('a')])
    await redis().run('CLIENT', 'PAUSE', 200, 'ALL')
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => store.find(tokenOf('a'))))
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']))
    for (;;) {
      const match = await store.find(tokenOf('a')).catch(() => 'again' as const)
      if (match === 'again') continue
      expect(match).toMatchObject({ id: 'a' })
      break
    }
  })

  it('of a token that nothing revokes say so beside those of tokens that are revoked', async () => {
    const store = await openStore(redis())
    await store.add([session('a'), user('u')])
    const ids = Array.from({ length: 100 }, (_, index) => (index % 3 === 0 ? 'a' : `not-${index}`))
    const found = await Promise.all(ids.map((id) => store.find(tokenOf(id))))
    expect(found.map((match) => match?.id)).toEqual(ids.map((id) => (id === 'a' ? 'a' : undefined)))
  })
})

/** Tokens of several pools, and for each what it is to be found revoked by. */
function muddle(pools: readonly string[], now: number) {
  const records: Revocation[] = []
  const lookUps: { token: TokenIdentity; expected: [string, string, number | undefined] | undefined }[] = []
  for (let index = 0; index < 300; index++) {
    const poolId = pools[index % pools.length] as string
    const id = `${index}`
    const token = { poolId, jti: `j${id}`, originJti: `o${id}`, sub: `s${id}`, clientId: `c${id}`, iat: now }
    const common = { poolId, expiresAt: now + 1_000 + index }
    const kind = index % 6
    const expected = (
      [
        undefined,
        ['token', token.jti, undefined],
        ['session', token.originJti, undefined],
        ['user', token.sub, now + 10],
        // The user's cutoff is before the token, the client's is not there.
        ['client', token.clientId, undefined],
        undefined,
      ] as const
    )[kind]
    if (kind === 1) records.push({ ...common, scope: 'token', id: token.jti })
    if (kind === 2) records.push({ ...common, scope: 'session', id: token.originJti })
    if (kind === 3) records.push({ ...common, scope: 'user', id: token.sub, cutoff: now + 10 })
    if (kind >= 4) records.push({ ...common, scope: 'user', id: token.sub, cutoff: now - 10 })
    if (kind === 4) records.push({ ...common, scope: 'client', id: token.clientId })
    lookUps.push({ token, expected: expected && [...expected] })
  }
  return { records, lookUps }
}
