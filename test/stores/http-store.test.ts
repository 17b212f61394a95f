import type { RequestListener } from 'node:http'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import type { ObserverEvent } from '../../src/observer.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { ChangeBatch } from '../../src/revocation/store.js'
import { HttpRevocationStore, type HttpRevocationStoreOptions } from '../../src/stores/http/index.js'
import { listen } from '../support/http.js'
import { ALL, KEY, type ServedOptions, serve, session, tokenOf } from '../support/http-service.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function served(options: ServedOptions = {}) {
  const scene = await serve(options)
  ends.push(scene.close)
  return scene
}

async function proxied(port: number) {
  const proxy = await startTcpProxy({ port })
  ends.push(() => proxy.close())
  return proxy
}

function connect(options: Partial<HttpRevocationStoreOptions> & { url: string }): HttpRevocationStore {
  const store = new HttpRevocationStore({ key: KEY, ...options })
  ends.push(() => store.close())
  return store
}

/** A store of whatever answers so. */
async function answeredBy(handler: RequestListener, more: Partial<HttpRevocationStoreOptions> = {}) {
  const server = await listen(handler)
  ends.push(() => server.close())
  return connect({ url: server.url, ...more })
}

/** Answers with what is said, as the answer to the very request. */
function answering(answer: (asked: Asked) => object): RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Asked
    response.end(JSON.stringify({ request: asked.request, ...answer(asked) }))
  }
}

interface Asked {
  readonly request: string
  readonly tokens?: readonly object[]
  readonly revocations?: readonly object[]
}

const record = session('one')
const token = tokenOf(record)
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => error,
  )
const firstOf = (store: HttpRevocationStore) => store.changes({ signal: AbortSignal.timeout(15_000) }).next()

