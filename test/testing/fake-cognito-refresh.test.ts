import { describe, expect, it } from 'vitest'
import { FakeCognito } from '../../src/testing/index.js'
import { claimsOf, computeHash, Harness, type Person, refusal, respell, useHarness } from './harness.js'

const harness = useHarness()
const thirtyDays = 30 * 24 * 3600

describe.each(['REFRESH_TOKEN_AUTH', 'GetTokensFromRefreshToken'] as const)('%s of FakeCognito', (way) => {
  it('gives new tokens of the same session', async () => {
    const { client, person, tokens } = await harness().begin()
    harness().cognito.clock.advance(100)
    const refreshed = await refresh(client, tokens.RefreshToken, person)
    for (const use of ['AccessToken', 'IdToken'] as const) {
      const [before, after] = [claimsOf(tokens[use]), claimsOf(refreshed[use])]
      expect(after).toMatchObject({
        sub: person.sub,
        origin_jti: before.origin_jti,
        auth_time: before.auth_time,
        iat: expect.toSatisfy((iat: number) => iat >= (before.iat ?? 0) + 100),
      })
      expect(after.jti).not.toBe(before.jti)
      expect(after.exp).toBe((after.iat ?? 0) + 3600)
    }
  })

  it('gives no new refresh token without rotation', async () => {
    const { client, person, tokens } = await harness().begin()
    await expect(refresh(client, tokens.RefreshToken, person)).resolves.not.toHaveProperty('RefreshToken')
  })

  it('works with the secret of a client that has one', async () => {
    const { client, person, tokens } = await harness().begin({ generateSecret: true })
    await expect(refresh(client, tokens.RefreshToken, person)).resolves.toHaveProperty('AccessToken')
  })

  it('refuses a client without its secret', async () => {
    const { client, person, tokens } = await harness().begin({ generateSecret: true })
    await expect(refresh({ clientId: client.clientId }, tokens.RefreshToken, person)).rejects.toMatchObject(
      refusal(
        'NotAuthorizedException',
        new RegExp(`^Client ${client.clientId} is configured with secret but`),
      ),
    )
  })

  it('refuses a wrong secret', async () => {
    const { client, person, tokens } = await harness().begin({ generateSecret: true })
    await expect(
      refresh({ ...client, clientSecret: 'wrong' }, tokens.RefreshToken, person),
    ).rejects.toMatchObject(refusal('NotAuthorizedException', /^Unable to verify secret/))
  })

  it('refuses a secret for a client that has none', async () => {
    const { client, person, tokens } = await harness().begin()
    await expect(
      refresh({ ...client, clientSecret: 'superfluous' }, tokens.RefreshToken, person),
    ).rejects.toMatchObject(refusal('NotAuthorizedException', /^Unable to verify secret/))
  })

  it('refuses a revoked token', async () => {
    const { client, person, tokens } = await harness().begin()
    await harness().revoke(client, tokens.RefreshToken)
    await expect(refresh(client, tokens.RefreshToken, person)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Refresh Token has been revoked'),
    )
  })

  it('refuses an expired token, and not a moment before', async () => {
    const { client, person, tokens } = await harness().begin()
    harness().cognito.clock.advance(thirtyDays - 60)
    await expect(refresh(client, tokens.RefreshToken, person)).resolves.toHaveProperty('AccessToken')
    harness().cognito.clock.advance(60)
    await expect(refresh(client, tokens.RefreshToken, person)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Refresh Token has expired'),
    )
  })

  it('refuses the token of another client', async () => {
    const { person, tokens } = await harness().begin()
    const other = harness().cognito.createClient()
    await expect(refresh(other, tokens.RefreshToken, person)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid Refresh Token.'),
    )
  })

  it('refuses the token of another pool', async () => {
    const elsewhere = new Harness(await FakeCognito.start())
    try {
      const { client, tokens, person } = await elsewhere.begin({ clientId: `shared${way}` })
      harness().cognito.createClient({ clientId: client.clientId })
      await expect(refresh(client, tokens.RefreshToken, person)).rejects.toMatchObject(
        refusal('NotAuthorizedException', 'Invalid Refresh Token.'),
      )
    } finally {
      await elsewhere.cognito.close()
    }
  })

  it.each(['garbage', 'a.b.c', 'a.b.c.d.e'])('refuses %s', async (token) => {
    const { client, person } = await harness().begin()
    await expect(refresh(client, token, person)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid Refresh Token.'),
    )
  })

  it('refuses any other spelling of a token', async () => {
    const { client, person, tokens } = await harness().begin()
    const respelled = respell(tokens.RefreshToken)
    const [before, after] = [tokens.RefreshToken, respelled].map((token) => token.split('.')[4] ?? '')
    expect(Buffer.from(after ?? '', 'base64url')).toEqual(Buffer.from(before ?? '', 'base64url'))
    await expect(refresh(client, respelled, person)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid Refresh Token.'),
    )
  })

  it('refuses a user who was disabled', async () => {
    const { client, person, tokens } = await harness().begin()
    harness().cognito.updateUser(person.username, { enabled: false })
    await expect(refresh(client, tokens.RefreshToken, person)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'User is disabled.'),
    )
  })

  it('refuses a client that is not there', async () => {
    const { person, tokens } = await harness().begin()
    await expect(refresh({ clientId: 'nosuchclient' }, tokens.RefreshToken, person)).rejects.toMatchObject(
      refusal('ResourceNotFoundException', 'User pool client nosuchclient does not exist.'),
    )
  })

  it('refuses a request without a token', async () => {
    const { client, person } = await harness().begin()
    await expect(refresh(client, '', person)).rejects.toMatchObject(refusal('InvalidParameterException'))
  })

  function refresh(client: { clientId: string; clientSecret?: string }, token: string, person: Person) {
    return way === 'REFRESH_TOKEN_AUTH'
      ? harness().refreshByFlow(client, token, person.username)
      : harness().refresh(client, token)
  }
})

