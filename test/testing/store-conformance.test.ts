import { describe, expect, it } from 'vitest'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation, RevocationMatch } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import { storeConformanceTests } from '../../src/testing/index.js'

/** A good store with one thing wrong. */
function broken(change: (store: MemoryRevocationStore) => Partial<RevocationStore>): RevocationStore {
  const store = new MemoryRevocationStore({ heartbeatMs: 20 })
  return {
    add: (revocations) => store.add(revocations),
    find: (token) => store.find(token),
    changes: (options) => store.changes(options),
    ...change(store),
  }
}

/** A store of last writes, as one writes it who has not thought of merging. */
function lastWriteWins(): Partial<RevocationStore> {
  const records = new Map<string, RevocationMatch>()
  const keyOf = (poolId: string, scope: string, id?: string) => JSON.stringify([poolId, scope, id])
  return {
    add: async (revocations) => {
      for (const { audit: _, ...record } of revocations) {
        records.set(keyOf(record.poolId, record.scope, record.id), record)
      }
    },
    find: async ({ poolId, jti, originJti, sub, clientId, authTime, iat }) => {
      const ids = { token: jti, session: originJti, user: sub, client: clientId, pool: poolId }
      for (const [scope, id] of Object.entries(ids)) {
        const record = records.get(keyOf(poolId, scope, id))
        if (record && Math.min(authTime ?? iat, iat) <= (record.cutoff ?? Infinity)) return record
      }
      return undefined
    },
  }
}

const FAULTS: Record<string, () => RevocationStore> = {
  'the last write wins': () => broken(lastWriteWins),
  'records whose expiresAt has passed are not found': () =>
    broken((store) => ({
      find: async (token) => {
        const found = await store.find(token)
        return found && found.expiresAt > Date.now() / 1000 ? found : undefined
      },
    })),
  'records are dropped ten minutes after their expiresAt': () =>
    broken((store) => ({
      find: async (token) => {
        const found = await store.find(token)
        return found && found.expiresAt > Date.now() / 1000 - 600 ? found : undefined
      },
    })),
  'the narrowest scope alone is looked at': () =>
    broken((store) => ({
      find: async (token) => {
        const user = await store.find({ ...token, iat: 0, authTime: 0 })
        return user?.scope === 'user' && user.cutoff !== undefined && user.cutoff < token.iat
          ? undefined
          : store.find(token)
      },
    })),
  'an id that is absent is looked up as "undefined"': () =>
    broken((store) => ({
      find: (token) => store.find({ ...token, jti: `${token.jti}`, originJti: `${token.originJti}` }),
    })),
  'user pools are not kept apart': () =>
    broken((store) => {
      const everywhere = (revocation: Revocation) => ({ ...revocation, poolId: 'all' })
      return {
        add: (revocations) => store.add(revocations.map(everywhere)),
        find: (token) => store.find({ ...token, poolId: 'all' }),
      }
    }),
  'auth_time is not looked at': () =>
    broken((store) => ({ find: ({ authTime: _, ...token }) => store.find(token) })),
  'cutoffs in the future are taken': () => {
    let clock = Date.now() + 86_400_000
    return new MemoryRevocationStore({ heartbeatMs: 20, clock: () => clock++ })
  },
  'the feed says too soon that it is caught up': () =>
    broken((store) => ({
      changes: async function* (options) {
        for await (const batch of store.changes(options)) yield { ...batch, caughtUp: true }
      },
    })),
  'the feed leaves out what was there before': () =>
    broken((store) => ({
      changes: async function* (options) {
        let first = true
        for await (const batch of store.changes(options)) {
          yield first ? { ...batch, revocations: [] } : batch
          first = false
        }
      },
    })),
  'there is no feed': () => broken(() => ({ changes: undefined as never })),
}

async function failuresOf(create: () => RevocationStore): Promise<string[]> {
  const failed = await Promise.all(
    storeConformanceTests(async () => ({ store: create() }), { feedDeadlineMs: 500 }).map(({ name, run }) =>
      run().then(
        () => [],
        () => [name],
      ),
    ),
  )
  return failed.flat()
}

describe('The store conformance suite', () => {
  it('passes a good store', async () => {
    expect(await failuresOf(() => broken(() => ({})))).toEqual([])
  })

  it.each(Object.entries(FAULTS))('fails a store where %s', async (_, create) => {
    expect(await failuresOf(create)).not.toEqual([])
  })

  it('can leave out the feed, for a store that has none', async () => {
    const create = async () => ({ store: FAULTS['there is no feed']?.() as RevocationStore })
    for (const { run } of storeConformanceTests(create, { feed: false })) await run()
  })
})
