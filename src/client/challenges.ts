import type { ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'

/**
 * The name of a challenge that this version does not know: a string like any other, Cognito's own. Its type is
 * there for the compiler only, to keep it apart from the known names: where it were `string`, `challengeName`
 * would not tell the challenges apart. Take it as a string: `const name: string = challenge.challengeName`.
 */
declare enum UnknownName {
  any = 'a challenge that this version does not know',
}
export type UnknownChallengeName = UnknownName

/** The name of a second factor; Cognito may have newer ones. */
export type MfaType = 'SMS_MFA' | 'SOFTWARE_TOKEN_MFA' | 'EMAIL_OTP' | (string & {})

/**
 * What Cognito wants to know before it signs the user in. A plain object: it can be turned into JSON and kept
 * between two requests. It holds no password.
 *
 * `session` is a secret of this sign-in: whoever has it and the answer is signed in. Keep the challenge in a
 * server-side session or an encrypted httpOnly cookie, never in a URL or a log.
 */
export interface ChallengeOf<Name extends string> {
  readonly status: 'challenge'
  readonly challengeName: Name
  /** Cognito's state of the sign-in, good for one answer. Secret. */
  readonly session: string | undefined
  /** The challenge's parameters as Cognito gave them. */
  readonly parameters: Readonly<Record<string, string>>
  /** The challenges to choose from, where there is a choice. */
  readonly availableChallenges: readonly (ChallengeNameType | UnknownChallengeName)[]
  /** The USERNAME that the answer is sent with: the user's real one, as soon as Cognito has told it. */
  readonly username: string
  /** Whether the sign-in goes by the admin operations, with this process's AWS credentials. */
  readonly admin: boolean
}

/** The password is a temporary one: the user chooses a new one. Answer: `{ newPassword, userAttributes? }`. */
export interface NewPasswordChallenge extends ChallengeOf<'NEW_PASSWORD_REQUIRED'> {
  /** Names of the attributes that must be given along, without the prefix `userAttributes.`. */
  readonly requiredAttributes: readonly string[]
  /** What is known of the user. */
  readonly userAttributes: Readonly<Record<string, string>>
}

/** The code of an authenticator app. Answer: `{ code }`. */
export interface SoftwareTokenChallenge extends ChallengeOf<'SOFTWARE_TOKEN_MFA'> {
  /** What the user calls the device with the app. */
  readonly friendlyDeviceName: string | undefined
}

/** A code that was sent. SMS_MFA is a second factor, SMS_OTP a first one, EMAIL_OTP either. Answer: `{ code }`. */
export interface CodeChallenge<Name extends 'SMS_MFA' | 'SMS_OTP' | 'EMAIL_OTP'> extends ChallengeOf<Name> {
  /** `SMS` or `EMAIL`. */
  readonly deliveryMedium: string | undefined
  /** Where it was sent to, masked by Cognito: `+*******1234`. */
  readonly destination: string | undefined
}

/** A way to begin a sign-in. */
export type FirstFactor = 'PASSWORD' | 'PASSWORD_SRP' | 'SMS_OTP' | 'EMAIL_OTP' | 'WEB_AUTHN'

/**
 * The user chooses how to sign in, out of `availableChallenges`. Answer: `{ challenge, … }`. A choice that comes from
 * a browser is a string like any other: look it up among them, which also types it.
 *
 * @example
 * const chosen = challenge.availableChallenges.find((name) => name === form.chosen)
 * if (chosen === undefined) throw new Error('Nothing that is offered')
 * if (chosen === 'PASSWORD' || chosen === 'PASSWORD_SRP') {
 *   return client.respondToChallenge(challenge, { challenge: chosen, password: form.password })
 * }
 * return client.respondToChallenge(challenge, { challenge: chosen })
 */
export interface SelectChallenge extends ChallengeOf<'SELECT_CHALLENGE'> {
  /** The ways to sign in that the user has. */
  readonly availableChallenges: readonly (FirstFactor | UnknownChallengeName)[]
  /** For a passkey, where Cognito gives them at once. */
  readonly credentialRequestOptions: CredentialRequestOptions | undefined
}

/** The user chooses the second factor. Answer: `{ mfaType }`. */
export interface SelectMfaTypeChallenge extends ChallengeOf<'SELECT_MFA_TYPE'> {
  readonly mfaTypes: readonly MfaType[]
}

/** What the user pool's Lambda triggers ask. Answer: `{ answer }`. */
export interface CustomChallenge extends ChallengeOf<'CUSTOM_CHALLENGE'> {
  /** The trigger's publicChallengeParameters. */
  readonly publicParameters: Readonly<Record<string, string>>
}

/**
 * The user must set up a second factor: see `associateSoftwareToken`. Answer: `{ code, friendlyDeviceName? }`; for a
 * factor of another kind `{ responses }`, by Cognito's own names.
 */
export interface MfaSetupChallenge extends ChallengeOf<'MFA_SETUP'> {
  /** What can be set up. */
  readonly mfaTypes: readonly MfaType[]
}

/** The password; PASSWORD_SRP proves it without sending it. Answer: `{ password }`. */
export interface PasswordChallenge<Name extends 'PASSWORD' | 'PASSWORD_SRP'> extends ChallengeOf<Name> {}

/** A passkey. Answer: `{ credential }`. */
export interface WebAuthnChallenge extends ChallengeOf<'WEB_AUTHN'> {
  readonly credentialRequestOptions: CredentialRequestOptions
}

/** Proof that this is the remembered device, where none was given along. Answer: `{ device }`. */
export interface DeviceChallenge extends ChallengeOf<'DEVICE_SRP_AUTH'> {}

/** A challenge that this version does not know. Answer: `{ responses }`, by Cognito's own names. */
export interface UnknownChallenge extends ChallengeOf<UnknownChallengeName> {}

/**
 * PublicKeyCredentialRequestOptionsJSON (Web Authentication Level 3, section 5.5): what a browser's
 * `PublicKeyCredential.parseRequestOptionsFromJSON` takes.
 */
export interface CredentialRequestOptions {
  readonly challenge: string
  readonly rpId?: string
  readonly timeout?: number
  readonly userVerification?: string
  readonly allowCredentials?: readonly { readonly type: string; readonly id: string }[]
  readonly [name: string]: unknown
}

/** The challenges that are known, by name. */
export interface KnownChallenges {
  readonly NEW_PASSWORD_REQUIRED: NewPasswordChallenge
  readonly SOFTWARE_TOKEN_MFA: SoftwareTokenChallenge
  readonly SMS_MFA: CodeChallenge<'SMS_MFA'>
  readonly SMS_OTP: CodeChallenge<'SMS_OTP'>
  readonly EMAIL_OTP: CodeChallenge<'EMAIL_OTP'>
  readonly SELECT_CHALLENGE: SelectChallenge
  readonly SELECT_MFA_TYPE: SelectMfaTypeChallenge
  readonly CUSTOM_CHALLENGE: CustomChallenge
  readonly MFA_SETUP: MfaSetupChallenge
  readonly PASSWORD: PasswordChallenge<'PASSWORD'>
  readonly PASSWORD_SRP: PasswordChallenge<'PASSWORD_SRP'>
  readonly WEB_AUTHN: WebAuthnChallenge
  readonly DEVICE_SRP_AUTH: DeviceChallenge
}

/**
 * What Cognito wants to know before it signs the user in, told apart by `challengeName`. PASSWORD_VERIFIER and
 * DEVICE_PASSWORD_VERIFIER are not among them: they are answered within the call.
 */
export type SignInChallenge = KnownChallenges[keyof KnownChallenges] | UnknownChallenge
