import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { describe, expect, it, vi } from 'vitest'
import type { ChangeBatch } from '../../src/revocation/store.js'
import { announce } from '../../src/stores/dynamodb/announcements.js'
import { announcementKey } from '../../src/stores/dynamodb/layout.js'
import { encodeRecord } from '../../src/stores/dynamodb/records.js'
import { type Request, Requests } from '../../src/stores/dynamodb/requests.js'
import { takeMonotonicClock } from '../support/monotonic.js'
import {
  eventually,
  idsOf,
  isRestarted,
  POOL,
  Reading,
  Scene,
  session,
  thrownBy,
  tokenOf,
  useDynalite,
} from './dynamodb-harness.js'

const dynalite = useDynalite()
const MINUTE_MS = 60_000

/** A number that is taken, and never announced by whoever took it. */
async function takeNumber(scene: Scene, count = 1): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: scene.tableName,
    Key: { pk: { S: 'feed' }, sk: { N: '0' } },
    UpdateExpression: 'ADD #sequence :count',
    ExpressionAttributeNames: { '#sequence': 'sequence' },
    ExpressionAttributeValues: { ':count': { N: String(count) } },
  })
  await scene.admin.send(command)
}

/** Announces by hand, under the latest number, or one before it. */
async function announceLate(scene: Scene, id: string, before = 0): Promise<void> {
  const counter = await scene.counter()
  const sequence = Number(counter?.sequence?.N) - before
  await scene.put({
    ...announcementKey(counter?.generation?.S ?? '', sequence),
    records: { S: `[${encodeRecord(session(id)).announcement}]` },
  })
}

/** A scene with one revocation in it, and a reader who has read it. */
async function withReader() {
  const scene = await Scene.create(dynalite())
  const store = scene.store()
  await store.add([session('first')])
  const reading = new Reading(store)
  await reading.catchUp()
  return { scene, store, reading }
}

/** As another process has it: whose monotonic clock was another. */
function ofAnotherProcess(cursor: string): string {
  const fields = JSON.parse(cursor)
  fields[3] = 'another'
  return JSON.stringify(fields)
}

describe('A writer who is slow between his number and his announcement', () => {
  it('is heard, though greater numbers were read before', async () => {
    const { scene, store, reading } = await withReader()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let isHeld = false
    scene.proxy.intercept = async ({ operation, body }) => {
      if (operation !== 'PutItem' || !JSON.stringify(body).includes('slow')) return undefined
      isHeld = true
      await held
      return undefined
    }
    const adding = scene.store().add([session('slow')])
    await eventually(() => expect(isHeld).toBe(true))
    await store.add([session('fast')])
    expect(idsOf(await reading.catchUp())).toEqual(['fast'])
    release()
    await adding
    expect(idsOf(await reading.catchUp())).toEqual(['slow'])
    expect(isRestarted(reading.batches.slice(1))).toBe(false)
  })

  it('is heard by a reader who comes back with his cursor', async () => {
    const { scene, store, reading } = await withReader()
    await takeNumber(scene)
    await store.add([session('second')])
    await reading.catchUp()
    await reading.end()
    await announceLate(scene, 'late', 1)
    const again = new Reading(store, reading.cursor)
    expect(idsOf(await again.catchUp())).toEqual(['late'])
    expect(isRestarted(again.batches)).toBe(false)
  })

  it.each([2, 9])('is heard also if he takes %i minutes for it', async (minutes) => {
    const { scene, store, reading } = await withReader()
    await takeNumber(scene)
    await store.add([session('second')])
    await reading.catchUp()
    const advance = takeMonotonicClock()
    for (let minute = 0; minute < minutes; minute++) {
      advance(MINUTE_MS)
      await reading.next()
    }
    await announceLate(scene, 'late', 1)
    advance(1_000)
    expect(idsOf([await reading.next()])).toEqual(['late'])
    expect(isRestarted(reading.batches.slice(1))).toBe(false)
  })

  it('has his records found by whoever begins to read meanwhile', async () => {
    const { scene, store } = await withReader()
    let seen: string[] = []
    scene.proxy.intercept = async ({ operation }) => {
      if (operation !== 'PutItem') return undefined
      const reading = new Reading(scene.directStore())
      seen = idsOf(await reading.catchUp())
      return undefined
    }
    await store.add([session('second')])
    expect(seen).toEqual(['first', 'second'])
  })

  it('takes another number if he was stopped for longer than readers may wait', async () => {
    const { scene, reading } = await withReader()
    const advance = takeMonotonicClock()
    let calls = 0
    class Stopped extends Requests {
      override async run<T>(request: Request<T>, signal?: AbortSignal): Promise<T> {
        const answer = await super.run(request, signal)
        calls += 1
        if (calls === 1) advance(2 * MINUTE_MS)
        return answer
      }
    }
    const requests = new Stopped({ client: scene.admin, tableName: scene.tableName, timeoutMs: 5_000 })
    await announce({ requests, retentionSeconds: 86_400, clockOffsetMs: 0 }, [encodeRecord(session('a'))])
    vi.restoreAllMocks()
    expect(calls).toBe(4)
    expect((await scene.announcements()).map(({ sk }) => sk?.N)).toEqual(['1', '2', '3'])
    expect(idsOf(await reading.catchUp())).toEqual(['a'])
  })
})

