import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  JwksUnavailableError,
  NotARefreshTokenError,
  RefreshTokenInvalidError,
  RefreshTokenRevokedError,
  SessionUnknownError,
  TokenRevocationDisabledError,
} from '../../src/errors.js'
import { TokenMinter } from '../../src/testing/index.js'
import { EVERY_FLOW, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const HOUR = 3_600
const ROTATION = { refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds: 60 } } as const

describe('revokeRefreshToken ends the session and no other', () => {
  it.each([false, true])('with a client secret: %s', async (generateSecret) => {
    const scene = createScene({ generateSecret })
    const phone = await scene.signIn()
    const laptop = await scene.signIn()
    const outcome = await scene.client.revokeRefreshToken(phone)
    expect(outcome).toMatchObject({ sub: scene.user.sub, store: 'recorded', cognito: 'revoked' })
    expect(await scene.judge(phone)).toBe('token_revoked')
    expect(await scene.judge(laptop)).toBe('accepted')
    await expect(scene.client.refresh(phone)).rejects.toThrow(RefreshTokenRevokedError)
    await expect(scene.client.refresh(laptop)).resolves.toBeDefined()
  })

  it('also for tokens that the session got by refreshing, before and after', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const refreshed = await scene.client.refresh(session)
    await scene.client.revokeRefreshToken(session)
    expect(await scene.judge({ ...session, ...refreshed, idToken: refreshed.idToken ?? '' })).toBe(
      'token_revoked',
    )
  })

  it('tells the store why and by whom', async () => {
    const scene = createScene()
    await scene.client.revokeRefreshToken({ ...(await scene.signIn()), reason: 'stolen', actor: 'jane' })
    expect(scene.store.added[0]?.audit).toMatchObject({ reason: 'stolen', actor: 'jane' })
  })

  it('without a store at Cognito alone', async () => {
    const scene = createScene()
    const client = scene.createClient({ store: false })
    const session = await scene.signIn()
    const outcome = await client.revokeRefreshToken(session)
    expect(outcome).toMatchObject({ store: 'skipped', cognito: 'revoked' })
    await expect(client.refresh(session)).rejects.toThrow(RefreshTokenRevokedError)
  })
})

