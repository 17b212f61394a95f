import { elapsedMs, type Moment, takeMoment } from '../clock.js'
import { notify } from '../observer.js'
import { PATHS, REQUEST_ID } from '../stores/http/wire.js'
import { type ApiKey, type ApiKeyOptions, type ApiKeyRight, ApiKeys } from './api-keys.js'
import { ChangesStream } from './changes-stream.js'
import { openCursor } from './cursors.js'
import { Places } from './places.js'
import { Refusal, requestRefusal } from './refusal.js'
import { readJson } from './request-body.js'
import { addRevocations, findMatches, probe } from './requests.js'
import {
  type CheckedServiceOptions,
  checkServiceOptions,
  MAX_TOKENS_UNDER_WAY,
  type RevocationServiceOptions,
} from './service-options.js'
import { SharedFeed } from './shared-feed.js'
import { Turns } from './turns.js'

/** For how long an answer about readiness is given again: anybody may ask. */
const READINESS_MS = 1_000
/** Streams that catch up at once, each by a reading of its own, which may cost connections. */
const MAX_CATCHING_UP = { max: 32, maxOfOne: 16 }

/** What has been learned of a request: for the observer, should it be refused. */
interface Caller {
  key?: ApiKey
}

/**
 * Serves a store to processes that should not reach it themselves: a fetch handler for the protocol of
 * `HttpRevocationStore`, in docs/openapi.yaml. It runs wherever there are `Request` and `Response`; on Node's own
 * HTTP server with `listenRevocationService`.
 *
 * @example
 * import { listenRevocationService, RevocationService } from 'cognito-revocation/server'
 * const keys = [{ id: 'api', key: process.env.REVOCATION_KEY ?? '', rights: ['read', 'write'], pools: 'all' }]
 * const service = new RevocationService({ store, keys })
 * await listenRevocationService(service, { port: 8080 })
 */
export class RevocationService {
  readonly #options: CheckedServiceOptions
  readonly #feed: SharedFeed
  readonly #turns = new Turns(MAX_CATCHING_UP)
  readonly #streams = new Set<ChangesStream>()
  readonly #requestPlaces: Places
  readonly #lookUpPlaces: Places
  readonly #tokenPlaces: Places
  readonly #streamPlaces: Places
  #keys: ApiKeys
  #closed = false
  #readiness: { readonly at: Moment; readonly answer: Promise<void> } | undefined

  /** @throws TypeError naming the option */
  constructor(options: RevocationServiceOptions) {
    this.#options = checkServiceOptions(options)
    this.#keys = new ApiKeys(options.keys)
    const { store, feedSilenceMs: silenceMs, maxQueuedRecords, observer } = this.#options
    const { maxRequests, maxStreams } = this.#options
    this.#requestPlaces = new Places({ max: maxRequests, maxOfOne: maxRequests })
    this.#lookUpPlaces = new Places({ max: (maxRequests * 3) / 4, maxOfOne: maxRequests / 2 })
    this.#tokenPlaces = new Places({ max: MAX_TOKENS_UNDER_WAY, maxOfOne: MAX_TOKENS_UNDER_WAY / 2 })
    this.#streamPlaces = new Places({ max: maxStreams, maxOfOne: maxStreams / 2 })
    this.#feed = new SharedFeed({ store, silenceMs, maxQueuedRecords, observer })
    this.fetch = this.fetch.bind(this)
  }

  /** Answers a request. Never rejects: whatever goes wrong is an answer too. */
  async fetch(request: Request): Promise<Response> {
    const receivedAt = takeMoment()
    const caller: Caller = {}
    try {
      return await this.#answer(request, receivedAt, caller)
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('internal_error', { cause: error })
      this.refused(refusal, caller.key?.id)
      return refusal.toResponse()
    }
  }

