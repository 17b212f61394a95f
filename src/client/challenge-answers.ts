import type { SignInChallenge, UnknownChallengeName } from './challenges.js'
import type { Device } from './device.js'
import type { SignInOptions } from './sign-in-input.js'

interface CodeAnswer {
  /** As the user typed it in: white space is taken out. */
  readonly code: string
}

interface SoftwareTokenAnswer extends CodeAnswer {
  /** What the user calls the device with the authenticator app. */
  readonly friendlyDeviceName?: string
}

interface PasswordAnswer {
  readonly password: string
}

/** The choice of a way to sign in. */
export type SelectAnswer =
  | { readonly challenge: 'PASSWORD' | 'PASSWORD_SRP'; readonly password: string }
  /** A code is sent then, which the next challenge asks for. */
  | { readonly challenge: 'SMS_OTP' | 'EMAIL_OTP' }
  /** Without `credential`, Cognito asks for it by a WEB_AUTHN challenge. */
  | { readonly challenge: 'WEB_AUTHN'; readonly credential?: object | string }
  /** One that this version does not know, out of `availableChallenges`; `responses` by Cognito's own names. */
  | { readonly challenge: UnknownChallengeName; readonly responses?: Readonly<Record<string, string>> }

/** What answers each known challenge, by its name. */
export interface KnownAnswers {
  readonly NEW_PASSWORD_REQUIRED: {
    readonly newPassword: string
    /** Those of `requiredAttributes`, and others that the app client may write: `{ email: '…' }`. */
    readonly userAttributes?: Readonly<Record<string, string>>
  }
  readonly SOFTWARE_TOKEN_MFA: CodeAnswer
  readonly SMS_MFA: CodeAnswer
  readonly SMS_OTP: CodeAnswer
  readonly EMAIL_OTP: CodeAnswer
  readonly SELECT_CHALLENGE: SelectAnswer
  readonly SELECT_MFA_TYPE: {
    /** One of `mfaTypes`. */
    readonly mfaType: string
  }
  readonly CUSTOM_CHALLENGE: { readonly answer: string }
  /** The first code of an authenticator app; or `responses`, for a second factor of another kind. */
  readonly MFA_SETUP: SoftwareTokenAnswer | UnknownAnswer
  readonly PASSWORD: PasswordAnswer
  readonly PASSWORD_SRP: PasswordAnswer
  readonly WEB_AUTHN: {
    /** What the browser gave: AuthenticationResponseJSON (`credential.toJSON()`), or that as a string. */
    readonly credential: object | string
  }
  readonly DEVICE_SRP_AUTH: { readonly device: Device }
}

/** What answers a challenge that this version does not know, or knows no better answer to. */
export interface UnknownAnswer {
  /** ChallengeResponses by Cognito's own names; USERNAME and SECRET_HASH are filled in. */
  readonly responses: Readonly<Record<string, string>>
}

type AnswerFor<C extends SignInChallenge> = C['challengeName'] extends keyof KnownAnswers
  ? KnownAnswers[C['challengeName']]
  : UnknownAnswer

/**
 * What answers a challenge. Where it is not known yet which of several it is, what answers all of them: so
 * look at `challengeName` first.
 */
export type AnswerTo<C extends SignInChallenge> = SignInOptions &
  ((C extends SignInChallenge ? (answer: AnswerFor<C>) => void : never) extends (answer: infer Answer) => void
    ? Answer
    : never)
