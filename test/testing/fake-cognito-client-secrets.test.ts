import {
  AddUserPoolClientSecretCommand,
  DeleteUserPoolClientSecretCommand,
  DescribeUserPoolClientCommand,
  ListUserPoolClientSecretsCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { refusal, useHarness } from './harness.js'

const harness = useHarness()

const keysOf = (ClientId: string) => ({ UserPoolId: harness().cognito.userPoolId, ClientId })
const add = (clientId: string, ClientSecret?: string) =>
  harness().sdk.send(
    new AddUserPoolClientSecretCommand({ ...keysOf(clientId), ...(ClientSecret && { ClientSecret }) }),
  )
const list = async (clientId: string) =>
  (await harness().sdk.send(new ListUserPoolClientSecretsCommand(keysOf(clientId)))).ClientSecrets ?? []
const remove = (clientId: string, ClientSecretId = '') =>
  harness().sdk.send(new DeleteUserPoolClientSecretCommand({ ...keysOf(clientId), ClientSecretId }))

describe('FakeCognito, of the secrets of an app client,', () => {
  it('tells the value of one that it made up, once', async () => {
    const { clientId } = harness().cognito.createClient({ generateSecret: true })
    const { ClientSecretDescriptor: added } = await add(clientId)
    expect(added).toEqual({
      ClientSecretId: expect.stringMatching(new RegExp(`^${clientId}--\\d{13}$`)),
      ClientSecretValue: expect.stringMatching(/^[a-z0-9]{51}$/),
      ClientSecretCreateDate: expect.any(Date),
    })
    const listed = await list(clientId)
    expect(listed).toHaveLength(2)
    for (const each of listed) {
      expect(Object.keys(each).sort()).toEqual(['ClientSecretCreateDate', 'ClientSecretId'])
    }
  })

  it('does not tell the value of one that it was given', async () => {
    const { clientId } = harness().cognito.createClient({ generateSecret: true })
    const { ClientSecretDescriptor: added } = await add(clientId, 'x'.repeat(24))
    expect(added).not.toHaveProperty('ClientSecretValue')
  })

  it('takes either for a sign-in, and for a refresh', async () => {
    const { cognito, signIn, refresh, createPerson } = harness()
    const { clientId } = cognito.createClient({ clientSecret: ['first', 'second'] })
    for (const clientSecret of ['first', 'second']) {
      const tokens = await signIn({ clientId, clientSecret }, createPerson())
      await expect(refresh({ clientId, clientSecret }, tokens.RefreshToken)).resolves.toBeDefined()
    }
  })

  it('gives each an id of its own', async () => {
    const { clientId } = harness().cognito.createClient({ clientSecret: ['first', 'second'] })
    expect(new Set((await list(clientId)).map(({ ClientSecretId }) => ClientSecretId)).size).toBe(2)
  })

  it.each([
    ['x'.repeat(23), 'InvalidParameterException'],
    ['x'.repeat(65), 'InvalidParameterException'],
    [`${'x'.repeat(30)}!`, 'InvalidParameterException'],
  ])('refuses %s', async (secret, exception) => {
    const { clientId } = harness().cognito.createClient({ generateSecret: true })
    await expect(add(clientId, secret)).rejects.toMatchObject(refusal(exception))
  })

  it('refuses a third, and to delete the last', async () => {
    const { clientId } = harness().cognito.createClient({ clientSecret: ['first', 'second'] })
    await expect(add(clientId)).rejects.toMatchObject(refusal('LimitExceededException'))
    const [one, other] = await list(clientId)
    await remove(clientId, one?.ClientSecretId)
    await expect(remove(clientId, one?.ClientSecretId)).rejects.toMatchObject(
      refusal('ResourceNotFoundException'),
    )
    await expect(remove(clientId, other?.ClientSecretId)).rejects.toMatchObject(
      refusal('InvalidParameterException'),
    )
    expect(await list(clientId)).toEqual([other])
  })

  it('gives a public app client none', async () => {
    const { clientId } = harness().cognito.createClient()
    await expect(add(clientId)).rejects.toMatchObject(refusal('InvalidParameterException'))
  })

  it('knows none of an app client that is not there', async () => {
    await expect(add('nosuchclient')).rejects.toMatchObject(refusal('ResourceNotFoundException'))
  })

  it('keeps both while its other settings change', async () => {
    const { cognito, sdk } = harness()
    const { clientId } = cognito.createClient({ clientSecret: ['first', 'second'] })
    const before = await list(clientId)
    cognito.updateClient(clientId, { accessTokenValiditySeconds: 300 })
    expect(await list(clientId)).toEqual(before)
    const { UserPoolClient } = await sdk.send(new DescribeUserPoolClientCommand(keysOf(clientId)))
    expect(UserPoolClient?.ClientSecret).toBe('first')
  })

  it.each([[['a', '']], [['a', 'b', 'c']]])('is not made with %j', (clientSecret) => {
    expect(() => harness().cognito.createClient({ clientSecret } as never)).toThrow(/clientSecret/)
  })
})
