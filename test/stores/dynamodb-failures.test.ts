import { describe, expect, it, vi } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import { DynamoDBRevocationStore } from '../../src/stores/dynamodb/index.js'
import { localClient } from '../support/dynalite.js'
import { dynamodbError, type Fate } from '../support/dynamodb-proxy.js'
import {
  afterTest,
  eventually,
  expectFound,
  idsOf,
  isRestarted,
  POOL,
  Reading,
  Scene,
  session,
  thrownBy,
  tokenOf,
  tokenOfUser,
  useDynalite,
  user,
} from './dynamodb-harness.js'

const dynalite = useDynalite()
const now = Math.floor(Date.now() / 1000)

/** What DynamoDB, or the network before it, does for a moment. */
const moments: readonly (readonly [string, Fate])[] = [
  ['the table is throttled', dynamodbError('ProvisionedThroughputExceededException')],
  ['the account is throttled', dynamodbError('RequestLimitExceeded')],
  ['the control plane throttles', dynamodbError('ThrottlingException')],
  ['DynamoDB fails inside', dynamodbError('InternalServerError', 500)],
  ['DynamoDB is not there', dynamodbError('ServiceUnavailable', 503)],
  ['something before it answers in HTML', { status: 502, body: '<html>Bad Gateway</html>' }],
  ['the connection breaks', 'cut'],
  ['the answer is lost', 'lose'],
]

describe.each(moments)('Where %s for a moment', (_, fate) => {
  it('an add, a look-up and a feed go on by themselves', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    // Every second request.
    scene.proxy.intercept = ({ index }) => (index % 2 === 0 ? fate : undefined)
    await store.add([session('a'), user('b', { cutoff: now })])
    await expectFound(store, [session('a'), user('b')])
    const reading = new Reading(store)
    expect(idsOf(await reading.catchUp())).toEqual(['a', 'b'])
    await store.add([session('c')])
    expect(idsOf(await reading.catchUp())).toContain('c')
    expect(isRestarted(reading.batches.slice(1))).toBe(false)
  })
})

describe.each(moments)('Where %s for good', (_, fate) => {
  it('everything rejects when its time is over', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ requestTimeoutMs: 150 })
    scene.proxy.intercept = () => fate
    const errors = await Promise.all([
      thrownBy(() => store.add([session('a')])),
      thrownBy(() => store.find(tokenOf('a'))),
      thrownBy(() => new Reading(store).next()),
    ])
    for (const error of errors) expect(error).toMatchObject({ code: 'store_unavailable' })
  })
})

describe('A DynamoDB that hangs', () => {
  it('makes everything reject when its time is over, and is asked again afterwards', async () => {
    const scene = await Scene.create(dynalite())
    const patient = scene.store()
    const store = scene.store({ requestTimeoutMs: 150 })
    await patient.add([session('a')])
    let hangs = true
    scene.proxy.intercept = () => (hangs ? new Promise(() => {}) : undefined)
    const errors = await Promise.all([
      thrownBy(() => store.add([session('b')])),
      thrownBy(() => store.find(tokenOf('a'))),
      thrownBy(() => new Reading(store).next()),
    ])
    for (const error of errors) expect(error).toMatchObject({ code: 'store_unavailable' })
    hangs = false
    await eventually(() => expectFound(store, [session('a')]))
  })

  it('does not hold up the end of a feed', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ requestTimeoutMs: 20_000 })
    let hangs = false
    scene.proxy.intercept = () => (hangs ? new Promise(() => {}) : undefined)
    const abort = new AbortController()
    const feed = store.changes({ signal: abort.signal })
    await feed.next()
    hangs = true
    const waiting = (async () => {
      for await (const _ of feed);
    })()
    const asked = scene.proxy.operations.length
    await eventually(() => expect(scene.proxy.operations.length).toBeGreaterThan(asked))
    abort.abort()
    await waiting
  })

  it('does not hold up its feeds where the store is closed', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ requestTimeoutMs: 20_000 })
    scene.proxy.intercept = () => new Promise(() => {})
    const next = store.changes({ signal: new AbortController().signal }).next()
    await store.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('has its answers disbelieved that come to a process which was stopped', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ requestTimeoutMs: 5_000 })
    scene.proxy.intercept = () => {
      const later = performance.now() + 6_000
      vi.spyOn(performance, 'now').mockImplementation(() => later)
      return undefined
    }
    expect(await thrownBy(() => store.find(tokenOf('a')))).toMatchObject({ code: 'store_unavailable' })
  })

  it('is not asked without end by a client that keeps what it cannot send', async () => {
    const scene = await Scene.create(dynalite())
    const release: (() => void)[] = []
    const send = () => new Promise((_, reject) => release.push(() => reject(new Error('never sent'))))
    const store = scene.store({ client: { config: {}, send } as never, requestTimeoutMs: 1_000 })
    const find = () => thrownBy(() => store.find(tokenOf('a')))
    const errors = await Promise.all(Array.from({ length: 10_050 }, find))
    expect(errors.filter(({ message }) => /10000 requests wait/.test(message))).toHaveLength(50)
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['store_unavailable']))
    // Also when nobody waits for them any more.
    expect((await find()).message).toMatch(/10000 requests wait/)
    for (const settle of release) settle()
    await eventually(async () => expect((await find()).message).not.toMatch(/requests wait/))
  })
})

