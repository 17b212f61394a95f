import { GetUserCommand, InitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import type { UserUpdate } from '../../src/testing/index.js'
import { claimsOf, type Person, refusal, useHarness } from './harness.js'
import { type Answer, claimOf, srpHelper } from './srp-client.js'

const harness = useHarness({ requiredAttributes: ['name', 'email'] })
const wrongCode = refusal('CodeMismatchException')

/** A new user who has just given the right password, and what that led to. */
async function enter(update: UserUpdate = {}) {
  const { cognito, createPerson, initiateAuth } = harness()
  const { clientId } = cognito.createClient()
  const person = createPerson(update)
  const parameters = { USERNAME: person.username, PASSWORD: person.password }
  const challenge = await initiateAuth('USER_PASSWORD_AUTH', clientId, parameters)
  const respond = (responses: Record<string, string>, to: typeof challenge = challenge) =>
    harness().respond(clientId, to, { USERNAME: person.username, ...responses })
  return { clientId, person, challenge, respond }
}

/** A new user who begins USER_AUTH. */
async function choose(update: UserUpdate, more: Record<string, string> = {}) {
  const { cognito, createPerson, initiateAuth } = harness()
  const { clientId } = cognito.createClient({ explicitAuthFlows: ['ALLOW_USER_AUTH'] })
  const person = createPerson(update)
  const challenge = await initiateAuth('USER_AUTH', clientId, { USERNAME: person.username, ...more })
  const respond = (responses: Record<string, string>, to: typeof challenge = challenge) =>
    harness().respond(clientId, to, { USERNAME: person.username, ...responses })
  return { clientId, person, challenge, respond }
}

function phoneNumber(): string {
  return `+1555${String(Math.floor(Math.random() * 1e10)).padStart(10, '0')}`
}

function expectTokens(answer: Answer, { sub }: Person) {
  expect(claimsOf(answer.AuthenticationResult?.AccessToken).sub).toBe(sub)
}

describe('NEW_PASSWORD_REQUIRED of FakeCognito', () => {
  it('tells what is known and what is missing, and takes a password with that', async () => {
    const { clientId, person, challenge, respond } = await enter({ status: 'FORCE_CHANGE_PASSWORD' })
    const parameters = challenge.ChallengeParameters ?? {}
    expect(JSON.parse(parameters.userAttributes ?? '')).toEqual({
      email: person.email,
      email_verified: 'true',
    })
    expect(JSON.parse(parameters.requiredAttributes ?? '')).toEqual(['userAttributes.name'])
    const answer = await respond({ NEW_PASSWORD: 'a better one', 'userAttributes.name': 'Jane' })
    expectTokens(answer, person)
    const { sdk } = harness()
    const user = await sdk.send(new GetUserCommand({ AccessToken: answer.AuthenticationResult?.AccessToken }))
    expect(user.UserAttributes).toContainEqual({ Name: 'name', Value: 'Jane' })
    await expect(
      harness().signIn({ clientId }, { ...person, password: 'a better one' }),
    ).resolves.toBeDefined()
    await expect(harness().signIn({ clientId }, person)).rejects.toMatchObject(
      refusal('NotAuthorizedException'),
    )
  })

  it.each([
    ['a password that is too short', { NEW_PASSWORD: 'short' }, 'InvalidPasswordException'],
    ['a missing attribute', { NEW_PASSWORD: 'a better one' }, 'InvalidParameterException'],
    [
      'a required attribute that has a value',
      {
        NEW_PASSWORD: 'a better one',
        'userAttributes.name': 'Jane',
        'userAttributes.email': 'new@example.com',
      },
      'InvalidParameterException',
    ],
  ])('refuses %s, and can be answered again', async (_, responses, name) => {
    const { person, respond } = await enter({ status: 'FORCE_CHANGE_PASSWORD' })
    await expect(respond(responses)).rejects.toMatchObject(refusal(name))
    expectTokens(await respond({ NEW_PASSWORD: 'a better one', 'userAttributes.name': 'Jane' }), person)
  })

  it("refuses another user's telephone number", async () => {
    const taken = phoneNumber()
    harness().createPerson({ phoneNumber: taken })
    const { respond } = await enter({ status: 'FORCE_CHANGE_PASSWORD' })
    const attributes = { 'userAttributes.name': 'Jane', 'userAttributes.phone_number': taken }
    await expect(respond({ NEW_PASSWORD: 'a better one', ...attributes })).rejects.toMatchObject(
      refusal('AliasExistsException'),
    )
  })
})

describe('the second factors of FakeCognito', () => {
  it('SOFTWARE_TOKEN_MFA takes the code of the authenticator', async () => {
    const { person, challenge, respond } = await enter({ mfa: ['SOFTWARE_TOKEN_MFA'] })
    expect(challenge).toMatchObject({ ChallengeName: 'SOFTWARE_TOKEN_MFA' })
    const code = harness().cognito.totpFor(person.username)
    const other = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
    await expect(respond({ SOFTWARE_TOKEN_MFA_CODE: other })).rejects.toMatchObject(wrongCode)
    expectTokens(await respond({ SOFTWARE_TOKEN_MFA_CODE: code }), person)
  })

  it.each([
    [
      'SMS_MFA',
      {
        CODE_DELIVERY_DELIVERY_MEDIUM: 'SMS',
        CODE_DELIVERY_DESTINATION: expect.stringMatching(/^\+\*{7}\d{4}$/),
      },
    ],
    ['EMAIL_OTP', { CODE_DELIVERY_DELIVERY_MEDIUM: 'EMAIL', CODE_DELIVERY_DESTINATION: 'u***@e***' }],
  ] as const)('%s takes the code that was sent, of six digits', async (factor, parameters) => {
    const { person, challenge, respond } = await enter({ phoneNumber: phoneNumber(), mfa: [factor] })
    expect(challenge).toMatchObject({ ChallengeName: factor, ChallengeParameters: parameters })
    const code = harness().cognito.codeFor(person.username)
    expect(code).toMatch(/^\d{6}$/)
    await expect(respond({ [`${factor}_CODE`]: 'wrong' })).rejects.toMatchObject(wrongCode)
    expectTokens(await respond({ [`${factor}_CODE`]: code }), person)
  })

  it('are for the user to choose from where there are several', async () => {
    const { person, challenge, respond } = await enter({ mfa: ['SOFTWARE_TOKEN_MFA', 'EMAIL_OTP'] })
    expect(challenge.ChallengeName).toBe('SELECT_MFA_TYPE')
    expect(JSON.parse(challenge.ChallengeParameters?.MFAS_CAN_CHOOSE ?? '')).toEqual([
      'SOFTWARE_TOKEN_MFA',
      'EMAIL_OTP',
    ])
    await expect(respond({ ANSWER: 'SMS_MFA' })).rejects.toMatchObject(refusal('InvalidParameterException'))
    const next = await respond({ ANSWER: 'EMAIL_OTP' })
    const code = harness().cognito.codeFor(person.username)
    expectTokens(await respond({ EMAIL_OTP_CODE: code }, next), person)
  })

  it('need somewhere to send a code to', () => {
    const { cognito } = harness()
    expect(() => cognito.createUser({ username: 'x', password: 'pw', mfa: ['SMS_MFA'] })).toThrow(TypeError)
    expect(() => cognito.createUser({ username: 'x', password: 'pw', mfa: ['EMAIL_OTP'] })).toThrow(TypeError)
  })
})

describe('USER_AUTH of FakeCognito', () => {
  it('offers what the user has', async () => {
    const plain = await choose({})
    expect(plain.challenge).toMatchObject({
      ChallengeName: 'SELECT_CHALLENGE',
      AvailableChallenges: ['PASSWORD', 'PASSWORD_SRP', 'EMAIL_OTP'],
    })
    const rich = await choose({ phoneNumber: phoneNumber(), passkey: true })
    expect(rich.challenge.AvailableChallenges).toEqual([
      'PASSWORD',
      'PASSWORD_SRP',
      'EMAIL_OTP',
      'SMS_OTP',
      'WEB_AUTHN',
    ])
  })

  it('takes the password with the choice, or after it', async () => {
    const one = await choose({})
    expectTokens(await one.respond({ ANSWER: 'PASSWORD', PASSWORD: one.person.password }), one.person)
    const other = await choose({})
    const next = await other.respond({ ANSWER: 'PASSWORD' })
    expect(next.ChallengeName).toBe('PASSWORD')
    expectTokens(await other.respond({ PASSWORD: other.person.password }, next), other.person)
  })

  it('takes SRP_A with the choice, after it, or before', async () => {
    const { cognito } = harness()
    const { person, respond } = await choose({})
    const session = srpHelper.createSrpSession(person.username, person.password, cognito.userPoolId, false)
    const choice = { ANSWER: 'PASSWORD_SRP', SRP_A: session.largeA }
    const verifier = await respond(choice)
    expect(verifier.ChallengeName).toBe('PASSWORD_VERIFIER')
    expectTokens(await respond(claimOf(srpHelper.signSrpSession(session, verifier)), verifier), person)

    const later = await choose({}, { PREFERRED_CHALLENGE: 'PASSWORD_SRP' })
    expect(later.challenge.ChallengeName).toBe('PASSWORD_SRP')
    await expect(later.respond({ SRP_A: session.largeA })).resolves.toMatchObject({
      ChallengeName: 'PASSWORD_VERIFIER',
    })
    const before = await choose({}, { PREFERRED_CHALLENGE: 'PASSWORD_SRP', SRP_A: session.largeA })
    expect(before.challenge.ChallengeName).toBe('PASSWORD_VERIFIER')
  })

  it.each(['EMAIL_OTP', 'SMS_OTP'])('sends a code of eight digits for %s', async (factor) => {
    const { person, respond } = await choose({ phoneNumber: phoneNumber() })
    const next = await respond({ ANSWER: factor })
    const code = harness().cognito.codeFor(person.username)
    expect(code).toMatch(/^\d{8}$/)
    expectTokens(await respond({ [`${factor}_CODE`]: code }, next), person)
  })

  it('takes a passkey that names the challenge, once', async () => {
    const { person, challenge, respond } = await choose(
      { passkey: true },
      { PREFERRED_CHALLENGE: 'WEB_AUTHN' },
    )
    const options = challenge.ChallengeParameters?.CREDENTIAL_REQUEST_OPTIONS ?? ''
    expect(JSON.parse(options)).toMatchObject({ challenge: expect.any(String), rpId: expect.any(String) })
    const CREDENTIAL = harness().cognito.credentialFor(person.username, options)
    expectTokens(await respond({ CREDENTIAL }), person)
    const again = await choose({ passkey: true }, { PREFERRED_CHALLENGE: 'WEB_AUTHN' })
    await expect(again.respond({ CREDENTIAL })).rejects.toMatchObject(refusal('NotAuthorizedException'))
  })

  it('lets the user choose where the preferred challenge is not his', async () => {
    const { challenge } = await choose({}, { PREFERRED_CHALLENGE: 'WEB_AUTHN' })
    expect(challenge.ChallengeName).toBe('SELECT_CHALLENGE')
  })

  it('takes the password at once, and then asks for the second factor', async () => {
    const { cognito, createPerson, initiateAuth } = harness()
    const { clientId } = cognito.createClient({ explicitAuthFlows: ['ALLOW_USER_AUTH'] })
    const { username, password } = createPerson({ mfa: ['SOFTWARE_TOKEN_MFA'] })
    const parameters = { USERNAME: username, PREFERRED_CHALLENGE: 'PASSWORD', PASSWORD: password }
    await expect(initiateAuth('USER_AUTH', clientId, parameters)).resolves.toMatchObject({
      ChallengeName: 'SOFTWARE_TOKEN_MFA',
    })
    await expect(
      initiateAuth('USER_AUTH', clientId, { ...parameters, PASSWORD: 'wrong' }),
    ).rejects.toMatchObject(refusal('NotAuthorizedException', 'Incorrect username or password.'))
  })

  it.each(['short', 'x'.repeat(2049)])('refuses what can be no Session: %s', async (Session) => {
    const { cognito, createPerson, sdk } = harness()
    const { clientId } = cognito.createClient({ explicitAuthFlows: ['ALLOW_USER_AUTH'] })
    const AuthParameters = { USERNAME: createPerson().username }
    const command = new InitiateAuthCommand({
      AuthFlow: 'USER_AUTH',
      ClientId: clientId,
      AuthParameters,
      Session,
    })
    await expect(sdk.send(command)).rejects.toMatchObject(refusal('InvalidParameterException'))
  })

  it('takes an access token of the same user, with TARGET_ACR_VALUES', async () => {
    const { cognito, begin, initiateAuth } = harness()
    const { person, tokens } = await begin()
    const { tokens: others } = await begin()
    const { clientId } = cognito.createClient({ explicitAuthFlows: ['ALLOW_USER_AUTH'] })
    const stepUp = (more: Record<string, string>) =>
      initiateAuth('USER_AUTH', clientId, { USERNAME: person.username, ...more })
    const acr = { TARGET_ACR_VALUES: 'mfa' }
    await expect(stepUp({ ACCESS_TOKEN: tokens.AccessToken, ...acr })).resolves.toHaveProperty('Session')
    await expect(stepUp({ ACCESS_TOKEN: tokens.AccessToken })).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
    for (const wrong of [{ TARGET_ACR_VALUES: ' ' }, { MAX_AGE: '-1' }, { MAX_AGE: 'soon' }]) {
      const parameters = { ACCESS_TOKEN: tokens.AccessToken, ...acr, ...wrong }
      await expect(stepUp(parameters)).rejects.toMatchObject(refusal('InvalidParameterException'))
    }
    await expect(stepUp({ ACCESS_TOKEN: others.AccessToken, ...acr })).rejects.toMatchObject(
      refusal('NotAuthorizedException'),
    )
  })
})

describe('a challenge that a test asks for', () => {
  it('comes next, whatever its name, and takes any answer', async () => {
    const { cognito, createPerson, initiateAuth, respond } = harness()
    const { clientId } = cognito.createClient()
    const person = createPerson()
    cognito.challengeNext(person.username, 'RETINA_SCAN', { eye: 'left' })
    const USERNAME = person.username
    const challenge = await initiateAuth('USER_PASSWORD_AUTH', clientId, {
      USERNAME,
      PASSWORD: person.password,
    })
    expect(challenge).toMatchObject({ ChallengeName: 'RETINA_SCAN', ChallengeParameters: { eye: 'left' } })
    expectTokens(await respond(clientId, challenge, { USERNAME, SCAN: '…' }), person)
    await expect(harness().signIn({ clientId }, person)).resolves.toHaveProperty('AccessToken')
  })
})
