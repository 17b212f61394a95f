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
    const server = await listen((request, response) => {
      paths.push(request.url)
      response.end('{"matches":[null]}')
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
    const store = await answeredBy(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const { tokens } = JSON.parse(Buffer.concat(chunks).toString())
      counts.push(tokens.length)
      response.end(JSON.stringify({ matches: tokens.map(() => null) }))
    })
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

  it('sends again what went out on a connection that was just closed', async () => {
    const { client, store: memory, listener } = await served({ listen: { keepAliveTimeoutMs: 10 } })
    const proxy = await proxied(listener.port)
    const store = client({ url: `http://127.0.0.1:${proxy.port}` })
    for (let time = 0; time < 20; time++) {
      await store.add([session(`s${time}`)])
      await new Promise((resolve) => setTimeout(resolve, 12))
    }
    expect(await memory.find(tokenOf(session('s19')))).toBeDefined()
  })
})

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
    ['no matches', json(200, {})],
    ['too few matches', json(200, { matches: [] })],
    ['too many matches', json(200, { matches: [null, null] })],
    ['undefined for null', json(200, '{"matches":[false]}')],
    ['a match of another token', json(200, { matches: [session('two')] })],
    ['a match of another pool', json(200, { matches: [{ ...record, poolId: 'us-east-1_B' }] })],
    ['a match with a field more', json(200, { matches: [{ ...record, more: 1 }] })],
    ['a match that is not valid', json(200, { matches: [{ ...record, expiresAt: 'never' }] })],
    ['more than was asked for', json(200, { matches: [null], more: 1 })],
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

  it('does not bring the key into an error by quoting it', async () => {
    const quoting = json(403, { code: 'right_missing', detail: `You sent ${KEY}` })
    const store = await answeredBy(quoting)
    for (const call of [() => store.find(token), () => store.add([record]), () => firstOf(store)]) {
      const error = await errorOf(call())
      expect(error).toMatchObject({ message: expect.stringContaining('You sent [key]') })
      expect(inspect(error)).not.toContain(KEY)
    }
  })

  it('is never taken for "recorded": 200', async () => {
    const store = await answeredBy(json(200, '{}'))
    expect(await errorOf(store.add([record]))).toMatchObject({ code: 'store_protocol' })
  })

  const stream =
    (...events: string[]): RequestListener =>
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''))
    }
  const opened =
    (text: string): RequestListener =>
    (request, response) => {
      const id = new URL(`http://localhost${request.url}`).searchParams.get('request')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`event: open\ndata: {"request":"${id}"}\n\n${text}`)
    }
  const changes = (data: object) => `event: changes\ndata: ${JSON.stringify(data)}\n\n`
  const good = { revocations: [], caughtUp: true, restarted: true, knownAtMs: -1 }

  it.each<[string, RequestListener]>([
    ['JSON', json(200, {})],
    ['one that begins with something else', stream(changes(good))],
    ["one that is another request's", stream('event: open\ndata: {"request":"x"}\n\n', changes(good))],
    ['an unknown event', opened('event: news\ndata: {}\n\n')],
    ['no JSON', opened('event: changes\ndata: {\n\n')],
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
      const id = new URL(`http://localhost${request.url}`).searchParams.get('request')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: open\ndata: {"request":"${id}"}\n\n`)
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
})