describe('A DynamoDB that is slow, but never too slow', () => {
  it('makes an add reject after three times the time of a request', async () => {
    const scene = await Scene.create(dynalite())
    const patient = scene.directStore()
    await patient.add([user('a', { cutoff: now, expiresAt: now + 60 })])
    const store = scene.store({ requestTimeoutMs: 500 })
    scene.proxy.delayMs = 350
    // It takes five requests: the one is larger here, the other there.
    const add = () => store.add([user('a', { cutoff: now - 5, expiresAt: now + 90 })])
    expect(await thrownBy(add)).toMatchObject({ code: 'store_unavailable' })
  })
})

describe('A reading of everything that DynamoDB throttles', () => {
  it('goes on from where it is, giving signs of life, and does not begin anew', async () => {
    const scene = await Scene.create(dynalite())
    // A poll that is not throttled must be answered in time, on however busy a machine.
    const store = scene.store({ requestTimeoutMs: 400 })
    const ids = Array.from({ length: 12 }, (_, index) => `s${index}`)
    await scene.directStore().add(ids.map((id) => session(id)))
    const starts: unknown[] = []
    let throttled = 0
    let isThrottling = true
    scene.proxy.intercept = ({ operation, body, forward }) => {
      if (operation === 'GetItem' && throttled > 0 && throttled % 4 === 0) {
        return dynamodbError('ProvisionedThroughputExceededException')
      }
      if (operation !== 'Scan') return undefined
      starts.push(body.ExclusiveStartKey)
      if (isThrottling && starts.length > 3) {
        throttled += 1
        return dynamodbError('ProvisionedThroughputExceededException')
      }
      return forward({ ...body, Limit: 4 })
    }
    const reading = new Reading(store)
    await eventually(async () => {
      await reading.next()
      expect(throttled).toBeGreaterThan(10)
    })
    expect(reading.batches.at(-1)?.caughtUp).toBe(false)
    isThrottling = false
    throttled = 0
    await reading.catchUp()
    expect(idsOf(reading.batches)).toEqual(ids.sort())
    expect(reading.batches.filter(({ restarted }) => restarted)).toHaveLength(1)
    expect(starts.filter((start) => start === undefined)).toHaveLength(1)
  })

  it('is told where it is not permitted', async () => {
    const scene = await Scene.create(dynalite())
    scene.proxy.intercept = ({ operation }) =>
      operation === 'Scan' ? dynamodbError('AccessDeniedException') : undefined
    const error = await thrownBy(() => new Reading(scene.store()).catchUp())
    expect(error).toMatchObject({ code: 'store_unavailable' })
  })
})

describe('What DynamoDB leaves unprocessed', () => {
  it('is asked for again, until all is answered', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    await store.add([{ poolId: POOL, scope: 'pool', id: POOL, expiresAt: now + 60 }])
    const sizes: number[] = []
    scene.proxy.intercept = async ({ body, forward }) => {
      const [[table, request]] = Object.entries(body.RequestItems) as [[string, { Keys: unknown[] }]]
      sizes.push(request.Keys.length)
      const [first, ...left] = request.Keys
      const { status, body: answer } = await forward({
        RequestItems: { [table]: { ...request, Keys: [first] } },
      })
      const UnprocessedKeys = left.length > 0 ? { [table]: { ...request, Keys: left } } : {}
      return { status, body: { ...(answer as object), UnprocessedKeys } }
    }
    const token = { ...tokenOf('a'), jti: 'b' }
    expect(await store.find(token)).toMatchObject({ scope: 'pool' })
    expect(sizes).toEqual([5, 4, 3, 2, 1])
  })

  it('for good makes a look-up reject, though a part was answered', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ requestTimeoutMs: 150 })
    scene.proxy.intercept = ({ body }) => ({
      status: 200,
      body: { Responses: {}, UnprocessedKeys: body.RequestItems },
    })
    expect(await thrownBy(() => store.find(tokenOf('a')))).toMatchObject({ code: 'store_unavailable' })
  })
})

