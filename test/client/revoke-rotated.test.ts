import { describe, expect, it } from 'vitest'
import type { CognitoTokenClientOptions } from '../../src/client/index.js'
import {
  RefreshTokenInvalidError,
  RefreshTokenRevokedError,
  RevocationIncompleteError,
  SessionUnknownError,
} from '../../src/errors.js'
import type { AppClientSettings } from '../../src/testing/index.js'
import { WEB } from '../support/hosted.js'
import { type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const GET = 'GetTokensFromRefreshToken'
const ACCESS_LIFE = 86_400 + 300
const REFRESH_LIFE = 315_360_000 + 300

/** Rotation, with a Cognito that ends nothing but the token itself where a rotated-out one is revoked. */
const rotation = (retryGracePeriodSeconds: number): AppClientSettings => ({
  refreshTokenRotation: { feature: 'ENABLED', retryGracePeriodSeconds },
  revokeTokenEndsSuccessors: false,
})
/** What a client is told of it. */
const known = (retryGracePeriodSeconds: number): Partial<CognitoTokenClientOptions> => ({
  tokenSettings: { refreshTokenRotation: { enabled: true, retryGracePeriodSeconds }, explicitAuthFlows: [] },
})

const lives = (scene: Scene) =>
  scene.store.added.map(({ expiresAt }) => expiresAt - scene.cognito.clock.now() / 1000)
const closeTo = (seconds: number) => expect.closeTo(seconds, -2)
const revokedAtCognito = (scene: Scene) =>
  scene.cognito.calls
    .map(({ operation, parameters }) => ({
      operation,
      ...(parameters as { ClientId: string; Token: string }),
    }))
    .filter(({ operation, ClientId }) => operation === 'RevokeToken' && ClientId === scene.app.clientId)
    .map(({ Token }) => Token)

/** A session whose refresh token somebody else has used before its owner logs out. */
async function steal(grace: number, options = known(grace)) {
  const scene = createScene(rotation(grace), options)
  const session = await scene.signIn()
  const thief = scene.createClient({ store: false })
  const stolen = await thief.refresh({ refreshToken: session.refreshToken })
  return { scene, session, thief, stolen }
}

/** Stops the store until it is let go on. */
function holdStore(scene: Scene): () => void {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const add = scene.store.add.bind(scene.store)
  scene.store.add = async (revocations) => {
    await held
    return add(revocations)
  }
  return release
}

describe('revokeRefreshToken where rotation is known to be on', () => {
  it('does not take a token given along at its word: one refresh tells which refresh token is the newest', async () => {
    const { scene, session, thief, stolen } = await steal(60)
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken(session)
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', store: 'recorded', cognito: 'revoked' })
    expect(scene.takeCalls()).toEqual([GET, 'RevokeToken', 'RevokeToken'])
    await expect(thief.refresh({ refreshToken: stolen.refreshToken })).rejects.toThrow('has been revoked')
  })

  it('records for the life of a refresh token where Cognito says that it was rotated away', async () => {
    const { scene, session, thief, stolen } = await steal(0)
    const outcome = await scene.createClient(known(0)).revokeRefreshToken(session)
    expect(outcome).toMatchObject({ learnedFrom: 'accessToken', store: 'recorded', cognito: 'unknown' })
    expect(lives(scene).at(-1)).toEqual(closeTo(REFRESH_LIFE))
    // What it gets no verifier takes.
    const fresh = await thief.refresh({ refreshToken: stolen.refreshToken })
    expect(await scene.judge({ ...fresh, idToken: fresh.idToken ?? '' })).toBe('token_revoked')
  })

  it('does so too where Cognito cannot be asked', async () => {
    const { scene, session } = await steal(0)
    scene.cognito.failNext(GET, 'TooManyRequestsException')
    const outcome = await scene.createClient(known(0)).revokeRefreshToken(session)
    expect(outcome).toMatchObject({ learnedFrom: 'accessToken', store: 'recorded', cognito: 'unknown' })
    expect(lives(scene).at(-1)).toEqual(closeTo(REFRESH_LIFE))
  })

  it('is incomplete without a store where Cognito says that it was rotated away', async () => {
    const { scene, session } = await steal(0)
    const client = scene.createClient({ ...known(0), store: false })
    const error = await thrownBy(() => client.revokeRefreshToken(session))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.outcome).toMatchObject({ store: 'skipped', cognito: 'unknown' })
  })

  it('knows it from a rotation that it has seen', async () => {
    const { scene, session } = await steal(60, {})
    await scene.client.refresh(await scene.signIn())
    scene.takeCalls()
    await scene.client.revokeRefreshToken(session)
    expect(scene.takeCalls()).toContain(GET)
  })

  it('records for the life of a refresh token where this process has replaced the one at hand before', async () => {
    const scene = createScene(rotation(60))
    const session = await scene.signIn()
    const first = await scene.client.refresh(session)
    const { refreshToken } = session
    await scene.client.revokeRefreshToken({ refreshToken })
    expect(lives(scene)).toEqual([closeTo(REFRESH_LIFE)])
    expect(revokedAtCognito(scene)).toEqual([expect.any(String), first.refreshToken, refreshToken])
  })

  it('records for the life of an access token where the refresh token at hand is the newest', async () => {
    const scene = createScene(rotation(60), known(60))
    await scene.client.revokeRefreshToken(await scene.signIn())
    expect(lives(scene)).toEqual([closeTo(ACCESS_LIFE)])
  })

  it('takes a token given along at its word where rotation is known to be off', async () => {
    const tokenSettings = {
      refreshTokenRotation: { enabled: false, retryGracePeriodSeconds: 0 },
      explicitAuthFlows: [],
    }
    const scene = createScene({}, { tokenSettings })
    const session = await scene.signIn()
    scene.takeCalls()
    await scene.client.revokeRefreshToken(session)
    expect(scene.takeCalls()).toEqual(['RevokeToken'])
    expect(lives(scene)).toEqual([closeTo(ACCESS_LIFE)])
  })

  it('asks Cognito with confirmPairing although this process has the successor in memory', async () => {
    const scene = createScene(rotation(60), known(60))
    const { refreshToken } = await scene.signIn()
    await scene.client.refresh({ refreshToken })
    scene.takeCalls()
    await scene.client.revokeRefreshToken({ refreshToken, confirmPairing: true })
    expect(scene.takeCalls()).toContain(GET)
  })
})

