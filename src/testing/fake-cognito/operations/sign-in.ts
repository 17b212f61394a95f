import { randomBytes } from 'node:crypto'
import type { AppClient } from '../app-client.js'
import { mintTokens } from '../authentication-result.js'
import { assertSecretHash, equalSecrets } from '../client-secrets.js'
import { CognitoException, notAuthorized, userDisabled, userNotFound } from '../exceptions.js'
import type { AuthParameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import { attributesOf, type User } from '../users.js'

/** USER_PASSWORD_AUTH and its likes: tokens for a password, or a challenge. */
export async function signInWithPassword(
  pool: Pool,
  client: AppClient,
  parameters: AuthParameters,
): Promise<object> {
  const username = parameters.required('USERNAME')
  const password = parameters.required('PASSWORD')
  assertSecretHash(client, username, parameters.optional('SECRET_HASH'))
  const user = pool.users.findByLogin(username)
  assertPassword(client, user, password)
  if (!user.enabled) throw userDisabled()
  if (user.status === 'UNCONFIRMED') {
    throw new CognitoException('UserNotConfirmedException', 'User is not confirmed.')
  }
  if (user.status === 'RESET_REQUIRED') {
    throw new CognitoException('PasswordResetRequiredException', 'Password reset required for the user')
  }
  if (user.status === 'FORCE_CHANGE_PASSWORD') return newPasswordChallenge(user)
  return { ChallengeParameters: {}, AuthenticationResult: await startSession(pool, client, user) }
}

function assertPassword(client: AppClient, user: User | undefined, password: string): asserts user is User {
  if (user === undefined && client.preventUserExistenceErrors === 'LEGACY') throw userNotFound()
  if (user === undefined || !equalSecrets(password, user.password)) {
    throw notAuthorized('Incorrect username or password.')
  }
}

async function startSession(pool: Pool, client: AppClient, user: User): Promise<object> {
  const session = pool.sessions.start(user, client)
  return { ...mintTokens(pool, client, session), RefreshToken: await pool.refreshTokens.issue(session) }
}

function newPasswordChallenge(user: User): object {
  const attributes = attributesOf(user).filter(({ Name }) => Name !== 'sub')
  return {
    ChallengeName: 'NEW_PASSWORD_REQUIRED',
    Session: randomBytes(300).toString('base64url'),
    ChallengeParameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: '[]',
      userAttributes: JSON.stringify(Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value]))),
    },
  }
}
