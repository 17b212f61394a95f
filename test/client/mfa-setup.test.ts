import { describe, expect, it } from 'vitest'
import { ChallengeSessionExpiredError, CodeMismatchError, CognitoError } from '../../src/errors.js'
import { totp } from '../../src/testing/fake-cognito/challenges/totp.js'
import { type Scene, thrownBy, useScene } from '../support/scene.js'

const createScene = useScene({ mfa: 'ON' })

async function setup(scene: Scene) {
  const result = await scene.client.signIn(scene.user)
  if (result.status !== 'challenge' || result.challengeName !== 'MFA_SETUP') throw new Error('no MFA_SETUP')
  return result
}

describe('MFA_SETUP', () => {
  it.each([true, false])(
    'is done with the first code of a new authenticator app: secret %s',
    async (generateSecret) => {
      const scene = createScene({ generateSecret })
      const { client, cognito, user } = scene
      const asked = await setup(scene)
      expect(asked.mfaTypes).toEqual(['SOFTWARE_TOKEN_MFA'])
      const { secretCode, challenge } = await client.associateSoftwareToken(asked)
      expect(challenge.session).not.toBe(asked.session)
      scene.takeCalls()
      const code = totp(secretCode, cognito.clock.now())
      const kept = JSON.parse(JSON.stringify(challenge)) as typeof challenge
      const result = await client.respondToChallenge(kept, { code, friendlyDeviceName: 'telephone' })
      expect(result).toMatchObject({ status: 'authenticated', username: user.username })
      expect(scene.takeCalls()).toEqual(['VerifySoftwareToken', 'RespondToAuthChallenge'])
      expect(await client.signIn(user)).toMatchObject({ challengeName: 'SOFTWARE_TOKEN_MFA' })
    },
  )

  it('can be answered again after a wrong code', async () => {
    const scene = createScene()
    const { client, cognito } = scene
    const { secretCode, challenge } = await client.associateSoftwareToken(await setup(scene))
    await expect(client.respondToChallenge(challenge, { code: '000000' })).rejects.toThrow(CodeMismatchError)
    const code = totp(secretCode, cognito.clock.now())
    expect(await client.respondToChallenge(challenge, { code })).toMatchObject({ status: 'authenticated' })
  })

  it('must be answered with the newest challenge, and in time', async () => {
    const scene = createScene()
    const asked = await setup(scene)
    const { challenge } = await scene.client.associateSoftwareToken(asked)
    await expect(scene.client.associateSoftwareToken(asked)).rejects.toThrow(ChallengeSessionExpiredError)
    scene.cognito.clock.advance(200_000)
    await expect(scene.client.respondToChallenge(challenge, { code: '123456' })).rejects.toThrow(
      ChallengeSessionExpiredError,
    )
  })

  it('takes the code with the white space that it was pasted with', async () => {
    const scene = createScene()
    const { client, cognito } = scene
    const { secretCode, challenge } = await client.associateSoftwareToken(await setup(scene))
    const code = totp(secretCode, cognito.clock.now()).replace(/(...)(...)/, ' $1 $2\n')
    expect(await client.respondToChallenge(challenge, { code })).toMatchObject({ status: 'authenticated' })
  })

  it.each(['12345', '1234567', '12345a', '١٢٣٤٥٦', ' '])(
    'is not asked of Cognito with what cannot be a code: %j',
    async (code) => {
      const scene = createScene()
      const { challenge } = await scene.client.associateSoftwareToken(await setup(scene))
      scene.takeCalls()
      await expect(scene.client.respondToChallenge(challenge, { code })).rejects.toThrow(CodeMismatchError)
      expect(scene.takeCalls()).toEqual([])
    },
  )

  it('for a factor of another kind is answered by names of Cognito, and verifies no code', async () => {
    const scene = createScene()
    const { client, cognito, user } = scene
    cognito.updateUser(user.username, { mfa: ['EMAIL_OTP'] })
    cognito.challengeNext(user.username, 'MFA_SETUP', { MFAS_CAN_SETUP: '["EMAIL_OTP"]' })
    const first = await client.signIn(user)
    if (first.status !== 'challenge' || first.challengeName !== 'EMAIL_OTP') throw new Error('no EMAIL_OTP')
    const asked = await client.respondToChallenge(first, { code: cognito.codeFor(user.username) })
    if (asked.status !== 'challenge' || asked.challengeName !== 'MFA_SETUP') throw new Error('no MFA_SETUP')
    expect(asked.mfaTypes).toEqual(['EMAIL_OTP'])
    scene.takeCalls()
    const responses = { EMAIL: 'jane@example.com' }
    expect(await client.respondToChallenge(asked, { responses })).toMatchObject({ status: 'authenticated' })
    expect(scene.takeCalls()).toEqual(['RespondToAuthChallenge'])
    expect(cognito.calls.at(-1)?.parameters).toMatchObject({ ChallengeResponses: responses })
    const both = { responses, code: '123456' }
    const error = await thrownBy(() => client.respondToChallenge(asked, both))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('"responses"')
  })

  it.each([null, 5])('rejects, and does not throw, where its options are none: %j', async (options) => {
    const asked = await setup(createScene())
    const result = createScene().client.associateSoftwareToken(asked, options as never)
    await expect(result).rejects.toThrow('"options"')
  })

  it('ends when it is told to', async () => {
    const scene = createScene()
    const signal = AbortSignal.abort(new Error('enough'))
    const asked = await setup(scene)
    await expect(scene.client.associateSoftwareToken(asked, { signal })).rejects.toThrow('enough')
    await expect(scene.client.respondToChallenge(asked, { code: '123456', signal })).rejects.toThrow('enough')
  })
})

