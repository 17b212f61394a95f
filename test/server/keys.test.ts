import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import { type ApiKeyOptions, RevocationService } from '../../src/server/index.js'
import {
  ALL,
  eventsOf,
  hasCaughtUp,
  KEY,
  OTHER,
  post,
  send,
  serve,
  session,
  tokenOf,
} from '../support/http-service.js'

const [A, B] = ['us-east-1_A', 'us-east-1_B']

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function served(...keys: ApiKeyOptions[]) {
  const scene = await serve({ keys })
  ends.push(scene.close)
  return scene
}

const add = (url: string, poolId: string, key: string) =>
  post(url, '/v1/revocations', { revocations: [session('one', poolId)] }, { key })
const find = (url: string, poolId: string, key: string) =>
  post(url, '/v1/find', { tokens: [tokenOf(session('one', poolId))] }, { key })
const codeOf = async (answer: Promise<Response>) => ((await (await answer).json()) as { code?: string }).code

describe('The keys of a RevocationService', () => {
  const create = (key: unknown) =>
    new RevocationService({ store: new MemoryRevocationStore(), keys: [key as ApiKeyOptions] })

  it.each([
    ['that is shorter than 32 bytes', { id: 'a', key: 'x'.repeat(31) }, 'keys.key'],
    ['with what no header can hold', { id: 'a', key: `${'x'.repeat(40)}\n` }, 'keys.key'],
    ['that is not ASCII', { id: 'a', key: 'ä'.repeat(40) }, 'keys.key'],
    ['without key and digest', { id: 'a' }, 'keys'],
    ['with both', { id: 'a', key: KEY, sha256: 'a'.repeat(64) }, 'keys'],
    ['with a short digest', { id: 'a', sha256: 'ab' }, 'keys.sha256'],
    ['without a name', { key: KEY }, 'keys.id'],
    ['with an unknown right', { id: 'a', key: KEY, rights: ['admin'] }, 'keys.rights'],
    ['with rights as a string', { id: 'a', key: KEY, rights: 'read' }, 'keys.rights'],
    ['with pools as a string', { id: 'a', key: KEY, pools: A }, 'keys.pools'],
    ['with an empty pool', { id: 'a', key: KEY, pools: [''] }, 'keys.pools'],
    ['with an unknown option', { id: 'a', key: KEY, pool: A }, '"pool"'],
  ])('refuse one %s, naming it and not showing the key', (_, key, named) => {
    expect(() => create(key)).toThrow(TypeError)
    expect(() => create(key)).toThrow(named)
    expect(() => create(key)).not.toThrow(KEY)
  })

  it('refuse the same name, and the same key, twice', () => {
    const store = new MemoryRevocationStore()
    const make = (keys: ApiKeyOptions[]) => new RevocationService({ store, keys })
    expect(() => make([ALL, { ...ALL, key: OTHER }])).toThrow(TypeError)
    expect(() => make([ALL, { ...ALL, id: 'other' }])).toThrow(TypeError)
  })

  it('are known by their digest, so that the configuration need not hold them', async () => {
    const sha256 = createHash('sha256').update(KEY).digest('hex')
    const { url } = await served({ id: 'a', sha256, rights: ['read'], pools: [A] })
    expect((await find(url, A, KEY)).status).toBe(200)
    expect((await find(url, A, sha256)).status).toBe(401)
  })

  it('give no right, and no pool, unless it is named', async () => {
    const { url } = await served({ id: 'a', key: KEY }, { id: 'b', key: OTHER, rights: ['read', 'write'] })
    expect(await codeOf(find(url, A, KEY))).toBe('right_missing')
    expect(await codeOf(add(url, A, OTHER))).toBe('pool_not_allowed')
    expect(await codeOf(find(url, A, OTHER))).toBe('pool_not_allowed')
  })

  it('keep reading and writing apart', async () => {
    const { url } = await served(
      { id: 'reader', key: KEY, rights: ['read'], pools: [A] },
      { id: 'writer', key: OTHER, rights: ['write'], pools: [A] },
    )
    expect(await codeOf(add(url, A, KEY))).toBe('right_missing')
    expect(await codeOf(find(url, A, OTHER))).toBe('right_missing')
    expect(await codeOf(send(url, '/v1/changes', { key: OTHER }))).toBe('right_missing')
    expect((await add(url, A, OTHER)).status).toBe(200)
    expect((await find(url, A, KEY)).status).toBe(200)
  })

  it('keep user pools apart: nothing is recorded of a call that has another in it', async () => {
    const { url, store } = await served({ id: 'a', key: KEY, rights: ['read', 'write'], pools: [A] })
    const [own, foreign] = [session('one', A), session('two', B)]
    const answer = await post(url, '/v1/revocations', { revocations: [own, foreign] })
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ code: 'pool_not_allowed', field: 'revocations[1].poolId' })
    expect(await store.find(tokenOf(own))).toBeUndefined()
    expect(await codeOf(find(url, B, KEY))).toBe('pool_not_allowed')
  })

  it('show in the feed their own pools only', async () => {
    const { url, store } = await served({ id: 'a', key: KEY, rights: ['read'], pools: [A] })
    await store.add([session('one', A), session('two', B)])
    const stream = await send(url, '/v1/changes')
    const events = await eventsOf(stream, hasCaughtUp)
    const seen = events.flatMap(({ data }) => data.revocations ?? [])
    expect(seen.map(({ id }) => id)).toEqual(['one'])
  })

  it.each([
    ['no key', undefined, 'key_missing'],
    ['another scheme', `Basic ${KEY}`, 'key_missing'],
    ['a wrong key', `Bearer ${KEY}x`, 'key_unknown'],
    ['an empty key', 'Bearer ', 'key_missing'],
    ['two keys', `Bearer ${KEY} ${KEY}`, 'key_missing'],
    ['an enormous key', `Bearer ${'x'.repeat(4_000)}`, 'key_missing'],
  ])('are asked for: %s is a 401 with WWW-Authenticate', async (_, authorization, code) => {
    const { url } = await served(ALL)
    const headers = authorization === undefined ? {} : { authorization }
    const answer = await fetch(`${url}/v1/changes`, { headers })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(await answer.json()).toMatchObject({ code })
  })

  it('can be replaced while the service runs: old and new hold side by side, then the old one does not', async () => {
    const { url, service } = await served(ALL)
    const next = { ...ALL, id: 'next', key: OTHER }
    service.replaceKeys([ALL, next])
    expect((await find(url, A, KEY)).status).toBe(200)
    expect((await find(url, A, OTHER)).status).toBe(200)
    service.replaceKeys([next])
    expect((await find(url, A, KEY)).status).toBe(401)
    expect((await find(url, A, OTHER)).status).toBe(200)
  })

  it('stay as they were where the new ones are not valid', async () => {
    const { url, service } = await served(ALL)
    expect(() => service.replaceKeys([{ id: 'a', key: 'short' }])).toThrow(TypeError)
    expect((await find(url, A, KEY)).status).toBe(200)
  })

  const withdrawn: [string, ApiKeyOptions[]][] = [
    ['withdrawn', []],
    ['given other pools', [{ ...ALL, pools: [A] }]],
    ['not allowed to read any more', [{ ...ALL, rights: ['write'] }]],
  ]
  it.each(withdrawn)(
    'end their streams at once when they are %s, and bring nothing more',
    async (_, keys) => {
      const { url, service, store } = await served(ALL)
      const stream = await send(url, '/v1/changes')
      const reading = eventsOf(stream)
      await store.add([session('before')])
      service.replaceKeys(keys)
      await store.add([session('after')])
      const events = await reading
      expect(events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'key_changed' } })
      const seen = events.flatMap(({ data }) => data.revocations ?? []).map(({ id }) => id)
      expect(seen).not.toContain('after')
    },
  )

  it('go on with their streams where they stay', async () => {
    const { service, store, client } = await served(ALL)
    const signal = AbortSignal.timeout(15_000)
    const feed = client().changes({ signal })
    await feed.next()
    service.replaceKeys([
      { ...ALL, id: 'renamed' },
      { ...ALL, id: 'b', key: OTHER },
    ])
    await store.add([session('after')])
    const seen: string[] = []
    for await (const { revocations } of feed) {
      seen.push(...revocations.map(({ id }) => id))
      if (seen.includes('after')) break
    }
    expect(signal.aborted).toBe(false)
  })

  it('that get more pools have the older records of these too, though the client has a cursor', async () => {
    const { service, store, client } = await served({ ...ALL, pools: [A] })
    await store.add([session('one', A), session('two', B)])
    const seen: string[] = []
    for await (const { revocations, caughtUp } of client().changes({ signal: AbortSignal.timeout(15_000) })) {
      seen.push(...revocations.map(({ id }) => id))
      if (seen.includes('two')) break
      if (caughtUp) service.replaceKeys([{ ...ALL, pools: [A, B] }])
    }
    expect(seen[0]).toBe('one')
    expect(seen).toContain('two')
  })
})
