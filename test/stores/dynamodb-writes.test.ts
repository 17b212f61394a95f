import { DeleteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeExtents, type Revocation } from '../../src/revocation/revocation.js'
import { DynamoDBRevocationStore } from '../../src/stores/dynamodb/index.js'
import { dynamodbError, type Fate } from '../support/dynamodb-proxy.js'
import {
  expectFound,
  idsOf,
  POOL,
  Reading,
  Scene,
  session,
  thrownBy,
  tokenOfUser,
  useDynalite,
  user,
} from './dynamodb-harness.js'

const dynalite = useDynalite()
const now = Math.floor(Date.now() / 1000)
const HOUR = 3_600

describe('An item of a DynamoDBRevocationStore', () => {
  it('may be deleted by DynamoDB an hour after it is over, and not before', async () => {
    const scene = await Scene.create(dynalite())
    await scene
      .store()
      .add([session('a', { expiresAt: now + 0.5 }), user('b', { expiresAt: now, cutoff: now })])
    const items = await scene.items()
    expect(items.find(({ pk }) => pk?.S === `s:${POOL}:a`)).toEqual({
      pk: { S: `s:${POOL}:a` },
      sk: { N: '0' },
      expiresAt: { N: String(now + 0.5) },
      purgeAt: { N: String(now + HOUR + 1) },
    })
    expect(items.find(({ pk }) => pk?.S === `u:${POOL}:b`)).toEqual({
      pk: { S: `u:${POOL}:b` },
      sk: { N: '0' },
      expiresAt: { N: String(now) },
      purgeAt: { N: String(now + HOUR) },
      cutoff: { N: String(now) },
    })
  })

  it('lives as much longer as its record does', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    await store.add([user('b', { expiresAt: now + 10, cutoff: now })])
    await store.add([user('b', { expiresAt: now + 99, cutoff: now - 5 })])
    await store.add([user('b', { expiresAt: now + 20, cutoff: now + 5 })])
    const [item] = (await scene.items()).filter(({ pk }) => pk?.S?.startsWith('u:'))
    expect(item).toMatchObject({
      expiresAt: { N: String(now + 99) },
      purgeAt: { N: String(now + 99 + HOUR) },
      cutoff: { N: String(now + 5) },
    })
  })
})

describe('Adding', () => {
  it('takes one request for a new record, one for its number, one to announce it', async () => {
    const scene = await Scene.create(dynalite())
    await scene.store().add([user('a', { cutoff: now })])
    expect(scene.proxy.operations).toEqual(['UpdateItem', 'UpdateItem', 'PutItem'])
  })

  it('sends nothing for an empty list', async () => {
    const scene = await Scene.create(dynalite())
    await scene.store().add([])
    expect(scene.proxy.operations).toEqual([])
  })

  it('announces in several items what is too much for one', async () => {
    const scene = await Scene.create(dynalite())
    const long = { revokedAt: now, reason: '日'.repeat(1_024), actor: '\u0001'.repeat(1_024) }
    const records = Array.from({ length: 60 }, (_, index) => session(`long ${index}`, { audit: long }))
    const store = scene.store()
    await store.add([session('first')])
    const reading = new Reading(store)
    await reading.catchUp()
    await store.add(records)
    const announced = (await reading.catchUp()).flatMap(({ revocations }) => revocations)
    expect(announced).toEqual(records)
    const items = await scene.announcements()
    expect(items.length).toBeGreaterThan(5)
    for (const { records: text } of items) expect(text?.S?.length).toBeLessThan(100_000)
  })

  it('keeps what was checked, whatever the caller makes of his records meanwhile', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    const record = { ...session('mine') }
    const added = store.add([record])
    record.id = 'changed'
    await added
    await expectFound(store, [session('mine')])
    expect((await scene.announcements())[0]?.records?.S).toContain('mine')
  })
})

describe('An item that is no whole record', () => {
  it.each([
    ['a session without its time', session('a'), {}],
    ['a user without its time', user('a', { cutoff: now }), { cutoff: { N: '5' } }],
    ['a user without its cutoff', user('a', { cutoff: now }), { expiresAt: { N: '5' } }],
    ['a user without either', user('a', { cutoff: now }), {}],
  ])('is made one by who adds it: %s', async (_, record, attributes) => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    await scene.put({
      pk: { S: `${record.scope === 'user' ? 'u' : 's'}:${POOL}:a` },
      sk: { N: '0' },
      ...attributes,
    })
    await store.add([record])
    await expectFound(store, [record])
    expect(idsOf(await new Reading(store).catchUp())).toEqual(['a'])
  })

  it.each([
    ['a record without its time', `s:${POOL}:a`, '0', {}],
    ['a record under another sort key', `s:${POOL}:a`, '1', { expiresAt: { N: '5' } }],
    ["somebody else's", 'order 17', '0', { price: { N: '5' } }],
  ])('is an error to who reads everything: %s', async (_, pk, sk, attributes) => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    await store.add([session('b')])
    await scene.put({ pk: { S: pk }, sk: { N: sk }, ...attributes })
    expect(await thrownBy(() => new Reading(store).catchUp())).toMatchObject({ code: 'store_protocol' })
  })
})

