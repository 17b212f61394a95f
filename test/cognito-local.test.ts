import {
  DescribeUserPoolClientCommand,
  UpdateUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import express from 'express'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  CognitoTokenClient,
  type CognitoTokenClientOptions,
  type SignedIn,
  type SignInFlow,
} from '../src/client/index.js'
import {
  CognitoUnavailableError,
  InvalidPasswordError,
  MemoryRevocationStore,
  NotARefreshTokenError,
  NotAuthorizedError,
  ResourceNotFoundError,
  RevocationIncompleteError,
  Revoker,
  SessionUnknownError,
  TokenNotRevocableError,
  TokenVerifier,
  UserNotFoundError,
  WrongClientError,
} from '../src/index.js'
import { verifyToken } from '../src/middleware/express/index.js'
import { CognitoLocal, CREDENTIALS, type LocalUser } from './support/cognito-local.js'
import { call, listen } from './support/http.js'

let local: CognitoLocal
let userPoolId: string
let clientId: string
let user: LocalUser
let store: MemoryRevocationStore
let client: CognitoTokenClient

beforeAll(async () => {
  local = await CognitoLocal.start()
  userPoolId = await local.createPool()
  clientId = (await local.createClient(userPoolId)).clientId
})
afterAll(() => local?.stop())

beforeEach(async () => {
  user = await local.createUser(userPoolId)
  store = new MemoryRevocationStore()
  client = createClient()
})

function createClient(options: Partial<CognitoTokenClientOptions> = {}): CognitoTokenClient {
  const created = new CognitoTokenClient({
    userPoolId,
    clientId,
    store,
    endpoint: local.url,
    issuer: local.issuerOf(userPoolId),
    credentials: CREDENTIALS,
    refreshFlow: 'REFRESH_TOKEN_AUTH',
    ...options,
  })
  onTestFinished(() => created.close())
  return created
}

type Session = SignedIn & { readonly refreshToken: string }

async function signIn(by = client, who = user, flow: SignInFlow = 'USER_PASSWORD_AUTH'): Promise<Session> {
  const result = await by.signIn({ ...who, flow })
  if (result.status !== 'authenticated') throw new Error(`unexpected ${result.status}`)
  if (result.refreshToken === undefined) throw new Error('no refresh token')
  return { ...result, refreshToken: result.refreshToken }
}

function createVerifier({ allowUnrevocable = true } = {}): TokenVerifier<'access'> {
  const verifier = new TokenVerifier({
    userPoolId,
    clientId,
    tokenUse: 'access',
    issuer: local.issuerOf(userPoolId),
    allowUnrevocable,
    revocation: store,
  })
  onTestFinished(() => verifier.close())
  return verifier
}

/** An Express API that shares the store; gives the status with which it answers a request with a token. */
async function startApi(verifier = createVerifier()): Promise<(accessToken: string) => Promise<number>> {
  const app = express()
  app.use(verifyToken(verifier))
  app.get('/', (request, response) => {
    response.json({ sub: request.auth?.sub })
  })
  const { port, close } = await listen(app)
  onTestFinished(close)
  return async (accessToken) =>
    (await call(port, { headers: { Authorization: `Bearer ${accessToken}` } })).status
}

