import { createHmac } from 'node:crypto'
import { equalSecrets } from '../client-secrets.js'
import { notAuthorized } from '../exceptions.js'
import type { Pool } from '../pool.js'
import { fromBytes } from '../srp/group.js'
import { createVerifier } from '../srp/srp.js'
import { SrpExchange } from '../srp/srp-exchange.js'
import type { Challenge, Next, SignIn } from './challenge.js'

/** Refuses a password that is wrong. */
export function assertPassword({ user }: SignIn, password: string): void {
  if (!equalSecrets(password, user.password)) throw notAuthorized('Incorrect username or password.')
}

/** PASSWORD: asks for the password itself. */
export function passwordChallenge(signIn: SignIn, next: Next): Challenge {
  return {
    name: 'PASSWORD',
    parameters: {},
    answer: (responses) => {
      assertPassword(signIn, responses.required('PASSWORD'))
      return next()
    },
  }
}

/** PASSWORD_SRP: asks for the SRP_A that PASSWORD_VERIFIER needs. */
export function passwordSrpChallenge(pool: Pool, signIn: SignIn, next: Next): Challenge {
  return {
    name: 'PASSWORD_SRP',
    parameters: {},
    answer: (responses) => passwordVerifier(pool, signIn, responses.required('SRP_A'), next),
  }
}

/** PASSWORD_VERIFIER: asks for a proof of the password. */
export function passwordVerifier(pool: Pool, { user }: SignIn, srpA: string, next: Next): Challenge {
  const identity = { group: pool.userPoolId.split('_')[1] ?? '', id: user.username }
  const salt = saltOf(user.username)
  const verifier = createVerifier(identity, user.password, salt)
  const exchange = new SrpExchange({ identity, salt, verifier }, srpA)
  return {
    name: 'PASSWORD_VERIFIER',
    parameters: { ...exchange.parameters, USERNAME: user.username, USER_ID_FOR_SRP: user.username },
    answer: (responses) => {
      exchange.assertProof(responses, pool.clock.now())
      return next()
    },
  }
}

/** Always the same for a name, as that of a user is: who asks twice must not learn that one is made up. */
function saltOf(username: string): bigint {
  return fromBytes(createHmac('sha256', 'salt').update(username).digest().subarray(0, 16)) ?? 0n
}
