import { inspect } from 'node:util'
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { computeSecretHash, type KnownChallenges } from '../../src/client/index.js'
import { NotAuthorizedError, SecretHashMismatchError, UserDisabledError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { listen } from '../support/http.js'
import { EVERY_FLOW, type Scene, type Session, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene()
const SESSION = 'session-of-a-sign-in-'.repeat(3)
const CODE = '271828'
const credentials = { accessKeyId: 'fake', secretAccessKey: 'fake' }

const ACTIONS: Record<
  string,
  { operation: string; act: (scene: Scene, session: Session) => Promise<unknown> }
> = {
  signIn: { operation: 'InitiateAuth', act: ({ client, user }) => client.signIn(user) },
  'signIn as admin': {
    operation: 'AdminInitiateAuth',
    act: ({ client, user }) => client.signIn({ ...user, flow: 'ADMIN_USER_PASSWORD_AUTH' }),
  },
  refresh: {
    operation: 'GetTokensFromRefreshToken',
    act: ({ client }, session) => client.refresh(session),
  },
  'refresh by REFRESH_TOKEN_AUTH': {
    operation: 'InitiateAuth',
    act: ({ client }, session) => client.refresh({ ...session, flow: 'REFRESH_TOKEN_AUTH' }),
  },
  revokeRefreshToken: {
    operation: 'RevokeToken',
    act: ({ client }, session) => client.revokeRefreshToken(session),
  },
  'revokeRefreshToken by a refresh': {
    operation: 'GetTokensFromRefreshToken',
    // By another process: this one remembers the session.
    act: (scene, { refreshToken }) => scene.createClient().revokeRefreshToken({ refreshToken }),
  },
  'refresh of a session that was ended': {
    operation: 'RevokeToken',
    act: async ({ client, cognito: { userPoolId }, store, verifier }, session) => {
      const { origin_jti: id = '', exp: expiresAt } = await verifier.verify(session.accessToken)
      await store.add([{ poolId: userPoolId, scope: 'session', id, expiresAt }])
      return client.refresh(session)
    },
  },
  adminGlobalSignOut: {
    operation: 'AdminUserGlobalSignOut',
    act: ({ client, user }) => client.adminGlobalSignOut({ username: user.username }),
  },
  'signIn by SRP, in its second step': {
    operation: 'RespondToAuthChallenge',
    act: ({ client, user }) => client.signIn({ ...user, flow: 'USER_SRP_AUTH' }),
  },
  'signIn by choice, as a step-up': {
    operation: 'InitiateAuth',
    act: ({ client, user: { username } }, { accessToken }) =>
      client.signIn({ flow: 'USER_AUTH', username, accessToken, targetAcrValues: ['two'] }),
  },
  'respondToChallenge with a password': {
    operation: 'RespondToAuthChallenge',
    act: ({ client, user: { username, password } }) =>
      client.respondToChallenge(challengeTo(username, 'PASSWORD'), { password }),
  },
  'respondToChallenge with a new password, as an admin': {
    operation: 'AdminRespondToAuthChallenge',
    act: ({ client, user: { username, password } }) =>
      client.respondToChallenge(
        { ...challengeTo(username, 'NEW_PASSWORD_REQUIRED'), admin: true },
        { newPassword: password },
      ),
  },
  'respondToChallenge with a custom answer': {
    operation: 'RespondToAuthChallenge',
    act: ({ client, user: { username, password } }) =>
      client.respondToChallenge(challengeTo(username, 'CUSTOM_CHALLENGE'), { answer: password }),
  },
  'respondToChallenge with the code of a new authenticator app': {
    operation: 'VerifySoftwareToken',
    act: ({ client, user: { username } }) =>
      client.respondToChallenge(challengeTo(username, 'MFA_SETUP'), { code: CODE }),
  },
  associateSoftwareToken: {
    operation: 'AssociateSoftwareToken',
    act: ({ client }, { accessToken }) => client.associateSoftwareToken({ accessToken }),
  },
  verifySoftwareToken: {
    operation: 'VerifySoftwareToken',
    act: ({ client }, { accessToken }) => client.verifySoftwareToken({ accessToken, code: CODE }),
  },
  confirmDevice: {
    operation: 'ConfirmDevice',
    act: ({ client }, { accessToken }) =>
      client.confirmDevice({ accessToken, newDevice: { deviceKey: 'key', deviceGroupKey: 'group' } }),
  },
  forgetDevice: {
    operation: 'ForgetDevice',
    act: ({ client }, { accessToken }) => client.forgetDevice({ accessToken, deviceKey: 'key' }),
  },
  setMfaPreference: {
    operation: 'SetUserMFAPreference',
    act: ({ client }, { accessToken }) => client.setMfaPreference({ accessToken, email: 'disabled' }),
  },
  globalSignOut: { operation: 'GlobalSignOut', act: ({ client }, session) => client.globalSignOut(session) },
}

/** A challenge that is kept somewhere. Its session is a secret too. */
function challengeTo<Name extends keyof KnownChallenges>(username: string, challengeName: Name) {
  const challenge = { status: 'challenge', challengeName, session: SESSION, username, admin: false }
  return challenge as unknown as KnownChallenges[Name]
}

/** The exceptions under which the most different ways through the code are taken. */
const FAULTS = [
  'NotAuthorizedException',
  'InvalidParameterException',
  'InternalErrorException',
  'NewException',
]

describe.each(Object.entries(ACTIONS))('What %s throws', (_, { operation, act }) => {
  it.each(FAULTS)(
    'and tells has no token, secret, password or hash, even where %s quotes them',
    async (fault) => {
      const events: ObserverEvent[] = []
      const scene = createScene(
        { ...EVERY_FLOW, generateSecret: true },
        { observer: (event) => events.push(event) },
      )
      const session = await scene.signIn()
      const { username, password } = scene.user
      const clientSecret = scene.app.clientSecret ?? ''
      const hash = computeSecretHash({ username, clientId: scene.app.clientId, clientSecret })
      const secrets = { password, clientSecret, hash, challenge: SESSION, code: CODE, ...session }
      const outputs = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]

      const message = `1 validation error: '${Object.values(secrets).join("' '")}'`
      scene.cognito.failNext(operation, fault, { message })
      const error = await thrownBy(() => act(scene, session))

      const printed = outputs.flatMap((output) => output.mock.calls)
      for (const output of outputs) output.mockRestore()
      const told = [error, error.cause, events, printed]
      const text = told
        .map((each) => inspect(each, { depth: 12, showHidden: true, maxStringLength: null }))
        .join('\n')
      const sent: Record<string, unknown> = scene.cognito.calls.at(-1)?.parameters as Record<string, unknown>
      for (const [name, secret] of Object.entries(secrets)) {
        if (['status', 'username', 'tokenType', 'expiresInSeconds'].includes(name)) continue
        // Only what was sent can be told apart from any other text; Cognito never quotes what it was not sent.
        if (!JSON.stringify(sent).includes(String(secret))) continue
        expect(text.includes(String(secret)), name).toBe(false)
      }
      expect(text).toContain('withheld')
    },
  )
})

describe('A password that Cognito quotes in another form', () => {
  const password = 'grün & "weiß"\\ 100%'

  it.each([
    ['as a URL has it', encodeURIComponent(password)],
    ['as JSON has it', JSON.stringify({ PASSWORD: password })],
  ])('is in no error: %s', async (_, quoted) => {
    const scene = createScene()
    scene.cognito.failNext('InitiateAuth', 'InvalidParameterException', { message: `Bad: ${quoted}` })
    const error = await thrownBy(() => scene.client.signIn({ username: 'jane', password }))
    expect(error.message).toContain('withheld')
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(quoted)
  })

  it('or that is no Unicode is in no error either', async () => {
    const scene = createScene()
    const lone = 'half a pair \ud800'
    scene.cognito.failNext('InitiateAuth', 'InvalidParameterException', { message: 'Bad' })
    const error = await thrownBy(() => scene.client.signIn({ username: 'jane', password: lone }))
    expect(error).toMatchObject({ code: 'invalid_parameter' })
  })
})

describe('A password that is a word of what Cognito says', () => {
  it.each([
    ['password', 'Incorrect username or password.', NotAuthorizedError],
    ['x', 'User does not exist.', NotAuthorizedError],
    ['disabled', 'User is disabled.', UserDisabledError],
    ['secret', 'Unable to verify secret hash for client abc', SecretHashMismatchError],
  ])(
    'is not told by what becomes of the message, nor changes the error: %s',
    async (password, message, Class) => {
      const scene = createScene()
      const thrown = []
      for (const each of [password, 'another one']) {
        scene.cognito.failNext('InitiateAuth', 'NotAuthorizedException', { message })
        thrown.push(await thrownBy(() => scene.client.signIn({ username: 'jane', password: each })))
      }
      expect(thrown[0]).toBeInstanceOf(Class)
      expect(thrown[0]?.message).toBe(thrown[1]?.message)
      expect(thrown[0]?.cause).toMatchObject({ message })
    },
  )
})

describe('An answer of Cognito that is cut off', () => {
  it('does not bring its tokens into the error', async () => {
    const scene = createScene()
    const real = await scene.signIn()
    const client = scene.createClient({
      sdk: {
        middlewareStack: { add: () => {} },
        send: async () => {
          // What the SDK throws where a body is no JSON: the body hangs on it.
          const body = `{"AuthenticationResult":{"AccessToken":"${real.accessToken}`
          throw Object.assign(new SyntaxError(`Unexpected end: ${body}`), { $responseBodyText: body })
        },
      } as never,
    })
    const error = await thrownBy(() => client.signIn(scene.user))
    const text = inspect(error, { depth: 12, showHidden: true, maxStringLength: null })
    expect(error).toMatchObject({ code: 'cognito_unavailable' })
    expect(text).not.toContain(real.accessToken)
  })
})

describe('The secret of the app client, which DescribeUserPoolClient tells', () => {
  it.each([
    ['describeTokenSettings', {}],
    ['enableTokenRevocation', {}],
    ['enableTokenRevocation', { newerSettings: { Newer: 1 } }],
    ['enableTokenRevocation', { newerSettings: { UserPoolId: 'another' } }],
    ['enableTokenRevocation', { accessTokenValiditySeconds: 5 }],
  ] as const)('is told neither by what %s gives nor by what it throws: %j', async (name, settings) => {
    const scene = createScene({ generateSecret: true, enableTokenRevocation: false, ...settings })
    const { clientSecret = '' } = scene.app
    // The client itself does not know it, so that nothing can be withheld as known.
    const client = scene.createClient({ clientId: scene.app.clientId, clientSecret: () => '' })
    const outcome = await client[name]().catch((error: unknown) => error)
    const text = inspect(outcome, { depth: 12, showHidden: true, maxStringLength: null })
    expect(clientSecret).not.toBe('')
    expect(text).not.toContain(clientSecret)
  })

  it('is not told by an answer that is cut off', async () => {
    const scene = createScene({ generateSecret: true })
    const { clientSecret = '' } = scene.app
    const cut = await listen((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(`{"UserPoolClient":{"ClientSecret":"${clientSecret}"`)
    })
    onTestFinished(cut.close)
    const endpoint = `http://127.0.0.1:${cut.port}`
    const sdk = new CognitoIdentityProviderClient({
      region: 'us-east-1',
      endpoint,
      credentials,
      maxAttempts: 1,
    })
    const error = await thrownBy(() => scene.createClient({ sdk }).enableTokenRevocation())
    const text = inspect(error, { depth: 12, showHidden: true, maxStringLength: null })
    expect(error).toMatchObject({ code: 'cognito_unavailable' })
    expect(text).not.toContain(clientSecret)
  })
})
