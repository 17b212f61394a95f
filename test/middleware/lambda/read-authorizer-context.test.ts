import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLambdaAuthorizer, readAuthorizerContext } from '../../../src/middleware/lambda/index.js'
import { createVerifier, usePool } from '../harness.js'
import { authorization } from './ask.js'
import { appSyncEvent, httpApi2Event, requestEvent } from './events/authorizer-events.js'
import { httpApi2ProxyEvent, restEvent } from './events/proxy-events.js'

const poolOf = usePool()

const claims = {
  sub: 'user-1',
  username: 'jane',
  scope: 'openid orders/read',
  'cognito:groups': ['admin', 'staff'],
}

function sent() {
  return authorization(`Bearer ${poolOf().minter.accessToken(claims)}`)
}

function authorizer(contextClaims?: readonly string[]) {
  return createLambdaAuthorizer(
    createVerifier(poolOf()),
    contextClaims === undefined ? {} : { contextClaims },
  )
}

/** What API Gateway makes of a context on its way to a function: text. */
function asText(context: object): Record<string, string> {
  return Object.fromEntries(Object.entries(context).map(([key, value]) => [key, String(value)]))
}

describe('readAuthorizerContext', () => {
  const caller = {
    sub: 'user-1',
    username: 'jane',
    scopes: ['openid', 'orders/read'],
    groups: ['admin', 'staff'],
    context: { token_use: 'access', sub: 'user-1' },
  }

  it('reads what the authorizer of a REST API or a WebSocket API handed on', async () => {
    const { context, principalId } = await authorizer()(requestEvent(sent()))
    const event = restEvent({})
    const handedOn = { ...asText(context), principalId, integrationLatency: 5 }
    const behind = { ...event, requestContext: { ...event.requestContext, authorizer: handedOn } }
    expect(readAuthorizerContext(behind)).toMatchObject(caller)
    expect(readAuthorizerContext(behind).context.exp).toMatch(/^\d{10}$/)
  })

  it('reads what the authorizer of an HTTP API handed on', async () => {
    const { context } = await authorizer()(httpApi2Event(sent()))
    const event = httpApi2ProxyEvent({})
    const behind = { ...event, requestContext: { ...event.requestContext, authorizer: { lambda: context } } }
    expect(readAuthorizerContext(behind)).toMatchObject(caller)
  })

  it('reads what the authorizer of an AppSync API handed on', async () => {
    const { resolverContext } = await authorizer()(appSyncEvent(sent()))
    expect(readAuthorizerContext({ arguments: {}, identity: { resolverContext } })).toMatchObject(caller)
  })

  const groupsAfter = async (groups: readonly string[]) => {
    const verifier = { verify: async () => ({ ...claims, exp: 4_000_000_000, 'cognito:groups': groups }) }
    const { context } = await createLambdaAuthorizer(verifier as never)(
      requestEvent(authorization('Bearer x')),
    )
    return readAuthorizerContext({ requestContext: { authorizer: asText(context) } }).groups
  }

  it.each([
    [['x admin y']],
    [['Team admin Berlin', 'staff']],
    [['%20', '%', '%zz', '100%']],
    [['["a"]', '["a', 'admin', '"]']],
    [['a,b', 'a+b', 'a\tb', 'a\u00a0b', 'a\u2028b', 'Größe 5', '管理']],
    [[' ', '  admin  ']],
    [[]],
  ])('gives the groups of the token, whatever they are called: %j', async (groups) => {
    expect(await groupsAfter(groups)).toEqual(groups)
  })

  it('gives no other groups than the token has, and all of these', async () => {
    const character = fc.constantFrom(...' %2005aäö[]",\\+\t\n\u00a0\u2028\ud83d管')
    const name = fc.oneof(
      fc.string({ minLength: 1, unit: character }),
      fc.string({ minLength: 1, unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(name), async (groups) => {
        expect(await groupsAfter(groups)).toEqual(groups)
      }),
    )
  })

  it('leaves out a group without a name', async () => {
    expect(await groupsAfter(['', 'staff', ''])).toEqual(['staff'])
  })

  it('takes scopes as they stand, since these may have a percent sign', async () => {
    const behind = { requestContext: { authorizer: { sub: 'user-1', scope: 'openid a%20b' } } }
    expect(readAuthorizerContext(behind).scopes).toEqual(['openid', 'a%20b'])
  })

  it('gives groups that another authorizer has not encoded as they are', () => {
    const behind = { requestContext: { authorizer: { sub: 'user-1', groups: '100% staff' } } }
    expect(readAuthorizerContext(behind).groups).toEqual(['100%', 'staff'])
  })

  it('gives no scopes, groups and names where there are none', async () => {
    const { context } = await authorizer(['sub'])(requestEvent(sent()))
    const behind = { requestContext: { authorizer: asText(context) } }
    expect(readAuthorizerContext(behind)).toEqual({
      sub: 'user-1',
      scopes: [],
      groups: [],
      context: { sub: 'user-1' },
    })
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no authorizer', restEvent({})],
    ['no authorizer of an HTTP API', httpApi2ProxyEvent({})],
    [
      'a JWT authorizer',
      { requestContext: { authorizer: { jwt: { claims: { sub: 'user-1' }, scopes: [] } } } },
    ],
    ['a Cognito authorizer', { requestContext: { authorizer: { claims: { sub: 'user-1' } } } }],
    ['a context without sub', { requestContext: { authorizer: { username: 'jane' } } }],
    ['a sub of another type', { requestContext: { authorizer: { sub: { toString: () => 'user-1' } } } }],
    ['an inherited sub', { requestContext: { authorizer: Object.create({ sub: 'user-1' }) } }],
    ['a sub in the body', { body: '{"sub":"user-1"}', sub: 'user-1' }],
  ])('takes nobody for somebody: %s', (_, event) => {
    expect(() => readAuthorizerContext(event)).toThrow(
      /^readAuthorizerContext: the event came through no authorizer/,
    )
  })
})
