import { authorizeUser } from '../access-tokens.js'
import { userNotFound } from '../exceptions.js'
import type { Parameters } from '../parameters.js'
import { assertPool, type Pool } from '../pool.js'
import { attributesOf } from '../users.js'

export function getUser(pool: Pool, parameters: Parameters): object {
  const user = authorizeUser(pool, parameters.string('AccessToken'))
  return { Username: user.username, UserAttributes: attributesOf(user) }
}

export function adminGetUser(pool: Pool, parameters: Parameters): object {
  assertPool(pool, parameters.string('UserPoolId'))
  const user = pool.users.find(parameters.string('Username'))
  if (user === undefined) throw userNotFound()
  return {
    Username: user.username,
    UserAttributes: attributesOf(user),
    UserCreateDate: user.createdAtMs / 1000,
    UserLastModifiedDate: user.modifiedAtMs / 1000,
    Enabled: user.enabled,
    UserStatus: user.status,
  }
}
