import type { Pool } from '../pool.js'
import { type HostedRequest, required } from './hosted-request.js'
import { OAuthRefusal } from './oauth-refusal.js'
import { redirect, withQuery } from './redirect.js'

/** GET /logout: ends the browser's sign-in and sends it on; no token is revoked. */
export function logout(pool: Pool, { parameters, headers }: HostedRequest): Response {
  const client = pool.clients.find(required(parameters, 'client_id'))
  const { callbackUrls = [], logoutUrls = [] } = client?.oauth ?? {}
  const logoutUri = parameters.get('logout_uri')
  if (logoutUri !== null) {
    if (!logoutUrls.includes(logoutUri)) throw mismatch('logout_uri is none of LogoutURLs')
    const state = parameters.get('state')
    const location = state === null ? logoutUri : withQuery(logoutUri, { state })
    return redirect(location, pool.hosted.cookies.clear(headers))
  }
  required(parameters, 'response_type')
  if (!callbackUrls.includes(required(parameters, 'redirect_uri'))) {
    throw mismatch('redirect_uri is none of CallbackURLs')
  }
  return redirect(`${pool.hosted.domain}/login?${parameters}`, pool.hosted.cookies.clear(headers))
}

function mismatch(description: string): OAuthRefusal {
  return new OAuthRefusal('redirect_mismatch', description)
}
