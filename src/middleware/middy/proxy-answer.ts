import type { Refusal } from '../refusal.js'
import type { RecognizedProxyEvent } from './proxy-event.js'

/** The answer of a function behind a proxy. */
export interface ProxyAnswer {
  statusCode: number
  headers?: Record<string, string>
  multiValueHeaders?: Record<string, string[]>
  body: string
  isBase64Encoded: false
}

/** A refusal as the sender of an event wants it. */
export function proxyAnswer({ kind, event }: RecognizedProxyEvent, refusal: Refusal): ProxyAnswer {
  const { status, body } = refusal
  const answer = { statusCode: status, body: JSON.stringify(body), isBase64Encoded: false } as const
  // A load balancer that sends several values takes nothing else back.
  const several = kind === 'alb' && event.multiValueHeaders !== undefined && event.multiValueHeaders !== null
  if (!several) return { ...answer, headers: { ...refusal.headers } }
  const headers = Object.entries(refusal.headers).map(([name, value]): [string, string[]] => [name, [value]])
  return { ...answer, multiValueHeaders: Object.fromEntries(headers) }
}
