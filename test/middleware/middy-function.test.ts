import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { describe, expect, it } from 'vitest'
import { MemoryRevocationStore, Revoker, type TokenVerifier } from '../../src/index.js'
import { type ProxyEvent, type VerifyTokenOptions, verifyToken } from '../../src/middleware/middy/index.js'
import {
  createVerifier,
  INVALID_REQUEST,
  INVALID_TOKEN,
  NO_TOKEN,
  type Reply,
  storeThat,
  UNAVAILABLE,
  usePool,
} from './harness.js'
import { badTokens, malformed, revocations, storesThatCannotSay, withoutToken } from './hostile-requests.js'
import { authorization } from './lambda/ask.js'
import { requestEvent } from './lambda/events/authorizer-events.js'
import {
  albEvent,
  albMultiValueEvent,
  functionUrlEvent,
  httpApi1ProxyEvent,
  httpApi2ProxyEvent,
  restEvent,
} from './lambda/events/proxy-events.js'
import type { Sent } from './lambda/events/sent.js'

const poolOf = usePool()

interface Answer {
  readonly statusCode: number
  readonly headers?: Record<string, string>
  readonly multiValueHeaders?: Record<string, string[]>
  readonly body: string
}

const context = () => ({}) as Context

/** A function that answers with the claims it was given. */
function functionOf(verifier: TokenVerifier, options?: VerifyTokenOptions<ProxyEvent>) {
  return middy<unknown, Answer>()
    .use(verifyToken(verifier, options ?? {}))
    .handler(async (_, { auth }) => ({
      statusCode: 200,
      headers: {},
      body: JSON.stringify({ auth: auth ?? null }),
    }))
}

function replyOf({ statusCode, headers, multiValueHeaders, body }: Answer): Reply {
  const all = Object.entries({ ...headers, ...multiValueHeaders })
  const lowerCase = all.map(([name, value]) => [name.toLowerCase(), [value].flat().join()])
  return { status: statusCode, headers: Object.fromEntries(lowerCase), body: JSON.parse(body) }
}

const shapes: readonly { name: string; eventOf: (sent: Sent) => unknown; single?: boolean }[] = [
  { name: 'a REST API', eventOf: restEvent },
  { name: 'an HTTP API (1.0)', eventOf: httpApi1ProxyEvent },
  { name: 'an HTTP API (2.0)', eventOf: httpApi2ProxyEvent },
  { name: 'a function URL', eventOf: functionUrlEvent },
  // It hands on the last of two headers only.
  { name: 'a load balancer', eventOf: albEvent, single: true },
  { name: 'a load balancer with multi-value headers', eventOf: albMultiValueEvent },
]