describe('The clock of a writer', () => {
  it.each([-60, -2, 2, 60])('may be %i minutes off', async (minutes) => {
    const { store, reading } = await withReader()
    const real = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => real() + minutes * MINUTE_MS)
    await store.add([session('off')])
    vi.restoreAllMocks()
    expect(idsOf(await reading.catchUp())).toEqual(['off'])
    expect(isRestarted(reading.batches.slice(1))).toBe(false)
  })

  it('may be days off: when an announcement is deleted goes by the clock of DynamoDB', async () => {
    const scene = await Scene.create(dynalite())
    const days = 3 * 86_400_000
    scene.proxy.clockOffsetMs = days
    const store = scene.store({ feedRetentionSeconds: 7_200 })
    // The SDK learns of the clock from any answer.
    await store.find(tokenOf('nobody'))
    await store.add([session('a')])
    const [item] = await scene.announcements()
    expect(Number(item?.purgeAt?.N)).toBeGreaterThan((Date.now() + days / 2) / 1000)
  })
})

describe('A number that nobody announces', () => {
  it('is asked for at every poll, until a writer must have given it up', async () => {
    const { scene, reading } = await withReader()
    await takeNumber(scene)
    await reading.catchUp()
    const asked = async () => {
      const from = scene.proxy.operations.length
      await reading.next()
      return scene.proxy.operations.slice(from).includes('BatchGetItem')
    }
    const advance = takeMonotonicClock()
    advance(1_000)
    expect(await asked()).toBe(true)
    advance(4 * MINUTE_MS)
    expect(await asked()).toBe(true)
    advance(4 * MINUTE_MS)
    expect(await asked()).toBe(true)
    advance(4 * MINUTE_MS)
    expect(await asked()).toBe(true)
    advance(MINUTE_MS)
    expect(await asked()).toBe(false)
    expect(isRestarted(reading.batches.slice(1))).toBe(false)
  })

  it('may have been deleted where the reader was away: it starts over', async () => {
    const { scene, reading } = await withReader()
    await takeNumber(scene)
    await reading.catchUp()
    const advance = takeMonotonicClock()
    advance(11 * MINUTE_MS)
    const batches = await reading.until(({ caughtUp }) => caughtUp)
    expect(isRestarted(batches)).toBe(true)
    expect(idsOf(batches)).toEqual(['first'])
  })

  it('makes a reader start over once, where there are too many, and then go on', async () => {
    const { scene, store, reading } = await withReader()
    await takeNumber(scene, 3_000)
    const batches = await reading.catchUp()
    expect(batches.filter(({ restarted }) => restarted)).toHaveLength(1)
    await store.add([session('second')])
    const more = await reading.catchUp()
    expect(idsOf(more)).toEqual(['second'])
    expect(isRestarted(more)).toBe(false)
  })

  it('does no harm to who begins to read', async () => {
    const { scene, store } = await withReader()
    await takeNumber(scene, 3_000)
    const reading = new Reading(store)
    await reading.catchUp()
    await store.add([session('second')])
    expect(idsOf(await reading.catchUp())).toEqual(['second'])
    expect(scene.proxy.operations).not.toContain('BatchGetItem')
  })
})

