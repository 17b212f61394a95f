import {
  AdminInitiateAuthCommand,
  type ChallengeNameType,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CognitoError } from '../errors.js'
import { assertInput, assertOptionalSignal, assertString, optionError } from '../options.js'
import type { CognitoApi } from './cognito-api.js'
import { type SessionTokens, toSessionTokens } from './session-tokens.js'

/** Sign-in with a password. ADMIN_NO_SRP_AUTH is the old name of ADMIN_USER_PASSWORD_AUTH. */
export type SignInFlow = 'USER_PASSWORD_AUTH' | 'ADMIN_USER_PASSWORD_AUTH' | 'ADMIN_NO_SRP_AUTH'

export interface SignInInput {
  /** Username or alias. */
  readonly username: string
  readonly password: string
  /** The ADMIN flows need AWS credentials with cognito-idp:AdminInitiateAuth. Default USER_PASSWORD_AUTH. */
  readonly flow?: SignInFlow
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** The user is signed in. */
export interface SignedIn extends SessionTokens {
  readonly status: 'authenticated'
  readonly idToken: string
  readonly refreshToken: string
}

/** Cognito wants more before it signs the user in. */
export interface SignInChallenge {
  readonly status: 'challenge'
  readonly challengeName: ChallengeNameType
  /** Cognito's state of the sign-in, to be sent back with the answer. */
  readonly session: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  readonly availableChallenges: readonly ChallengeNameType[]
}

export type SignInResult = SignedIn | SignInChallenge

/** InitiateAuth or AdminInitiateAuth with a password. */
export async function signIn(api: CognitoApi, input: SignInInput): Promise<SignInResult> {
  assertInput('signIn', input)
  const { username, password, flow = 'USER_PASSWORD_AUTH', signal } = input
  assertString('signIn', 'username', username)
  assertString('signIn', 'password', password)
  assertOptionalSignal('signIn', signal)
  const admin = flow === 'ADMIN_USER_PASSWORD_AUTH' || flow === 'ADMIN_NO_SRP_AUTH'
  if (!admin && flow !== 'USER_PASSWORD_AUTH') {
    throw optionError('signIn', 'flow', "'USER_PASSWORD_AUTH' or 'ADMIN_USER_PASSWORD_AUTH'")
  }
  const operation = admin ? 'AdminInitiateAuth' : 'InitiateAuth'
  const output = await api.withSecretHash(username, (secretHash) => {
    const parameters = {
      ClientId: api.clientId,
      AuthParameters: {
        USERNAME: username,
        PASSWORD: password,
        ...(secretHash === undefined ? {} : { SECRET_HASH: secretHash }),
      },
    }
    return api.call(
      operation,
      (sdk, options) =>
        admin
          ? sdk.send(
              new AdminInitiateAuthCommand({
                ...parameters,
                UserPoolId: api.userPoolId,
                AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
              }),
              options,
            )
          : sdk.send(new InitiateAuthCommand({ ...parameters, AuthFlow: flow }), options),
      { sensitive: [password, secretHash], signal },
    )
  })
  if (output.ChallengeName !== undefined) {
    return {
      status: 'challenge',
      challengeName: output.ChallengeName,
      session: output.Session,
      parameters: output.ChallengeParameters ?? {},
      availableChallenges: output.AvailableChallenges ?? [],
    }
  }
  const { idToken, refreshToken, ...tokens } = toSessionTokens(operation, output.AuthenticationResult)
  if (!idToken || !refreshToken) throw new CognitoError(`${operation}: Cognito's answer lacks a token`)
  return { status: 'authenticated', ...tokens, idToken, refreshToken }
}
