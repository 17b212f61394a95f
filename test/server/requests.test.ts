import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreFullError, StoreProtocolError, StoreUnavailableError } from '../../src/errors.js'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { listenRevocationService, RevocationService } from '../../src/server/index.js'
import { PROBLEMS } from '../../src/stores/http/problem.js'
import { call } from '../support/http.js'
import { ALL, KEY, OTHER, post, send, serve, session, tokenOf } from '../support/http-service.js'
import { assertConforms, assertSchema } from '../support/openapi.js'

const now = Math.floor(Date.now() / 1000)
const record = session('one')
const token = tokenOf(record)

let events: ObserverEvent[] = []
let scene: Awaited<ReturnType<typeof serve>>
beforeAll(async () => {
  scene = await serve({ observer: (event) => events.push(event), maxBatch: 500 })
})
afterAll(() => scene.close())
beforeEach(() => {
  events = []
})

const BODY_TESTS: readonly (readonly [
  what: string,
  path: string,
  body: string,
  status: number,
  code: string,
])[] = [
  ['no JSON', '/v1/find', '{"tokens":[', 400, 'body_malformed'],
  ['nothing', '/v1/find', '', 400, 'body_malformed'],
  ['null', '/v1/find', 'null', 400, 'request_malformed'],
  ['a list', '/v1/find', '[]', 400, 'request_malformed'],
  ['a number', '/v1/revocations', '5', 400, 'request_malformed'],
  ['nothing known', '/v1/revocations', '{}', 400, 'request_malformed'],
  ['something unknown', '/v1/revocations', '{"revocations":[],"more":1}', 400, 'request_malformed'],
  ['a prototype', '/v1/find', '{"__proto__":{"tokens":[]}}', 400, 'request_malformed'],
  ['no list', '/v1/find', '{"tokens":{"length":1}}', 400, 'request_malformed'],
  ['deep nesting', '/v1/find', `{"tokens":${'['.repeat(9_000)}${']'.repeat(9_000)}}`, 400, 'token_invalid'],
  ['a bad name', '/v1/find', '{"tokens":[],"request":"a b"}', 400, 'request_malformed'],
  ['no name', '/v1/revocations', '{"revocations":[],"request":5}', 400, 'request_malformed'],
  ['too many tokens', '/v1/find', JSON.stringify({ tokens: Array(501).fill(token) }), 413, 'body_too_large'],
  [
    'too many records',
    '/v1/revocations',
    JSON.stringify({ revocations: Array(501).fill(record) }),
    413,
    'body_too_large',
  ],
  ['too many bytes', '/v1/revocations', `{"revocations":[]${' '.repeat(1_048_576)}}`, 413, 'body_too_large'],
  ...[
    null,
    5,
    {},
    { ...record, id: '' },
    { ...record, id: 'x'.repeat(257) },
    { ...record, id: '\ud800' },
    { ...record, scope: 'everything' },
    { ...record, poolId: ['a'] },
    { ...record, expiresAt: '5' },
    { ...record, expiresAt: Date.now() },
    { ...record, cutoff: now },
    { ...record, scope: 'user', cutoff: null },
    { ...record, audit: null },
    { ...record, audit: { revokedAt: now, reason: 'x'.repeat(1_025) } },
    { ...record, audit: { revokedAt: now, more: 1 } },
    { ...record, more: 1 },
    { ...record, scope: 'pool' },
  ].map((each) => {
    const body = JSON.stringify({ revocations: [session('good'), each] })
    return [
      `the record ${JSON.stringify(each).slice(0, 90)}`,
      '/v1/revocations',
      body,
      400,
      'record_invalid',
    ] as const
  }),
  ...[
    null,
    {},
    { ...token, poolId: undefined },
    { ...token, iat: 'now' },
    { ...token, iat: undefined },
    { ...token, authTime: null },
    { ...token, jti: '' },
    { ...token, sub: 5 },
    { ...token, more: 1 },
  ].map((each) => {
    const body = JSON.stringify({ tokens: [token, each] })
    return [`the token ${JSON.stringify(each).slice(0, 90)}`, '/v1/find', body, 400, 'token_invalid'] as const
  }),
  [
    'an infinite iat',
    '/v1/find',
    `{"tokens":[${JSON.stringify(token).replace('"iat":1', '"iat":1e999')}]}`,
    400,
    'token_invalid',
  ],
  [
    'a cutoff in the future',
    '/v1/revocations',
    JSON.stringify({ revocations: [session('good'), { ...record, scope: 'user', cutoff: now + 900 }] }),
    400,
    'cutoff_in_future',
  ],
]

