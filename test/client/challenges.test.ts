import { describe, expect, it } from 'vitest'
import { isUnknownChallenge, type SignInChallenge, type SignInResult } from '../../src/client/index.js'
import {
  AliasExistsError,
  ChallengeSessionExpiredError,
  CodeExpiredError,
  CodeMismatchError,
  CognitoError,
  InvalidPasswordError,
  NotAuthorizedError,
} from '../../src/errors.js'
import { EVERY_FLOW, type Scene, thrownBy, useScene } from '../support/scene.js'

const createAny = useScene({ requiredAttributes: ['name'] })
const createScene = () => createAny({ ...EVERY_FLOW, generateSecret: true })

type Named<Name extends string> = Extract<SignInChallenge, { challengeName: Name }>

/** The challenge, if it is the one that is expected; with the checks that a JSON store would make of it. */
function expectChallenge<Name extends SignInChallenge['challengeName']>(
  result: SignInResult,
  name: Name,
): Named<Name> {
  expect(result).toMatchObject({ status: 'challenge', challengeName: name })
  return JSON.parse(JSON.stringify(result)) as Named<Name>
}

function responsesOf(scene: Scene): Record<string, string> {
  const { parameters } = scene.cognito.calls.at(-1) ?? {}
  return (parameters as { ChallengeResponses: Record<string, string> }).ChallengeResponses
}

describe.each([
  ['a user', 'USER_PASSWORD_AUTH', 'RespondToAuthChallenge'],
  ['an admin', 'ADMIN_USER_PASSWORD_AUTH', 'AdminRespondToAuthChallenge'],
] as const)('A challenge to %s', (_, flow, operation) => {
  it('NEW_PASSWORD_REQUIRED says what it wants, and takes a password and attributes', async () => {
    const scene = createScene()
    const { user, client } = scene
    const username = `${user.username}@example.com`
    scene.cognito.updateUser(user.username, { status: 'FORCE_CHANGE_PASSWORD' })
    const challenge = expectChallenge(
      await client.signIn({ username, password: user.password, flow }),
      'NEW_PASSWORD_REQUIRED',
    )
    expect(challenge).toMatchObject({
      requiredAttributes: ['name'],
      userAttributes: { email: username },
      username: user.username,
      admin: operation.startsWith('Admin'),
    })
    scene.takeCalls()
    const newPassword = 'correct horse battery'
    const answer = { newPassword, userAttributes: { name: 'Jane' } }
    expect(await client.respondToChallenge(challenge, answer)).toMatchObject({
      status: 'authenticated',
      username: user.username,
    })
    expect(scene.takeCalls()).toEqual([operation])
    expect(responsesOf(scene)).toMatchObject({ 'userAttributes.name': 'Jane', USERNAME: user.username })
    expect(await scene.signIn({ ...user, password: newPassword })).toBeDefined()
  })

  it('SOFTWARE_TOKEN_MFA takes the code of the authenticator app', async () => {
    const scene = createScene()
    const { user, client } = scene
    scene.cognito.updateUser(user.username, { mfa: ['SOFTWARE_TOKEN_MFA'] })
    const challenge = expectChallenge(await client.signIn({ ...user, flow }), 'SOFTWARE_TOKEN_MFA')
    const code = scene.cognito.totpFor(user.username).replace(/(...)/, '$1 ')
    expect(await client.respondToChallenge(challenge, { code })).toMatchObject({ status: 'authenticated' })
  })

  it('SOFTWARE_TOKEN_MFA does not take a code twice, but the next one for the same challenge', async () => {
    const scene = createScene()
    const { user, client, cognito } = scene
    cognito.updateUser(user.username, { mfa: ['SOFTWARE_TOKEN_MFA'] })
    const ask = async () => expectChallenge(await client.signIn({ ...user, flow }), 'SOFTWARE_TOKEN_MFA')
    const code = cognito.totpFor(user.username)
    await client.respondToChallenge(await ask(), { code })
    const challenge = await ask()
    const error = await thrownBy(() => client.respondToChallenge(challenge, { code }))
    expect(error).toBeInstanceOf(CodeExpiredError)
    expect(error.message).toContain('wait for its next one, and answer the same challenge')
    cognito.clock.advance(30)
    const next = { code: cognito.totpFor(user.username) }
    expect(await client.respondToChallenge(challenge, next)).toMatchObject({ status: 'authenticated' })
  })

  it.each([
    ['SMS_MFA', 'SMS', '+*******0123'],
    ['EMAIL_OTP', 'EMAIL', 'u***@e***'],
  ] as const)('%s says where the code was sent, and takes it', async (name, deliveryMedium, destination) => {
    const scene = createScene()
    const { user, client } = scene
    const phoneNumber = `+${Math.floor(Math.random() * 1e9)}0123`
    scene.cognito.updateUser(user.username, { phoneNumber, mfa: [name] })
    const challenge = expectChallenge(await client.signIn({ ...user, flow }), name)
    expect(challenge).toMatchObject({ deliveryMedium, destination })
    const code = ` ${scene.cognito.codeFor(user.username).replace(/(...)/, '$1 ')}\n`
    expect(await client.respondToChallenge(challenge, { code })).toMatchObject({ status: 'authenticated' })
  })

  it('SELECT_MFA_TYPE says which there are, and takes one', async () => {
    const scene = createScene()
    const { user, client } = scene
    scene.cognito.updateUser(user.username, { mfa: ['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'] })
    const challenge = expectChallenge(await client.signIn({ ...user, flow }), 'SELECT_MFA_TYPE')
    expect(challenge.mfaTypes).toEqual(['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'])
    const next = await client.respondToChallenge(challenge, { mfaType: 'EMAIL_OTP' })
    const code = scene.cognito.codeFor(user.username)
    expect(await client.respondToChallenge(expectChallenge(next, 'EMAIL_OTP'), { code })).toMatchObject({
      status: 'authenticated',
    })
  })

  it('that is not known is passed through, and takes what Cognito wants by its own names', async () => {
    const scene = createScene()
    const { user, client } = scene
    scene.cognito.challengeNext(user.username, 'RIDDLE', { QUESTION: 'What goes on four legs?' })
    const challenge = await client.signIn({ ...user, flow })
    if (challenge.status !== 'challenge') throw new Error(challenge.status)
    expect(challenge).toMatchObject({
      challengeName: 'RIDDLE',
      parameters: { QUESTION: 'What goes on four legs?' },
      username: user.username,
    })
    const name: string = challenge.challengeName
    expect(name).toBe('RIDDLE')
    const responses = { RIDDLE_ANSWER: 'a man', USERNAME: 'somebody else', SECRET_HASH: 'nonsense' }
    if (!isUnknownChallenge(challenge)) throw new Error('it is known')
    const next = await client.respondToChallenge(challenge, { responses })
    expect(next).toMatchObject({ status: 'authenticated' })
    expect(responsesOf(scene)).toMatchObject({ RIDDLE_ANSWER: 'a man', USERNAME: user.username })
  })
})

