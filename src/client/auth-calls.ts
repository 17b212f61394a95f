import {
  AdminInitiateAuthCommand,
  AdminRespondToAuthChallengeCommand,
  type AuthFlowType,
  type ChallengeNameType,
  InitiateAuthCommand,
  type InitiateAuthCommandOutput,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import type { AcceptedSecret } from './client-secrets.js'
import type { CognitoApi } from './cognito-api.js'
import type { SignInOptions } from './sign-in-input.js'

/** A step of a sign-in, as it goes to Cognito. */
export interface AuthStep {
  readonly admin: boolean
  /** Sent as USERNAME, and what SECRET_HASH is made with: the two must agree. */
  readonly username: string
  /** AuthParameters or ChallengeResponses, without USERNAME and SECRET_HASH. */
  readonly parameters: Readonly<Record<string, string>>
  readonly session: string | undefined
  readonly input: SignInOptions
  /** Of the steps before this one, in the same call. */
  readonly acceptedSecret: AcceptedSecret
}

/** What Cognito answers to a step, and the operation that it answered. */
export interface AuthOutput
  extends Pick<
    InitiateAuthCommandOutput,
    'AuthenticationResult' | 'AvailableChallenges' | 'ChallengeParameters' | 'Session'
  > {
  readonly operation: string
  readonly ChallengeName?: string | undefined
}

/** The parameters that are no secrets. All others must not come back in an error. */
const PUBLIC = new Set([
  ...['USERNAME', 'TIMESTAMP', 'CHALLENGE_NAME', 'PREFERRED_CHALLENGE', 'DEVICE_KEY'],
  ...['TARGET_ACR_VALUES', 'MAX_AGE'],
])

/** InitiateAuth or AdminInitiateAuth. */
export async function initiateAuth(api: CognitoApi, flow: AuthFlowType, step: AuthStep): Promise<AuthOutput> {
  const operation = step.admin ? 'AdminInitiateAuth' : 'InitiateAuth'
  const output = await send(api, step, (AuthParameters, sensitive) => {
    const request = { ...requestOf(api, step), AuthFlow: flow, AuthParameters }
    return api.call(
      operation,
      (sdk, options) =>
        step.admin
          ? sdk.send(new AdminInitiateAuthCommand(asAdmin(api, step, request)), options)
          : sdk.send(new InitiateAuthCommand(asUser(step, request)), options),
      { sensitive, signal: step.input.signal },
    )
  })
  return { ...output, operation }
}

/** RespondToAuthChallenge or AdminRespondToAuthChallenge. */
export async function respondToAuthChallenge(
  api: CognitoApi,
  challengeName: string,
  step: AuthStep,
): Promise<AuthOutput> {
  const operation = step.admin ? 'AdminRespondToAuthChallenge' : 'RespondToAuthChallenge'
  const output = await send(api, step, (ChallengeResponses, sensitive) => {
    // Cognito may have newer challenges than the SDK knows.
    const ChallengeName = challengeName as ChallengeNameType
    const request = { ...requestOf(api, step), ChallengeName, ChallengeResponses }
    return api.call(
      operation,
      (sdk, options) =>
        step.admin
          ? sdk.send(new AdminRespondToAuthChallengeCommand(asAdmin(api, step, request)), options)
          : sdk.send(new RespondToAuthChallengeCommand(asUser(step, request)), options),
      { sensitive, signal: step.input.signal },
    )
  })
  return { ...output, operation }
}

/** With USERNAME and, if the app client has a secret, its SECRET_HASH. */
function send<Output>(
  api: CognitoApi,
  { username, parameters, session, input, acceptedSecret }: AuthStep,
  act: (parameters: Record<string, string>, sensitive: (string | undefined)[]) => Promise<Output>,
): Promise<Output> {
  const secrets = Object.entries(parameters)
    .filter(([name]) => !PUBLIC.has(name) && !name.startsWith('userAttributes.'))
    .map(([, value]) => value)
  const fingerprints = [input.userContextData?.EncodedData, input.contextData?.EncodedData]
  return api.withSecretHash(
    username,
    (secretHash) =>
      act(
        {
          ...parameters,
          USERNAME: username,
          ...(secretHash === undefined ? {} : { SECRET_HASH: secretHash }),
        },
        [...secrets, session, secretHash, ...fingerprints],
      ),
    { accepted: acceptedSecret, signal: input.signal },
  )
}

function requestOf(api: CognitoApi, { session, input }: AuthStep) {
  return { ClientId: api.clientId, Session: session, ClientMetadata: input.clientMetadata }
}

function asAdmin<Request>(api: CognitoApi, { input }: AuthStep, request: Request) {
  return { ...request, UserPoolId: api.userPoolId, ContextData: input.contextData }
}

function asUser<Request>({ input }: AuthStep, request: Request) {
  return { ...request, UserContextData: input.userContextData }
}
