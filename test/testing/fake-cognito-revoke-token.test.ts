import { RevokeTokenCommand } from '@aws-sdk/client-cognito-identity-provider'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { FakeCognito } from '../../src/testing/index.js'
import { Harness, refusal, useHarness } from './harness.js'

const harness = useHarness()
const accessTokenRevoked = refusal('NotAuthorizedException', 'Access Token has been revoked')

describe('RevokeToken of FakeCognito', () => {
  it('ends the session: every access token of it is refused', async () => {
    const { client, tokens } = await harness().begin()
    const refreshed = await harness().refresh(client, tokens.RefreshToken)
    await expect(harness().getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
    await harness().revoke(client, tokens.RefreshToken)
    await expect(harness().getUser(tokens.AccessToken)).rejects.toMatchObject(accessTokenRevoked)
    await expect(harness().getUser(refreshed.AccessToken)).rejects.toMatchObject(accessTokenRevoked)
  })

  it('takes RevokeAssociatedSessions, and only what Cognito has for it', async () => {
    const { client, tokens } = await harness().begin()
    const revoke = (value: string) =>
      harness().sdk.send(
        new RevokeTokenCommand({
          ...{ ClientId: client.clientId, Token: tokens.RefreshToken },
          RevokeAssociatedSessions: value as 'LINKED',
        }),
      )
    await expect(revoke('ALL')).rejects.toMatchObject(refusal('InvalidParameterException'))
    await expect(revoke('LINKED')).resolves.toBeDefined()
  })

  it('ends no other session of the same user', async () => {
    const { client, person, tokens } = await harness().begin()
    const other = await harness().signIn(client, person)
    await harness().revoke(client, tokens.RefreshToken)
    await expect(harness().getUser(other.AccessToken)).resolves.toHaveProperty('Username', person.username)
    await expect(harness().refresh(client, other.RefreshToken)).resolves.toHaveProperty('AccessToken')
  })

  it('leaves tokens valid to a JWT library, as Cognito does', async () => {
    const { client, tokens } = await harness().begin()
    await harness().revoke(client, tokens.RefreshToken)
    const keys = createRemoteJWKSet(new URL(harness().cognito.jwksUri))
    await expect(jwtVerify(tokens.AccessToken, keys)).resolves.toBeDefined()
  })

  it('succeeds on a token that is revoked already', async () => {
    const { client, tokens } = await harness().begin()
    await harness().revoke(client, tokens.RefreshToken)
    const { $metadata } = await harness().revoke(client, tokens.RefreshToken)
    expect($metadata.httpStatusCode).toBe(200)
  })

  it('takes the raw secret of a client that has one', async () => {
    const { client, tokens } = await harness().begin({ generateSecret: true })
    await harness().revoke(client, tokens.RefreshToken)
    await expect(harness().getUser(tokens.AccessToken)).rejects.toMatchObject(accessTokenRevoked)
  })

  it.each(['AccessToken', 'IdToken'] as const)('refuses an %s as the wrong type', async (use) => {
    const { client, tokens } = await harness().begin()
    await expect(harness().revoke(client, tokens[use])).rejects.toMatchObject(
      refusal('UnsupportedTokenTypeException'),
    )
    await expect(harness().getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
  })

  it('is refused where token revocation is off', async () => {
    const { client, tokens } = await harness().begin({ enableTokenRevocation: false })
    await expect(harness().revoke(client, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('UnsupportedOperationException'),
    )
    await expect(harness().refresh(client, tokens.RefreshToken)).resolves.toHaveProperty('AccessToken')
  })

  it.each([
    ['no secret', {}],
    ['a wrong secret', { clientSecret: 'wrong' }],
  ])('refuses %s where the client has one', async (_, sent) => {
    const { client, tokens } = await harness().begin({ generateSecret: true })
    await expect(
      harness().revoke({ clientId: client.clientId, ...sent }, tokens.RefreshToken),
    ).rejects.toMatchObject(refusal('UnauthorizedException'))
    await expect(harness().getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
  })

  it('refuses a secret where the client has none', async () => {
    const { client, tokens } = await harness().begin()
    await expect(
      harness().revoke({ ...client, clientSecret: 'superfluous' }, tokens.RefreshToken),
    ).rejects.toMatchObject(refusal('UnauthorizedException'))
  })

  it('refuses the token of another client, and leaves its session alone', async () => {
    const { tokens } = await harness().begin()
    const other = harness().cognito.createClient()
    await expect(harness().revoke(other, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('UnauthorizedException'),
    )
    await expect(harness().getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
  })

  it('refuses the token of another pool', async () => {
    const elsewhere = new Harness(await FakeCognito.start())
    try {
      const { client, tokens } = await elsewhere.begin()
      harness().cognito.createClient(client)
      await expect(harness().revoke(client, tokens.RefreshToken)).rejects.toMatchObject(
        refusal('UnauthorizedException'),
      )
    } finally {
      await elsewhere.cognito.close()
    }
  })

  it('refuses a client that is not there, with an exception that the operation has', async () => {
    const { tokens } = await harness().begin()
    await expect(harness().revoke({ clientId: 'nosuchclient' }, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('UnauthorizedException'),
    )
  })

  it('refuses garbage', async () => {
    const { client } = await harness().begin()
    await expect(harness().revoke(client, 'garbage')).rejects.toMatchObject(
      refusal('InvalidParameterException', 'Invalid Refresh Token.'),
    )
  })
})
