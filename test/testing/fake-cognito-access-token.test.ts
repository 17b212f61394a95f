import { GlobalSignOutCommand } from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { FakeCognito } from '../../src/testing/index.js'
import { Harness, refusal, respell, useHarness } from './harness.js'

const harness = useHarness()
const accessTokenRevoked = refusal('NotAuthorizedException', 'Access Token has been revoked')

describe.each(['GetUser', 'GlobalSignOut'] as const)('an access token at %s of FakeCognito', (operation) => {
  it('is refused once revoked', async () => {
    const { client, tokens } = await harness().begin()
    await harness().revoke(client, tokens.RefreshToken)
    await expect(call(tokens.AccessToken)).rejects.toMatchObject(accessTokenRevoked)
  })

  it('is refused once expired, and not a moment before', async () => {
    const { tokens } = await harness().begin()
    harness().cognito.clock.advance(3590)
    await expect(harness().getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
    harness().cognito.clock.advance(10)
    await expect(call(tokens.AccessToken)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Access Token has expired'),
    )
  })

  it('is refused once its key has left the JWKS', async () => {
    const own = new Harness(await FakeCognito.start())
    try {
      const { tokens } = await own.begin()
      await own.cognito.rotateKeys()
      await expect(own.getUser(tokens.AccessToken)).rejects.toMatchObject(
        refusal('NotAuthorizedException', 'Invalid Access Token'),
      )
    } finally {
      await own.cognito.close()
    }
  })

  it.each(['garbage', 'a.b.c', 'e30.e30.e30'])('is refused as %s', async (token) => {
    await expect(call(token)).rejects.toMatchObject(refusal('NotAuthorizedException', 'Invalid Access Token'))
  })

  it('is refused where it is an ID token', async () => {
    const { tokens } = await harness().begin()
    await expect(call(tokens.IdToken)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid Access Token'),
    )
  })

  it('is refused with any byte of its payload changed', async () => {
    const { tokens } = await harness().begin()
    const [header, payload = '', signature] = tokens.AccessToken.split('.')
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'somebody' }
    const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
    await expect(call(forged)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid Access Token'),
    )
  })

  it('is refused in any other spelling of its signature', async () => {
    const { tokens } = await harness().begin()
    const respelled = respell(tokens.AccessToken)
    expect(Buffer.from(signatureOf(respelled), 'base64url')).toEqual(
      Buffer.from(signatureOf(tokens.AccessToken), 'base64url'),
    )
    await expect(call(respelled)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Invalid Access Token'),
    )
  })

  it('is refused from another issuer', async () => {
    const { sub } = harness().createPerson()
    const token = harness().cognito.minter.accessToken({ sub, iss: 'https://example.com' })
    await expect(call(token)).rejects.toMatchObject(refusal('NotAuthorizedException', 'Invalid Access Token'))
  })

  it('is refused without the scope for it', async () => {
    const { sub } = harness().createPerson()
    const token = harness().cognito.minter.accessToken({ sub, scope: 'openid' })
    await expect(call(token)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Access Token does not have required scopes'),
    )
  })

  it('is refused for a user who is disabled, or is not there', async () => {
    const { sub } = harness().createPerson({ enabled: false })
    const { minter } = harness().cognito
    await expect(call(minter.accessToken({ sub }))).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'User is disabled.'),
    )
    await expect(call(minter.accessToken())).rejects.toMatchObject(refusal('UserNotFoundException'))
  })

  function call(AccessToken: string): Promise<unknown> {
    if (operation === 'GetUser') return harness().getUser(AccessToken)
    return harness().sdk.send(new GlobalSignOutCommand({ AccessToken }))
  }
})

describe('GetUser of FakeCognito', () => {
  it('gives the attributes of the user who owns the token', async () => {
    const { person, tokens } = await harness().begin()
    await expect(harness().getUser(tokens.AccessToken)).resolves.toMatchObject({
      Username: person.username,
      UserAttributes: expect.arrayContaining([{ Name: 'sub', Value: person.sub }]),
    })
  })
})

function signatureOf(token: string): string {
  return token.split('.')[2] ?? ''
}
