import type { IncomingMessage } from 'node:http'
import type { Observer } from '../observer.js'
import {
  assertInteger,
  assertOptionalBoolean,
  assertOptionalFunction,
  assertOptions,
  optionError,
  stringList,
} from '../options.js'
import type { TokenUse } from '../tokens/claims.js'
import type { TokenVerifier } from '../verifier.js'
import { type Grants, type GrantsNeeded, grantsNeeded } from './grants.js'
import { type TokenFinder, type TokenSource, tokenFinder } from './token-source.js'

/** What a middleware needs of a verifier. The class is named besides, since `Use` follows from no method's type. */
export type Verifier<Use extends TokenUse | null = TokenUse | null> =
  | TokenVerifier<Use>
  | (Pick<TokenVerifier<Use>, 'verify'> & Partial<Pick<TokenVerifier<Use>, 'recall'>>)

/** The claims that a verifier gives: those of its `tokenUse`. */
export type VerifiedClaims<Given extends Verifier> = Awaited<ReturnType<Given['verify']>>

/** Options of `verifyToken`. `Request` is the framework's. */
export interface VerifyTokenOptions<Request = IncomingMessage> {
  /** Scopes that this route needs, besides what the verifier asks for: one of several, or `{ all: [...] }`. */
  readonly scope?: Grants
  /** Groups that this route needs: one of several, or `{ all: [...] }`. */
  readonly groups?: Grants
  /** Let requests without a token through, without claims; never one with a bad token. Default false. */
  readonly optional?: boolean
  /** Where the token is. Several: it may be in any, but not in two of them. Default 'authorization'. */
  readonly tokenFrom?: TokenSource | readonly TokenSource[]
  /**
   * Origins, such as 'https://app.example.com', whose pages may use a token that is in a cookie, besides those of the
   * service's own of which the browser says so (`Sec-Fetch-Site`: over https or on localhost, Safari since 16.4). Default
   * none.
   */
  readonly allowedOrigins?: readonly string[]
  /** Finds the token itself, instead of `tokenFrom`; undefined, null or '' for none. */
  readonly extractToken?: (request: Request) => string | null | undefined
  /** Lets a request through without looking at its token, and without claims, where it gives true. */
  readonly skip?: (request: Request) => boolean
  /**
   * What to do on this route while it cannot be known whether a token is revoked: 'reject' answers 503, 'accept' lets
   * it through and tells the verifier's observer. Default: as the verifier has it.
   */
  readonly onRevocationUnavailable?: 'reject' | 'accept'
  /** `realm` of the WWW-Authenticate header. Default: none. */
  readonly realm?: string
  /** Is told of every request that this middleware answers itself; the answers say little, on purpose. */
  readonly observer?: Observer
  /** Retry-After of a 503, in seconds. Default 1. */
  readonly retryAfterSeconds?: number
}

/** Options of `verifyToken` under which no request goes on without claims. */
export type MandatoryTokenOptions<Request = IncomingMessage> = VerifyTokenOptions<Request> & {
  readonly optional?: false
  readonly skip?: never
}

/** The options, checked, with their defaults. */
export interface CheckedVerifyTokenOptions<Request> {
  readonly grants: GrantsNeeded
  readonly optional: boolean
  readonly findToken: TokenFinder
  readonly extractToken: ((request: Request) => unknown) | undefined
  readonly skip: ((request: Request) => unknown) | undefined
  readonly onRevocationUnavailable: 'reject' | 'accept' | undefined
  readonly realm: string | undefined
  readonly observer: Observer | undefined
  readonly retryAfterSeconds: number
}

const KNOWN = [
  ...['scope', 'groups', 'optional', 'tokenFrom', 'allowedOrigins', 'extractToken', 'skip'],
  ...['onRevocationUnavailable', 'realm', 'observer', 'retryAfterSeconds'],
]

/** @throws TypeError naming the option */
export function checkVerifyTokenOptions<Request>(
  owner: string,
  options: VerifyTokenOptions<Request>,
): CheckedVerifyTokenOptions<Request> {
  assertOptions(owner, options, KNOWN)
  const { optional = false, extractToken, skip, observer, onRevocationUnavailable } = options
  const { tokenFrom = 'authorization', allowedOrigins, retryAfterSeconds = 1 } = options
  assertOptionalBoolean(owner, 'optional', options.optional)
  assertOptionalFunction(owner, 'extractToken', extractToken)
  assertOptionalFunction(owner, 'skip', skip)
  assertOptionalFunction(owner, 'observer', observer)
  if (extractToken !== undefined && options.tokenFrom !== undefined)
    throw optionError(owner, 'tokenFrom', 'absent where extractToken finds the token')
  if (onRevocationUnavailable !== undefined && !['reject', 'accept'].includes(onRevocationUnavailable))
    throw optionError(owner, 'onRevocationUnavailable', "'reject' or 'accept'", onRevocationUnavailable)
  return {
    grants: grantsNeeded(owner, options),
    optional,
    findToken: tokenFinder(owner, tokenFrom, checkOrigins(owner, allowedOrigins)),
    extractToken,
    skip,
    onRevocationUnavailable,
    realm: checkRealm(owner, options.realm),
    observer,
    retryAfterSeconds: checkRetryAfter(owner, retryAfterSeconds),
  }
}

/** @throws TypeError unless it has what a middleware needs */
export function assertVerifier(owner: string, verifier: unknown): void {
  if (typeof (verifier as TokenVerifier | undefined)?.verify === 'function') return
  throw new TypeError(`${owner}: the first argument must be a TokenVerifier`)
}

/** @throws TypeError unless it is a function, the second argument */
export function assertHandler(owner: string, handler: unknown): void {
  if (typeof handler !== 'function') throw new TypeError(`${owner}: the second argument must be a function`)
}

/** Origins (RFC 6454), each as a browser would send it. @throws TypeError naming the option */
export function checkOrigins(owner: string, origins: readonly string[] | undefined): readonly string[] {
  if (origins === undefined) return []
  const list = stringList(owner, 'allowedOrigins', origins)
  for (const origin of list) {
    if (!isOrigin(origin))
      throw optionError(owner, 'allowedOrigins', "origins such as 'https://app.example.com'", origins)
  }
  return list
}

/** As browsers write them; also those of hybrid apps and browser extensions, which no URL parser calls origins. */
function isOrigin(text: string): boolean {
  if (!/^https?:/i.test(text)) return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(:\d+)?$/.test(text)
  return URL.canParse(text) && new URL(text).origin === text
}

/** @throws TypeError naming the option */
function checkRealm(owner: string, realm: string | undefined): string | undefined {
  if (realm !== undefined && (typeof realm !== 'string' || !/^[\x20-\x7e]+$/.test(realm)))
    throw optionError(owner, 'realm', 'printable ASCII', realm)
  return realm
}

/** @throws TypeError naming the option */
export function checkRetryAfter(owner: string, retryAfterSeconds: number): number {
  assertInteger(owner, 'retryAfterSeconds', retryAfterSeconds, 0, 86_400)
  return retryAfterSeconds
}
