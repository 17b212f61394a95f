import { AdminInitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { computeHash, refusal, useHarness } from './harness.js'

const harness = useHarness()

describe('SECRET_HASH at FakeCognito', () => {
  it('agrees with the published vector, over an alias', async () => {
    const { cognito, initiateAuth } = harness()
    const clientId = '1example23456789'
    cognito.createClient({ clientId, clientSecret: 'sekrit-client-secret' })
    cognito.createUser({ username: 'parent', email: 'parent@example.com', password: 'pw' })
    const parameters = { USERNAME: 'parent@example.com', PASSWORD: 'pw' }
    await expect(
      initiateAuth('USER_PASSWORD_AUTH', clientId, {
        ...parameters,
        SECRET_HASH: 'HIXtaYtZOkzfsWGhiBx1+hJu84lE1YVmNrghIRyy49k=',
      }),
    ).resolves.toHaveProperty('AuthenticationResult')
  })

  const flows = ['USER_PASSWORD_AUTH', 'ADMIN_USER_PASSWORD_AUTH'] as const

  it.each(flows)('must be there in %s where the client has a secret', async (flow) => {
    const client = harness().cognito.createClient({ generateSecret: true })
    await expect(send(flow, client.clientId, {})).rejects.toMatchObject(
      refusal(
        'NotAuthorizedException',
        `Client ${client.clientId} is configured with secret but SECRET_HASH was not received`,
      ),
    )
  })

  it.each(flows)('must be right in %s', async (flow) => {
    const client = harness().cognito.createClient({ generateSecret: true })
    await expect(
      send(flow, client.clientId, { SECRET_HASH: computeHash(client, 'another') }),
    ).rejects.toMatchObject(
      refusal('NotAuthorizedException', `Unable to verify secret hash for client ${client.clientId}`),
    )
  })

  it.each(flows)('is refused in %s where the client has no secret', async (flow) => {
    const client = harness().cognito.createClient()
    await expect(
      send(flow, client.clientId, { SECRET_HASH: computeHash(client, 'jane') }),
    ).rejects.toMatchObject(
      refusal('NotAuthorizedException', `Unable to verify secret hash for client ${client.clientId}`),
    )
  })

  it('is over the name that was sent, not over the one it stands for', async () => {
    const { cognito, createPerson, initiateAuth } = harness()
    const client = cognito.createClient({ generateSecret: true })
    const { username, email, password } = createPerson()
    const parameters = { USERNAME: email, PASSWORD: password }
    await expect(
      initiateAuth('USER_PASSWORD_AUTH', client.clientId, {
        ...parameters,
        SECRET_HASH: computeHash(client, username),
      }),
    ).rejects.toMatchObject(refusal('NotAuthorizedException'))
  })

  function send(flow: string, clientId: string, more: Record<string, string>) {
    const { username, password } = harness().createPerson()
    const parameters = { USERNAME: username, PASSWORD: password, ...more }
    return flow.startsWith('ADMIN')
      ? harness().adminInitiateAuth(flow, clientId, parameters)
      : harness().initiateAuth(flow, clientId, parameters)
  }
})

describe('a sign-in that FakeCognito refuses', () => {
  it.each([
    [
      'a wrong password',
      { PASSWORD: 'wrong' },
      {},
      'NotAuthorizedException',
      'Incorrect username or password.',
    ],
    ['an unknown user', { USERNAME: 'nobody' }, {}, 'UserNotFoundException', 'User does not exist.'],
    ['a disabled user', {}, { enabled: false }, 'NotAuthorizedException', 'User is disabled.'],
    [
      'an unconfirmed user',
      {},
      { status: 'UNCONFIRMED' },
      'UserNotConfirmedException',
      'User is not confirmed.',
    ],
    [
      'a user whose password was reset',
      {},
      { status: 'RESET_REQUIRED' },
      'PasswordResetRequiredException',
      'Password reset required for the user',
    ],
  ] as const)('is that of %s', async (_, parameters, update, name, message) => {
    const { cognito, createPerson, initiateAuth } = harness()
    const { clientId } = cognito.createClient()
    const { username, password } = createPerson(update)
    await expect(
      initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME: username, PASSWORD: password, ...parameters }),
    ).rejects.toMatchObject(refusal(name, message))
  })

  it('does not tell that a user is unknown where the client hides it', async () => {
    const { cognito, initiateAuth } = harness()
    const { clientId } = cognito.createClient({ preventUserExistenceErrors: 'ENABLED' })
    await expect(
      initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME: 'nobody', PASSWORD: 'pw' }),
    ).rejects.toMatchObject(refusal('NotAuthorizedException', 'Incorrect username or password.'))
  })

  it('does not tell the status of a user to someone without the password', async () => {
    const { cognito, createPerson, initiateAuth } = harness()
    const { clientId } = cognito.createClient()
    const { username } = createPerson({ enabled: false, status: 'UNCONFIRMED' })
    await expect(
      initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME: username, PASSWORD: 'wrong' }),
    ).rejects.toMatchObject(refusal('NotAuthorizedException', 'Incorrect username or password.'))
  })

  it.each(['USERNAME', 'PASSWORD'])('is one without %s, and echoes nothing', async (name) => {
    const { cognito, initiateAuth } = harness()
    const { clientId } = cognito.createClient()
    const parameters = { USERNAME: 'jane', PASSWORD: 'sekrit', [name]: '' }
    await expect(initiateAuth('USER_PASSWORD_AUTH', clientId, parameters)).rejects.toMatchObject(
      refusal('InvalidParameterException', `Missing required parameter ${name}`),
    )
  })

  it('is one by a flow that the client does not have', async () => {
    const { cognito, initiateAuth } = harness()
    const { clientId } = cognito.createClient({ explicitAuthFlows: ['ALLOW_ADMIN_USER_PASSWORD_AUTH'] })
    await expect(
      initiateAuth('USER_PASSWORD_AUTH', clientId, { USERNAME: 'jane', PASSWORD: 'pw' }),
    ).rejects.toMatchObject(
      refusal('InvalidParameterException', 'USER_PASSWORD_AUTH flow not enabled for this client'),
    )
  })

  it.each(['ADMIN_USER_PASSWORD_AUTH', 'ADMIN_NO_SRP_AUTH', 'NO_SUCH_FLOW'])(
    'is one by %s without an administrator',
    async (flow) => {
      const { cognito, initiateAuth } = harness()
      const { clientId } = cognito.createClient()
      await expect(initiateAuth(flow, clientId, { USERNAME: 'jane', PASSWORD: 'pw' })).rejects.toMatchObject(
        refusal('InvalidParameterException'),
      )
    },
  )

  it('is one of a client or pool that is not there', async () => {
    const { cognito, initiateAuth, sdk } = harness()
    const parameters = { USERNAME: 'jane', PASSWORD: 'pw' }
    await expect(initiateAuth('USER_PASSWORD_AUTH', 'nosuchclient', parameters)).rejects.toMatchObject(
      refusal('ResourceNotFoundException', 'User pool client nosuchclient does not exist.'),
    )
    const command = new AdminInitiateAuthCommand({
      UserPoolId: 'us-east-1_Elsewhere',
      ClientId: cognito.createClient().clientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: parameters,
    })
    await expect(sdk.send(command)).rejects.toMatchObject(
      refusal('ResourceNotFoundException', 'User pool us-east-1_Elsewhere does not exist.'),
    )
  })
})
