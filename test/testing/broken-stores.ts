import { CachedRevocationStore } from '../../src/revocation/cached-store.js'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import {
  isBeforeCutoff,
  mergeExtents,
  type Revocation,
  type RevocationMatch,
} from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import { type Fault, fault } from './breaking.js'

export const BROKEN_STORES: readonly Fault[] = [
  fault('finds nothing for a token that was never revoked', 'everybody is revoked', () => ({
    find: async ({ poolId, sub }) => ({ poolId, scope: 'user', id: sub, expiresAt: 0 }),
  })),
  fault('finds a revocation by each scope alone', 'app clients are forgotten', (store) => ({
    add: (list) => store.add(list.filter(({ scope }) => scope !== 'client')),
  })),
  fault('keeps the ids of different scopes apart', 'the scope is no part of the key', (store) => ({
    add: (list) => store.add([...list, ...list.map((each) => ({ ...each, scope: 'token' as const }))]),
  })),
  fault('keeps user pools apart', 'the pool is no part of the key', (store) => ({
    add: (list) => store.add(list.map((each) => ({ ...each, poolId: 'all' }))),
    find: (token) => store.find({ ...token, poolId: 'all' }),
  })),
  fault('keeps ids apart that hold separators, spaces and other scripts', 'ids are trimmed', (store) =>
    withIds(store, (id) => id.trim()),
  ),
  fault('keeps ids apart that hold separators, spaces and other scripts', 'ids lose their case', (store) =>
    withIds(store, (id) => id.toLowerCase()),
  ),
  fault('takes a token at the cutoff for revoked, and one after it not', 'auth_time is ignored', (store) => ({
    find: ({ authTime: _, ...token }) => store.find(token),
  })),
  fault('takes every token for revoked by a record without a cutoff', 'no cutoff means now', (store) => ({
    add: (list) =>
      store.add(list.map((each) => (each.scope === 'user' ? { cutoff: Date.now() / 1000, ...each } : each))),
  })),
  fault(
    'finds a wider revocation that matches behind a narrower one whose cutoff does not',
    'only the narrowest record is looked at',
    (store) => ({
      find: async (token) => {
        const user = await store.find({ ...token, iat: 0, authTime: 0 })
        return user?.scope === 'user' && !isBeforeCutoff(token, user.cutoff) ? undefined : store.find(token)
      },
    }),
  ),
  fault('never takes an id that a token lacks for one', 'it is looked up as "undefined"', (store) => ({
    find: (token) => store.find({ ...token, jti: `${token.jti}`, originJti: `${token.originJti}` }),
  })),
  fault(
    'still finds a record that was over for less than an hour, whatever comes after it',
    'records are dropped ten minutes after their expiresAt',
    (store) => findingUntil(store, 600),
  ),
  fault('still finds a record whose expiresAt has passed', 'expiresAt filters what is found', (store) =>
    findingUntil(store, 0),
  ),
  fault('records many at once', 'what is beyond a thousand is dropped', (store) => ({
    add: (list) => store.add(list.slice(0, 1_000)),
  })),
  fault(
    'answers the same from memory as else, where it has a findSync, or says that it cannot',
    'memory knows nothing',
    () => ({ findSync: () => undefined }),
  ),
  fault('keeps the larger cutoff and the larger expiresAt, in any order', 'the last wins', keepingTheLast),
  fault('keeps a record without a cutoff, whatever cutoff comes later', 'the last wins', keepingTheLast),
  fault('lets a record without a cutoff win over one that was there', 'the first wins', (store) => {
    const seen = new Set<string>()
    return { add: (list) => store.add(list.filter(({ id }) => !seen.has(id) && seen.add(id))) }
  }),
  fault('merges what is added at the same time without losing any', 'it reads, then writes', readThenWrite),
  fault(
    'never shortens a record, of whatever scope, by one that is over sooner',
    'the last wins',
    keepingTheLast,
  ),
  fault('takes the same record again', 'what is there is an error', (store) => {
    const seen = new Set<string>()
    return {
      add: async (list) => {
        for (const { id } of list) if (seen.has(id)) throw new Error('duplicate key')
        for (const { id } of list) seen.add(id)
        return store.add(list)
      },
    }
  }),
  fault('takes an empty list', 'nothing to write is an error', (store) => ({
    add: async (list) => {
      if (list.length === 0) throw new Error('BatchWriteItem needs at least one item')
      return store.add(list)
    },
  })),
  [
    'refuses a cutoff over 300 s in the future',
    'its clock is a day ahead',
    () => ({ store: new MemoryRevocationStore({ clock: () => Date.now() + 86_400_000 }) }),
  ],
  fault('refuses records that are not valid', 'they are passed over', (store) => ({
    add: (list) => store.add(list).catch(() => {}),
  })),
  fault(
    'records nothing of a call that has a record in it which it refuses',
    'it goes one by one',
    (store) => ({
      add: async (list) => {
        for (const each of list) await store.add([each])
      },
    }),
  ),
  [
    'finds at once what another process has added',
    '"not revoked" is remembered',
    () => {
      const store = new MemoryRevocationStore()
      return { store: new CachedRevocationStore(store), another: async () => store }
    },
  ],
  fault(
    'keeps the larger cutoff and the larger expiresAt, whoever adds them at the same time',
    'it reads, then writes',
    readThenWrite,
  ),
  fault('loses none of the records that are added at the same time', 'all are one document', () => {
    let all: readonly Revocation[] = []
    return {
      add: async (list) => {
        const read = all
        await Promise.resolve()
        all = [...read, ...list]
      },
      find: async (token) => {
        const store = new MemoryRevocationStore()
        await store.add(all)
        return store.find(token)
      },
    }
  }),
  fault(
    'never lets a cutoff overtake a record without one that is added at the same time',
    'it reads, then writes',
    readThenWrite,
  ),
]