describe('A body with', () => {
  it.each(BODY_TESTS)(
    '%s, to %s, is refused, told of once, and nothing of it is recorded',
    async (_, path, body, status, code) => {
      const answer = await post(scene.url, path, body)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(await assertConforms('POST', path, answer)).toMatchObject({ code, status })
      expect(await scene.store.find(tokenOf(session('good')))).toBeUndefined()
      expect(events).toMatchObject([{ type: 'service_request_refused', status, code, keyId: 'all' }])
      expect(JSON.stringify(events)).not.toContain(KEY)
    },
  )

  it('bytes that are not UTF-8 is refused', async () => {
    const { port } = scene.listener
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
    const body = Buffer.from('{"tokens":["\xff"]}', 'latin1')
    expect((await call(port, { method: 'POST', path: '/v1/find', headers, body })).text).toContain(
      'body_malformed',
    )
  })

  it.each([
    ['text', { 'content-type': 'text/plain' }],
    ['another charset', { 'content-type': 'application/json; charset=latin1' }],
    ['compressed JSON', { 'content-encoding': 'gzip' }],
  ])('%s is a 415', async (_, headers) => {
    const answer = await post(scene.url, '/v1/find', '{"tokens":[]}', { headers })
    expect(answer.status).toBe(415)
    expect(await assertConforms('POST', '/v1/find', answer)).toMatchObject({ code: 'media_type_unsupported' })
  })

  it('the field that is wrong names it', async () => {
    const answer = await post(scene.url, '/v1/revocations', { revocations: [record, { ...record, id: '' }] })
    expect(await answer.json()).toMatchObject({
      field: 'revocations[1]',
      detail: expect.stringContaining('id must be'),
    })
  })

  it('more bytes than it says, or no length at all, is cut off all the same', async () => {
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(' '.repeat(8_192))),
    })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` }
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
    const answer = await scene.service.fetch(new Request('http://localhost/v1/find', init))
    expect(answer.status).toBe(413)
  })

  it('bytes that do not come is given up', async () => {
    const service = new RevocationService({
      store: new MemoryRevocationStore(),
      keys: [ALL],
      bodyTimeoutMs: 50,
    })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` }
    const init = { method: 'POST', headers, body: new ReadableStream(), duplex: 'half' } as RequestInit
    const answer = await service.fetch(new Request('http://localhost/v1/find', init))
    expect(answer.status).toBe(408)
    await service.close()
  })
})