/** A crash is a request that fails, after which nothing more is sent. */
const crashes: readonly (readonly [string, Fate])[] = [
  ['is not sent', 'cut'],
  ['is done, but its answer is lost', 'lose'],
  ['is refused', dynamodbError('AccessDeniedException')],
]

describe.each(crashes)('Where a request of an add %s', (_, fate) => {
  it('nothing is acknowledged by halves, whichever it is, and adding again completes it', async () => {
    for (let failing = 0; ; failing++) {
      const scene = await Scene.create(dynalite())
      const reader = scene.directStore()
      const reading = new Reading(reader)
      // The one of these is larger here, the other there: so every kind of request is sent.
      const held = [user('a', { cutoff: now - 9, expiresAt: now + 900 }), user('b', { cutoff: now - 1 })]
      await reader.add(held)
      await reading.catchUp()
      const store = scene.store()
      const adds = [user('a', { cutoff: now, expiresAt: now + 60 }), session('c'), user('b')]
      let crashed = false
      scene.proxy.intercept = ({ index }) => {
        if (index === failing) crashed = true
        // What it tries again is not done either, and told at once.
        if (index > failing) return dynamodbError('AccessDeniedException')
        return index === failing ? fate : undefined
      }
      const failed = await store.add(adds).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (!crashed) {
        expect(failed).toBeUndefined()
        expect(failing).toBeGreaterThan(6)
        return
      }
      expect(failed, `request ${failing}`).toMatchObject({ code: 'store_unavailable' })
      // What was acknowledged before is found all the while.
      expect(await reader.find(tokenOfUser('a', { iat: now - 9 }))).toBeDefined()
      expect(await reader.find(tokenOfUser('b', { iat: now - 1 }))).toBeDefined()
      await reading.catchUp()
      scene.proxy.intercept = () => undefined
      await store.add(adds)
      expect(await reader.find(tokenOfUser('a', { iat: now }))).toMatchObject({
        cutoff: now,
        expiresAt: now + 900,
      })
      expect(await reader.find(tokenOfUser('b', { iat: now + 99 }))).toBeDefined()
      const seen = await reading.catchUp()
      expect(idsOf(seen)).toEqual(['a', 'b', 'c'])
      await reading.end()
    }
  }, 60_000)
})

/** As DynamoDB's TTL does. */
async function deleteIfOver(scene: Scene, id: string): Promise<void> {
  const command = new DeleteItemCommand({
    TableName: scene.tableName,
    Key: { pk: { S: `u:${POOL}:${id}` }, sk: { N: '0' } },
    ConditionExpression: 'purgeAt < :now',
    ExpressionAttributeValues: { ':now': { N: String(now) } },
  })
  await scene.admin.send(command).catch((error: Error) => {
    if (error.name !== 'ConditionalCheckFailedException') throw error
  })
}

