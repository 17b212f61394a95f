import { type Moment, takeMoment } from '../clock.js'
import { NotReadyError, TokenSignatureError } from '../errors.js'
import type { Observer } from '../observer.js'
import { type ClaimRules, checkAge, checkAuthorization, checkClaims, checkExpiry } from './claim-checks.js'
import { type CognitoClaims, claimError, deepFreeze, readClaims } from './claims.js'
import { type CompactJws, type JsonObject, parseCompactJws, readHeader } from './compact-jws.js'
import { Jwks, type JwksOptions } from './jwks.js'
import { KnownHeaders } from './known-headers.js'
import { inTurn, type Place, verifySignature, verifySignatureSync } from './signature.js'
import type { JsonWebKeySet, SigningKey } from './signing-key.js'
import { TokenCache } from './token-cache.js'
import { identityOf, type TokenIdentity } from './token-identity.js'

/** What the tokens of a user pool must be, and who may have issued them. */
export interface PoolRules extends ClaimRules {
  readonly poolId: string
  readonly issuers: readonly { readonly issuer: string; readonly jwksUri: string }[]
}

/** One `iss` that is accepted: the rules for its tokens, and its keys. */
export interface Issuer<Rules extends PoolRules> {
  readonly rules: Rules
  readonly jwks: Jwks
}

/** A token whose signature and claims are good, with all that later checks need, made once. */
export interface AuthenticToken<Rules extends PoolRules = PoolRules> {
  readonly token: string
  readonly header: JsonObject
  readonly issuer: Issuer<Rules>
  readonly key: SigningKey
  readonly claims: CognitoClaims
  readonly identity: TokenIdentity
}

/** What a {@link TokenAuthenticator} needs besides the rules. */
export interface AuthenticatorOptions {
  readonly jwks: JwksOptions
  readonly maxCachedTokens: number
  readonly clock: () => number
  readonly observer: Observer | undefined
}

/**
 * Finds out whether a token is authentic and acceptable: every check but revocation. The order is the
 * cheapest and least trusting first: shape, header, issuer, expiry, key, signature, claims.
 */
export class TokenAuthenticator<Rules extends PoolRules> {
  readonly #pools: readonly Rules[]
  readonly #issuers = new Map<string, Issuer<Rules>>()
  readonly #jwksByUri = new Map<string, Jwks>()
  readonly #headers = new KnownHeaders()
  readonly #seen: TokenCache<AuthenticToken<Rules>>
  readonly #clock: () => number

  constructor(
    pools: readonly Rules[],
    { jwks: jwksOptions, maxCachedTokens, clock, observer }: AuthenticatorOptions,
  ) {
    this.#pools = pools
    this.#clock = clock
    this.#seen = new TokenCache(maxCachedTokens)
    for (const rules of pools) {
      for (const { issuer, jwksUri } of rules.issuers) {
        const jwks = this.#jwksByUri.get(jwksUri) ?? new Jwks({ ...jwksOptions, jwksUri, clock, observer })
        this.#jwksByUri.set(jwksUri, jwks)
        this.#issuers.set(issuer, { rules, jwks })
      }
    }
  }

  /** The moment of a verification, by the clock of its owner: one for all its checks. */
  takeMoment(): Moment {
    return takeMoment(this.#clock)
  }

  /** A token that was admitted before, if its key is still trusted. Its time may be over by now. */
  recall(token: string, now: Moment): AuthenticToken<Rules> | undefined {
    const seen = typeof token === 'string' ? this.#seen.get(token) : undefined
    if (seen === undefined) return undefined
    if (!seen.issuer.jwks.trusts(seen.key, now)) {
      this.#seen.delete(seen)
      return undefined
    }
    return seen
  }

  /**
   * Makes the checks up to the signature and the types of the claims, fetching the key if need be.
   *
   * @returns a promise only where there is something to wait for
   */
  authenticate(token: string, now: Moment): AuthenticToken<Rules> | Promise<AuthenticToken<Rules>> {
    let hasWaited = false
    const result = inTurn((place) => {
      if (!hasWaited) return this.#authenticate(token, now, place)
      const later = this.takeMoment()
      // Of many requests that come with the same new token, the first has found out.
      return this.recall(token, later) ?? this.#authenticate(token, later, place)
    })
    hasWaited = true
    return result
  }

  #authenticate(
    token: string,
    now: Moment,
    place: Place,
  ): AuthenticToken<Rules> | Promise<AuthenticToken<Rules>> {
    const { jws, kid, issuer } = this.#read(token, now)
    const key = issuer.jwks.find(kid, now)
    if (key === undefined) return this.#fetchAndAuthenticate(token, jws, issuer, kid)
    return this.#verify(token, jws, issuer, key, place)
  }

