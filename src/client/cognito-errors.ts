import * as errors from '../errors.js'
import { quotes } from './quoting.js'
import { SECRET_HASH_REFUSALS } from './secret-hash-refusals.js'

type ErrorClass = new (message: string, options: ErrorOptions) => errors.CognitoRevocationError
type Advice = readonly [ErrorClass, string]

/** What each exception of Cognito's means, by name. Messages decide only where a name means several things. */
const BY_NAME: Readonly<Record<string, Advice>> = {
  UserNotFoundException: [errors.UserNotFoundError, 'There is no such user'],
  UserNotConfirmedException: [errors.UserNotConfirmedError, 'The user must confirm the sign-up first'],
  PasswordResetRequiredException: [
    errors.PasswordResetRequiredError,
    'The user must set a new password first',
  ],
  ...each(
    ['CodeMismatchException', 'EnableSoftwareTokenMFAException'],
    [errors.CodeMismatchError, 'The code or answer is wrong; ask the user again'],
  ),
  ExpiredCodeException: [
    errors.CodeExpiredError,
    'The code has expired; begin the sign-in again for a new one',
  ],
  InvalidPasswordException: [
    errors.InvalidPasswordError,
    "The new password does not meet the user pool's policy; ask for another",
  ],
  PasswordHistoryPolicyViolationException: [
    errors.PasswordHistoryError,
    'The user has had this password before; ask for another',
  ],
  AliasExistsException: [
    errors.AliasExistsError,
    'Another user has this e-mail address or phone number as an alias',
  ],
  ...each(
    ['MFAMethodNotFoundException', 'SoftwareTokenMFANotFoundException'],
    [errors.MfaMethodNotFoundError, 'The user or the user pool has no such second factor; set it up first'],
  ),
  DeviceKeyExistsException: [errors.InvalidParameterError, 'This device is confirmed already'],
  RefreshTokenReuseException: [
    errors.RefreshTokenReuseError,
    'The refresh token was rotated away: a response was lost, or the token was stolen',
  ],
  UnsupportedTokenTypeException: [errors.NotARefreshTokenError, 'Only refresh tokens can be revoked'],
  UnauthorizedException: [
    errors.WrongClientError,
    "The refresh token is another app client's, or the client secret is wrong or missing",
  ],
  ResourceNotFoundException: [
    errors.ResourceNotFoundError,
    'Check userPoolId, clientId, Region and, if one was given, the device',
  ],
  InvalidParameterException: [
    errors.InvalidParameterError,
    'Check the parameters; at a sign-in, that the app client allows this auth flow (ExplicitAuthFlows); to refresh by ' +
      'REFRESH_TOKEN_AUTH, rotation must be off: else use GetTokensFromRefreshToken',
  ],
  ConcurrentModificationException: [
    errors.ConcurrentModificationError,
    'Somebody else changes the same thing at the same time; try again',
  ],
  ...each(
    ['InvalidOAuthFlowException', 'ScopeDoesNotExistException'],
    [errors.InvalidParameterError, 'Check AllowedOAuthFlows and AllowedOAuthScopes'],
  ),
  ForbiddenException: [errors.ForbiddenError, 'AWS WAF or threat protection blocked the request'],
  UserLambdaValidationException: [errors.LambdaTriggerError, 'A Lambda trigger of the user pool refused'],
  UnexpectedLambdaException: [errors.LambdaTriggerError, 'A Lambda trigger of the user pool failed'],
  InvalidLambdaResponseException: [
    errors.LambdaTriggerError,
    'A Lambda trigger of the user pool gave a bad answer',
  ],
  ...each(
    ['TooManyRequestsException', 'LimitExceededException', 'ThrottlingException', 'RequestLimitExceeded'],
    [errors.ThrottledError, "Cognito's quota is used up; try again later, and slower"],
  ),
  ...each(
    [
      'InvalidUserPoolConfigurationException',
      'InvalidSmsRoleAccessPolicyException',
      'InvalidSmsRoleTrustRelationshipException',
      'InvalidEmailRoleAccessPolicyException',
      'FeatureUnavailableInTierException',
      'OperationNotEnabledException',
      'UnsupportedOperationException',
    ],
    [errors.CognitoConfigurationError, "The user pool's settings, feature plan or Region do not allow this"],
  ),
  ...each(
    [
      'AccessDeniedException',
      'UnrecognizedClientException',
      'MissingAuthenticationTokenException',
      'InvalidSignatureException',
      'IncompleteSignatureException',
      'ExpiredTokenException',
      'CredentialsProviderError',
      'TokenProviderError',
    ],
    [
      errors.AccessDeniedError,
      'The AWS credentials of this process are missing, expired, or lack the IAM permission',
    ],
  ),
  ...each(
    ['InternalErrorException', 'InternalServerException', 'ServiceUnavailable'],
    [errors.CognitoUnavailableError, 'Cognito failed inside; whether it took effect is unknown'],
  ),
}

