import { CognitoError } from '../errors.js'
import type { AuthOutput } from './auth-calls.js'
import type { SignInChallenge } from './challenges.js'
import type { CognitoApi } from './cognito-api.js'
import type { NewDevice } from './device.js'
import { type SessionTokens, toSessionTokens } from './session-tokens.js'

/** The user is signed in. */
export interface SignedIn extends SessionTokens {
  readonly status: 'authenticated'
  readonly idToken: string
  readonly refreshToken: string
  /** Where the user pool tracks devices and does not know this one yet: `confirmDevice` confirms it. */
  readonly newDevice?: NewDevice
}

/** What `signIn` and `respondToChallenge` give. */
export type SignInResult = SignedIn | SignInChallenge

/** @throws CognitoError if the answer lacks a token; CognitoConfigurationError if they are another user pool's */
export function readSignedIn(api: CognitoApi, { operation, AuthenticationResult }: AuthOutput): SignedIn {
  const { idToken, refreshToken, ...tokens } = toSessionTokens(api, operation, AuthenticationResult)
  if (!idToken || !refreshToken) throw new CognitoError(`${operation}: Cognito's answer lacks a token`)
  const { DeviceKey, DeviceGroupKey } = AuthenticationResult?.NewDeviceMetadata ?? {}
  return {
    status: 'authenticated',
    ...tokens,
    idToken,
    refreshToken,
    ...(DeviceKey && DeviceGroupKey
      ? { newDevice: { deviceKey: DeviceKey, deviceGroupKey: DeviceGroupKey } }
      : {}),
  }
}
