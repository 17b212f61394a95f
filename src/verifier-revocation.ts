import { RevocationUnavailableError } from './errors.js'
import { isPromise } from './is-promise.js'
import { notify, type Observer } from './observer.js'
import type { RevocationLookup } from './revocation/revocation-lookup.js'
import { type Authentic, assertNotRevoked, assertRevocable } from './verifier-checks.js'
import type { VerifyOptions } from './verifier-options.js'

/** What a {@link RevocationCheck} needs to know. */
export interface RevocationCheckOptions {
  readonly lookup: RevocationLookup
  /** Whether a token passes where it cannot be known whether it is revoked. */
  readonly accept: boolean
  readonly observer: Observer | undefined
}

/** The last check of a token: that it can be revoked, and is not. */
export class RevocationCheck {
  readonly #lookup: RevocationLookup
  readonly #accept: boolean
  readonly #observer: Observer | undefined

  constructor({ lookup, accept, observer }: RevocationCheckOptions) {
    this.#lookup = lookup
    this.#accept = accept
    this.#observer = observer
  }

  /**
   * @returns a promise only where the store must be asked
   * @throws TokenNotRevocableError, TokenRevokedError, RevocationUnavailableError
   */
  run(authentic: Authentic, options?: VerifyOptions): void | Promise<void> {
    assertRevocable(authentic)
    const accept = this.#accepts(options)
    const found = this.#orAccept(() => this.#lookup.find(authentic.identity), accept)
    if (!isPromise(found)) return assertNotRevoked(found)
    return found.catch((error) => this.#acceptOrThrow(error, accept)).then(assertNotRevoked)
  }

  /** The same out of memory. @throws NotReadyError where the store must be asked */
  runSync(authentic: Authentic): void {
    assertRevocable(authentic)
    assertNotRevoked(this.#orAccept(() => this.#lookup.findSync(authentic.identity), this.#accept))
  }

  /** The same, whatever the owner accepts where it cannot be known. */
  runStrictly(authentic: Authentic): void {
    assertRevocable(authentic)
    assertNotRevoked(this.#lookup.findSync(authentic.identity))
  }

  #accepts(options: VerifyOptions | undefined): boolean {
    // Its own only: what somebody put on Object.prototype is nobody's choice.
    const isChosen = options && Object.hasOwn(options, 'onRevocationUnavailable')
    const choice = isChosen ? options.onRevocationUnavailable : undefined
    return choice === undefined ? this.#accept : choice === 'accept'
  }

  #orAccept<T>(find: () => T, accept: boolean): T | undefined {
    try {
      return find()
    } catch (error) {
      return this.#acceptOrThrow(error, accept)
    }
  }

  /** The owner's choice, where it cannot be known whether the token is revoked. */
  #acceptOrThrow(error: unknown, accept: boolean): undefined {
    if (!(error instanceof RevocationUnavailableError)) throw error
    const decision = accept ? 'accepted' : 'rejected'
    notify(this.#observer, { type: 'revocation_unavailable', decision, error })
    if (!accept) throw error
  }
}
