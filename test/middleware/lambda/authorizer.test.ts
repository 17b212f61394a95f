import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ObserverEvent, TokenVerifier } from '../../../src/index.js'
import {
  createLambdaAuthorizer,
  type LambdaAuthorizerEvent,
  type LambdaAuthorizerOptions,
  readAuthorizerContext,
} from '../../../src/middleware/lambda/index.js'
import { createVerifier, storeThat, usePool } from '../harness.js'
import { arnOf, authorization, isAllowed, kinds, RestRequest, statusFor } from './ask.js'
import {
  appSyncEvent,
  httpApi1Event,
  httpApi2Event,
  requestEvent,
  tokenEvent,
  webSocketEvent,
} from './events/authorizer-events.js'
import type { Sent } from './events/sent.js'

const poolOf = usePool()

const API = 'arn:aws:execute-api:us-east-1:123456789012:abcdef123'

function sentWith(claims: Record<string, unknown> = {}): Sent {
  return authorization(`Bearer ${poolOf().minter.accessToken(claims)}`)
}

function authorizer(options?: LambdaAuthorizerOptions & { readonly simpleResponses?: true }) {
  return createLambdaAuthorizer(createVerifier(poolOf()), options)
}

describe('the answer of createLambdaAuthorizer', () => {
  const policies = [
    ['a REST API (TOKEN)', tokenEvent, `${API}/test/*`],
    ['a REST API (REQUEST)', requestEvent, `${API}/test/*`],
    ['an HTTP API (1.0)', httpApi1Event, `${API}/test/*`],
    ['a WebSocket API', webSocketEvent, `${API}/default/*`],
  ] as const

  it.each(policies)('to %s is a policy for all of the stage', async (_, eventOf, resource) => {
    const claims = {
      sub: 'user-1',
      exp: 4_000_000_000,
      'cognito:groups': ['admin', 'staff'],
      username: 'jane',
    }
    const answer = await authorizer({ contextClaims: ['username', 'cognito:groups', 'exp'] })(
      eventOf(sentWith(claims)),
    )
    expect(answer).toEqual({
      principalId: 'user-1',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: resource }],
      },
      context: { username: 'jane', groups: 'admin staff', exp: 4_000_000_000 },
    })
  })

  it.each(policies)('to %s denies all of it without the scope', async (_, eventOf, resource) => {
    expect(await authorizer({ scope: 'orders/read' })(eventOf(sentWith()))).toEqual({
      principalId: 'unknown',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Deny', Resource: resource }],
      },
      context: { error: 'insufficient_scope' },
    })
  })

  it('to an HTTP API (2.0) is simple', async () => {
    const answer = authorizer({ contextClaims: ['sub'] })(httpApi2Event(sentWith({ sub: 'user-1' })))
    expect(await answer).toEqual({ isAuthorized: true, context: { sub: 'user-1' } })
    const denied = authorizer({ scope: 'orders/read' })(httpApi2Event(sentWith()))
    expect(await denied).toEqual({ isAuthorized: false, context: { error: 'insufficient_scope' } })
  })

  it('to an HTTP API (2.0) is a policy where that is set', async () => {
    const ask = createLambdaAuthorizer(createVerifier(poolOf()), { simpleResponses: false })
    const { policyDocument } = await ask(httpApi2Event(sentWith()))
    expect(policyDocument.Statement).toEqual([
      { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${API}/test/*` },
    ])
  })

  it('to AppSync is its own, and not to be kept', async () => {
    const answer = authorizer({ contextClaims: ['sub'] })(appSyncEvent(sentWith({ sub: 'user-1' })))
    expect(await answer).toEqual({ isAuthorized: true, resolverContext: { sub: 'user-1' }, ttlOverride: 0 })
    expect(await authorizer()(appSyncEvent({}))).toEqual({ isAuthorized: false, ttlOverride: 0 })
  })

  it("names a machine by its client id, which is its token's sub", async () => {
    const { clientId } = poolOf().minter
    const machine = { sub: clientId, username: undefined, origin_jti: undefined, auth_time: undefined }
    const answer = await authorizer()(requestEvent(sentWith(machine)))
    expect(answer).toMatchObject({ principalId: clientId, context: { sub: clientId, client_id: clientId } })
  })

  it.each([tokenEvent, requestEvent, httpApi1Event, httpApi2Event, webSocketEvent])(
    'to a bad token is exactly the error that API Gateway knows: %o',
    async (eventOf) => {
      const error: unknown = await authorizer()(
        eventOf(authorization('Bearer x')) as LambdaAuthorizerEvent,
      ).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(Error)
      expect(String(error)).toBe('Error: Unauthorized')
      expect(Object.getOwnPropertyNames(error).sort()).toEqual(['message', 'stack'])
    },
  )

  it.each(kinds)('from $name tells nothing where it cannot be known', async ({ eventOf, options }) => {
    const store = storeThat(() => Promise.reject(new Error('ECONNREFUSED at secret-host:6379')))
    const ask = createLambdaAuthorizer(createVerifier(poolOf(), { revocation: store }), options)
    const error: unknown = await ask(eventOf(sentWith())).catch((thrown) => thrown)
    expect(String(error)).toBe('Error: Service Unavailable')
    expect(Object.getOwnPropertyNames(error).sort()).toEqual(['message', 'stack'])
  })

  it.each(kinds)('from $name never carries the token', async ({ eventOf, options }) => {
    const sent = sentWith()
    const answer = await createLambdaAuthorizer(createVerifier(poolOf()), options)(eventOf(sent))
    const [, value = ''] = sent.headers?.[0] ?? []
    for (const part of value.slice('Bearer '.length).split('.'))
      expect(JSON.stringify(answer)).not.toContain(part)
  })
})

describe('the policy', () => {
  it.each(kinds)('lets the caller in everywhere in the stage of $name, and nowhere else', async (kind) => {
    const event = kind.eventOf(sentWith())
    const answer = await createLambdaAuthorizer(createVerifier(poolOf()), kind.options)(event)
    if (!('policyDocument' in answer)) return
    const arn = arnOf(event)
    expect(isAllowed(answer, arn)).toBe(true)
    const stage = arn.slice(0, arn.lastIndexOf('abcdef123')).concat('abcdef123/')
    const name = arn.slice(stage.length).split('/')[0]
    for (const path of ['DELETE/other/path', 'GET/', 'GET', '$connect', '$default'])
      expect(isAllowed(answer, `${stage}${name}/${path}`)).toBe(true)
    expect(isAllowed(answer, `${stage}${name}2/GET/request`)).toBe(false)
    expect(isAllowed(answer, arn.replace('abcdef123', 'abcdef124'))).toBe(false)
  })

  it.each(['aws', 'aws-cn', 'aws-us-gov'])('is of the partition of the event: %s', async (partition) => {
    const event = requestEvent(sentWith())
    const methodArn = event.methodArn.replace('arn:aws:', `arn:${partition}:`)
    const { policyDocument } = await authorizer()({ ...event, methodArn })
    expect(policyDocument.Statement[0]?.Resource).toBe(
      `${API.replace('arn:aws:', `arn:${partition}:`)}/test/*`,
    )
  })

  it('names the default stage of an HTTP API', async () => {
    const event = { ...httpApi1Event(sentWith()), methodArn: `${API}/$default/GET/request` }
    const { policyDocument } = await authorizer()(event)
    expect(policyDocument.Statement[0]?.Resource).toBe(`${API}/$default/*`)
  })

  it.each([
    '',
    '*',
    'arn:aws:execute-api:us-east-1:123456789012:*/test/GET/request',
    'arn:aws:execute-api:us-east-1:123456789012:abcdef123/*/GET/request',
    'arn:aws:execute-api:us-east-1:123456789012:abcdef123/t?st/GET/request',
    'arn:aws:execute-api:us-east-1:123456789012:abcdef123/test',
    'arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/',
    'arn:*:execute-api:us-east-1:123456789012:abcdef123/test/GET/request',
    'arn:aws:execute-api:*:123456789012:abcdef123/test/GET/request',
    'arn:aws:execute-api:us-east-1:*:abcdef123/test/GET/request',
    'arn:aws:lambda:us-east-1:123456789012:function:f',
    ` ${API}/test/GET/request`,
  ])('is made of no ARN but that of a method: %j', async (methodArn) => {
    const asked = authorizer()({ ...requestEvent(sentWith()), methodArn })
    await expect(asked).rejects.toThrow(/^createLambdaAuthorizer: methodArn or routeArn/)
  })

  it.each(['', '/'])('is for all of the stage where the route has no path: %j', async (path) => {
    const methodArn = `${API}/test/GET${path}`
    const answer = await authorizer()({ ...requestEvent(sentWith()), methodArn })
    expect(isAllowed(answer, methodArn)).toBe(true)
  })

  it('is for all of the stage however long the path is, and for no method of a longer one', async () => {
    const event = requestEvent({ ...sentWith(), path: `/${'x'.repeat(8_000)}` })
    expect(isAllowed(await authorizer()(event), event.methodArn)).toBe(true)
    const method = await authorizer({ policyResource: 'method' })(event)
    expect(isAllowed(method, event.methodArn)).toBe(false)
    expect(method.policyDocument.Statement[0]).toMatchObject({ Effect: 'Deny', Resource: `${API}/test/*` })
  })

  it('names one method and path where that is set', async () => {
    const event = requestEvent({ ...sentWith(), method: 'POST', path: '/orders/5' })
    const answer = await authorizer({ policyResource: 'method' })(event)
    expect(answer.policyDocument.Statement[0]).toMatchObject({ Effect: 'Allow', Resource: event.methodArn })
    expect(isAllowed(answer, `${API}/test/POST/orders/6`)).toBe(false)
  })

  it.each(['/orders/*', '/*', '/orders/?', '/orders/$' + '{aws:username}', '/a\n*'])(
    'is never widened by the path that the caller chose: %j',
    async (path) => {
      const event = requestEvent({ ...sentWith(), path })
      const answer = await authorizer({ policyResource: 'method' })(event)
      expect(isAllowed(answer, event.methodArn)).toBe(false)
      expect(isAllowed(answer, `${API}/test/GET/orders/5`)).toBe(false)
      const whole = await authorizer()(event)
      expect(whole.policyDocument.Statement[0]?.Resource).toBe(`${API}/test/*`)
    },
  )
})

describe('the context', () => {
  const contextOf = async (claims: Record<string, unknown>, contextClaims?: readonly string[]) => {
    const options = contextClaims === undefined ? {} : { contextClaims }
    return (await authorizer(options)(requestEvent(sentWith(claims)))).context
  }

  it('holds what most backends need, if the token has it', async () => {
    const context = await contextOf({ 'cognito:groups': ['admin'], scope: 'openid orders/read' })
    expect(Object.keys(context).sort()).toEqual(
      ['client_id', 'exp', 'groups', 'jti', 'origin_jti', 'scope', 'sub', 'token_use', 'username'].sort(),
    )
    expect(await contextOf({})).not.toHaveProperty('groups')
  })

  it("has an ID token's client and user under the same names", async () => {
    const verifier = createVerifier(poolOf(), { tokenUse: 'id' })
    const token = poolOf().minter.idToken({ 'cognito:username': 'jane' })
    const { context } = await createLambdaAuthorizer(verifier)(requestEvent(authorization(`Bearer ${token}`)))
    expect(context).toMatchObject({ client_id: poolOf().minter.clientId, username: 'jane', token_use: 'id' })
  })

  it('has claims under names that API Gateway takes', async () => {
    const claims = {
      'custom:tenant': 'acme',
      'custom:a.b-c_5': 5,
      'cognito:roles': ['arn:aws:iam::1:role/a'],
    }
    expect(await contextOf(claims, Object.keys(claims))).toEqual({
      tenant: 'acme',
      'a.b-c_5': 5,
      roles: 'arn:aws:iam::1:role/a',
    })
  })

  it('is flat whatever the claims are', async () => {
    const claims = {
      address: { city: 'Rome' },
      list: ['a b', 'c'],
      mixed: ['a b', 5],
      flag: false,
      nothing: null,
      none: [],
    }
    expect(await contextOf(claims, ['address', 'list', 'mixed', 'flag', 'nothing', 'none'])).toEqual({
      address: '{"city":"Rome"}',
      list: 'a%20b c',
      mixed: '["a b",5]',
      flag: false,
      none: '',
    })
  })

  it.each(['constructor', 'toString', '__proto__'])(
    'has no claim that the token has not: %s',
    async (claim) => {
      expect(Object.keys(await contextOf({}, [claim]))).toEqual([])
    },
  )

  it('may be empty', async () => {
    expect(await contextOf({}, [])).toEqual({})
  })
})

describe('an answer of over 8 KB', () => {
  const groups = Array.from({ length: 300 }, (_, index) => `a group with a long name ${index}`)
  const long = () => sentWith({ 'cognito:groups': groups })

  it('to a WebSocket API, which takes no more, is an error that says what to do', async () => {
    await expect(authorizer()(webSocketEvent(long()))).rejects.toThrow(
      /^createLambdaAuthorizer: .*contextClaims/,
    )
    expect(await authorizer({ contextClaims: ['sub'] })(webSocketEvent(long()))).toMatchObject({
      context: { sub: expect.any(String) },
    })
  })

  it('to another API is whole', async () => {
    const { context } = await authorizer()(requestEvent(long()))
    expect(readAuthorizerContext({ requestContext: { authorizer: context } }).groups).toEqual(groups)
  })
})

describe('what is no good token, where HTTP APIs are to be told by an answer', () => {
  const options = { unauthorized: 'deny' } as const

  it.each(kinds)('is denied by $name if it is one', async (kind) => {
    const isHttpApi = kind.name.startsWith('an HTTP API')
    for (const sent of [{}, authorization('Bearer x'), authorization('Bearer a, Bearer b')])
      expect(await statusFor(kind, createVerifier(poolOf()), sent, options)).toBe(isHttpApi ? 403 : 401)
    expect(await statusFor(kind, createVerifier(poolOf()), sentWith(), options)).toBe(200)
    const down = createVerifier(poolOf(), { revocation: storeThat(() => Promise.reject(new Error('down'))) })
    expect(await statusFor(kind, down, sentWith(), options)).toBe(500)
  })

  it('is told apart from a missing scope', async () => {
    const answer = await authorizer(options)(httpApi2Event({}))
    expect(answer).toEqual({ isAuthorized: false, context: {} })
  })
})

describe('an event of no known kind', () => {
  const good = () => sentWith()

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a text', () => 'TOKEN'],
    ['a list', () => [tokenEvent(good())]],
    ['an empty object', () => ({})],
    ['a type that is not known', () => ({ ...requestEvent(good()), type: 'IOT' })],
    ['a version that is not known', () => ({ ...httpApi2Event(good()), version: '3.0' })],
    ['format 2.0 without a routeArn', () => ({ ...httpApi2Event(good()), routeArn: undefined })],
    ['format 2.0 under the name of 1.0', () => ({ ...httpApi2Event(good()), version: '1.0' })],
    ['a REQUEST without a method', () => ({ ...requestEvent(good()), httpMethod: undefined })],
    ['a TOKEN without a token', () => ({ ...tokenEvent(good()), authorizationToken: undefined })],
    ['a TOKEN without a methodArn', () => ({ ...tokenEvent(good()), methodArn: undefined })],
    ["a WebSocket's later message", () => withEventType('MESSAGE')],
    ['AppSync Events', () => withOperation('EVENT_PUBLISH')],
    ['an IoT custom authorizer', () => ({ token: 'x', signatureVerified: false, protocols: ['mqtt'] })],
    ['a function behind an API', () => ({ ...requestEvent(good()), type: undefined })],
  ])('is an error that says what to do: %s', async (_, eventOf) => {
    const asked = authorizer()(eventOf() as never)
    await expect(asked).rejects.toThrow(
      /^createLambdaAuthorizer: this is no authorizer event .* Set the function/,
    )
  })

  function withEventType(eventType: string) {
    const event = webSocketEvent(good())
    return { ...event, requestContext: { ...event.requestContext, eventType } }
  }

  function withOperation(operation: string) {
    const event = appSyncEvent(good())
    return { ...event, requestContext: { ...event.requestContext, operation } }
  }
})