describe('A look-up', () => {
  const key = (id: string) => ({ pk: { S: `u:${POOL}:${id}` }, sk: { N: '0' } })
  const whole = { ...key('a'), expiresAt: { N: '1' }, cutoff: { N: '5' } }
  const answers: readonly (readonly [string, (table: string) => unknown])[] = [
    ['no object', () => []],
    ['nothing', () => ({})],
    ['another table', () => ({ Responses: { other: [] } })],
    ['an item that was not asked for', (table) => ({ Responses: { [table]: [{ ...whole, ...key('b') }] } })],
    ['an item twice', (table) => ({ Responses: { [table]: [whole, whole] } })],
    ['an item without its key', (table) => ({ Responses: { [table]: [{ expiresAt: { N: '1' } }] } })],
    [
      'an item without its time',
      (table) => ({ Responses: { [table]: [{ ...key('a'), cutoff: { N: '5' } }] } }),
    ],
    [
      'an item without its cutoff',
      (table) => ({ Responses: { [table]: [{ ...key('a'), expiresAt: { N: '1' } }] } }),
    ],
    [
      'a time that is no number',
      (table) => ({ Responses: { [table]: [{ ...whole, expiresAt: { S: '1' } }] } }),
    ],
    [
      'a cutoff that is no number',
      (table) => ({ Responses: { [table]: [{ ...whole, cutoff: { N: 'x' } }] } }),
    ],
    ['a negative cutoff', (table) => ({ Responses: { [table]: [{ ...whole, cutoff: { N: '-1' } }] } })],
    [
      'unprocessed keys that were not asked for',
      (table) => ({ Responses: { [table]: [] }, UnprocessedKeys: { [table]: { Keys: [key('b')] } } }),
    ],
  ]

  it.each(answers)('rejects where it is answered by %s', async (_, answer) => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    scene.proxy.intercept = () => ({ status: 200, body: answer(scene.tableName) })
    expect(await thrownBy(() => store.find(tokenOfUser('a')))).toMatchObject({ code: 'store_protocol' })
  })

  it.each(['', '<html>Sign in to the hotel</html>', '{"Responses":'])(
    'rejects where it is answered by what is no JSON: %j',
    async (body) => {
      const scene = await Scene.create(dynalite())
      scene.proxy.intercept = () => ({ status: 200, body })
      const error = await thrownBy(() => scene.store().find(tokenOfUser('a')))
      expect(['store_protocol', 'store_unavailable']).toContain(error.code)
    },
  )

  it('takes a cutoff beyond all times for none: it fails closed', async () => {
    const scene = await Scene.create(dynalite())
    await scene.put({ ...whole, cutoff: { N: '1000000000000000' } })
    expect(await scene.store().find(tokenOfUser('a'))).toEqual({ ...user('a'), expiresAt: 1 })
  })

  it('asks with one consistent read for all five keys', async () => {
    const scene = await Scene.create(dynalite())
    const bodies: { RequestItems: Record<string, { Keys: unknown[]; ConsistentRead: boolean }> }[] = []
    scene.proxy.intercept = ({ body }) => {
      bodies.push(body)
      return undefined
    }
    await scene.store().find({ ...tokenOf('a'), jti: 'b' })
    expect(bodies).toHaveLength(1)
    const request = bodies[0]?.RequestItems[scene.tableName]
    expect(request?.Keys).toHaveLength(5)
    expect(request?.ConsistentRead).toBe(true)
  })
})

describe('What is set up wrongly', () => {
  it('is told: no table', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ tableName: 'no-such-table' })
    const error = await thrownBy(() => store.find(tokenOf('a')))
    expect(error).toMatchObject({ code: 'store_unavailable' })
    expect(error.message).toContain('createTable')
  })

  it('is told: no rights', async () => {
    const scene = await Scene.create(dynalite())
    scene.proxy.intercept = () => dynamodbError('AccessDeniedException')
    const error = await thrownBy(() => scene.store().find(tokenOf('a')))
    expect(error).toMatchObject({ code: 'store_unavailable' })
    expect(error.message).toContain('IAM')
    expect(scene.proxy.operations).toHaveLength(1)
  })

  it('is told: another table', async () => {
    const scene = await Scene.create(dynalite())
    scene.proxy.intercept = () => dynamodbError('ValidationException')
    expect(await thrownBy(() => scene.store().find(tokenOf('a')))).toMatchObject({ code: 'store_protocol' })
  })

  it('is told: no credentials', async () => {
    const scene = await Scene.create(dynalite())
    const credentials = async () => {
      throw new Error('no credentials here')
    }
    const client = localClient(scene.proxy.endpoint, { credentials })
    const error = await thrownBy(() => scene.store({ client }).find(tokenOf('a')))
    expect(error).toMatchObject({ code: 'store_unavailable' })
    expect(error.message).toContain('no credentials here')
  })

  it('does not wait for credentials that never come', async () => {
    const scene = await Scene.create(dynalite())
    const client = localClient(scene.proxy.endpoint, { credentials: () => new Promise(() => {}) })
    const store = scene.store({ client, requestTimeoutMs: 150 })
    expect(await thrownBy(() => store.find(tokenOf('a')))).toMatchObject({ code: 'store_unavailable' })
  })
})

