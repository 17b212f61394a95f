import {
  AssociateSoftwareTokenCommand,
  VerifySoftwareTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CodeMismatchError, CognitoError } from '../errors.js'
import { assertInput, assertObject, assertOptionalSignal, assertString } from '../options.js'
import type { MfaSetupChallenge } from './challenges.js'
import { readCode } from './code.js'
import type { CognitoApi } from './cognito-api.js'

/** A user who is signed in, by the access token. */
export interface AccessTokenInput {
  /** With the scope `aws.cognito.signin.user.admin`, as the tokens of `signIn` have it. */
  readonly accessToken: string
}

/** A secret for an authenticator app. */
export interface SoftwareToken<Input extends MfaSetupChallenge | AccessTokenInput> {
  /**
   * The TOTP secret (RFC 6238), in Base32, to be shown to the user once. Secret: whoever has it has the second
   * factor. As a QR code: `otpauth://totp/…?secret=<secretCode>`.
   */
  readonly secretCode: string
  /** Within a sign-in: the challenge to answer with the first code. */
  readonly challenge: Input extends MfaSetupChallenge ? MfaSetupChallenge : undefined
}

export interface VerifySoftwareTokenInput extends AccessTokenInput {
  /** The code that the authenticator app shows: six digits; white space is taken out. */
  readonly code: string
  /** What the user calls the device with the app. */
  readonly friendlyDeviceName?: string
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** AssociateSoftwareToken, within a sign-in or by an access token. */
export async function associateSoftwareToken<Input extends MfaSetupChallenge | AccessTokenInput>(
  api: CognitoApi,
  input: Input,
  options: { readonly signal?: AbortSignal },
): Promise<SoftwareToken<Input>> {
  assertInput('associateSoftwareToken', input)
  assertObject('associateSoftwareToken', 'options', options)
  const { signal } = options
  assertOptionalSignal('associateSoftwareToken', signal)
  const challenge = 'challengeName' in input ? input : undefined
  const secret = 'challengeName' in input ? input.session : input.accessToken
  assertString('associateSoftwareToken', challenge ? 'session' : 'accessToken', secret)
  const command = new AssociateSoftwareTokenCommand(challenge ? { Session: secret } : { AccessToken: secret })
  const { SecretCode, Session } = await api.call(
    'AssociateSoftwareToken',
    (sdk, options) => sdk.send(command, options),
    { sensitive: [secret], signal },
  )
  if (!SecretCode || (challenge !== undefined && !Session)) {
    throw new CognitoError("AssociateSoftwareToken: Cognito's answer lacks the secret, or the session")
  }
  const next = challenge && { ...challenge, session: Session }
  return { secretCode: SecretCode, challenge: next as SoftwareToken<Input>['challenge'] }
}

/** VerifySoftwareToken by an access token. */
export async function verifySoftwareToken(api: CognitoApi, input: VerifySoftwareTokenInput): Promise<void> {
  assertInput('verifySoftwareToken', input)
  const { accessToken, code, friendlyDeviceName, signal } = input
  assertString('verifySoftwareToken', 'accessToken', accessToken)
  assertOptionalSignal('verifySoftwareToken', signal)
  await verify(api, 'verifySoftwareToken', { AccessToken: accessToken }, { code, friendlyDeviceName }, signal)
}

/** VerifySoftwareToken within a sign-in. @returns the session to answer MFA_SETUP with */
export async function verifySessionToken(
  api: CognitoApi,
  session: string | undefined,
  answer: { readonly code?: unknown; readonly friendlyDeviceName?: unknown; readonly signal?: AbortSignal },
): Promise<string> {
  const output = await verify(api, 'respondToChallenge', { Session: session }, answer, answer.signal)
  if (!output.Session) throw new CognitoError("VerifySoftwareToken: Cognito's answer has no session")
  return output.Session
}

async function verify(
  api: CognitoApi,
  owner: string,
  by: { readonly AccessToken?: string; readonly Session?: string | undefined },
  { code, friendlyDeviceName }: { readonly code?: unknown; readonly friendlyDeviceName?: unknown },
  signal: AbortSignal | undefined,
) {
  const digits = readCode(owner, code)
  if (friendlyDeviceName !== undefined) assertString(owner, 'friendlyDeviceName', friendlyDeviceName)
  // Cognito would call anything else an invalid parameter; it is a slip of the user's like any other.
  if (!/^[0-9]{6}$/.test(digits))
    throw new CodeMismatchError(`${owner}: the code is not six digits; ask the user again`)
  const command = new VerifySoftwareTokenCommand({
    ...by,
    UserCode: digits,
    FriendlyDeviceName: friendlyDeviceName,
  })
  const output = await api.call('VerifySoftwareToken', (sdk, options) => sdk.send(command, options), {
    sensitive: [by.AccessToken, by.Session, digits],
    signal,
  })
  if (output.Status !== 'SUCCESS') {
    throw new CodeMismatchError('VerifySoftwareToken: the code is wrong; ask the user again')
  }
  return output
}