describe('isUnknownChallenge', () => {
  it('is right of known ones, and of names that every object has', () => {
    const named = (challengeName: string) => ({ challengeName }) as SignInChallenge
    expect(['SMS_MFA', 'MFA_SETUP'].map((name) => isUnknownChallenge(named(name)))).toEqual([false, false])
    expect(['RIDDLE', 'toString'].map((name) => isUnknownChallenge(named(name)))).toEqual([true, true])
  })
})

describe('The choice of SELECT_CHALLENGE', () => {
  async function choice(scene: Scene) {
    const { username } = scene.user
    const phoneNumber = `+${Math.floor(Math.random() * 1e9)}0123`
    scene.cognito.updateUser(username, { phoneNumber, passkey: true })
    return expectChallenge(await scene.client.signIn({ flow: 'USER_AUTH', username }), 'SELECT_CHALLENGE')
  }

  it.each(['EMAIL_OTP', 'SMS_OTP'] as const)('can be %s', async (name) => {
    const scene = createScene()
    const { client, user } = scene
    const next = await client.respondToChallenge(await choice(scene), { challenge: name })
    const code = scene.cognito.codeFor(user.username)
    expect(await client.respondToChallenge(expectChallenge(next, name), { code })).toMatchObject({
      status: 'authenticated',
      username: user.username,
    })
  })

  it.each(['PASSWORD', 'PASSWORD_SRP'] as const)(
    'can be %s, with the password at once',
    async (challenge) => {
      const scene = createScene()
      const { password } = scene.user
      const select = await choice(scene)
      const result = await scene.client.respondToChallenge(select, { challenge, password })
      expect(result).toMatchObject({ status: 'authenticated' })
      const carriers = scene.cognito.calls.filter((call) => JSON.stringify(call).includes(password))
      expect(carriers.length).toBe(challenge === 'PASSWORD' ? 1 : 0)
      await expect(
        scene.client.respondToChallenge(await choice(scene), { challenge, password: 'wrong' }),
      ).rejects.toThrow(NotAuthorizedError)
    },
  )

  it.each(['an object', 'a string'])('can be WEB_AUTHN, whose credential may be %s', async (form) => {
    const scene = createScene()
    const { client, user } = scene
    const next = await client.respondToChallenge(await choice(scene), { challenge: 'WEB_AUTHN' })
    const webAuthn = expectChallenge(next, 'WEB_AUTHN')
    expect(webAuthn.credentialRequestOptions).toMatchObject({ rpId: 'localhost', timeout: 180_000 })
    const text = scene.cognito.credentialFor(user.username, webAuthn.credentialRequestOptions)
    const credential = form === 'a string' ? text : (JSON.parse(text) as object)
    expect(await client.respondToChallenge(webAuthn, { credential })).toMatchObject({
      status: 'authenticated',
    })
  })

  it('can bring the credential along', async () => {
    const scene = createScene()
    const { client, cognito, user } = scene
    const select = await choice(scene)
    if (select.credentialRequestOptions === undefined) throw new Error('no options')
    const credential = cognito.credentialFor(user.username, select.credentialRequestOptions)
    const answer = { challenge: 'WEB_AUTHN', credential } as const
    expect(await client.respondToChallenge(select, answer)).toMatchObject({ status: 'authenticated' })
    expect(responsesOf(scene)).toMatchObject({ ANSWER: 'WEB_AUTHN', CREDENTIAL: credential })
    const wrong = { challenge: 'WEB_AUTHN', credential: { id: 'a' } } as const
    await expect(client.respondToChallenge(await choice(scene), wrong)).rejects.toThrow(NotAuthorizedError)
  })
})