describe('An HttpRevocationStore', () => {
  const url = 'https://revocation.example.com'

  it.each([
    ['url', { url: 'not a URL' }],
    ['url', { url: 'http://revocation.example.com' }],
    ['url', { url: 'https://user:password@example.com' }],
    ['url', { url: 'https://example.com/?a=b' }],
    ['url', { url: 'ftp://example.com' }],
    ['key', { key: 'short' }],
    ['key', { key: `${KEY}\r\nx: y` }],
    ['key', { key: undefined }],
    ['key', { key: 5 }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: '5' }],
    ['silenceMs', { silenceMs: Number.NaN }],
    ['maxConnections', { maxConnections: 0 }],
    ['allowInsecureHttp', { allowInsecureHttp: 'yes' }],
    ['observer', { observer: {} }],
    ['unknown', { unknown: 1 }],
  ])('names the option %s where it is wrong: %j', (option, more) => {
    const create = () => new HttpRevocationStore({ url, key: KEY, ...more } as never)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(`"${option}"`)
    expect(create).not.toThrow(KEY)
  })

  it('takes plain http to elsewhere only where that is allowed, and says so', () => {
    const told: ObserverEvent[] = []
    const observer = (event: ObserverEvent) => told.push(event)
    connect({ url: 'http://revocation.internal', allowInsecureHttp: true, observer })
    expect(told).toMatchObject([{ type: 'insecure_http' }])
  })

  it('finds a service behind a path', async () => {
    const paths: (string | undefined)[] = []
    const answer = answering(() => ({ matches: [null] }))
    const server = await listen((request, response) => {
      paths.push(request.url)
      answer(request, response)
    })
    ends.push(() => server.close())
    expect(await connect({ url: `${server.url}/at/some/path/` }).find(token)).toBeUndefined()
    expect(paths).toEqual(['/at/some/path/v1/find'])
  })

  it('asks for its key before each request where that is a function', async () => {
    const { service, client } = await served()
    let key = KEY
    const store = client({ key: async () => key })
    await store.add([record])
    service.replaceKeys([{ ...ALL, key: `${KEY}2` }])
    expect(await errorOf(store.find(token))).toMatchObject({ code: 'store_unavailable' })
    key = `${KEY}2`
    expect(await store.find(token)).toEqual(record)
  })

  it.each([
    ['fails', () => Promise.reject(new Error('vault is away'))],
    ['gives nothing', () => undefined],
    ['gives what is no key', () => 'short'],
  ])('rejects where that function %s', async (_, key) => {
    const { client } = await served()
    expect(await errorOf(client({ key: key as never }).find(token))).toMatchObject({
      code: 'store_unavailable',
    })
  })

  it('asks for many tokens of one turn in few requests', async () => {
    const counts: number[] = []
    const store = await answeredBy(
      answering(({ tokens = [] }) => {
        counts.push(tokens.length)
        return { matches: tokens.map(() => null) }
      }),
    )
    await Promise.all(Array.from({ length: 250 }, (_, index) => store.find({ ...token, jti: `${index}` })))
    expect(counts.sort()).toEqual([100, 100, 50])
  })

  it('does not let a pool that the key is not for fail the look-ups of another', async () => {
    const { client } = await served({ keys: [{ ...ALL, pools: ['us-east-1_A'] }] })
    const store = client()
    const foreign = errorOf(store.find({ ...token, poolId: 'us-east-1_B' }))
    expect(await store.find(token)).toBeUndefined()
    expect(await foreign).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('pool'),
    })
  })

  it('rejects, and does not throw, once it is closed', async () => {
    const { client } = await served()
    const store = client()
    await store.close()
    for (const call of [() => store.find(token), () => store.add([record])]) {
      expect(await errorOf(call())).toMatchObject({ code: 'store_unavailable' })
    }
    expect((await firstOf(store)).done).toBe(true)
  })

  it('passes the errors of the service on as what they are', async () => {
    const memory = new MemoryRevocationStore({ maxEntries: 1 })
    const { client } = await served({ store: memory })
    const store = client()
    await store.add([record])
    expect(await errorOf(store.add([session('two')]))).toMatchObject({ code: 'store_full' })
  })

  it('rejects where nothing listens, and where nothing answers in time', async () => {
    const { listener } = await served()
    const proxy = await proxied(listener.port)
    await proxy.hang()
    const store = connect({ url: `http://127.0.0.1:${proxy.port}`, timeoutMs: 50 })
    expect(await errorOf(store.find(token))).toMatchObject({ code: 'store_unavailable' })
    expect(await errorOf(firstOf(store))).toMatchObject({ code: 'store_unavailable' })
    await proxy.cut()
    expect(await errorOf(store.add([record]))).toMatchObject({ code: 'store_unavailable' })
  })

  it('sends once more what went out on a connection that the other end had closed', async () => {
    let asked = 0
    const answer = answering(() => ({ recorded: 1 }))
    const server = await listen((request, response) => {
      asked += 1
      // The second one, on the connection of the first, is not answered.
      if (asked === 2) request.socket.destroy()
      else answer(request, response)
    })
    ends.push(() => server.close())
    const store = connect({ url: server.url })
    await store.add([record])
    await store.add([record])
    expect(asked).toBe(3)
  })

  it('leaves to additions half of its connections, however many look-ups wait', async () => {
    let lookUps = 0
    const answer = answering(() => ({ recorded: 1 }))
    const store = await answeredBy(
      (request, response) => {
        if (request.url === '/v1/find') lookUps += 1
        else answer(request, response)
      },
      { maxConnections: 4, timeoutMs: 5_000 },
    )
    const waiting = Array.from({ length: 20 }, (_, index) =>
      errorOf(store.find({ ...token, poolId: `us-east-1_${index}` })),
    )
    await expect.poll(() => lookUps).toBe(2)
    await store.add([record])
    await store.add([record])
    expect(lookUps).toBe(2)
    await store.close()
    await Promise.all(waiting)
  })

  it('rejects look-ups that could not be sent in time, together with those that were', async () => {
    let lookUps = 0
    const store = await answeredBy(() => (lookUps += 1), { maxConnections: 2, timeoutMs: 60 })
    const errors = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        errorOf(store.find({ ...token, poolId: `us-east-1_${index}` })),
      ),
    )
    for (const error of errors) expect(error).toMatchObject({ code: 'store_unavailable' })
    // One at a time, and no more than one more before the rest was given up.
    expect(lookUps).toBeLessThan(5)
  })

  it('rejects all look-ups when it is closed, and sends nothing more', async () => {
    let [lookUps, asked] = [0, 0]
    const key = () => {
      asked += 1
      return KEY
    }
    const store = await answeredBy(() => (lookUps += 1), { maxConnections: 2, timeoutMs: 60_000, key })
    const waiting = Array.from({ length: 50 }, (_, index) =>
      errorOf(store.find({ ...token, poolId: `us-east-1_${index}` })),
    )
    await expect.poll(() => lookUps).toBe(1)
    await store.close()
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'store_unavailable' })
    expect(lookUps).toBe(1)
    expect(asked).toBe(1)
  })
})

