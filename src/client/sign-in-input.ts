import type { ContextDataType, UserContextDataType } from '@aws-sdk/client-cognito-identity-provider'
import {
  assertInput,
  assertInteger,
  assertObject,
  assertOptionalBoolean,
  assertOptionalSignal,
  assertString,
  assertStrings,
  optionError,
} from '../options.js'
import { assertOptionalDevice, type Device } from './device.js'

/** How a user signs in. ADMIN_NO_SRP_AUTH is the old name of ADMIN_USER_PASSWORD_AUTH. */
export type SignInFlow = SignInInput['flow'] & string

/** What `signIn` and `respondToChallenge` take besides. */
export interface SignInOptions {
  /**
   * ClientMetadata, for the user pool's Lambda triggers. Cognito neither checks nor encrypts it: nothing secret
   * belongs here.
   */
  readonly clientMetadata?: Readonly<Record<string, string>>
  /** UserContextData, for threat protection. Not with the admin operations. */
  readonly userContextData?: UserContextDataType
  /** ContextData, for threat protection. With the admin operations only. */
  readonly contextData?: ContextDataType
  /** A remembered device, from `confirmDevice`: it is proved to be this one where Cognito asks. */
  readonly device?: Device
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

interface UserInput extends SignInOptions {
  /** Username or alias. */
  readonly username: string
}

interface AdminChoice {
  /**
   * Use the admin operations, with this process's AWS credentials (cognito-idp:AdminInitiateAuth and
   * AdminRespondToAuthChallenge). Default false.
   */
  readonly admin?: boolean
}

/** The password is sent, over TLS. */
export interface PasswordSignInInput extends UserInput {
  /** The ADMIN flows need AWS credentials with cognito-idp:AdminInitiateAuth. Default USER_PASSWORD_AUTH. */
  readonly flow?: 'USER_PASSWORD_AUTH' | 'ADMIN_USER_PASSWORD_AUTH' | 'ADMIN_NO_SRP_AUTH'
  readonly password: string
}

/** The password is proved by SRP, and never sent. Needs the optional peer dependency cognito-srp-helper. */
export interface SrpSignInInput extends UserInput, AdminChoice {
  readonly flow: 'USER_SRP_AUTH'
  readonly password: string
}

/** The user, or the app for him, chooses out of what the user pool offers. */
export interface ChoiceSignInInput extends UserInput, AdminChoice {
  readonly flow: 'USER_AUTH'
  /** PREFERRED_CHALLENGE. Without it, or where the user has no such factor, the user chooses (SELECT_CHALLENGE). */
  readonly preferredChallenge?: 'PASSWORD' | 'PASSWORD_SRP' | 'SMS_OTP' | 'EMAIL_OTP' | 'WEB_AUTHN'
  /** For PASSWORD and PASSWORD_SRP. With PASSWORD_SRP as the preferred one, it is never sent. */
  readonly password?: string
  /** Step-up: the user's access token, whose factors count. Needs `targetAcrValues`. */
  readonly accessToken?: string
  /** Step-up: the levels (`acr`) to reach, the best first. */
  readonly targetAcrValues?: readonly string[]
  /** Step-up: how long ago the user may have signed in at most, in seconds. */
  readonly maxAgeSeconds?: number
  /** The session of a ConfirmSignUp just done, whose code then counts. */
  readonly session?: string
}

/** The user pool's Lambda triggers decide what is asked. */
export interface CustomSignInInput extends UserInput, AdminChoice {
  readonly flow: 'CUSTOM_AUTH'
  /** Proved by SRP before the triggers' own challenges; it is never sent. */
  readonly password?: string
}

/** What `signIn` takes, by `flow`. */
export type SignInInput = PasswordSignInInput | SrpSignInInput | ChoiceSignInInput | CustomSignInInput

const PREFERRED = ['PASSWORD', 'PASSWORD_SRP', 'SMS_OTP', 'EMAIL_OTP', 'WEB_AUTHN']
const FLOWS =
  "'USER_PASSWORD_AUTH', 'ADMIN_USER_PASSWORD_AUTH', 'USER_SRP_AUTH', 'USER_AUTH' or 'CUSTOM_AUTH'"

/** @throws TypeError naming the option */
export function checkSignInInput(input: SignInInput): void {
  assertInput('signIn', input)
  const admin = isAdmin(input)
  assertString('signIn', 'username', input.username)
  const needsPassword = input.flow !== 'USER_AUTH' && input.flow !== 'CUSTOM_AUTH'
  if (needsPassword || input.password !== undefined) assertString('signIn', 'password', input.password)
  checkSignInOptions('signIn', input, admin)
  if (input.flow === 'USER_AUTH') checkChoice(input)
}

/** Whether the admin operations are used. @throws TypeError where `flow` and `admin` contradict */
export function isAdmin(input: SignInInput): boolean {
  const { flow = 'USER_PASSWORD_AUTH', admin } = input as SignInInput & AdminChoice
  assertOptionalBoolean('signIn', 'admin', admin)
  switch (flow) {
    case 'USER_SRP_AUTH':
    case 'USER_AUTH':
    case 'CUSTOM_AUTH':
      return admin === true
    case 'USER_PASSWORD_AUTH':
      if (admin === true) throw optionError('signIn', 'flow', "'ADMIN_USER_PASSWORD_AUTH' for an admin")
      return false
    case 'ADMIN_USER_PASSWORD_AUTH':
    case 'ADMIN_NO_SRP_AUTH':
      if (admin === false) throw optionError('signIn', 'admin', 'true for this flow, or left out', admin)
      return true
    default:
      throw optionError('signIn', 'flow', FLOWS)
  }
}

function checkChoice(input: ChoiceSignInInput): void {
  const { preferredChallenge, accessToken, targetAcrValues, maxAgeSeconds, session } = input
  if (preferredChallenge !== undefined && !PREFERRED.includes(preferredChallenge)) {
    throw optionError('signIn', 'preferredChallenge', `one of ${PREFERRED.join(', ')}`)
  }
  if (targetAcrValues !== undefined) {
    const isList = Array.isArray(targetAcrValues) && targetAcrValues.length > 0
    if (!isList || !targetAcrValues.every((value) => typeof value === 'string' && /^\S+$/.test(value))) {
      throw optionError('signIn', 'targetAcrValues', 'an array of strings without spaces', targetAcrValues)
    }
  }
  if (accessToken !== undefined) {
    assertString('signIn', 'accessToken', accessToken)
    if (targetAcrValues === undefined)
      throw optionError('signIn', 'targetAcrValues', 'given with accessToken')
  }
  if (maxAgeSeconds !== undefined) assertInteger('signIn', 'maxAgeSeconds', maxAgeSeconds, 0)
  if (session !== undefined) assertString('signIn', 'session', session)
}

/** @throws TypeError naming the option */
export function checkSignInOptions(owner: string, input: SignInOptions, admin: boolean): void {
  assertOptionalSignal(owner, input.signal)
  assertOptionalDevice(owner, input.device)
  if (input.clientMetadata !== undefined) assertStrings(owner, 'clientMetadata', input.clientMetadata)
  const [given, other] = admin
    ? (['contextData', 'userContextData'] as const)
    : (['userContextData', 'contextData'] as const)
  if (input[given] !== undefined) assertObject(owner, given, input[given])
  if (input[other] !== undefined) {
    throw optionError(
      owner,
      other,
      `left out: ${given} is its like ${admin ? 'for' : 'without'} the admin operations`,
    )
  }
}
