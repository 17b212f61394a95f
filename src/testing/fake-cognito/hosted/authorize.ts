import type { AppClient } from '../app-client.js'
import type { Pool } from '../pool.js'
import type { HostedRequest } from './hosted-request.js'
import { required } from './hosted-request.js'
import type { Login } from './login-cookies.js'
import { OAuthRefusal } from './oauth-refusal.js'
import { redirect, withQuery } from './redirect.js'

/**
 * GET /oauth2/authorize: back to the app with a code, where the managed-login cookie or, unlike Cognito, the
 * `login_hint` alone tells who the user is; else to /login, which is not played.
 */
export function authorize(pool: Pool, request: HostedRequest): Response {
  const { parameters } = request
  const client = clientOf(pool, parameters)
  const redirectUri = required(parameters, 'redirect_uri')
  // Never sent to an address that is not the app's, with an error neither.
  if (!client.oauth.callbackUrls?.includes(redirectUri)) {
    throw new OAuthRefusal('redirect_mismatch', 'redirect_uri is none of CallbackURLs')
  }
  const state = parameters.get('state') ?? undefined
  try {
    return signIn(pool, request, client, redirectUri, state)
  } catch (error) {
    if (!(error instanceof OAuthRefusal)) throw error
    const answer = { error: error.error, error_description: error.message || undefined, state }
    return redirect(withQuery(redirectUri, answer))
  }
}

function signIn(
  pool: Pool,
  { parameters, headers }: HostedRequest,
  client: AppClient,
  redirectUri: string,
  state: string | undefined,
): Response {
  if (parameters.get('response_type') !== 'code') {
    throw new OAuthRefusal('unsupported_response_type', 'FakeCognito plays response_type=code only')
  }
  if (!client.oauth.flows.includes('code')) throw new OAuthRefusal('unauthorized_client')
  const scopes = grantScopes(client, parameters)
  const codeChallenge = challengeIn(parameters)
  const hint = parameters.get('login_hint') ?? undefined
  const prompt = parameters.get('prompt')
  const known = prompt === 'login' ? undefined : pool.hosted.cookies.find(headers)
  const login = hint === undefined ? known : signInAs(pool, hint)
  if (login === undefined) {
    if (prompt === 'none') throw new OAuthRefusal('login_required')
    return redirect(`${pool.hosted.domain}/login?${parameters}`)
  }
  if (!login.user.enabled) throw new OAuthRefusal('access_denied', 'User is disabled.')
  const nonce = parameters.get('nonce') ?? undefined
  const { user, authTime } = login
  const code = pool.hosted.codes.issue({
    ...{ user, authTime, clientId: client.clientId, redirectUri },
    ...{ codeChallenge, scopes, nonce },
  })
  const cookie = hint === undefined ? undefined : pool.hosted.cookies.issue(login)
  return redirect(withQuery(redirectUri, { code, state }), cookie)
}

function clientOf(pool: Pool, parameters: URLSearchParams): AppClient {
  const client = pool.clients.find(required(parameters, 'client_id'))
  if (client === undefined) throw new OAuthRefusal('invalid_request', 'There is no such app client')
  return client
}

/** Those asked for, if all are allowed; all that are allowed, if none are asked for. */
export function grantScopes({ oauth }: AppClient, parameters: URLSearchParams): readonly string[] {
  const asked = (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
  if (asked.some((scope) => !oauth.scopes.includes(scope))) throw new OAuthRefusal('invalid_scope')
  return asked.length > 0 ? asked : oauth.scopes
}

function challengeIn(parameters: URLSearchParams): string | undefined {
  const challenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  if (challenge === null && method === null) return undefined
  if (method !== 'S256' || challenge === null || !/^[\w-]{43}$/.test(challenge)) {
    throw new OAuthRefusal('invalid_request', 'code_challenge must be of S256')
  }
  return challenge
}

function signInAs(pool: Pool, login: string): Login {
  const user = pool.users.findByLogin(login)
  if (user?.status !== 'CONFIRMED') throw new OAuthRefusal('access_denied', 'There is no such user')
  return { user, authTime: Math.floor(pool.clock.now() / 1000) }
}