describe('Concurrent adds, in whatever order their requests arrive', () => {
  const extent = fc.record(
    { cutoff: fc.integer({ min: now - 4, max: now }), expiresAt: fc.integer({ min: now - 3, max: now + 3 }) },
    { requiredKeys: ['expiresAt'] },
  )
  const merged = (records: readonly Revocation[]) => {
    const { cutoff, expiresAt } = records.reduce<Pick<Revocation, 'cutoff' | 'expiresAt'>>(
      mergeExtents,
      records[0] as Revocation,
    )
    return { cutoff, expiresAt }
  }
  /** A store whose requests arrive in the scheduler's order. */
  const scheduled = (scene: Scene, scheduler: fc.Scheduler) => {
    const send = scene.admin.send.bind(scene.admin) as (command: object) => Promise<object>
    // What fails is told as a value: the scheduler takes a rejection for its own.
    const inOrder = scheduler.scheduleFunction((command: object) =>
      send(command).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    )
    const client = {
      config: scene.admin.config,
      send: async (command: object) => {
        const outcome = await inOrder(command)
        if ('error' in outcome) throw outcome.error
        return outcome.value
      },
    }
    const options = { tableName: scene.tableName, requestTimeoutMs: 20_000 }
    return new DynamoDBRevocationStore({ client: client as unknown as DynamoDBClient, ...options })
  }

  it('merge to the maximum', async () => {
    const scene = await Scene.create(dynalite())
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(extent, { minLength: 2, maxLength: 5 }),
        async (scheduler, all) => {
          const id = `run ${++run}`
          const records = all.map((each) => user(id, each as Partial<Revocation>))
          const store = scheduled(scene, scheduler)
          const adding = Promise.all(records.map((record) => store.add([record])))
          await scheduler.waitFor(adding)
          const { cutoff, expiresAt } = merged(records)
          const found = await scene.directStore().find(tokenOfUser(id, { iat: 0 }))
          expect(found).toEqual(user(id, cutoff === undefined ? { expiresAt } : { cutoff, expiresAt }))
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  it('lose nothing that is not over, while DynamoDB deletes what is', async () => {
    const scene = await Scene.create(dynalite())
    let run = 0
    // Over for so long that DynamoDB may delete them, or far from it.
    const expiry = fc.constantFrom(now - 2 * HOUR, now - 2 * HOUR + 1, now + HOUR, now + HOUR + 1)
    const record = fc.record({ cutoff: fc.integer({ min: now - 4, max: now }), expiresAt: expiry })
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(record, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (scheduler, all, deletions) => {
          const id = `expiring ${++run}`
          const records = all.map((each) => user(id, each))
          const store = scheduled(scene, scheduler)
          const ttl = scheduler.scheduleFunction(() => deleteIfOver(scene, id))
          const deleting = Array.from({ length: deletions }, () => ttl())
          await scheduler.waitFor(Promise.all([...records.map((each) => store.add([each])), ...deleting]))
          const lasting = records.filter(({ expiresAt }) => expiresAt > now)
          if (lasting.length === 0) return
          const found = await scene.directStore().find(tokenOfUser(id, { iat: 0 }))
          expect(found?.expiresAt).toBe(merged(lasting).expiresAt)
          expect(found?.cutoff).toBeGreaterThanOrEqual(merged(lasting).cutoff ?? Number.NaN)
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)

  it.each([1, 2, 3])(
    'lose nothing where one that is over is deleted, and another written, before request %i',
    async (before) => {
      const scene = await Scene.create(dynalite())
      const other = scene.directStore()
      // Over, so that it may be deleted, and with the largest cutoff: a record that is not over differs in both.
      await other.add([user('a', { cutoff: now, expiresAt: now - 2 * HOUR })])
      let requests = 0
      scene.proxy.intercept = async ({ body }) => {
        if (body.Key?.pk?.S !== `u:${POOL}:a`) return undefined
        requests += 1
        if (requests !== before) return undefined
        await deleteIfOver(scene, 'a')
        await other.add([user('a', { cutoff: now - 9, expiresAt: now + 2 * HOUR })])
        return undefined
      }
      await scene.store().add([user('a', { cutoff: now - 5, expiresAt: now + HOUR })])
      expect(requests).toBe(3)
      const found = await other.find(tokenOfUser('a', { iat: now - 5 }))
      expect(found).toMatchObject({ expiresAt: now + 2 * HOUR })
    },
  )

  it('are never half in sight: what matched before matches all the while', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    await store.add([user('a', { cutoff: now - 5, expiresAt: now + 99 })])
    const found: unknown[] = []
    scene.proxy.intercept = async () => {
      found.push(await scene.directStore().find(tokenOfUser('a', { iat: now - 5 })))
      return undefined
    }
    await store.add([user('a', { cutoff: now, expiresAt: now + 9 })])
    expect(found.length).toBeGreaterThan(3)
    for (const each of found) expect(each).toMatchObject({ expiresAt: now + 99 })
  })
})

describe('What DynamoDB refuses', () => {
  it('is told without the secrets that it quotes', async () => {
    const scene = await Scene.create(dynalite())
    const quoted = 'The request signature does not match.\n\nx-amz-security-token:SECRET\nThe String-to-Sign'
    scene.proxy.intercept = () => dynamodbError('InvalidSignatureException', 400, quoted)
    for (const call of [
      () => scene.store().add([session('a')]),
      () => scene.store().find(tokenOfUser('a')),
      () => new Reading(scene.store()).next(),
    ]) {
      const error = await thrownBy(call)
      expect(error).toMatchObject({ code: 'store_unavailable' })
      expect(JSON.stringify([error.message, error.stack, error.cause, String(error.cause)])).not.toContain(
        'SECRET',
      )
      expect(Object.keys(error.cause as object)).toEqual(['name'])
    }
  })
})
