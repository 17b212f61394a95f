import { optionError } from '../options.js'
import { parseSecureUrl, type UrlSecurity } from '../secure-url.js'

const EXPECTED = 'a domain such as "https://my-domain.auth.us-east-1.amazoncognito.com", without a path'

/**
 * The address of a user pool's hosted endpoints, out of Cognito's domain or one's own; https where no scheme is
 * named.
 *
 * @throws TypeError naming the option
 */
export function parseDomain(owner: string, value: unknown, security: UrlSecurity): URL {
  const named =
    typeof value === 'string' && value !== '' && !value.includes('://') ? `https://${value}` : value
  const url = parseSecureUrl(owner, 'domain', named, security)
  if (url.pathname !== '/' || url.search !== '') throw optionError(owner, 'domain', EXPECTED)
  return url
}
