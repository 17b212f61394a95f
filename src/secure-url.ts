import { notify, type Observer } from './observer.js'
import { optionError } from './options.js'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** How a URL may be reached. */
export interface UrlSecurity {
  /** Allow plain http to hosts other than loopback. Default false; every use is told to the observer. */
  readonly allowInsecureHttp?: boolean | undefined
  readonly observer?: Observer | undefined
}

/**
 * Parses an option that is a URL: https, or http to loopback only, without user, password or fragment.
 *
 * @throws TypeError naming the option
 */
export function parseSecureUrl(owner: string, option: string, value: unknown, security: UrlSecurity): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined) throw optionError(owner, option, 'an absolute URL', value)
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw optionError(owner, option, 'a URL without user, password and fragment')
  }
  if (url.protocol === 'https:') return url
  if (url.protocol !== 'http:') throw optionError(owner, option, 'an https URL')
  if (LOOPBACK.test(url.hostname)) return url
  if (security.allowInsecureHttp !== true) {
    throw optionError(
      owner,
      option,
      'an https URL (plain http only to loopback, or with allowInsecureHttp: true)',
    )
  }
  notify(security.observer, { type: 'insecure_http', url: url.href })
  return url
}
