import { describe, expect, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { type StoreUnderTest, storeConformanceTests } from '../../src/testing/index.js'
import { broken } from './breaking.js'
import { BROKEN_FEEDS } from './broken-feeds.js'
import { BROKEN_STORES } from './broken-stores.js'

const FAULTS = [...BROKEN_STORES, ...BROKEN_FEEDS]
const good = async (): Promise<StoreUnderTest> => ({ store: broken(() => ({})) })
const names = storeConformanceTests(good).map(({ name }) => name)

function run(name: string, create: () => Promise<StoreUnderTest>, feedDeadlineMs = 10_000): Promise<void> {
  const test = storeConformanceTests(create, { feedDeadlineMs }).find((each) => each.name === name)
  if (test === undefined) throw new Error(`There is no test "${name}"`)
  return test.run()
}

describe('The store conformance suite', () => {
  it.each(names)('passes a good store: %s', (name) => run(name, good))

  it.each(FAULTS)('"%s" fails a store where %s', async (name, _, create) => {
    await expect(run(name, async () => create(), 300)).rejects.toThrow()
  })

  it('has no test that no broken store fails', () => {
    const failing = new Set(FAULTS.map(([name]) => name))
    expect(names.filter((name) => !failing.has(name))).toEqual([])
  })

  it('says what is missing where there is no feed', async () => {
    const create = async () => ({ store: broken(() => ({ changes: undefined as never })) })
    await expect(run('gives a sign of life when nothing happens', create)).rejects.toThrow('{ feed: false }')
  })

  it('can leave out the feed, for a store that has none', async () => {
    const create = async () => ({ store: broken(() => ({ changes: undefined as never })) })
    for (const test of storeConformanceTests(create, { feed: false })) await test.run()
  })

  it.each([
    'gives a sign of life when nothing happens',
    'ends its feed at the signal, without an error',
    'stops for a reader that has had enough, also without its signal',
  ])('fails a feed that hangs, instead of hanging with it: %s', async (name) => {
    const hanging = (): AsyncIterator<never> => ({ next: () => new Promise(() => {}) })
    const create = async () => ({
      store: broken(() => ({ changes: () => ({ [Symbol.asyncIterator]: hanging }) })),
    })
    const failing = run(name, create, 50)
    await expect(failing).rejects.toThrow('did not deliver within 50 ms')
  })

  it('lets another store object take part, where there is one', async () => {
    const engine = new MemoryRevocationStore({ heartbeatMs: 20 })
    const added: string[] = []
    const view = (name: string): RevocationStore => ({
      add: (list) => {
        added.push(name)
        return engine.add(list)
      },
      find: (token) => engine.find(token),
      changes: (options) => engine.changes(options),
    })
    const create = async () => ({ store: view('one'), another: async () => view('another') })
    for (const test of storeConformanceTests(create)) await test.run()
    expect(new Set(added)).toEqual(new Set(['one', 'another']))
  })

  it('closes what it was given after each test, also after one that failed', async () => {
    const closed: string[] = []
    const closing = (name: string, store: RevocationStore): RevocationStore => ({
      ...store,
      close: async () => {
        closed.push(name)
      },
    })
    const create = async (): Promise<StoreUnderTest> => ({
      store: closing(
        'one',
        broken(() => ({ find: async () => undefined })),
      ),
      another: async () =>
        closing(
          'another',
          broken(() => ({})),
        ),
    })
    await expect(run('finds at once what another process has added', create)).rejects.toThrow()
    expect(closed).toEqual(['another', 'one'])
  })

  it('leaves closing the store to whoever says how', async () => {
    const closed: string[] = []
    const store = broken(() => ({ close: async () => void closed.push('store') }))
    await run('takes an empty list', async () => ({ store, close: async () => void closed.push('mine') }))
    expect(closed).toEqual(['mine'])
  })
})
