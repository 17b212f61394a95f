import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { ChangeBatch, RevocationStore } from '../../src/index.js'
import { ReplicatedRevocationStore, type Revocation, RevocationMirror } from '../../src/index.js'
import { DynamoDBRevocationStore } from '../../src/stores/dynamodb/index.js'
import { HttpRevocationStore } from '../../src/stores/http/index.js'
import { RedisRevocationStore } from '../../src/stores/redis/index.js'
import { localClient } from '../support/dynalite.js'
import {
  type ClientKind,
  type LookUpMode,
  SERVICE_KEY,
  type StoreMode,
  type WorkerSettings,
} from './protocol.js'

/** The store that a worker is told to use. */
export function createStore(settings: WorkerSettings): RevocationStore {
  const { client, port, dynamodbPort = 0, namespace, heartbeatMs, commandTimeoutMs, feedLength } = settings
  const overRedis = (kind: ClientKind) =>
    new RedisRevocationStore({
      ...{ client: createRedisClient(kind, port), namespace, heartbeatMs, commandTimeoutMs },
      ...(feedLength !== undefined && { feedLength }),
    })
  const overDynamoDB = (at: number) =>
    new DynamoDBRevocationStore({
      client: localClient(`http://127.0.0.1:${at}`, { maxAttempts: 1 }),
      ...{ tableName: namespace, pollIntervalMs: heartbeatMs, requestTimeoutMs: commandTimeoutMs },
    })
  switch (client) {
    case 'http': {
      const url = `http://127.0.0.1:${port}`
      return new HttpRevocationStore({ url, key: SERVICE_KEY, timeoutMs: commandTimeoutMs, silenceMs: 1_000 })
    }
    case 'dynamodb':
      return overDynamoDB(port)
    case 'redis and dynamodb':
      return new ReplicatedRevocationStore([overRedis('ioredis'), overDynamoDB(dynamodbPort)])
    default:
      return overRedis(client)
  }
}

export function createRedisClient(kind: ClientKind, port: number) {
  const address = { host: '127.0.0.1', port }
  if (kind === 'ioredis') return new Redis(address).on('error', () => {})
  const nodeRedis = createClient({ socket: address }).on('error', () => {})
  void nodeRedis.connect()
  return nodeRedis
}

/** Puts between a mirror and its store what a test asks for. */
export function wrapStore(store: RevocationStore, mode: StoreMode): RevocationStore {
  switch (mode) {
    case 'as it is':
      return store
    case 'repeats and shuffles':
      return withFeed(store, repeatAndShuffle)
    case 'acknowledges early':
      return { ...withFeed(store, (feed) => feed), add: async () => {} }
  }
}

/** What a verifier asks, and what keeps up with the store. */
export function createLookUp(
  store: RevocationStore,
  mode: LookUpMode,
  maxStalenessMs: number,
): { readonly mirror: RevocationMirror; readonly lookUp: RevocationStore } {
  const isBounded = mode !== 'mirror without a bound'
  const mirror = new RevocationMirror(store, {
    maxStalenessMs: isBounded ? maxStalenessMs : 3_600_000,
    // Nobody is to give back what the faulty ones have lost.
    writeBack: mode !== 'store alone',
  })
  if (mode !== 'store alone') return { mirror, lookUp: mirror }
  void mirror.ready().catch(() => {})
  return { mirror, lookUp: { add: (records) => store.add(records), find: (token) => store.find(token) } }
}

type Feed = AsyncIterable<ChangeBatch>

function withFeed(store: RevocationStore, change: (feed: Feed) => Feed): RevocationStore {
  return {
    add: (records) => store.add(records),
    find: (token) => store.find(token),
    changes: (options) => change((store.changes as NonNullable<RevocationStore['changes']>)(options)),
  }
}

/**
 * Brings each batch in two, the later half first, both shuffled, and repeats with each some that came before,
 * old versions of records among them. All that a feed may do: `caughtUp` is said with the last part only.
 */
async function* repeatAndShuffle(feed: Feed): Feed & AsyncGenerator<ChangeBatch> {
  const past: Revocation[] = []
  for await (const batch of feed) {
    const { revocations, cursor, caughtUp } = batch
    const restarted = batch.restarted ?? false
    // What the store has lost it must not seem to hold.
    if (restarted) past.length = 0
    const some = () => shuffle(past).slice(0, 20)
    if (revocations.length > 0) {
      const late = revocations.slice(Math.floor(revocations.length / 2))
      const early = shuffle([...late, ...late, ...some()])
      yield { revocations: early, cursor: '', caughtUp: false, ageMs: batch.ageMs, restarted }
      past.push(...revocations)
    }
    yield {
      revocations: shuffle([...revocations, ...some()]),
      cursor,
      caughtUp,
      restarted: restarted && revocations.length === 0,
      get ageMs() {
        return batch.ageMs
      },
    }
  }
}

function shuffle<T>(list: readonly T[]): T[] {
  return list
    .map((element) => ({ element, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ element }) => element)
}
