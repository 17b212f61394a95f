// A login service to copy: the access token goes to the page, which keeps it in memory; the refresh token stays in
// a cookie that no script can read. Put a rate limit for /auth/login and /auth/challenge in front, by address and by
// user (a proxy, WAF, @fastify/rate-limit): each is a guess at a password or a code.
import fastifyCookie from '@fastify/cookie'
import type { CognitoAccessTokenClaims, Revoker, TokenVerifier } from 'cognito-revocation'
import type { CognitoTokenClient, SignInResult } from 'cognito-revocation/client'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { answerError, bearerTokenOf, HttpError, isDead, isRefusal } from './answers.js'
import { SessionEnder } from './end-session.js'
import { type ChallengeAnswer, PendingSignIns } from './pending-sign-ins.js'
import { forgetRefreshToken, keepRefreshToken, refreshTokenOf } from './refresh-cookie.js'

export interface LoginServiceOptions {
  readonly client: CognitoTokenClient
  readonly verifier: TokenVerifier<'access'>
  /** Of the same store. */
  readonly revoker: Revoker
  /** Other origins whose pages may use the cookie, such as 'https://www.example.com'. They need @fastify/cors, too. */
  readonly allowedOrigins?: readonly string[]
  /** How long a browser keeps the cookie: the app client's refresh token validity. Default 30 days, as Cognito's. */
  readonly cookieMaxAgeSeconds?: number
  /** How long a logout waits before each further write to a store that failed. Default 100, 300 and 600 ms. */
  readonly storeRetriesMs?: readonly number[]
  /** Fastify's `logger`. Default false. */
  readonly logger?: boolean | { readonly level: string; readonly stream: { write(line: string): void } }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The verified claims of the access token, on routes behind `requireToken`. */
    claims: CognitoAccessTokenClaims | null
  }
}

const CREDENTIALS = {
  type: 'object',
  required: ['username', 'password'],
  additionalProperties: false,
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 128 },
    password: { type: 'string', minLength: 1, maxLength: 256 },
  },
}

const ANSWER = {
  type: 'object',
  additionalProperties: false,
  properties: {
    newPassword: { type: 'string', minLength: 1, maxLength: 256 },
    code: { type: 'string', minLength: 1, maxLength: 16 },
  },
}

