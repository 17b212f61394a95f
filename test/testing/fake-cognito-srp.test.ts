import { describe, expect, it } from 'vitest'
import { N } from '../../src/testing/fake-cognito/srp/group.js'
import { claimsOf, refusal, useHarness } from './harness.js'
import { beginSrp, claimOf, srpHelper } from './srp-client.js'

const harness = useHarness()
const explicitAuthFlows = ['ALLOW_USER_SRP_AUTH', 'ALLOW_CUSTOM_AUTH', 'ALLOW_USER_AUTH'] as const
const wrong = refusal('NotAuthorizedException', 'Incorrect username or password.')

describe('USER_SRP_AUTH of FakeCognito', () => {
  it('takes the proof of cognito-srp-helper, for an alias and a client with a secret', async () => {
    const { cognito, createPerson, respond } = harness()
    const client = cognito.createClient({ explicitAuthFlows, generateSecret: true })
    const { email, password, username, sub } = createPerson()
    const { challenge, responses } = await beginSrp(harness(), client, email, password)
    expect(challenge.ChallengeParameters).toEqual({
      SALT: expect.stringMatching(/^[0-9a-f]{20,32}$/),
      SRP_B: expect.stringMatching(/^[0-9a-f]{700,768}$/),
      SECRET_BLOCK: expect.any(String),
      USERNAME: username,
      USER_ID_FOR_SRP: username,
    })
    const { AuthenticationResult } = await respond(client.clientId, challenge, responses)
    expect(claimsOf(AuthenticationResult?.AccessToken)).toMatchObject({ sub, username })
  })

  it('is there for administrators', async () => {
    const { cognito, createPerson, adminInitiateAuth, adminRespond } = harness()
    const { clientId } = cognito.createClient({ explicitAuthFlows })
    const { username, password, sub } = createPerson()
    const session = srpHelper.createSrpSession(username, password, cognito.userPoolId, false)
    const names = { USERNAME: username }
    const challenge = await adminInitiateAuth('USER_SRP_AUTH', clientId, { ...names, SRP_A: session.largeA })
    const claim = claimOf(srpHelper.signSrpSession(session, challenge))
    const { AuthenticationResult } = await adminRespond(clientId, challenge, { ...names, ...claim })
    expect(claimsOf(AuthenticationResult?.AccessToken)).toMatchObject({ sub })
  })

  it('tells of a wrong password at PASSWORD_VERIFIER, and takes no second answer', async () => {
    const { cognito, createPerson, respond } = harness()
    const client = cognito.createClient({ explicitAuthFlows })
    const { username } = createPerson({ enabled: false })
    const { challenge, responses } = await beginSrp(harness(), client, username, 'not the password')
    await expect(respond(client.clientId, challenge, responses)).rejects.toMatchObject(wrong)
    await expect(respond(client.clientId, challenge, responses)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid session for the user.'),
    )
  })

  it('tells the status of a user once the password is proved', async () => {
    const { cognito, createPerson, respond } = harness()
    const client = cognito.createClient({ explicitAuthFlows })
    const { username, password } = createPerson({ enabled: false })
    const { challenge, responses } = await beginSrp(harness(), client, username, password)
    await expect(respond(client.clientId, challenge, responses)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'User is disabled.'),
    )
  })

  it('tells that a user does not exist, or makes a challenge up where the client hides it', async () => {
    const { cognito, initiateAuth, respond } = harness()
    const open = cognito.createClient({ explicitAuthFlows })
    await expect(
      initiateAuth('USER_SRP_AUTH', open.clientId, { USERNAME: 'nobody@example.com', SRP_A: 'abc' }),
    ).rejects.toMatchObject(refusal('UserNotFoundException'))
    const hiding = cognito.createClient({ explicitAuthFlows, preventUserExistenceErrors: 'ENABLED' })
    const first = await beginSrp(harness(), hiding, 'nobody@example.com', 'any')
    const again = await initiateAuth('USER_SRP_AUTH', hiding.clientId, {
      USERNAME: 'nobody@example.com',
      SRP_A: 'abc',
    })
    const { SALT, USERNAME } = first.challenge.ChallengeParameters ?? {}
    expect(again.ChallengeParameters).toMatchObject({ SALT, USERNAME, USER_ID_FOR_SRP: USERNAME })
    expect(USERNAME).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    await expect(respond(hiding.clientId, first.challenge, first.responses)).rejects.toMatchObject(wrong)
  })

  it.each([['0'], [N.toString(16)], [(2n * N).toString(16)], ['-1'], ['xyz']])(
    'refuses %.8s as SRP_A',
    async (SRP_A) => {
      const { cognito, createPerson, initiateAuth } = harness()
      const { clientId } = cognito.createClient({ explicitAuthFlows })
      const USERNAME = createPerson().username
      await expect(initiateAuth('USER_SRP_AUTH', clientId, { USERNAME, SRP_A })).rejects.toMatchObject(
        refusal('InvalidParameterException', 'SRP_A is not valid.'),
      )
    },
  )

  it('refuses a TIMESTAMP of another form, and then takes one of the right form', async () => {
    const { cognito, createPerson, respond } = harness()
    const client = cognito.createClient({ explicitAuthFlows })
    const { username, password } = createPerson()
    const { challenge, responses } = await beginSrp(harness(), client, username, password)
    const TIMESTAMP = new Date().toISOString()
    await expect(respond(client.clientId, challenge, { ...responses, TIMESTAMP })).rejects.toMatchObject(
      refusal(
        'InvalidParameterException',
        'TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.',
      ),
    )
    await expect(respond(client.clientId, challenge, responses)).resolves.toHaveProperty(
      'AuthenticationResult',
    )
  })

  it('refuses a proof by a clock that is far off', async () => {
    const { cognito, createPerson, respond } = harness()
    const client = cognito.createClient({ explicitAuthFlows })
    const { username, password } = createPerson()
    cognito.clock.advance(600)
    const { challenge, responses } = await beginSrp(harness(), client, username, password)
    await expect(respond(client.clientId, challenge, responses)).rejects.toMatchObject(wrong)
  })

  it('refuses a proof for another challenge', async () => {
    const { cognito, createPerson, respond } = harness()
    const client = cognito.createClient({ explicitAuthFlows })
    const { username, password } = createPerson()
    const one = await beginSrp(harness(), client, username, password)
    const other = await beginSrp(harness(), client, username, password)
    await expect(respond(client.clientId, other.challenge, one.responses)).rejects.toMatchObject(wrong)
  })

  it('finds PASSWORD_VERIFIER by its secret block, for clients that send no Session', async () => {
    const { cognito, createPerson, respond } = harness()
    const client = cognito.createClient({ explicitAuthFlows })
    const { username, password } = createPerson()
    const { challenge, responses } = await beginSrp(harness(), client, username, password)
    const withoutSession = { ChallengeName: challenge.ChallengeName }
    await expect(respond(client.clientId, withoutSession, responses)).resolves.toHaveProperty(
      'AuthenticationResult',
    )
    await expect(respond(client.clientId, withoutSession, responses)).rejects.toMatchObject(
      refusal('InvalidParameterException', 'Missing required parameter Session'),
    )
  })
})

