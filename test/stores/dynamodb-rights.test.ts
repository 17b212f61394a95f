import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RevocationMirror } from '../../src/revocation/mirror.js'
import { dynamodbError } from '../support/dynamodb-proxy.js'
import {
  afterTest,
  eventually,
  expectFound,
  Reading,
  Scene,
  session,
  thrownBy,
  tokenOf,
  useDynalite,
  user,
} from './dynamodb-harness.js'

const dynalite = useDynalite()
const now = Math.floor(Date.now() / 1000)

const READ = ['GetItem', 'BatchGetItem', 'Query', 'Scan']
const WRITE = ['UpdateItem', 'PutItem']

/** A scene whose proxy permits no more than these operations, and to put nothing but announcements. */
async function permitting(operations: readonly string[]): Promise<Scene> {
  const scene = await Scene.create(dynalite())
  scene.proxy.intercept = ({ operation, body }) => {
    const isKeyPermitted = operation !== 'PutItem' || body.Item.pk.S.startsWith('feed:')
    return operations.includes(operation) && isKeyPermitted
      ? undefined
      : dynamodbError('AccessDeniedException')
  }
  return scene
}

describe('The policies in docs/dynamodb.md', () => {
  const page = readFileSync(new URL('../../docs/dynamodb.md', import.meta.url), 'utf8')
  const policies = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => JSON.parse(text))

  it.each([
    ['RevocationReader', READ],
    ['RevocationWriter', [...READ, 'UpdateItem']],
    ['RevocationAnnouncer', ['PutItem']],
  ])('permit what is tested: %s', (sid, operations) => {
    const [statement] = policies.flatMap(({ Statement }) => Statement).filter(({ Sid }) => Sid === sid)
    expect(statement.Action).toEqual(operations.map((operation) => `dynamodb:${operation}`))
  })

  it('are those of the CDK as well', () => {
    const names = (operations: readonly string[]) => operations.map((each) => `'dynamodb:${each}'`).join(', ')
    expect(page).toContain(`const read = [${names(READ)}]`)
    expect(page).toContain(`...read, ${names(WRITE)})`)
  })
})

describe('A reader', () => {
  it('needs the rights of a reader, and each of them', async () => {
    const scene = await permitting(READ)
    const writer = scene.directStore()
    await writer.add([session('a')])
    const store = scene.store()
    const reading = new Reading(store)
    await reading.catchUp()
    // A number that is not announced: its announcement is gone.
    await writer.add([session('b')])
    await scene.delete((await scene.announcements()).at(-1) ?? {})
    await reading.catchUp()
    await reading.next()
    await expectFound(store, [session('a'), session('b')])
    expect(new Set(scene.proxy.operations)).toEqual(new Set(READ))
  })

  it('without a feed needs BatchGetItem alone', async () => {
    const scene = await permitting(['BatchGetItem'])
    expect(await scene.store().find(tokenOf('a'))).toBeUndefined()
  })

  it('cannot revoke', async () => {
    const scene = await permitting(READ)
    expect(await thrownBy(() => scene.store().add([session('a')]))).toMatchObject({
      code: 'store_unavailable',
    })
    expect(await scene.items()).toEqual([])
  })
})

describe('A writer', () => {
  it('needs the rights to write, and each of them', async () => {
    const scene = await permitting(WRITE)
    const store = scene.store()
    await store.add([session('a'), user('b', { cutoff: now })])
    await store.add([user('b', { cutoff: now - 5, expiresAt: now + 99_999 })])
    expect(new Set(scene.proxy.operations)).toEqual(new Set(WRITE))
  })

  it('with a mirror needs the rights of both', async () => {
    const scene = await permitting([...READ, ...WRITE])
    const mirror = new RevocationMirror(scene.store())
    afterTest(() => mirror.close())
    await eventually(() => mirror.ready())
    await mirror.add([session('a')])
    await scene.directStore().add([session('b')])
    await eventually(() => expect(mirror.findSync(tokenOf('b'))).toBeDefined())
  })
})