/** The service, ready to `listen`. Whoever made the client, the verifier and their store closes them. */
export async function createLoginService({
  client,
  verifier,
  revoker,
  allowedOrigins = [],
  cookieMaxAgeSeconds = 30 * 86_400,
  storeRetriesMs = [100, 300, 600],
  logger = false,
}: LoginServiceOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger,
    bodyLimit: 16_384,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  const pending = new PendingSignIns(client)
  const sessions = new SessionEnder(client, revoker, storeRetriesMs)
  // Any website's form can send text/plain unasked. JSON it cannot.
  app.removeContentTypeParser('text/plain')
  await app.register(fastifyCookie)
  app.decorateRequest('claims', null)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(() => {
    throw new HttpError(404)
  })
  app.addHook('onRequest', async (_, reply) => {
    reply.header('cache-control', 'no-store')
  })

  /** Before each route that sets or uses the cookie, since a browser sends that along unasked. */
  async function requireOwnPage({ headers }: FastifyRequest): Promise<void> {
    const { origin } = headers
    const isOwnPage =
      headers['sec-fetch-site'] === 'same-origin' || (origin !== undefined && allowedOrigins.includes(origin))
    const isJson = /^application\/json *(;|$)/i.test(headers['content-type'] ?? '')
    if (!isOwnPage || !isJson) throw new HttpError(403)
  }

  /** Before each route that is for signed-in users. */
  async function requireToken(request: FastifyRequest): Promise<void> {
    request.claims = await verifier.verify(demand(bearerTokenOf(request)))
  }

  app.post<{ Body: { username: string; password: string } }>(
    '/auth/login',
    { onRequest: requireOwnPage, schema: { body: CREDENTIALS } },
    async (request, reply) => {
      const former = refreshTokenOf(request)
      return signedIn(await client.signIn(request.body), request, reply, former)
    },
  )

  // A second factor, or a new password: 409 named what Cognito wants to know.
  app.post<{ Body: ChallengeAnswer }>(
    '/auth/challenge',
    { onRequest: requireOwnPage, schema: { body: ANSWER } },
    async (request, reply) => {
      const former = refreshTokenOf(request)
      return signedIn(await pending.answer(request, reply, request.body), request, reply, former)
    },
  )

  async function signedIn(
    result: SignInResult,
    request: FastifyRequest,
    reply: FastifyReply,
    former: string | undefined,
  ) {
    if (result.status === 'challenge') return pending.ask(result, reply)
    // The browser forgets it now: nobody else could end that session any more. The new one counts whether it can be
    // ended or not.
    if (former !== undefined) {
      await sessions.end({ refreshToken: former, reason: 'signed in anew' }).catch((error) => {
        if (!isDead(error))
          request.log.error({ code: error.code, outcome: error.outcome }, 'former session lives')
      })
    }
    keepRefreshToken(reply, result.refreshToken, cookieMaxAgeSeconds)
    return { accessToken: result.accessToken, expiresInSeconds: result.expiresInSeconds }
  }

  /**
   * The access token that the page sends along, expired or not: by it, a process that has not seen this session knows
   * which one to end where the refresh token is a replaced one. Not one that was revoked: a tab may still have that of a
   * session before this one, and this one would then be taken for ended, too.
   */
  async function hintOf(request: FastifyRequest): Promise<string | undefined> {
    const accessToken = bearerTokenOf(request)
    const { checks } = await verifier.explain(accessToken)
    const isAlive = checks.some(({ check, outcome }) => check === 'revocation' && outcome === 'passed')
    return isAlive ? accessToken : undefined
  }

  app.post('/auth/refresh', { onRequest: requireOwnPage }, async (request, reply) => {
    const refreshToken = demand(refreshTokenOf(request))
    const accessToken = await hintOf(request)
    const tokens = await client.refresh({ refreshToken, accessToken }).catch((error) => {
      // Throttling or an outage passes: the session may well be good, so the cookie stays.
      if (!isRefusal(error)) throw error
      forgetRefreshToken(reply)
      throw new HttpError(401, { cause: error })
    })
    if (tokens.rotated) keepRefreshToken(reply, tokens.refreshToken, cookieMaxAgeSeconds)
    return { accessToken: tokens.accessToken, expiresInSeconds: tokens.expiresInSeconds }
  })

  // The page sends the access token along, expired or not; after a reload it gets one by /auth/refresh first. Should
  // the first try end the session at Cognito alone, then a second one, by another process maybe, knows which session
  // it was only by that.
  //
  // 204 says that the session is over, at Cognito and at every verifier, and only that. While it is not, or cannot be
  // known, the answer is 503, and the cookie STAYS: it is the only thing by which the session can still be ended, and
  // a browser without it would show somebody as signed out whose tokens are good. The page says "not signed out yet"
  // and sends the request again. 401: the cookie was of no use to Cognito, and is cleared.
  app.post('/auth/logout', { onRequest: requireOwnPage }, async (request, reply) => {
    const refreshToken = refreshTokenOf(request)
    if (refreshToken !== undefined) {
      const accessToken = bearerTokenOf(request)
      if (accessToken === undefined) throw new HttpError(400)
      await sessions.end({ refreshToken, accessToken, reason: 'logout' }).catch((error) => {
        if (!isDead(error)) throw error
        forgetRefreshToken(reply)
        throw new HttpError(401, { cause: error })
      })
    }
    return forgetRefreshToken(reply).code(204).send()
  })

  // The access token is not sent unasked, so no other page can bring this about. 503: it is not wholly done. The page
  // may send it again; 401 is then the answer where the first try has already shut this very token out, and Cognito may
  // go on refreshing. So after a 503 it tells the user to call support: an administrator completes it by
  // adminGlobalSignOut, with the `sub` that is in the log.
  app.post('/auth/logout-everywhere', async (request, reply) => {
    await client.globalSignOut({ accessToken: demand(bearerTokenOf(request)), reason: 'logout everywhere' })
    return forgetRefreshToken(reply).code(204).send()
  })

  app.get('/me', { onRequest: requireToken }, async ({ claims }) => ({
    sub: claims?.sub,
    username: claims?.username,
  }))

  return app
}

function demand(token: string | undefined): string {
  if (token === undefined) throw new HttpError(401)
  return token
}
