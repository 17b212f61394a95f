import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { REVOCATION_SCOPES } from '../../revocation/revocation.js'
import type { StoreTest } from './fixture.js'

/** Ids that are different, however much some look alike. */
export const ODD_IDS = [
  ...['a:b', 'a', 'b', 'A', 'a b', ' a', 'a ', 'a\nb', 'a\u0000b', 'a{b}', 'a|b', 'a/b', 'a%3Ab', 'a*'],
  ...[
    'ä',
    'a\u0308',
    '日本',
    '\u{1f512}',
    "a'b",
    'a"b',
    'a\\b',
    '__proto__',
    'constructor',
    '0',
    '00',
    '1e3',
  ],
  'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
  'AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE',
  'aaaaaaaabbbb4ccc8dddeeeeeeeeeeee',
  'x'.repeat(255),
  'x'.repeat(256),
  '日'.repeat(256),
]

/** What a store answers. */
export const LOOK_UPS: Record<string, StoreTest> = {
  'finds nothing for a token that was never revoked': async (store, { token }) => {
    equal(await store.find(token), undefined)
  },
  'finds a revocation by each scope alone': async (store, { tokenOf, record }) => {
    for (const scope of REVOCATION_SCOPES) {
      const identity = tokenOf(scope)
      if (scope !== 'pool') equal(await store.find(identity), undefined, `before revoking by ${scope}`)
      await store.add([record(scope)])
      deepEqual({ ...(await store.find(identity)) }, record(scope))
    }
  },
  'keeps the ids of different scopes apart': async (store, { token, record }) => {
    for (const scope of ['session', 'user', 'client'] as const)
      await store.add([record(scope, { id: token.jti })])
    equal(await store.find(token), undefined)
  },
  'keeps user pools apart': async (store, { token, record }) => {
    const poolId = `${token.poolId}x`
    await store.add([record('session', { poolId }), record('user', { poolId })])
    equal(await store.find(token), undefined)
    ok(await store.find({ ...token, poolId }))
  },
  'keeps ids apart that hold separators, spaces and other scripts': async (store, { token, record }) => {
    for (const originJti of ODD_IDS) {
      equal(await store.find({ ...token, originJti }), undefined, `before revoking ${originJti}`)
      await store.add([record('session', { id: originJti })])
      equal((await store.find({ ...token, originJti }))?.id, originJti)
    }
  },
  'takes a token at the cutoff for revoked, and one after it not': async (store, { token, record, now }) => {
    await store.add([record('user', { cutoff: now })])
    const at = (authTime: number | undefined, iat: number) => store.find({ ...token, authTime, iat })
    ok(await at(now, now), 'both at the cutoff')
    ok(await at(now - 500, now + 10), 'authenticated before, issued after: a refresh')
    ok(await at(now + 10, now - 1), 'issued before, whatever auth_time says')
    ok(await at(undefined, now), 'without auth_time, iat counts')
    equal(await at(now + 1, now + 1), undefined)
    equal(await at(undefined, now + 1), undefined)
  },
  'takes every token for revoked by a record without a cutoff': async (store, { token, record, now }) => {
    await store.add([record('user')])
    ok(await store.find({ ...token, authTime: now + 100, iat: now + 100 }))
  },
  'finds a wider revocation that matches behind a narrower one whose cutoff does not': async (
    store,
    { token, record },
  ) => {
    await store.add([record('user', { cutoff: token.authTime - 1 })])
    equal(await store.find(token), undefined)
    await store.add([record('client', { cutoff: token.authTime - 1 }), record('pool')])
    deepEqual({ ...(await store.find(token)) }, record('pool'))
  },
  'never takes an id that a token lacks for one': async (store, { token, record }) => {
    const { jti: _, originJti: __, ...without } = token
    const ids = ['undefined', 'null', 'NaN', '0']
    await store.add(ids.flatMap((id) => [record('token', { id }), record('session', { id })]))
    equal(await store.find(without), undefined)
    equal(await store.find({ ...without, jti: undefined, originJti: undefined }), undefined)
  },
  'still finds a record that was over for less than an hour, whatever comes after it': async (
    store,
    { token, record, now },
  ) => {
    await store.add([record('session', { expiresAt: now - 3_500 })])
    await store.add(Array.from({ length: 2_500 }, (_, index) => record('token', { id: `token ${index}` })))
    ok(await store.find(token))
  },
  'still finds a record whose expiresAt has passed': async (store, { token, record, now }) => {
    await store.add([record('session', { expiresAt: now - 60 })])
    ok(await store.find(token))
  },
  'records many at once': async (store, { token, record }) => {
    const ids = Array.from({ length: 2_500 }, () => randomUUID())
    await store.add(ids.map((id) => record('session', { id })))
    for (const originJti of [ids[0], ids[1_250], ids[2_499]]) ok(await store.find({ ...token, originJti }))
  },
  'answers the same from memory as else, where it has a findSync, or says that it cannot': async (
    store,
    { token, record },
  ) => {
    const agrees = async () => {
      const found = await store.find(token)
      try {
        deepEqual(store.findSync?.(token), found)
      } catch (error) {
        if ((error as { code?: string }).code !== 'not_ready') throw error
      }
    }
    if (store.findSync === undefined) return
    await agrees()
    await store.add([record('session')])
    await agrees()
  },
}
