import { assertObject, assertString } from '../options.js'

/** A device that Cognito has seen for the first time, where the user pool tracks devices. */
export interface NewDevice {
  readonly deviceKey: string
  readonly deviceGroupKey: string
}

/**
 * A device that was confirmed: what `confirmDevice` gave. To be kept on the device, or with it, as secretly as a
 * password: with the user's password it signs in without a second factor.
 */
export interface Device extends NewDevice {
  /** Secret. */
  readonly devicePassword: string
}

/** @throws TypeError naming the option */
export function assertNewDevice(owner: string, option: string, value: unknown): asserts value is NewDevice {
  assertObject(owner, option, value)
  const { deviceKey, deviceGroupKey } = value as Partial<NewDevice>
  assertString(owner, `${option}.deviceKey`, deviceKey)
  assertString(owner, `${option}.deviceGroupKey`, deviceGroupKey)
}

/** @throws TypeError naming the option */
export function assertOptionalDevice(owner: string, value: unknown): asserts value is Device | undefined {
  if (value === undefined) return
  assertNewDevice(owner, 'device', value)
  assertString(owner, 'device.devicePassword', (value as Partial<Device>).devicePassword)
}