async function thrownBy(action: Promise<unknown>): Promise<unknown> {
  try {
    await action
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('signing in at cognito-local', () => {
  it.each(['USER_PASSWORD_AUTH', 'ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH'] as const)(
    'gives all three tokens by %s',
    async (flow) => {
      expect(await client.signIn({ ...user, flow })).toMatchObject({
        status: 'authenticated',
        accessToken: expect.stringMatching(/^eyJ/),
        idToken: expect.stringMatching(/^eyJ/),
        refreshToken: expect.stringMatching(/^eyJ/),
        username: user.sub,
      })
    },
  )

  it('gives a challenge where the password must be changed first', async () => {
    const newcomer = await local.createUser(userPoolId, { permanent: false })
    expect(await client.signIn(newcomer)).toMatchObject({
      status: 'challenge',
      challengeName: 'NEW_PASSWORD_REQUIRED',
      session: expect.any(String),
    })
  })

  it('takes the new password, and signs in with it from then on', async () => {
    const newcomer = await local.createUser(userPoolId, { permanent: false })
    const challenge = await client.signIn(newcomer)
    if (challenge.status !== 'challenge' || challenge.challengeName !== 'NEW_PASSWORD_REQUIRED') {
      throw new Error('no NEW_PASSWORD_REQUIRED')
    }
    expect(challenge.requiredAttributes).toEqual([])
    expect(challenge.userAttributes).toMatchObject({ email: newcomer.username })
    const newPassword = 'Another-Password-1'
    expect(await client.respondToChallenge(challenge, { newPassword })).toMatchObject({
      status: 'authenticated',
      username: newcomer.sub,
    })
    const flow = 'ADMIN_USER_PASSWORD_AUTH'
    expect(await client.signIn({ ...newcomer, password: newPassword, flow })).toMatchObject({
      status: 'authenticated',
    })
  })

  it('is refused with an unknown username', async () => {
    await expect(client.signIn({ ...user, username: 'nobody@example.com' })).rejects.toBeInstanceOf(
      NotAuthorizedError,
    )
  })

  it('is refused with a wrong password, by an exception that Cognito itself does not have there', async () => {
    const error = await thrownBy(client.signIn({ ...user, password: 'wrong' }))
    expect(error).toBeInstanceOf(InvalidPasswordError)
    expect(error).toMatchObject({ cause: { name: 'InvalidPasswordException' } })
  })

  it('does not need the right secret: cognito-local never checks SECRET_HASH', async () => {
    const app = await local.createClient(userPoolId, { secret: true })
    const right = createClient(app)
    const wrong = createClient({ ...app, clientSecret: 'not-the-secret' })
    const none = createClient({ clientId: app.clientId })
    for (const each of [right, wrong, none]) {
      expect(await each.signIn(user)).toMatchObject({ status: 'authenticated' })
    }
  })
})

describe('refreshing at cognito-local', () => {
  it('gives new tokens by REFRESH_TOKEN_AUTH and leaves the refresh token as it is', async () => {
    const { refreshToken, accessToken } = await signIn()
    const refreshed = await client.refresh({ refreshToken })
    expect(refreshed).toMatchObject({ refreshToken, rotated: false, username: user.sub })
    expect(refreshed.accessToken).not.toBe(accessToken)
  })

  it('works with a secret and the real username', async () => {
    const withSecret = createClient(await local.createClient(userPoolId, { secret: true }))
    const { refreshToken, username } = await signIn(withSecret)
    expect(await withSecret.refresh({ refreshToken, username })).toMatchObject({ rotated: false })
  })

  it('is not possible by GetTokensFromRefreshToken, which cognito-local does not know', async () => {
    const { refreshToken } = await signIn()
    await expect(client.refresh({ refreshToken, flow: 'GetTokensFromRefreshToken' })).rejects.toBeInstanceOf(
      CognitoUnavailableError,
    )
  })
})

describe("an API with cognito-local's tokens", () => {
  it('lets them in after a sign-in and after a refresh', async () => {
    const ask = await startApi()
    const { accessToken, refreshToken } = await signIn()
    expect(await ask(accessToken)).toBe(200)
    expect(await ask((await client.refresh({ refreshToken })).accessToken)).toBe(200)
  })

  it('refuses ID tokens', async () => {
    const { idToken = '' } = await signIn()
    expect(await (await startApi())(idToken)).toBe(401)
  })

  it('refuses the tokens of another pool, which cognito-local signs with the same key', async () => {
    const otherPool = await local.createPool()
    const other = createClient({
      ...(await local.createClient(otherPool)),
      userPoolId: otherPool,
      issuer: local.issuerOf(otherPool),
    })
    const { accessToken } = await signIn(other, await local.createUser(otherPool))
    expect(await (await startApi())(accessToken)).toBe(401)
  })

  it('refuses them all unless allowUnrevocable is set: they have no origin_jti', async () => {
    const verifier = createVerifier({ allowUnrevocable: false })
    const { accessToken } = await signIn()
    await expect(verifier.verify(accessToken)).rejects.toBeInstanceOf(TokenNotRevocableError)
    expect(await (await startApi(verifier))(accessToken)).toBe(401)
  })

  it('refuses a single token once that is revoked: they have a jti', async () => {
    const verifier = createVerifier()
    const ask = await startApi(verifier)
    const [first, second] = [await signIn(), await signIn()]
    await new Revoker({ store, poolId: userPoolId }).revokeToken(await verifier.verify(first.accessToken))
    expect(await ask(first.accessToken)).toBe(401)
    expect(await ask(second.accessToken)).toBe(200)
  })
})

describe('revokeRefreshToken at cognito-local', () => {
  it('says that the session cannot be learned without origin_jti, and that Cognito has revoked', async () => {
    const { refreshToken } = await signIn()
    const error = await thrownBy(client.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error).toMatchObject({ outcome: { store: 'skipped', cognito: 'revoked' } })
  })

  it('says the same with the access and the ID token given along', async () => {
    const error = await thrownBy(client.revokeRefreshToken(await signIn()))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error).toMatchObject({ outcome: { store: 'skipped', cognito: 'revoked' } })
  })

  it('says the same for an app client with a secret', async () => {
    const withSecret = createClient(await local.createClient(userPoolId, { secret: true }))
    const error = await thrownBy(withSecret.revokeRefreshToken(await signIn(withSecret)))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error).toMatchObject({ outcome: { store: 'skipped', cognito: 'revoked' } })
  })

  it('makes the next refresh refused', async () => {
    const { refreshToken } = await signIn()
    await thrownBy(client.revokeRefreshToken({ refreshToken }))
    await expect(client.refresh({ refreshToken })).rejects.toBeInstanceOf(NotAuthorizedError)
  })

  it('leaves the other sessions of the user alone', async () => {
    const [first, second] = [await signIn(), await signIn()]
    await thrownBy(client.revokeRefreshToken(first))
    expect(await client.refresh(second)).toMatchObject({ username: user.sub })
  })

  it('leaves the access token acceptable, as its error says', async () => {
    const ask = await startApi()
    const session = await signIn()
    const error = await thrownBy(client.revokeRefreshToken(session))
    expect(error).toMatchObject({ message: expect.stringMatching(/stay acceptable until they expire/) })
    expect(await ask(session.accessToken)).toBe(200)
  })

  it('records nothing', async () => {
    await thrownBy(client.revokeRefreshToken(await signIn()))
    expect(store.size).toBe(0)
  })

  it('is refused the second time, since cognito-local forgets revoked tokens where Cognito does not', async () => {
    const { refreshToken } = await signIn()
    await thrownBy(client.revokeRefreshToken({ refreshToken }))
    await expect(client.revokeRefreshToken({ refreshToken })).rejects.toBeInstanceOf(WrongClientError)
  })

  it('is refused with a token that cognito-local has never given', async () => {
    await expect(client.revokeRefreshToken({ refreshToken: 'token' })).rejects.toBeInstanceOf(
      WrongClientError,
    )
  })

  it('is refused with an access token', async () => {
    const { accessToken } = await signIn()
    await expect(client.revokeRefreshToken({ refreshToken: accessToken })).rejects.toBeInstanceOf(
      NotARefreshTokenError,
    )
  })

  it('does nothing, and says so, where GetTokensFromRefreshToken is to tell the session', async () => {
    const asItComes = createClient({ refreshFlow: 'GetTokensFromRefreshToken' })
    const { refreshToken } = await signIn()
    const error = await thrownBy(asItComes.revokeRefreshToken({ refreshToken }))
    expect(error).toBeInstanceOf(SessionUnknownError)
    expect(error).toMatchObject({ outcome: { store: 'skipped', cognito: 'skipped' } })
    expect(await client.refresh({ refreshToken })).toMatchObject({ username: user.sub })
  })
})

