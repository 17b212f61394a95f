import {
  AdminUserGlobalSignOutCommand,
  GlobalSignOutCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { refusal, useHarness } from './harness.js'

const harness = useHarness()
const accessTokenRevoked = refusal('NotAuthorizedException', 'Access Token has been revoked')
const refreshTokenRevoked = refusal('NotAuthorizedException', 'Refresh Token has been revoked')

describe.each(['GlobalSignOut', 'AdminUserGlobalSignOut'] as const)('%s of FakeCognito', (operation) => {
  it('ends every session of the user', async () => {
    const { client, person, tokens } = await harness().begin()
    const other = await harness().signIn(client, person)
    await signOut(person.username, tokens.AccessToken)
    for (const { AccessToken, RefreshToken } of [tokens, other]) {
      await expect(harness().getUser(AccessToken)).rejects.toMatchObject(accessTokenRevoked)
      await expect(harness().refresh(client, RefreshToken)).rejects.toMatchObject(refreshTokenRevoked)
    }
  })

  it('ends no session of another user', async () => {
    const { client, person, tokens } = await harness().begin()
    const bystander = await harness().signIn(client, harness().createPerson())
    await signOut(person.username, tokens.AccessToken)
    await expect(harness().getUser(bystander.AccessToken)).resolves.toHaveProperty('Username')
    await expect(harness().refresh(client, bystander.RefreshToken)).resolves.toHaveProperty('AccessToken')
  })

  it('lets the user sign in again at once', async () => {
    const { client, person, tokens } = await harness().begin()
    await signOut(person.username, tokens.AccessToken)
    const again = await harness().signIn(client, person)
    await expect(harness().getUser(again.AccessToken)).resolves.toHaveProperty('Username', person.username)
  })

  it('ends tokens without origin_jti too, by the time they were issued', async () => {
    const { client, person, tokens } = await harness().begin({ enableTokenRevocation: false })
    await signOut(person.username, tokens.AccessToken)
    await expect(harness().getUser(tokens.AccessToken)).rejects.toMatchObject(accessTokenRevoked)
    await expect(harness().refresh(client, tokens.RefreshToken)).rejects.toMatchObject(refreshTokenRevoked)
    harness().cognito.clock.advance(1)
    const again = await harness().signIn(client, person)
    await expect(harness().getUser(again.AccessToken)).resolves.toHaveProperty('Username', person.username)
  })

  function signOut(Username: string, AccessToken: string) {
    const { cognito, sdk } = harness()
    return operation === 'GlobalSignOut'
      ? sdk.send(new GlobalSignOutCommand({ AccessToken }))
      : sdk.send(new AdminUserGlobalSignOutCommand({ UserPoolId: cognito.userPoolId, Username }))
  }
})

describe('AdminUserGlobalSignOut of FakeCognito', () => {
  it.each(['sub', 'email'] as const)('knows the user by %s', async (key) => {
    const { person, tokens } = await harness().begin()
    const { cognito, sdk, getUser } = harness()
    await sdk.send(
      new AdminUserGlobalSignOutCommand({ UserPoolId: cognito.userPoolId, Username: person[key] }),
    )
    await expect(getUser(tokens.AccessToken)).rejects.toMatchObject(accessTokenRevoked)
  })

  it('tells that a user or a pool does not exist', async () => {
    const { cognito, sdk } = harness()
    await expect(
      sdk.send(new AdminUserGlobalSignOutCommand({ UserPoolId: cognito.userPoolId, Username: 'nobody' })),
    ).rejects.toMatchObject(refusal('UserNotFoundException', 'User does not exist.'))
    await expect(
      sdk.send(new AdminUserGlobalSignOutCommand({ UserPoolId: 'us-east-1_Elsewhere', Username: 'nobody' })),
    ).rejects.toMatchObject(refusal('ResourceNotFoundException'))
  })
})