describe.each(shapes)('verifyToken in a function behind $name', ({ eventOf, single }) => {
  const goodToken = () => poolOf().minter.accessToken()
  const invoke = async (
    sent: Sent,
    verifier = createVerifier(poolOf()),
    options?: VerifyTokenOptions<ProxyEvent>,
  ) => replyOf(await functionOf(verifier, options)(eventOf(sent), context() as never))

  it('calls the handler with the claims of a good token', async () => {
    const verifier = createVerifier(poolOf())
    const token = goodToken()
    const reply = await invoke(authorization(`Bearer ${token}`), verifier)
    expect(reply).toMatchObject({ status: 200, body: { auth: await verifier.verify(token) } })
  })

  it.each(withoutToken)('answers with a bare challenge: %s', async (_, header) => {
    expect(await invoke(authorization(...header(goodToken())))).toEqual(NO_TOKEN)
  })

  it.each(malformed.filter(([, header]) => !single || header('token').length === 1))(
    'answers invalid_request: %s',
    async (_, header) => {
      expect(await invoke(authorization(...header(goodToken())))).toEqual(INVALID_REQUEST)
    },
  )

  it.each(badTokens)('answers invalid_token: %s', async (_, make) => {
    expect(await invoke(authorization(`Bearer ${await make(poolOf())}`))).toEqual(INVALID_TOKEN)
  })

  it.each(revocations)('answers invalid_token once %s has been revoked', async (_, revoke) => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(poolOf(), { revocation: store })
    const token = goodToken()
    await revoke(new Revoker({ store, poolId: poolOf().minter.userPoolId }), await verifier.verify(token))
    expect(await invoke(authorization(`Bearer ${token}`), verifier)).toEqual(INVALID_TOKEN)
  })

  it.each(storesThatCannotSay)('answers 503 where the store %s', async (_, store) => {
    const verifier = createVerifier(poolOf(), { revocation: store, revocationTimeoutMs: 20 })
    expect(await invoke(authorization(`Bearer ${goodToken()}`), verifier)).toEqual(UNAVAILABLE)
  })

  it('calls the handler without claims where authentication is optional, but never with a bad token', async () => {
    const options = { optional: true }
    expect(await invoke({}, createVerifier(poolOf()), options)).toMatchObject({
      status: 200,
      body: { auth: null },
    })
    expect(await invoke(authorization('Bearer x'), createVerifier(poolOf()), options)).toEqual(INVALID_TOKEN)
  })

  it('takes the token from a cookie where that is set, from the same origin only', async () => {
    const options = { tokenFrom: { cookie: 'token' } }
    const cookie = ['Cookie', `theme=dark; token=${goodToken()}`] as const
    const ask = (sent: Sent) => invoke(sent, createVerifier(poolOf()), options)
    expect(await ask({ headers: [cookie] })).toMatchObject({ status: 200 })
    expect(await ask({ method: 'POST', headers: [cookie] })).toMatchObject({ status: 403 })
    const sameOrigin = ['Sec-Fetch-Site', 'same-origin'] as const
    expect(await ask({ method: 'POST', headers: [cookie, sameOrigin] })).toMatchObject({ status: 200 })
  })
})

describe('a refusal', () => {
  it('has the headers in the form in which the event had them', async () => {
    const ask = functionOf(createVerifier(poolOf()))
    expect(await ask(albMultiValueEvent({}), context() as never)).toEqual({
      statusCode: 401,
      multiValueHeaders: {
        'WWW-Authenticate': ['Bearer'],
        'Cache-Control': ['no-store'],
        'Content-Type': ['application/problem+json'],
      },
      body: '{"title":"Unauthorized","status":401}',
      isBase64Encoded: false,
    })
    for (const eventOf of [restEvent, httpApi2ProxyEvent, albEvent]) {
      const answer = await ask(eventOf({}), context() as never)
      expect(answer).toHaveProperty('headers')
      expect(answer).not.toHaveProperty('multiValueHeaders')
    }
  })

  it('comes before the handler, and before what was used after it, but after what was used before', async () => {
    const seen: string[] = []
    const note = (name: string) => ({ before: () => void seen.push(name) })
    const onError = () => void seen.push('onError')
    const handler = middy<unknown, Answer>()
      .use({ onError })
      .use(note('before it'))
      .use(verifyToken(createVerifier(poolOf())))
      .use(note('after it'))
      .handler(async () => {
        seen.push('handler')
        return { statusCode: 200, body: '{}' }
      })
    expect(await handler(restEvent({}), context() as never)).toMatchObject({ statusCode: 401 })
    expect(seen).toEqual(['before it'])
  })
})

