import { expect, it, vi } from 'vitest'
import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'

vi.mock('lru-cache', () => {
  throw new Error('lru-cache is not there')
})

it('A CachedRevocationStore says what its store says, and keeps it, also where lru-cache cannot be loaded', async () => {
  const memory = new MemoryRevocationStore()
  const iat = Math.floor(Date.now() / 1000)
  await memory.add([{ poolId: 'pool', scope: 'session', id: 'revoked', expiresAt: iat + 3_600 }])
  const find = vi.spyOn(memory, 'find')
  const cache = new CachedRevocationStore(memory, { max: 2 })
  const token = (originJti: string) => ({ poolId: 'pool', originJti, sub: 's', clientId: 'c', iat })
  for (const _ of [1, 2]) {
    expect(await cache.find(token('revoked'))).toMatchObject({ scope: 'session', id: 'revoked' })
    expect(await cache.find(token('good'))).toBeUndefined()
  }
  expect(find).toHaveBeenCalledTimes(2)
  for (const other of ['a', 'b', 'c', 'd']) expect(await cache.find(token(other))).toBeUndefined()
  expect(await cache.find(token('revoked'))).toMatchObject({ id: 'revoked' })
})
