import type { AppClient, ExplicitAuthFlow } from '../app-client.js'
import type { Caller } from '../challenges/challenge.js'
import { assertSessionForm } from '../challenges/challenge-sessions.js'
import { invalidParameter } from '../exceptions.js'
import type { AuthParameters, Parameters } from '../parameters.js'
import { assertPool, type Pool } from '../pool.js'
import { answerOf } from './challenge-answer.js'
import { refreshByFlow } from './refresh.js'
import {
  beginSignIn,
  type SignInFlow,
  signInByChoice,
  signInByCustomChallenges,
  signInWithPassword,
  signInWithSrp,
} from './sign-in.js'

interface Flow {
  /** Who may ask for it: users by InitiateAuth, administrators by AdminInitiateAuth. */
  readonly callers: readonly Caller[]
  /** What must be among the client's ExplicitAuthFlows. */
  readonly setting: ExplicitAuthFlow
  readonly run: (pool: Pool, client: AppClient, parameters: AuthParameters, caller: Caller) => Promise<object>
}

const everybody: readonly Caller[] = ['user', 'admin']
const refreshFlow: Flow = { callers: everybody, setting: 'ALLOW_REFRESH_TOKEN_AUTH', run: refreshByFlow }
const adminPasswordFlow = signInFlow(['admin'], 'ALLOW_ADMIN_USER_PASSWORD_AUTH', signInWithPassword, [
  'PASSWORD',
])

const flows: ReadonlyMap<string, Flow> = new Map([
  ['USER_PASSWORD_AUTH', signInFlow(['user'], 'ALLOW_USER_PASSWORD_AUTH', signInWithPassword, ['PASSWORD'])],
  ['ADMIN_USER_PASSWORD_AUTH', adminPasswordFlow],
  ['ADMIN_NO_SRP_AUTH', adminPasswordFlow],
  ['USER_SRP_AUTH', signInFlow(everybody, 'ALLOW_USER_SRP_AUTH', signInWithSrp, ['SRP_A'])],
  ['USER_AUTH', signInFlow(everybody, 'ALLOW_USER_AUTH', signInByChoice)],
  ['CUSTOM_AUTH', signInFlow(everybody, 'ALLOW_CUSTOM_AUTH', signInByCustomChallenges)],
  ['REFRESH_TOKEN_AUTH', refreshFlow],
  ['REFRESH_TOKEN', refreshFlow],
])

export async function initiateAuth(pool: Pool, parameters: Parameters): Promise<object> {
  return runFlow(pool, parameters, 'user')
}

export async function adminInitiateAuth(pool: Pool, parameters: Parameters): Promise<object> {
  assertPool(pool, parameters.string('UserPoolId'))
  return runFlow(pool, parameters, 'admin')
}

async function runFlow(pool: Pool, parameters: Parameters, caller: Caller): Promise<object> {
  const name = parameters.string('AuthFlow')
  const client = pool.clients.get(parameters.string('ClientId'))
  const authParameters = parameters.authParameters()
  const session = parameters.optionalString('Session')
  if (session !== undefined) assertSessionForm(session)
  const flow = flows.get(name)
  if (flow === undefined) throw invalidParameter('FakeCognito does not play this AuthFlow')
  if (!flow.callers.includes(caller)) throw invalidParameter('Initiate Auth method not supported.')
  if (!client.explicitAuthFlows.includes(flow.setting)) {
    throw invalidParameter(`${name} flow not enabled for this client`)
  }
  return flow.run(pool, client, authParameters, caller)
}

/** @param needed the parameters that it cannot do without, beside USERNAME */
function signInFlow(
  callers: readonly Caller[],
  setting: ExplicitAuthFlow,
  begin: SignInFlow,
  needed: readonly string[] = [],
): Flow {
  return {
    callers,
    setting,
    run: async (pool, client, parameters, caller) => {
      const signIn = beginSignIn(pool, client, caller, parameters, needed)
      return answerOf(pool, signIn, await begin(pool, signIn, parameters))
    },
  }
}