describe('the token', () => {
  const start = (options: LambdaAuthorizerOptions) => ({
    ask: (eventOf: (sent: Sent) => unknown, sent: Sent) =>
      statusFor({ name: '', eventOf: eventOf as never }, createVerifier(poolOf()), sent, options),
    token: poolOf().minter.accessToken(),
  })

  it('may come without a scheme from AppSync, and from a TOKEN authorizer where that is set', async () => {
    const { ask, token } = start({})
    expect(await ask(appSyncEvent, authorization(token))).toBe(200)
    expect(await ask(tokenEvent, authorization(token))).toBe(401)
    expect(await start({ bareToken: true }).ask(tokenEvent, authorization(token))).toBe(200)
    expect(await start({ bareToken: true }).ask(requestEvent, authorization(token))).toBe(401)
    expect(await start({ bareToken: false }).ask(appSyncEvent, authorization(token))).toBe(401)
  })

  it('of a WebSocket may be in the query where that is set, and there only', async () => {
    const { ask, token } = start({ tokenFrom: ['authorization', { query: 'access_token' }] })
    expect(await ask(webSocketEvent, { query: [['access_token', token]] })).toBe(200)
    expect(await ask(webSocketEvent, authorization(`Bearer ${token}`))).toBe(200)
    expect(await ask(webSocketEvent, { query: [['Access_Token', token]] })).toBe(401)
    expect(await ask(webSocketEvent, { query: [['access_token', 'x']] })).toBe(401)
    expect(await ask(requestEvent, { query: [['access_token', token]] })).toBe(401)
    expect(await ask(httpApi2Event, { query: [['access_token', token]] })).toBe(401)
  })

  it('in the query counts twice if it is there twice, or in the header, too', async () => {
    const { ask, token } = start({ tokenFrom: ['authorization', { query: 'access_token' }] })
    const twice: Sent['query'] = [
      ['access_token', 'x'],
      ['access_token', token],
    ]
    expect(await ask(webSocketEvent, { query: twice })).toBe(401)
    expect(
      await ask(webSocketEvent, { ...authorization(`Bearer ${token}`), query: [['access_token', token]] }),
    ).toBe(401)
  })

  it('of a WebSocket may be a subprotocol', async () => {
    const { ask, token } = start({ tokenFrom: { webSocketProtocol: 'bearer.' } })
    const headers: Sent['headers'] = [['Sec-WebSocket-Protocol', `chat, bearer.${token}`]]
    expect(await ask(webSocketEvent, { headers })).toBe(200)
  })

  it.each([
    ['REQUEST', requestEvent],
    ['2.0', httpApi2Event],
  ])('may be in a cookie, from the same origin only: %s', async (_, eventOf) => {
    const { ask, token } = start({ tokenFrom: { cookie: 'token' } })
    const cookie = ['Cookie', `theme=dark; token=${token}`] as const
    const sameOrigin = ['Sec-Fetch-Site', 'same-origin'] as const
    expect(await ask(eventOf, { headers: [cookie] })).toBe(200)
    expect(await ask(eventOf, { method: 'POST', headers: [cookie, sameOrigin] })).toBe(200)
    expect(await ask(eventOf, { method: 'POST', headers: [cookie] })).toBe(401)
    expect(await ask(eventOf, { headers: [cookie, ['Cookie', 'token=x']] })).toBe(401)
  })

  it('of a WebSocket in a cookie must come from the same origin always', async () => {
    const { ask, token } = start({
      tokenFrom: { cookie: 'token' },
      allowedOrigins: ['https://app.example.com'],
    })
    const cookie = ['Cookie', `token=${token}`] as const
    const withoutUpgrade = (sent: Sent) => {
      const event = webSocketEvent(sent)
      const { Upgrade: _, ...multiValueHeaders } = event.multiValueHeaders ?? {}
      return { ...event, headers: {}, multiValueHeaders }
    }
    expect(await ask(webSocketEvent, { headers: [cookie] })).toBe(401)
    expect(await ask(withoutUpgrade, { headers: [cookie] })).toBe(401)
    expect(await ask(webSocketEvent, { headers: [cookie, ['Origin', 'https://evil.example']] })).toBe(401)
    expect(await ask(webSocketEvent, { headers: [cookie, ['Origin', 'https://app.example.com']] })).toBe(200)
  })

  it('may be found by a function of the owner', async () => {
    const extractToken = (event: LambdaAuthorizerEvent) =>
      'headers' in event ? event.headers?.['x-token'] : undefined
    const { ask, token } = start({ extractToken })
    expect(await ask(httpApi2Event, { headers: [['X-Token', token]] })).toBe(200)
    expect(await ask(httpApi2Event, authorization(`Bearer ${token}`))).toBe(401)
  })

  it('is none that a function of the owner promises, which is an error', async () => {
    const extractToken = (async () => poolOf().minter.accessToken()) as never
    const asked = authorizer({ extractToken })(httpApi2Event(sentWith()))
    await expect(asked).rejects.toThrow(/^createLambdaAuthorizer: extractToken must not give a promise/)
  })
})

