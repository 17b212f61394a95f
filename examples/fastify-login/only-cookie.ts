import type { FastifyRequest } from 'fastify'
import { HttpError } from './answers.js'

/**
 * The cookie of this name. A sibling subdomain can set one of the same name for the whole domain, which only
 * `__Host-` would forbid: so where there are two, one of them is somebody else's, and the request is refused.
 */
export function onlyCookie({ headers, cookies }: FastifyRequest, name: string): string | undefined {
  const all = (headers.cookie ?? '').split(';').filter((each) => each.trim().startsWith(`${name}=`))
  if (all.length > 1) throw new HttpError(400)
  return cookies[name] || undefined
}
