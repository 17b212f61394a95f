import { CognitoRevocationError, NotReadyError } from './errors.js'
import type { Explanation } from './explanation.js'
import { isPromise } from './is-promise.js'
import { notify } from './observer.js'
import { RevocationLookup } from './revocation/revocation-lookup.js'
import { RevocationWatch, type WatchOutcome } from './revocation/revocation-watch.js'
import { endOfLife } from './tokens/claim-checks.js'
import { type ClaimsOf, readClaims, type TokenUse } from './tokens/claims.js'
import type { JsonWebKeySet } from './tokens/signing-key.js'
import { TokenAuthenticator } from './tokens/token-authenticator.js'
import { identityOf } from './tokens/token-identity.js'
import { type Authentic, runCustomCheck } from './verifier-checks.js'
import { explainToken } from './verifier-explain.js'
import {
  type CheckedOptions,
  checkVerifierOptions,
  type TokenVerifierOptions,
  type UserPool,
  type VerifyOptions,
} from './verifier-options.js'
import { RevocationCheck } from './verifier-revocation.js'

/**
 * Verifies Cognito's access and ID tokens: shape, header, issuer, expiry, key, signature, claims and, last, whether
 * they have been revoked. That is asked on every call; only the signature's result is remembered.
 *
 * @example
 * import { MemoryRevocationStore, TokenVerifier } from 'cognito-revocation'
 * const verifier = new TokenVerifier({
 *   userPoolId: 'us-east-1_AbCdEfGhI',
 *   clientId: '1example23456789',
 *   tokenUse: 'access',
 *   revocation: new MemoryRevocationStore(),
 * })
 * const claims = await verifier.verify(token)
 */
export class TokenVerifier<Use extends TokenUse | null = TokenUse | null> {
  readonly #options: CheckedOptions
  readonly #authenticator: TokenAuthenticator<UserPool>
  readonly #lookup: RevocationLookup | undefined
  readonly #revocation: RevocationCheck | undefined
  readonly #watch: RevocationWatch | undefined
  #closed = false

  /** @throws TypeError naming the option */
  constructor(options: TokenVerifierOptions<Use>) {
    const checked = checkVerifierOptions(options)
    this.#options = checked
    this.#authenticator = new TokenAuthenticator(checked.pools, checked)
    const { revocation: store } = checked
    if (store === undefined) return
    const lookup = new RevocationLookup(store, checked.revocationTimeoutMs)
    this.#lookup = lookup
    this.#revocation = new RevocationCheck({ ...checked, lookup })
    if (store.changes === undefined) return
    const every = { maxStalenessMs: 5_000, intervalMs: 1_000 }
    this.#watch = new RevocationWatch({ ...checked, ...every, store, lookup })
  }

  /**
   * Verifies a token and gives its claims, frozen.
   *
   * @throws TokenMalformedError, TokenClaimError, TokenKeyUnknownError, TokenSignatureError,
   *   TokenExpiredError, InsufficientScopeError, TokenNotRevocableError, TokenRevokedError: refuse the request
   * @throws JwksUnavailableError, RevocationUnavailableError, NotReadyError: it can't be known now, answer 503
   */
  async verify(token: string, options?: VerifyOptions): Promise<ClaimsOf<Use>> {
    let authentic: Authentic | undefined
    try {
      this.#assertOpen()
      const now = this.#authenticator.takeMoment()
      authentic = this.#authenticator.recall(token, now)
      if (authentic !== undefined) this.#authenticator.checkTime(authentic, now)
      else {
        const authenticated = this.#authenticator.authenticate(token, now)
        const isLater = isPromise(authenticated)
        authentic = isLater ? await authenticated : authenticated
        this.#authenticator.admit(authentic, isLater ? this.#authenticator.takeMoment() : now)
      }
      const custom = runCustomCheck(authentic)
      if (custom !== undefined) await custom
      const revocation = this.#revocation?.run(authentic, options)
      if (revocation !== undefined) await revocation
      return authentic.claims as ClaimsOf<Use>
    } catch (error) {
      throw this.#refused(error, authentic)
    }
  }

  /**
   * The same without waiting, where keys and revocations are in memory.
   *
   * @throws what `verify` throws; NotReadyError where `verify` would have to wait for something
   */
  verifySync(token: string): ClaimsOf<Use> {
    let authentic: Authentic | undefined
    try {
      this.#assertOpen()
      const now = this.#authenticator.takeMoment()
      authentic = this.#authenticator.recall(token, now)
      if (authentic !== undefined) this.#authenticator.checkTime(authentic, now)
      else {
        authentic = this.#authenticator.authenticateSync(token, now)
        this.#authenticator.admit(authentic, now)
      }
      const custom = runCustomCheck(authentic)
      if (custom !== undefined) {
        custom.catch(() => {})
        throw new NotReadyError('customJwtCheck is asynchronous: use verify()')
      }
      this.#revocation?.runSync(authentic)
      return authentic.claims as ClaimsOf<Use>
    } catch (error) {
      throw this.#refused(error, authentic)
    }
  }