const APP_CLIENT_OPERATIONS =
  /^((Describe|Update|Create)UserPoolClient|(Add|List|Delete)UserPoolClientSecrets?)$/

/** What Cognito says of a SECRET_HASH or a client secret. A user may have a secret too: that is not meant. */
const SECRET_REFUSED = /secret_?hash|secret hash|client secret|configured (with|for) secret/i
const SECRET_ADVICE: Advice = [
  errors.SecretHashMismatchError,
  'The client secret is wrong, missing or superfluous, or (on refresh) the username is not the real one',
]
/** These take the secret itself, and no other: whatever they say of a secret is of that. */
const RAW_SECRET_OPERATIONS = /^(GetTokensFromRefreshToken|RevokeToken)$/

const USED_CODE = /already been used/i

/** What a repetition hears where an earlier attempt, whose answer was lost, has taken effect. */
const LOST: readonly (readonly [RegExp, string])[] = [
  [
    /^DeviceKeyExistsException/,
    'An earlier attempt, whose answer was lost, may have taken effect: the device may be confirmed with a ' +
      'password that nobody knows. Forget it (forgetDevice), and sign in again',
  ],
  [
    /^NotAuthorizedException: Invalid session for the user|^ExpiredCodeException: .*already been used/i,
    'An earlier attempt, whose answer was lost, may have taken effect. Sign in again, with the new password or ' +
      'second factor if one was to be set',
  ],
]

/** NotAuthorizedException means many things; only its message tells which. Cognito varies the final period. */
const NOT_AUTHORIZED: readonly (readonly [RegExp, ErrorClass, string])[] = [
  ...SECRET_HASH_REFUSALS,
  [/refresh token has been revoked/i, errors.RefreshTokenRevokedError, 'Refresh Token has been revoked'],
  [
    /invalid refresh token|refresh token has expired/i,
    errors.RefreshTokenInvalidError,
    'The refresh token has expired, is of another app client or user pool, or is of a device that is tracked: ' +
      'then give its deviceKey (DEVICE_KEY); before confirmDevice confirmed it, no refresh works. With rotation, ' +
      'one of ADMIN_NO_SRP_AUTH is refused too',
  ],
  [SECRET_REFUSED, ...SECRET_ADVICE],
  [
    /invalid session for the user/i,
    errors.ChallengeSessionExpiredError,
    "The sign-in's session is over: too late, too many wrong answers, or answered before; begin it again",
  ],
  [/user is disabled/i, errors.UserDisabledError, 'An administrator has disabled the user'],
]

/**
 * Turns what the AWS SDK threw into a typed error, with the SDK's error as `cause`. What Cognito or the
 * network said is passed on only without the tokens, passwords and secrets that were sent.
 */
