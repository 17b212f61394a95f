import { describe, expect, it } from 'vitest'
import { useHarness } from './harness.js'

const harness = useHarness()

describe('the wire format of FakeCognito', () => {
  it('writes a refusal as Cognito does', async () => {
    const response = await post('InitiateAuth', {
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: 'nosuchclient',
      AuthParameters: {},
    })
    expect(response.status).toBe(400)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-errortype': 'ResourceNotFoundException:',
      'x-amzn-errormessage': 'User pool client nosuchclient does not exist.',
      'x-amzn-requestid': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    await expect(response.json()).resolves.toEqual({
      __type: 'ResourceNotFoundException',
      message: 'User pool client nosuchclient does not exist.',
    })
  })

  it('writes an answer as Cognito does', async () => {
    const { client, tokens } = await harness().begin()
    const response = await post('RevokeToken', { Token: tokens.RefreshToken, ClientId: client.clientId })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1')
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
    await expect(response.text()).resolves.toBe('{}')
  })

  it.each([
    ['NotAuthorizedException', 400],
    ['TooManyRequestsException', 400],
    ['InternalErrorException', 500],
  ])('answers %s with %i', async (exception, status) => {
    harness().cognito.failNext('GetUser', exception)
    const response = await post('GetUser', {})
    expect(response.status).toBe(status)
    expect(response.headers.get('x-amzn-errortype')).toBe(`${exception}:`)
  })

  it('puts no line break of a message into a header', async () => {
    const response = await post('InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId: 'a\r\nb: ü' })
    expect(response.headers.get('x-amzn-errormessage')).toBe('User pool client a??b: ? does not exist.')
  })

  it.each([
    ['an operation it does not play', { 'x-amz-target': 'AWSCognitoIdentityProviderService.NoSuchThing' }],
    ['an operation named like a part of every object', { 'x-amz-target': target('constructor') }],
    ['the target of another service', { 'x-amz-target': 'DynamoDB_20120810.GetUser' }],
    ['another content type', { 'content-type': 'application/json' }],
  ])('refuses %s', async (_, headers) => {
    const response = await post('GetUser', {}, headers)
    expect(response.status).toBe(400)
    await expect(response.json()).resolves.toHaveProperty('__type', 'UnknownOperationException')
  })

  it.each(['', 'no json', '[]', 'null', '"text"'])('refuses the body %j', async (body) => {
    const response = await post('GetUser', body)
    expect(response.status).toBe(400)
    await expect(response.json()).resolves.toHaveProperty('__type', 'SerializationException')
  })

  it.each([
    ['RevokeToken', { ClientId: 'x' }, 'token'],
    ['RevokeToken', { Token: 'x' }, 'clientId'],
    ['GetTokensFromRefreshToken', { ClientId: 'x' }, 'refreshToken'],
    ['GetUser', { AccessToken: null }, 'accessToken'],
    ['GlobalSignOut', {}, 'accessToken'],
    ['InitiateAuth', { ClientId: 'x' }, 'authFlow'],
    ['InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH' }, 'clientId'],
  ])('refuses %s with %j by the name of what is missing', async (operation, parameters, name) => {
    const response = await post(operation, parameters)
    await expect(response.json()).resolves.toEqual({
      __type: 'InvalidParameterException',
      message: `1 validation error detected: Value at '${name}' failed to satisfy constraint: Member must not be null`,
    })
  })

  it.each([
    ['RevokeToken', { Token: 4711, ClientId: 'x' }],
    ['RevokeToken', { Token: ['4711'], ClientId: 'x' }],
    ['InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId: 'x', AuthParameters: { PASSWORD: 4711 } }],
    ['InitiateAuth', { AuthFlow: 'USER_PASSWORD_AUTH', ClientId: 'x', AuthParameters: '4711' }],
  ])('refuses %s with %j as mistyped, and does not echo it', async (operation, parameters) => {
    const { clientId } = harness().cognito.createClient()
    const response = await post(operation, { ...parameters, ClientId: clientId })
    const body = await response.text()
    expect(JSON.parse(body)).toHaveProperty('__type', 'SerializationException')
    expect(body).not.toContain('4711')
  })

  it.each(['AdminInitiateAuth', 'AdminGetUser', 'AdminUserGlobalSignOut'])(
    'refuses %s without AWS credentials',
    async (operation) => {
      const response = await post(operation, { UserPoolId: harness().cognito.userPoolId })
      await expect(response.json()).resolves.toHaveProperty('__type', 'MissingAuthenticationTokenException')
    },
  )

  it('takes requests without AWS credentials for everything else', async () => {
    const { client, tokens } = await harness().begin()
    const parameters = { RefreshToken: tokens.RefreshToken, ClientId: client.clientId }
    expect((await post('GetTokensFromRefreshToken', parameters)).status).toBe(200)
    expect((await post('GetUser', { AccessToken: tokens.AccessToken })).status).toBe(200)
    expect((await post('GlobalSignOut', { AccessToken: tokens.AccessToken })).status).toBe(200)
  })
})

describe('the documents of FakeCognito', () => {
  it('has its public keys at the place that its configuration names', async () => {
    const { cognito } = harness()
    const response = await fetch(`${cognito.issuer}/.well-known/openid-configuration`)
    const configuration = (await response.json()) as Record<string, string>
    expect(configuration).toMatchObject({ issuer: cognito.issuer, jwks_uri: cognito.jwksUri })
    const jwks = await fetch(configuration.jwks_uri ?? '')
    expect(jwks.headers.get('content-type')).toBe('application/json')
    await expect(jwks.json()).resolves.toEqual(cognito.minter.jwks)
  })

  it('has its issuer under the address it listens on', () => {
    const { cognito } = harness()
    expect(cognito.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(cognito.issuer).toBe(`${cognito.url}/us-east-1_FakePool1`)
  })

  it('has nothing at other paths', async () => {
    const { url } = harness().cognito
    for (const path of ['/us-east-1_Elsewhere/.well-known/jwks.json', '/us-east-1_FakePool1/', '/']) {
      const response = await fetch(url + path)
      expect(response.ok).toBe(false)
    }
  })
})

function target(operation: string): string {
  return `AWSCognitoIdentityProviderService.${operation}`
}

function post(operation: string, body: object | string, headers: Record<string, string> = {}) {
  return fetch(harness().cognito.url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target(operation), ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}
