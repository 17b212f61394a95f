import {
  ConfirmDeviceCommand,
  ForgetDeviceCommand,
  GetTokensFromRefreshTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { type AppClientKeys, claimsOf, type Person, refusal, useHarness } from './harness.js'
import { claimOf, srpHelper } from './srp-client.js'

const harness = useHarness({ deviceTracking: true })
const invalid = refusal('NotAuthorizedException', 'Invalid Refresh Token.')

/** A sign-in from a new device: its keys, its password, and what confirms it. */
async function enter(
  person = harness().createPerson(),
  client: AppClientKeys = harness().cognito.createClient(),
) {
  const { initiateAuth, sdk } = harness()
  const parameters = { USERNAME: person.username, PASSWORD: person.password }
  const { AuthenticationResult } = await initiateAuth('USER_PASSWORD_AUTH', client.clientId, parameters)
  const { AccessToken = '', RefreshToken = '', NewDeviceMetadata } = AuthenticationResult ?? {}
  const { DeviceKey = '', DeviceGroupKey = '' } = NewDeviceMetadata ?? {}
  const { DeviceRandomPassword, DeviceSecretVerifierConfig } = srpHelper.createDeviceVerifier(
    DeviceKey,
    DeviceGroupKey,
  )
  const confirm = (config: object = DeviceSecretVerifierConfig) =>
    sdk.send(new ConfirmDeviceCommand({ AccessToken, DeviceKey, DeviceSecretVerifierConfig: config }))
  const tokens = { AccessToken, RefreshToken }
  return { person, client, tokens, DeviceKey, DeviceGroupKey, devicePassword: DeviceRandomPassword, confirm }
}

/** A sign-in from a known device, up to DEVICE_PASSWORD_VERIFIER and the responses to it. */
async function comeBack(
  { clientId }: AppClientKeys,
  { username: USERNAME, password }: Person,
  device: { DeviceKey: string; DeviceGroupKey: string; devicePassword: string },
) {
  const { cognito, initiateAuth, respond } = harness()
  const names = { USERNAME, DEVICE_KEY: device.DeviceKey }
  const first = await initiateAuth('USER_PASSWORD_AUTH', clientId, { ...names, PASSWORD: password })
  expect(first.ChallengeName).toBe('DEVICE_SRP_AUTH')
  const session = srpHelper.createSrpSession(USERNAME, password, cognito.userPoolId, false)
  const challenge = await respond(clientId, first, { ...names, SRP_A: session.largeA })
  expect(challenge).toMatchObject({
    ChallengeName: 'DEVICE_PASSWORD_VERIFIER',
    ChallengeParameters: { DEVICE_KEY: device.DeviceKey, SALT: expect.any(String) },
  })
  const signed = srpHelper.signSrpSessionWithDevice(
    session,
    challenge,
    device.DeviceGroupKey,
    device.devicePassword,
  )
  return { challenge, responses: { ...names, ...claimOf(signed) } }
}

function refresh({ clientId }: AppClientKeys, RefreshToken: string, DeviceKey?: string) {
  return harness().sdk.send(
    new GetTokensFromRefreshTokenCommand({ ClientId: clientId, RefreshToken, DeviceKey }),
  )
}

describe('a device at FakeCognito', () => {
  it('is named to a sign-in that names none, and in the access token', async () => {
    const { tokens, DeviceKey, DeviceGroupKey } = await enter()
    expect(DeviceKey).toMatch(/^us-east-1_[0-9a-f-]{36}$/)
    expect(DeviceGroupKey).toMatch(/^-/)
    expect(claimsOf(tokens.AccessToken).device_key).toBe(DeviceKey)
  })

  it('proves its own password once it is confirmed', async () => {
    const { person, client, confirm, ...device } = await enter()
    await expect(confirm()).resolves.toMatchObject({ UserConfirmationNecessary: false })
    const { challenge, responses } = await comeBack(client, person, device)
    const { AuthenticationResult } = await harness().respond(client.clientId, challenge, responses)
    expect(AuthenticationResult).not.toHaveProperty('NewDeviceMetadata')
    expect(claimsOf(AuthenticationResult?.AccessToken).device_key).toBe(device.DeviceKey)
    await expect(
      refresh(client, AuthenticationResult?.RefreshToken ?? '', device.DeviceKey),
    ).resolves.toHaveProperty('AuthenticationResult')
  })

  it('is refused with another password', async () => {
    const { person, client, confirm, ...device } = await enter()
    await confirm()
    const { challenge, responses } = await comeBack(client, person, { ...device, devicePassword: 'other' })
    await expect(harness().respond(client.clientId, challenge, responses)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Incorrect username or password.'),
    )
  })

  it('does not exist before it is confirmed, for another user, and when it is forgotten', async () => {
    const { initiateAuth, sdk } = harness()
    const { person, client, tokens, DeviceKey, confirm } = await enter()
    const missing = refusal('ResourceNotFoundException', 'Device does not exist.')
    const signIn = ({ username, password }: Person) =>
      initiateAuth('USER_PASSWORD_AUTH', client.clientId, {
        USERNAME: username,
        PASSWORD: password,
        DEVICE_KEY: DeviceKey,
      })
    await expect(signIn(person)).rejects.toMatchObject(missing)
    await confirm()
    await expect(signIn(harness().createPerson())).rejects.toMatchObject(missing)
    await sdk.send(new ForgetDeviceCommand({ AccessToken: tokens.AccessToken, DeviceKey }))
    await expect(signIn(person)).rejects.toMatchObject(missing)
    await expect(refresh(client, tokens.RefreshToken, DeviceKey)).rejects.toMatchObject(invalid)
  })

  it('that is not confirmed cannot refresh, whether it is named or not', async () => {
    const { client, tokens, DeviceKey, confirm } = await enter()
    const { initiateAuth } = harness()
    const byFlow = (names: { DEVICE_KEY?: string }) =>
      initiateAuth('REFRESH_TOKEN_AUTH', client.clientId, { REFRESH_TOKEN: tokens.RefreshToken, ...names })
    await expect(refresh(client, tokens.RefreshToken, DeviceKey)).rejects.toMatchObject(invalid)
    await expect(refresh(client, tokens.RefreshToken)).rejects.toMatchObject(invalid)
    await expect(byFlow({ DEVICE_KEY: DeviceKey })).rejects.toMatchObject(invalid)
    await expect(byFlow({})).rejects.toMatchObject(invalid)
    await confirm()
    await expect(refresh(client, tokens.RefreshToken, DeviceKey)).resolves.toHaveProperty(
      'AuthenticationResult',
    )
  })

  it('that is confirmed must be named to refresh, and no other', async () => {
    const { client, tokens, DeviceKey, confirm } = await enter()
    await confirm()
    await expect(refresh(client, tokens.RefreshToken)).rejects.toMatchObject(invalid)
    const { DeviceKey: other } = await enter()
    await expect(refresh(client, tokens.RefreshToken, other)).rejects.toMatchObject(invalid)
    const { initiateAuth } = harness()
    const byFlow = (DEVICE_KEY: string) =>
      initiateAuth('REFRESH_TOKEN_AUTH', client.clientId, { REFRESH_TOKEN: tokens.RefreshToken, DEVICE_KEY })
    await expect(byFlow(other)).rejects.toMatchObject(invalid)
    await expect(byFlow(DeviceKey)).resolves.toHaveProperty('AuthenticationResult')
  })

  it('is confirmed once, with a verifier that is one', async () => {
    const { confirm } = await enter()
    await expect(confirm({ PasswordVerifier: '', Salt: 'AA==' })).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
    await expect(confirm({ PasswordVerifier: 'AA==', Salt: 'AA==' })).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
    await confirm()
    await expect(confirm()).rejects.toMatchObject(refusal('DeviceKeyExistsException'))
  })
})
