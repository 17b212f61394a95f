import { describe, expect, it } from 'vitest'
import { FakeCognito } from '../../src/testing/index.js'
import { createSdk, Harness, refusal, useHarness } from './harness.js'

const harness = useHarness()

describe('FakeCognito.failNext', () => {
  it('fails the next request for the operation, and no other', async () => {
    const { client, tokens } = await harness().begin()
    harness().cognito.failNext('RevokeToken', 'TooManyRequestsException', { message: 'Rate exceeded' })
    await expect(harness().getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
    await expect(harness().revoke(client, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('TooManyRequestsException', 'Rate exceeded'),
    )
    await expect(harness().getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
    await expect(harness().revoke(client, tokens.RefreshToken)).resolves.toBeDefined()
  })

  it('can let the operation take effect before it fails', async () => {
    const { client, tokens } = await harness().begin()
    harness().cognito.failNext('RevokeToken', 'InternalErrorException', { afterEffect: true })
    await expect(harness().revoke(client, tokens.RefreshToken)).rejects.toMatchObject(
      refusal('InternalErrorException'),
    )
    await expect(harness().getUser(tokens.AccessToken)).rejects.toMatchObject(
      refusal('NotAuthorizedException', 'Access Token has been revoked'),
    )
  })

  it.each([
    [true, 'rejects'],
    [false, 'resolves'],
  ] as const)('can break the connection: with afterEffect %s GetUser then %s', async (afterEffect, then) => {
    const { client, tokens } = await harness().begin()
    harness().cognito.failNext('RevokeToken', 'socket hang up', { afterEffect })
    await expect(harness().revoke(client, tokens.RefreshToken)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect(harness().getUser(tokens.AccessToken))[then].toBeDefined()
  })

  it('fails as many times as it is told', async () => {
    const { tokens } = await harness().begin()
    harness().cognito.failNext('GetUser', 'InternalErrorException', { times: 2 })
    const outcomes = []
    for (let i = 0; i < 3; i += 1) {
      outcomes.push(
        await harness()
          .getUser(tokens.AccessToken)
          .then(
            () => 'answered',
            (error: Error) => error.name,
          ),
      )
    }
    expect(outcomes).toEqual(['InternalErrorException', 'InternalErrorException', 'answered'])
  })

  it('plays what was asked for in that order', async () => {
    harness().cognito.failNext('GetUser', 'ForbiddenException')
    harness().cognito.failNext('GetUser', 'TooManyRequestsException')
    await expect(harness().getUser('token')).rejects.toMatchObject(refusal('ForbiddenException'))
    await expect(harness().getUser('token')).rejects.toMatchObject(refusal('TooManyRequestsException'))
  })

  it('fails the JWKS too, with the HTTP status it is told', async () => {
    const { cognito } = harness()
    cognito.failNext('JWKS', 'InternalErrorException', { httpStatus: 503 })
    await expect(fetch(cognito.jwksUri)).resolves.toHaveProperty('status', 503)
    await expect(fetch(cognito.jwksUri)).resolves.toHaveProperty('status', 200)
  })

  it('fails without end until the faults are cleared', async () => {
    const { cognito } = harness()
    cognito.failNext('JWKS', 'InternalErrorException', { times: Number.POSITIVE_INFINITY })
    for (let i = 0; i < 3; i += 1) {
      await expect(fetch(cognito.jwksUri)).resolves.toHaveProperty('status', 500)
    }
    cognito.clearFaults()
    await expect(fetch(cognito.jwksUri)).resolves.toHaveProperty('status', 200)
  })

  it('is repaired by the retries of the AWS SDK where they cover it', async () => {
    const { tokens } = await harness().begin()
    const { cognito } = harness()
    const patient = new Harness(cognito, createSdk(cognito.url, { maxAttempts: 3 }))
    cognito.failNext('GetUser', 'InternalErrorException', { times: 2 })
    await expect(patient.getUser(tokens.AccessToken)).resolves.toHaveProperty('Username')
  })

  it.each(['revokeToken', 'NoSuchThing', ''])('refuses %j, which is no operation', (operation) => {
    expect(() => harness().cognito.failNext(operation, 'InternalErrorException')).toThrow(/operation/)
    expect(() => harness().cognito.delayNext(operation, 1)).toThrow(/operation/)
  })
})

describe('FakeCognito.delayNext', () => {
  it('answers no earlier than it is told', async () => {
    const { jwksUri } = harness().cognito
    harness().cognito.delayNext('JWKS', 100)
    const started = performance.now()
    await expect(fetch(jwksUri)).resolves.toHaveProperty('status', 200)
    // Node's timers can be a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(98)
  })

  it('lets the operation take effect before the delay', async () => {
    const own = new Harness(await FakeCognito.start())
    const { client, tokens } = await own.begin()
    own.cognito.delayNext('RevokeToken', 60_000)
    const answer = own.revoke(client, tokens.RefreshToken).catch(() => 'no answer')
    await expect
      .poll(() => own.getUser(tokens.AccessToken).catch((error: Error) => error.message))
      .toBe('Access Token has been revoked')
    await own.cognito.close()
    await expect(answer).resolves.toBe('no answer')
  })

  it('stops waiting when the peer has gone', async () => {
    const cognito = await FakeCognito.create()
    cognito.delayNext('JWKS', 60_000)
    const leaving = new AbortController()
    const answer = cognito.fetch(new Request(cognito.jwksUri, { signal: leaving.signal }))
    leaving.abort(new Error('gone'))
    await expect(answer).rejects.toThrow('gone')
  })

  it('stops waiting when it is closed', async () => {
    const cognito = await FakeCognito.create()
    cognito.delayNext('JWKS', 60_000)
    const answer = cognito.fetch(new Request(cognito.jwksUri))
    await cognito.close()
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
