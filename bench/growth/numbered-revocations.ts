import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Revocation, RevocationScope } from '../../src/revocation/revocation.js'
import type { ChangeBatch, ChangesOptions, RevocationStore } from '../../src/revocation/store.js'
import { idsOf } from './numbered-ids.js'

export const poolId = 'us-east-1_AbCdEfGhI'
export const now = Math.floor(Date.now() / 1000)
const expiresAt = now + 86_400
const cutoff = now - 3_600

/** What a store of Redis reads at once. */
const BATCH_LENGTH = 1_000

/** Sessions, with a user and a token in ten each. */
function scopeOf(number: number): RevocationScope {
  return number % 10 === 0 ? 'user' : number % 10 === 1 ? 'token' : 'session'
}

/** Those with the numbers from the first to the second, without that. */
export function revocationsOf(from: number, to: number): Revocation[] {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index)
  return idsOf(numbers).map((id, index) => {
    const scope = scopeOf(from + index)
    return scope === 'user' ? { poolId, scope, id, cutoff, expiresAt } : { poolId, scope, id, expiresAt }
  })
}

/** The ids of so many revoked sessions by chance, of those with numbers below the size. */
export function someSessions(size: number, count: number): string[] {
  const number = () => 10 * Math.floor((Math.random() * size) / 10) + 2 + Math.floor(Math.random() * 8)
  return idsOf(Array.from({ length: count }, number))
}

/** A store that makes what it holds when it is read: millions, without their memory. */
export class GeneratedStore implements RevocationStore {
  readonly #size: number
  #makingMs = 0

  constructor(size: number) {
    this.#size = size
  }

  /** How long it took to make what was read, which no other store has to. */
  get makingMs(): number {
    return this.#makingMs
  }

  async add(): Promise<void> {}

  /** A mirror that has to ask is one that does not measure what it should. */
  async find(): Promise<never> {
    throw new Error('A mirror asked the store')
  }

  async *changes({ signal }: ChangesOptions): AsyncGenerator<ChangeBatch> {
    for (let from = 0; from < this.#size && !signal.aborted; from += BATCH_LENGTH) {
      const startedAt = performance.now()
      const to = Math.min(from + BATCH_LENGTH, this.#size)
      const revocations = revocationsOf(from, to)
      this.#makingMs += performance.now() - startedAt
      yield { revocations, cursor: String(to), caughtUp: to === this.#size, ageMs: 0, restarted: from === 0 }
      // As where it comes over a network.
      await nextTurn()
    }
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
}
