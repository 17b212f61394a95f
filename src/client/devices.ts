import { ConfirmDeviceCommand, ForgetDeviceCommand } from '@aws-sdk/client-cognito-identity-provider'
import { assertInput, assertOptionalSignal, assertString } from '../options.js'
import type { CognitoApi } from './cognito-api.js'
import { assertNewDevice, type Device, type NewDevice } from './device.js'
import { createDeviceVerifier } from './srp.js'

export interface ConfirmDeviceInput {
  /** Of the sign-in by which the device is new. */
  readonly accessToken: string
  /** `newDevice` of that sign-in's result. */
  readonly newDevice: NewDevice
  /** What the user calls the device. */
  readonly deviceName?: string
  /** Ends the call; it then rejects with the signal's reason, and whether the device is confirmed is unknown. */
  readonly signal?: AbortSignal
}

/** A device that is confirmed. */
export interface ConfirmedDevice {
  /** To be given along at the next sign-ins. Secret. */
  readonly device: Device
  /**
   * Whether the user is to be asked if the device shall be remembered: then it is not, before Cognito's
   * UpdateDeviceStatus says so.
   */
  readonly userConfirmationNecessary: boolean
}

export interface ForgetDeviceInput {
  /** Of the user whose device it is. */
  readonly accessToken: string
  readonly deviceKey: string
  /** Ends the call; it then rejects with the signal's reason, and whether the device is forgotten is unknown. */
  readonly signal?: AbortSignal
}

/** ConfirmDevice, with a new password for the device that Cognito gets only the verifier of. */
export async function confirmDevice(api: CognitoApi, input: ConfirmDeviceInput): Promise<ConfirmedDevice> {
  assertInput('confirmDevice', input)
  const { accessToken, newDevice, deviceName, signal } = input
  assertString('confirmDevice', 'accessToken', accessToken)
  assertNewDevice('confirmDevice', 'newDevice', newDevice)
  if (deviceName !== undefined) assertString('confirmDevice', 'deviceName', deviceName)
  assertOptionalSignal('confirmDevice', signal)
  const { deviceKey, deviceGroupKey } = newDevice
  const verifier = await createDeviceVerifier(deviceKey, deviceGroupKey)
  const { DeviceRandomPassword: devicePassword, DeviceSecretVerifierConfig } = verifier
  const { PasswordVerifier, Salt } = DeviceSecretVerifierConfig
  const command = new ConfirmDeviceCommand({
    AccessToken: accessToken,
    DeviceKey: deviceKey,
    DeviceSecretVerifierConfig: { PasswordVerifier, Salt },
    DeviceName: deviceName,
  })
  const output = await api.call('ConfirmDevice', (sdk, options) => sdk.send(command, options), {
    sensitive: [accessToken, PasswordVerifier, Salt],
    signal,
  })
  return {
    device: { deviceKey, deviceGroupKey, devicePassword },
    userConfirmationNecessary: output.UserConfirmationNecessary === true,
  }
}

/** ForgetDevice. */
export async function forgetDevice(api: CognitoApi, input: ForgetDeviceInput): Promise<void> {
  assertInput('forgetDevice', input)
  const { accessToken, deviceKey, signal } = input
  assertString('forgetDevice', 'accessToken', accessToken)
  assertString('forgetDevice', 'deviceKey', deviceKey)
  assertOptionalSignal('forgetDevice', signal)
  const command = new ForgetDeviceCommand({ AccessToken: accessToken, DeviceKey: deviceKey })
  await api.call('ForgetDevice', (sdk, options) => sdk.send(command, options), {
    sensitive: [accessToken],
    signal,
  })
}
