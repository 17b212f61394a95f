import { describe, expect, it } from 'vitest'
import { JwksUnavailableError, NotReadyError, TokenKeyUnknownError } from '../../src/errors.js'
import { FakeCognito } from '../../src/testing/index.js'
import { TokenVerifier } from '../../src/verifier.js'
import { eventually, passCooldown, useJwksScene } from '../support/jwks-scene.js'
import { JwksServer, sendJson } from '../support/jwks-server.js'
import { takeMonotonicClock } from '../support/monotonic.js'
import { judge, refusalOf } from '../support/verdicts.js'

const scene = useJwksScene()

describe('the first fetch', () => {
  it('is made once for however many tokens arrive together', async () => {
    const { server } = scene()
    const verifier = scene().createVerifier()
    const verdicts = await Promise.all(
      scene()
        .tokens(50)
        .map((token) => judge(verifier, token)),
    )
    expect(new Set(verdicts)).toEqual(new Set(['accepted']))
    expect(server.requests).toBe(1)
  })

  it('is made when a token asks for it, not before', async () => {
    const { server } = scene()
    scene().createVerifier()
    await new Promise((resolve) => setImmediate(resolve))
    expect(server.requests).toBe(0)
  })

  it('is told to the observer, with the number of keys', async () => {
    const { signer, server } = scene()
    await scene().createVerifier().verify(signer.accessToken())
    expect(scene().eventsOf('jwks_fetched')).toEqual([
      { type: 'jwks_fetched', jwksUri: server.jwksUri, keys: 1 },
    ])
  })

  it('carries nothing of the token', async () => {
    const { signer, server } = scene()
    let request = ''
    server.respond = (response, { method, url, rawHeaders }) => {
      request = JSON.stringify({ method, url, rawHeaders })
      sendJson(response, signer.jwks)
    }
    const token = signer.accessToken()
    await scene().createVerifier().verify(token)
    expect(request).toContain('GET')
    for (const part of token.split('.')) expect(request).not.toContain(part)
    expect(request).not.toContain(signer.kid)
  })

  it('is made by ready, and by nothing else then', async () => {
    const { signer, server } = scene()
    const verifier = scene().createVerifier()
    await verifier.ready()
    await verifier.ready()
    expect(await judge(verifier, signer.accessToken())).toBe('accepted')
    expect(() => verifier.verifySync(signer.accessToken({ jti: 'another' }))).not.toThrow()
    expect(server.requests).toBe(1)
  })

  it('is not needed where the keys are handed over', async () => {
    const { signer, server } = scene()
    const verifier = scene().createVerifier()
    verifier.cacheJwks(signer.jwks)
    await verifier.ready()
    expect(await judge(verifier, signer.accessToken())).toBe('accepted')
    expect(server.requests).toBe(0)
  })
})

