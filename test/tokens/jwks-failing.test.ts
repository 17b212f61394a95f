import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { JwksUnavailableError } from '../../src/errors.js'
import { useJwksScene } from '../support/jwks-scene.js'
import { JwksServer } from '../support/jwks-server.js'
import { takeMonotonicClock } from '../support/monotonic.js'
import { judge, refusalOf } from '../support/verdicts.js'

const scene = useJwksScene()

describe('a fetch that fails', () => {
  const good = () => scene().signer.accessToken()

  async function expectUnavailable(verifier = scene().createVerifier()): Promise<JwksUnavailableError> {
    const { server } = scene()
    const error = await refusalOf(verifier.verify(good()))
    expect(error).toBeInstanceOf(JwksUnavailableError)
    expect(error).toMatchObject({ code: 'jwks_unavailable', status: 503 })
    expect(scene().eventsOf('jwks_fetched')).toEqual([])
    expect(scene().eventsOf('jwks_fetch_failed')).toMatchObject([
      { jwksUri: server.jwksUri, error: error.cause },
    ])
    return error as JwksUnavailableError
  }

  it('says where the keys were to be had, and keeps the cause', async () => {
    const { server } = scene()
    server.fail()
    const error = await expectUnavailable()
    expect(error.message).toContain(server.jwksUri)
    expect(error.cause).toBeInstanceOf(Error)
  })

  it.each([201, 204, 206, 304, 400, 403, 404, 429, 500, 503])('gives 503: status %i', async (status) => {
    const { signer, server } = scene()
    server.respond = (response) => {
      response.writeHead(status)
      response.end(status === 204 || status === 304 ? undefined : JSON.stringify(signer.jwks))
    }
    await expectUnavailable()
  })

  it.each([301, 302, 303, 307, 308])('gives 503: a redirect (%i) is not followed', async (status) => {
    const { signer, server } = scene()
    const elsewhere = await JwksServer.start(signer.jwks)
    server.respond = (response) => response.writeHead(status, { location: elsewhere.jwksUri }).end()
    await expectUnavailable()
    expect(elsewhere.requests).toBe(0)
    await elsewhere.close()
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['half of it', '{"keys":['],
    ['null', 'null'],
    ['a string', '"keys"'],
    ['an array', '[]'],
    ['an object', '{}'],
    ['keys that are an object', '{"keys":{}}'],
    ['keys that are null', '{"keys":null}'],
    ['a key that is null', '{"keys":[null]}'],
    ['a key that is a string', '{"keys":["key"]}'],
    ['no key', '{"keys":[]}'],
  ])('gives 503: a body that is %s', async (_what, body) => {
    const { server } = scene()
    server.respond = (response) => response.end(body)
    await expectUnavailable()
  })

  it.each([
    ['with its length told', 'content-length'],
    ['in chunks', 'chunked'],
    ['compressed', 'gzip'],
  ])('gives 503: a body over 256 KiB %s', async (_how, how) => {
    const { signer, server } = scene()
    const body = JSON.stringify(signer.jwks).padEnd(256 * 1024 + 1)
    server.respond = (response) => {
      if (how === 'chunked') response.write(body.slice(0, 1_000))
      if (how === 'chunked') response.end(body.slice(1_000))
      else if (how === 'gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body))
      else response.writeHead(200, { 'content-length': body.length }).end(body)
    }
    await expectUnavailable()
  })

  it('takes a body of just 256 KiB', async () => {
    const { signer, server } = scene()
    const body = JSON.stringify(signer.jwks).padEnd(256 * 1024)
    server.respond = (response) => response.end(body)
    expect(await judge(scene().createVerifier(), good())).toBe('accepted')
  })

  it('stops reading a body that has no end', async () => {
    const { server } = scene()
    const closed = new Promise((resolve) => {
      server.respond = (response) => {
        response.once('close', resolve)
        pour(response)
      }
    })
    await expectUnavailable()
    await closed
  })

  it('gives 503: the connection breaks', async () => {
    const { server } = scene()
    server.respond = (response) => response.destroy()
    await expectUnavailable()
  })

  it('gives 503: the connection breaks within the body', async () => {
    const { server } = scene()
    server.respond = (response) => {
      response.writeHead(200, { 'content-length': 1_000 })
      response.write('{"keys":', () => response.destroy())
    }
    await expectUnavailable()
  })

  it('gives 503: nobody listens', async () => {
    const { server } = scene()
    await server.close()
    await expectUnavailable()
  })

  it.each([
    ['answers nothing', () => {}],
    ['sends its headers and no more', (response: ServerResponse) => response.writeHead(200).flushHeaders()],
    ['sends a part of its body and no more', (response: ServerResponse) => response.write('{"keys":')],
  ])('gives 503 after timeoutMs: the server %s', async (_what, respond) => {
    scene().server.respond = (response) => void respond(response)
    await expectUnavailable(scene().createVerifier({ timeoutMs: 50 }))
  })

  it('is made again only when the cooldown is over, which doubles up to a minute', async () => {
    const { server } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ cooldownMs: 5_000 })
    server.fail()
    const pauses = [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
    for (const [index, pause] of pauses.entries()) {
      expect(await judge(verifier, good())).toBe('jwks_unavailable')
      expect(server.requests).toBe(index + 1)
      expect(scene().eventsOf('jwks_fetch_failed').at(-1)).toMatchObject({ retryAfterMs: pause })
      moveMonotonic(pause - 1_000)
      expect(await judge(verifier, good())).toBe('jwks_unavailable')
      expect(server.requests).toBe(index + 1)
      moveMonotonic(1_000)
    }
  })

  it('is made at the usual pace again after one that succeeded', async () => {
    const { signer, server } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ cooldownMs: 5_000 })
    server.fail()
    for (const _ of [1, 2, 3, 4]) {
      await judge(verifier, good())
      moveMonotonic(60_000)
    }
    server.publish(signer.jwks)
    expect(await judge(verifier, good())).toBe('accepted')
    moveMonotonic(5_000)
    server.fail()
    expect(await judge(verifier, scene().strangers(1)[0])).toBe('jwks_unavailable')
    expect(scene().eventsOf('jwks_fetch_failed').at(-1)).toMatchObject({ retryAfterMs: 5_000 })
  })

  it('is one for many: together they get 503, and one event is told', async () => {
    const { server } = scene()
    server.fail()
    const verifier = scene().createVerifier()
    const verdicts = await Promise.all(
      scene()
        .tokens(20)
        .map((token) => judge(verifier, token)),
    )
    expect(new Set(verdicts)).toEqual(new Set(['jwks_unavailable']))
    expect(server.requests).toBe(1)
    expect(scene().eventsOf('jwks_fetch_failed')).toHaveLength(1)
  })

  it.each(['broken', '{}', '{"keys":[null]}'])(
    'leaves the keys that are there in use: the JWKS has become %s',
    async (body) => {
      const { server } = scene()
      const moveMonotonic = takeMonotonicClock()
      const verifier = scene().createVerifier({ cooldownMs: 1_000 })
      await verifier.ready()
      server.respond = (response) => response.end(body)
      moveMonotonic(60_000)
      expect(await judge(verifier, scene().strangers(1)[0])).toBe('jwks_unavailable')
      expect(await judge(verifier, good())).toBe('accepted')
    },
  )

  it('ends the trust in all keys where the JWKS is there and has none any more, for hot tokens too', async () => {
    const { server, signer } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ cooldownMs: 1_000 })
    const hot = good()
    expect(await judge(verifier, hot)).toBe('accepted')
    for (const keys of [[], [{ ...signer.jwk, use: 'enc' }]]) {
      server.publish({ keys })
      moveMonotonic(60_000)
      expect(await judge(verifier, scene().strangers(1)[0])).toBe('jwks_unavailable')
      expect(await judge(verifier, hot)).toBe('jwks_unavailable')
      server.publish(signer.jwks)
      moveMonotonic(60_000)
      expect(await judge(verifier, hot)).toBe('accepted')
    }
  })
})

/** Writes until the other side has had enough. */
function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, ' ')
  const write = () => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', write)
  write()
}
