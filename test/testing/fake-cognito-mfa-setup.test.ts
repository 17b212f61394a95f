import {
  AssociateSoftwareTokenCommand,
  VerifySoftwareTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { totp } from '../../src/testing/fake-cognito/challenges/totp.js'
import { FakeCognito } from '../../src/testing/index.js'
import { claimsOf, Harness, refusal, useHarness } from './harness.js'

const harness = useHarness({ mfa: 'ON' })
const over = refusal('NotAuthorizedException', 'Invalid session for the user.')

function associate(input: { Session?: string | undefined; AccessToken?: string }) {
  return harness().sdk.send(new AssociateSoftwareTokenCommand(input))
}

function verify(UserCode: string, input: { Session?: string | undefined; AccessToken?: string }) {
  return harness().sdk.send(new VerifySoftwareTokenCommand({ UserCode, ...input }))
}

function codeOf(secret = '', steps = 0): string {
  return totp(secret, harness().cognito.clock.now() + steps * 30_000)
}

/** The user's authenticator has this secret, even if its next code came up just now. */
function expectShown(username: string, secret: string | undefined) {
  const shown = harness().cognito.totpFor(username)
  expect([codeOf(secret), codeOf(secret, -1)]).toContain(shown)
}

/** A user without a second factor, who has given the password where everybody must have one. */
async function enter() {
  const { cognito, createPerson, initiateAuth } = harness()
  const { clientId } = cognito.createClient()
  const person = createPerson()
  const parameters = { USERNAME: person.username, PASSWORD: person.password }
  const begin = () => initiateAuth('USER_PASSWORD_AUTH', clientId, parameters)
  return { clientId, person, USERNAME: person.username, begin, challenge: await begin() }
}

describe('MFA_SETUP of FakeCognito', () => {
  it('takes the session of an authenticator that was verified, and asks for its codes from then on', async () => {
    const { clientId, person, USERNAME, begin, challenge } = await enter()
    expect(challenge).toMatchObject({
      ChallengeName: 'MFA_SETUP',
      ChallengeParameters: { MFAS_CAN_SETUP: '["SOFTWARE_TOKEN_MFA"]' },
    })
    const associated = await associate({ Session: challenge.Session })
    expect(associated.SecretCode).toMatch(/^[A-Z2-7]{52}$/)
    const { Status, Session } = await verify(codeOf(associated.SecretCode), associated)
    expect(Status).toBe('SUCCESS')
    const { respond } = harness()
    const { AuthenticationResult } = await respond(clientId, { ...challenge, Session }, { USERNAME })
    expect(claimsOf(AuthenticationResult?.AccessToken).sub).toBe(person.sub)
    await expect(begin()).resolves.toHaveProperty('ChallengeName', 'SOFTWARE_TOKEN_MFA')
    expectShown(USERNAME, associated.SecretCode)
  })

  it('refuses an authenticator that was not verified, and sessions that were used', async () => {
    const { clientId, USERNAME, challenge } = await enter()
    const { respond } = harness()
    await expect(respond(clientId, challenge, { USERNAME })).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
    const associated = await associate({ Session: challenge.Session })
    await expect(associate({ Session: challenge.Session })).rejects.toMatchObject(over)
    await expect(verify(codeOf(associated.SecretCode, 5), associated)).rejects.toMatchObject(
      refusal('EnableSoftwareTokenMFAException', 'Code mismatch'),
    )
    await expect(verify(codeOf(associated.SecretCode), associated)).resolves.toHaveProperty('Session')
    await expect(respond(clientId, { ...challenge, ...associated }, { USERNAME })).rejects.toMatchObject(over)
  })

  it('is the only session that can be used for an authenticator', async () => {
    const { cognito, createPerson, initiateAuth } = harness()
    const { clientId } = cognito.createClient()
    const { username: USERNAME, password } = createPerson({ mfa: ['EMAIL_OTP'] })
    const { Session } = await initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME, PASSWORD: password })
    await expect(associate({ Session })).rejects.toMatchObject(over)
  })

  it('takes six digits and nothing else for a code', async () => {
    const { challenge } = await enter()
    const associated = await associate({ Session: challenge.Session })
    const form = refusal('InvalidParameterException', /userCode.*\[0-9\]\+/)
    for (const code of ['12345', '123 456', '1234567', 'abcdef']) {
      await expect(verify(code, associated)).rejects.toMatchObject(form)
    }
    await expect(verify(codeOf(associated.SecretCode), associated)).resolves.toHaveProperty('Session')
  })

  it('leaves nobody in without a password', async () => {
    const { cognito, createPerson, initiateAuth } = harness()
    const { clientId } = cognito.createClient({ explicitAuthFlows: ['ALLOW_USER_AUTH'] })
    const { AvailableChallenges } = await initiateAuth('USER_AUTH', clientId, {
      USERNAME: createPerson({ passkey: true }).username,
    })
    expect(AvailableChallenges).toEqual(['PASSWORD', 'PASSWORD_SRP'])
  })
})

describe('an authenticator of a user who is signed in at FakeCognito', () => {
  it('is associated and verified by access token', async () => {
    const { cognito, createPerson, initiateAuth, respond } = harness()
    const { clientId } = cognito.createClient()
    const { username: USERNAME, password } = createPerson({ mfa: ['SOFTWARE_TOKEN_MFA'] })
    const challenge = await initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME, PASSWORD: password })
    const responses = { USERNAME, SOFTWARE_TOKEN_MFA_CODE: cognito.totpFor(USERNAME) }
    const { AuthenticationResult } = await respond(clientId, challenge, responses)
    const AccessToken = AuthenticationResult?.AccessToken ?? ''
    await expect(verify('123456', { AccessToken })).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
    const { SecretCode, Session } = await associate({ AccessToken })
    expect(Session).toBeUndefined()
    await expect(verify(codeOf(SecretCode), { AccessToken })).resolves.toMatchObject({ Status: 'SUCCESS' })
    expectShown(USERNAME, SecretCode)
  })
})

describe('the mfa option of FakeCognito', () => {
  it('lets everybody in with a password where it is OFF, and has no authenticators then', async () => {
    await using cognito = await FakeCognito.start({ mfa: 'OFF' })
    const off = new Harness(cognito)
    const client = cognito.createClient()
    const person = off.createPerson({ mfa: ['EMAIL_OTP'] })
    const { AccessToken } = await off.signIn(client, person)
    await expect(off.sdk.send(new AssociateSoftwareTokenCommand({ AccessToken }))).rejects.toMatchObject(
      refusal('SoftwareTokenMFANotFoundException'),
    )
  })

  it('is refused where it is none', async () => {
    // @ts-expect-error: a mistake of JavaScript's
    await expect(FakeCognito.create({ mfa: 'SOMETIMES' })).rejects.toThrow(/mfa/)
  })
})
