import { createHash } from 'node:crypto'
import type { AppClient } from '../app-client.js'
import { type AuthenticationResult, mintTokens } from '../authentication-result.js'
import { CognitoException } from '../exceptions.js'
import { exchangeRefreshToken } from '../operations/refresh.js'
import type { Pool } from '../pool.js'
import type { Authorization } from './authorization-codes.js'
import { grantScopes } from './authorize.js'
import { authenticateClient } from './client-authentication.js'
import { type HostedRequest, required } from './hosted-request.js'
import { OAuthRefusal } from './oauth-refusal.js'

type Grant = (pool: Pool, client: AppClient, parameters: URLSearchParams) => object | Promise<object>

const grants: ReadonlyMap<string, Grant> = new Map<string, Grant>([
  ['authorization_code', redeemCode],
  ['refresh_token', refresh],
  ['client_credentials', mintMachineToken],
])

/** POST /oauth2/token. */
export async function token(pool: Pool, request: HostedRequest): Promise<Response> {
  const { parameters } = request
  const run = grants.get(required(parameters, 'grant_type'))
  if (run === undefined) throw new OAuthRefusal('unsupported_grant_type')
  const client = authenticateClient(pool, request, 400)
  return Response.json(await run(pool, client, parameters))
}

async function redeemCode(pool: Pool, client: AppClient, parameters: URLSearchParams): Promise<object> {
  const [code, redirectUri] = [required(parameters, 'code'), required(parameters, 'redirect_uri')]
  assertGrant(client, 'code')
  // As Cognito has it, which does not look at the code first.
  if (!client.oauth.callbackUrls?.includes(redirectUri)) throw new OAuthRefusal('unauthorized_client')
  const authorization = pool.hosted.codes.redeem(code, client.clientId)
  if (authorization === undefined) throw new OAuthRefusal('invalid_grant')
  assertBound(authorization, redirectUri, parameters.get('code_verifier'))
  const { user, scopes, authTime, nonce } = authorization
  if (!user.enabled) throw new OAuthRefusal('invalid_grant')
  const session = pool.sessions.start(user, client, { scope: scopes.join(' '), authTime })
  const tokens = mintTokens(pool, client, session, nonce)
  return answer({ ...tokens, RefreshToken: await pool.refreshTokens.issue(session) }, scopes)
}

function assertBound(authorization: Authorization, redirectUri: string, verifier: string | null): void {
  const { codeChallenge } = authorization
  const hash = verifier === null ? undefined : createHash('sha256').update(verifier).digest('base64url')
  if (authorization.redirectUri !== redirectUri || hash !== codeChallenge) {
    throw new OAuthRefusal('invalid_grant')
  }
}

/** Whatever is wrong with a refresh token, it is an invalid grant. */
async function refresh(pool: Pool, client: AppClient, parameters: URLSearchParams): Promise<object> {
  const refreshToken = required(parameters, 'refresh_token')
  if (client.oauth.flows.every((flow) => flow === 'client_credentials')) {
    throw new OAuthRefusal('unauthorized_client')
  }
  const found = await pool.refreshTokens.open(refreshToken)
  try {
    const tokens = await exchangeRefreshToken(pool, client, refreshToken)
    return answer(tokens, found?.session.scope?.split(' ') ?? ['openid'])
  } catch (error) {
    throw error instanceof CognitoException ? new OAuthRefusal('invalid_grant') : error
  }
}

function mintMachineToken(pool: Pool, client: AppClient, parameters: URLSearchParams): object {
  assertGrant(client, 'client_credentials')
  const scopes = grantScopes(client, parameters)
  const iat = Math.floor(pool.clock.now() / 1000)
  const accessToken = pool.minter.accessToken({
    sub: client.clientId,
    client_id: client.clientId,
    username: undefined,
    origin_jti: undefined,
    scope: scopes.join(' '),
    aud: parameters.get('resource') ?? undefined,
    iat,
    exp: iat + client.accessTokenValiditySeconds,
  })
  const seconds = client.accessTokenValiditySeconds
  return { access_token: accessToken, expires_in: seconds, token_type: 'Bearer' }
}

function assertGrant(client: AppClient, flow: 'code' | 'client_credentials'): void {
  if (!client.oauth.flows.includes(flow)) throw new OAuthRefusal('unauthorized_client')
}

/** An ID token is for those who asked for `openid`. */
function answer(tokens: AuthenticationResult, scopes: readonly string[]): object {
  return {
    access_token: tokens.AccessToken,
    ...(scopes.includes('openid') ? { id_token: tokens.IdToken } : {}),
    ...(tokens.RefreshToken === undefined ? {} : { refresh_token: tokens.RefreshToken }),
    expires_in: tokens.ExpiresIn,
    token_type: tokens.TokenType,
  }
}
