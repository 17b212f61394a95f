import type { TokenIdentity } from '../../tokens/token-identity.js'
import { idInScope, type Revocation } from '../revocation.js'

/** To compare so many ids takes less time than to look a token up in a large table. */
const LENGTH = 32

interface Entry extends Pick<Revocation, 'poolId' | 'scope' | 'id'> {
  readonly epoch: number
}

/** What was entered last, by the epoch that it made: where little has come in, it is quicker to look at that alone. */
export class LatestEntries {
  readonly #entries: (Entry | undefined)[] = new Array(LENGTH).fill(undefined)

  set(epoch: number, { poolId, scope, id }: Revocation): void {
    this.#entries[epoch % LENGTH] = { epoch, poolId, scope, id }
  }

  /** Whether anything that was entered after one epoch, up to another, may revoke the token. */
  mayRevoke(token: TokenIdentity, after: number, upTo: number): boolean {
    if (upTo - after > LENGTH) return true
    for (let epoch = after + 1; epoch <= upTo; epoch++) {
      const entry = this.#entries[epoch % LENGTH]
      if (entry?.epoch !== epoch) return true
      if (entry.poolId === token.poolId && idInScope(token, entry.scope) === entry.id) return true
    }
    return false
  }
}
