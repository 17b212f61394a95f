import type { RequestHead } from './request-head.js'

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

/**
 * Whether a request was made by a page of the service's own origin, or of one that is allowed: by `Sec-Fetch-Site`
 * (W3C Fetch Metadata), which no page can set, or by `Origin`. One that says neither is not.
 */
export function isSameOrigin(head: RequestHead, allowedOrigins: readonly string[]): boolean {
  const sites = head.values('sec-fetch-site')
  const origins = head.values('origin')
  if (sites.length > 1 || origins.length > 1) return false
  const [origin] = origins
  return sites[0] === 'same-origin' || (origin !== undefined && allowedOrigins.includes(origin))
}

/** Whether another website gains nothing by making a browser send this request: its answer it cannot read. */
export function isHarmless(head: RequestHead): boolean {
  // Over a WebSocket it could read and write: browsers hold back neither cookies nor answers there.
  return SAFE_METHODS.includes(head.method) && head.values('upgrade').length === 0
}
