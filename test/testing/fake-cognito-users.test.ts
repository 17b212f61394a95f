import { AdminGetUserCommand } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { refusal, useHarness } from './harness.js'

const harness = useHarness()

describe('AdminGetUser of FakeCognito', () => {
  it.each(['username', 'sub', 'email'] as const)('finds a user by %s', async (key) => {
    const person = harness().createPerson()
    await expect(getUser(person[key])).resolves.toMatchObject({
      Username: person.username,
      UserAttributes: [
        { Name: 'sub', Value: person.sub },
        { Name: 'email', Value: person.email },
        { Name: 'email_verified', Value: 'true' },
      ],
      Enabled: true,
      UserStatus: 'CONFIRMED',
      UserCreateDate: expect.any(Date),
    })
  })

  it('tells that a user does not exist', async () => {
    await expect(getUser('nobody')).rejects.toMatchObject(
      refusal('UserNotFoundException', 'User does not exist.'),
    )
  })

  function getUser(Username: string) {
    const { cognito, sdk } = harness()
    return sdk.send(new AdminGetUserCommand({ UserPoolId: cognito.userPoolId, Username }))
  }
})
