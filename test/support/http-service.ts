import { createParser } from 'eventsource-parser'
import { MemoryRevocationStore } from '../../src/revocation/memory-store.js'
import type { Revocation } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import {
  type ListenOptions,
  listenRevocationService,
  RevocationService,
  type RevocationServiceOptions,
} from '../../src/server/index.js'
import { HttpRevocationStore, type HttpRevocationStoreOptions } from '../../src/stores/http/index.js'

import type { TokenIdentity } from '../../src/tokens/token-identity.js'
import { assertConforms, assertSchema } from './openapi.js'

/** A key that may do everything. */
export const KEY = 'test-key-of-the-service-with-more-than-32-bytes'
export const ALL = { id: 'all', key: KEY, rights: ['read', 'write'], pools: 'all' } as const

/** Another key. */
export const OTHER = 'another-key-of-the-service-with-more-than-32'

export interface ServedOptions extends Partial<RevocationServiceOptions> {
  readonly listen?: Partial<ListenOptions>
}

/** A service that listens on loopback, and what is needed to talk to it. */
export async function serve(options: ServedOptions = {}) {
  const { listen, ...rest } = options
  const own = rest.store === undefined ? new MemoryRevocationStore({ heartbeatMs: 20 }) : undefined
  const store: RevocationStore = rest.store ?? (own as MemoryRevocationStore)
  const service = new RevocationService({ keys: [ALL], ...rest, store })
  const listener = await listenRevocationService(service, { port: 0, ...listen })
  const clients: HttpRevocationStore[] = []
  const client = (more: Partial<HttpRevocationStoreOptions> = {}) => {
    const made = new HttpRevocationStore({ url: listener.url, key: KEY, timeoutMs: 15_000, ...more })
    clients.push(made)
    return made
  }
  const close = async () => {
    for (const made of clients) await made.close()
    await service.close()
    await listener.close()
    await own?.close()
  }
  return { store, service, listener, url: listener.url, client, close }
}

/** A request by hand. Fails where the answer is not in the protocol as it is written down. */
export async function send(url: string, path: string, init: RequestInit & { key?: string | undefined } = {}) {
  const { key = KEY, headers, ...rest } = init
  const answer = await fetch(url + path, { ...rest, headers: { authorization: `Bearer ${key}`, ...headers } })
  const isStream = answer.headers.get('content-type') === 'text/event-stream'
  const { pathname } = new URL(url + path)
  // Not of a stream: what only one of two reads would be kept for the other.
  if (!isStream) await assertConforms(init.method ?? 'GET', pathname, answer.clone())
  return answer
}

const SCHEMAS: Record<string, string> = {
  ...{ open: 'Open', waiting: 'Waiting', changes: 'Changes' },
  ...{ end: 'End', problem: 'Problem' },
}

/** A POST of JSON by hand. */
export function post(url: string, path: string, body: unknown, init: RequestInit & { key?: string } = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = { 'content-type': 'application/json', ...init.headers }
  return send(url, path, { ...init, method: 'POST', body: text, headers })
}

/** A record of a session that is revoked. */
export function session(id: string, poolId = 'us-east-1_A'): Revocation {
  return { poolId, scope: 'session', id, expiresAt: Math.floor(Date.now() / 1000) + 3_600 }
}

/** The token that such a record revokes. */
export function tokenOf({ poolId, id }: Revocation): TokenIdentity {
  return { poolId, originJti: id, sub: 'sub', clientId: 'client', iat: 1 }
}

/** The events of a stream by hand, until enough have come or it is over. */
export async function eventsOf(
  response: Response,
  isEnough: (events: readonly StreamEvent[]) => boolean = () => false,
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  const parser = createParser({
    onEvent: ({ event = '', id, data: text }) => {
      const data = JSON.parse(text)
      assertSchema(SCHEMAS[event] ?? `of the event ${event}`, data)
      events.push({ event, id, data })
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    if (isEnough(events)) break
  }
  return events
}

export interface StreamEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: {
    readonly revocations?: readonly Revocation[]
    readonly caughtUp?: boolean
    readonly restarted?: boolean
    readonly knownAtMs?: number
    readonly pools?: 'all' | readonly string[]
    readonly reason?: string
    readonly code?: string
  }
}

/** Whether a stream has caught up. */
export function hasCaughtUp(events: readonly StreamEvent[]): boolean {
  return events.at(-1)?.data.caughtUp === true
}
