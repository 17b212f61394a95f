import { elapsedMs, takeMoment } from '../clock.js'
import { withDeadline } from '../deadline.js'
import { NotReadyError, RevocationUnavailableError } from '../errors.js'
import { isPromise } from '../is-promise.js'
import type { TokenIdentity } from '../tokens/token-identity.js'
import type { RevocationMatch } from './revocation.js'
import { assertFound, type RevocationStore } from './store.js'

/** What a look-up found, and where. */
export interface LookupResult {
  readonly match: RevocationMatch | undefined
  /** `memory`: this process's own knowledge. `store`: the store was asked. */
  readonly source: 'memory' | 'store'
  /** How old the answer is at most, in milliseconds. */
  readonly ageMs: number
}

/**
 * Asks a store whether a token is revoked, within a time, and takes nothing but an answer for an answer:
 * whatever a store throws, however late it is, and whatever else it says, is "unknown".
 */
export class RevocationLookup {
  readonly #store: RevocationStore
  readonly #timeoutMs: number

  constructor(store: RevocationStore, timeoutMs: number) {
    this.#store = store
    this.#timeoutMs = timeoutMs
  }

  /**
   * The record that revokes the token, out of memory.
   *
   * @throws NotReadyError where the store must be asked
   * @throws RevocationUnavailableError
   */
  findSync(token: TokenIdentity): RevocationMatch | undefined {
    if (this.#store.findSync === undefined) {
      throw new NotReadyError(
        'The revocation store cannot answer from memory: use verify(), or put a mirror before it',
      )
    }
    try {
      const found: unknown = this.#store.findSync(token)
      // No answer: and where it rejects, nobody else would hear of it.
      if (isPromise(found)) Promise.resolve(found).catch(() => {})
      assertFound(found)
      return found
    } catch (cause) {
      if (cause instanceof NotReadyError) throw cause
      throw unavailable(cause)
    }
  }

  /**
   * The record that revokes the token, out of memory where that suffices.
   *
   * @returns a promise only where the store must be asked
   * @throws RevocationUnavailableError
   */
  find(token: TokenIdentity): RevocationMatch | undefined | Promise<RevocationMatch | undefined> {
    const known = this.#recall(token)
    return known === undefined ? this.#ask(token) : known.match
  }

  /** The same, and where the answer came from. @throws RevocationUnavailableError */
  async lookUp(token: TokenIdentity): Promise<LookupResult> {
    const known = this.#recall(token)
    if (known !== undefined) return { ...known, source: 'memory', ageMs: this.#staleness() }
    const startedAt = performance.now()
    const match = await this.#ask(token)
    return { match, source: 'store', ageMs: performance.now() - startedAt }
  }

  #staleness(): number {
    try {
      return this.#store.staleness?.() ?? 0
    } catch {
      return Number.POSITIVE_INFINITY
    }
  }

  /** What memory says; undefined where the store must be asked. */
  #recall(token: TokenIdentity): Pick<LookupResult, 'match'> | undefined {
    if (this.#store.findSync === undefined) return undefined
    try {
      return { match: this.findSync(token) }
    } catch (error) {
      if (error instanceof NotReadyError) return undefined
      throw error
    }
  }

  async #ask(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    try {
      const askedAt = takeMoment()
      const found = await withDeadline('The revocation store', this.#timeoutMs, this.#store.find(token))
      assertFound(found)
      // Timers stand still with the process.
      if (found === undefined && elapsedMs(askedAt) > 2 * this.#timeoutMs) {
        throw new Error('The revocation store answered too late to be believed')
      }
      return found
    } catch (cause) {
      throw unavailable(cause)
    }
  }
}

function unavailable(cause: unknown): RevocationUnavailableError {
  if (cause instanceof RevocationUnavailableError) return cause
  return new RevocationUnavailableError('It cannot be known now whether the token is revoked', { cause })
}