describe('how long AppSync keeps an answer', () => {
  const ask = (options: LambdaAuthorizerOptions, sent: Sent) =>
    authorizer(options as object)(appSyncEvent(sent))

  const kept = { allowTtlSeconds: 60, denialTtlSeconds: 300 }
  const bad = authorization('Bearer x')
  const token = () => poolOf().minter.accessToken()

  it('is what is set', async () => {
    expect(await ask(kept, sentWith())).toMatchObject({ isAuthorized: true, ttlOverride: 60 })
    expect(await ask(kept, authorization(token()))).toMatchObject({ isAuthorized: true, ttlOverride: 60 })
    expect(await ask(kept, bad)).toEqual({ isAuthorized: false, ttlOverride: 300 })
    expect(await ask({ ...kept, scope: 'orders/read' }, sentWith())).toMatchObject({ ttlOverride: 300 })
    expect(await ask({ denialTtl: 30 }, bad)).toEqual({ isAuthorized: false, ttlOverride: 30 })
  })

  it('is no time where the token was not authorizationToken, by which AppSync knows the answer', async () => {
    const cookie = ['Cookie', `token=${token()}`] as const
    const sameOrigin = ['Sec-Fetch-Site', 'same-origin'] as const
    const fromCookie = { ...kept, tokenFrom: ['authorization', { cookie: 'token' }] } as const
    const asked = ask(fromCookie, { headers: [['Authorization', 'public'], cookie, sameOrigin] })
    expect(await asked).toEqual({ isAuthorized: false, ttlOverride: 0 })
    const none = { ...fromCookie, bareToken: false }
    const unkeyed = await ask(none, { headers: [['Authorization', 'public'], cookie, sameOrigin] })
    expect(unkeyed).toMatchObject({ isAuthorized: true, ttlOverride: 0 })
    const extractToken = (event: LambdaAuthorizerEvent) =>
      'requestHeaders' in event ? event.requestHeaders?.['x-token'] : undefined
    for (const value of [token(), 'x']) {
      const answer = await ask({ ...kept, extractToken }, { headers: [['X-Token', value]] })
      expect(answer).toMatchObject({ isAuthorized: value !== 'x', ttlOverride: 0 })
    }
  })

  it.each<[string, Sent['headers']]>([
    ['carries no token', []],
    ['can be read in two ways', [['Authorization', 'Bearer a, Bearer b']]],
    ['may come from another website', [['Cookie', 'token=x']]],
  ])('is no time for a request that %s', async (_, headers = []) => {
    const options: LambdaAuthorizerOptions = { ...kept, tokenFrom: ['authorization', { cookie: 'token' }] }
    expect(await ask(options, { headers })).toEqual({ isAuthorized: false, ttlOverride: 0 })
  })

  it('is never longer than the token lives', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const seconds = Math.floor(Date.now() / 1000)
    vi.setSystemTime(seconds * 1000)
    const sent = sentWith({ iat: seconds - 3_590, auth_time: seconds - 3_590, exp: seconds + 10 })
    expect(await ask({ allowTtlSeconds: 60 }, sent)).toMatchObject({ isAuthorized: true, ttlOverride: 10 })
  })
})

