import { StoreProtocolError } from '../../errors.js'
import { REVOCATION_SCOPES, type RevocationScope } from '../../revocation/revocation.js'

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

const LETTERS: Record<RevocationScope, string> = {
  token: 't',
  session: 's',
  user: 'u',
  client: 'c',
  pool: 'p',
}
const SCOPES = new Map(REVOCATION_SCOPES.map((scope) => [LETTERS[scope], scope]))

/** `s:us-east-1_AbCdEfGhI:<origin_jti>`: the scope's letter, the pool, the id as it is. */
export function encodeMember(poolId: string, scope: RevocationScope, id: string): string {
  return `${LETTERS[scope]}:${escapePoolId(poolId)}:${id}`
}

/** @throws StoreProtocolError */
export function decodeMember(member: string): { poolId: string; scope: RevocationScope; id: string } {
  const scope = SCOPES.get(member.slice(0, 1))
  const end = member.indexOf(':', 2)
  if (scope === undefined || member[1] !== ':' || end < 3 || end === member.length - 1) {
    throw new StoreProtocolError('Redis holds a member that is not a revocation: is the namespace shared?')
  }
  return { poolId: unescapePoolId(member.slice(2, end)), scope, id: member.slice(end + 1) }
}

/** Whether a record of this member may have a cutoff. */
export function mayHaveCutoff(member: string): boolean {
  return member.startsWith('u:') || member.startsWith('c:') || member.startsWith('p:')
}

function escapePoolId(poolId: string): string {
  return /[%:]/.test(poolId) ? poolId.replaceAll('%', '%25').replaceAll(':', '%3A') : poolId
}

function unescapePoolId(text: string): string {
  return text.includes('%') ? text.replaceAll('%3A', ':').replaceAll('%25', '%') : text
}
