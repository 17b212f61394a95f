import type { Device } from '../devices.js'
import { notAuthorized, resourceNotFound } from '../exceptions.js'
import type { AuthParameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import { SrpExchange } from '../srp/srp-exchange.js'
import type { Challenge, Next, SignIn } from './challenge.js'

/** DEVICE_SRP_AUTH and DEVICE_PASSWORD_VERIFIER: a remembered device proves its own password. */
export function deviceSrpAuth(pool: Pool, signIn: SignIn, device: Device, next: Next): Challenge {
  return {
    name: 'DEVICE_SRP_AUTH',
    parameters: {},
    answer: (responses) => {
      assertKey(device, responses)
      return devicePasswordVerifier(pool, signIn, device, responses.required('SRP_A'), next)
    },
  }
}

function devicePasswordVerifier(
  pool: Pool,
  { user }: SignIn,
  device: Device,
  srpA: string,
  next: Next,
): Challenge {
  if (device.secret === undefined) throw deviceNotFound()
  const identity = { group: device.groupKey, id: device.key }
  const exchange = new SrpExchange({ identity, ...device.secret }, srpA)
  return {
    name: 'DEVICE_PASSWORD_VERIFIER',
    parameters: { ...exchange.parameters, DEVICE_KEY: device.key, USERNAME: user.username },
    answer: (responses) => {
      assertKey(device, responses)
      exchange.assertProof(responses, pool.clock.now())
      return next()
    },
  }
}

export function deviceNotFound() {
  return resourceNotFound('Device does not exist.')
}

function assertKey(device: Device, responses: AuthParameters): void {
  const key = responses.required('DEVICE_KEY')
  if (key !== device.key || device.forgotten) throw notAuthorized('Incorrect username or password.')
}
