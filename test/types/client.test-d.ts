import type { UpdateUserPoolClientCommandInput } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expectTypeOf, it } from 'vitest'
import type { CARRIED_FIELDS } from '../../src/client/app-client-settings.js'
import {
  CognitoTokenClient,
  computeSecretHash,
  type EnableTokenRevocationResult,
  isUnknownChallenge,
  type MfaSetupChallenge,
  type NewPasswordChallenge,
  type PartialOutcome,
  RevocationIncompleteError,
  type RevokeOutcome,
  SessionUnknownError,
  type SignedIn,
  type SignInChallenge,
  type SignInResult,
  type SignOutOutcome,
  type SignOutSummary,
  type TokenSettings,
  type UnknownChallenge,
} from '../../src/client/index.js'
import {
  CognitoRevocationError,
  type ErrorCode,
  type RevokerOptions,
  TokenRevokedError,
} from '../../src/index.js'

const userPoolId = 'us-east-1_AbCdEfGhI'
const clientId = '1example23456789'
const options = { userPoolId, clientId, store: false } as const
const client = new CognitoTokenClient(options)

describe('the result of signIn', () => {
  it('has tokens once it is known to be authenticated', () => {
    const result = {} as SignInResult
    if (result.status === 'authenticated') {
      expectTypeOf(result).toEqualTypeOf<SignedIn>()
      expectTypeOf(result.accessToken).toEqualTypeOf<string>()
      expectTypeOf(result.refreshToken).toEqualTypeOf<string>()
      expectTypeOf(result.idToken).toEqualTypeOf<string>()
      // @ts-expect-error: there is no challenge
      expectTypeOf(result.challengeName).toEqualTypeOf<never>()
    }
  })

  it('has a challenge otherwise', () => {
    const result = {} as SignInResult
    if (result.status === 'challenge') {
      expectTypeOf(result).toEqualTypeOf<SignInChallenge>()
      expectTypeOf(result.session).toEqualTypeOf<string | undefined>()
      // @ts-expect-error: there are no tokens
      expectTypeOf(result.accessToken).toEqualTypeOf<never>()
    }
  })

  it('has no tokens before it is asked', () => {
    const result = {} as SignInResult
    // @ts-expect-error: it may be a challenge
    expectTypeOf(result.accessToken).toEqualTypeOf<string>()
  })

  it('has one of two statuses', () => {
    expectTypeOf<SignInResult['status']>().toEqualTypeOf<'authenticated' | 'challenge'>()
  })

  it('cannot be written', () => {
    const result = {} as SignedIn
    // @ts-expect-error: readonly
    result.accessToken = 'another'
  })
})