describe('CUSTOM_AUTH of FakeCognito', () => {
  it('asks for the password first where it is told to, then for its own challenges in order', async () => {
    const { cognito, createPerson, initiateAuth, respond } = harness()
    cognito.customChallenges([
      { parameters: { question: 'first pet' }, answer: 'Rex' },
      { parameters: { question: 'first car' }, answer: 'Beetle' },
    ])
    const { clientId } = cognito.createClient({ explicitAuthFlows })
    const { username: USERNAME, password, sub } = createPerson()
    const session = srpHelper.createSrpSession(USERNAME, password, cognito.userPoolId, false)
    const verifier = await initiateAuth('CUSTOM_AUTH', clientId, {
      USERNAME,
      CHALLENGE_NAME: 'SRP_A',
      SRP_A: session.largeA,
    })
    const claim = claimOf(srpHelper.signSrpSession(session, verifier))
    const pet = await respond(clientId, verifier, { USERNAME, ...claim })
    expect(pet).toMatchObject({
      ChallengeName: 'CUSTOM_CHALLENGE',
      ChallengeParameters: { USERNAME, question: 'first pet' },
    })
    const car = await respond(clientId, pet, { USERNAME, ANSWER: 'Rex' })
    expect(car.ChallengeParameters).toEqual({ USERNAME, question: 'first car' })
    const { AuthenticationResult } = await respond(clientId, car, { USERNAME, ANSWER: 'Beetle' })
    expect(claimsOf(AuthenticationResult?.AccessToken)).toMatchObject({ sub })
  })

  it('ends with a wrong answer, and is refused where the pool asks nothing', async () => {
    const { cognito, createPerson, initiateAuth, respond } = harness()
    const { clientId } = cognito.createClient({ explicitAuthFlows })
    const USERNAME = createPerson().username
    cognito.customChallenges([{ parameters: {}, answer: 'right' }])
    const challenge = await initiateAuth('CUSTOM_AUTH', clientId, { USERNAME })
    await expect(respond(clientId, challenge, { USERNAME, ANSWER: 'left' })).rejects.toMatchObject(wrong)
    await expect(respond(clientId, challenge, { USERNAME, ANSWER: 'right' })).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid session for the user.'),
    )
    cognito.customChallenges([])
    await expect(initiateAuth('CUSTOM_AUTH', clientId, { USERNAME })).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
  })

  it('lets nobody in who does not exist, where the client hides that', async () => {
    const { cognito, initiateAuth, respond } = harness()
    cognito.customChallenges([{ parameters: {}, answer: 'right' }])
    const { clientId } = cognito.createClient({ explicitAuthFlows, preventUserExistenceErrors: 'ENABLED' })
    const USERNAME = 'nobody'
    const challenge = await initiateAuth('CUSTOM_AUTH', clientId, { USERNAME })
    await expect(respond(clientId, challenge, { USERNAME, ANSWER: 'right' })).rejects.toMatchObject(wrong)
    const choice = await initiateAuth('USER_AUTH', clientId, { USERNAME })
    expect(choice.AvailableChallenges).toEqual(['PASSWORD', 'PASSWORD_SRP'])
    const answer = { USERNAME, ANSWER: 'PASSWORD', PASSWORD: 'any' }
    await expect(respond(clientId, choice, answer)).rejects.toMatchObject(wrong)
  })
})