/** A promise that is kept when somebody says so. */
function createGate() {
  let resolve = (): void => {}
  const promise = new Promise<undefined>((done) => {
    resolve = () => done(undefined)
  })
  return { promise, resolve: () => resolve() }
}

/** Empties the table. It is lost at once: no request gets at it, or is answered by it, before all is gone. */
async function lose(scene: Scene): Promise<void> {
  const { promise: lost, resolve: open } = createGate()
  scene.proxy.intercept = () => lost
  for (let items = await scene.items(); items.length > 0; items = await scene.items()) {
    for (const item of items) await scene.delete(item)
  }
  open()
}

describe('A mirror over DynamoDB', () => {
  const records = [session('a'), user('b', { cutoff: now })]
  const open = (scene: Scene) => {
    const mirror = new RevocationMirror(scene.store(), { maxStalenessMs: 2_000 })
    afterTest(() => mirror.close())
    return mirror
  }

  it('gives back to the table what it has lost', async () => {
    const scene = await Scene.create(dynalite())
    const mirror = open(scene)
    await mirror.add(records)
    await eventually(() => mirror.ready())
    await lose(scene)
    const store = scene.directStore()
    await eventually(() => expectFound(store, records))
  })

  it.each<readonly [string, readonly Revocation[]]>([
    ['and nobody has added anything since', []],
    ['and somebody else has added since', [session('c')]],
  ])('does so though it was lost before the feed told of the first: %s', async (_, others) => {
    const scene = await Scene.create(dynalite())
    const mirror = open(scene)
    await eventually(() => mirror.ready())
    const { promise, resolve: goOn } = createGate()
    let isHeld = false
    // The polls of the feed.
    scene.proxy.intercept = ({ operation }) => {
      if (operation !== 'GetItem') return undefined
      isHeld = true
      return promise
    }
    await eventually(() => expect(isHeld).toBe(true))
    await mirror.add(records)
    await lose(scene)
    const store = scene.directStore()
    await store.add(others)
    goOn()
    await eventually(() => expectFound(store, [...records, ...others]))
  })

  it('refuses what it knows, and answers 503 for all else, while DynamoDB is away', async () => {
    const scene = await Scene.create(dynalite())
    const mirror = new RevocationMirror(scene.store(), { maxStalenessMs: 500 })
    afterTest(() => mirror.close())
    await mirror.add([session('a')])
    await eventually(() => mirror.ready())
    scene.proxy.intercept = () => dynamodbError('AccessDeniedException')
    await eventually(async () => {
      expect(await thrownBy(() => mirror.find(tokenOf('b')))).toMatchObject({
        code: 'revocation_unavailable',
      })
    })
    expect(await mirror.find(tokenOf('a'))).toBeDefined()
    scene.proxy.intercept = () => undefined
    await eventually(async () => expect(await mirror.find(tokenOf('b'))).toBeUndefined())
  })
})

describe('Closing', () => {
  it('leaves the client open, and add and find as they are', async () => {
    const scene = await Scene.create(dynalite())
    await using store = scene.store()
    await store.close()
    await store.add([session('a')])
    await expectFound(store, [session('a')])
  })
})

describe('The options', () => {
  const client = localClient('http://127.0.0.1:1')
  const base = { client, tableName: 'revocations' }

  it.each<readonly [string, object]>([
    ['client', { client: undefined }],
    ['client', { client: {} }],
    ['client', { client: 'http://127.0.0.1' }],
    ['tableName', { tableName: undefined }],
    ['tableName', { tableName: '' }],
    ['tableName', { tableName: 'ab' }],
    ['tableName', { tableName: 'a b c' }],
    ['tableName', { tableName: 'arn:aws:dynamodb:us-east-1:1:table/revocations' }],
    ['pollIntervalMs', { pollIntervalMs: 9 }],
    ['pollIntervalMs', { pollIntervalMs: 60_001 }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: 20_001 }],
    ['feedRetentionSeconds', { feedRetentionSeconds: 600 }],
    ['feedRetentionSeconds', { feedRetentionSeconds: 86_400.5 }],
    ['reconcileIntervalMs', { reconcileIntervalMs: Number.POSITIVE_INFINITY }],
    ['table', { table: 'x' }],
  ])('are checked: %s', (option, wrong) => {
    expect(() => new DynamoDBRevocationStore({ ...base, ...wrong } as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(`"${option}"`) }),
    )
  })

  it('are few: a client and a table will do', () => {
    expect(() => new DynamoDBRevocationStore(base)).not.toThrow()
  })
})
