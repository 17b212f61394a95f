import { assertString, optionError } from '../options.js'
import { asBearerToken, type BearerToken, bearerToken, MALFORMED, NO_TOKEN } from './bearer.js'
import { type RequestHead, trimSpaces } from './request-head.js'
import { isHarmless, isSameOrigin } from './same-origin.js'

/**
 * Where a request carries its token:
 * - `'authorization'`: the Authorization header (RFC 6750, section 2.1).
 * - `{ header }`: a header with nothing but the token, such as `x-amzn-oidc-accesstoken` of an Application Load
 *   Balancer. Only where nobody else than the proxy can set it: to delete it in the application is of no use, since the
 *   header is read as it came.
 * - `{ cookie }`: a cookie. A request that may change something, or opens a WebSocket, must then come from the same
 *   origin.
 * - `{ webSocketProtocol }`: behind this prefix, in one of the subprotocols that a browser offers when it opens a
 *   WebSocket: `new WebSocket(url, ['chat', 'bearer.' + token])` for `{ webSocketProtocol: 'bearer.' }`. The server
 *   must choose another one: the chosen one is sent back.
 */
export type TokenSource =
  | 'authorization'
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly webSocketProtocol: string }

/** What was found, and whether the browser may have sent it unasked, for another website. */
export type FoundToken = BearerToken | { readonly kind: 'cross-origin' }

/** Finds the token of a request. */
export type TokenFinder = (head: RequestHead) => FoundToken

/** A token of RFC 9110, section 5.6.2: what a header's or a cookie's name, or a subprotocol, consists of. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Finds the token in whichever of the sources has one. If more than one does, the request can be read in two ways.
 *
 * @throws TypeError naming the option
 */
export function tokenFinder(
  owner: string,
  tokenFrom: TokenSource | readonly TokenSource[],
  allowedOrigins: readonly string[],
): TokenFinder {
  const sources = [tokenFrom].flat() as readonly TokenSource[]
  if (sources.length === 0) throw optionError(owner, 'tokenFrom', 'at least one source', tokenFrom)
  const finders = sources.map((source) => finderOf(owner, source, allowedOrigins))
  const [only] = finders
  if (only !== undefined && finders.length === 1) return only
  return (head) => {
    const found = finders.map((find) => find(head)).filter(({ kind }) => kind !== 'none')
    return found.length > 1 ? MALFORMED : (found[0] ?? NO_TOKEN)
  }
}

function finderOf(owner: string, source: TokenSource, allowedOrigins: readonly string[]): TokenFinder {
  if (source === 'authorization') return bearerToken
  const [[kind, name] = ['', ''], ...more] = Object.entries(source ?? {})
  const finders: Readonly<Record<string, (value: string) => TokenFinder>> = {
    header: headerToken,
    cookie: (cookie) => cookieToken(cookie, allowedOrigins),
    webSocketProtocol: subprotocolToken,
  }
  const finder = Object.hasOwn(finders, kind) ? finders[kind] : undefined
  const expected = "'authorization', { header }, { cookie } or { webSocketProtocol }"
  if (finder === undefined || more.length > 0) throw optionError(owner, 'tokenFrom', expected, source)
  assertString(owner, `tokenFrom.${kind}`, name)
  if (!NAME.test(name)) throw optionError(owner, `tokenFrom.${kind}`, 'a token of RFC 9110, section 5.6.2')
  return finder(name)
}

function headerToken(name: string): TokenFinder {
  const lowerCase = name.toLowerCase()
  return (head) => onlyToken(head.values(lowerCase))
}

/** A sibling subdomain can set a cookie of the same name: where there are two, one may be somebody else's. */
function cookieToken(name: string, allowedOrigins: readonly string[]): TokenFinder {
  return (head) => {
    const found = hasJoinedCookie(head, name) ? MALFORMED : onlyToken(cookiesOf(head, name))
    if (found.kind === 'none' || isHarmless(head) || isSameOrigin(head, allowedOrigins)) return found
    return { kind: 'cross-origin' }
  }
}

/** Every cookie of that name that the request carries (RFC 6265, section 5.4). */
export function cookiesOf(head: RequestHead, name: string): readonly string[] {
  const pairs = head.values('cookie').flatMap((header) => header.split(';'))
  const trimmed = pairs.map(trimSpaces).filter((pair) => pair.startsWith(`${name}=`))
  return trimmed.map((pair) => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1'))
}

/**
 * Whether a cookie of that name may be behind a comma: some proxies and runtimes join the lines of Cookie so. Or it is
 * part of another cookie's value: nobody can tell.
 */
export function hasJoinedCookie(head: RequestHead, name: string): boolean {
  const behindCommas = head.values('cookie').flatMap((header) => header.split(',').slice(1))
  return behindCommas.some((text) => trimSpaces(text).startsWith(`${name}=`))
}

function subprotocolToken(prefix: string): TokenFinder {
  return (head) => {
    const offered = head.values('sec-websocket-protocol').flatMap((header) => header.split(','))
    const trimmed = offered.map(trimSpaces).filter((each) => each.startsWith(prefix))
    return onlyToken(trimmed.map((each) => each.slice(prefix.length)))
  }
}

function onlyToken(values: readonly string[]): BearerToken {
  return values.length > 1 ? MALFORMED : asBearerToken(values[0])
}