export function toTypedError(
  operation: string,
  thrown: unknown,
  sensitive: readonly (string | undefined)[],
): errors.CognitoRevocationError {
  if (thrown instanceof errors.CognitoRevocationError) return thrown
  const error = thrown as Error & {
    $fault?: string
    $metadata?: { httpStatusCode?: number; attempts?: number }
  }
  const name = error?.name ?? 'Error'
  // A parser quotes what it could not parse: an answer with tokens, maybe.
  const message = name === 'SyntaxError' ? 'not JSON' : String(error?.message ?? thrown)
  const said = quotes(message, sensitive) ? 'its message is withheld, since it quotes what was sent' : message
  // Only on an error that the service itself wrote does no part of an answer hang.
  const clean = error?.$fault !== undefined && said === error.message
  const cause = clean ? error : Object.assign(new Error(said), { name, $metadata: error?.$metadata })
  const make = (Class: ErrorClass, advice: string) =>
    new Class(`${operation}: ${advice}. Cognito: ${name}: ${said}`, { cause })

  if (APP_CLIENT_OPERATIONS.test(operation)) {
    // Neither of users nor of tokens: what those words mean elsewhere does not hold here.
    if (name === 'NotAuthorizedException')
      return make(errors.NotAuthorizedError, 'Cognito refuses this caller: check the IAM policy')
    if (name === 'LimitExceededException') return make(errors.ThrottledError, limitAdvice(operation))
    if (name === 'InvalidParameterException' && operation.includes('ClientSecret')) {
      return make(
        errors.InvalidParameterError,
        'Check the parameters; an app client that has no secret gets none, and the last one cannot be deleted',
      )
    }
  }
  const lost =
    (error?.$metadata?.attempts ?? 1) > 1
      ? LOST.find(([said]) => said.test(`${name}: ${message}`))
      : undefined
  if (lost !== undefined) return make(errors.CognitoUnavailableError, lost[1])
  if (name === 'ExpiredCodeException' && USED_CODE.test(message)) {
    return make(
      errors.CodeExpiredError,
      "The authenticator app's code was used before; wait for its next one, and answer the same challenge",
    )
  }
  if (name === 'NotAuthorizedException') {
    for (const [pattern, Class, advice] of NOT_AUTHORIZED)
      if (pattern.test(message)) return make(Class, advice)
    if (/access token has been revoked/i.test(message)) {
      return new errors.TokenRevokedError(`${operation}: Access Token has been revoked`, undefined, { cause })
    }
    if (/access token has expired/i.test(message))
      return make(errors.TokenExpiredError, 'The access token has expired')
    if (RAW_SECRET_OPERATIONS.test(operation) && /secret/i.test(message)) return make(...SECRET_ADVICE)
    if (operation === 'RevokeToken') return make(...advised('UnauthorizedException'))
    return make(errors.NotAuthorizedError, 'Cognito refuses: wrong username or password, or an invalid token')
  }
  if (operation === 'RevokeToken' && name === 'UnsupportedOperationException') {
    return make(errors.TokenRevocationDisabledError, 'Turn on EnableTokenRevocation for the app client')
  }
  if (Object.hasOwn(BY_NAME, name)) return make(...advised(name))
  const status = error?.$metadata?.httpStatusCode
  if (error?.$fault !== undefined && status !== undefined && status < 500) {
    return make(errors.CognitoError, 'Cognito refused, for a reason that this library does not know')
  }
  return make(errors.CognitoUnavailableError, 'No answer to rely on came; whether it took effect is unknown')
}

function limitAdvice(operation: string): string {
  if (operation === 'CreateUserPoolClient') return 'The user pool has as many app clients as its quota allows'
  return (
    'An app client has two secrets at most: find the one that is no longer used by listClientSecrets, and ' +
    'deleteClientSecret it. It may be one whose answer was lost a moment ago'
  )
}

function advised(name: string): Advice {
  return BY_NAME[name] as Advice
}

function each(names: readonly string[], advice: Advice): Record<string, Advice> {
  return Object.fromEntries(names.map((name) => [name, advice]))
}