describe('a token with an unknown kid', () => {
  it('is refused with 401 after a fetch that succeeded', async () => {
    const { server } = scene()
    const [stranger = ''] = scene().strangers(1)
    const error = await refusalOf(scene().createVerifier().verify(stranger))
    expect(error).toBeInstanceOf(TokenKeyUnknownError)
    expect(error).toMatchObject({ code: 'token_key_unknown', status: 401 })
    expect(server.requests).toBe(1)
  })

  it('costs at most one fetch per cooldown, however many arrive', async () => {
    const { server } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ cooldownMs: 60_000 })
    for (const fetches of [1, 2, 3]) {
      const together = await Promise.all(
        scene()
          .strangers(30)
          .map((token) => judge(verifier, token)),
      )
      for (const token of scene().strangers(10)) together.push(await judge(verifier, token))
      expect(new Set(together)).toEqual(new Set(['token_key_unknown']))
      expect(server.requests).toBe(fetches)
      moveMonotonic(60_000)
    }
  })

  it('costs no fetch sooner because the wall clock was moved', async () => {
    const { server, clock } = scene()
    const verifier = scene().createVerifier({ cooldownMs: 60_000, refreshAfterMs: 1e9, maxAgeMs: 1e9 })
    for (const token of scene().strangers(5)) {
      expect(await judge(verifier, token)).toBe('token_key_unknown')
      clock.advance(120)
    }
    expect(server.requests).toBe(1)
  })

  it('is refused with 503 while the JWKS cannot be had, and 401 as soon as it can', async () => {
    const { signer, server } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ cooldownMs: 60_000 })
    await verifier.ready()
    moveMonotonic(60_000)
    server.fail()
    const [stranger = '', another = ''] = scene().strangers(2)
    const error = await refusalOf(verifier.verify(stranger))
    expect(error).toBeInstanceOf(JwksUnavailableError)
    expect(error).toMatchObject({ code: 'jwks_unavailable', status: 503 })
    expect(await judge(verifier, another)).toBe('jwks_unavailable')
    expect(server.requests).toBe(2)
    server.publish(signer.jwks)
    moveMonotonic(60_000)
    expect(await judge(verifier, stranger)).toBe('token_key_unknown')
  })

  it('holds up no token with a known kid, be it seen before or new, while the server hangs', async () => {
    const { server } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ cooldownMs: 1_000 })
    const [seen = '', unseen = ''] = scene().tokens(2)
    await verifier.verify(seen)
    moveMonotonic(1_000)
    server.hang()
    const settled: string[] = []
    const waiting = scene()
      .strangers(20)
      .map((token) => judge(verifier, token).then((verdict) => settled.push(verdict)))
    await eventually(() => expect(server.requests).toBe(2))
    expect(await judge(verifier, seen)).toBe('accepted')
    expect(await judge(verifier, unseen)).toBe('accepted')
    expect(settled).toEqual([])
    await verifier.close()
    await Promise.all(waiting)
  })

  it('is accepted as soon as its key is published and the cooldown is over', async () => {
    const { signer, successor, server } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ cooldownMs: 60_000 })
    await verifier.ready()
    server.publish({ keys: [signer.jwk, successor.jwk] })
    const [token = ''] = scene().tokens(1, successor)
    expect(await judge(verifier, token)).toBe('token_key_unknown')
    moveMonotonic(60_000)
    expect(await judge(verifier, token)).toBe('accepted')
    expect(await judge(verifier, signer.accessToken())).toBe('accepted')
    expect(server.requests).toBe(2)
  })

  it('is accepted after one fetch where the keys had been handed over before', async () => {
    const { signer, successor, server } = scene()
    const verifier = scene().createVerifier()
    verifier.cacheJwks(signer.jwks)
    server.publish({ keys: [signer.jwk, successor.jwk] })
    const [token = ''] = scene().tokens(1, successor)
    expect(await judge(verifier, token)).toBe('accepted')
    expect(server.requests).toBe(1)
  })
})

describe('ready', () => {
  it('rejects where there are no keys to be had', async () => {
    const { server } = scene()
    server.fail()
    await expect(scene().createVerifier().ready()).rejects.toBeInstanceOf(JwksUnavailableError)
  })

  it('rejects once closed', async () => {
    const { server } = scene()
    const verifier = scene().createVerifier()
    await verifier.close()
    await expect(verifier.ready()).rejects.toBeInstanceOf(NotReadyError)
    expect(server.requests).toBe(0)
  })

  it.each([
    ['first', 0],
    ['second', 1],
  ])('is content with the %s issuer of a pool, where the other one has no keys', async (_which, index) => {
    const { signer, server } = scene()
    const other = await JwksServer.start()
    other.fail(404)
    const issuer = [`${other.url}/a`, `${other.url}/b`].with(index, `${server.url}/pool`)
    const pool = { userPoolId: signer.userPoolId, issuer, clientId: null, tokenUse: null }
    const verifier = scene().createVerifier({}, pool)
    await verifier.ready()
    expect(await judge(verifier, signer.accessToken({ iss: `${server.url}/pool` }))).toBe('accepted')
    await other.close()
  })

  it('wants keys of every pool', async () => {
    const { server, successor } = scene()
    const other = await JwksServer.start(successor.jwks)
    const one = { userPoolId: 'us-east-1_PoolOne11', issuer: server.url, clientId: null, tokenUse: null }
    const two = { ...one, userPoolId: 'us-east-1_PoolTwo22', issuer: other.url }
    await scene().createVerifier({}, one, two).ready()
    expect([server.requests, other.requests]).toEqual([1, 1])
    other.fail()
    await expect(scene().createVerifier({}, one, two).ready()).rejects.toThrow(other.url)
    await other.close()
  })
})