describe('the app client at cognito-local', () => {
  it('has its token revocation turned on, and no other setting changed', async () => {
    const app = await local.createClient(userPoolId, { secret: true })
    const asked = { UserPoolId: userPoolId, ClientId: app.clientId }
    const describeClient = async () => {
      const { UserPoolClient } = await local.sdk.send(new DescribeUserPoolClientCommand(asked))
      return { ...UserPoolClient, LastModifiedDate: undefined }
    }
    await local.sdk.send(
      new UpdateUserPoolClientCommand({
        ...asked,
        CallbackURLs: ['https://app.example/'],
        AccessTokenValidity: 2,
      }),
    )
    const before = await describeClient()
    const admin = createClient(app)
    const changes = [{ field: 'EnableTokenRevocation', from: undefined, to: true }]
    expect(await admin.enableTokenRevocation({ dryRun: true })).toEqual({ changed: false, changes })
    expect(await describeClient()).toEqual(before)
    expect(await admin.enableTokenRevocation()).toEqual({ changed: true, changes })
    expect(await describeClient()).toEqual({ ...before, EnableTokenRevocation: true })
    expect(await admin.enableTokenRevocation()).toEqual({ changed: false, changes: [] })
  })

  it('tells its validities', async () => {
    expect(await client.describeTokenSettings()).toMatchObject({
      tokenRevocation: false,
      validity: { accessTokenSeconds: 3_600, idTokenSeconds: 3_600, refreshTokenSeconds: 2_592_000 },
    })
  })

  it('can be made, and signed in to', async () => {
    const made = await client.createAppClient({ clientName: 'another', generateSecret: true })
    const another = createClient(made)
    expect(await another.describeTokenSettings()).toMatchObject({ tokenRevocation: true })
    expect(await another.signIn(user)).toMatchObject({ status: 'authenticated' })
  })

  it('is told to be unknown where it is', async () => {
    const unknown = createClient({ clientId: 'nosuchclient' })
    await expect(unknown.describeTokenSettings()).rejects.toBeInstanceOf(ResourceNotFoundError)
  })
})

