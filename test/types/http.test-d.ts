import { describe, expectTypeOf, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { listenRevocationService, RevocationService } from '../../src/server/index.js'
import { HttpRevocationStore } from '../../src/stores/http/index.js'

const store = new MemoryRevocationStore()

describe('an HttpRevocationStore', () => {
  it('is a RevocationStore with a feed, and takes a key or what gives one', () => {
    expectTypeOf<HttpRevocationStore>().toExtend<
      Required<Pick<RevocationStore, 'add' | 'find' | 'changes'>>
    >()
    new HttpRevocationStore({ url: 'https://example.com', key: 'key' })
    new HttpRevocationStore({ url: 'https://example.com', key: async () => 'key' })
    // @ts-expect-error: a key must be given
    new HttpRevocationStore({ url: 'https://example.com' })
  })
})

describe('a RevocationService', () => {
  it('is a fetch handler', () => {
    expectTypeOf<RevocationService['fetch']>().toEqualTypeOf<(request: Request) => Promise<Response>>()
  })

  it('takes keys with rights and pools', () => {
    new RevocationService({ store, keys: [{ id: 'a', key: 'key', rights: ['read'], pools: 'all' }] })
    // @ts-expect-error: no such right
    new RevocationService({ store, keys: [{ id: 'a', key: 'key', rights: ['admin'] }] })
    // @ts-expect-error: keys must be given, if none
    new RevocationService({ store })
  })

  it('listens at a port', () => {
    const service = new RevocationService({ store, keys: [] })
    listenRevocationService(service, { port: 0 })
    // @ts-expect-error: which must be given
    listenRevocationService(service, {})
  })
})