describe('close', () => {
  it('ends a fetch under way: who waits for it gets 503', async () => {
    const { server } = scene()
    const closed = new Promise((resolve) => {
      server.respond = (response) => response.once('close', resolve)
    })
    const verifier = scene().createVerifier()
    const waiting = scene()
      .tokens(3)
      .map((token) => judge(verifier, token))
    await eventually(() => expect(server.requests).toBe(1))
    await verifier.close()
    expect(await Promise.all(waiting)).toEqual(['jwks_unavailable', 'jwks_unavailable', 'jwks_unavailable'])
    await closed
  })

  it('leaves nothing to be verified, seen before or not', async () => {
    const { server } = scene()
    const verifier = scene().createVerifier()
    const [seen = '', unseen = ''] = scene().tokens(2)
    await verifier.verify(seen)
    await verifier.close()
    for (const token of [seen, unseen, 'no token']) {
      const error = await refusalOf(verifier.verify(token))
      expect(error).toBeInstanceOf(NotReadyError)
      expect(error.status).toBe(503)
      expect(() => verifier.verifySync(token)).toThrow(NotReadyError)
    }
    expect(server.requests).toBe(1)
  })

  it('leaves nothing to be explained', async () => {
    const { signer } = scene()
    const verifier = scene().createVerifier()
    const token = signer.accessToken()
    await verifier.verify(token)
    await verifier.close()
    await expect(verifier.explain(token)).rejects.toBeInstanceOf(NotReadyError)
  })

  it('can be called twice, and at the end of a block', async () => {
    const verifier = scene().createVerifier()
    await verifier.close()
    await verifier.close()
    await expect(verifier[Symbol.asyncDispose]()).resolves.toBeUndefined()
  })
})

describe('with a user pool on the other end', () => {
  it('follows a rotation of the keys, and drops what the old ones signed', async () => {
    const cognito = await FakeCognito.start()
    const moveMonotonic = takeMonotonicClock()
    const verifier = new TokenVerifier({
      userPoolId: cognito.userPoolId,
      issuer: cognito.issuer,
      clientId: null,
      tokenUse: null,
      revocation: false,
      clock: cognito.clock.now,
    })
    const [access, id] = [cognito.minter.accessToken(), cognito.minter.idToken()]
    expect([await judge(verifier, access), await judge(verifier, id)]).toEqual(['accepted', 'accepted'])
    expect(cognito.calls.map(({ operation }) => operation)).toEqual(['JWKS'])
    await cognito.rotateKeys()
    moveMonotonic(5_000)
    expect(await judge(verifier, cognito.minter.accessToken())).toBe('accepted')
    expect([await judge(verifier, access), await judge(verifier, id)]).toEqual([
      'token_key_unknown',
      'token_key_unknown',
    ])
    expect(cognito.calls).toHaveLength(2)
    await verifier.close()
    await cognito.close()
  })

  it('goes on through a failure of its JWKS, by Cognito’s clock', async () => {
    const cognito = await FakeCognito.start()
    const verifier = new TokenVerifier({
      userPoolId: cognito.userPoolId,
      issuer: cognito.issuer,
      clientId: null,
      tokenUse: 'access',
      revocation: false,
      clock: cognito.clock.now,
      jwks: { cooldownMs: 1 },
    })
    cognito.failNext('JWKS', 'InternalErrorException')
    expect(await judge(verifier, cognito.minter.accessToken())).toBe('jwks_unavailable')
    await passCooldown()
    const token = cognito.minter.accessToken()
    expect(await judge(verifier, token)).toBe('accepted')
    await passCooldown()
    cognito.failNext('JWKS', 'socket hang up', { times: Number.POSITIVE_INFINITY })
    cognito.clock.advance(3_000)
    expect(await judge(verifier, token)).toBe('accepted')
    cognito.clock.advance(600)
    expect(await judge(verifier, token)).toBe('token_expired')
    await verifier.close()
    await cognito.close()
  })
})
