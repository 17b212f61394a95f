import type { IncomingHttpHeaders } from 'node:http'
import { type ObserverEvent, Revoker } from '../../../src/index.js'
import type { RevokeSessionOptions, SessionClient } from '../../../src/middleware/node/index.js'
import { type Answer, type Call, call, listen } from '../../support/http.js'
import type { Scene } from '../../support/scene.js'
import { type Mount, THEME } from './mount.js'

export const COOKIE = '__Secure-refresh_token'
export const FROM_COOKIE = {
  refreshTokenFrom: { cookie: COOKIE, path: '/logout' },
  allowedOrigins: ['https://www.example.com'],
} as const
export const CLEARED = `${COOKIE}=; Max-Age=0; Path=/logout; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Strict`
export const JSON_TYPE = { 'content-type': 'application/json' }
/** What a browser says of a request that a page of the service makes. */
export const OWN = { ...JSON_TYPE, 'sec-fetch-site': 'same-origin' }

/** A service with a logout, over real HTTP, in a scene. */
export class LogoutService {
  readonly events: ObserverEvent[] = []
  port = 0
  #close: () => Promise<unknown> = async () => {}

  static async start(
    mount: Mount,
    scene: Scene,
    options: RevokeSessionOptions = {},
    client: SessionClient = scene.client,
  ): Promise<LogoutService> {
    const service = new LogoutService()
    const observer = (event: ObserverEvent) => service.events.push(event)
    const { listener, close } = await mount.start(client, { observer, ...options })
    const listening = await listen(listener)
    service.port = listening.port
    service.#close = async () => {
      await listening.close()
      await close?.()
    }
    return service
  }

  close(): Promise<unknown> {
    return this.#close()
  }

  send(request: Call): Promise<Answer> {
    return call(this.port, { method: 'POST', path: '/logout', ...request })
  }

  /** A logout by the body, with what else the headers say. */
  byBody(refreshToken: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const body = JSON.stringify({ refresh_token: refreshToken })
    return this.send({ headers: { ...JSON_TYPE, ...headers }, body })
  }

  /** A logout by a page of the service, which sends the cookie along. */
  byCookie(refreshToken: string, headers: Record<string, string> = {}): Promise<Answer> {
    const cookie = `theme=dark; ${COOKIE}=${refreshToken}`
    return this.send({ headers: { ...OWN, cookie, ...headers }, body: '{}' })
  }
}

export function revokerOf({ store, cognito }: Scene): Revoker {
  return new Revoker({ store, poolId: cognito.userPoolId, clock: cognito.clock.now })
}

export function bearer(accessToken: string): { readonly authorization: string } {
  return { authorization: `Bearer ${accessToken}` }
}

/** What of an answer says how it went. */
export function gist({ status, headers, text }: Answer) {
  const { 'content-type': type, 'cache-control': cache, 'retry-after': retryAfter, allow } = headers
  const all = { status, type, cache, retryAfter, allow, cookies: cookiesIn(headers), body: bodyOf(text) }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function bodyOf(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text)
}

function cookiesIn(headers: IncomingHttpHeaders): readonly string[] | undefined {
  const cookies = (headers['set-cookie'] ?? []).filter((cookie) => cookie !== THEME)
  return cookies.length === 0 ? undefined : cookies
}

/** What a mount answers to an error that it was handed: what happened is in its cause. */
export const HANDED_ON = '{"handedOn":"Error: revokeSessionHandler failed: see cause"}'

const PROBLEM = { type: 'application/problem+json', cache: 'no-store' }

export const DONE = { status: 204, cache: 'no-store' }
export const DONE_AND_CLEARED = { ...DONE, cookies: [CLEARED] }
export const UNAVAILABLE = {
  ...{ status: 503, retryAfter: '1', ...PROBLEM },
  body: { title: 'Service Unavailable', status: 503 },
}
export const INVALID_GRANT = {
  ...{ status: 400, ...PROBLEM },
  body: {
    ...{ title: 'Bad Request', status: 400, error: 'invalid_grant' },
    error_description: 'The refresh token is expired, revoked, or invalid for other reasons',
  },
}
export const NO_TOKEN = {
  ...{ status: 400, ...PROBLEM },
  body: {
    ...{ title: 'Bad Request', status: 400, error: 'invalid_request' },
    error_description: 'The request must carry exactly one refresh token',
  },
}
export const GARBLED = {
  ...NO_TOKEN,
  body: {
    ...NO_TOKEN.body,
    error_description: 'The refresh token has characters that no refresh token of Cognito has',
  },
}
export const FORBIDDEN = {
  ...{ status: 403, ...PROBLEM },
  body: {
    ...{ title: 'Forbidden', status: 403 },
    detail: 'A request with a cookie must come from the same origin, as application/json',
  },
}
export const TOO_LARGE = {
  ...{ status: 413, ...PROBLEM },
  body: { title: 'Content Too Large', status: 413, detail: 'The body may have 16384 bytes' },
}
export const NOT_JSON = {
  ...{ status: 415, ...PROBLEM },
  body: { title: 'Unsupported Media Type', status: 415, detail: 'The body must be application/json' },
}
