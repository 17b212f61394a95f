import type { Revocation } from '../../src/revocation/revocation.js'
import type { PublicJwk } from '../../src/testing/token-minter.js'

/** How a worker looks revocations up; all but the first are for other tests, or faulty on purpose. */
export type LookUpMode =
  /** As it should be. */
  | 'mirror'
  /** Faulty: believes its memory however old it is. */
  | 'mirror without a bound'
  /** Faulty: nothing remembers what the store has lost. */
  | 'store alone'

/** What is between a worker's mirror and its store. */
export type StoreMode =
  | 'as it is'
  /** The change feed brings events twice and out of order. */
  | 'repeats and shuffles'
  /** Faulty: acknowledges before it writes. */
  | 'acknowledges early'

/** By which client a worker talks to Redis. */
export type ClientKind = 'ioredis' | 'node-redis'

/** With which a worker comes to the service. */
export const SERVICE_KEY = 'a-key-of-the-fault-tests-with-32-bytes'

/** What a worker's store is, and how it gets at it. */
export type Engine = ClientKind | 'http' | 'dynamodb' | 'redis and dynamodb'

export interface WorkerSettings {
  readonly name: string
  readonly client: Engine
  /** Where the store is for it, on 127.0.0.1. */
  readonly port: number
  /** Where DynamoDB is, where `port` is that of Redis. */
  readonly dynamodbPort?: number
  readonly namespace: string
  readonly maxStalenessMs: number
  readonly heartbeatMs: number
  readonly commandTimeoutMs: number
  readonly feedLength?: number
  readonly lookUp: LookUpMode
  readonly store: StoreMode
  readonly userPoolId: string
  readonly clientId: string
  readonly jwks: { readonly keys: readonly PublicJwk[] }
  /** How often it verifies all of its tokens, in milliseconds. */
  readonly tickMs: number
  /** What it verifies again and again. */
  readonly tokens: readonly string[]
}

/** What a worker is asked to do. */
export type WorkerTask =
  /** Revokes tokens; -1 stands for tokens that are none of the fleet's. */
  | {
      readonly type: 'add'
      readonly records: readonly (readonly [token: number, record: Revocation])[]
      readonly thenDie: boolean
    }
  | { readonly type: 'status' }
  | { readonly type: 'set wall clock'; readonly msAhead: number }
  /** Ends the load; resolves when the last call has been answered. */
  | { readonly type: 'stop load' }

export interface WorkerStatus {
  readonly size: number
  /** Null before its mirror has caught up once. */
  readonly stalenessMs: number | null
  readonly pendingCalls: number
}

/** What a worker says by itself. */
export type WorkerNews =
  | {
      readonly type: 'calls'
      readonly calls: readonly [token: number, start: number, end: number, verdict: string][]
      readonly stalls: readonly [from: number, to: number][]
    }
  | { readonly type: 'acknowledged'; readonly tokens: readonly number[]; readonly at: number }

/** A service over Redis, in a process of its own. */
export interface ServiceSettings {
  readonly port: number
  readonly redisPort: number
  readonly namespace: string
}

/** What a service is asked to do: to know this key, and no other. */
export interface ServiceTask {
  readonly key: string
}

export type ToWorker = { readonly id: number; readonly task: WorkerTask }
export type FromWorker =
  | WorkerNews
  | { readonly type: 'started' }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: string }