describe('a challenge', () => {
  const challenge = {} as SignInChallenge

  it('is told apart by its name, and offers what it has', () => {
    switch (challenge.challengeName) {
      case 'NEW_PASSWORD_REQUIRED':
        expectTypeOf(challenge).toEqualTypeOf<NewPasswordChallenge>()
        expectTypeOf(challenge.requiredAttributes).toEqualTypeOf<readonly string[]>()
        break
      case 'SMS_MFA':
        expectTypeOf(challenge.destination).toEqualTypeOf<string | undefined>()
        break
      case 'WEB_AUTHN':
        expectTypeOf(challenge.credentialRequestOptions.challenge).toEqualTypeOf<string>()
        // @ts-expect-error: no code is sent
        expectTypeOf(challenge.destination).toEqualTypeOf<never>()
        break
    }
    // @ts-expect-error: not every challenge has that
    expectTypeOf(challenge.mfaTypes).toEqualTypeOf<never>()
  })

  it('that is not known is what is left over', () => {
    switch (challenge.challengeName) {
      case 'NEW_PASSWORD_REQUIRED':
      case 'SOFTWARE_TOKEN_MFA':
      case 'SMS_MFA':
      case 'SMS_OTP':
      case 'EMAIL_OTP':
      case 'SELECT_CHALLENGE':
      case 'SELECT_MFA_TYPE':
      case 'CUSTOM_CHALLENGE':
      case 'MFA_SETUP':
      case 'PASSWORD':
      case 'PASSWORD_SRP':
      case 'WEB_AUTHN':
      case 'DEVICE_SRP_AUTH':
        // @ts-expect-error: by its own answer only
        client.respondToChallenge(challenge, { responses: {} })
        break
      default:
        expectTypeOf(challenge).toEqualTypeOf<UnknownChallenge>()
        expectTypeOf(challenge.challengeName).toExtend<string>()
        client.respondToChallenge(challenge, { responses: { NEW_CODE: '1' } })
        // @ts-expect-error: its answer has no name here
        client.respondToChallenge(challenge, { code: '1' })
    }
  })

  it('takes its own answer', () => {
    if (challenge.challengeName === 'NEW_PASSWORD_REQUIRED') {
      client.respondToChallenge(challenge, { newPassword: 'a', userAttributes: { name: 'Jane' } })
      // @ts-expect-error: a password
      client.respondToChallenge(challenge, { code: '1' })
    }
    if (challenge.challengeName === 'SELECT_CHALLENGE') {
      client.respondToChallenge(challenge, { challenge: 'EMAIL_OTP' })
      client.respondToChallenge(challenge, { challenge: 'PASSWORD', password: 'a' })
      for (const name of challenge.availableChallenges) {
        if (name !== 'PASSWORD' && name !== 'PASSWORD_SRP') expectTypeOf(name).toExtend<string>()
      }
      // @ts-expect-error: PASSWORD takes a password
      client.respondToChallenge(challenge, { challenge: 'PASSWORD' })
      // @ts-expect-error: no such choice
      client.respondToChallenge(challenge, { challenge: 'MFA_SETUP' })
    }
    if (challenge.challengeName === 'SMS_MFA' || challenge.challengeName === 'SOFTWARE_TOKEN_MFA') {
      client.respondToChallenge(challenge, { code: '1', signal: AbortSignal.timeout(1_000) })
    }
    // @ts-expect-error: it is not known yet which it is
    client.respondToChallenge(challenge, { code: '1' })
  })

  it('of choice takes what was looked up among what is offered', () => {
    if (challenge.challengeName === 'SELECT_CHALLENGE') {
      const fromBrowser: string = 'EMAIL_OTP'
      const chosen = challenge.availableChallenges.find((name) => name === fromBrowser)
      if (chosen === 'PASSWORD' || chosen === 'PASSWORD_SRP') {
        client.respondToChallenge(challenge, { challenge: chosen, password: 'a' })
        // @ts-expect-error: it takes a password
        client.respondToChallenge(challenge, { challenge: chosen })
      } else if (chosen !== undefined) client.respondToChallenge(challenge, { challenge: chosen })
      const [first] = challenge.availableChallenges
      if (first === 'EMAIL_OTP') client.respondToChallenge(challenge, { challenge: first })
      // @ts-expect-error: whatever a browser says
      client.respondToChallenge(challenge, { challenge: fromBrowser })
    }
  })

  it('is known to be unknown by isUnknownChallenge', () => {
    switch (challenge.challengeName) {
      case 'SMS_MFA':
        break
      default:
        // @ts-expect-error: it may be one of the others
        client.respondToChallenge(challenge, { responses: { NEW_CODE: '1' } })
        if (isUnknownChallenge(challenge)) {
          expectTypeOf(challenge).toEqualTypeOf<UnknownChallenge>()
          client.respondToChallenge(challenge, { responses: { NEW_CODE: '1' } })
        }
    }
  })

  it('to set up a second factor takes a code, or responses', () => {
    const setup = {} as MfaSetupChallenge
    client.respondToChallenge(setup, { code: '123456', friendlyDeviceName: 'telephone' })
    client.respondToChallenge(setup, { responses: { EMAIL: 'jane@example.com' } })
    // @ts-expect-error: one of the two
    client.respondToChallenge(setup, {})
  })

  it('is set up, or a token is', () => {
    const setup = {} as MfaSetupChallenge
    expectTypeOf(client.associateSoftwareToken(setup))
      .resolves.toHaveProperty('challenge')
      .toEqualTypeOf<MfaSetupChallenge>()
    expectTypeOf(client.associateSoftwareToken({ accessToken: 'token' }))
      .resolves.toHaveProperty('challenge')
      .toEqualTypeOf<undefined>()
  })
})