describe('revokeRefreshToken beside a refresh of the same session', () => {
  it('records the other origin_jti that the refresh gave it, and revokes its refresh token', async () => {
    const scene = createScene({ ...rotation(60), newOriginJtiOnRefresh: true })
    const session = await scene.signIn()
    const release = holdStore(scene)
    const revoking = scene.client.revokeRefreshToken(session)
    const fresh = await scene.client.refresh({ refreshToken: session.refreshToken })
    release()
    const outcome = await revoking
    expect(outcome.originJtis).toHaveLength(2)
    expect(await scene.judge({ ...fresh, idToken: fresh.idToken ?? '' })).toBe('token_revoked')
    expect(revokedAtCognito(scene)).toEqual([session.refreshToken, fresh.refreshToken])
  })

  it('waits for one that is on its way still, when Cognito has revoked', async () => {
    const scene = createScene({ ...rotation(60), newOriginJtiOnRefresh: true })
    const session = await scene.signIn()
    scene.cognito.delayNext(GET, 500)
    const refreshing = scene.client.refresh({ refreshToken: session.refreshToken })
    const [outcome] = await Promise.all([
      scene.client.revokeRefreshToken(session),
      expect(refreshing).rejects.toThrow(RefreshTokenRevokedError),
    ])
    expect(outcome.originJtis).toHaveLength(2)
  })

  it('waits no longer than its caller: then the session is shut for the life of a refresh token', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.delayNext(GET, 2_000)
    void scene.client.refresh({ refreshToken: session.refreshToken }).catch(() => {})
    const ended = new AbortController()
    const revoking = scene.client.revokeRefreshToken({ ...session, signal: ended.signal })
    while (revokedAtCognito(scene).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    setTimeout(() => ended.abort(), 100)
    expect(await revoking).toMatchObject({ store: 'recorded', cognito: 'revoked' })
    expect(lives(scene)).toEqual([closeTo(ACCESS_LIFE), closeTo(REFRESH_LIFE)])
  })
})

describe('What this process remembers of a session ends it', () => {
  it.each([
    'UserLambdaValidationException',
    'ForbiddenException',
    'InternalErrorException',
    'TooManyRequestsException',
    'socket hang up',
  ])('where Cognito cannot be asked which it is: %s', async (fault) => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.failNext(GET, fault)
    scene.takeCalls()
    const outcome = await scene.client.revokeRefreshToken({ refreshToken: session.refreshToken })
    expect(outcome).toMatchObject({ learnedFrom: 'memory', store: 'recorded' })
    expect(scene.takeCalls()).toEqual([GET, 'RevokeToken'])
    expect(await scene.judge(session)).toBe('token_revoked')
    // A refresh without an answer may have rotated.
    const mayHaveRotated = ['InternalErrorException', 'socket hang up'].includes(fault)
    expect(outcome.cognito).toBe(mayHaveRotated ? 'unknown' : 'revoked')
    expect(lives(scene)).toEqual([closeTo(mayHaveRotated ? REFRESH_LIFE : ACCESS_LIFE)])
  })

  it('where Cognito cannot be reached at all, which is told, and for as long as new tokens can appear', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.failNext(GET, 'socket hang up')
    scene.cognito.failNext('RevokeToken', 'socket hang up')
    const { refreshToken } = session
    const error = await thrownBy(() => scene.client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error.outcome).toMatchObject({ store: 'recorded', cognito: 'unknown', learnedFrom: 'memory' })
    expect(await scene.judge(session)).toBe('token_revoked')
    expect(lives(scene).at(-1)).toEqual(closeTo(REFRESH_LIFE))
  })
})