describe('global sign-out at cognito-local, which knows neither GlobalSignOut nor AdminUserGlobalSignOut', () => {
  it('is incomplete for a user, and recorded, though his tokens have no origin_jti', async () => {
    const { accessToken } = await signIn()
    const error = await thrownBy(client.globalSignOut({ accessToken }))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error).toMatchObject({ outcome: { sub: user.sub, store: 'recorded', cognito: 'unknown' } })
  })

  it('is incomplete without a store, as nobody has the revocation then', async () => {
    const { accessToken } = await signIn()
    const error = await thrownBy(createClient({ store: false }).globalSignOut({ accessToken }))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error).toMatchObject({ outcome: { store: 'skipped', cognito: 'unknown' } })
  })

  it('is incomplete for an administrator, and recorded', async () => {
    const error = await thrownBy(client.adminGlobalSignOut({ username: user.username }))
    expect(error).toBeInstanceOf(RevocationIncompleteError)
    expect(error).toMatchObject({ outcome: { sub: user.sub, store: 'recorded', cognito: 'unknown' } })
  })

  it('shuts the API to all tokens of the user, and to nobody else', async () => {
    const ask = await startApi()
    const somebodyElse = await local.createUser(userPoolId)
    const sessions = [await signIn(), await signIn()]
    const other = await signIn(client, somebodyElse)
    await thrownBy(client.adminGlobalSignOut({ username: user.username }))
    for (const { accessToken } of sessions) expect(await ask(accessToken)).toBe(401)
    expect(await ask(other.accessToken)).toBe(200)
  })

  it('is refused for a user that there is not', async () => {
    await expect(client.adminGlobalSignOut({ username: 'nobody@example.com' })).rejects.toBeInstanceOf(
      UserNotFoundError,
    )
    expect(store.size).toBe(0)
  })
})
