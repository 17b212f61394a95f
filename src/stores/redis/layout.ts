import { StoreProtocolError } from '../../errors.js'
import { decodeRecordKey, type RecordIdentity } from '../record-key.js'

export { encodeRecordKey as encodeMember, mayHaveCutoff } from '../record-key.js'

/** Of what is kept in Redis, and how; a server that holds another is refused. */
const LAYOUT_VERSION = 1

/** The keys of one shard. They share a hash tag, and with it a slot of a cluster. */
export interface ShardKeys {
  /** Sorted set: member → expiresAt. What is in it is revoked. */
  readonly expires: string
  /** Sorted set: member → cutoff, +inf for none; users, clients and pools only. */
  readonly cutoffs: string
  /** Hash: `layout`, `generation`, `head`. */
  readonly meta: string
  /** Stream: the change feed. */
  readonly feed: string
}

/** The keys of each shard of a namespace. */
export function shardKeys(namespace: string, shards: number): readonly ShardKeys[] {
  return Array.from({ length: shards }, (_, shard) => {
    const tag = `{${namespace}:${shard}}`
    return { expires: `${tag}:expires`, cutoffs: `${tag}:cutoffs`, meta: `${tag}:meta`, feed: `${tag}:feed` }
  })
}

/** What the field `layout` says. */
export function layoutOf(shards: number): string {
  return `v${LAYOUT_VERSION}, shards: ${shards}`
}

/** The shard of a pool: FNV-1a over its id. */
export function shardOf(poolId: string, shards: number): number {
  if (shards === 1) return 0
  let hash = 0x811c9dc5
  for (let index = 0; index < poolId.length; index++) {
    hash = Math.imul(hash ^ poolId.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % shards
}

/** What belongs in which shard. */
export function byShard<T extends { readonly poolId: string }>(
  shards: readonly ShardKeys[],
  records: readonly T[],
): (readonly [ShardKeys, readonly T[]])[] {
  if (shards.length === 1) return [[shards[0] as ShardKeys, records]]
  const parts = new Map<ShardKeys, T[]>()
  for (const record of records) {
    const keys = shards[shardOf(record.poolId, shards.length)] as ShardKeys
    const part = parts.get(keys)
    if (part === undefined) parts.set(keys, [record])
    else part.push(record)
  }
  return [...parts]
}

/** @throws StoreProtocolError */
export function decodeMember(member: string): RecordIdentity {
  const identity = decodeRecordKey(member)
  if (identity !== undefined) return identity
  throw new StoreProtocolError('Redis holds a member that is not a revocation: is the namespace shared?')
}