describe('A session that cannot be learned', () => {
  it('is ended at Cognito where that says "Invalid Refresh Token", as to a device without its key', async () => {
    const scene = createScene()
    const session = await scene.signIn()
    scene.cognito.failNext(GET, 'NotAuthorizedException', { message: 'Invalid Refresh Token.' } as never)
    const client = scene.createClient()
    const { refreshToken } = session
    const error = await thrownBy(() => client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error.outcome).toEqual({ store: 'skipped', cognito: 'revoked' })
    expect(error.message).toContain('what Cognito could end is ended')
    expect(error.message).toContain('DEVICE_KEY')
  })

  it('is told as invalid where Cognito does not revoke it either', async () => {
    const scene = createScene({ oauth: WEB })
    scene.takeCalls()
    const refreshToken = 'a.b.c.d.e'
    const error = await thrownBy(() => scene.client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(RefreshTokenInvalidError)
    expect(error.message).toContain('DEVICE_KEY')
    expect(scene.takeCalls()).toEqual([GET, 'RevokeToken'])
    const byEndpoint = scene.client.revokeRefreshToken({ refreshToken, via: 'endpoint' })
    await expect(byEndpoint).rejects.toThrow(RefreshTokenInvalidError)
  })

  it('may go on where its refresh token was rotated away, which is not told as revoked', async () => {
    const { scene, session, stolen, thief } = await steal(0)
    const { refreshToken } = session
    const error = await thrownBy(() => scene.createClient().revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error.outcome).toEqual({ store: 'skipped', cognito: 'unknown' })
    expect(error.message).toContain('a successor of it may be alive')
    expect(error.message).not.toContain('EnableTokenRevocation')
    await expect(thief.refresh({ refreshToken: stolen.refreshToken })).resolves.toBeDefined()
  })

  it('is not blamed on EnableTokenRevocation where the user is disabled', async () => {
    const scene = createScene()
    const { refreshToken } = await scene.signIn()
    scene.cognito.updateUser(scene.user.username, { enabled: false })
    const error = await thrownBy(() => scene.createClient().revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error.message).not.toContain('EnableTokenRevocation')
    expect(error.cause).toMatchObject({ code: 'user_disabled' })
  })

  it('is blamed on it where its tokens have no id', async () => {
    const scene = createScene({ enableTokenRevocation: false })
    const { refreshToken } = await scene.signIn()
    scene.cognito.failNext('RevokeToken', 'InternalErrorException')
    const error = await thrownBy(() => scene.createClient().revokeRefreshToken({ refreshToken }))
    expect(error.message).toContain('EnableTokenRevocation')
  })
})

describe('A token given along that is of another session of the same user', () => {
  async function mixUp() {
    const scene = createScene()
    const [own, other] = [await scene.signIn(), await scene.signIn()]
    const mixed: Session = { ...own, accessToken: other.accessToken, idToken: other.idToken }
    return { scene, own, other, mixed }
  }

  it('is recorded for the life of a refresh token where this process knows better, since Cognito is not told of it', async () => {
    const { scene, own, other, mixed } = await mixUp()
    const outcome = await scene.client.revokeRefreshToken(mixed)
    expect(outcome).toMatchObject({ learnedFrom: 'refresh', cognito: 'revoked' })
    expect(outcome.originJtis).toHaveLength(2)
    for (const session of [own, other]) expect(await scene.judge(session)).toBe('token_revoked')
    expect(lives(scene)).toEqual([closeTo(REFRESH_LIFE), closeTo(REFRESH_LIFE)])
  })

  it('ends nothing with confirmPairing', async () => {
    const { scene, own, other, mixed } = await mixUp()
    await scene.client.revokeRefreshToken({ ...mixed, confirmPairing: true })
    expect(await scene.judge(own)).toBe('token_revoked')
    expect(await scene.judge(other)).toBe('accepted')
  })
})

it.each([
  ['accessToken', { accessToken: 5 }],
  ['idToken', { idToken: {} }],
  ['username', { username: 7 }],
  ['clientMetadata', { clientMetadata: ['a'] }],
])('A wrong %s is refused before anything is done', async (name, wrong) => {
  const scene = createScene()
  const { refreshToken } = await scene.signIn()
  scene.takeCalls()
  for (const act of ['refresh', 'revokeRefreshToken'] as const) {
    const error = await thrownBy(() => scene.client[act]({ refreshToken, ...wrong } as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
  }
  expect(scene.takeCalls()).toEqual([])
})
