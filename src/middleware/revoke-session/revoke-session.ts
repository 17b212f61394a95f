import { NotARefreshTokenError, RevocationIncompleteError, SessionUnknownError } from '../../errors.js'
import { notify } from '../../observer.js'
import { bearerToken } from '../bearer.js'
import { unavailable } from '../refusal.js'
import type { RequestHead } from '../request-head.js'
import { isSameOrigin } from '../same-origin.js'
import { cookiesOf, hasJoinedCookie } from '../token-source.js'
import { DONE, INVALID_GRANT, invalidRequest, type RevokeSessionAnswer, refused } from './answers.js'
import { type BodyReader, jsonOf, MAX_BODY_BYTES } from './json-body.js'
import {
  assertSessionClient,
  type CheckedRevokeSessionOptions,
  checkRevokeSessionOptions,
  type RevokeSessionOptions,
  type SessionClient,
} from './revoke-session-options.js'
import { isDead, isOver, isTransient, SessionEnder } from './session-ender.js'

/** Answers logouts. Rejects with what is no answer to the request: an error in the settings, above all. */
type RevokeSession = (head: RequestHead, readBody: BodyReader) => Promise<RevokeSessionAnswer>

const OWNER = 'revokeSessionHandler'
const JSON_TYPE = /^application\/json[ \t]*(;|$)/i
/** What a token consists of, as Cognito's API has it. */
const REFRESH_TOKEN = /^[A-Za-z0-9\-_=.]+$/
const NO_TOKEN = 'The request must carry exactly one refresh token'
const GARBLED = 'The refresh token has characters that no refresh token of Cognito has'
const BAD_AUTHORIZATION = 'The Authorization header must be absent, or have one bearer token'

/**
 * What every framework's `revokeSessionHandler` asks.
 *
 * @throws TypeError naming the option
 */
export function createRevokeSession(
  client: SessionClient,
  options: RevokeSessionOptions = {},
): RevokeSession {
  assertSessionClient(OWNER, client)
  const checked = checkRevokeSessionOptions(OWNER, options)
  const { cookie, observer, retryAfterSeconds } = checked
  const sessions = new SessionEnder(client, checked)
  const clear = (answer: RevokeSessionAnswer): RevokeSessionAnswer =>
    cookie === undefined ? answer : { ...answer, setCookie: cookie.clearing }

  const refuse = (answer: RevokeSessionAnswer, error?: Error): RevokeSessionAnswer => {
    const { status } = answer
    notify(observer, { type: 'request_refused', status, ...(error === undefined ? {} : { error }) })
    return answer
  }

  const fail = (error: unknown): RevokeSessionAnswer => {
    const isIncomplete = error instanceof RevocationIncompleteError || error instanceof SessionUnknownError
    const outcome = isIncomplete ? { outcome: error.outcome } : {}
    // As Cognito's own, its status and message would be the answer in some frameworks.
    const failure = new Error(`${OWNER} failed: see cause`, { cause: error })
    const told = error instanceof Error ? error : failure
    notify(observer, { type: 'session_revocation_failed', error: told, ...outcome })
    // Cognito has revoked, and says no more of it: the cookie could end nothing any more.
    if (isOver(error)) return clear(INVALID_GRANT)
    if (!isIncomplete && !isTransient(error)) throw failure
    // The cookie stays: only by it can the session still be ended, and a browser without it would show somebody as
    // signed out whose tokens are good.
    return unavailable(retryAfterSeconds)
  }

  return async (head, readBody) => {
    const found = refuseHead(checked, head) ?? (await findRefreshToken(checked, head, readBody))
    if (typeof found !== 'string') return refuse(found)
    const bearer = bearerToken(head)
    if (bearer.kind === 'malformed') return refuse(invalidRequest(BAD_AUTHORIZATION))
    if (found.length > MAX_BODY_BYTES)
      return refuse(refused(413, `A refresh token may have ${MAX_BODY_BYTES} bytes`))
    // The cookie stays: Cognito was not asked. It may have been signed or encoded by somebody who did not decode it.
    if (!REFRESH_TOKEN.test(found)) return refuse(invalidRequest(GARBLED), new NotARefreshTokenError(GARBLED))
    try {
      const accessToken = bearer.kind === 'token' ? bearer.token : undefined
      await sessions.end({ refreshToken: found, accessToken })
      return clear(DONE)
    } catch (error) {
      return isDead(error) ? refuse(clear(INVALID_GRANT), error) : fail(error)
    }
  }
}

/** What is refused for what its head says, with its body unread. */
function refuseHead(
  { cookie, allowedOrigins }: CheckedRevokeSessionOptions,
  head: RequestHead,
): RevokeSessionAnswer | undefined {
  if (head.method !== 'POST') return refused(405, 'A logout is a POST')
  const types = head.values('content-type')
  const isJson = types.length === 1 && JSON_TYPE.test(types[0] ?? '')
  if (cookie === undefined) {
    if (!isJson) return refused(415, 'The body must be application/json')
  } else if (!isSameOrigin(head, allowedOrigins) || !isJson) {
    // A form of another website, with which a browser would send the cookie, can have no such type.
    return refused(403, 'A request with a cookie must come from the same origin, as application/json')
  }
  if (Number(head.values('content-length')[0] ?? 0) > MAX_BODY_BYTES)
    return refused(413, `The body may have ${MAX_BODY_BYTES} bytes`)
  return undefined
}

async function findRefreshToken(
  { cookie }: CheckedRevokeSessionOptions,
  head: RequestHead,
  readBody: BodyReader,
): Promise<string | RevokeSessionAnswer> {
  if (cookie !== undefined) {
    // A sibling subdomain can set a cookie of the same name: where there are two, one may be somebody else's.
    const [only = '', ...more] = cookiesOf(head, cookie.name)
    const isOne = only !== '' && more.length === 0 && !hasJoinedCookie(head, cookie.name)
    return isOne ? only : invalidRequest(NO_TOKEN)
  }
  const body = await readBody()
  if (body === 'too large') return refused(413, `The body may have ${MAX_BODY_BYTES} bytes`)
  const value = body === 'broken' ? undefined : jsonOf(body)
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject || !Object.hasOwn(value, 'refresh_token')) return invalidRequest(NO_TOKEN)
  const { refresh_token: refreshToken } = value as { readonly refresh_token: unknown }
  return typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : invalidRequest(NO_TOKEN)
}