describe('A reader who was away', () => {
  it('goes on where every number is announced that was taken meanwhile', async () => {
    const { store, reading } = await withReader()
    const advance = takeMonotonicClock()
    for (const id of ['a', 'b', 'c']) await store.add([session(id)])
    advance(20 * MINUTE_MS)
    const batches = await reading.until(({ caughtUp }) => caughtUp)
    expect(idsOf(batches)).toEqual(['a', 'b', 'c'])
    expect(isRestarted(batches)).toBe(false)
  })

  it.each([0, 1, 2])('starts over where any of them was deleted (%i)', async (index) => {
    const { scene, store, reading } = await withReader()
    const advance = takeMonotonicClock()
    for (const id of ['a', 'b', 'c']) await store.add([session(id)])
    const [, ...items] = await scene.announcements()
    await scene.delete(items[index] ?? {})
    advance(20 * MINUTE_MS)
    const batches = await reading.until(({ caughtUp }) => caughtUp)
    expect(isRestarted(batches)).toBe(true)
    expect(idsOf(batches)).toEqual(['a', 'b', 'c', 'first'])
  })

  it('cannot be fooled by a wall clock that is set back', async () => {
    const { scene, store, reading } = await withReader()
    const advance = takeMonotonicClock()
    await store.add([session('a')])
    await scene.delete((await scene.announcements())[1] ?? {})
    advance(20 * MINUTE_MS)
    const real = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => real() - 20 * MINUTE_MS)
    const batches = await reading.until(({ caughtUp }) => caughtUp)
    expect(isRestarted(batches)).toBe(true)
  })

  it('in another process goes on from the cursor, where nothing is missing', async () => {
    const { store, reading } = await withReader()
    const cursor = ofAnotherProcess(reading.cursor)
    for (const id of ['a', 'b']) await store.add([session(id)])
    const again = new Reading(store, cursor)
    expect(idsOf(await again.catchUp())).toEqual(['a', 'b'])
    expect(isRestarted(again.batches)).toBe(false)
  })

  it('in another process starts over where anything is: nobody knows since when', async () => {
    const { scene, store, reading } = await withReader()
    const cursor = ofAnotherProcess(reading.cursor)
    await takeNumber(scene)
    await store.add([session('a')])
    const again = new Reading(store, cursor)
    await again.catchUp()
    expect(isRestarted(again.batches)).toBe(true)
    expect(idsOf(again.batches)).toEqual(['a', 'first'])
  })
})

describe('A reader who is far behind', () => {
  it.each([
    ['in another process, for any reason', (cursor: string) => ofAnotherProcess(cursor), 1],
    ['though his last look was just now', (cursor: string) => cursor, 60],
  ])('starts over before he has asked for all: %s', async (_, change, queries) => {
    const { scene, store, reading } = await withReader()
    const cursor = change(reading.cursor)
    await takeNumber(scene, 1_000_000)
    const from = scene.proxy.operations.length
    const again = new Reading(store, cursor)
    await again.catchUp()
    expect(isRestarted(again.batches)).toBe(true)
    const asked = scene.proxy.operations.slice(from).filter((operation) => operation === 'Query')
    expect(asked.length).toBeLessThanOrEqual(queries)
  })
})

describe('A table without a counter', () => {
  const put = (scene: Scene, id: string) =>
    scene.put({
      pk: { S: `s:${POOL}:${id}` },
      sk: { N: '0' },
      expiresAt: { N: String(session(id).expiresAt) },
    })

  it('is read as a whole when it gets one: it may have been restored', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    const reading = new Reading(store)
    await reading.catchUp()
    await put(scene, 'restored')
    await store.add([session('next')])
    expect(idsOf(await reading.until((batch) => batch.caughtUp && idsOf([batch]).length > 0))).toEqual([
      'next',
      'restored',
    ])
  })

  it('is not gone on with from a cursor', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    const reading = new Reading(store)
    await reading.catchUp()
    await put(scene, 'restored')
    const again = new Reading(store, reading.cursor)
    expect(idsOf(await again.catchUp())).toEqual(['restored'])
    expect(isRestarted(again.batches)).toBe(true)
  })

  it('that is given one by hand, after it was restored, is read as a whole at once', async () => {
    const scene = await Scene.create(dynalite())
    const reading = new Reading(scene.store())
    await reading.catchUp()
    await put(scene, 'restored')
    await scene.put({
      pk: { S: 'feed' },
      sk: { N: '0' },
      generation: { S: 'restored' },
      sequence: { N: '0' },
    })
    const batches = await reading.until((batch) => idsOf([batch]).length > 0)
    expect(idsOf(batches)).toEqual(['restored'])
    await scene.directStore().add([session('next')])
    expect(idsOf(await reading.catchUp())).toContain('next')
  })
})

