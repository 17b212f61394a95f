import { connect } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { FakeCognito } from '../../src/testing/index.js'
import { createSdk, Harness, useHarness } from './harness.js'

const harness = useHarness()

describe('the HTTP server of FakeCognito', () => {
  it('refuses a body of more than 1 MiB', async () => {
    const limit = 1024 * 1024
    const statuses = []
    for (const size of [limit, limit + 1]) {
      const body = 'x'.repeat(size)
      statuses.push((await fetch(harness().cognito.url, { method: 'POST', body })).status)
    }
    expect(statuses).toEqual([400, 413])
  })

  it.each([
    ['a method that fetch does not have', 'TRACE / HTTP/1.1'],
    ['a path that is no path', 'GET //[ HTTP/1.1'],
  ])('answers %s and goes on', async (_, requestLine) => {
    const { cognito } = harness()
    await expect(
      exchange(cognito.url, `${requestLine}\r\nhost: x\r\nconnection: close\r\n\r\n`),
    ).resolves.toMatch(/^HTTP\/1\.1 400 /)
    await expect(fetch(cognito.jwksUri)).resolves.toHaveProperty('status', 200)
  })

  it('ends idle and waiting connections on close, and can be closed again', async () => {
    const cognito = await FakeCognito.start()
    await (await fetch(cognito.jwksUri)).text()
    cognito.delayNext('JWKS', 60_000)
    const waiting = fetch(cognito.jwksUri)
    const outcome = expect(waiting).rejects.toThrow(TypeError)
    await expect.poll(() => cognito.calls.length).toBe(2)
    await cognito.close()
    await outcome
    await expect(fetch(cognito.jwksUri)).rejects.toThrow(TypeError)
    await cognito.close()
  })

  it('ends a connection whose request is not complete on close', async () => {
    const cognito = await FakeCognito.start()
    const { hostname, port } = new URL(cognito.url)
    const socket = connect(Number(port), hostname)
    const closed = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve))
    await new Promise((resolve) =>
      socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{', resolve),
    )
    // Answered on another connection, so that the server has seen the first.
    await fetch(cognito.jwksUri)
    await cognito.close()
    await closed
  })

  it('is closed by leaving the scope that it was made for', async () => {
    const cognito = await FakeCognito.start()
    await cognito[Symbol.asyncDispose]()
    await expect(fetch(cognito.jwksUri)).rejects.toThrow(TypeError)
  })
})

describe('FakeCognito without a listener', () => {
  let cognito: FakeCognito
  const server = setupServer(
    http.all('https://cognito-idp.us-east-1.amazonaws.com/*', ({ request }) => cognito.fetch(request)),
  )
  beforeAll(async () => {
    cognito = await FakeCognito.create()
    server.listen({ onUnhandledRequest: 'error' })
    // msw prints the connections that a test has asked to be broken.
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
  })
  afterEach(() => cognito.clearFaults())
  afterAll(() => {
    server.close()
    vi.restoreAllMocks()
  })

  it('answers the AWS SDK and jose behind msw, at the addresses of Cognito', async () => {
    const aws = createHarnessBehindMsw()
    const { client, tokens } = await aws.begin()
    const keys = createRemoteJWKSet(new URL(cognito.jwksUri))
    const { payload } = await jwtVerify(tokens.AccessToken, keys, {
      issuer: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_FakePool1',
    })
    expect(payload.client_id).toBe(client.clientId)
  })

  it('breaks a connection in the way that a fetch sees it', async () => {
    cognito.failNext('JWKS', 'socket hang up')
    await expect(fetch(cognito.jwksUri)).rejects.toThrow(TypeError)
    cognito.failNext('JWKS', 'socket hang up')
    await expect(cognito.fetch(new Request(cognito.jwksUri))).rejects.toThrow('fetch failed')
  })

  it('breaks a connection in the way that the AWS SDK sees it', async () => {
    cognito.failNext('GetUser', 'socket hang up')
    await expect(createHarnessBehindMsw().getUser('token')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  function createHarnessBehindMsw() {
    return new Harness(cognito, createSdk(undefined, { maxAttempts: 1 }))
  }
})

/** Sends bytes as they are, and gives all that comes back. */
function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let answer = ''
    connect(Number(port), hostname)
      .on('error', reject)
      .on('data', (chunk) => {
        answer += chunk
      })
      .on('end', () => resolve(answer))
      .end(bytes)
  })
}
