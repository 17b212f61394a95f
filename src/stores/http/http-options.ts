import type { Observer } from '../../observer.js'
import {
  assertInteger,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  optionError,
} from '../../options.js'
import { parseSecureUrl } from '../../secure-url.js'
import { API_KEY } from './wire.js'

/** Options of an `HttpRevocationStore`. */
export interface HttpRevocationStoreOptions {
  /** Where the service is, without `/v1`: https, or http to loopback. A path before it is fine. */
  readonly url: string
  /** The API key: at least 32 characters of visible ASCII. A function is asked before each request, so that keys can change. */
  readonly key: string | (() => string | Promise<string>)
  /** How long a request may take, and a stream to begin, in milliseconds. Default 1,000. */
  readonly timeoutMs?: number
  /** A change feed that says nothing for so long is given up, in milliseconds. Default 10,000. */
  readonly silenceMs?: number
  /** How many requests are under way at most, half of them look-ups; others wait, and then go together. Default 16. */
  readonly maxConnections?: number
  /** Allow plain http to hosts other than loopback: key and revocations can be read and changed. Default false. */
  readonly allowInsecureHttp?: boolean
  /** Is told where plain http is used (`insecure_http`). */
  readonly observer?: Observer
}

/** All options, checked, with their defaults. */
export interface CheckedHttpOptions {
  /** Without a slash at its end. */
  readonly base: string
  readonly key: () => string | Promise<string>
  readonly timeoutMs: number
  readonly silenceMs: number
  readonly maxConnections: number
}

const OWNER = 'HttpRevocationStore'
const KNOWN = ['url', 'key', 'timeoutMs', 'silenceMs', 'maxConnections', 'allowInsecureHttp', 'observer']

/** @throws TypeError naming the option */
export function checkHttpOptions(options: HttpRevocationStoreOptions): CheckedHttpOptions {
  assertOptions(OWNER, options, KNOWN)
  const { key, timeoutMs = 1_000, silenceMs = 10_000, maxConnections = 16 } = options
  const { allowInsecureHttp, observer } = options
  assertOptionalBoolean(OWNER, 'allowInsecureHttp', allowInsecureHttp)
  assertOptionalFunction(OWNER, 'observer', observer)
  if (typeof key !== 'function' && !isApiKey(key)) {
    throw optionError(OWNER, 'key', 'a string of 32 to 1,024 visible ASCII characters, or a function', key)
  }
  assertInteger(OWNER, 'timeoutMs', timeoutMs, 10, 60_000)
  assertInteger(OWNER, 'silenceMs', silenceMs, 10, 3_600_000)
  assertInteger(OWNER, 'maxConnections', maxConnections, 1, 1_024)
  const url = parseSecureUrl(OWNER, 'url', options.url, { allowInsecureHttp, observer })
  if (url.search !== '') throw optionError(OWNER, 'url', 'a URL without a query')
  return {
    base: url.href.replace(/\/+$/, ''),
    key: typeof key === 'function' ? key : () => key,
    timeoutMs,
    silenceMs,
    maxConnections,
  }
}

/** Whether a value can be an API key. */
export function isApiKey(value: unknown): value is string {
  return typeof value === 'string' && API_KEY.test(value)
}