const stream =
  (...events: string[]): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''))
  }
const openStream: RequestListener = (request, response) => {
  const id = new URL(`http://localhost${request.url}`).searchParams.get('request')
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`event: open\ndata: {"request":"${id}"}\n\n`)
}
const opened =
  (text: string): RequestListener =>
  (request, response) => {
    openStream(request, response)
    response.end(text)
  }
const changes = (data: object) => `event: changes\ndata: ${JSON.stringify(data)}\n\n`
const good = { revocations: [], caughtUp: true, restarted: true, knownAtMs: -1, pools: 'all' }

describe('What is no answer of a service', () => {
  const json =
    (status: number, body: unknown, headers = {}): RequestListener =>
    (_, response) => {
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(typeof body === 'string' ? body : JSON.stringify(body))
    }

  it.each<[string, RequestListener]>([
    ['an empty body', json(200, '')],
    ['HTML', json(200, '<html>')],
    ['null', json(200, 'null')],
    ['no matches', answering(() => ({}))],
    ['too few matches', answering(() => ({ matches: [] }))],
    ['too many matches', answering(() => ({ matches: [null, null] }))],
    ['false for null', answering(() => ({ matches: [false] }))],
    ['a match of another token', answering(() => ({ matches: [session('two')] }))],
    ['a match of another pool', answering(() => ({ matches: [{ ...record, poolId: 'us-east-1_B' }] }))],
    ['a match with a field more', answering(() => ({ matches: [{ ...record, more: 1 }] }))],
    ['a match that is not valid', answering(() => ({ matches: [{ ...record, expiresAt: 'never' }] }))],
    ['more than was asked for', answering(() => ({ matches: [null], more: 1 }))],
    ['the answer to no request', json(200, { matches: [null] })],
    ['the answer to another request', answering(() => ({ request: 'other', matches: [null] }))],
    ['204', json(204, '')],
    ['404', json(404, { matches: [null] })],
    ['a redirect', json(302, '', { location: 'http://127.0.0.1:1/' })],
    ['a compressed body', json(200, 'x', { 'content-encoding': 'gzip' })],
    [
      'a body without end',
      (_, response) => {
        response.writeHead(200)
        const write = () => response.write(' '.repeat(65_536)) && setImmediate(write)
        response.on('drain', write).on('error', () => {})
        write()
      },
    ],
  ])('is never taken for "not revoked": %s', async (_, handler) => {
    const store = await answeredBy(handler, { timeoutMs: 5_000 })
    expect(await errorOf(store.find(token))).toMatchObject({ code: 'store_protocol' })
  })

  it.each<[string, RequestListener]>([
    ['a proxy that cannot reach it', json(502, '<html>')],
    ['a proxy that has too many', json(429, '')],
    ['a connection that breaks', (request) => request.socket.destroy()],
    [
      'a body that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{')
        setTimeout(() => response.destroy(), 20)
      },
    ],
  ])('nor is this, which may be over soon: %s', async (_, handler) => {
    const store = await answeredBy(handler)
    expect(await errorOf(store.find(token))).toMatchObject({ code: 'store_unavailable' })
  })

  const quoting = { code: 'right_missing', detail: `${'.'.repeat(280)} ${KEY}` }
  it.each<[string, RequestListener]>([
    ['in a refusal', json(403, quoting)],
    ['in a refusal, in other letters', json(403, JSON.stringify(quoting).replace('test', '\\u0074est'))],
    ['in what is no JSON', json(200, KEY)],
    ['in a field', json(200, { [KEY]: 1 })],
    ['in what is no HTTP', (request) => request.socket.end(`HTTP/1.1 ${KEY}\r\n\r\n`)],
    ['in a stream, as a problem', opened(`event: problem\ndata: ${JSON.stringify(quoting)}\n\n`)],
    ['in a stream, as a field', opened(`${KEY}\n\n`)],
    ['in a stream, as data', opened(`event: changes\ndata: ${KEY}\n\n`)],
  ])('does not bring the key into an error by quoting it %s', async (_, handler) => {
    const store = await answeredBy(handler)
    for (const call of [() => store.find(token), () => store.add([record]), () => firstOf(store)]) {
      const error = await errorOf(call())
      expect(error).toBeInstanceOf(Error)
      const shown = inspect(error, { depth: 10, maxArrayLength: null })
      for (const text of [
        KEY,
        KEY.slice(0, 16),
        Buffer.from(KEY.slice(0, 16)).toString('hex').replaceAll(/..\B/g, '$& '),
      ]) {
        expect(shown).not.toContain(text)
      }
    }
  })

  it.each<[string, RequestListener]>([
    ['200', json(200, '{}')],
    ['204', json(204, '')],
    ['an answer to no request', json(200, { recorded: 1 })],
    ['the answer to another request', answering(() => ({ request: 'other', recorded: 1 }))],
    ['fewer than were sent', answering(() => ({ recorded: 0 }))],
    ['more than were sent', answering(() => ({ recorded: 2 }))],
    ['no number', answering(() => ({ recorded: '1' }))],
    ['an answer to a look-up', answering(() => ({ matches: [null] }))],
  ])('is never taken for "recorded": %s', async (_, handler) => {
    const store = await answeredBy(handler)
    expect(await errorOf(store.add([record]))).toMatchObject({ code: 'store_protocol' })
  })

  it.each<[string, RequestListener]>([
    ['JSON', json(200, {})],
    ['one that begins with something else', stream(changes(good))],
    ["one that is another request's", stream('event: open\ndata: {"request":"x"}\n\n', changes(good))],
    ['an unknown event', opened('event: news\ndata: {}\n\n')],
    ['no JSON', opened('event: changes\ndata: {\n\n')],
    ['a batch of nobody knows which pools', opened(changes({ ...good, pools: undefined }))],
    ['a batch of all pools but one', opened(changes({ ...good, pools: 'us-east-1_A' }))],
    ['a batch of a pool without a name', opened(changes({ ...good, pools: [''] }))],
    ['a batch without an age', opened(changes({ ...good, knownAtMs: null }))],
    ['a batch out of the future', opened(changes({ ...good, knownAtMs: 60_000 }))],
    ['a batch that is not sure', opened(changes({ ...good, caughtUp: 1 }))],
    ['a record that is not valid', opened(changes({ ...good, revocations: [{ ...record, id: '' }] }))],
    ['too many records', opened(changes({ ...good, revocations: Array(501).fill(record) }))],
    ['a cursor that is none', opened(`id: x\n${changes(good)}`)],
    ['an unknown field', opened('what: ever\n\n')],
    [
      'what is not UTF-8',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(Buffer.from([0xff, 0xfe, 0x0a]))
      },
    ],
    [
      'an event without end',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.on('error', () => {}).end(`data: ${'x'.repeat(2_000_000)}`)
      },
    ],
  ])('is an error of the feed: %s', async (_, handler) => {
    const store = await answeredBy(handler, { timeoutMs: 5_000 })
    expect(await errorOf(firstOf(store))).toMatchObject({ code: 'store_protocol' })
  })

  it('is an error of the feed: one that breaks off', async () => {
    const store = await answeredBy(opened(''))
    expect(await errorOf(firstOf(store))).toMatchObject({ code: 'store_unavailable' })
  })

  it('is an error of the feed: one that says nothing but comments', async () => {
    const chatty: RequestListener = (request, response) => {
      openStream(request, response)
      const timer = setInterval(() => response.write(': hello\n\n'), 10)
      response.on('close', () => clearInterval(timer))
    }
    const store = await answeredBy(chatty, { silenceMs: 100 })
    expect(await errorOf(firstOf(store))).toMatchObject({ message: expect.stringContaining('silent') })
  })
})

