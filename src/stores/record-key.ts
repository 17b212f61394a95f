import { REVOCATION_SCOPES, type RevocationScope } from '../revocation/revocation.js'

const LETTERS: Record<RevocationScope, string> = {
  token: 't',
  session: 's',
  user: 'u',
  client: 'c',
  pool: 'p',
}
const SCOPES = new Map(REVOCATION_SCOPES.map((scope) => [LETTERS[scope], scope]))

/** What a revocation is known by. */
export interface RecordIdentity {
  readonly poolId: string
  readonly scope: RevocationScope
  readonly id: string
}

/** `s:us-east-1_AbCdEfGhI:<origin_jti>`: the scope's letter, the pool, the id as it is. No two meet in one key. */
export function encodeRecordKey(poolId: string, scope: RevocationScope, id: string): string {
  return `${LETTERS[scope]}:${escapePoolId(poolId)}:${id}`
}

/** Undefined for what is no such key. */
export function decodeRecordKey(key: string): RecordIdentity | undefined {
  const scope = SCOPES.get(key.slice(0, 1))
  const end = key.indexOf(':', 2)
  if (scope === undefined || key[1] !== ':' || end < 3 || end === key.length - 1) return undefined
  return { poolId: unescapePoolId(key.slice(2, end)), scope, id: key.slice(end + 1) }
}

/** Whether a record under this key may have a cutoff. */
export function mayHaveCutoff(key: string): boolean {
  return key.startsWith('u:') || key.startsWith('c:') || key.startsWith('p:')
}

function escapePoolId(poolId: string): string {
  return /[%:]/.test(poolId) ? poolId.replaceAll('%', '%25').replaceAll(':', '%3A') : poolId
}

function unescapePoolId(text: string): string {
  return text.includes('%') ? text.replaceAll('%3A', ':').replaceAll('%25', '%') : text
}
