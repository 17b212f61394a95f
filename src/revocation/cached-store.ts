import type { LRUCache } from 'lru-cache'
import { elapsedMs, type Moment, takeMoment } from '../clock.js'
import { NotReadyError } from '../errors.js'
import { assertInteger, assertNumber, assertOptions, optionError } from '../options.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import type { Revocation, RevocationMatch } from './revocation.js'
import {
  assertFound,
  type ChangeBatch,
  type ChangesOptions,
  isRevocationStore,
  type RevocationStore,
} from './store.js'

/** Options of a {@link CachedRevocationStore}. */
export interface CachedRevocationStoreOptions {
  /** For how long "not revoked" is believed, in milliseconds, counted from when the store was asked. Default 5,000. */
  readonly ttlMs?: number
  /** How many answers are kept. Default 10,000. */
  readonly max?: number
}

interface Answer {
  readonly match: RevocationMatch | undefined
  readonly askedAt: Moment
}

interface Question {
  readonly answer: Promise<RevocationMatch | undefined>
  readonly askedAt: Moment
}

/**
 * Remembers what a store answered: "not revoked" for a short time, "revoked" for good. For processes that
 * cannot keep a feed open, such as functions that are frozen between calls. A revocation made elsewhere is
 * seen at most `ttlMs` after it was acknowledged, one made through this object at once.
 *
 * @example
 * import { CachedRevocationStore } from 'cognito-revocation'
 * const store = new CachedRevocationStore(yourStore, { ttlMs: 2_000 })
 */
export class CachedRevocationStore implements RevocationStore {
  /** The store's own feed, where it has one. */
  readonly changes?: (options: ChangesOptions) => AsyncIterable<ChangeBatch>
  /** The store's own, where it has one: a mirror's. */
  readonly ready?: () => Promise<void>
  readonly #store: RevocationStore
  readonly #ttlMs: number
  readonly #max: number
  /** A plain one until lru-cache is there: who needs no such cache starts a fifth sooner without it. */
  #answers: Map<string, Answer> | LRUCache<string, Answer> = new Map()
  readonly #questions = new Map<string, Question>()
  /** Counts what was added here: an answer from before is not kept. */
  #additions = 0

  /** @throws TypeError naming the option */
  constructor(store: RevocationStore, options: CachedRevocationStoreOptions = {}) {
    const owner = 'CachedRevocationStore'
    if (!isRevocationStore(store)) throw optionError(owner, 'store', 'a RevocationStore', store)
    assertOptions(owner, options, ['ttlMs', 'max'])
    const { ttlMs = 5_000, max = 10_000 } = options
    assertNumber(owner, 'ttlMs', ttlMs, 0, 3_600_000)
    assertInteger(owner, 'max', max, 1, 10_000_000)
    this.#store = store
    this.#ttlMs = ttlMs
    this.#max = max
    // Without it, answers are kept in a simpler way: what they are does not depend on it.
    this.#loadCache().catch(() => {})
    if (store.changes !== undefined) this.changes = store.changes.bind(store)
    if (store.ready !== undefined) this.ready = store.ready.bind(store)
  }

  /** Adds to the store; from then on everything is asked anew. */
  async add(revocations: readonly Revocation[]): Promise<void> {
    try {
      await this.#store.add(revocations)
    } finally {
      // Also after a failure: it may have been recorded all the same.
      this.#additions += 1
      this.#questions.clear()
      this.#answers.clear()
    }
  }

  async find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    const key = keyOf(token)
    const known = this.#recall(key)
    if (known !== undefined) return known.match
    const asked = this.#questions.get(key)
    // A store that hangs must not hold up those who come after it has recovered.
    if (asked !== undefined && elapsedMs(asked.askedAt) < this.#ttlMs) {
      const match = await asked.answer
      // Of an answer that took long, only "revoked" is believed by those who came after the question.
      if (match !== undefined || elapsedMs(asked.askedAt) < this.#ttlMs) return match
      return this.find(token)
    }
    const question = { answer: this.#ask(token, key), askedAt: takeMoment() }
    this.#questions.set(key, question)
    try {
      return await question.answer
    } finally {
      if (this.#questions.get(key) === question) this.#questions.delete(key)
    }
  }

  /** @throws NotReadyError where the store must be asked */
  findSync(token: TokenIdentity): RevocationMatch | undefined {
    const known = this.#recall(keyOf(token))
    if (known === undefined) throw new NotReadyError('The cache does not know this token: use verify()')
    return known.match
  }

  /** `ttlMs`, and what the store itself may be behind: no answer that is given from memory is older. */
  staleness(): number {
    return this.#ttlMs + (this.#store.staleness?.() ?? 0)
  }

  async #ask(token: TokenIdentity, key: string): Promise<RevocationMatch | undefined> {
    const additions = this.#additions
    const askedAt = takeMoment()
    const match = await this.#store.find(token)
    assertFound(match)
    if (match !== undefined || additions === this.#additions) this.#keep(key, { match, askedAt })
    return match
  }

  #keep(key: string, answer: Answer): void {
    // An older answer that comes late does not undo a newer one.
    if (answer.match === undefined && this.#answers.get(key)?.match !== undefined) return
    if (this.#answers instanceof Map && this.#answers.size >= this.#max) this.#answers.clear()
    this.#answers.set(key, answer)
  }

  async #loadCache(): Promise<void> {
    const { LRUCache } = await import('lru-cache')
    const answers = new LRUCache<string, Answer>({ max: this.#max })
    for (const [key, answer] of this.#answers.entries()) answers.set(key, answer)
    this.#answers = answers
  }

  #recall(key: string): Answer | undefined {
    const answer = this.#answers.get(key)
    if (answer === undefined || answer.match !== undefined) return answer
    return elapsedMs(answer.askedAt) < this.#ttlMs ? answer : undefined
  }
}

function keyOf({ poolId, jti, originJti, sub, clientId, authTime, iat }: TokenIdentity): string {
  return JSON.stringify([poolId, jti, originJti, sub, clientId, authTime, iat])
}