describe('The feed of an HttpRevocationStore', () => {
  it.each([
    ['an unknown key', [], 'does not know this API key'],
    ['a key that may not read', [{ ...ALL, rights: ['write'] as const }], 'right "read"'],
  ])('fails for %s with an error that says what to do', async (_, keys, said) => {
    const { client } = await served({ keys })
    const error = await errorOf(firstOf(client()))
    expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining(said) })
    expect(String(error)).not.toContain(KEY)
  })

  it('is old where a proxy keeps it back, however young it was when it was sent', async () => {
    const { listener, client } = await served()
    const proxy = await proxied(listener.port)
    const store = client({ url: `http://127.0.0.1:${proxy.port}` })
    const ages: number[] = []
    const knownAt: number[] = []
    let heldSince = Number.POSITIVE_INFINITY
    for await (const batch of store.changes({ signal: AbortSignal.timeout(15_000) })) {
      ages.push(batch.ageMs)
      knownAt.push(performance.now() - batch.ageMs)
      if (ages.length === 5) {
        heldSince = performance.now()
        await proxy.hang()
        setTimeout(() => void proxy.heal(), 300)
      }
      if (ages.length === 6) {
        // What comes first was sent before the network hung, or while it did not get through.
        expect(knownAt.at(-1)).toBeLessThan(heldSince + 300)
        break
      }
    }
  })

  it('is at least as old as the way took', async () => {
    const { listener, client } = await served()
    const proxy = await proxied(listener.port)
    await proxy.delay(150)
    const store = client({ url: `http://127.0.0.1:${proxy.port}` })
    let batches = 0
    for await (const { ageMs } of store.changes({ signal: AbortSignal.timeout(15_000) })) {
      // The answer's way; the request's makes it look older still.
      expect(ageMs).toBeGreaterThanOrEqual(149)
      if (++batches === 8) break
    }
  })

  it('makes a mirror look as stale as the service is', async () => {
    let age = 0
    const memory = new MemoryRevocationStore({ heartbeatMs: 20 })
    const stale = {
      add: memory.add.bind(memory),
      find: memory.find.bind(memory),
      async *changes(options: { signal: AbortSignal }): AsyncGenerator<ChangeBatch> {
        for await (const batch of memory.changes(options)) yield { ...batch, ageMs: batch.ageMs + age }
      },
    }
    const { client } = await served({ store: stale })
    const mirror = new RevocationMirror(client(), { maxStalenessMs: 5_000 })
    ends.push(() => mirror.close())
    await mirror.ready()
    age = 3_600_000
    await expect.poll(() => mirror.staleness(), { timeout: 10_000 }).toBeGreaterThan(3_000_000)
    expect(() => mirror.findSync(token)).toThrow()
  })

  it('goes on, through a mirror, when the service is restarted, and misses nothing', async () => {
    const store = new MemoryRevocationStore({ heartbeatMs: 20 })
    const first = await serve({ store })
    const mirror = new RevocationMirror(first.client({ timeoutMs: 1_000 }), { maxStalenessMs: 1_000 })
    ends.push(() => mirror.close())
    await mirror.ready()
    await first.service.close()
    await first.listener.close()
    await store.add([record])
    await served({ store, listen: { port: first.listener.port } })
    await expect.poll(() => mirror.size, { timeout: 10_000 }).toBe(1)
    expect(await mirror.find(token)).toMatchObject({ id: 'one' })
    await first.close()
  })

  it('is ended by the service after a time, and goes on without an error, with what is new only', async () => {
    const { client, store } = await served({ maxStreamMs: 120 })
    await store.add([record])
    const seen: string[] = []
    let restarts = 0
    const until = performance.now() + 1_200
    for await (const batch of client().changes({ signal: AbortSignal.timeout(15_000) })) {
      seen.push(...batch.revocations.map(({ id }) => id))
      if (batch.restarted) restarts += 1
      if (seen.length === 1) await store.add([session('two')])
      if (performance.now() > until) break
    }
    expect(seen.filter((id) => id === 'one')).toHaveLength(1)
    expect(seen).toContain('two')
    expect(restarts).toBe(1)
  })

  it('begins with everything after a stream that ended in the midst of everything', async () => {
    const resumed: (string | undefined)[] = []
    const store = await answeredBy((request, response) => {
      resumed.push(request.headers['last-event-id'] as string | undefined)
      const end = 'event: end\ndata: {"reason":"lifetime"}\n\n'
      const midst = { ...good, revocations: [record], caughtUp: false }
      opened(`id: a.b\n${changes(good)}${changes(midst)}${end}`)(request, response)
    })
    const cursors: string[] = []
    for await (const { cursor } of store.changes({ signal: AbortSignal.timeout(15_000) })) {
      cursors.push(cursor)
      if (cursors.length === 4) break
    }
    expect(cursors).toEqual(['a.b', '', 'a.b', ''])
    expect(resumed).toEqual([undefined, undefined])
  })

  it('tells of the user pools that its key is for, and of others only with everything', async () => {
    const { service, client } = await served({ keys: [{ ...ALL, pools: ['us-east-1_A', 'us-east-1_B'] }] })
    const told: unknown[] = []
    for await (const { pools, restarted } of client().changes({ signal: AbortSignal.timeout(15_000) })) {
      const before = told.at(-1)
      if (JSON.stringify(before) === JSON.stringify(pools)) continue
      expect(restarted).toBe(true)
      told.push(pools)
      if (told.length === 2) break
      service.replaceKeys([{ ...ALL, pools: ['us-east-1_A'] }])
    }
    expect(told).toEqual([['us-east-1_A', 'us-east-1_B'], ['us-east-1_A']])
  })

  it('does not make a mirror answer for user pools that its key is not for', async () => {
    const store = new MemoryRevocationStore({ heartbeatMs: 20 })
    const own = { ...ALL, pools: ['us-east-1_A', 'us-east-1_B'] }
    const { service, client } = await served({ store, keys: [own] })
    const mirror = new RevocationMirror(client(), { writeBack: false })
    ends.push(() => mirror.close())
    await mirror.ready()
    const [foreign, withdrawn] = ['us-east-1_C', 'us-east-1_B'].map((poolId) => ({ ...token, poolId }))
    if (foreign === undefined || withdrawn === undefined) throw new Error('impossible')
    expect(mirror.findSync(token)).toBeUndefined()
    expect(mirror.findSync(withdrawn)).toBeUndefined()
    expect(() => mirror.findSync(foreign)).toThrow()
    expect(await errorOf(mirror.find(foreign))).toBeInstanceOf(Error)
    service.replaceKeys([{ ...own, pools: ['us-east-1_A'] }])
    const knows = async () => (await errorOf(mirror.find(withdrawn))) === undefined
    await expect.poll(knows, { timeout: 10_000 }).toBe(false)
    await expect.poll(async () => (await errorOf(mirror.find(token))) === undefined).toBe(true)
  })

  it('tells of all with a key that is for all', async () => {
    const { client } = await served()
    const { value } = await firstOf(client())
    expect(value).toBeDefined()
    expect(value?.pools).toBeUndefined()
  })

  it.each<[string, RequestListener]>([
    ['in a stream', opened(changes(good) + changes({ ...good, restarted: false, pools: ['us-east-1_A'] }))],
    [
      'with another stream',
      (request, response) => {
        const isFirst = request.headers['last-event-id'] === undefined
        const event = isFirst ? good : { ...good, restarted: false, pools: ['us-east-1_A'] }
        opened(`id: a.b\n${changes(event)}event: end\ndata: {"reason":"lifetime"}\n\n`)(request, response)
      },
    ],
  ])('is not believed where it tells of other pools without beginning anew, %s', async (_, handler) => {
    const store = await answeredBy(handler)
    const feed = store.changes({ signal: AbortSignal.timeout(15_000) })
    expect((await feed.next()).value?.pools).toBeUndefined()
    expect(await errorOf(feed.next())).toMatchObject({ code: 'store_protocol' })
  })

  it('passes over that it has to wait for its turn', async () => {
    const waiting = 'event: waiting\ndata: {}\n\n'
    const store = await answeredBy(opened(`${waiting}${waiting}${changes(good)}`))
    expect((await firstOf(store)).value).toMatchObject({ caughtUp: true })
  })

  it('opens its stream again, and goes on where it was, when the clock of this machine is set', async () => {
    const resumed: (string | undefined)[] = []
    const store = await answeredBy((request, response) => {
      resumed.push(request.headers['last-event-id'] as string | undefined)
      const since = performance.now()
      openStream(request, response)
      const write = () => {
        const knownAtMs = performance.now() - since - 10
        const restarted = request.headers['last-event-id'] === undefined
        response.write(`id: a.b\n${changes({ ...good, restarted, knownAtMs })}`)
      }
      const timer = setInterval(write, 10)
      response.on('close', () => clearInterval(timer))
    })
    const now = Date.now
    ends.push(async () => {
      Date.now = now
    })
    let batches = 0
    for await (const { ageMs } of store.changes({ signal: AbortSignal.timeout(15_000) })) {
      batches += 1
      if (batches === 5) Date.now = () => now() + 60_000
      // What was counted from before would be as old as the step.
      if (batches > 5) expect(ageMs).toBeLessThan(60_000)
      if (batches === 10) break
    }
    expect(resumed).toEqual([undefined, 'a.b'])
  })
})
