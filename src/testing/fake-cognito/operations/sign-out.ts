import { authorizeUser } from '../access-tokens.js'
import { userNotFound } from '../exceptions.js'
import type { Parameters } from '../parameters.js'
import { assertPool, type Pool } from '../pool.js'

export function globalSignOut(pool: Pool, parameters: Parameters): object {
  pool.sessions.revokeAllOf(authorizeUser(pool, parameters.string('AccessToken')))
  return {}
}

export function adminUserGlobalSignOut(pool: Pool, parameters: Parameters): object {
  assertPool(pool, parameters.string('UserPoolId'))
  const user = pool.users.find(parameters.string('Username'))
  if (user === undefined) throw userNotFound()
  pool.sessions.revokeAllOf(user)
  return {}
}