  /** Tells the observer of a refused request. @internal */
  refused(refusal: Refusal, keyId?: string): void {
    const { status, code, cause } = refusal
    notify(this.#options.observer, {
      type: 'service_request_refused',
      status,
      code,
      ...(keyId === undefined ? {} : { keyId }),
      ...(cause instanceof Error ? { error: cause } : {}),
    })
  }

  /**
   * Takes other keys from now on. Streams of a key that is not among them, or has other pools or no right to read
   * any more, end at once; all others go on.
   *
   * @throws TypeError naming the option; then the keys are as before
   */
  replaceKeys(keys: readonly ApiKeyOptions[]): void {
    this.#keys = new ApiKeys(keys)
    for (const stream of this.#streams) {
      const key = this.#keys.successorOf(stream.key)
      if (key === undefined) stream.end('key_changed')
      else stream.keep(key)
    }
  }

  /** Ends every stream, and refuses all requests from now on. The store stays open. */
  async close(): Promise<void> {
    this.#closed = true
    for (const stream of this.#streams) stream.end('closing')
    this.#feed.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #answer(request: Request, receivedAt: Moment, caller: Caller): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    switch (pathname) {
      case PATHS.health:
        assertMethod(request, 'GET')
        return json({ status: 'ok' })
      case PATHS.readiness:
        assertMethod(request, 'GET')
        await this.#ready()
        return json({ status: 'ready' })
      case PATHS.revocations:
        assertMethod(request, 'POST')
        return this.#worked('write', request, caller, async (key, body) =>
          json(await addRevocations(this.#options, key, body)),
        )
      case PATHS.find:
        assertMethod(request, 'POST')
        return this.#worked('read', request, caller, async (key, body) =>
          json(await findMatches(this.#options, key, body, this.#tokenPlaces)),
        )
      case PATHS.changes:
        assertMethod(request, 'GET')
        return this.#stream(request, searchParams, receivedAt, this.#authorize(request, 'read', caller))
      default:
        throw new Refusal('not_found')
    }
  }

  /** Reads and works on a request, if it may be made and there is room for it. */
  async #worked(
    right: ApiKeyRight,
    request: Request,
    caller: Caller,
    work: (key: ApiKey, body: unknown) => Promise<Response>,
  ): Promise<Response> {
    const { who } = this.#authorize(request, right, caller)
    const lookUp = right === 'read' ? [this.#lookUpPlaces] : []
    const taken: (() => void)[] = []
    try {
      for (const places of [this.#requestPlaces, ...lookUp]) {
        const free = places.take(who)
        if (free === undefined) throw new Refusal('overloaded')
        taken.push(free)
      }
      const body = await readJson(request, this.#options)
      // Once more: the key may have been withdrawn while the body arrived.
      return await work(this.#authorize(request, right, caller), body)
    } finally {
      for (const free of taken) free()
    }
  }

  #authorize(request: Request, right: ApiKeyRight, caller: Caller): ApiKey {
    if (this.#closed) throw new Refusal('closing')
    const presented = /^Bearer +([\x21-\x7e]{1,1024})$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (presented === undefined) throw new Refusal('key_missing')
    const key = this.#keys.find(presented)
    if (key === undefined) throw new Refusal('key_unknown')
    caller.key = key
    if (!key.rights.has(right))
      throw new Refusal('right_missing', { detail: `This API key lacks the right "${right}"` })
    return key
  }

  #stream(request: Request, parameters: URLSearchParams, receivedAt: Moment, key: ApiKey): Response {
    const { store, observer, stalledStreamMs, maxStreamMs } = this.#options
    if (store.changes === undefined) throw new Refusal('feed_unsupported')
    // It would be told of nothing, which must not look like "nothing is revoked".
    if (key.pools !== 'all' && key.pools.size === 0) throw new Refusal('pool_not_allowed')
    const requestId = parameters.get('request') ?? undefined
    if (requestId !== undefined && !REQUEST_ID.test(requestId)) throw requestRefusal()
    const sealed = request.headers.get('last-event-id') ?? undefined
    const after = sealed === undefined ? undefined : openCursor(key, sealed)
    if (sealed !== undefined && after === undefined) throw new Refusal('cursor_invalid')
    const free = this.#streamPlaces.take(key.who)
    if (free === undefined) throw new Refusal('overloaded')
    const stream = new ChangesStream({
      ...{ feed: this.#feed, turns: this.#turns, key, after, requestId, receivedAt },
      ...{ stalledStreamMs, maxStreamMs, observer },
      onEnd: (ended) => {
        this.#streams.delete(ended)
        free()
      },
    })
    this.#streams.add(stream)
    return new Response(stream.body(), {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store, no-transform',
        // nginx would keep events back until it has many.
        'x-accel-buffering': 'no',
      },
    })
  }

  async #ready(): Promise<void> {
    if (this.#closed) throw new Refusal('closing')
    if (this.#readiness === undefined || elapsedMs(this.#readiness.at) > READINESS_MS) {
      this.#readiness = { at: takeMoment(), answer: probe(this.#options) }
    }
    await this.#readiness.answer
  }
}

function assertMethod({ method }: Request, allow: string): void {
  if (method !== allow) throw new Refusal('method_not_allowed', { allow })
}

function json(body: object): Response {
  return Response.json(body, { headers: { 'cache-control': 'no-store' } })
}