describe('the fields that AppSync denies', () => {
  const deniedFields: NonNullable<LambdaAuthorizerOptions['deniedFields']> = (claims, { requestContext }) =>
    claims.scope === 'orders/write' && requestContext.operationName === 'MyQuery'
      ? []
      : ['Mutation.createOrder']

  it('follow from the claims', async () => {
    const ask = createLambdaAuthorizer(createVerifier(poolOf()), { deniedFields })
    expect(await ask(appSyncEvent(sentWith({ scope: 'openid' })))).toMatchObject({
      isAuthorized: true,
      deniedFields: ['Mutation.createOrder'],
    })
    expect(await ask(appSyncEvent(sentWith({ scope: 'orders/write' })))).toMatchObject({ deniedFields: [] })
  })

  it.each([undefined, null, 'Query.a', [5], {}])('are an error if they are no list: %j', async (fields) => {
    const told: ObserverEvent[] = []
    const options = {
      deniedFields: () => fields as never,
      observer: (event: ObserverEvent) => told.push(event),
    }
    await expect(authorizer(options)(appSyncEvent(sentWith()))).rejects.toThrow('Internal Server Error')
    const error = expect.objectContaining({ message: expect.stringContaining('deniedFields') })
    expect(told).toEqual([{ type: 'request_refused', status: 500, error }])
  })
})