  /** The same without waiting. @throws NotReadyError where the key is not in memory */
  authenticateSync(token: string, now: Moment): AuthenticToken<Rules> {
    const { jws, kid, issuer } = this.#read(token, now)
    const key = issuer.jwks.find(kid, now)
    if (key === undefined) {
      // Not for this call, but the next one may find it.
      void issuer.jwks.refresh()
      throw new NotReadyError('The key is not in memory: call ready() first, or use verify()')
    }
    return this.#openIf(verifySignatureSync(key.keyObject, jws), token, jws, issuer, key)
  }

  /** The configured issuer that the token names. The token chooses among them, never a URL. */
  issuerOf({ payload: { iss } }: Pick<CompactJws, 'payload'>): Issuer<Rules> {
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined
    if (issuer === undefined) throw claimError('iss', iss, [...this.#issuers.keys()])
    return issuer
  }

  /** What a token says, once its signature was found good. */
  open(token: string, jws: CompactJws, issuer: Issuer<Rules>, key: SigningKey): AuthenticToken<Rules> {
    const header = deepFreeze(jws.header)
    this.#headers.add(jws.headerText, header)
    const claims = readClaims(jws.payload)
    return { token, header, issuer, key, claims, identity: identityOf(issuer.rules.poolId, claims) }
  }

  /** Checks all claims of a token, and remembers it if they are good. */
  admit(authentic: AuthenticToken<Rules>, now: Moment): void {
    const { claims, issuer } = authentic
    checkClaims(claims, issuer.rules)
    this.checkTime(authentic, now)
    checkAuthorization(claims, issuer.rules)
    this.#seen.set(authentic)
  }

  /** Checks what changes while a token lives. */
  checkTime({ claims, issuer }: AuthenticToken<Rules>, now: Moment): void {
    const nowSeconds = now.wall / 1000
    checkExpiry(claims, issuer.rules, nowSeconds)
    checkAge(claims, issuer.rules, nowSeconds)
  }

  /** Resolves when there are keys for every pool. A pool has two possible issuers: one of them will do. */
  async ready(): Promise<void> {
    await Promise.all(
      this.#pools.map(async ({ issuers }) => {
        let failure: unknown
        for (const { issuer } of issuers) {
          try {
            return await this.#issuers.get(issuer)?.jwks.load()
          } catch (error) {
            failure ??= error
          }
        }
        throw failure
      }),
    )
  }

  /** Takes the keys of a pool from the caller instead of the network. @throws TypeError */
  cacheJwks(jwks: JsonWebKeySet, userPoolId: string | undefined): void {
    if (userPoolId === undefined && this.#pools.length > 1) {
      throw new TypeError('cacheJwks: name the user pool, since this verifier has several')
    }
    const pools = this.#pools.filter(({ poolId }) => userPoolId === undefined || poolId === userPoolId)
    if (pools.length === 0) throw new TypeError('cacheJwks: this verifier has no such user pool')
    for (const { issuer } of pools.flatMap(({ issuers }) => issuers)) {
      this.#issuers.get(issuer)?.jwks.hydrate(jwks)
    }
  }

  close(): void {
    for (const jwks of this.#jwksByUri.values()) jwks.close()
  }

  /** What can be said of a token without its key. */
  #read(token: string, now: Moment): { jws: CompactJws; kid: string; issuer: Issuer<Rules> } {
    const jws = parseCompactJws(token, this.#headers)
    const kid = readHeader(jws.header)
    const issuer = this.issuerOf(jws)
    // Clients send what has expired all the time: it is worth neither a signature check nor a fetch.
    checkExpiry(jws.payload, issuer.rules, now.wall / 1000)
    return { jws, kid, issuer }
  }

  #verify(
    token: string,
    jws: CompactJws,
    issuer: Issuer<Rules>,
    key: SigningKey,
    place: Place,
  ): AuthenticToken<Rules> | Promise<AuthenticToken<Rules>> {
    const valid = verifySignature(key.keyObject, jws, place)
    if (typeof valid === 'boolean') return this.#openIf(valid, token, jws, issuer, key)
    return valid.then((isValid) => this.#openIf(isValid, token, jws, issuer, key))
  }

  async #fetchAndAuthenticate(
    token: string,
    jws: CompactJws,
    issuer: Issuer<Rules>,
    kid: string,
  ): Promise<AuthenticToken<Rules>> {
    const key = await issuer.jwks.get(kid)
    return inTurn((place) => {
      const seen = this.recall(token, this.takeMoment())
      return seen ?? this.#verify(token, jws, issuer, key, place)
    })
  }

  #openIf(
    valid: boolean,
    token: string,
    jws: CompactJws,
    issuer: Issuer<Rules>,
    key: SigningKey,
  ): AuthenticToken<Rules> {
    assertSignature(valid)
    return this.open(token, jws, issuer, key)
  }
}

/** @throws TokenSignatureError */
export function assertSignature(valid: boolean): void {
  if (!valid) throw new TokenSignatureError("The token's signature is not its issuer's")
}
