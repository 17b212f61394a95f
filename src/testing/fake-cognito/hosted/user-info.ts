import { authorizeFor } from '../access-tokens.js'
import { CognitoException } from '../exceptions.js'
import type { Pool } from '../pool.js'
import { attributesOf, type User } from '../users.js'
import type { HostedRequest } from './hosted-request.js'
import { OAuthRefusal } from './oauth-refusal.js'

/** GET /oauth2/userInfo: the attributes of the user whose live access token with `openid` this is. */
export function userInfo(pool: Pool, { headers }: HostedRequest): Response {
  const token = /^Bearer (\S+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? ''
  const user = userOf(pool, token)
  const attributes = attributesOf(user).map(({ Name, Value }) => [Name, Value])
  return Response.json({ ...Object.fromEntries(attributes), username: user.username })
}

function userOf(pool: Pool, accessToken: string): User {
  try {
    return authorizeFor(pool, accessToken, 'openid')
  } catch (error) {
    if (error instanceof CognitoException) {
      throw new OAuthRefusal('invalid_token', 'Access token is expired, disabled, or deleted.')
    }
    throw error
  }
}
