import { authorizeUser } from '../access-tokens.js'
import { deviceNotFound } from '../challenges/device-challenges.js'
import { CognitoException, invalidParameter } from '../exceptions.js'
import type { Parameters } from '../parameters.js'
import type { Pool } from '../pool.js'
import { fromBytes, N } from '../srp/group.js'

/** Remembers a device that a sign-in was told of, with the verifier of the device's own password. */
export function confirmDevice(pool: Pool, parameters: Parameters): object {
  const user = authorizeUser(pool, parameters.string('AccessToken'))
  const device = pool.signIns.devices.find(user, parameters.string('DeviceKey'))
  if (device === undefined) throw deviceNotFound()
  if (device.secret !== undefined) {
    throw new CognitoException('DeviceKeyExistsException', 'Device key already exists.')
  }
  const config = parameters.optionalStructure('DeviceSecretVerifierConfig')
  const verifier = readNumber(config, 'PasswordVerifier')
  const salt = readNumber(config, 'Salt')
  if (verifier <= 1n || verifier >= N) throw invalidParameter('PasswordVerifier is not valid.')
  device.secret = { verifier, salt }
  return { UserConfirmationNecessary: false }
}

/** Forgets a device: neither does it sign in any longer, nor are its refresh tokens good for anything. */
export function forgetDevice(pool: Pool, parameters: Parameters): object {
  const user = authorizeUser(pool, parameters.string('AccessToken'))
  const device = pool.signIns.devices.find(user, parameters.string('DeviceKey'))
  if (device === undefined) throw deviceNotFound()
  device.forgotten = true
  return {}
}

function readNumber(config: Parameters | undefined, name: string): bigint {
  const bytes = Buffer.from(config?.optionalString(name) ?? '', 'base64')
  const number = fromBytes(bytes)
  if (number === undefined || bytes.length > 1024) throw invalidParameter(`${name} is not valid.`)
  return number
}