describe('A table that was', () => {
  it('restored, so that numbers were never taken, makes readers start over', async () => {
    const { scene, store, reading } = await withReader()
    await store.add([session('second')])
    await reading.catchUp()
    await takeNumber(scene, -1)
    expect(isRestarted(await reading.catchUp())).toBe(true)
  })

  it('emptied makes readers start over, and go on with what is added then', async () => {
    const { scene, store, reading } = await withReader()
    for (const item of await scene.items()) await scene.delete(item)
    const batches = await reading.catchUp()
    expect(isRestarted(batches)).toBe(true)
    expect(idsOf(batches)).toEqual([])
    await store.add([session('new')])
    const more = await reading.catchUp()
    expect(idsOf(more)).toEqual(['new'])
    expect(isRestarted(more)).toBe(false)
  })

  it('replaced by another, with as many announcements, makes readers start over', async () => {
    const { scene, store, reading } = await withReader()
    for (const item of await scene.items()) await scene.delete(item)
    await store.add([session('other')])
    const batches = await reading.catchUp()
    expect(isRestarted(batches)).toBe(true)
    expect(idsOf(batches)).toEqual(['other'])
  })
})

describe('Pages', () => {
  it('of DynamoDB are read to the end, however short, with what is added meanwhile', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store()
    const ids = Array.from({ length: 30 }, (_, index) => `s${index}`)
    await store.add(ids.map((id) => session(id)))
    let added = 0
    scene.proxy.intercept = async ({ operation, body, forward }) => {
      if (operation !== 'Scan' && operation !== 'Query') return undefined
      if (operation === 'Scan' && added < 5) await scene.directStore().add([session(`new${added++}`)])
      return forward({ ...body, Limit: 3 })
    }
    const reading = new Reading(store)
    const all = await reading.catchUp()
    expect(idsOf(all)).toEqual([...ids, 'new0', 'new1', 'new2', 'new3', 'new4'].sort())
    for (let index = 0; index < 8; index++) await scene.directStore().add([session(`more${index}`)])
    expect(idsOf(await reading.catchUp())).toHaveLength(8)
    expect(isRestarted(reading.batches.slice(1))).toBe(false)
  })

  it('of announcements go over from one partition key to the next', async () => {
    const { store, reading } = await withReader()
    const ids = Array.from({ length: 210 }, (_, index) => `s${index}`)
    for (const id of ids) await store.add([session(id)])
    expect(idsOf(await reading.catchUp())).toEqual(ids.sort())
  })

  it('of a table that takes long to read do not leave the feed behind', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ pollIntervalMs: 10 })
    await store.add(Array.from({ length: 20 }, (_, index) => session(`s${index}`)))
    scene.proxy.delayMs = 15
    scene.proxy.intercept = ({ operation, body, forward }) =>
      operation === 'Scan' ? forward({ ...body, Limit: 2 }) : undefined
    await new Reading(store).catchUp()
    const scanning = scene.proxy.operations.slice(scene.proxy.operations.indexOf('Scan'))
    const polls = scanning
      .slice(0, scanning.lastIndexOf('Scan'))
      .filter((operation) => operation === 'GetItem')
    expect(polls.length).toBeGreaterThan(2)
  })
})

describe('From time to time', () => {
  it('the whole table is read, by cheaper reads, without starting over', async () => {
    const scene = await Scene.create(dynalite())
    const consistent: unknown[] = []
    scene.proxy.intercept = ({ operation, body }) => {
      if (operation === 'Scan') consistent.push(body.ConsistentRead)
      return undefined
    }
    const reading = new Reading(scene.store({ reconcileIntervalMs: 1_000 }))
    await reading.catchUp()
    const { expiresAt } = session('x')
    await scene.put({
      pk: { S: `s:${POOL}:past the feed` },
      sk: { N: '0' },
      expiresAt: { N: String(expiresAt) },
    })
    const batches = await reading.until(({ revocations }) => revocations.length > 0)
    expect(idsOf(batches)).toEqual(['past the feed'])
    expect(isRestarted(batches)).toBe(false)
    expect(consistent[0]).toBe(true)
    expect(consistent.slice(1)).toContain(false)
  })
})