describe('revokeRefreshToken learns the session', () => {
  it.each([
    ['accessToken', 'idToken'],
    ['idToken', 'accessToken'],
  ] as const)('from the %s alone, without asking Cognito', async (given, left) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken({ ...session, [left]: undefined })
    expect(outcome.learnedFrom).toBe(given)
    expect(scene.takeCalls()).toEqual(['RevokeToken'])
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('by one refresh, where no token is given along', async () => {
    const scene = createScene({ generateSecret: true })
    const session = await scene.signIn()
    const { origin_jti } = await scene.verifier.verify(session.accessToken)
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken({ refreshToken: session.refreshToken })
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', originJti: origin_jti, originJtis: [origin_jti] })
    expect(scene.takeCalls()).toEqual(['GetTokensFromRefreshToken', 'RevokeToken'])
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('by REFRESH_TOKEN_AUTH with a secret where the username is given', async () => {
    const scene = createScene({ generateSecret: true, ...EVERY_FLOW }, { refreshFlow: 'REFRESH_TOKEN_AUTH' })
    const { refreshToken, username } = await scene.signIn()
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken({ refreshToken, username })
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', cognito: 'revoked' })
    expect(scene.takeCalls()).toEqual(['DescribeUserPoolClient', 'InitiateAuth', 'RevokeToken'])
  })

  it('without a username out of an access token that is expired, or of somebody else', async () => {
    const scene = createScene({ generateSecret: true, ...EVERY_FLOW }, { refreshFlow: 'REFRESH_TOKEN_AUTH' })
    const { refreshToken } = await scene.signIn()
    const { accessToken } = await scene.signIn(scene.createUser())
    scene.cognito.clock.advance(2 * HOUR)
    const outcome = await scene.client.revokeRefreshToken({ refreshToken, accessToken, confirmPairing: true })
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', cognito: 'revoked', sub: scene.user.sub })
  })

  it('by a refresh under rotation, and revokes the successor, then the original', async () => {
    const scene = createScene(ROTATION)
    const { refreshToken } = await scene.signIn()
    const outcome = await scene.client.revokeRefreshToken({ refreshToken })
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', store: 'recorded', cognito: 'revoked' })
    const revoked = scene.cognito.calls
      .filter(({ operation, parameters }) => {
        return (
          operation === 'RevokeToken' && (parameters as { ClientId: string }).ClientId === scene.app.clientId
        )
      })
      .map(({ parameters }) => (parameters as { Token: string }).Token)
    expect(revoked).toHaveLength(2)
    expect(revoked[0]).not.toBe(refreshToken)
    expect(revoked[1]).toBe(refreshToken)
    for (const token of revoked) {
      await expect(scene.client.refresh({ refreshToken: token })).rejects.toThrow(RefreshTokenRevokedError)
    }
  })

  it('and gives none of the tokens that it minted for that', async () => {
    const scene = createScene(ROTATION)
    const { refreshToken } = await scene.signIn()
    const outcome = await scene.client.revokeRefreshToken({ refreshToken })
    expect(inspect(outcome, { depth: 9 })).not.toContain('eyJ')
  })

  it('from Cognito in any case with confirmPairing', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken({ ...session, confirmPairing: true })
    expect(outcome.learnedFrom).toBe('refresh')
    expect(scene.takeCalls()).toEqual(['GetTokensFromRefreshToken', 'RevokeToken'])
  })
})

describe("A token given along to revokeRefreshToken ends nobody else's session", () => {
  /** A victim and an attacker of the same app client, with the attacker's refresh token in hand. */
  async function setUp() {
    const scene = createScene()
    const victim = await scene.signIn(scene.createUser())
    const attacker = await scene.signIn(scene.createUser())
    const claims = await scene.verifier.verify(victim.accessToken)
    return { scene, victim, attacker, claims }
  }

  it.each<[string, (setting: Awaited<ReturnType<typeof setUp>>) => Promise<string> | string]>([
    ['unsigned', ({ victim }) => victim.accessToken.replace(/\.[^.]*$/, '.')],
    [
      'wrongly signed',
      ({ victim, attacker }) =>
        victim.accessToken.replace(/\.[^.]*$/, `.${attacker.accessToken.split('.')[2]}`),
    ],
    ['of alg none', ({ claims }) => `${encode({ alg: 'none', kid: 'x' })}.${encode(claims)}.`],
    ["signed by another pool's keys", async ({ claims }) => (await TokenMinter.create()).sign({ ...claims })],
    ['expired', ({ scene, claims }) => scene.cognito.minter.sign({ ...claims, exp: 1_700_000_000 })],
    [
      "another app client's",
      ({ scene, claims }) => scene.cognito.minter.sign({ ...claims, client_id: 'other' }),
    ],
    [
      "another issuer's",
      ({ scene, claims }) => scene.cognito.minter.sign({ ...claims, iss: 'https://evil.example' }),
    ],
    ['an ID token in the place of an access token', ({ victim }) => victim.idToken],
  ])('if it is %s', async (_, hintOf) => {
    const setting = await setUp()
    const { scene, victim, attacker } = setting
    const accessToken = await hintOf(setting)
    const outcome = await scene.client.revokeRefreshToken({
      refreshToken: attacker.refreshToken,
      accessToken,
    })
    expect(outcome.learnedFrom).toBe('refresh')
    expect(await scene.judge(victim)).toBe('accepted')
    expect(await scene.judge(attacker)).toBe('token_revoked')
  })

  it('if it has been revoked itself', async () => {
    const { scene, victim, attacker, claims } = await setUp()
    await scene.store.add([
      { poolId: scene.cognito.userPoolId, scope: 'token', id: claims.jti ?? '', expiresAt: claims.exp },
    ])
    await scene.client.revokeRefreshToken({
      ...attacker,
      accessToken: victim.accessToken,
      idToken: undefined,
    })
    expect(scene.store.added.at(-1)?.id).not.toBe(claims.origin_jti)
    expect(await scene.judge(attacker)).toBe('token_revoked')
    await expect(scene.client.refresh(victim)).resolves.toBeDefined()
  })

  it('if it is live but of another session, with confirmPairing', async () => {
    const { scene, victim, attacker } = await setUp()
    await scene.client.revokeRefreshToken({
      refreshToken: attacker.refreshToken,
      accessToken: victim.accessToken,
      confirmPairing: true,
    })
    expect(await scene.judge(victim)).toBe('accepted')
    expect(await scene.judge(attacker)).toBe('token_revoked')
  })

  it.each(['accessToken', 'idToken'] as const)(
    'if the other token given along is not of its session: %s',
    async (hint) => {
      const { scene, victim, attacker } = await setUp()
      await scene.client.revokeRefreshToken({ ...attacker, [hint]: victim[hint] })
      expect(await scene.judge(victim)).toBe('accepted')
      expect(await scene.judge(attacker)).toBe('token_revoked')
    },
  )

  it('if it has been revoked by itself, and the refresh token has been revoked at Cognito', async () => {
    const { scene, victim, attacker, claims } = await setUp()
    await scene.client.revokeRefreshToken(attacker)
    const jti = claims.jti ?? ''
    await scene.store.add([
      { poolId: scene.cognito.userPoolId, scope: 'token', id: jti, expiresAt: claims.exp },
    ])
    const recorded = scene.store.added.length
    const input = { refreshToken: attacker.refreshToken, accessToken: victim.accessToken }
    // Another process: this one remembers the attacker's own session.
    await expect(scene.createClient().revokeRefreshToken(input)).rejects.toThrow(RefreshTokenRevokedError)
    expect(scene.store.added).toHaveLength(recorded)
    const { accessToken, idToken = '' } = await scene.client.refresh(victim)
    expect(await scene.judge({ accessToken, idToken })).toBe('accepted')
  })
})

describe('revokeRefreshToken refuses, and records nothing', () => {
  it.each(['accessToken', 'idToken'] as const)('an %s in the place of the refresh token', async (wrong) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.takeCalls()
    const revoking = scene.client.revokeRefreshToken({ ...session, refreshToken: session[wrong] })
    await expect(revoking).rejects.toThrow(NotARefreshTokenError)
    expect(scene.takeCalls()).toEqual([])
    expect(scene.store.added).toEqual([])
  })

  it.each(['foreign', 'garbled'])('a %s refresh token', async (kind) => {
    const scene = createScene()
    const foreign = await createScene().signIn()
    const refreshToken = kind === 'foreign' ? foreign.refreshToken : 'a.b.c.d.e'
    await expect(scene.client.revokeRefreshToken({ refreshToken })).rejects.toThrow(RefreshTokenInvalidError)
    expect(scene.store.added).toEqual([])
  })

  it('a revoked refresh token whose session it cannot know', async () => {
    const scene = createScene()
    const { refreshToken } = await scene.signIn()
    await scene.client.revokeRefreshToken({ refreshToken })
    const other = scene.createClient()
    await expect(other.revokeRefreshToken({ refreshToken })).rejects.toThrow(RefreshTokenRevokedError)
  })

  it('the refresh token of an app client whose token revocation is off', async () => {
    const scene = createScene({ enableTokenRevocation: false })
    const session = await scene.signIn()
    await expect(scene.client.revokeRefreshToken(session)).rejects.toThrow(TokenRevocationDisabledError)
    expect(scene.store.added).toEqual([])
  })

  it('a confirmPairing that is neither true nor false', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    const input = { ...session, confirmPairing: 'true' } as never
    const error = await thrownBy(() => scene.client.revokeRefreshToken(input))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('"confirmPairing"')
    expect(scene.store.added).toEqual([])
  })

  it('no refresh token at all', async () => {
    const error = await thrownBy(() => createScene().client.revokeRefreshToken({} as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('"refreshToken"')
  })
})

describe('revokeRefreshToken where the session cannot be learned', () => {
  it('does nothing while Cognito cannot be asked, so that the next call can do it all', async () => {
    for (const fault of ['TooManyRequestsException', 'socket hang up']) {
      const scene = createScene()
      const session = await scene.signIn()
      scene.cognito.failNext('GetTokensFromRefreshToken', fault)
      const { refreshToken } = session
      scene.takeCalls()
      // Another process: this one remembers the session.
      const client = scene.createClient()
      const error = await thrownBy(() => client.revokeRefreshToken({ refreshToken }))
      expect(error).toBeInstanceOf(SessionUnknownError)
      expect(error.outcome).toEqual({ store: 'skipped', cognito: 'skipped' })
      expect(scene.takeCalls()).not.toContain('RevokeToken')
      await client.revokeRefreshToken({ refreshToken })
      expect(await scene.judge(session)).toBe('token_revoked')
    }
  })

  it('ends it at Cognito where Cognito will not tell, and says that its tokens stay acceptable', async () => {
    const scene = createScene()
    const { refreshToken } = await scene.signIn()
    scene.cognito.failNext('GetTokensFromRefreshToken', 'UserLambdaValidationException')
    const client = scene.createClient()
    const error = await thrownBy(() => client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error.outcome).toEqual({ store: 'skipped', cognito: 'revoked' })
    expect(error.message).toContain('stay acceptable')
    await expect(scene.client.refresh({ refreshToken })).rejects.toThrow(RefreshTokenRevokedError)
  })
})

describe('A token given along to revokeRefreshToken that cannot be judged now', () => {
  const JWKS_DOWN = ['JWKS', 'InternalErrorException', { times: Number.POSITIVE_INFINITY }] as const

  it.each([false, true])(
    'tells the session where only the store cannot say; dead refresh token: %s',
    async (isDead) => {
      const scene = createScene()
      const { refreshToken, accessToken, idToken, ...rest } = await scene.signIn()
      if (isDead) await scene.createClient({ store: false }).revokeRefreshToken({ refreshToken })
      const { find } = scene.store
      scene.store.find = () => Promise.reject(new Error('the store is down'))
      const outcome = await scene.createClient().revokeRefreshToken({ refreshToken, accessToken })
      scene.store.find = find
      expect(outcome).toMatchObject({ learnedFrom: 'accessToken', store: 'recorded', cognito: 'revoked' })
      expect(await scene.judge({ ...rest, accessToken, idToken })).toBe('token_revoked')
    },
  )

  it.each(['revoked', 'none'])(
    'has nothing done where only it would tell: its key is not to be had, the refresh token is %s',
    async (kind) => {
      const scene = createScene()
      const session = await scene.signIn()
      const { refreshToken, accessToken } = session
      await scene.createClient({ store: false }).revokeRefreshToken({ refreshToken })
      const input = { accessToken, refreshToken: kind === 'none' ? 'none' : refreshToken }
      scene.cognito.failNext(...JWKS_DOWN)
      scene.takeCalls()
      const error = await thrownBy(() => scene.createClient().revokeRefreshToken(input))
      expect(error).toBeInstanceOf(SessionUnknownError)
      expect(error.outcome).toEqual({ store: 'skipped', cognito: 'skipped' })
      expect(error.cause).toBeInstanceOf(JwksUnavailableError)
      expect(scene.takeCalls()).toEqual(['GetTokensFromRefreshToken'])
      expect(scene.store.added).toEqual([])
      scene.cognito.clearFaults()
      await scene
        .createClient()
        .revokeRefreshToken(input)
        .catch(() => {})
      expect(await scene.judge(session)).toBe('token_revoked')
    },
  )

  it('is not needed where a refresh tells the session: its key is not to be had', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.failNext(...JWKS_DOWN)
    const outcome = await scene.createClient().revokeRefreshToken(session)
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', store: 'recorded', cognito: 'revoked' })
    scene.cognito.clearFaults()
    expect(await scene.judge(session)).toBe('token_revoked')
  })

  it('is not needed where this process remembers the session: its key is not to be had', async () => {
    const scene = createScene()
    const client = scene.createClient()
    const session = await scene.signIn(scene.user, client)
    await scene.createClient({ store: false }).revokeRefreshToken({ refreshToken: session.refreshToken })
    scene.cognito.failNext(...JWKS_DOWN)
    const outcome = await client.revokeRefreshToken(session)
    expect(outcome).toMatchObject({ learnedFrom: 'memory', store: 'recorded', cognito: 'revoked' })
    scene.cognito.clearFaults()
    expect(await scene.judge(session)).toBe('token_revoked')
  })
})

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
