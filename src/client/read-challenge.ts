import { CognitoError } from '../errors.js'
import type { AuthOutput } from './auth-calls.js'
import type {
  ChallengeOf,
  CredentialRequestOptions,
  KnownChallenges,
  SignInChallenge,
  UnknownChallenge,
  UnknownChallengeName,
} from './challenges.js'

/** What a challenge has besides what all have. */
type Offer<Name extends keyof KnownChallenges> = Omit<KnownChallenges[Name], keyof ChallengeOf<Name>>

/** Reads the parameters of each known challenge. */
const OFFERS: { readonly [Name in keyof KnownChallenges]: (parameters: ChallengeParameters) => Offer<Name> } =
  {
    NEW_PASSWORD_REQUIRED: (parameters) => ({
      requiredAttributes: parameters
        .texts('requiredAttributes')
        .map((name) => name.replace(/^userAttributes\./, '')),
      userAttributes: parameters.textsByName('userAttributes'),
    }),
    SOFTWARE_TOKEN_MFA: ({ raw }) => ({ friendlyDeviceName: raw.FRIENDLY_DEVICE_NAME }),
    SMS_MFA: deliveryOf,
    SMS_OTP: deliveryOf,
    EMAIL_OTP: deliveryOf,
    SELECT_CHALLENGE: (parameters) => ({
      credentialRequestOptions:
        parameters.raw.CREDENTIAL_REQUEST_OPTIONS === undefined ? undefined : credentialOptionsOf(parameters),
    }),
    SELECT_MFA_TYPE: (parameters) => ({ mfaTypes: parameters.list('MFAS_CAN_CHOOSE') }),
    CUSTOM_CHALLENGE: ({ raw: { USERNAME: _, USER_ID_FOR_SRP: __, ...publicParameters } }) => ({
      publicParameters,
    }),
    MFA_SETUP: (parameters) => ({ mfaTypes: parameters.list('MFAS_CAN_SETUP') }),
    PASSWORD: () => ({}),
    PASSWORD_SRP: () => ({}),
    WEB_AUTHN: (parameters) => ({ credentialRequestOptions: credentialOptionsOf(parameters) }),
    DEVICE_SRP_AUTH: () => ({}),
  }

/**
 * Reads a challenge out of Cognito's answer. One that is not known is passed through.
 *
 * @throws CognitoError where a known one lacks what it must have, or has it in another form
 */
export function readChallenge(
  output: AuthOutput,
  { username, admin }: { readonly username: string; readonly admin: boolean },
): SignInChallenge {
  const parameters = output.ChallengeParameters ?? {}
  const name = output.ChallengeName ?? ''
  const base: ChallengeOf<string> = {
    status: 'challenge',
    challengeName: name,
    session: output.Session,
    parameters,
    availableChallenges: (output.AvailableChallenges ?? []).map(asName),
    username,
    admin,
  }
  if (!isKnown(name)) return { ...base, challengeName: asName(name) }
  const offer = OFFERS[name](new ChallengeParameters(output.operation, name, parameters))
  // Name and offer come of the same entry of the table, which the compiler cannot see.
  return { ...base, ...offer } as SignInChallenge
}

/** The user as Cognito names him in a challenge: what the answer must name him by. */
export function usernameIn(parameters: Readonly<Record<string, string>> | undefined): string | undefined {
  return parameters?.USER_ID_FOR_SRP || parameters?.USERNAME || undefined
}

/**
 * Whether a challenge is one that this version does not know: it is answered by `{ responses }`, by Cognito's own
 * names. For the `default` of a `switch` that does not have all the others.
 *
 * @example
 * import { isUnknownChallenge } from 'cognito-revocation/client'
 * if (isUnknownChallenge(challenge)) await client.respondToChallenge(challenge, { responses: { NEW_CODE: code } })
 */
export function isUnknownChallenge(challenge: SignInChallenge): challenge is UnknownChallenge {
  return !isKnown(challenge.challengeName)
}

function isKnown(name: string): name is keyof KnownChallenges {
  return Object.hasOwn(OFFERS, name)
}

/** That a name is unknown is known of its type only. */
function asName(name: string): UnknownChallengeName {
  return name as UnknownChallengeName
}

function deliveryOf({ raw }: ChallengeParameters) {
  return { deliveryMedium: raw.CODE_DELIVERY_DELIVERY_MEDIUM, destination: raw.CODE_DELIVERY_DESTINATION }
}

function credentialOptionsOf(parameters: ChallengeParameters): CredentialRequestOptions {
  const options = parameters.object('CREDENTIAL_REQUEST_OPTIONS')
  const { challenge } = options
  if (typeof challenge !== 'string' || challenge === '') throw parameters.error('CREDENTIAL_REQUEST_OPTIONS')
  return { ...options, challenge }
}

/** A challenge's parameters, some of which are JSON. What is left out is empty. */
class ChallengeParameters {
  readonly raw: Readonly<Record<string, string>>
  readonly #operation: string
  readonly #challengeName: string

  constructor(operation: string, challengeName: string, raw: Readonly<Record<string, string>>) {
    this.raw = raw
    this.#operation = operation
    this.#challengeName = challengeName
  }

  /** A list of strings. */
  list(name: string): readonly string[] {
    const value = this.#json(name, '[]')
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw this.error(name)
    return value
  }

  object(name: string): Readonly<Record<string, unknown>> {
    const value = this.#json(name, '{}')
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.error(name)
    return { ...value }
  }

  /**
   * A list that only informs: what is no string is turned into one, null is nothing. For its form alone nobody
   * must be kept from signing in.
   */
  texts(name: string): readonly string[] {
    const value = this.#json(name, '[]') ?? []
    if (!Array.isArray(value)) throw this.error(name)
    return value.flatMap(textOf)
  }

  /** The same of an object's values. */
  textsByName(name: string): Readonly<Record<string, string>> {
    const value = this.#json(name, '{}') ?? {}
    if (typeof value !== 'object' || Array.isArray(value)) throw this.error(name)
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, each]) => textOf(each).map((text) => [key, text])),
    )
  }

  /** Names the parameter, and does not quote it. */
  error(name: string): CognitoError {
    return new CognitoError(
      `${this.#operation}: the parameter ${name} of Cognito's challenge ${this.#challengeName} is not what it must be`,
    )
  }

  #json(name: string, otherwise: string): unknown {
    try {
      return JSON.parse(this.raw[name] || otherwise)
    } catch {
      throw this.error(name)
    }
  }
}

/** None for null. */
function textOf(value: unknown): readonly string[] {
  if (value === null) return []
  return [typeof value === 'string' ? value : JSON.stringify(value)]
}
