import { createHash, randomUUID } from 'node:crypto'
import {
  DescribeUserPoolClientCommand,
  UpdateUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { describe, expect, it } from 'vitest'
import { FakeCognito, type OAuthClientSettings } from '../../src/testing/index.js'
import { type AppClientKeys, claimsOf, type Person, useHarness } from './harness.js'

const harness = useHarness()
const CALLBACK = 'https://app.example.com/callback'
const BYE = 'https://app.example.com/bye'
const WEB: OAuthClientSettings = {
  flows: ['code'],
  scopes: ['openid', 'email', 'aws.cognito.signin.user.admin'],
  callbackUrls: [CALLBACK, 'https://app.example.com/other'],
  logoutUrls: [BYE],
}
const MACHINE: OAuthClientSettings = {
  flows: ['client_credentials'],
  scopes: ['orders/read', 'orders/write'],
}
const VERIFIER = 'v'.repeat(43)
const PKCE = {
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
}

type Parameters = Readonly<Record<string, string>>

/** GET, without following redirects. */
async function get(path: string, parameters: Parameters, headers: Record<string, string> = {}) {
  const url = `${harness().cognito.domain}${path}?${new URLSearchParams(parameters)}`
  const answer = await fetch(url, { redirect: 'manual', headers })
  const location = answer.headers.get('location')
  const query = location === null ? {} : Object.fromEntries(new URL(location).searchParams)
  return { status: answer.status, location, query, cookie: answer.headers.get('set-cookie'), answer }
}

/** POST of a form, with a client's secret as Basic if it has one. */
async function post(
  path: string,
  client: AppClientKeys,
  form: Parameters,
  headers: Record<string, string> = {},
) {
  const { clientId, clientSecret } = client
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const answer = await fetch(`${harness().cognito.domain}${path}`, {
    method: 'POST',
    body: new URLSearchParams({ ...(clientSecret ? {} : { client_id: clientId }), ...form }),
    headers: { ...(clientSecret ? { authorization: `Basic ${basic}` } : {}), ...headers },
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
}

function authorizeAs(client: AppClientKeys, person: Person | undefined, more: Parameters = {}) {
  return get('/oauth2/authorize', {
    ...{ response_type: 'code', client_id: client.clientId, redirect_uri: CALLBACK, state: 'the state' },
    ...(person && { login_hint: person.username }),
    ...more,
  })
}

async function redeem(client: AppClientKeys, code: string | undefined, more: Parameters = {}) {
  const form = { grant_type: 'authorization_code', code: code ?? '', redirect_uri: CALLBACK, ...more }
  return post('/oauth2/token', client, form)
}

/** A client, a person, and what his sign-in by the browser gave. */
async function begin(settings: object = {}) {
  const { cognito, createPerson } = harness()
  const client = cognito.createClient({ oauth: WEB, ...settings })
  const person = createPerson()
  const { query, cookie } = await authorizeAs(client, person, { ...PKCE, nonce: 'the nonce' })
  const { body } = await redeem(client, query.code, { code_verifier: VERIFIER })
  return { client, person, tokens: body, cookie: cookie?.split(';')[0] ?? '' }
}

describe('GET /oauth2/authorize', () => {
  it('sends the browser back with a code and the state, and gives it a cookie for an hour', async () => {
    const { cognito, createPerson } = harness()
    const client = cognito.createClient({ oauth: WEB })
    const { status, location, query, cookie } = await authorizeAs(client, createPerson())
    expect(status).toBe(302)
    expect(location).toMatch(/^https:\/\/app\.example\.com\/callback\?/)
    expect(query).toEqual({ code: expect.stringMatching(/^[\w-]{36}$/), state: 'the state' })
    expect(cookie).toMatch(/^cognito=[\w-]{43}; Path=\/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax$/)
  })

  it('sends a browser that it does not know to /login', async () => {
    const client = harness().cognito.createClient({ oauth: WEB })
    const { location, cookie } = await authorizeAs(client, undefined)
    expect(new URL(location ?? '').pathname).toBe('/login')
    expect(cookie).toBeNull()
    const { query } = await authorizeAs(client, undefined, { prompt: 'none' })
    expect(query).toMatchObject({ error: 'login_required', state: 'the state' })
  })

  it('knows it by the cookie, for an hour, unless prompt=login', async () => {
    const { client, cookie } = await begin()
    const url = new URLSearchParams({
      ...{ response_type: 'code', client_id: client.clientId, redirect_uri: CALLBACK },
    })
    const asked = (more: Parameters = {}) =>
      get('/oauth2/authorize', { ...Object.fromEntries(url), ...more }, { cookie: `a=b; ${cookie}` })
    expect((await asked()).query).toHaveProperty('code')
    expect((await asked({ prompt: 'login' })).query).not.toHaveProperty('code')
    harness().cognito.clock.advance(3_600)
    expect((await asked()).query).not.toHaveProperty('code')
  })

  it.each<[string, Parameters, string]>([
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['a scope that is not allowed', { scope: 'openid phone' }, 'invalid_scope'],
    ['PKCE by plain', { code_challenge: VERIFIER, code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge without its method', { code_challenge: VERIFIER }, 'invalid_request'],
    ['a user that there is not', { login_hint: 'nobody' }, 'access_denied'],
  ])('tells the app of %s', async (_, parameters, error) => {
    const client = harness().cognito.createClient({ oauth: WEB })
    const { query } = await authorizeAs(client, harness().createPerson(), parameters)
    expect(query).toMatchObject({ error, state: 'the state' })
    expect(query).not.toHaveProperty('code')
  })

  it('tells the app where its client has not the code grant', async () => {
    const client = harness().cognito.createClient({ oauth: { ...WEB, flows: ['implicit'] } })
    const { query } = await authorizeAs(client, harness().createPerson())
    expect(query.error).toBe('unauthorized_client')
  })

  it.each<[string, Parameters]>([
    ['another redirect_uri', { redirect_uri: `${CALLBACK}/` }],
    ['no redirect_uri', { redirect_uri: '' }],
    ['an unknown client', { client_id: 'unknown' }],
  ])('sends nobody anywhere with %s', async (_, parameters) => {
    const client = harness().cognito.createClient({ oauth: WEB })
    expect(await authorizeAs(client, harness().createPerson(), parameters)).toMatchObject({
      status: 400,
      location: null,
    })
  })
})

describe('FakeCognito.authorize', () => {
  it('plays a browser, by the name of a user or by its cookie', async () => {
    const { cognito, createPerson } = harness()
    const client = cognito.createClient({ oauth: WEB })
    const parameters = { response_type: 'code', client_id: client.clientId, redirect_uri: CALLBACK }
    const url = `${cognito.domain}/oauth2/authorize?${new URLSearchParams(parameters)}`
    const first = await cognito.authorize(url, createPerson())
    const second = await cognito.authorize(url, { cookie: first.cookie ?? '' })
    expect(second.callbackUrl).toContain(`${CALLBACK}?code=`)
    expect(second.cookie).toBe(first.cookie)
    await expect(cognito.authorize(url, { cookie: 'cognito=unknown' })).rejects.toThrow('/login')
    await expect(cognito.authorize(`${url}x`, { cookie: '' })).rejects.toThrow('no redirect, but 400')
  })
})

describe('POST /oauth2/token with a code', () => {
  it.each([{}, { generateSecret: true }])('gives tokens of a session of its own: %j', async (settings) => {
    const { person, tokens, client } = await begin(settings)
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3_600 })
    const [access, id] = [claimsOf(tokens.access_token), claimsOf(tokens.id_token)]
    expect(access).toMatchObject({ sub: person.sub, client_id: client.clientId, scope: WEB.scopes.join(' ') })
    expect(id).toMatchObject({ sub: person.sub, aud: client.clientId, nonce: 'the nonce' })
    expect(id.origin_jti).toBe(access.origin_jti)
    await expect(harness().revoke(client, tokens.refresh_token)).resolves.toBeDefined()
  })

  it('gives an ID token only with the scope openid', async () => {
    const { cognito, createPerson } = harness()
    const client = cognito.createClient({ oauth: WEB })
    const { query } = await authorizeAs(client, createPerson(), { scope: 'email' })
    const { body } = await redeem(client, query.code)
    expect(body).not.toHaveProperty('id_token')
    expect(claimsOf(body.access_token).scope).toBe('email')
  })

  it.each<[string, Parameters]>([
    ['no verifier', {}],
    ['another verifier', { code_verifier: 'w'.repeat(43) }],
    [
      'another redirect_uri of the client',
      {
        code_verifier: VERIFIER,
        redirect_uri: 'https://app.example.com/other',
      },
    ],
    ['another code', { code_verifier: VERIFIER, code: randomUUID() }],
  ])('refuses it with %s, and once tried it is used up', async (_, wrong) => {
    const { cognito, createPerson } = harness()
    const client = cognito.createClient({ oauth: WEB })
    const { query } = await authorizeAs(client, createPerson(), PKCE)
    const refused = { status: 400, body: { error: 'invalid_grant' } }
    expect(await redeem(client, query.code, wrong)).toEqual(refused)
    const again = await redeem(client, query.code, { code_verifier: VERIFIER })
    expect(again.status).toBe(wrong.code === undefined ? 400 : 200)
  })

  it('refuses it where there was no challenge, yet a verifier', async () => {
    const { cognito, createPerson } = harness()
    const client = cognito.createClient({ oauth: WEB })
    const { query } = await authorizeAs(client, createPerson())
    expect((await redeem(client, query.code, { code_verifier: VERIFIER })).status).toBe(400)
  })

  it('refuses it a second time, after five minutes, and to another client, whom it does not serve', async () => {
    const { cognito, createPerson } = harness()
    const [client, other] = [cognito.createClient({ oauth: WEB }), cognito.createClient({ oauth: WEB })]
    const codeOf = async () => (await authorizeAs(client, createPerson())).query.code
    const code = await codeOf()
    expect((await redeem(other, code)).body).toEqual({ error: 'invalid_grant' })
    expect((await redeem(client, code)).status).toBe(200)
    expect((await redeem(client, code)).body).toEqual({ error: 'invalid_grant' })
    const old = await codeOf()
    cognito.clock.advance(300)
    expect((await redeem(client, old)).body).toEqual({ error: 'invalid_grant' })
  })
})

describe('POST /oauth2/token with a refresh token', () => {
  const refresh = (client: AppClientKeys, token: string) =>
    post('/oauth2/token', client, { grant_type: 'refresh_token', refresh_token: token })

  it('gives new tokens of the session, without another refresh token', async () => {
    const { client, tokens } = await begin()
    const { body } = await refresh(client, tokens.refresh_token)
    expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'id_token', 'token_type'])
    expect(claimsOf(body.access_token).origin_jti).toBe(claimsOf(tokens.access_token).origin_jti)
    expect(claimsOf(body.access_token).scope).toBe(WEB.scopes.join(' '))
    expect(claimsOf(body.id_token)).not.toHaveProperty('nonce')
  })

  it('rotates it with the grace period that the operation of the API has', async () => {
    const rotation = { feature: 'ENABLED', retryGracePeriodSeconds: 10 } as const
    const { client, tokens } = await begin({ refreshTokenRotation: rotation })
    const first = await refresh(client, tokens.refresh_token)
    expect(first.body.refresh_token).not.toBe(tokens.refresh_token)
    harness().cognito.clock.advance(9)
    expect((await refresh(client, tokens.refresh_token)).status).toBe(200)
    harness().cognito.clock.advance(1)
    expect((await refresh(client, tokens.refresh_token)).body).toEqual({ error: 'invalid_grant' })
    expect((await refresh(client, first.body.refresh_token)).status).toBe(200)
  })

  it('says invalid_grant of whatever is wrong with it', async () => {
    const { client, tokens, person } = await begin()
    const other = harness().cognito.createClient({ oauth: WEB })
    expect((await refresh(other, tokens.refresh_token)).body).toEqual({ error: 'invalid_grant' })
    expect((await refresh(client, 'garbage')).body).toEqual({ error: 'invalid_grant' })
    harness().cognito.updateUser(person.username, { enabled: false })
    expect((await refresh(client, tokens.refresh_token)).body).toEqual({ error: 'invalid_grant' })
    harness().cognito.updateUser(person.username, { enabled: true })
    await harness().revoke(client, tokens.refresh_token)
    expect((await refresh(client, tokens.refresh_token)).body).toEqual({ error: 'invalid_grant' })
  })

  it('is for clients that have a grant of users', async () => {
    const { tokens } = await begin()
    const none = harness().cognito.createClient()
    expect((await refresh(none, tokens.refresh_token)).body).toEqual({ error: 'unauthorized_client' })
  })
})

describe('POST /oauth2/token with client_credentials', () => {
  const ask = (client: AppClientKeys, more: Parameters = {}) =>
    post('/oauth2/token', client, { grant_type: 'client_credentials', ...more })

  it('gives an access token of the client itself, and nothing else', async () => {
    const client = harness().cognito.createClient({ oauth: MACHINE, generateSecret: true })
    const { body } = await ask(client, { scope: 'orders/read' })
    expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'token_type'])
    const claims = claimsOf(body.access_token)
    expect(claims).toMatchObject({ sub: client.clientId, client_id: client.clientId, scope: 'orders/read' })
    expect(claims).toHaveProperty('jti')
    for (const claim of ['username', 'origin_jti', 'cognito:groups']) expect(claims).not.toHaveProperty(claim)
  })

  it('gives all scopes where none are asked for, and refuses those that are not allowed', async () => {
    const client = harness().cognito.createClient({ oauth: MACHINE, generateSecret: true })
    expect(claimsOf((await ask(client)).body.access_token).scope).toBe('orders/read orders/write')
    expect((await ask(client, { scope: 'orders/delete' })).body).toEqual({ error: 'invalid_scope' })
  })

  it('is for clients that have it', async () => {
    const client = harness().cognito.createClient({ oauth: WEB, generateSecret: true })
    expect((await ask(client)).body).toEqual({ error: 'unauthorized_client' })
  })
})

