import type { TokenIdentity } from '../tokens/token-identity.js'
import {
  idInScope,
  isBeforeCutoff,
  REVOCATION_SCOPES,
  type Revocation,
  type RevocationScope,
} from './revocation.js'

/** Whatever waits for the revocation of a token. */
export interface TokenWatcher {
  readonly identity: TokenIdentity
}

/** Finds the watchers that a revocation is about by its pool, scope and id, however many there are. */
export class WatcherIndex<Watcher extends TokenWatcher> {
  /** Nested maps: no key is built, so that most of a feed costs two look-ups a record. */
  readonly #pools = new Map<string, Record<RevocationScope, Map<string, Set<Watcher>>>>()

  add(watcher: Watcher): void {
    const { poolId } = watcher.identity
    const pool = this.#pools.get(poolId) ?? {
      token: new Map(),
      session: new Map(),
      user: new Map(),
      client: new Map(),
      pool: new Map(),
    }
    this.#pools.set(poolId, pool)
    for (const scope of REVOCATION_SCOPES) {
      const id = idInScope(watcher.identity, scope)
      if (id === undefined) continue
      const watchers = pool[scope].get(id) ?? new Set()
      pool[scope].set(id, watchers.add(watcher))
    }
  }

  delete(watcher: Watcher): void {
    const pool = this.#pools.get(watcher.identity.poolId)
    if (pool === undefined) return
    for (const scope of REVOCATION_SCOPES) {
      const id = idInScope(watcher.identity, scope)
      const watchers = id === undefined ? undefined : pool[scope].get(id)
      if (id === undefined || watchers === undefined) continue
      watchers.delete(watcher)
      if (watchers.size === 0) pool[scope].delete(id)
    }
    if (REVOCATION_SCOPES.every((scope) => pool[scope].size === 0))
      this.#pools.delete(watcher.identity.poolId)
  }

  /** Those whose token the record revokes. */
  revokedBy({ poolId, scope, id, cutoff }: Revocation): readonly Watcher[] {
    const watchers = this.#pools.get(poolId)?.[scope]?.get(id)
    if (watchers === undefined) return []
    return [...watchers].filter(({ identity }) => isBeforeCutoff(identity, cutoff))
  }
}
