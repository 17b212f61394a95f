import { describe, expect, it } from 'vitest'
import { computeHash, type Person, refusal, useHarness } from './harness.js'

const harness = useHarness()
const over = refusal('NotAuthorizedException', 'Invalid session for the user.')

/** A challenge for the code of an e-mail, and the responses that pass it. */
async function challenged(person: Person = harness().createPerson({ mfa: ['EMAIL_OTP'] })) {
  const { cognito, initiateAuth } = harness()
  const { clientId } = cognito.createClient()
  const USERNAME = person.username
  const challenge = await initiateAuth('USER_PASSWORD_AUTH', clientId, {
    USERNAME,
    PASSWORD: person.password,
  })
  return { clientId, person, challenge, responses: { USERNAME, EMAIL_OTP_CODE: cognito.codeFor(USERNAME) } }
}

describe('the Session of a challenge of FakeCognito', () => {
  it('is opaque, and good for one answer', async () => {
    const { respond } = harness()
    const { clientId, challenge, responses } = await challenged()
    expect(challenge.Session).toMatch(/^[\w-]{20,2048}$/)
    const answers = await Promise.allSettled([
      respond(clientId, challenge, responses),
      respond(clientId, challenge, responses),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(respond(clientId, challenge, responses)).rejects.toMatchObject(over)
  })

  it('ends with the third wrong code', async () => {
    const { respond } = harness()
    const { clientId, challenge, responses } = await challenged()
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(
        respond(clientId, challenge, { ...responses, EMAIL_OTP_CODE: 'wrong' }),
      ).rejects.toMatchObject(refusal('CodeMismatchException'))
    }
    await expect(respond(clientId, challenge, responses)).rejects.toMatchObject(over)
  })

  it('lives for three minutes: then a code that was sent has expired', async () => {
    const { cognito, respond } = harness()
    const { clientId, challenge, responses } = await challenged()
    cognito.clock.advance(179)
    await expect(respond(clientId, challenge, { ...responses, EMAIL_OTP_CODE: 'x' })).rejects.toMatchObject(
      refusal('CodeMismatchException'),
    )
    cognito.clock.advance(2)
    await expect(respond(clientId, challenge, responses)).rejects.toMatchObject(
      refusal('ExpiredCodeException'),
    )
  })

  it('that asked for no sent code is over by then', async () => {
    const { cognito, createPerson, initiateAuth, respond } = harness()
    const { clientId } = cognito.createClient()
    const { username: USERNAME, password } = createPerson({ mfa: ['SOFTWARE_TOKEN_MFA'] })
    const challenge = await initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME, PASSWORD: password })
    cognito.clock.advance(181)
    const responses = { USERNAME, SOFTWARE_TOKEN_MFA_CODE: cognito.totpFor(USERNAME) }
    await expect(respond(clientId, challenge, responses)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid session for the user, session is expired.'),
    )
  })

  it('is bound to its challenge', async () => {
    const { respond } = harness()
    const { clientId, challenge, responses } = await challenged()
    const other = { ...challenge, ChallengeName: 'SMS_MFA' as const }
    await expect(
      respond(clientId, other, { ...responses, SMS_MFA_CODE: responses.EMAIL_OTP_CODE }),
    ).rejects.toMatchObject(over)
  })

  it('is bound to its app client', async () => {
    const { cognito, respond } = harness()
    const { challenge, responses } = await challenged()
    const { clientId } = cognito.createClient()
    await expect(respond(clientId, challenge, responses)).rejects.toMatchObject(over)
  })

  it('is bound to its user, by username, alias or sub', async () => {
    const { createPerson, respond } = harness()
    const { clientId, challenge, responses, person } = await challenged()
    const USERNAME = createPerson().username
    await expect(respond(clientId, challenge, { ...responses, USERNAME })).rejects.toMatchObject(over)
    await expect(respond(clientId, challenge, { ...responses, USERNAME: person.sub })).resolves.toBeDefined()
    const again = await challenged(person)
    await expect(
      respond(again.clientId, again.challenge, { ...again.responses, USERNAME: person.email }),
    ).resolves.toHaveProperty('AuthenticationResult')
  })

  it('stays with the operations that it began with', async () => {
    const { cognito, adminInitiateAuth, adminRespond, respond } = harness()
    const { clientId, challenge, responses, person } = await challenged()
    await expect(adminRespond(clientId, challenge, responses)).rejects.toMatchObject(over)
    const USERNAME = person.username
    const admins = await adminInitiateAuth('ADMIN_USER_PASSWORD_AUTH', clientId, {
      USERNAME,
      PASSWORD: person.password,
    })
    const EMAIL_OTP_CODE = cognito.codeFor(USERNAME)
    await expect(respond(clientId, admins, { USERNAME, EMAIL_OTP_CODE })).rejects.toMatchObject(over)
    await expect(adminRespond(clientId, admins, { USERNAME, EMAIL_OTP_CODE })).resolves.toHaveProperty(
      'AuthenticationResult',
    )
  })

  it.each([
    ['is too short', 'short'],
    ['is too long', 'x'.repeat(2049)],
  ])('is refused where it %s', async (_, Session) => {
    const { clientId, challenge, responses } = await challenged()
    await expect(harness().respond(clientId, { ...challenge, Session }, responses)).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
  })
})

describe('an answer to a challenge of FakeCognito', () => {
  it('needs a USERNAME', async () => {
    const { clientId, challenge } = await challenged()
    await expect(harness().respond(clientId, challenge, { EMAIL_OTP_CODE: '1' })).rejects.toMatchObject(
      refusal('InvalidParameterException', 'Missing required parameter USERNAME'),
    )
  })

  it('needs a SECRET_HASH over the USERNAME that is sent, where the client has a secret', async () => {
    const { cognito, createPerson, initiateAuth, respond } = harness()
    const client = cognito.createClient({ generateSecret: true })
    const { username, email, password } = createPerson({ mfa: ['EMAIL_OTP'] })
    const challenge = await initiateAuth('USER_PASSWORD_AUTH', client.clientId, {
      USERNAME: email,
      PASSWORD: password,
      SECRET_HASH: computeHash(client, email),
    })
    const answer = { USERNAME: email, EMAIL_OTP_CODE: cognito.codeFor(username) }
    await expect(respond(client.clientId, challenge, answer)).rejects.toMatchObject(
      refusal('NotAuthorizedException', /SECRET_HASH was not received/),
    )
    const SECRET_HASH = computeHash(client, username)
    await expect(respond(client.clientId, challenge, { ...answer, SECRET_HASH })).rejects.toMatchObject(
      refusal('NotAuthorizedException', `Unable to verify secret hash for client ${client.clientId}`),
    )
    await expect(
      respond(client.clientId, challenge, { ...answer, USERNAME: username, SECRET_HASH }),
    ).resolves.toHaveProperty('AuthenticationResult')
  })

  it('is refused where an account was disabled in between', async () => {
    const { cognito, respond } = harness()
    const { clientId, challenge, responses, person } = await challenged()
    cognito.updateUser(person.username, { enabled: false })
    await expect(respond(clientId, challenge, responses)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'User is disabled.'),
    )
  })
})
