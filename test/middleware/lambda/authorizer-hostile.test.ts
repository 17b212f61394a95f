import { describe, expect, it } from 'vitest'
import { MemoryRevocationStore, Revoker } from '../../../src/index.js'
import type { LambdaAuthorizerEvent, LambdaAuthorizerOptions } from '../../../src/middleware/lambda/index.js'
import { createVerifier, storeThat, usePool } from '../harness.js'
import { badTokens, malformed, revocations, storesThatCannotSay, withoutToken } from '../hostile-requests.js'
import { AppSync, authorization, kinds, statusFor } from './ask.js'
import { httpApi2Event, requestEvent, webSocketEvent } from './events/authorizer-events.js'

const poolOf = usePool()

describe.each(kinds)('createLambdaAuthorizer for $name', (kind) => {
  const goodToken = () => poolOf().minter.accessToken()
  const ofThisKind = malformed.filter(([, header]) => !kind.single || header('token').length === 1)
  const none = withoutToken.filter(([name]) => kind !== AppSync || name !== 'a token without a scheme')

  it.each(['Bearer', 'bearer', 'BEARER'])('lets a good token through: %s', async (scheme) => {
    const verifier = createVerifier(poolOf())
    expect(await statusFor(kind, verifier, authorization(`${scheme} ${goodToken()}`))).toBe(200)
  })

  it.each(none)('answers 401 without a bearer token: %s', async (_, header) => {
    const verifier = createVerifier(poolOf())
    expect(await statusFor(kind, verifier, authorization(...header(goodToken())))).toBe(401)
  })

  it.each(ofThisKind)('answers 401 to what can be read in two ways: %s', async (_, header) => {
    const verifier = createVerifier(poolOf())
    expect(await statusFor(kind, verifier, authorization(...header(goodToken())))).toBe(401)
  })

  it.each(badTokens)('answers 401 to a token that is no good: %s', async (_, make) => {
    const verifier = createVerifier(poolOf())
    const token = await make(poolOf())
    expect(await statusFor(kind, verifier, authorization(`Bearer ${token}`))).toBe(401)
    // Without the scheme it is none, or no better.
    expect(await statusFor(kind, verifier, authorization(token))).toBe(401)
  })

  it.each(revocations)('answers 401 to a token once %s has been revoked', async (_, revoke) => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(poolOf(), { revocation: store })
    const token = goodToken()
    expect(await statusFor(kind, verifier, authorization(`Bearer ${token}`))).toBe(200)
    const revoker = new Revoker({ store, poolId: poolOf().minter.userPoolId })
    await revoke(revoker, await verifier.verify(token))
    expect(await statusFor(kind, verifier, authorization(`Bearer ${token}`))).toBe(401)
  })

  it.each(storesThatCannotSay)('answers 500, not 401 or 403, where the store %s', async (_, store) => {
    const verifier = createVerifier(poolOf(), { revocation: store, revocationTimeoutMs: 20 })
    expect(await statusFor(kind, verifier, authorization(`Bearer ${goodToken()}`))).toBe(500)
  })

  it('lets a token through that the store cannot judge where the owner chose so', async () => {
    const store = storeThat(() => Promise.reject(new Error('down')))
    const verifier = createVerifier(poolOf(), { revocation: store })
    const sent = authorization(`Bearer ${goodToken()}`)
    expect(await statusFor(kind, verifier, sent, { onRevocationUnavailable: 'accept' })).toBe(200)
  })

  it('refuses a good token without the scope or the group', async () => {
    const verifier = createVerifier(poolOf())
    const sent = authorization(`Bearer ${goodToken()}`)
    const refused = kind === AppSync ? 401 : 403
    expect(await statusFor(kind, verifier, sent, { scope: 'orders/read' })).toBe(refused)
    expect(await statusFor(kind, verifier, sent, { groups: { all: ['admin'] } })).toBe(refused)
  })

  it('answers 401 to a revoked token, not 403, where a scope is missing, too', async () => {
    const store = new MemoryRevocationStore()
    const verifier = createVerifier(poolOf(), { revocation: store })
    const token = goodToken()
    const revoker = new Revoker({ store, poolId: poolOf().minter.userPoolId })
    await revoker.revokeSession(await verifier.verify(token))
    expect(await statusFor(kind, verifier, authorization(`Bearer ${token}`), { scope: 'orders/read' })).toBe(
      401,
    )
  })

  it('reads no token in the query', async () => {
    const verifier = createVerifier(poolOf())
    expect(await statusFor(kind, verifier, { query: [['access_token', goodToken()]] })).toBe(401)
  })
})

describe('an Authorization header that only one of two maps has', () => {
  const bearer = () => `Bearer ${poolOf().minter.accessToken()}`
  const ask = (event: LambdaAuthorizerEvent, options: LambdaAuthorizerOptions = {}) =>
    statusFor({ name: '', eventOf: () => event }, createVerifier(poolOf()), {}, options)

  it('counts where the other has none', async () => {
    const event = requestEvent(authorization(bearer()))
    expect(await ask({ ...event, multiValueHeaders: null })).toBe(200)
    expect(await ask({ ...event, headers: null })).toBe(200)
    const without = requestEvent({})
    const { multiValueHeaders } = without
    const single = { ...without.headers, authorization: bearer() }
    expect(await ask({ ...without, headers: single, multiValueHeaders })).toBe(200)
  })

  it('is overruled by every value of the name in the other', async () => {
    const event = requestEvent(authorization(bearer()))
    const { headers, multiValueHeaders } = event
    const good = { Authorization: bearer() }
    expect(await ask({ ...event, headers: good, multiValueHeaders: { AUTHORIZATION: ['Bearer x'] } })).toBe(
      401,
    )
    expect(
      await ask({
        ...event,
        headers,
        multiValueHeaders: { ...multiValueHeaders, authorization: ['Bearer x'] },
      }),
    ).toBe(401)
  })

  it('counts once where one map joins what the other splits', async () => {
    const offered = ['chat', `bearer.${poolOf().minter.accessToken()}`]
    const event = {
      ...webSocketEvent({}),
      headers: { 'Sec-WebSocket-Protocol': offered.join(', ') },
      multiValueHeaders: { 'Sec-WebSocket-Protocol': offered },
    }
    expect(await ask(event, { tokenFrom: { webSocketProtocol: 'bearer.' } })).toBe(200)
  })

  it('counts twice in two spellings', async () => {
    const event = httpApi2Event(authorization(bearer()))
    expect(await ask({ ...event, headers: { ...event.headers, Authorization: 'Bearer x' } })).toBe(401)
  })

  it('counts for nothing if it is no text', async () => {
    const event = requestEvent({})
    expect(await ask({ ...event, headers: { Authorization: 5 as never }, multiValueHeaders: null })).toBe(401)
  })
})
