import { CognitoException, invalidParameter } from '../exceptions.js'
import type { AuthParameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import { attributesOf, type User, type UserUpdate } from '../users.js'
import type { Challenge, Next, SignIn } from './challenge.js'

/** The least that a pool's password policy asks for by default. */
const minLength = 8

const aliases: Readonly<Record<string, 'email' | 'phoneNumber'>> = {
  email: 'email',
  phone_number: 'phoneNumber',
}

/** Asks a user whom an administrator has made for a password of his own, and for what is still missing. */
export function newPasswordRequired(pool: Pool, { user }: SignIn, next: Next): Challenge {
  const given = new Map(attributesOf(user).map(({ Name, Value }) => [Name, Value]))
  given.delete('sub')
  const missing = pool.signIns.requiredAttributes.filter((name) => !given.has(name))
  return {
    name: 'NEW_PASSWORD_REQUIRED',
    parameters: {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: JSON.stringify(missing.map((name) => `userAttributes.${name}`)),
      userAttributes: JSON.stringify(Object.fromEntries(given)),
    },
    answer: (responses) => {
      const password = responses.required('NEW_PASSWORD')
      if (password.length < minLength) {
        throw new CognitoException(
          'InvalidPasswordException',
          'Password did not conform with policy: Password not long enough',
        )
      }
      const update = readAttributes(pool, user, missing, responses)
      pool.users.update(user.username, { ...update, password, status: 'CONFIRMED' })
      return next()
    },
  }
}

function readAttributes(
  pool: Pool,
  user: User,
  missing: readonly string[],
  responses: AuthParameters,
): UserUpdate {
  const sent = responses.userAttributes()
  for (const name of missing) {
    if (!sent.get(name)) throw invalidParameter(`Invalid attributes given, ${name} is missing`)
  }
  const update: { email?: string; phoneNumber?: string } = {}
  const others: Record<string, string> = {}
  for (const [name, value] of sent) {
    const alias = aliases[name]
    if (pool.signIns.requiredAttributes.includes(name) && !missing.includes(name)) {
      throw invalidParameter(`Cannot modify an already provided ${name}`)
    }
    if (/^(sub|\w+_verified)$/.test(name)) throw invalidParameter(`Cannot modify the attribute ${name}`)
    if (alias === undefined) others[name] = value
    else {
      const owner = pool.users.findByLogin(value)
      if (owner !== undefined && owner !== user) {
        throw new CognitoException(
          'AliasExistsException',
          `An account with the given ${name} already exists.`,
        )
      }
      update[alias] = value
    }
  }
  user.attributes = { ...user.attributes, ...others }
  return update
}