describe('an error of something else', () => {
  it.each([new RangeError('a bug'), undefined, null, 'route', 0])('lets nobody in: %j', async (thrown) => {
    const broken = { verify: () => Promise.reject(thrown) } as unknown as TokenVerifier
    for (const { eventOf, options } of kinds) {
      const asked = createLambdaAuthorizer(broken, options)(eventOf(sentWith()))
      await expect(asked).rejects.toBeInstanceOf(Error)
    }
  })

  it("is handed on if it is the owner's", async () => {
    const extractToken = () => {
      throw new RangeError('a bug')
    }
    await expect(authorizer({ extractToken })(requestEvent({}))).rejects.toThrow(new RangeError('a bug'))
  })

  it('is told to the observer, and not to AppSync, which may show it to clients', async () => {
    const told: ObserverEvent[] = []
    const bug = new RangeError('secret-host:6379')
    const extractToken = () => {
      throw bug
    }
    const observer = (event: ObserverEvent) => told.push(event)
    const error: unknown = await authorizer({ extractToken, observer })(appSyncEvent({})).catch(
      (thrown) => thrown,
    )
    expect(String(error)).toBe('Error: Internal Server Error')
    expect(Object.getOwnPropertyNames(error).sort()).toEqual(['message', 'stack'])
    expect(told).toEqual([{ type: 'request_refused', status: 500, error: bug }])
  })
})

