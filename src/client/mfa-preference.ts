import { SetUserMFAPreferenceCommand } from '@aws-sdk/client-cognito-identity-provider'
import { assertInput, assertOptionalSignal, assertString, optionError } from '../options.js'
import type { CognitoApi } from './cognito-api.js'
import type { AccessTokenInput } from './software-token.js'

/** Whether a second factor is asked for at sign-in: `preferred` over the others, `enabled`, or `disabled`. */
export type MfaPreference = 'preferred' | 'enabled' | 'disabled'

export interface SetMfaPreferenceInput extends AccessTokenInput {
  /** The authenticator app, which must have been set up. Default: as it is. */
  readonly softwareToken?: MfaPreference
  /** Codes by SMS, for which the user needs a verified telephone number. Default: as it is. */
  readonly sms?: MfaPreference
  /** Codes by e-mail, for which the user needs a verified address. Default: as it is. */
  readonly email?: MfaPreference
  /** Ends the call; it then rejects with the signal's reason, and whether it took effect is unknown. */
  readonly signal?: AbortSignal
}

const OWNER = 'setMfaPreference'
const FACTORS = ['softwareToken', 'sms', 'email'] as const
const PREFERENCES: readonly unknown[] = ['preferred', 'enabled', 'disabled', undefined]

/** SetUserMFAPreference, for the second factors that are named. */
export async function setMfaPreference(api: CognitoApi, input: SetMfaPreferenceInput): Promise<void> {
  assertInput(OWNER, input)
  const { accessToken, softwareToken, sms, email, signal } = input
  assertString(OWNER, 'accessToken', accessToken)
  assertOptionalSignal(OWNER, signal)
  for (const factor of FACTORS) {
    if (!PREFERENCES.includes(input[factor]))
      throw optionError(OWNER, factor, "'preferred', 'enabled' or 'disabled'", input[factor])
  }
  const given = FACTORS.filter((factor) => input[factor] !== undefined)
  if (given.length === 0) throw optionError(OWNER, 'softwareToken', 'given, or "sms" or "email"')
  const [, second] = given.filter((factor) => input[factor] === 'preferred')
  if (second !== undefined) throw optionError(OWNER, second, "'enabled', since another is preferred")
  const command = new SetUserMFAPreferenceCommand({
    AccessToken: accessToken,
    SoftwareTokenMfaSettings: settingsOf(softwareToken),
    SMSMfaSettings: settingsOf(sms),
    EmailMfaSettings: settingsOf(email),
  })
  await api.call('SetUserMFAPreference', (sdk, options) => sdk.send(command, options), {
    sensitive: [accessToken],
    signal,
  })
}

function settingsOf(preference: MfaPreference | undefined) {
  if (preference === undefined) return undefined
  return { Enabled: preference !== 'disabled', PreferredMfa: preference === 'preferred' }
}