describe('A request', () => {
  it.each([
    ['GET', '/', 404, 'not_found'],
    ['GET', '/v1', 404, 'not_found'],
    ['GET', '/v1/find/', 404, 'not_found'],
    ['GET', '/v2/find', 404, 'not_found'],
    ['GET', '//v1/find', 404, 'not_found'],
    ['GET', '/v1/%66ind', 404, 'not_found'],
    ['GET', '/v1/find', 405, 'method_not_allowed'],
    ['DELETE', '/v1/revocations', 405, 'method_not_allowed'],
    ['POST', '/v1/changes', 405, 'method_not_allowed'],
    ['TRACE', '/v1/find', 405, 'method_not_allowed'],
    ['POST', '/v1/health', 405, 'method_not_allowed'],
    ['GET', 'http://elsewhere/v1/health', 400, 'request_malformed'],
    ['GET', '/v1/changes?request=%0a', 400, 'request_malformed'],
  ])('%s %s is a %i', async (method, path, status, code) => {
    const answer = await call(scene.listener.port, {
      method,
      path,
      headers: { authorization: `Bearer ${KEY}` },
    })
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    const problem = JSON.parse(answer.text)
    assertSchema('Problem', problem)
    expect(problem).toMatchObject({ status, code })
    if (status === 405) expect(answer.headers.allow).toMatch(/GET|POST/)
    expect(events).toHaveLength(1)
  })

  it.each<[string, string, keyof typeof PROBLEMS]>([
    ['nonsense', 'nonsense\r\n\r\n', 'request_malformed'],
    ['no host', 'GET /v1/health HTTP/1.1\r\n\r\n', 'request_malformed'],
    ['a proxy', 'CONNECT elsewhere:443 HTTP/1.1\r\nhost: a\r\n\r\n', 'method_not_allowed'],
    [
      'something that cannot be expected',
      'GET /v1/find HTTP/1.1\r\nhost: a\r\nexpect: wonders\r\nconnection: close\r\n\r\n',
      'method_not_allowed',
    ],
    [
      'an enormous header',
      `GET /v1/health HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`,
      'headers_too_large',
    ],
    [
      'a body in broken chunks',
      `POST /v1/find HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"tok\r\nZZ\r\n`,
      'request_malformed',
    ],
  ])('of %s is refused as a problem, and told of once', async (_, text, code) => {
    const answer = await new Promise<string>((resolve) => {
      let said = ''
      const socket = connect(scene.listener.port, '127.0.0.1', () => socket.write(text))
      socket.on('data', (data) => {
        said += data
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(said))
    })
    expect(answer).toContain(`"code":"${code}"`)
    await expect.poll(() => events.length, { timeout: 5_000 }).toBe(1)
    expect(events).toMatchObject([{ type: 'service_request_refused', status: PROBLEMS[code][0] }])
  })

  it('for health needs no key, for readiness neither', async () => {
    for (const path of ['/v1/health', '/v1/readiness']) {
      const answer = await fetch(scene.url + path)
      expect(answer.status).toBe(200)
      await assertConforms('GET', path, answer)
    }
    expect(events).toEqual([])
  })

  it('that is good is answered in the protocol', async () => {
    const revocations = [
      record,
      { ...session('x'), scope: 'user', cutoff: now, audit: { revokedAt: now, reason: 'lost' } },
    ]
    const added = await post(scene.url, '/v1/revocations', { revocations })
    expect(await assertConforms('POST', '/v1/revocations', added)).toEqual({ recorded: 2 })
    const found = await post(scene.url, '/v1/find', { tokens: [token, { ...token, originJti: 'no' }] })
    expect(await assertConforms('POST', '/v1/find', found)).toEqual({ matches: [record, null] })
    expect(events).toEqual([])
  })

  it('is given back what it is called, where it is called anything', async () => {
    const added = await post(scene.url, '/v1/revocations', { request: 'a-1', revocations: [] })
    expect(await added.json()).toEqual({ request: 'a-1', recorded: 0 })
    const found = await post(scene.url, '/v1/find', { request: 'a_2', tokens: [] })
    expect(await found.json()).toEqual({ request: 'a_2', matches: [] })
  })
})

describe('A store that', () => {
  const failing = (error: unknown): RevocationStore => ({
    add: () => Promise.reject(error),
    find: () => Promise.reject(error),
  })
  const ask = async (store: RevocationStore, path: string, body?: object) => {
    const told: ObserverEvent[] = []
    const service = new RevocationService({
      ...{ store, keys: [ALL], storeTimeoutMs: 100 },
      observer: (event) => told.push(event),
    })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` }
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    const answer = await service.fetch(new Request(`http://localhost${path}`, init))
    const method = body === undefined ? 'GET' : 'POST'
    return {
      status: answer.status,
      headers: answer.headers,
      body: await assertConforms(method, path, answer),
      told,
    }
  }

  it.each([
    ['cannot be reached', new StoreUnavailableError('secret'), 503, 'store_unavailable'],
    ['is full', new StoreFullError('secret'), 507, 'store_full'],
    ['speaks nonsense', new StoreProtocolError('secret'), 502, 'store_protocol'],
    ['has a bug', new TypeError('secret'), 500, 'internal_error'],
  ])('%s is told by a code of its own, and not by its message', async (_, error, status, code) => {
    for (const [path, body] of [
      ['/v1/revocations', { revocations: [record] }],
      ['/v1/find', { tokens: [token] }],
    ] as const) {
      const answer = await ask(failing(error), path, body)
      expect(answer).toMatchObject({ status, body: { code } })
      expect(JSON.stringify(answer.body)).not.toContain('secret')
      expect(answer.told).toHaveLength(1)
      if (status === 503) expect(answer.headers.get('retry-after')).toBe('1')
    }
  })

  it('hangs is a 503, and the service is not ready', async () => {
    const hanging: RevocationStore = { add: () => new Promise(() => {}), find: () => new Promise(() => {}) }
    expect(await ask(hanging, '/v1/find', { tokens: [token] })).toMatchObject({ status: 503 })
    expect(await ask(hanging, '/v1/readiness')).toMatchObject({ status: 503, body: { code: 'not_ready' } })
    expect(await ask(hanging, '/v1/health')).toMatchObject({ status: 200 })
  })

  it.each([
    ['false', false],
    ['null', null],
    ["another token's record", session('another')],
    ["another pool's record", { ...record, poolId: 'us-east-1_B' }],
  ])('answers %s is not believed', async (_, found) => {
    const store = { add: async () => {}, find: async () => found } as unknown as RevocationStore
    expect(await ask(store, '/v1/find', { tokens: [token] })).toMatchObject({
      body: { code: 'store_protocol' },
    })
  })

  it('has no change feed is a 501', async () => {
    expect(await ask({ add: async () => {}, find: async () => undefined }, '/v1/changes')).toMatchObject({
      status: 501,
      body: { code: 'feed_unsupported' },
    })
  })

  it('is a mirror answers from its memory, also while what is behind it is away', async () => {
    const memory = new MemoryRevocationStore({ heartbeatMs: 20 })
    const mirror = new RevocationMirror(memory)
    await mirror.add([record])
    await mirror.ready()
    memory.find = () => Promise.reject(new Error('away'))
    expect(await ask(mirror, '/v1/find', { tokens: [token] })).toMatchObject({ body: { matches: [record] } })
    await mirror.close()
  })
})

describe('A service', () => {
  it('that works on as many requests as it takes refuses more with 503', async () => {
    const release: (() => void)[] = []
    const store: RevocationStore = {
      add: () => new Promise((resolve) => release.push(resolve)),
      find: async () => undefined,
    }
    const { url, close } = await serve({ store, maxRequests: 4 })
    const first = Array.from({ length: 4 }, () => post(url, '/v1/revocations', { revocations: [record] }))
    while (release.length < 4) await new Promise((resolve) => setImmediate(resolve))
    const second = await post(url, '/v1/revocations', { revocations: [record] })
    expect(await assertConforms('POST', '/v1/revocations', second)).toMatchObject({ code: 'overloaded' })
    for (const each of release) each()
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    await close()
  })

  it('has as many streams as it takes, half of them for one key, and refuses more with 503', async () => {
    const keys = [OTHER, `${OTHER}2`].map((key) => ({ ...ALL, id: key, key }))
    const { url, close } = await serve({ maxStreams: 4, keys: [ALL, ...keys] })
    const open = async (key: string) => {
      const stream = await send(url, '/v1/changes', { key })
      return stream.status === 200 ? stream : await assertConforms('GET', '/v1/changes', stream)
    }
    const first = (await open(KEY)) as Response
    await open(KEY)
    expect(await open(KEY)).toMatchObject({ code: 'overloaded' })
    await open(OTHER)
    await open(OTHER)
    expect(await open(`${OTHER}2`)).toMatchObject({ code: 'overloaded' })
    await first.body?.cancel()
    await expect.poll(async () => (await send(url, '/v1/changes', { key: `${OTHER}2` })).status).toBe(200)
    await close()
  })

  it('has room for additions, and for other keys, however many look-ups one key makes', async () => {
    let lookUps = 0
    const store: RevocationStore = {
      add: async () => {},
      find: () => {
        lookUps += 1
        return new Promise(() => {})
      },
    }
    const third = { ...ALL, id: 'third', key: `${OTHER}3` }
    const keys = [ALL, { ...ALL, id: 'other', key: OTHER }, third]
    const { service, close } = await serve({ store, maxRequests: 8, keys, storeTimeoutMs: 600_000 })
    const ask = (path: string, body: object, key: string) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      return service.fetch(new Request(`http://localhost${path}`, init))
    }
    const lookUp = (key: string) => ask('/v1/find', { tokens: [token] }, key)
    for (let time = 0; time < 4; time++) void lookUp(KEY)
    expect((await lookUp(KEY)).status).toBe(503)
    for (let time = 0; time < 2; time++) void lookUp(OTHER)
    await expect.poll(() => lookUps).toBe(6)
    expect((await lookUp(third.key)).status).toBe(503)
    expect((await ask('/v1/revocations', { revocations: [record] }, KEY)).status).toBe(200)
    await close()
  })

  it('looks up no more tokens at once than its store may have waiting', async () => {
    let [lookUps, release] = [0, () => {}]
    const released = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const store: RevocationStore = {
      add: async () => {},
      find: () => {
        lookUps += 1
        return released
      },
    }
    const keys = [ALL, { ...ALL, id: 'other', key: OTHER }, { ...ALL, id: 'third', key: `${OTHER}3` }]
    const { url, close } = await serve({ store, keys, storeTimeoutMs: 200 })
    const lookUp = (count: number, key: string) =>
      post(url, '/v1/find', { tokens: Array(count).fill(token) }, { key }).then(
        async (answer) => ((await answer.json()) as { code?: string }).code,
      )
    // They are given up after a time, but the store is still at work on them.
    expect(await Promise.all([900, 800, 800].map((count) => lookUp(count, KEY)))).toEqual(
      Array(3).fill('store_unavailable'),
    )
    expect(lookUps).toBe(2_500)
    expect(await lookUp(1, KEY)).toBe('overloaded')
    await Promise.all([900, 800, 800].map((count) => lookUp(count, OTHER)))
    expect(await lookUp(1, `${OTHER}3`)).toBe('overloaded')
    expect(lookUps).toBe(5_000)
    release()
    await expect.poll(() => lookUp(1, KEY)).toBeUndefined()
    await close()
  })

  it('does not take a body whose key was withdrawn while it arrived', async () => {
    const { service, store, close } = await serve()
    let send = (_: string) => {}
    const body = new ReadableStream({
      start: (controller) => {
        send = (text) => {
          controller.enqueue(new TextEncoder().encode(text))
          controller.close()
        }
      },
    })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` }
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
    const answering = service.fetch(new Request('http://localhost/v1/revocations', init))
    service.replaceKeys([])
    send(JSON.stringify({ revocations: [record] }))
    expect((await answering).status).toBe(401)
    expect(await store.find(token)).toBeUndefined()
    await close()
  })

  it('that is closed refuses everything but health', async () => {
    const service = new RevocationService({ store: new MemoryRevocationStore(), keys: [ALL] })
    await service.close()
    const ask = async (path: string) => (await service.fetch(new Request(`http://localhost${path}`))).status
    expect([await ask('/v1/health'), await ask('/v1/readiness'), await ask('/v1/changes')]).toEqual([
      200, 503, 503,
    ])
  })

  it.each([
    ['store', { store: {} }],
    ['keys', { keys: {} }],
    ['observer', { observer: 5 }],
    ['maxBodyBytes', { maxBodyBytes: 1_048_575 }],
    ['maxBatch', { maxBatch: 499 }],
    ['maxBatch', { maxBatch: 2_501 }],
    ['maxRequests', { maxRequests: 3 }],
    ['maxStreamMs', { maxStreamMs: Number.POSITIVE_INFINITY }],
    ['maxStreams', { maxStreams: 1.5 }],
    ['unknown', { unknown: 5 }],
  ])('names the option %s where it is wrong', (option, more) => {
    const options = { store: new MemoryRevocationStore(), keys: [], ...more } as never
    expect(() => new RevocationService(options)).toThrow(TypeError)
    expect(() => new RevocationService(options)).toThrow(`"${option}"`)
  })
})

describe('A listener', () => {
  const service = new RevocationService({ store: new MemoryRevocationStore(), keys: [ALL] })
  const listenWith = (options: object) => listenRevocationService(service, { port: 0, ...options })

  it.each([
    ['port', { port: -1 }],
    ['host', { host: '' }],
    ['maxConnections', { maxConnections: 0 }],
    ['headersTimeoutMs', { headersTimeoutMs: 20_000 }],
    ['headersTimeoutMs', { headersTimeoutMs: 4_000, requestTimeoutMs: 3_000 }],
    ['requestTimeoutMs', { requestTimeoutMs: '5' }],
    ['unknown', { unknown: 5 }],
  ])('names the option %s where it is wrong: %j', async (option, options) => {
    await expect(listenWith(options)).rejects.toThrow(TypeError)
    await expect(listenWith(options)).rejects.toThrow(`"${option}"`)
  })

  it.each([
    { requestTimeoutMs: 3_000 },
    { host: undefined, headersTimeoutMs: undefined, maxHeaderBytes: undefined },
  ])('takes the default for what is not given: %j', async (options) => {
    const listener = await listenWith(options)
    expect(listener.host).toBe('127.0.0.1')
    await listener.close()
  })
})