describe('the options of a CognitoTokenClient', () => {
  it('must say where revocations are recorded, or that they are not', () => {
    // @ts-expect-error: store is missing
    new CognitoTokenClient({ userPoolId, clientId })
    // @ts-expect-error: undefined is no way to say that there is none
    new CognitoTokenClient({ userPoolId, clientId, store: undefined })
    // @ts-expect-error: nor is true
    new CognitoTokenClient({ userPoolId, clientId, store: true })
  })

  it('cannot be misspelt', () => {
    // @ts-expect-error: clientSecret
    new CognitoTokenClient({ ...options, secret: 'x' })
    // @ts-expect-error: accessTokenValiditySeconds
    new CognitoTokenClient({ ...options, accessTokenValidity: 3_600 })
    // @ts-expect-error: store
    new CognitoTokenClient({ userPoolId, clientId, revocation: false })
  })

  it('have no other values than are meant', () => {
    // @ts-expect-error: an auth flow, not one that refreshes
    new CognitoTokenClient({ ...options, refreshFlow: 'USER_PASSWORD_AUTH' })
    // @ts-expect-error: one app client
    new CognitoTokenClient({ ...options, clientId: null })
  })

  it('take what describeTokenSettings gave, or what is needed of it, and a say about reuse', () => {
    new CognitoTokenClient({ ...options, tokenSettings: {} as TokenSettings })
    const refreshTokenRotation = { enabled: true, retryGracePeriodSeconds: 30 }
    new CognitoTokenClient({ ...options, tokenSettings: { refreshTokenRotation, explicitAuthFlows: [] } })
    new CognitoTokenClient({
      ...options,
      onRefreshTokenReuse: async (reuse) => {
        expectTypeOf(reuse.sub).toEqualTypeOf<string | undefined>()
        expectTypeOf(await reuse.revokeSession({ reason: 'reused' })).toExtend<PartialOutcome>()
      },
    })
    // @ts-expect-error: half of it
    new CognitoTokenClient({ ...options, tokenSettings: { explicitAuthFlows: [] } })
  })

  it('take a secret, or a function that gives one', () => {
    new CognitoTokenClient({ ...options, clientSecret: 'secret' })
    new CognitoTokenClient({ ...options, clientSecret: () => 'secret' })
    new CognitoTokenClient({ ...options, clientSecret: async () => 'secret' })
    new CognitoTokenClient({ ...options, clientSecret: ['newer', 'older'] })
    new CognitoTokenClient({ ...options, clientSecret: async () => ['newer', 'older'] })
    // @ts-expect-error: Cognito has two at most
    new CognitoTokenClient({ ...options, clientSecret: ['one', 'two', 'three'] })
    // @ts-expect-error: a number
    new CognitoTokenClient({ ...options, clientSecret: 5 })
  })
})

describe('the methods of a CognitoTokenClient', () => {
  it('set preferences for second factors', () => {
    client.setMfaPreference({ accessToken: 'token', softwareToken: 'preferred', email: 'disabled' })
    // @ts-expect-error: no such preference
    client.setMfaPreference({ accessToken: 'token', sms: true })
    // @ts-expect-error: whose
    client.setMfaPreference({ sms: 'enabled' })
    // @ts-expect-error: which device
    client.forgetDevice({ accessToken: 'token' })
  })

  it('sign out many users, of any iterable', () => {
    const users = [{ username: 'jane', sub: 'x' }]
    expectTypeOf(client.adminGlobalSignOutMany(users)).resolves.toEqualTypeOf<SignOutSummary>()
    void client.adminGlobalSignOutMany(new Set(users), {
      onProgress: (progress) => {
        expectTypeOf(progress.username).toEqualTypeOf<string>()
        if (progress.error) expectTypeOf(progress.error).toEqualTypeOf<Error>()
        else expectTypeOf(progress.outcome).toEqualTypeOf<SignOutOutcome>()
      },
    })
    // @ts-expect-error: users, not names
    void client.adminGlobalSignOutMany(['jane'])
    // @ts-expect-error: ratePerSecond
    void client.adminGlobalSignOutMany(users, { rate: 5 })
  })

  it('tell of a secret its value only where it was added, and then perhaps', () => {
    expectTypeOf(client.addClientSecret()).resolves.toHaveProperty('clientSecret')
    expectTypeOf(client.listClientSecrets()).resolves.items.not.toHaveProperty('clientSecret')
    // @ts-expect-error: which one
    void client.deleteClientSecret()
  })

  it('sign in by the flows, each with what it needs', () => {
    const user = { username: 'jane', password: 'secret' }
    const { username } = user
    void [
      client.signIn({ ...user, flow: 'USER_SRP_AUTH', admin: true }),
      client.signIn({ username, flow: 'USER_AUTH', preferredChallenge: 'EMAIL_OTP' }),
      client.signIn({ username, flow: 'USER_AUTH', accessToken: 'token', targetAcrValues: ['two'] }),
      client.signIn({ username, flow: 'CUSTOM_AUTH' }),
      client.signIn({ ...user, flow: 'CUSTOM_AUTH' }),
      // @ts-expect-error: a password
      client.signIn({ username }),
      // @ts-expect-error: a password
      client.signIn({ username, flow: 'USER_SRP_AUTH' }),
      // @ts-expect-error: an admin has a flow of his own
      client.signIn({ ...user, flow: 'USER_PASSWORD_AUTH', admin: true }),
      // @ts-expect-error: only the user who chooses has a preference
      client.signIn({ ...user, flow: 'USER_SRP_AUTH', preferredChallenge: 'PASSWORD' }),
      client.signIn(user),
      client.signIn({ ...user, flow: 'USER_PASSWORD_AUTH' }),
      client.signIn({ ...user, flow: 'ADMIN_USER_PASSWORD_AUTH' }),
      client.signIn({ ...user, flow: 'ADMIN_NO_SRP_AUTH' }),
      // @ts-expect-error: that takes no password
      client.signIn({ ...user, flow: 'REFRESH_TOKEN_AUTH' }),
    ]
  })

  it('always say which refresh token to use after a refresh', () => {
    expectTypeOf(client.refresh).returns.resolves.toHaveProperty('refreshToken').toEqualTypeOf<string>()
    expectTypeOf(client.refresh).returns.resolves.toHaveProperty('rotated').toEqualTypeOf<boolean>()
  })

  it('refresh what a sign-in gave, as it is, for a device too', () => {
    client.refresh({} as SignedIn)
    client.refresh({ refreshToken: 'token', deviceKey: 'key', clientMetadata: { tenant: 'blue' } })
    // @ts-expect-error: strings only
    client.refresh({ refreshToken: 'token', clientMetadata: { tenant: 5 } })
  })

  it('revoke what a refresh gave, as it is', async () => {
    expectTypeOf(
      client.revokeRefreshToken(await client.refresh({ refreshToken: 'token' })),
    ).resolves.toEqualTypeOf<RevokeOutcome>()
  })

  it('revoke what a sign-in gave, as it is, and nothing without a refresh token', () => {
    expectTypeOf(client.revokeRefreshToken({} as SignedIn)).resolves.toEqualTypeOf<RevokeOutcome>()
    // @ts-expect-error: refreshToken is missing
    client.revokeRefreshToken({ accessToken: 'token' })
  })

  it('sign out a user by one of the two', () => {
    // @ts-expect-error: an access token
    client.globalSignOut({ refreshToken: 'token' })
    // @ts-expect-error: a username
    client.adminGlobalSignOut({ sub: 'sub' })
  })
})