describe("the access token that a load balancer's authenticate-cognito adds", () => {
  const options = { tokenFrom: { header: 'x-amzn-oidc-accesstoken' } }
  const ask = async (eventOf: (sent: Sent) => unknown, verifier: TokenVerifier, headers: Sent['headers']) => {
    const sent = headers === undefined ? {} : { headers }
    return replyOf(await functionOf(verifier, options)(eventOf(sent), context() as never))
  }

  it.each([
    ['one value a header', albEvent],
    ['multi-value headers', albMultiValueEvent],
  ])('is verified and looked up like any other: %s', async (_, eventOf) => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(poolOf(), { revocation: store })
    const token = poolOf().minter.accessToken()
    const headers: Sent['headers'] = [
      ['X-Amzn-Oidc-Accesstoken', token],
      ['X-Amzn-Oidc-Identity', 'somebody else'],
      ['X-Amzn-Oidc-Data', 'a.b.c'],
    ]
    expect(await ask(eventOf, verifier, headers)).toMatchObject({
      status: 200,
      body: { auth: { token_use: 'access' } },
    })
    const revoker = new Revoker({ store, poolId: poolOf().minter.userPoolId })
    await revoker.revokeSession(await verifier.verify(token))
    expect(await ask(eventOf, verifier, headers)).toEqual(INVALID_TOKEN)
    expect(
      await ask(eventOf, verifier, [['Authorization', `Bearer ${poolOf().minter.accessToken()}`]]),
    ).toEqual(NO_TOKEN)
  })

  it('is refused where there are two of it', async () => {
    const token = poolOf().minter.accessToken()
    const name = 'X-Amzn-Oidc-Accesstoken'
    const twice: Sent['headers'] = [
      [name, token],
      [name, 'x'],
    ]
    expect(await ask(albMultiValueEvent, createVerifier(poolOf()), twice)).toEqual(INVALID_REQUEST)
  })
})

describe('an error', () => {
  const bearer = () => authorization(`Bearer ${poolOf().minter.accessToken()}`)

  it("of the handler stays the handler's", async () => {
    const failure = new Error('out of stock')
    const seen: unknown[] = []
    const handler = middy<unknown, Answer>()
      .use({ onError: ({ error }) => void seen.push(error) })
      .use(verifyToken(createVerifier(poolOf())))
      .handler(async () => {
        throw failure
      })
    await expect(handler(restEvent(bearer()), context() as never)).rejects.toBe(failure)
    expect(seen).toEqual([failure])
  })

  it('of the verifier reaches onError, whatever was thrown', async () => {
    for (const thrown of [new RangeError('a bug'), undefined, null, '']) {
      const broken = { verify: () => Promise.reject(thrown) } as unknown as TokenVerifier
      const asked = functionOf(broken)(restEvent(bearer()), context() as never)
      await expect(asked).rejects.toBeInstanceOf(Error)
    }
  })

  it.each<[string, () => unknown]>([
    ['an event of a queue', () => ({ Records: [] })],
    ["an authorizer's event", () => requestEvent(bearer())],
    ['nothing', () => null],
    ['a version that is not known', () => ({ ...httpApi2ProxyEvent(bearer()), version: '3.0' })],
    ['format 2.0 without a method', () => ({ ...httpApi2ProxyEvent(bearer()), requestContext: {} })],
  ])('is what an event of another kind is: %s', async (_, eventOf) => {
    const ask = functionOf(createVerifier(poolOf()), { optional: true })
    await expect(ask(eventOf(), context() as never)).rejects.toThrow(/^verifyToken: this is no proxy event/)
  })
})

describe("a function's options", () => {
  it('give the event to skip and extractToken', async () => {
    const store = storeThat(() => Promise.resolve(undefined))
    const verifier = createVerifier(poolOf(), { revocation: store })
    const skip = functionOf(verifier, {
      skip: (event) => 'httpMethod' in event && event.httpMethod === 'OPTIONS',
    })
    expect(await skip(restEvent({ method: 'OPTIONS' }), context() as never)).toMatchObject({
      statusCode: 200,
    })
    expect(await skip(restEvent({ method: 'GET' }), context() as never)).toMatchObject({ statusCode: 401 })
    const own = functionOf(verifier, { extractToken: ({ headers }) => headers?.['X-Token'] })
    const sent: Sent = { headers: [['X-Token', poolOf().minter.accessToken()]] }
    expect(await own(restEvent(sent), context() as never)).toMatchObject({ statusCode: 200 })
  })
})