function withIds(store: RevocationStore, change: (id: string) => string): Partial<RevocationStore> {
  return {
    add: (list) => store.add(list.map((each) => ({ ...each, id: change(each.id) || each.id }))),
    find: (token) => store.find({ ...token, originJti: change(token.originJti ?? '') }),
  }
}

function findingUntil(store: RevocationStore, secondsAfter: number): Partial<RevocationStore> {
  return {
    find: async (token) => {
      const found = await store.find(token)
      return found && found.expiresAt > Date.now() / 1000 - secondsAfter ? found : undefined
    },
  }
}

export function keepingTheLast(): Partial<RevocationStore> {
  return keyed((records, key, record) => records.set(key, record))
}

function readThenWrite(): Partial<RevocationStore> {
  return keyed(async (records, key, record) => {
    const present = records.get(key)
    await new Promise(setImmediate)
    const { poolId, scope, id } = record
    records.set(key, { poolId, scope, id, ...mergeExtents(present ?? record, record) })
  })
}

/** A store as one writes it who has not thought of merging. */
function keyed(
  write: (records: Map<string, RevocationMatch>, key: string, record: RevocationMatch) => unknown,
): Partial<RevocationStore> {
  const records = new Map<string, RevocationMatch>()
  const keyOf = (poolId: string, scope: string, id?: string) => JSON.stringify([poolId, scope, id])
  return {
    add: async (revocations) => {
      for (const { audit: _, ...record } of revocations) {
        await write(records, keyOf(record.poolId, record.scope, record.id), record)
      }
    },
    find: async (token: TokenIdentity) => {
      const { poolId, jti, originJti, sub, clientId } = token
      const ids = { token: jti, session: originJti, user: sub, client: clientId, pool: poolId }
      for (const [scope, id] of Object.entries(ids)) {
        const record = records.get(keyOf(poolId, scope, id))
        if (record && isBeforeCutoff(token, record.cutoff)) return record
      }
      return undefined
    },
  }
}
