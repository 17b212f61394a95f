import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AuthenticationResultType } from '@aws-sdk/client-cognito-identity-provider'
import { decodeJwt } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RefreshTokenRevokedError, RevocationIncompleteError } from '../../src/errors.js'
import { Revoker } from '../../src/revocation/revoker.js'
import type { AppClientSettings } from '../../src/testing/index.js'
import { type Scene, type Session, thrownBy, useScene } from '../support/scene.js'
import { createSdk } from '../testing/harness.js'

const createScene = useScene()
const GET = 'GetTokensFromRefreshToken'
const HOUR = 3_600
const NEW_IDS: AppClientSettings = {
  newOriginJtiOnRefresh: true,
  refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 },
}

const revokerOf = (scene: Scene) => new Revoker({ store: scene.store, poolId: scene.cognito.userPoolId })
const claimsOf = (scene: Scene, { accessToken }: { accessToken: string }) =>
  scene.verifier.verify(accessToken)
const originJtiOf = async (scene: Scene, tokens: { accessToken: string }) =>
  (await claimsOf(scene, tokens)).origin_jti ?? ''
const recordedIds = (scene: Scene) => new Set(scene.store.added.map(({ id }) => id))

/** A session that the store has as ended, of which Cognito does not know. */
async function endInStore(scene: Scene, session: Pick<Session, 'accessToken'>): Promise<string> {
  const claims = await claimsOf(scene, session)
  await revokerOf(scene).revokeSession(claims)
  return claims.origin_jti ?? ''
}

/** The SDK with a Cognito that tells another time of sign-in at each refresh, as emulators do. */
function forgetfulSdk(scene: Scene) {
  const sdk = createSdk(scene.cognito.url, { maxAttempts: 1 })
  sdk.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { AuthenticationResult: tokens } = result.output as {
        AuthenticationResult?: AuthenticationResultType
      }
      // A sign-in gives a refresh token; a refresh without rotation none.
      if (tokens?.AccessToken === undefined || tokens.RefreshToken !== undefined) return result
      const { iat = 0, ...rest } = decodeJwt(tokens.AccessToken)
      tokens.AccessToken = scene.cognito.minter.sign({ ...rest, iat, auth_time: iat })
      delete tokens.IdToken
      return result
    },
    { step: 'initialize' },
  )
  return sdk
}

describe('A session that the store has as ended, of which Cognito does not know', () => {
  it.each(['session', 'user', 'client', 'pool'] as const)(
    'is not refreshed, and Cognito is told: ended as a %s',
    async (scope) => {
      const scene = createScene()
      const session = await scene.signIn()
      const claims = await claimsOf(scene, session)
      // What is refreshed later is of after the end, but for the time of the sign-in.
      scene.cognito.clock.advance(5)
      const [poolId, cutoff] = [scene.cognito.userPoolId, Math.floor(scene.cognito.clock.now() / 1000)]
      const ids = {
        session: claims.origin_jti ?? '',
        user: claims.sub,
        client: scene.app.clientId,
        pool: poolId,
      }
      const until = scope === 'session' ? {} : { cutoff }
      await scene.store.add([{ poolId, scope, id: ids[scope], ...until, expiresAt: cutoff + HOUR }])
      scene.cognito.clock.advance(5)
      scene.takeCalls()
      const error = await thrownBy(() => scene.client.refresh({ refreshToken: session.refreshToken }))
      expect(error).toBeInstanceOf(RefreshTokenRevokedError)
      expect(error.message).toContain('at Cognito: revoked now')
      expect(scene.takeCalls()).toEqual([GET, 'RevokeToken'])
      await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    },
  )

  it('is refused also where Cognito cannot be told, which the error says', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    await endInStore(scene, session)
    scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    const error = await thrownBy(() => scene.client.refresh(session))
    expect(error).toBeInstanceOf(RefreshTokenRevokedError)
    expect(error.message).toContain('at Cognito: unknown')
    expect(error.cause).toMatchObject({ code: 'cognito_unavailable' })
  })

  it('can be ended at Cognito by revokeRefreshToken, which has to refresh for it', async () => {
    const scene = createScene()
    const { refreshToken, ...session } = await scene.signIn()
    await endInStore(scene, session)
    const outcome = await scene.client.revokeRefreshToken({ refreshToken })
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', store: 'recorded', cognito: 'revoked' })
    await expect(scene.client.refresh({ refreshToken })).rejects.toThrow('Refresh Token has been revoked')
  })

  it('is not refreshed where a refresh tells another time of sign-in, as emulators do', async () => {
    const scene = createScene()
    const client = scene.createClient({ sdk: forgetfulSdk(scene) })
    const session = await scene.signIn(scene.user, client)
    const { iat, sub } = await claimsOf(scene, session)
    await revokerOf(scene).revokeUser(sub, { cutoff: iat })
    scene.cognito.clock.advance(5)
    await expect(client.refresh({ refreshToken: session.refreshToken })).rejects.toThrow(
      RefreshTokenRevokedError,
    )
  })

  it('is refreshed while the store cannot say: verifiers have the word', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    await endInStore(scene, session)
    const { find } = scene.store
    scene.store.find = async () => {
      throw new Error('the store is down')
    }
    const { accessToken, idToken = '' } = await scene.client.refresh(session)
    scene.store.find = find
    expect(await scene.judge({ accessToken, idToken })).toBe('token_revoked')
  })

  it('is refreshed without a store', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    await endInStore(scene, session)
    await expect(scene.createClient({ store: false }).refresh(session)).resolves.toBeDefined()
  })
})