describe('An authenticator app of a user who is signed in', () => {
  async function signedIn(scene: Scene) {
    const { secretCode, challenge } = await scene.client.associateSoftwareToken(await setup(scene))
    const code = totp(secretCode, scene.cognito.clock.now())
    const result = await scene.client.respondToChallenge(challenge, { code })
    if (result.status !== 'authenticated') throw new Error(result.status)
    return result
  }

  it('is set up by the access token', async () => {
    const scene = createScene()
    const { accessToken } = await signedIn(scene)
    const { secretCode, challenge } = await scene.client.associateSoftwareToken({ accessToken })
    expect(challenge).toBeUndefined()
    await expect(scene.client.verifySoftwareToken({ accessToken, code: '000000' })).rejects.toThrow(
      CodeMismatchError,
    )
    const code = totp(secretCode, scene.cognito.clock.now())
    await scene.client.verifySoftwareToken({ accessToken, code, friendlyDeviceName: 'another' })
    expect(scene.cognito.totpFor(scene.user.username)).toBe(code)
  })

  it.each([
    ['associateSoftwareToken', {}, 'accessToken'],
    ['associateSoftwareToken', { challengeName: 'MFA_SETUP' }, 'session'],
    ['verifySoftwareToken', { code: '1' }, 'accessToken'],
    ['verifySoftwareToken', { accessToken: 'token' }, 'code'],
    [
      'verifySoftwareToken',
      { accessToken: 'token', code: '123456', friendlyDeviceName: 5 },
      'friendlyDeviceName',
    ],
  ] as const)('names a wrong input: %s %j', async (method, input, name) => {
    const scene = createScene()
    const error = await thrownBy(() => scene.client[method](input as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`"${name}"`)
  })

  it.each([
    ['AssociateSoftwareToken', {}, CognitoError],
    ['AssociateSoftwareToken', { SecretCode: 'AAAA' }, CognitoError],
    ['VerifySoftwareToken', { Status: 'ERROR', Session: 's'.repeat(30) }, CodeMismatchError],
    ['VerifySoftwareToken', { Status: 'SUCCESS' }, CognitoError],
  ] as const)('is not set up by an answer that is not what it must be: %s %j', async (_, answer, Class) => {
    const scene = createScene()
    const challenge = await setup(scene)
    const client = scene.createClient({
      sdk: { middlewareStack: { add: () => {} }, send: async () => answer } as never,
    })
    const act = () =>
      'Status' in answer
        ? client.respondToChallenge(challenge, { code: '123456' })
        : client.associateSoftwareToken(challenge)
    await expect(act()).rejects.toThrow(Class)
  })
})