describe('the observer', () => {
  it('is told of every refusal, and why', async () => {
    const events: ObserverEvent[] = []
    const observer = (event: ObserverEvent) => events.push(event)
    const ask = (sent: Sent, options: LambdaAuthorizerOptions = {}) =>
      statusFor(RestRequest, createVerifier(poolOf()), sent, { ...options, observer })
    await ask({})
    await ask(authorization('Bearer a', 'Bearer b'))
    await ask(authorization('Bearer x'))
    await ask(sentWith(), { scope: 'orders/read' })
    await ask({ ...sentWith(), path: '/*' }, { policyResource: 'method' })
    await ask(sentWith())
    expect(events).toEqual([
      { type: 'request_refused', status: 401 },
      { type: 'request_refused', status: 400 },
      { type: 'request_refused', status: 401, error: expect.objectContaining({ code: 'token_malformed' }) },
      {
        type: 'request_refused',
        status: 403,
        error: expect.objectContaining({ code: 'insufficient_scope' }),
      },
      { type: 'request_refused', status: 403 },
    ])
  })
})

describe('the options of createLambdaAuthorizer', () => {
  it.each<[string, unknown]>([
    ['scope', ''],
    ['groups', 5],
    ['tokenFrom', []],
    ['tokenFrom', 'query'],
    ['tokenFrom', null],
    ['tokenFrom', { query: 'a', cookie: 'b' }],
    ['tokenFrom.query', { query: '' }],
    ['tokenFrom.query', { query: 5 }],
    ['tokenFrom.header', { header: 'a b' }],
    ['allowedOrigins', ['example.com']],
    ['extractToken', 'cookie'],
    ['bareToken', 'yes'],
    ['onRevocationUnavailable', 'ignore'],
    ['observer', {}],
    ['contextClaims', 'sub'],
    ['contextClaims', ['sub', 5]],
    ['contextClaims', ['']],
    ['contextClaims', ['sub', 'sub']],
    ['contextClaims', ['groups', 'cognito:groups']],
    ['contextClaims', ['tenant', 'custom:tenant']],
    ['contextClaims', ['custom:']],
    ['contextClaims', ['https://example.com/tenant']],
    ['contextClaims', ['dev:custom:tenant']],
    ['contextClaims', ['tenant\n']],
    ['contextClaims', ['mieter_größe']],
    ['contextClaims', ['custom:sub']],
    ['contextClaims', ['custom:scope']],
    ['contextClaims', ['groups']],
    ['contextClaims', ['cognito:origin_jti']],
    ['policyResource', 'api'],
    ['simpleResponses', 1],
    ['allowTtlSeconds', -1],
    ['allowTtlSeconds', 3_601],
    ['denialTtlSeconds', 1.5],
    ['denialTtl', '5'],
    ['deniedFields', []],
    ['unauthorized', 401],
  ])('are refused with a TypeError that names %s: %j', (option, value) => {
    const [name = ''] = option.split('.')
    const create = () => createLambdaAuthorizer(createVerifier(poolOf()), { [name]: value } as object)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(`createLambdaAuthorizer: option "${option}"`)
  })

  it('are refused where two of them contradict each other', () => {
    const create = (options: LambdaAuthorizerOptions) => () =>
      createLambdaAuthorizer(createVerifier(poolOf()), options)
    expect(create({ denialTtl: 5, denialTtlSeconds: 5 })).toThrow(/option "denialTtl"/)
    expect(create({ deniedFields: () => [], allowTtlSeconds: 1 })).toThrow(/option "deniedFields"/)
    expect(create({ deniedFields: () => [], allowTtlSeconds: 0, denialTtlSeconds: 5 })).not.toThrow()
    expect(create({ tokenFrom: 'authorization', extractToken: () => '' })).toThrow(/option "tokenFrom"/)
  })

  it.each(['optional', 'skip', 'realm', 'ttl'])('are refused if they are unknown: %s', (option) => {
    const create = () => createLambdaAuthorizer(createVerifier(poolOf()), { [option]: true } as object)
    expect(create).toThrow(`createLambdaAuthorizer: unknown option "${option}"`)
  })

  it('are refused without a verifier before them', () => {
    expect(() => createLambdaAuthorizer({} as never)).toThrow(/^createLambdaAuthorizer: the first argument/)
  })
})