describe('the settings of an app client', () => {
  it('are carried over in full: all that the AWS SDK can send', () => {
    expectTypeOf<(typeof CARRIED_FIELDS)[number]>().toEqualTypeOf<keyof UpdateUserPoolClientCommandInput>()
  })

  it('are told in seconds, by the names of the options that take them', () => {
    const settings = {} as TokenSettings
    expectTypeOf(settings).toExtend<
      Pick<RevokerOptions, 'accessTokenValiditySeconds' | 'refreshTokenValiditySeconds'>
    >()
  })

  it('are turned on with or without a word', () => {
    expectTypeOf(client.enableTokenRevocation()).resolves.toEqualTypeOf<EnableTokenRevocationResult>()
    client.enableTokenRevocation({ dryRun: true })
    // @ts-expect-error: misspelt
    client.enableTokenRevocation({ dryrun: true })
  })

  it('of a new one are the names that Cognito has, without what is settled', () => {
    client.createAppClient({ clientName: 'web', settings: { CallbackURLs: ['https://app.example/'] } })
    // @ts-expect-error: token revocation is always on
    client.createAppClient({ clientName: 'web', settings: { EnableTokenRevocation: false } })
    // @ts-expect-error: no name
    client.createAppClient({ generateSecret: true })
  })
})

describe('computeSecretHash', () => {
  it('needs all three', () => {
    expectTypeOf(computeSecretHash).returns.toEqualTypeOf<string>()
    // @ts-expect-error: no secret
    computeSecretHash({ username: 'jane', clientId })
  })
})

describe('an error', () => {
  const thrown: unknown = undefined

  it('is told by its class, and has a code and a status', () => {
    if (thrown instanceof CognitoRevocationError) {
      expectTypeOf(thrown.code).toEqualTypeOf<ErrorCode>()
      expectTypeOf(thrown.status).toEqualTypeOf<number | undefined>()
    }
    if (thrown instanceof TokenRevokedError) {
      expectTypeOf(thrown.code).toEqualTypeOf<'token_revoked'>()
      expectTypeOf(thrown.status).toEqualTypeOf<401>()
    }
  })

  it('of a session that is unknown says what was done and what was not', () => {
    if (thrown instanceof SessionUnknownError) {
      expectTypeOf(thrown.outcome).toEqualTypeOf<PartialOutcome>()
    }
  })

  it('of a revocation that is incomplete says what was done and what was not', () => {
    if (thrown instanceof RevocationIncompleteError) {
      expectTypeOf(thrown.outcome).toEqualTypeOf<PartialOutcome>()
    }
  })

  it('has a code out of a closed list', () => {
    // @ts-expect-error: no such code
    const code: ErrorCode = 'token_revoked_by_somebody'
    expectTypeOf(code).toExtend<ErrorCode>()
  })
})