  /**
   * The claims of a token that was verified before, if memory alone can say that it is still good; undefined where it
   * is not, or `verify` must be asked. For what is quicker where it need not wait, such as a middleware: a token that is
   * seen again costs about half a microsecond.
   */
  recall(token: string): ClaimsOf<Use> | undefined {
    // What a subclass or a wrapper asks for besides, only its own `verify` knows.
    if (this.verify !== TokenVerifier.prototype.verify) return undefined
    if (this.#closed) return undefined
    const now = this.#authenticator.takeMoment()
    const authentic = this.#authenticator.recall(token, now)
    if (authentic === undefined || authentic.issuer.rules.customJwtCheck !== undefined) return undefined
    try {
      this.#authenticator.checkTime(authentic, now)
      this.#revocation?.runStrictly(authentic)
      return authentic.claims as ClaimsOf<Use>
    } catch {
      return undefined
    }
  }

  /**
   * Says of a token how each check went, what revoked it, where that answer came from and how old it may
   * be. Never throws on a bad token, and makes each check afresh. Past a good signature it goes on after a
   * failure, to show them all.
   *
   * @example
   * const { accepted, error, checks, revocation } = await verifier.explain(token)
   */
  async explain(token: unknown): Promise<Explanation> {
    this.#assertOpen()
    return explainToken(token, {
      authenticator: this.#authenticator,
      lookup: this.#lookup,
      accept: this.#options.accept,
    })
  }

  /**
   * Waits until a verified token is revoked, or has expired (looked at each second), so that what it opened can be
   * closed. Thousands of watches share one feed. They do not keep the process alive.
   *
   * `unavailable`, under `onRevocationUnavailable: 'reject'`: it cannot be known any more. The feed is over 5 s old
   * (with a mirror, older than its `maxStalenessMs`), and the store does not answer either.
   *
   * @throws TypeError if the store has no change feed, TokenClaimError if these are no claims of this verifier's
   *   pools, and the signal's reason, once it is aborted
   * @example
   * const done = new AbortController()
   * socket.on('close', () => done.abort())
   * verifier.watch(claims, { signal: done.signal }).then((why) => socket.close(4401, why), () => {})
   */
  async watch(claims: ClaimsOf<Use>, { signal }: { signal?: AbortSignal } = {}): Promise<WatchOutcome> {
    this.#assertOpen()
    if (this.#watch === undefined) {
      throw new TypeError('TokenVerifier: watch() needs a revocation store with a change feed (changes)')
    }
    const own = readClaims(structuredClone({ ...claims }))
    const { rules } = this.#authenticator.issuerOf({ payload: { ...own } })
    return this.#watch.watch(identityOf(rules.poolId, own), endOfLife(own, rules) * 1000, signal)
  }

  /**
   * Resolves when the keys of every pool are in memory, and a mirror has caught up, so that the first request
   * needn't wait. Optional.
   *
   * @throws JwksUnavailableError, RevocationUnavailableError
   */
  async ready(): Promise<void> {
    this.#assertOpen()
    const mirror = async () => this.#options.revocation?.ready?.()
    await Promise.all([this.#authenticator.ready(), mirror()])
  }

  /**
   * Takes the JWKS of a pool that the caller has, for a quick start or for tests without a network. It counts as
   * fetched now (see `JwksOptions`): a key that Cognito has withdrawn since is trusted until the next fetch.
   * @throws TypeError if it holds no usable key, or the pool isn't this verifier's
   */
  cacheJwks(jwks: JsonWebKeySet, userPoolId?: string): void {
    this.#authenticator.cacheJwks(jwks, userPoolId)
  }

  /** Ends what this verifier started; a watch ends with `unavailable`. The store that was handed in stays open. */
  async close(): Promise<void> {
    this.#closed = true
    this.#authenticator.close()
    await this.#watch?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assertOpen(): void {
    if (this.#closed) throw new NotReadyError('This TokenVerifier is closed')
  }

  #refused(error: unknown, authentic: Authentic | undefined): unknown {
    if (error instanceof CognitoRevocationError) {
      const whose = authentic && { poolId: authentic.identity.poolId, sub: authentic.identity.sub }
      notify(this.#options.observer, { type: 'token_refused', code: error.code, error, ...whose })
    }
    return error
  }
}
