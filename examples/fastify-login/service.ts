// A login service to copy: the access token goes to the page, which keeps it in memory; the refresh token stays in
// a cookie that no script can read. Put a rate limit for /auth/login in front (a proxy, WAF, @fastify/rate-limit).
import fastifyCookie from '@fastify/cookie'
import type { CognitoAccessTokenClaims, TokenVerifier } from 'cognito-revocation'
import type { CognitoTokenClient, SignInResult } from 'cognito-revocation/client'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { answerError, bearerTokenOf, HttpError, isDead, isRefusal } from './answers.js'
import { type ChallengeAnswer, PendingSignIns } from './pending-sign-ins.js'
import { forgetRefreshToken, keepRefreshToken, refreshTokenOf } from './refresh-cookie.js'

export interface LoginServiceOptions {
  readonly client: CognitoTokenClient
  readonly verifier: TokenVerifier<'access'>
  /** Other origins whose pages may use the cookie, such as 'https://www.example.com'. They need @fastify/cors, too. */
  readonly allowedOrigins?: readonly string[]
  /** How long a browser keeps the cookie: the app client's refresh token validity. Default 30 days, as Cognito's. */
  readonly cookieMaxAgeSeconds?: number
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
  allowedOrigins = [],
  cookieMaxAgeSeconds = 30 * 86_400,
  logger = false,
}: LoginServiceOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger,
    bodyLimit: 16_384,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  })
  const pending = new PendingSignIns(client)
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
    async ({ body }, reply) => {
      return signedIn(await client.signIn(body), reply)
    },
  )

  // A second factor, or a new password: 409 named what Cognito wants to know.
  app.post<{ Body: ChallengeAnswer }>(
    '/auth/challenge',
    { onRequest: requireOwnPage, schema: { body: ANSWER } },
    async (request, reply) => signedIn(await pending.answer(request, reply, request.body), reply),
  )

  function signedIn(result: SignInResult, reply: FastifyReply) {
    if (result.status === 'challenge') return pending.ask(result, reply)
    keepRefreshToken(reply, result.refreshToken, cookieMaxAgeSeconds)
    return { accessToken: result.accessToken, expiresInSeconds: result.expiresInSeconds }
  }

  app.post('/auth/refresh', { onRequest: requireOwnPage }, async (request, reply) => {
    const tokens = await client.refresh({ refreshToken: demand(refreshTokenOf(request)) }).catch((error) => {
      // Throttling or an outage passes: the session may well be good, so the cookie stays.
      if (!isRefusal(error)) throw error
      forgetRefreshToken(reply)
      throw new HttpError(401, { cause: error })
    })
    if (tokens.rotated) keepRefreshToken(reply, tokens.refreshToken, cookieMaxAgeSeconds)
    return { accessToken: tokens.accessToken, expiresInSeconds: tokens.expiresInSeconds }
  })

  // 204 says that the session is over, at Cognito and at every verifier, and only that. While it is not, or cannot be
  // known, the answer is 503, and the cookie STAYS: it is the only thing by which the session can still be ended, and
  // a browser without it would show somebody as signed out whose tokens are good. The page says "not signed out yet"
  // and sends the request again. 401: the cookie was of no use to Cognito, and is cleared.
  app.post('/auth/logout', { onRequest: requireOwnPage }, async (request, reply) => {
    const refreshToken = refreshTokenOf(request)
    if (refreshToken !== undefined) await endSession(refreshToken, request, reply)
    return forgetRefreshToken(reply).code(204).send()
  })

  async function endSession(refreshToken: string, request: FastifyRequest, reply: FastifyReply) {
    const end = (how: { confirmPairing: true } | { accessToken: string }) =>
      client.revokeRefreshToken({ refreshToken, reason: 'logout', ...how })
    try {
      // The cookie comes from outside: Cognito itself is to say which session it is of.
      await end({ confirmPairing: true }).catch((error) => {
        // If it no longer does (the store was down at the first try, say, so that only Cognito has ended it), then
        // the access token does, which the page sends along, and which is refused from here on.
        const accessToken = bearerTokenOf(request)
        if (!isDead(error) || accessToken === undefined) throw error
        return end({ accessToken })
      })
    } catch (error) {
      if (!isDead(error)) throw error
      forgetRefreshToken(reply)
      throw new HttpError(401, { cause: error })
    }
  }

  // The access token is not sent unasked, so no other page can bring this about.
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
