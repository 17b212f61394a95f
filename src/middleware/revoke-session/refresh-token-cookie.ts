import { assertOptionalBoolean, assertOptions, assertString, optionError } from '../../options.js'

/**
 * The cookie that holds the refresh token, with the attributes that it was set with: a browser forgets it only if the
 * answer names the same `path`, `domain` and `partitioned` (RFC 6265, section 5.3; CHIPS for the last).
 */
export interface RefreshTokenCookie {
  /** Its name, such as '__Host-refresh_token'. */
  readonly cookie: string
  /** Path. Default '/'. */
  readonly path?: string
  /** Domain. Default none, so that the cookie is this host's alone. */
  readonly domain?: string
  /** Secure. Default true; a name that begins with `__Host-` or `__Secure-` allows nothing else. */
  readonly secure?: boolean
  /** SameSite. Give 'none' or 'lax' if it was set so: a browser takes no 'strict' cookie from another site. Default 'strict'. */
  readonly sameSite?: 'strict' | 'lax' | 'none'
  /** Partitioned. Default false. */
  readonly partitioned?: boolean
}

const KNOWN = ['cookie', 'path', 'domain', 'secure', 'sameSite', 'partitioned']
const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const
const OPTION = 'refreshTokenFrom'

/**
 * The value of a Set-Cookie header at which a browser forgets the cookie.
 *
 * @throws TypeError naming the option
 */
export function clearingCookie(owner: string, cookie: RefreshTokenCookie): string {
  assertOptions(`${owner}: ${OPTION}`, cookie, KNOWN)
  const { cookie: name, path = '/', domain, secure = true, sameSite = 'strict', partitioned = false } = cookie
  assertString(owner, `${OPTION}.cookie`, name)
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
    throw optionError(owner, `${OPTION}.cookie`, 'a token of RFC 9110, section 5.6.2')
  if (typeof path !== 'string' || !/^\/[\x20-\x3a\x3c-\x7e]*$/.test(path))
    throw optionError(owner, `${OPTION}.path`, "a path such as '/auth'", path)
  if (domain !== undefined && (typeof domain !== 'string' || !/^[A-Za-z0-9.-]+$/.test(domain)))
    throw optionError(owner, `${OPTION}.domain`, 'a domain name', domain)
  assertOptionalBoolean(owner, `${OPTION}.secure`, secure)
  assertOptionalBoolean(owner, `${OPTION}.partitioned`, partitioned)
  if (!Object.hasOwn(SAME_SITE, sameSite))
    throw optionError(owner, `${OPTION}.sameSite`, "'strict', 'lax' or 'none'", sameSite)
  // Otherwise the browser would refuse the whole header, and keep the cookie.
  if (!secure && (/^__(host|secure)-/i.test(name) || sameSite === 'none' || partitioned))
    throw optionError(owner, `${OPTION}.secure`, 'true for a cookie with this name, sameSite or partitioned')
  if (/^__host-/i.test(name) && (path !== '/' || domain !== undefined))
    throw optionError(owner, `${OPTION}.path`, "'/', without a domain, for a name that begins with __Host-")
  return [
    `${name}=`,
    'Max-Age=0',
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    `Path=${path}`,
    'Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'HttpOnly',
    ...(secure ? ['Secure'] : []),
    `SameSite=${SAME_SITE[sameSite]}`,
    ...(partitioned ? ['Partitioned'] : []),
  ].join('; ')
}