describe('Where a refresh gives the session another origin_jti', () => {
  it('revokeRefreshToken ends the tokens of all of them', async () => {
    const scene = createScene(NEW_IDS)
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    const second = await scene.client.refresh(first)
    const all = [session, first, second]
    const ids = await Promise.all(all.map((tokens) => originJtiOf(scene, tokens)))
    expect(new Set(ids).size).toBe(3)
    const outcome = await scene.client.revokeRefreshToken(second)
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', store: 'recorded', cognito: 'revoked' })
    expect(outcome.originJtis).toEqual(expect.arrayContaining(ids))
    for (const tokens of all) {
      expect(await scene.judge({ ...tokens, idToken: tokens.idToken ?? '' })).toBe('token_revoked')
    }
    await expect(scene.client.refresh(second)).rejects.toThrow(RefreshTokenRevokedError)
  })

  it('revokeRefreshToken with a predecessor ends them too, and tells Cognito of the newest', async () => {
    const scene = createScene(NEW_IDS)
    const session = await scene.signIn()
    const ids = [await originJtiOf(scene, session)]
    const first = await scene.client.refresh(session)
    ids.push(await originJtiOf(scene, first))
    const outcome = await scene.client.revokeRefreshToken(session)
    expect(outcome.originJtis).toEqual(expect.arrayContaining(ids))
    const told = scene.cognito.calls.filter(({ operation }) => operation === 'RevokeToken').slice(-3)
    expect(told.map(({ parameters }) => parameters)).toMatchObject([
      { ClientId: scene.app.clientId },
      { Token: first.refreshToken },
      { Token: session.refreshToken },
    ])
  })

  it('does not go on under it once it was ended under the former: the new one is recorded, Cognito told', async () => {
    const scene = createScene(NEW_IDS)
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    const former = await endInStore(scene, session)
    scene.takeCalls()
    await expect(scene.client.refresh(first)).rejects.toThrow(RefreshTokenRevokedError)
    expect(scene.takeCalls()).toEqual([GET, 'RevokeToken', 'RevokeToken'])
    const ids = recordedIds(scene)
    expect(ids.size).toBe(3)
    expect(ids).toContain(former)
    expect(await scene.judge({ ...first, idToken: first.idToken ?? '' })).toBe('token_revoked')
    await expect(scene.client.refresh(first)).rejects.toThrow('Refresh Token has been revoked')
  })

  it.each(['accessToken', 'idToken'] as const)(
    'neither in a process that has not seen it, where the former %s is given along, expired or not',
    async (hint) => {
      for (const seconds of [0, 2 * HOUR]) {
        const scene = createScene(NEW_IDS)
        const session = await scene.signIn()
        await endInStore(scene, session)
        scene.cognito.clock.advance(seconds)
        const other = scene.createClient()
        const input = { refreshToken: session.refreshToken, [hint]: session[hint] }
        await expect(other.refresh(input)).rejects.toThrow(RefreshTokenRevokedError)
        expect(recordedIds(scene).size).toBe(2)
        scene.cognito.clock.advance(-seconds)
      }
    },
  )

  it("is not taken for ended by a token given along that is another user's, unsigned, or another client's", async () => {
    const scene = createScene(NEW_IDS)
    const victim = await scene.signIn(scene.createUser())
    const session = await scene.signIn()
    const claims = await claimsOf(scene, session)
    await endInStore(scene, victim)
    await endInStore(scene, session)
    const unsigned = session.accessToken.replace(/\.[^.]*$/, '.')
    const foreign = scene.cognito.minter.sign({ ...claims, client_id: 'another' })
    for (const accessToken of [victim.accessToken, unsigned, foreign]) {
      const { refreshToken } = session
      await expect(scene.createClient().refresh({ refreshToken, accessToken })).resolves.toBeDefined()
    }
  })

  it('is known from a token given along, for whoever ends it later', async () => {
    const scene = createScene(NEW_IDS)
    const session = await scene.signIn()
    const other = scene.createClient()
    const fresh = await other.refresh(session)
    const outcome = await other.revokeRefreshToken(fresh)
    // The third is of the refresh that it was learned by.
    expect(outcome.originJtis).toHaveLength(3)
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})

describe('What this process remembers of a session', () => {
  it("takes no other user's token given along to refresh for one of it", async () => {
    const scene = createScene(NEW_IDS)
    const [own, victim] = [await scene.signIn(), await scene.signIn(scene.createUser())]
    const { refreshToken, accessToken } = own
    const other = scene.createClient()
    const fresh = await other.refresh({ refreshToken, accessToken, idToken: victim.idToken })
    const outcome = await other.revokeRefreshToken(fresh)
    expect(outcome.originJtis).toHaveLength(3)
    expect(await scene.judge(victim)).toBe('accepted')
    expect(await scene.judge(own)).toBe('token_revoked')
  })

  it('ends it again where the refresh token has been revoked, so that Cognito tells no more', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const { refreshToken } = session
    await scene.client.revokeRefreshToken({ refreshToken })
    const outcome = await scene.client.revokeRefreshToken({ refreshToken })
    expect(outcome).toMatchObject({ learnedFrom: 'memory', store: 'recorded', cognito: 'revoked' })
  })

  it('ends it for the life of a refresh token where the one at hand was rotated away', async () => {
    const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED' } })
    const session = await scene.signIn()
    const { refreshToken } = session
    const fresh = await scene.client.refresh(session)
    const outcome = await scene.client.revokeRefreshToken({ refreshToken })
    expect(outcome).toMatchObject({ learnedFrom: 'memory', store: 'recorded', cognito: 'unknown' })
    expect(await scene.judge(session)).toBe('token_revoked')
    const [{ expiresAt = 0 } = {}] = scene.store.added
    expect(expiresAt - scene.cognito.clock.now() / 1000).toBeGreaterThan(315_000_000)
    await expect(scene.client.refresh(fresh)).rejects.toThrow('Refresh Token has been revoked')
  })

  it('does not end it for sure without a store, where the refresh token at hand was rotated away', async () => {
    const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED' } }, { store: false })
    const { refreshToken } = await scene.signIn()
    await scene.client.refresh({ refreshToken })
    const error = await thrownBy(() => scene.client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error).toMatchObject({ outcome: { store: 'skipped', cognito: 'unknown' } })
    expect(error.message).toContain('adminGlobalSignOut')
  })

  it("keeps another user's token given along from being ended instead", async () => {
    const scene = createScene()
    const [own, victim] = [await scene.signIn(), await scene.signIn(scene.createUser())]
    const { refreshToken } = own
    const { accessToken } = victim
    const outcome = await scene.client.revokeRefreshToken({ refreshToken, accessToken })
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', sub: scene.user.sub })
    expect(await scene.judge(victim)).toBe('accepted')
    expect(await scene.judge(own)).toBe('token_revoked')
  })
})

describe('What callers at once bring along is heeded for each of them', () => {
  it('so that a session that only one of them can name as ended is refused to him', async () => {
    const scene = createScene(NEW_IDS)
    const session = await scene.signIn()
    await endInStore(scene, session)
    const other = scene.createClient()
    const { refreshToken, accessToken } = session
    scene.takeCalls()
    const [without, having, again] = await Promise.allSettled([
      other.refresh({ refreshToken }),
      other.refresh({ refreshToken, accessToken }),
      other.refresh({ refreshToken, accessToken }),
    ])
    expect(without.status).toBe('fulfilled')
    for (const refused of [having, again]) {
      expect(refused).toMatchObject({ reason: expect.any(RefreshTokenRevokedError) })
    }
    expect(scene.takeCalls().filter((operation) => operation === GET)).toHaveLength(1)
  })
})

it('A token given along from before the earliest that is known tells when the session began', async () => {
  const scene = createScene()
  const session = await scene.signIn()
  const claims = await claimsOf(scene, session)
  const poolId = scene.cognito.userPoolId
  await scene.store.add([
    { poolId, scope: 'user', id: claims.sub, cutoff: claims.iat, expiresAt: claims.iat + HOUR },
  ])
  scene.cognito.clock.advance(5)
  const { refreshToken, accessToken } = session
  const refreshing = scene.createClient({ sdk: forgetfulSdk(scene) }).refresh({ refreshToken, accessToken })
  await expect(refreshing).rejects.toThrow(RefreshTokenRevokedError)
})

describe('A token of an earlier session of the user, given along to a refresh', () => {
  const MINUTE = 60

  it.each([
    ['was revoked', (scene: Scene, earlier: Session) => scene.client.revokeRefreshToken(earlier)],
    ['was ended with all of them', (scene: Scene) => scene.client.adminGlobalSignOut(scene.user)],
  ])('is not heeded, though that one %s', async (_, end) => {
    for (const isRemembered of [true, false]) {
      const scene = createScene()
      const earlier = await scene.signIn()
      await end(scene, earlier)
      scene.cognito.clock.advance(MINUTE)
      const session = await scene.signIn()
      scene.cognito.clock.advance(MINUTE)
      const client = isRemembered ? scene.client : scene.createClient()
      const { refreshToken } = session
      const { accessToken, idToken } = earlier
      await expect(client.refresh({ refreshToken, accessToken, idToken })).resolves.toBeDefined()
      expect(await scene.judge(session)).toBe('accepted')
    }
  })

  it('is not ended along with the other, where both are alive', async () => {
    const scene = createScene()
    const elsewhere = await scene.signIn()
    scene.cognito.clock.advance(MINUTE)
    const session = await scene.signIn()
    const { refreshToken } = session
    await scene.client.refresh({ refreshToken, accessToken: elsewhere.accessToken })
    await scene.client.revokeRefreshToken(session)
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(await scene.judge(elsewhere)).toBe('accepted')
  })
})

describe('A session that is found ended at its refresh', () => {
  const lives = (scene: Scene) =>
    scene.store.added.map(({ expiresAt }) => expiresAt - scene.cognito.clock.now() / 1000)

  it.each([
    ['an access token, where Cognito has revoked it now', 86_400, undefined],
    ['a refresh token, where Cognito has not', 315_360_000, 'InternalErrorException'],
  ])('is recorded for the life of %s', async (_, life, fault) => {
    const scene = createScene()
    const session = await scene.signIn()
    await endInStore(scene, session)
    scene.store.added.length = 0
    if (fault) scene.cognito.failNext('RevokeToken', fault)
    await expect(scene.client.refresh(session)).rejects.toThrow(RefreshTokenRevokedError)
    expect(lives(scene)).toEqual([expect.closeTo(life + 300, -2)])
  })

  it('is forgotten as a successor: nothing of it is handed out of memory', async () => {
    const scene = createScene({ refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 } })
    const session = await scene.signIn()
    const fresh = await scene.client.refresh(session)
    await endInStore(scene, session)
    await expect(scene.client.refresh(fresh)).rejects.toThrow(RefreshTokenRevokedError)
    scene.takeCalls()
    scene.store.find = async () => undefined
    await expect(scene.client.refresh(session)).rejects.toThrow('Refresh Token has been revoked')
    expect(scene.takeCalls()).toEqual([GET])
  })
})

it('Rotated tokens are not held back by keys that do not come', async () => {
  const hanging = createServer(() => {}).listen(0, '127.0.0.1')
  await once(hanging, 'listening')
  onTestFinished(() => {
    hanging.closeAllConnections()
    hanging.close()
  })
  const { port } = hanging.address() as AddressInfo
  const scene = createScene(NEW_IDS)
  const { refreshToken, accessToken } = await scene.signIn()
  const client = scene.createClient({
    jwksUri: `http://127.0.0.1:${port}/jwks`,
    jwks: { timeoutMs: 60_000 },
  })
  await expect(client.refresh({ refreshToken, accessToken })).resolves.toMatchObject({ rotated: true })
})
