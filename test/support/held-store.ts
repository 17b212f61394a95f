import type { Revocation, RevocationMatch } from '../../src/revocation/revocation.js'
import { idInScope, isBeforeCutoff } from '../../src/revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

/** What the feed is to deliver: the first half of what is due, or all of it; from the cursor on, or from everything. */
export interface Delivery {
  readonly half?: boolean
  readonly afresh?: boolean
  /** Nothing: the feed fails instead. */
  readonly fails?: boolean
}

/** What was delivered. */
export type Delivered = Pick<ChangeBatch, 'revocations' | 'caughtUp'> & { readonly restarted: boolean }

interface Order extends Delivery {
  readonly taken: (delivered: Delivered) => void
}

/** A store whose feed tells when it is told to, which can be down, and which forgets nothing, ever. */
export class HeldStore implements RevocationStore {
  isDown = false
  readonly held: Revocation[] = []
  /** Is told of each match that a look-up was answered with. */
  found: (match: RevocationMatch) => void = () => {}
  readonly #orders: Order[] = []
  #wake = () => {}

  async add(revocations: readonly Revocation[]): Promise<void> {
    this.#assertUp()
    this.held.push(...revocations)
  }

  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    this.#assertUp()
    const match = this.#find(token)
    if (match !== undefined) this.found(match)
    return match
  }

  /** Whether it would answer that the token is revoked. */
  holdsAgainst(token: TokenIdentity): boolean {
    return this.#find(token) !== undefined
  }

  async *changes({ after, signal }: ChangesOptions): AsyncGenerator<ChangeBatch> {
    let from = Number(after ?? 0)
    let isFirst = after === undefined
    for (;;) {
      const order = await this.#next(signal)
      if (order === undefined) return
      if (order.fails) {
        order.taken({ revocations: [], caughtUp: false, restarted: false })
        throw new Error('the feed broke')
      }
      const restarted = isFirst || order.afresh === true
      isFirst = false
      if (restarted) from = 0
      const to = order.half ? from + Math.ceil((this.held.length - from) / 2) : this.held.length
      const revocations = this.held.slice(from, to)
      const caughtUp = !order.half
      from = to
      try {
        yield { revocations, cursor: String(to), caughtUp, restarted, ageMs: 0 }
      } finally {
        // Whoever asks for the next batch, or for none any more, has taken this one in.
        order.taken({ revocations, caughtUp, restarted })
      }
    }
  }

  /** Has the feed deliver; resolves once that has been taken in. */
  deliver(delivery: Delivery = {}): Promise<Delivered> {
    return new Promise((taken) => {
      this.#orders.push({ ...delivery, taken })
      this.#wake()
    })
  }

  async #next(signal: AbortSignal): Promise<Order | undefined> {
    while (!signal.aborted) {
      const order = this.#orders.shift()
      if (order !== undefined) return order
      await new Promise<void>((resolve) => {
        this.#wake = () => {
          signal.removeEventListener('abort', this.#wake)
          resolve()
        }
        signal.addEventListener('abort', this.#wake)
      })
    }
    return undefined
  }

  #find(token: TokenIdentity): Revocation | undefined {
    return this.held.find((record) => revokes(record, token))
  }

  #assertUp(): void {
    if (this.isDown) throw new Error('the store is down')
  }
}

/** Whether a record alone revokes a token. */
export function revokes(record: RevocationMatch, token: TokenIdentity): boolean {
  return (
    record.poolId === token.poolId &&
    idInScope(token, record.scope) === record.id &&
    isBeforeCutoff(token, record.cutoff)
  )
}