describe('The client of POST /oauth2/token', () => {
  const ask = (client: AppClientKeys, more: Parameters = {}, headers: Record<string, string> = {}) =>
    post('/oauth2/token', client, { grant_type: 'client_credentials', ...more }, headers)
  const create = (clientSecret: string) =>
    harness().cognito.createClient({ oauth: MACHINE, clientSecret }) as Required<AppClientKeys>

  it('is known by Basic, or by its secret in the form, but not by both', async () => {
    const { clientId, clientSecret } = create('a+secret')
    expect((await ask({ clientId, clientSecret })).status).toBe(200)
    expect((await ask({ clientId }, { client_secret: clientSecret })).status).toBe(200)
    const both = await ask({ clientId, clientSecret }, { client_secret: clientSecret })
    expect(both.body.error).toBe('invalid_request')
  })

  it('is not known by what is percent-encoded, wrong, missing or superfluous', async () => {
    const { clientId } = create('a+secret')
    const publicClient = harness().cognito.createClient({ oauth: WEB })
    const refused = { status: 400, body: { error: 'invalid_client' } }
    expect(await ask({ clientId, clientSecret: encodeURIComponent('a+secret') })).toEqual(refused)
    expect(await ask({ clientId, clientSecret: 'wrong' })).toEqual(refused)
    expect(await ask({ clientId })).toEqual(refused)
    expect(await ask({ clientId: 'unknown' })).toEqual(refused)
    expect(await ask({ ...publicClient, clientSecret: 'any' })).toEqual(refused)
    expect(await ask({ clientId }, {}, { authorization: 'Basic !' })).toEqual(refused)
  })

  it('must send a form, each parameter once, and a grant that there is', async () => {
    const client = create('a+secret')
    expect((await ask(client, {}, { 'content-type': 'application/json' })).body.error).toBe('invalid_request')
    expect((await ask(client, { grant_type: 'password' })).body.error).toBe('unsupported_grant_type')
    const twice = await fetch(`${harness().cognito.domain}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams('grant_type=client_credentials&grant_type=client_credentials'),
    })
    expect(await twice.json()).toMatchObject({ error: 'invalid_request' })
  })
})

describe('POST /oauth2/revoke', () => {
  const revoke = (client: AppClientKeys, form: Parameters) => post('/oauth2/revoke', client, form)
  const done = { status: 200, body: undefined }

  it.each([{}, { generateSecret: true }])(
    'ends the session, with an empty 200, also twice: %j',
    async (settings) => {
      const { client, tokens } = await begin(settings)
      expect(await revoke(client, { token: tokens.refresh_token })).toEqual(done)
      expect(await revoke(client, { token: tokens.refresh_token })).toEqual(done)
      await expect(harness().getUser(tokens.access_token)).rejects.toMatchObject({
        message: 'Access Token has been revoked',
      })
    },
  )

  it('says no more of garbage and of another client’s token, which lives on', async () => {
    const { client, tokens } = await begin()
    const other = harness().cognito.createClient()
    expect(await revoke(other, { token: 'garbage' })).toEqual(done)
    expect(await revoke(other, { token: tokens.refresh_token })).toEqual(done)
    await expect(harness().refresh(client, tokens.refresh_token)).resolves.toBeDefined()
  })

  it('refuses an access token, no token, and a client that it does not know', async () => {
    const { client, tokens } = await begin()
    expect(await revoke(client, { token: tokens.access_token })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_token_type' },
    })
    expect(await revoke(client, {})).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    const wrong = { ...client, clientSecret: 'wrong' }
    expect(await revoke(wrong, { token: tokens.refresh_token })).toEqual({
      status: 401,
      body: { error: 'invalid_client' },
    })
  })

  it('has one error for no token and for revocation that is off', async () => {
    const { client, tokens } = await begin({ enableTokenRevocation: false })
    expect(await revoke(client, { token: tokens.refresh_token })).toEqual({
      status: 400,
      body: { error: 'invalid_request' },
    })
  })
})

describe('GET /oauth2/userInfo', () => {
  const ask = async (token: string) => {
    const { answer, status } = await get('/oauth2/userInfo', {}, { authorization: `Bearer ${token}` })
    return { status, body: await answer.json(), challenge: answer.headers.get('www-authenticate') }
  }

  it('tells the attributes', async () => {
    const { person, tokens } = await begin()
    expect((await ask(tokens.access_token)).body).toEqual({
      ...{ sub: person.sub, username: person.username, email: person.email },
      email_verified: 'true',
    })
  })

  it('refuses a token that is revoked, over, an ID token, without openid, or none', async () => {
    const { client, person, tokens } = await begin()
    const fromApi = await harness().signIn(client, person)
    const other = await begin()
    await harness().revoke(client, tokens.refresh_token)
    const refused = { status: 401, body: { error: 'invalid_token' }, challenge: /invalid_token/ }
    const all = [tokens.access_token, other.tokens.id_token, fromApi.AccessToken, 'garbage']
    for (const token of all) {
      const { challenge, ...rest } = await ask(token)
      expect(rest).toMatchObject({ status: refused.status, body: refused.body })
      expect(challenge).toMatch(refused.challenge)
    }
    harness().cognito.clock.advance(3_600)
    expect((await ask(other.tokens.access_token)).status).toBe(401)
  })
})

describe('GET /logout', () => {
  it('sends the browser on without its cookie, which is good no more', async () => {
    const { client, cookie } = await begin()
    const { location, cookie: cleared } = await get(
      '/logout',
      { client_id: client.clientId, logout_uri: BYE },
      { cookie },
    )
    expect(location).toBe(BYE)
    expect(cleared).toMatch(/^cognito=; .*Max-Age=0/)
    await expect(
      harness().cognito.authorize(
        `${harness().cognito.domain}/oauth2/authorize?${new URLSearchParams({
          ...{ response_type: 'code', client_id: client.clientId, redirect_uri: CALLBACK },
        })}`,
        { cookie },
      ),
    ).rejects.toThrow('/login')
  })

  it('revokes nothing', async () => {
    const { client, cookie, tokens } = await begin()
    const parameters = { client_id: client.clientId, redirect_uri: CALLBACK, response_type: 'code' }
    const { location } = await get('/logout', parameters, { cookie })
    expect(new URL(location ?? '').pathname).toBe('/login')
    await expect(harness().getUser(tokens.access_token)).resolves.toBeDefined()
    await expect(harness().refresh(client, tokens.refresh_token)).resolves.toBeDefined()
  })

  it.each<[string, Parameters]>([
    ['another address', { logout_uri: `${BYE}/` }],
    ['a callback', { logout_uri: CALLBACK }],
    ['none', {}],
    ['another redirect_uri', { redirect_uri: BYE, response_type: 'code' }],
    ['an unknown client', { logout_uri: BYE, client_id: 'unknown' }],
  ])('sends nobody to %s', async (_, parameters) => {
    const { clientId } = harness().cognito.createClient({ oauth: WEB })
    const answer = await get('/logout', { client_id: clientId, ...parameters })
    expect(answer).toMatchObject({ status: 400, location: null })
  })
})

describe('The hosted endpoints of FakeCognito', () => {
  it('are noted among the calls, and fail when they are told to', async () => {
    const { cognito } = harness()
    const client = cognito.createClient({ oauth: MACHINE, generateSecret: true })
    const ask = () => post('/oauth2/token', client, { grant_type: 'client_credentials' })
    cognito.failNext('POST /oauth2/token', 'slow_down', { httpStatus: 429, message: 'slower' })
    expect(await ask()).toEqual({ status: 429, body: { error: 'slow_down', error_description: 'slower' } })
    cognito.failNext('POST /oauth2/token', 'invalid_client')
    expect((await ask()).status).toBe(401)
    cognito.failNext('POST /oauth2/token', 'socket hang up')
    await expect(ask()).rejects.toThrow()
    cognito.failNext('POST /oauth2/token', 'x', { httpStatus: 502, plainBody: '<h1>Oops</h1>' })
    const plain = await fetch(`${cognito.domain}/oauth2/token`, { method: 'POST' })
    expect([plain.status, await plain.text()]).toEqual([502, '<h1>Oops</h1>'])
    expect(cognito.calls.at(-2)).toMatchObject({
      operation: 'POST /oauth2/token',
      parameters: { grant_type: 'client_credentials' },
      headers: { authorization: /./ },
    })
  })

  it('are told by the openid-configuration', async () => {
    const { cognito } = harness()
    const answer = await fetch(`${cognito.issuer}/.well-known/openid-configuration`)
    expect(await answer.json()).toMatchObject({
      authorization_endpoint: `${cognito.domain}/oauth2/authorize`,
      token_endpoint: `${cognito.domain}/oauth2/token`,
      revocation_endpoint: `${cognito.domain}/oauth2/revoke`,
      userinfo_endpoint: `${cognito.domain}/oauth2/userInfo`,
    })
  })

  it('are closed to a client for which nothing was said', async () => {
    const { cognito, createPerson } = harness()
    const client = cognito.createClient({ generateSecret: true })
    expect((await authorizeAs(client, createPerson())).status).toBe(400)
    const { body } = await post('/oauth2/token', client, { grant_type: 'client_credentials' })
    expect(body).toEqual({ error: 'unauthorized_client' })
  })

  it('are opened and closed by the settings that DescribeUserPoolClient tells', async () => {
    const { cognito, sdk } = harness()
    const { clientId } = cognito.createClient({ oauth: WEB })
    const client = { UserPoolId: cognito.userPoolId, ClientId: clientId }
    const describe = async () => {
      const { UserPoolClient } = await sdk.send(new DescribeUserPoolClientCommand(client))
      return UserPoolClient
    }
    expect(await describe()).toMatchObject({
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: WEB.scopes,
      CallbackURLs: WEB.callbackUrls,
      LogoutURLs: [BYE],
    })
    const { LastModifiedDate, CreationDate, ...settings } = (await describe()) ?? {}
    await sdk.send(new UpdateUserPoolClientCommand({ ...settings, ...client, CallbackURLs: [BYE] }))
    expect((await authorizeAs({ clientId }, harness().createPerson())).status).toBe(400)
    // What is left out is reset.
    await sdk.send(new UpdateUserPoolClientCommand(client))
    expect((await authorizeAs({ clientId }, undefined, { redirect_uri: BYE })).status).toBe(400)
    cognito.updateClient(clientId, { oauth: WEB })
    expect((await authorizeAs({ clientId }, harness().createPerson())).status).toBe(302)
    cognito.updateClient(clientId, { oauth: { flows: [], scopes: [] } })
    expect(await describe()).not.toHaveProperty('CallbackURLs')
  })

  it('answer without a listener too', async () => {
    const cognito = await FakeCognito.create()
    const client = cognito.createClient({ oauth: WEB })
    cognito.createUser({ username: 'jane', password: 'x' })
    const parameters = { response_type: 'code', client_id: client.clientId, redirect_uri: CALLBACK }
    const url = `${cognito.domain}/oauth2/authorize?${new URLSearchParams(parameters)}`
    expect((await cognito.authorize(url, { username: 'jane' })).callbackUrl).toContain('code=')
  })
})