describe('A feed that is opened again and again', () => {
  it('reads the whole table all the same, going on from where it was', async () => {
    const scene = await Scene.create(dynalite())
    const store = scene.store({ reconcileIntervalMs: 1_000 })
    const ids = Array.from({ length: 6 }, (_, index) => `s${index}`)
    await store.add(ids.map((id) => session(id)))
    const first = new Reading(store)
    await first.catchUp()
    await first.end()
    const starts: unknown[] = []
    scene.proxy.intercept = ({ operation, body, forward }) => {
      if (operation !== 'Scan') return undefined
      starts.push(body.ExclusiveStartKey)
      return forward({ ...body, Limit: 2 })
    }
    let { cursor } = first
    const seen: ChangeBatch[] = []
    await eventually(async () => {
      const reading = new Reading(store, cursor)
      seen.push(await reading.next(), await reading.next(), await reading.next())
      await reading.end()
      cursor = reading.cursor
      expect(idsOf(seen)).toEqual(ids)
    })
    expect(isRestarted(seen)).toBe(false)
    expect(starts.filter((start) => start !== undefined).length).toBeGreaterThan(0)
  })
})

describe('Batches', () => {
  it('are as old as the question, however late the answer', async () => {
    const { scene, reading } = await withReader()
    scene.proxy.delayMs = 150
    await reading.next()
    for (let time = 0; time < 3; time++) {
      const { ageMs } = await reading.next()
      expect(ageMs).toBeGreaterThanOrEqual(150)
    }
  })

  it('cost one small read where nothing happens', async () => {
    const { scene, reading } = await withReader()
    const from = scene.proxy.operations.length
    for (let time = 0; time < 4; time++) await reading.next()
    expect(new Set(scene.proxy.operations.slice(from))).toEqual(new Set(['GetItem']))
  })
})

describe('What is not in the protocol', () => {
  const announcements = [
    '',
    '{}',
    'null',
    '[1]',
    '[[]]',
    '[["s:p:a"]]',
    '[["x:p:a",1]]',
    '[["s:p:a","1"]]',
    '[["s:p:a",1,5]]',
    '[["s:p:a",1,null,{}]]',
    '[["u:p:a",1,"5"]]',
  ]

  it.each(announcements)('ends the feed: an announcement of %j', async (records) => {
    const { scene, reading } = await withReader()
    await takeNumber(scene)
    await announceLate(scene, 'late')
    const item = (await scene.announcements()).at(-1)
    await scene.put({ ...item, records: { S: records } })
    expect(await thrownBy(() => reading.catchUp())).toMatchObject({ code: 'store_protocol' })
  })

  it.each([
    [{ sequence: { N: '-1' }, generation: { S: 'g' } }],
    [{ sequence: { N: '1.5' }, generation: { S: 'g' } }],
    [{ sequence: { N: '1' } }],
    [{ sequence: { S: '1' }, generation: { S: 'g' } }],
    [{ sequence: { N: '1' }, generation: { S: '' } }],
  ])('ends the feed: a counter of %j', async (Item) => {
    const { scene, reading } = await withReader()
    scene.proxy.intercept = ({ operation }) =>
      operation === 'GetItem' ? { status: 200, body: { Item } } : undefined
    expect(await thrownBy(() => reading.catchUp())).toMatchObject({ code: 'store_protocol' })
  })

  it.each(['Scan', 'Query'])('ends the feed: a page of %s without items', async (operation) => {
    const { scene, store, reading } = await withReader()
    scene.proxy.intercept = (call) => (call.operation === operation ? { status: 200, body: {} } : undefined)
    await store.add([session('second')])
    const reader = operation === 'Scan' ? new Reading(store) : reading
    expect(await thrownBy(() => reader.catchUp())).toMatchObject({ code: 'store_protocol' })
  })
})