describe('An answer that Cognito does not take', () => {
  async function emailCode(scene: Scene) {
    scene.cognito.updateUser(scene.user.username, { mfa: ['EMAIL_OTP'] })
    return expectChallenge(await scene.client.signIn(scene.user), 'EMAIL_OTP')
  }

  it('can be given again where the code was wrong, until Cognito has enough of it', async () => {
    const scene = createScene()
    const challenge = await emailCode(scene)
    const right = { code: scene.cognito.codeFor(scene.user.username) }
    for (let round = 0; round < 2; round += 1) {
      await expect(scene.client.respondToChallenge(challenge, { code: 'wrong' })).rejects.toThrow(
        CodeMismatchError,
      )
    }
    expect(await scene.client.respondToChallenge(challenge, right)).toMatchObject({ status: 'authenticated' })

    const another = await emailCode(scene)
    for (let round = 0; round < 3; round += 1) {
      await thrownBy(() => scene.client.respondToChallenge(another, { code: 'wrong' }))
    }
    await expect(scene.client.respondToChallenge(another, right)).rejects.toThrow(
      ChallengeSessionExpiredError,
    )
  })

  it('is too late after the life of the session', async () => {
    const scene = createScene()
    const challenge = await emailCode(scene)
    scene.cognito.clock.advance(200_000)
    await expect(scene.client.respondToChallenge(challenge, { code: '1' })).rejects.toThrow(CodeExpiredError)
    scene.cognito.updateUser(scene.user.username, { mfa: ['SOFTWARE_TOKEN_MFA'] })
    const other = expectChallenge(await scene.client.signIn(scene.user), 'SOFTWARE_TOKEN_MFA')
    scene.cognito.clock.advance(200_000)
    await expect(scene.client.respondToChallenge(other, { code: '1' })).rejects.toThrow(
      ChallengeSessionExpiredError,
    )
  })

  it('is no good a second time', async () => {
    const scene = createScene()
    const challenge = await emailCode(scene)
    const answer = { code: scene.cognito.codeFor(scene.user.username) }
    await scene.client.respondToChallenge(challenge, answer)
    await expect(scene.client.respondToChallenge(challenge, answer)).rejects.toThrow(
      ChallengeSessionExpiredError,
    )
  })

  it('is told apart for a new password: too weak, or an alias of another', async () => {
    const scene = createScene()
    const { client, user, cognito } = scene
    const other = scene.createUser()
    cognito.updateUser(user.username, { status: 'FORCE_CHANGE_PASSWORD' })
    const challenge = expectChallenge(await client.signIn(user), 'NEW_PASSWORD_REQUIRED')
    const name = 'Jane'
    await expect(
      client.respondToChallenge(challenge, { newPassword: 'short', userAttributes: { name } }),
    ).rejects.toThrow(InvalidPasswordError)
    const taken = { name, email: `${other.username}@example.com` }
    await expect(
      client.respondToChallenge(challenge, { newPassword: 'long enough', userAttributes: taken }),
    ).rejects.toThrow(AliasExistsError)
  })

  it.each([
    ['MFAS_CAN_CHOOSE', 'SELECT_MFA_TYPE', { MFAS_CAN_CHOOSE: 'not JSON' }],
    ['MFAS_CAN_CHOOSE', 'SELECT_MFA_TYPE', { MFAS_CAN_CHOOSE: '{}' }],
    ['MFAS_CAN_SETUP', 'MFA_SETUP', { MFAS_CAN_SETUP: '[5]' }],
    ['MFAS_CAN_SETUP', 'MFA_SETUP', { MFAS_CAN_SETUP: 'null' }],
    ['requiredAttributes', 'NEW_PASSWORD_REQUIRED', { requiredAttributes: '{}' }],
    ['userAttributes', 'NEW_PASSWORD_REQUIRED', { userAttributes: '[]' }],
    ['userAttributes', 'NEW_PASSWORD_REQUIRED', { userAttributes: 'not JSON' }],
    ['CREDENTIAL_REQUEST_OPTIONS', 'WEB_AUTHN', {}],
    ['CREDENTIAL_REQUEST_OPTIONS', 'WEB_AUTHN', { CREDENTIAL_REQUEST_OPTIONS: '{"challenge":5}' }],
    ['CREDENTIAL_REQUEST_OPTIONS', 'SELECT_CHALLENGE', { CREDENTIAL_REQUEST_OPTIONS: '' }],
  ])(
    "is not reached where a challenge's %s is not what it must be: %s %j",
    async (name, challenge, parameters) => {
      const scene = createScene()
      scene.cognito.challengeNext(scene.user.username, challenge, parameters)
      const error = await thrownBy(() => scene.client.signIn(scene.user))
      expect(error).toBeInstanceOf(CognitoError)
      expect(error.message).toContain(name)
    },
  )

  it.each([
    ['null', { requiredAttributes: 'null', userAttributes: 'null' }, [], {}],
    ['empty', { requiredAttributes: '', userAttributes: '' }, [], {}],
    ['left out', {}, [], {}],
    [
      'of numbers and the like',
      { requiredAttributes: '["userAttributes.name",5,null]', userAttributes: '{"a":5,"b":true,"c":null}' },
      ['name', '5'],
      { a: '5', b: 'true' },
    ],
  ])(
    'is not needed where NEW_PASSWORD_REQUIRED says things that are %s',
    async (_, parameters, required, known) => {
      const scene = createScene()
      const { client, user } = scene
      scene.cognito.challengeNext(user.username, 'NEW_PASSWORD_REQUIRED', parameters)
      const challenge = expectChallenge(await client.signIn(user), 'NEW_PASSWORD_REQUIRED')
      expect(challenge.requiredAttributes).toEqual(required)
      expect(challenge.userAttributes).toEqual(known)
      expect(await client.respondToChallenge(challenge, { newPassword: 'correct horse' })).toMatchObject({
        status: 'authenticated',
      })
    },
  )

  it.each([
    ['SMS_MFA', {}, 'code', { code: '' }],
    ['SMS_OTP', {}, 'code', { code: 123456 }],
    ['NEW_PASSWORD_REQUIRED', {}, 'newPassword', {}],
    ['NEW_PASSWORD_REQUIRED', {}, 'userAttributes', { newPassword: 'a', userAttributes: { a: 5 } }],
    ['SELECT_CHALLENGE', {}, 'challenge', {}],
    ['SELECT_CHALLENGE', {}, 'password', { challenge: 'PASSWORD' }],
    ['SELECT_CHALLENGE', {}, 'credential', { challenge: 'WEB_AUTHN', credential: 5 }],
    ['SELECT_CHALLENGE', {}, 'responses', { challenge: 'NEW', responses: 'a' }],
    ['SELECT_MFA_TYPE', {}, 'mfaType', {}],
    ['CUSTOM_CHALLENGE', {}, 'answer', {}],
    ['PASSWORD', {}, 'password', {}],
    ['PASSWORD_SRP', {}, 'password', { password: '' }],
    ['WEB_AUTHN', {}, 'credential', {}],
    ['DEVICE_SRP_AUTH', {}, 'device', {}],
    ['MFA_SETUP', {}, 'code', {}],
    ['UNHEARD_OF', {}, 'responses', {}],
    ['SMS_MFA', { username: '' }, 'challenge.username', { code: '1' }],
    ['SMS_MFA', { session: 5 }, 'challenge.session', { code: '1' }],
    ['SMS_MFA', { admin: undefined }, 'challenge.admin', { code: '1' }],
    ['SMS_MFA', { status: 'authenticated' }, 'challenge', { code: '1' }],
    ['', {}, 'challenge.challengeName', { code: '1' }],
    ['SMS_MFA', {}, 'contextData', { code: '1', contextData: {} }],
  ])('is named, before Cognito is asked: %s %j %s', async (challengeName, wrong, name, answer) => {
    const scene = createScene()
    const session = 's'.repeat(40)
    const challenge = {
      status: 'challenge',
      challengeName,
      session,
      username: 'jane',
      admin: false,
      ...wrong,
    }
    const error = await thrownBy(() => scene.client.respondToChallenge(challenge as never, answer as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
    expect(scene.takeCalls()).toEqual([])
  })
})
