import { type Moment, mostMsBetween, takeMoment } from '../clock.js'
import { JwksUnavailableError, TokenKeyUnknownError } from '../errors.js'
import { notify, type Observer } from '../observer.js'
import { importSigningKeys, type JsonWebKeySet, type SigningKey } from './signing-key.js'

const MAX_BODY_BYTES = 256 * 1024
const MAX_BACKOFF_MS = 60_000

/** How the keys of an issuer are fetched and kept. All in milliseconds. */
export interface JwksOptions {
  /** At most one fetch in this time, however many tokens with unknown keys arrive. Doubles while fetches fail, up to a minute. Default 5,000. */
  readonly cooldownMs?: number
  /** Keys older than this are fetched anew in the background. Default 600,000 (10 minutes). */
  readonly refreshAfterMs?: number
  /** Keys that could not be fetched anew for this long are no longer trusted. Default 21,600,000 (6 hours). */
  readonly maxAgeMs?: number
  /** How long a fetch may take. Default 3,000. */
  readonly timeoutMs?: number
}

/** What a {@link Jwks} needs to know. */
export interface JwksSource extends JwksOptions {
  readonly jwksUri: string
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly observer?: Observer | undefined
}

/** The part of jose's remote key set that is used here. */
interface RemoteSet {
  reload(): Promise<void>
  jwks(): unknown
}

/**
 * The public keys of one issuer. jose fetches them; looking one up is synchronous and never waits for the
 * network when the key is known, however many unknown ones are asked for.
 */
export class Jwks {
  readonly #source: Required<JwksOptions> & JwksSource
  #isClosed = false
  /** Made for the first fetch: where the keys are handed in there is none. */
  #closing: AbortController | undefined
  #keys = new Map<string, SigningKey>()
  #loadedAt: Moment | undefined
  #remote: RemoteSet | undefined
  #fetching: Promise<void> | undefined
  #nextFetchAt = 0
  #failures = 0
  #lastError: unknown

  constructor(source: JwksSource) {
    this.#source = {
      cooldownMs: 5_000,
      refreshAfterMs: 600_000,
      maxAgeMs: 21_600_000,
      timeoutMs: 3_000,
      ...source,
    }
  }

  /**
   * The key, if it is in memory and may be trusted now. Sees to it that old keys are fetched anew.
   *
   * @param now by this JWKS's own clock
   */
  find(kid: string, now = takeMoment(this.#source.clock)): SigningKey | undefined {
    const age = this.#ageMs(now)
    if (age > this.#source.refreshAfterMs) void this.refresh()
    return age <= this.#source.maxAgeMs ? this.#keys.get(kid) : undefined
  }

  /** Whether a key that was found before is still in the JWKS, and that is young enough. */
  trusts(key: SigningKey, now: Moment): boolean {
    return this.find(key.kid, now) === key
  }

  /**
   * The key, fetched if need be.
   *
   * @throws TokenKeyUnknownError if the JWKS is known and doesn't have it
   * @throws JwksUnavailableError if the JWKS cannot be had
   */
  async get(kid: string): Promise<SigningKey> {
    const known = this.find(kid)
    if (known !== undefined) return known
    await this.refresh()
    const key = this.find(kid)
    if (key !== undefined) return key
    if (this.#failures > 0 || !this.loaded) throw this.#unavailable()
    throw new TokenKeyUnknownError("The issuer's JWKS has no key with the token's kid")
  }

  /** Whether there are keys that may be trusted now. */
  get loaded(): boolean {
    return this.#ageMs() <= this.#source.maxAgeMs
  }

  /**
   * Resolves when there are keys that may be trusted.
   *
   * @throws JwksUnavailableError
   */
  async load(): Promise<void> {
    if (this.loaded) return
    await this.refresh()
    if (!this.loaded) throw this.#unavailable()
  }

  /** Takes a JWKS that the caller has, as if it had been fetched now. */
  hydrate(jwks: JsonWebKeySet): void {
    const { keys, ignored } = importSigningKeys(jwks, this.#keys)
    for (const { kid, reason } of ignored) {
      notify(this.#source.observer, { type: 'jwks_key_ignored', jwksUri: this.#source.jwksUri, kid, reason })
    }
    if (keys.size === 0)
      throw new TypeError('The JWKS has no RSA key of 2048 bits or more for RS256 signatures')
    this.#keys = keys
    this.#loadedAt = takeMoment(this.#source.clock)
  }

  /** Ends a fetch under way, and starts no other. */
  close(): void {
    this.#isClosed = true
    this.#closing?.abort()
  }

  #ageMs(now = takeMoment(this.#source.clock)): number {
    return this.#loadedAt === undefined ? Number.POSITIVE_INFINITY : mostMsBetween(this.#loadedAt, now)
  }

  #unavailable(): JwksUnavailableError {
    const options = this.#lastError === undefined ? undefined : { cause: this.#lastError }
    return new JwksUnavailableError(`The JWKS of ${this.#source.jwksUri} cannot be had`, options)
  }

  /** Joins the fetch under way, or starts one if that is due; never rejects. */
  refresh(): Promise<void> {
    if (this.#fetching === undefined) {
      if (this.#isClosed || performance.now() < this.#nextFetchAt) return Promise.resolve()
      this.#nextFetchAt = performance.now() + this.#source.cooldownMs
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined
      })
    }
    return this.#fetching
  }

  async #fetch(): Promise<void> {
    const { jwksUri, observer, cooldownMs } = this.#source
    try {
      this.#remote ??= await this.#createRemote()
      await this.#remote.reload()
      // Without a usable key, whatever was there is withdrawn all the same.
      this.#loadedAt = undefined
      this.hydrate(this.#remote.jwks() as JsonWebKeySet)
      this.#failures = 0
      this.#lastError = undefined
      notify(observer, { type: 'jwks_fetched', jwksUri, keys: this.#keys.size })
    } catch (cause) {
      const retryAfterMs = Math.max(cooldownMs, Math.min(cooldownMs * 2 ** this.#failures, MAX_BACKOFF_MS))
      this.#failures += 1
      this.#nextFetchAt = performance.now() + retryAfterMs
      this.#lastError = cause
      const error = cause instanceof Error ? cause : new Error(String(cause))
      notify(observer, { type: 'jwks_fetch_failed', jwksUri, error, retryAfterMs })
    }
  }

  async #createRemote(): Promise<RemoteSet> {
    const jose = await import('jose')
    return jose.createRemoteJWKSet(new URL(this.#source.jwksUri), {
      timeoutDuration: this.#source.timeoutMs,
      [jose.customFetch]: async (url, init) => {
        // Who listens keeps jose's timeout; `AbortSignal.any` does not, so that it could be garbage before its time.
        init.signal.addEventListener('abort', () => {})
        this.#closing ??= new AbortController()
        if (this.#isClosed) this.#closing.abort()
        const signal = AbortSignal.any([init.signal, this.#closing.signal])
        // jose refuses every status but 200, so a redirect is not followed and not taken.
        return limitBody(await fetch(url, { ...init, redirect: 'manual', signal } as RequestInit))
      },
    })
  }
}

/** The same response, its body read to the end but no further than 256 KiB. */
async function limitBody(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop by the exception cancels the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength
    if (length > MAX_BODY_BYTES) throw new RangeError(`The JWKS is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  const nullBody = [204, 205, 304].includes(response.status)
  // A redirect comes as an opaque status 0, which no Response can be made with.
  const status = response.status >= 200 ? response.status : 502
  return new Response(nullBody ? null : Buffer.concat(chunks), { status, headers: response.headers })
}
