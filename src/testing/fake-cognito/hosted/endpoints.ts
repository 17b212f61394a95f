import type { Fault } from '../faults.js'
import type { Pool } from '../pool.js'
import { isPlayedByReplicas } from '../replicas.js'
import { authorize } from './authorize.js'
import { assertForm, type HostedRequest } from './hosted-request.js'
import { logout } from './logout.js'
import { OAuthRefusal } from './oauth-refusal.js'
import { revoke } from './revoke.js'
import { token } from './token.js'
import { userInfo } from './user-info.js'

type Endpoint = (pool: Pool, request: HostedRequest) => Response | Promise<Response>

/** The hosted endpoints that are played, by method and path. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['GET /oauth2/authorize', authorize],
  ['POST /oauth2/token', token],
  ['POST /oauth2/revoke', revoke],
  ['GET /oauth2/userInfo', userInfo],
  ['GET /logout', logout],
])

/** The name of the endpoint that a request is for, if it is for one. */
export function endpointOf(request: Request): string | undefined {
  const name = `${request.method} ${new URL(request.url).pathname}`
  return endpoints.has(name) ? name : undefined
}

/** Does what is asked for, or refuses. */
export async function answerAt(name: string, pool: Pool, request: HostedRequest): Promise<Response> {
  try {
    assertForm(request)
    const found = endpoints.get(name)
    if (found === undefined) throw new OAuthRefusal('invalid_request')
    if (pool.isReplica && !isPlayedByReplicas(name)) {
      throw new OAuthRefusal('operation_not_enabled', `${name} is of the primary Region`)
    }
    return dated(await found(pool, request), pool)
  } catch (error) {
    if (error instanceof OAuthRefusal) return dated(refuse(error), pool)
    return dated(
      refuse(new OAuthRefusal('server_error', `FakeCognito itself failed: ${String(error)}`)),
      pool,
    )
  }
}

/** What failures of the API's are called here. */
const failuresOfApi: ReadonlyMap<string, readonly [error: string, status: number]> = new Map([
  ['TooManyRequestsException', ['too_many_requests', 429]],
  ['InternalErrorException', ['server_error', 500]],
])

/** A failure that a test or its conditions have asked for: `exception` is OAuth's name of it, or the API's. */
export function failAt(pool: Pool, fault: Fault): Response {
  const { exception, message, httpStatus, plainBody } = fault
  const usual = exception === 'invalid_client' ? 401 : undefined
  const [error, status] = failuresOfApi.get(exception) ?? [exception, usual]
  const refusal = new OAuthRefusal(error, message, httpStatus ?? status)
  if (plainBody === undefined) return dated(refuse(refusal), pool)
  const headers = { 'content-type': 'text/html' }
  return dated(new Response(plainBody, { status: refusal.status, headers }), pool)
}

/** The documents that tell where they are (OpenID Connect Discovery). */
export function endpointMetadata({ hosted: { domain } }: Pool): object {
  return {
    authorization_endpoint: `${domain}/oauth2/authorize`,
    token_endpoint: `${domain}/oauth2/token`,
    userinfo_endpoint: `${domain}/oauth2/userInfo`,
    revocation_endpoint: `${domain}/oauth2/revoke`,
    end_session_endpoint: `${domain}/logout`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  }
}

function refuse({ error, message, status }: OAuthRefusal): Response {
  const body = { error, ...(message === '' ? {} : { error_description: message }) }
  const challenge =
    error === 'invalid_token' ? { 'www-authenticate': 'Bearer error="invalid_token"' } : undefined
  return Response.json(body, { status, ...(challenge && { headers: challenge }) })
}

function dated(response: Response, pool: Pool): Response {
  response.headers.set('date', new Date(pool.clock.now()).toUTCString())
  response.headers.set('cache-control', 'no-store')
  return response
}