describe('REFRESH_TOKEN_AUTH of FakeCognito', () => {
  it.each(['email', 'sub'] as const)('refuses a SECRET_HASH over the %s', async (key) => {
    const { client, person, tokens } = await harness().begin({ generateSecret: true })
    await expect(harness().refreshByFlow(client, tokens.RefreshToken, person[key])).rejects.toMatchObject(
      refusal('NotAuthorizedException', `Unable to verify secret hash for client ${client.clientId}`),
    )
  })

  it('takes a SECRET_HASH over the sub where that is the username', async () => {
    const { cognito, signIn, refreshByFlow } = harness()
    const client = cognito.createClient({ generateSecret: true })
    const sub = '5d3a4a43-57f3-4e2d-9c0e-0f0d6a3d0a11'
    const person = { username: sub, sub, email: 'sub@example.com', password: 'pw' }
    cognito.createUser(person)
    const tokens = await signIn(client, person)
    await expect(refreshByFlow(client, tokens.RefreshToken, sub)).resolves.toHaveProperty('AccessToken')
  })

  it('goes by its short name too, and for administrators', async () => {
    const { client, tokens } = await harness().begin()
    const parameters = { REFRESH_TOKEN: tokens.RefreshToken }
    for (const flow of ['REFRESH_TOKEN', 'REFRESH_TOKEN_AUTH']) {
      const byUser = await harness().initiateAuth(flow, client.clientId, parameters)
      const byAdmin = await harness().adminInitiateAuth(flow, client.clientId, parameters)
      expect(claimsOf(byUser.AuthenticationResult?.AccessToken).origin_jti).toBe(
        claimsOf(byAdmin.AuthenticationResult?.AccessToken).origin_jti,
      )
    }
  })

  it('is refused where the client does not have it', async () => {
    const { client, person, tokens } = await harness().begin({
      explicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
    })
    await expect(harness().refreshByFlow(client, tokens.RefreshToken, person.username)).rejects.toMatchObject(
      refusal('InvalidParameterException', 'REFRESH_TOKEN_AUTH flow not enabled for this client'),
    )
  })

  it('is refused without a token', async () => {
    const { client } = await harness().begin({ generateSecret: true })
    const parameters = { SECRET_HASH: computeHash(client, 'jane') }
    await expect(
      harness().initiateAuth('REFRESH_TOKEN_AUTH', client.clientId, parameters),
    ).rejects.toMatchObject(refusal('InvalidParameterException', 'Missing required parameter REFRESH_TOKEN'))
  })
})
