import type { AppClient, ExplicitAuthFlow } from '../app-client.js'
import { invalidParameter } from '../exceptions.js'
import type { AuthParameters, Parameters } from '../parameters.js'
import { assertPool, type Pool } from '../pool.js'
import { refreshByFlow } from './refresh.js'
import { signInWithPassword } from './sign-in.js'

interface Flow {
  /** Who may ask for it: users by InitiateAuth, administrators by AdminInitiateAuth. */
  readonly callers: readonly ('user' | 'admin')[]
  /** What must be among the client's ExplicitAuthFlows. */
  readonly setting: ExplicitAuthFlow
  readonly run: (pool: Pool, client: AppClient, parameters: AuthParameters) => Promise<object>
}

const refreshFlow: Flow = {
  callers: ['user', 'admin'],
  setting: 'ALLOW_REFRESH_TOKEN_AUTH',
  run: refreshByFlow,
}
const adminPasswordFlow: Flow = {
  callers: ['admin'],
  setting: 'ALLOW_ADMIN_USER_PASSWORD_AUTH',
  run: signInWithPassword,
}

const flows: ReadonlyMap<string, Flow> = new Map([
  [
    'USER_PASSWORD_AUTH',
    { callers: ['user'], setting: 'ALLOW_USER_PASSWORD_AUTH', run: signInWithPassword } satisfies Flow,
  ],
  ['ADMIN_USER_PASSWORD_AUTH', adminPasswordFlow],
  ['ADMIN_NO_SRP_AUTH', adminPasswordFlow],
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

async function runFlow(pool: Pool, parameters: Parameters, caller: 'user' | 'admin'): Promise<object> {
  const name = parameters.string('AuthFlow')
  const client = pool.clients.get(parameters.string('ClientId'))
  const authParameters = parameters.authParameters()
  const flow = flows.get(name)
  if (flow === undefined) throw invalidParameter('FakeCognito does not play this AuthFlow')
  if (!flow.callers.includes(caller)) throw invalidParameter('Initiate Auth method not supported.')
  if (!client.explicitAuthFlows.includes(flow.setting)) {
    throw invalidParameter(`${name} flow not enabled for this client`)
  }
  return flow.run(pool, client, authParameters)
}
